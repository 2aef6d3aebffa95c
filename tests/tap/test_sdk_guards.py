"""Guards: what the tap leans on in the SDK is still as it was when the tap was written.

Where one fails after an update of the SDK, the place in the tap that it names has to be read again.
"""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable
from typing import Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import RecordMessage
from singer_sdk.streams import RESTStream
from singer_sdk.streams.rest import PageContext

from tap_wootric import auth, client, incremental, stream, tap, writer

from .helpers import Account

SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (Stream._increment_stream_state, "self latest_record context"),
    (Stream._write_state_message, "self"),
    (Stream._generate_record_messages, "self record"),
    (Stream.get_records, "self context"),
    (Stream.apply_catalog, "self catalog"),
    (Stream.compare_start_date, "self value start_date_value"),
    (Stream.get_batch_config, "self config"),
    (Stream.get_context_state, "self context"),
    (Stream.log, "self message args level kwargs"),
    (RESTStream._request, "self prepared_request context"),
    (RESTStream.build_prepared_request, "self args kwargs"),
    (RESTStream.get_http_request, "self page"),
    (RESTStream.get_url_params, "self context next_page_token"),
    (RESTStream.validate_response, "self response"),
    (RESTStream.parse_response, "self response"),
    (RESTStream.response_error_message, "self response"),
    (RESTStream.request_decorator, "self func"),
    (RESTStream.backoff_handler, "self details"),
    (PluginBase._handle_termination, "self signum frame"),
    (PluginBase._validate_config, "self raise_errors"),
    (Tap.sync_all, "self"),
    (Tap.load_state, "self state"),
    (Tap.cb_config, "ctx param value"),
    (OAuthAuthenticator.update_access_token, "self"),
    (OAuthAuthenticator.is_token_valid, "self"),
    (OAuthAuthenticator.authenticate_request, "self request"),
    (MsgSpecWriter.write_message, "self message"),
    (MsgSpecWriter.format_message, "self message"),
]

OVERRIDDEN = {
    Tap: tap.TapWootric,
    RESTStream: client.WootricClient,
    Stream: stream.WootricStream,
    OAuthAuthenticator: auth.WootricAuthenticator,
    MsgSpecWriter: writer.PageWriter,
}


@pytest.mark.parametrize(
    ("method", "parameters"), SIGNATURES, ids=[method.__qualname__ for method, _ in SIGNATURES]
)
def test_what_is_called_or_overridden_has_the_same_signature(
    method: Callable[..., Any], parameters: str
) -> None:
    """A renamed or added parameter would be missed without a word."""
    assert " ".join(inspect.signature(method).parameters) == parameters


def test_every_override_replaces_something() -> None:
    """A hook that the SDK has renamed would never be called any more."""
    for base, ours in OVERRIDDEN.items():
        for owner in (ours, incremental.IncrementalStream if base is Stream else ours):
            overrides = {
                name
                for name, member in vars(owner).items()
                if getattr(_function(member), "__override__", False)
            }
            missing = {name for name in overrides if not _is_inherited(owner, name)}
            assert missing == set(), owner
            assert overrides or owner is not ours


def _function(member: Any) -> Any:
    inner = getattr(member, "__func__", None) or getattr(member, "fget", None)
    return inner or getattr(member, "func", None) or member


def _is_inherited(owner: type, name: str) -> bool:
    return any(name in vars(base) for base in owner.__mro__[1:])


def source(method: object) -> str:
    """The text of a method of the SDK."""
    return inspect.getsource(method)  # type: ignore[arg-type]


def test_the_state_is_written_after_the_record_it_speaks_of() -> None:
    """`WootricStream._increment_stream_state` relies on being called for each record, in order."""
    sync_records = source(Stream._sync_records)

    assert sync_records.index("_write_record_message") < sync_records.index(
        "_increment_stream_state"
    )
    assert sync_records.index("_increment_stream_state") < sync_records.index(
        "_write_state_message"
    )


def test_a_state_is_written_when_it_is_not_flushed() -> None:
    """`IncrementalStream` says through `is_flushed` that it has something to write."""
    text = source(Stream._write_state_message)

    assert "is_flushed" in text
    assert "state_writer.write_state(self.tap_state)" in text


def test_a_record_is_selected_conformed_and_mapped_and_nothing_else() -> None:
    """`WootricStream._generate_record_messages` leaves the first two out for whole records."""
    text = source(Stream._generate_record_messages)

    steps = ("pop_deselected_record_properties", "conform_record_data_types", "stream_maps")
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    message = set(inspect.signature(RecordMessage).parameters)
    assert {"stream", "record", "version", "time_extracted"} <= message


def test_the_signals_are_those_that_the_tap_takes(account: Account) -> None:
    """`TapWootric._handle_termination` is what they call."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        made = tap.TapWootric(config=account.config)
        for number in handlers:
            assert signal.getsignal(number) == made._handle_termination
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_the_page_is_what_the_query_is_made_of() -> None:
    """`WootricClient.fetch` hands it over in a `PageContext`."""
    assert list(inspect.signature(PageContext).parameters)[:2] == [
        "stream_context",
        "next_page_token",
    ]
