"""The account's definitions of its custom properties."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context

from tap_wootric import schemas
from tap_wootric.client import Json
from tap_wootric.errors import ServerError
from tap_wootric.pages import MAX_PAGE
from tap_wootric.stream import WootricStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Segments(WootricStream):
    """Names and types of the custom properties, so that a warehouse can type them."""

    name = "segments"
    path = "/segments"
    declared_schema = schemas.SEGMENTS
    primary_keys: ClassVar[Sequence[str]] = ("name",)
    replication_key = None

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: int | None
    ) -> dict[str, Any]:
        return {"page": next_page_token, "per_page": self.config["page_size"]}

    @override
    def records(self, context: Context | None) -> Iterable[Json]:
        """Read pages until one brings nothing new: that this list has pages is not documented."""
        seen: set[object] = set()
        for number in range(1, MAX_PAGE + 1):
            page = [self.shaped(sent, "name") for sent in self.get(number)]
            fresh = [record for record in page if record["name"] not in seen]
            seen.update(record["name"] for record in fresh)
            yield from fresh
            if not fresh:
                return
        message = f"'{self.name}' has more pages than the {MAX_PAGE} that the API shows."
        raise ServerError(message)
