"""What all streams share once the API has answered: records, bookmark, STATE."""

from __future__ import annotations

import abc
import json
import logging
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from singer_sdk.exceptions import SyncLifecycleSignal
from singer_sdk.helpers.types import Context, Record
from singer_sdk.singerlib import Catalog, RecordMessage, Schema

from tap_wootric.client import Json, WootricClient
from tap_wootric.errors import SettingsError, TapError
from tap_wootric.personal_data import PersonalData
from tap_wootric.progress import Progress, ProgressLog
from tap_wootric.records import RecordError, Shaper
from tap_wootric.stop import InterruptedWait
from tap_wootric.sync import BOOKMARK

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

KEY_TYPES = (int, str)


class WootricStream(WootricClient, abc.ABC):
    """A stream of records in the form that its schema declares."""

    declared_schema: ClassVar[Json]
    """Schema of the records as the API returns them, before `personal_data` applies."""

    progress: Progress

    newest: str | None = None
    """Highest replication value that was emitted, save those that lie in the future."""

    bookmark_limit = "~"
    """Replication values from here on lie in the future."""

    @cached_property
    @override
    def schema(self) -> Json:
        return self._personal_data.schema(self.declared_schema)

    @cached_property
    def _personal_data(self) -> PersonalData:
        return PersonalData.from_config(self.config)

    @cached_property
    def _without_personal_data(self) -> Callable[[Json], Json] | None:
        return self._personal_data.transform(self.declared_schema, self.effective_schema)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method; keys are what state and order rest on.

        Raises:
            SettingsError: The catalog has other keys, or a method that there is not.
        """
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        if entry is None:
            return
        methods = ["FULL_TABLE", "INCREMENTAL"] if replication_key else ["FULL_TABLE"]
        for what, given, allowed in (
            ("stream", entry.stream, [self.name]),
            ("key_properties", self.primary_keys, [list(keys)]),
            ("replication_key", self.replication_key, [replication_key]),
            ("replication_method", self.forced_replication_method, methods),
        ):
            if given and given not in allowed:
                raise self._catalog_error(what, " or ".join(map(json.dumps, allowed)))
        needed = dict.fromkeys([*keys, replication_key or keys[0]])
        if not needed.keys() <= (entry.schema.to_dict().get("properties") or {}).keys():
            raise self._catalog_error("schema", f"an object with {json.dumps([*needed])[1:-1]}")
        self._input_schema = self._personal_data.schema(entry.schema.to_dict())
        entry.schema = Schema.from_dict(self._input_schema)
        entry.key_properties = self.primary_keys = list(keys)
        self.replication_key = replication_key

    def _catalog_error(self, what: str, right: str) -> SettingsError:
        return SettingsError(f"--catalog: '{what}' of the stream '{self.name}' must be {right}")

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """The SDK would read both as times; what is to be read the state's coverage tells."""
        return value

    @override
    def get_records(self, context: Context | None) -> Iterable[Json]:
        """The stream's records; a termination signal or an error ends them with an exact STATE."""
        self.progress = Progress(self.name, self._tap.adapter)
        try:
            with ProgressLog(self.logger, self.progress):
                protect = self._without_personal_data
                for record in self.records(context):
                    self.progress.records += 1
                    yield protect(record) if protect else record
                    self._tap.stop.check()
        except InterruptedWait:
            self._write_state_message()
            self._tap.stop.obey()
        except TapError:
            self._write_state_message()
            raise
        finally:
            self._tap.message_writer.flush()
            known = [text for text in (self.newest, self._bookmark) if isinstance(text, str)]
            summary = self.progress.summary(max(known, default=None))
            self.logger.info("%s", summary, extra={"progress": self.progress.fields()})

    @property
    def _bookmark(self) -> str | None:
        value: str | None = self.get_context_state(None).get(BOOKMARK)
        return value

    @abc.abstractmethod
    def records(self, context: Context | None) -> Iterable[Json]:
        """What a sync has to emit, in order."""

    @cached_property
    def _shaper(self) -> Shaper:
        return Shaper(self.declared_schema)

    def shaped(self, sent: Json, *needed: str) -> Json:
        """Bring what the API sent into the declared form.

        Raises:
            TapError: A field can't be read, or one of `needed` is missing.
        """
        try:
            record = self._shaper.shape(sent)
            for field in needed:
                if not isinstance(record[field], KEY_TYPES):
                    raise RecordError(f"{field}: missing, or neither a number nor a text")
        except RecordError as error:
            key = sent.get(self.primary_keys[0])
            named = f"Record {key}" if isinstance(key, KEY_TYPES) else "A record"
            message = (
                f"{named} of '{self.name}' can't be read: {error}. It has to be mended at "
                "Wootric, or left out with 'start_date' and 'end_date'."
            )
            raise TapError(message) from None
        return record

    @cached_property
    def _is_whole(self) -> bool:
        """Whether the catalog selects every field, with the schema that the tap declares."""
        declared, wanted = self.schema["properties"], self.effective_schema["properties"]
        return declared.keys() <= wanted.keys() and all(
            self.mask[breadcrumb] for breadcrumb in self.metadata
        )

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Spare a record of which nothing is left out the search for what to leave out.

        `Shaper` has brought it into the declared form already; the SDK's selection and conformance
        look at every key of every record again, at twice the cost of all the rest.
        """
        try:
            messages = self._whole(record) if self._is_whole else None
            for message in messages or super()._generate_record_messages(record):
                if (fields := self._flattened.get(message.stream)) is not None:
                    message.record = {
                        name: value
                        for name, value in message.record.items()
                        if value is not None or name in fields
                    }
                yield message
        except self._map_faults as error:
            raise self._map_error(record, error) from None

    def _whole(self, record: Record) -> Iterator[RecordMessage]:
        extracted = datetime.now(UTC)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=extracted,
                )

    @cached_property
    def _flattened(self) -> dict[str, dict[str, Any]]:
        """The fields of flattened streams; the SDK leaves an object that is null beside them."""
        return {
            stream_map.stream_alias: stream_map.transformed_schema["properties"]
            for stream_map in self.stream_maps
            if stream_map.flattening_enabled
        }

    @cached_property
    def _map_faults(self) -> tuple[type[Exception], ...]:
        """What is put down to a stream map: anything, and nothing where there is none."""
        return (Exception,) if self.config.get("stream_maps") else ()

    def _map_error(self, record: Record, error: Exception) -> SettingsError:
        """Name the record alone: the SDK's own message and stack trace can hold its values."""
        message = (
            f"setting 'stream_maps' is wrong: a map of '{self.name}' fails for record "
            f"{record.get(self.primary_keys[0])} ({type(error).__name__}). Where a field can be "
            "null, write 'sha256(field) if field else None'."
        )
        return SettingsError(message)

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Note the replication value; the bookmark follows when a STATE is written.

        The SDK lets the bookmark of a sorted stream follow each record. Changed records would take
        it back, and one that is dated in the future would block the stream.
        """
        if self.replication_key:
            value = latest_record[self.replication_key]
            if value < self.bookmark_limit and (self.newest is None or value > self.newest):
                self.newest = value

    @override
    def _write_state_message(self) -> None:
        bookmark = self._bookmark
        newest, key = self.newest, self.replication_key
        if key and newest is not None and (bookmark is None or newest >= bookmark):
            super()._increment_stream_state({key: newest})
        super()._write_state_message()

    def shortfalls(self) -> Iterable[str]:
        """What the API did not show, a sentence each; asked for when the sync has ended."""
        return ()

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Leave out the SDK's line on an unhandled error where it is told already, or none."""
        if isinstance(sys.exc_info()[1], TapError | SyncLifecycleSignal):
            return
        super().log(message, *args, level=level, **kwargs)
