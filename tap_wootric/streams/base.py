"""What all streams share: normalized records, bookmarks, STATE messages, and failure isolation."""

import abc
import logging
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from typing import Any, ClassVar, TypeVar

from singer_sdk import Stream, Tap
from singer_sdk.exceptions import SyncLifecycleSignal
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context, Record
from singer_sdk.schema.source import SchemaDirectory
from singer_sdk.singerlib import Catalog, Metadata, RecordMessage, Schema, StreamMetadata
from typing_extensions import override

from tap_wootric.api.client import WootricClient
from tap_wootric.errors import StreamError, StreamMapExpressionError, TapError
from tap_wootric.personal_data import PersonalData
from tap_wootric.shutdown import Interrupted, Shutdown
from tap_wootric.streams.normalizer import Normalizer
from tap_wootric.streams.progress import Progress
from tap_wootric.timestamps import from_unix

Json = dict[str, Any]
ItemT = TypeVar("ItemT")
GetClient = Callable[[], WootricClient]

BOOKMARK = "replication_key_value"

SCHEMAS = SchemaDirectory(files("tap_wootric.streams") / "schemas")


class WootricStream(Stream, abc.ABC):
    """A stream of records that fit the declared schema.

    Subclasses set `name`, `path` and the keys, and implement `records`.
    """

    path: ClassVar[str]
    keys: ClassVar[Sequence[str]] = ("id",)
    """The key properties. State and order depend on them, so a catalog cannot change them."""

    cursor: ClassVar[str | None] = None
    """The replication key; None for a full table."""

    is_sorted = True
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY  # Normalizer converts nested values
    STATE_MSG_FREQUENCY = 1_000

    progress: Progress

    def __init__(self, tap: Tap, shutdown: Shutdown, get_client: GetClient) -> None:
        """Create the stream.

        Args:
            tap: The tap that the SDK asks for.
            shutdown: Termination requests of the run.
            get_client: Returns the client that all streams share.
        """
        self._shutdown = shutdown
        self._get_client = get_client
        self.declared_schema: Json = SCHEMAS.get_schema(self.name)
        """Schema of the records before the setting `personal_data` applies."""

        self._personal_data = PersonalData(tap.config)
        self._normalizer = Normalizer(self.declared_schema)
        self.failures: list[str] = []
        """Why the run fails at its end, a line each; all else of the stream is delivered."""

        self._newest: str | None = None
        super().__init__(tap, schema=self._personal_data.schema(self.declared_schema))
        self.primary_keys = self.keys
        self.replication_key = self.cursor

    @property
    def client(self) -> WootricClient:
        """Access to the API."""
        return self._get_client()

    # Requests and records

    @abc.abstractmethod
    def records(self, context: Context | None) -> Iterable[Json]:
        """Yield what the sync emits, in order."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Json]:
        """Yield the records. A signal or an error ends them with an exact STATE."""
        self.progress = Progress(self.name, self.client, self.logger)
        try:
            with self.progress:
                protect = self._personal_data.transform(self.declared_schema, self.effective_schema)
                for record in self.records(context):
                    self.progress.records += 1
                    yield protect(record) if protect else record
                    self._shutdown.check()
        except Interrupted:
            self._write_state_message()
            self._shutdown.exit()
        except StreamError as error:
            if self.ABORT_AT_RECORD_COUNT is not None:  # --test reports no failures at its end
                raise
            self.failures.append(str(error))
            self.logger.warning("Stopping stream '%s' early; the run goes to the next", self.name)
        except TapError:
            self._write_state_message()
            raise
        finally:
            self._report_unreadable_values()
            bookmark = str(self.get_context_state(None).get(BOOKMARK) or "")
            self.logger.info("%s", self.progress.summary(max(self._newest or "", bookmark)))

    def interruptible(self, items: Iterable[ItemT]) -> Iterator[ItemT]:
        """Let a signal interrupt the wait for each item, but not what the tap does with it."""
        iterator = iter(items)
        while True:
            with self._shutdown.interruptible():
                item = next(iterator, None)
            if item is None:
                return
            yield item

    def normalize(self, sent: Mapping[str, Any]) -> Json:
        """Convert an object of the API to a record."""
        return self._normalizer.normalize(sent)

    def reject(self, record_id: object, reason: str) -> None:
        """Report a record that cannot be delivered; the run continues and fails at its end."""
        where = f"Record {record_id} of '{self.name}'"
        line = f"{where} was not delivered: {reason}. Correct the record in Wootric."
        self.logger.warning("%s", line)
        self.failures.append(line)

    def _report_unreadable_values(self) -> None:
        text = "'%s': %d values of '%s' do not fit its type; 'additional_fields' contains them"
        for field, count in self._normalizer.unreadable.items():
            self.logger.warning(text, self.name, count, field)

    # What differs from the SDK

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method from the catalog, but no other keys."""
        super().apply_catalog(catalog)
        self.primary_keys, self.replication_key = list(self.keys), self.cursor
        if entry := catalog.get_stream(self.name):
            # The SDK reads missing metadata as selected, and then drops every field.
            entry.metadata.setdefault((), StreamMetadata(selected=True))
            self._input_schema = schema = self._personal_data.schema(entry.schema.to_dict())
            entry.key_properties = list(self.keys)
            for key in filter(None, (*self.keys, self.cursor)):
                schema.setdefault("properties", {}).setdefault(key, self.schema["properties"][key])
                entry.metadata["properties", key] = Metadata(Metadata.InclusionType.AUTOMATIC)
            entry.schema = Schema.from_dict(schema)

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """Return the bookmark: the synced intervals decide what `start_date` still requires."""
        return value

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> tuple[()]:
        """Return none: there, the SDK would evaluate filters without handling of errors."""
        return ()

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        messages = super()._generate_record_messages if self._is_filtered else self._all_fields
        try:
            for message in messages(record):
                if fields := self._flattened.get(message.stream):
                    message.record = {k: v for k, v in message.record.items() if k in fields}
                yield message
        except Exception as error:
            if not self.config.get("stream_maps"):
                raise
            # The SDK's own message and stack trace can contain values of the record.
            raise StreamMapExpressionError(
                stream=self.name, record_id=record.get(self.keys[0]), cause=type(error).__name__
            ) from None

    @cached_property
    def _is_filtered(self) -> bool:
        missing = self.schema["properties"].keys() - self.effective_schema["properties"]
        return bool(missing) or not all(self.mask[breadcrumb] for breadcrumb in self.metadata)

    def _all_fields(self, record: Record) -> Iterator[RecordMessage]:
        """Skip the SDK's selection and conformance, which cost as much as all other work."""
        now = datetime.now(UTC)
        for stream_map in self.stream_maps:
            if (mapped := stream_map.transform(record)) is not None:
                yield RecordMessage(stream_map.stream_alias, mapped, self._stream_version, now)

    @cached_property
    def _flattened(self) -> dict[str, Json]:
        """Fields of each flattened stream; beside them, the SDK keeps an object that is null."""
        maps = (m for m in self.stream_maps if m.flattening_enabled)
        return {m.stream_alias: m.transformed_schema["properties"] for m in maps}

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Any = None) -> None:
        """Remember the newest replication value; `_write_state_message` moves the bookmark.

        The SDK would move it with each record: a changed record would move it back, and a record
        dated in the future would block the stream.
        """
        if self.cursor:
            value = latest_record[self.cursor]
            self.state_manager.is_flushed = False
            is_past = value <= from_unix(self.client.server_now + 1)
            if is_past and (self._newest is None or value > self._newest):
                self._newest = value

    @override
    def _write_state_message(self) -> None:
        bookmark = self.get_context_state(None).get(BOOKMARK)
        if self._newest is not None and (bookmark is None or self._newest >= bookmark):
            super()._increment_stream_state({str(self.cursor): self._newest})
        super()._write_state_message()

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Drop the SDK's line about an unhandled error: the tap reports each error once."""
        if not isinstance(sys.exc_info()[1], TapError | SyncLifecycleSignal):
            super().log(message, *args, level=level, **kwargs)
