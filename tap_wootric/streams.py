"""The streams that Wootric has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context

from tap_wootric import reports, schemas
from tap_wootric.client import Json
from tap_wootric.config import base_url
from tap_wootric.incremental import IncrementalStream
from tap_wootric.nps_summary import NpsSummary
from tap_wootric.stream import WootricStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Responses(IncrementalStream):
    """Answers to surveys: scores, comments, tags, and who gave them."""

    name = "responses"
    path = "/responses"
    declared_schema = schemas.RESPONSES


class Declines(IncrementalStream):
    """Surveys that were seen and not answered."""

    name = "declines"
    path = "/declines"
    declared_schema = schemas.DECLINES


class EndUsers(IncrementalStream):
    """The people who are asked."""

    name = "end_users"
    path = "/end_users"
    declared_schema = schemas.END_USERS
    walk_key = "updated_at"


class SurveyTemplates(WootricStream):
    """Survey templates of the account, with their languages."""

    name = "survey_templates"
    path = reports.SURVEY_TEMPLATES_PATH
    declared_schema = schemas.SURVEY_TEMPLATES
    primary_keys: ClassVar[Sequence[str]] = ("id",)
    replication_key = None
    selected_by_default = False

    @property
    @override
    def url_base(self) -> str:
        return base_url(self.config)

    @override
    def is_expected(self, page: object) -> bool:
        return isinstance(page, dict) and isinstance(page.get("survey_templates"), list)

    @override
    def parse_response(self, response: Any) -> Iterable[Json]:
        yield from reports.survey_template_records(response.page)

    @override
    def records(self, context: Context | None) -> Iterable[Json]:
        return [self.shaped(sent, "id") for sent in self.get(None)]


class EmailStats(NpsSummary):
    """Numbers of survey e-mails on each complete day; each day is a request."""

    name = "email_stats"
    path = reports.EMAIL_STATS_PATH
    declared_schema = schemas.EMAIL_STATS
    primary_keys: ClassVar[Sequence[str]] = ("date", "send")
    records_per_day = len(reports.SENDS)

    @property
    @override
    def url_base(self) -> str:
        return base_url(self.config)

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: date | None
    ) -> dict[str, Any]:
        return dict(reports.email_stats_params(next_page_token)) if next_page_token else {}

    @override
    def is_expected(self, page: object) -> bool:
        return isinstance(page, dict) and "email_stats" in page

    @override
    def records_of(self, day: date, reply: Json) -> Iterable[Json]:
        return reports.email_stats_records(day, reply)
