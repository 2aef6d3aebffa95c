"""Sinks of the SDK: one for streams that are mapped, one for those that are left alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import RecordSink
from singer_sdk.sinks.core import BaseJSONSchemaValidator

from target_birdie.errors import MissingKeyError
from target_birdie.mapping.columns import check_columns
from target_birdie.mapping.mapper import StreamMapper

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from target_birdie.target import TargetBirdie


class _PlainSink(RecordSink):
    """Takes records as the tap wrote them.

    The SDK's validation would end the run at the first null a schema forgot, and its parsing of
    times at the first odd one; the mapping checks what it uses, and rejects single records.
    """

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record


class BirdieSink(_PlainSink):
    """Hands the records of a mapped stream to the delivery."""

    def __init__(
        self,
        target: TargetBirdie,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Prepare the mapping of the stream."""
        super().__init__(target, stream_name, schema, key_properties)
        entry = target.settings.streams[stream_name]
        rules, columns = target.settings.rules, schema["properties"]
        is_configured = target.settings.streams_are_configured
        check_columns(stream_name, entry, rules, columns, is_configured=is_configured)
        self._delivery = target.delivery
        self._mapping = StreamMapper(entry, rules, columns)

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A record without its key is rejected by the mapping; the rest goes on."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._delivery.deliver(self.stream_name, self._mapping, record)


class LeftAloneSink(_PlainSink):
    """Counts the records of a stream that no setting maps, and sends none."""

    def __init__(
        self,
        target: TargetBirdie,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Tell once that the stream is left alone."""
        super().__init__(target, stream_name, schema, key_properties)
        self._report = target.delivery.report
        target.tell_left_alone(stream_name)

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        if missing := [name for name in self.key_properties if name not in record]:
            raise MissingKeyError(
                f"{self.stream_name}: a record lacks its key {', '.join(missing)}: check the tap"
            )

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._report.count("left alone")
