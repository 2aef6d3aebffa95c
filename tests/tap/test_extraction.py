"""Extraction: everything the account holds is delivered once, whatever happens meanwhile."""

from __future__ import annotations

from .helpers import Account, assert_complete


def test_a_first_sync_delivers_everything_once(account: Account, stream: str) -> None:
    """Every record, each once, with the source's values."""
    output = account.sync(stream)

    assert output.code == 0
    assert len(output.ids(stream)) == len(set(output.ids(stream)))
    assert_complete(account, output.records(stream), stream)
