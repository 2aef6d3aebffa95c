"""The account's definitions of its custom properties."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context

from tap_wootric import schemas
from tap_wootric.client import Json
from tap_wootric.stream import WootricStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

DEFAULT_PER_PAGE = 25
"""Records on a page of any list when `per_page` is not honoured (documented)."""


class Segments(WootricStream):
    """Names and types of the custom properties, so that a warehouse can type them."""

    name = "segments"
    path = "/segments"
    schema = schemas.SEGMENTS
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
        page: list[Json] = [{}] * DEFAULT_PER_PAGE
        number = 0
        while len(page) >= DEFAULT_PER_PAGE:
            number += 1
            page = [sent for sent in self.get(number) if sent.get("name") not in seen]
            seen.update(sent.get("name") for sent in page)
            yield from (self.shaped(sent, "name") for sent in page)
