"""The streams that Wootric has."""

from __future__ import annotations

from tap_wootric import schemas
from tap_wootric.incremental import IncrementalStream


class Responses(IncrementalStream):
    """Answers to surveys: scores, comments, tags, and who gave them."""

    name = "responses"
    path = "/responses"
    schema = schemas.RESPONSES


class Declines(IncrementalStream):
    """Surveys that were seen and not answered."""

    name = "declines"
    path = "/declines"
    schema = schemas.DECLINES


class EndUsers(IncrementalStream):
    """The people who are asked."""

    name = "end_users"
    path = "/end_users"
    schema = schemas.END_USERS
    walk_key = "updated_at"
