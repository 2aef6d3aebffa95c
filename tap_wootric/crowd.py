"""A second too crowded for the page numbers from its beginning: it is read from both ends.

Pure: no HTTP, no clock. `docs/design.md` tells why.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Generic

from tap_wootric.pages import MAX_PAGE, PageRequest, PageSize, RecordT
from tap_wootric.stretch import Stretch


class Crowd(Generic[RecordT]):
    """Reads the rest of a second until what comes from its end meets what came from its beginning.

    The page after the second is read first: from its seconds, too, page numbers can be counted
    downwards.
    """

    def __init__(
        self,
        page_size: PageSize,
        second: int,
        until: int | None,
        head: Stretch[RecordT],
        newest: Sequence[RecordT] = (),
    ) -> None:
        """Take over where the head is nearly or wholly spent.

        Args:
            page_size: Shared by all of a run.
            second: The crowded UNIX second.
            until: UNIX second at which the walk ends (exclusive), or None for no end.
            head: What was read before the second and from its beginning.
            newest: The last records of the list, ascending, where a page has shown them.
        """
        self.second = second
        self.is_complete = False
        """Whether the two ends have met, so that none lies between."""

        self.after: Stretch[RecordT] = Stretch(page_size, second + 1, until)
        self.beyond: list[RecordT] = []
        """The records of the page after the second."""

        self.is_last = until is not None and until <= second + 1
        """Whether none come after those."""

        self._page_size = page_size
        self._head = head
        self._tail: Stretch[RecordT] | None = None
        self._met: dict[str, list[int]] = {"asc": [], "desc": []}
        self._count = 0
        head.shorten(second + 1)
        if newest and newest[0].second <= second:
            self._take_beyond([record for record in newest if record.second > second])
        elif self.is_last:
            self._begin_tail()

    def next_page(self) -> PageRequest | None:
        """From the end first, as long as that can be of use.

        None when both ends are spent, or when the second changes faster than it is read.
        """
        if self._tail is None:
            return self.after.next_page()
        if self._count > 2 * MAX_PAGE * self._page_size.full:
            return None
        ends = (self._tail, self._head) if self._is_one_order() else (self._head, self._tail)
        return ends[0].next_page() or ends[1].next_page()

    def feed(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT]:
        """Returns what is new of the second, in any order."""
        if self._tail is None:
            self.beyond = self.after.extend(page, records) or []
            self.is_last = bool(self._page_size.is_last(page.size, len(records)))
            self._begin_tail()
            return []
        is_tail = page.order == "desc"
        end, other = (self._tail, self._head) if is_tail else (self._head, self._tail)
        fresh = end.extend(page, records)
        if fresh is None:
            return []
        self._count += len(fresh)
        known = other.positions
        met = self._met[page.order]
        met += [known[record.version] for record in fresh if record.version in known]
        is_short = len(records) < min(page.size, self._page_size.full)
        is_spent = is_short or self.next_page() is None
        is_neighbour = any(a == b + 1 for a, b in pairwise(met))
        has_met = is_neighbour or (is_spent and met == [other.length - 1])
        is_sure = self._is_one_order() and not self._tail.unsure
        self.is_complete = (is_sure and (has_met or is_short)) or (is_short and not is_tail)
        # What was added beyond the second meanwhile came behind the walk.
        return [r for r in fresh if r.version not in known and r.second == self.second]

    def _take_beyond(self, records: list[RecordT]) -> None:
        page = self.after.next_page()
        self.beyond = (page and self.after.extend(page, records)) or []
        self.is_last = True
        self._begin_tail()

    def _begin_tail(self) -> None:
        self._tail = Stretch(self._page_size, self.second, self.second + 1, "desc", self.beyond)

    def _is_one_order(self) -> bool:
        """Whether both ends can belong to one order, so that none lies between where they meet.

        Records with equal times have no documented order: were theirs the same in both
        directions, the head would be met from its beginning.
        """
        is_steady = not any(end and end.is_shuffled for end in (self._head, self._tail))
        return is_steady and all(a > b for met in self._met.values() for a, b in pairwise(met))
