"""Read the short lists that describe an account, in full with each sync, for two streams."""

from collections.abc import Iterator

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_wootric.pagination.pages import MAX_PAGE
from tap_wootric.streams.base import Json, WootricStream


class Segments(WootricStream):
    """Names and types of the custom properties, so that a warehouse can type them."""

    name = "segments"
    path = "/v1/segments"
    keys = ("name",)

    @override
    def records(self, context: Context | None) -> Iterator[Json]:
        """Read pages until one brings nothing new: it is not documented that there are pages."""
        seen: set[str] = set()
        for number in range(1, MAX_PAGE + 1):
            params = {"page": number, "per_page": self.config["page_size"]}
            before = len(seen)
            for sent in self.client.get(self.path, params, expected=list):
                name = sent.get("name") if isinstance(sent, dict) else None
                if not isinstance(name, str):
                    self.reject(f"{number}", "'name' is not a text")
                elif name not in seen:
                    seen.add(name)
                    yield self.normalize(sent)
            if len(seen) == before:
                return
        self.failures.append(f"'{self.name}' has more than the {MAX_PAGE} pages the API shows.")


class SurveyTemplates(WootricStream):
    """The survey templates of the account; `is_default` marks the default one."""

    name = "survey_templates"
    path = "/v1/survey_templates"
    selected_by_default = False

    @override
    def records(self, context: Context | None) -> Iterator[Json]:
        reply = self.client.get(self.path, expected=dict)
        default = reply.get("default_survey_template_id")
        found = reply.get("survey_templates") or []
        for number, template in enumerate(found if isinstance(found, list) else [found], start=1):
            record = self.normalize(template if isinstance(template, dict) else {})
            if record["id"] is None:
                self.reject(f"number {number}", "'id' is not an integer")
            else:
                yield {**record, "is_default": record["id"] == default}
