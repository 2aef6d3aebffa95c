"""Name path and replication key of each list that is synced incrementally, for the tap."""

from tap_wootric.streams.incremental import IncrementalStream


class Responses(IncrementalStream):
    """Answers to surveys: scores, comments, tags, and who gave them."""

    name = "responses"
    path = "/v1/responses"


class Declines(IncrementalStream):
    """Surveys that were shown and not answered."""

    name = "declines"
    path = "/v1/declines"


class EndUsers(IncrementalStream):
    """The people who are surveyed. The API can sort them by `updated_at` (documented)."""

    name = "end_users"
    path = "/v1/end_users"
    cursor = "updated_at"
