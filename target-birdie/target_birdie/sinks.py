"""Sinks of the SDK: one class per destination, and one for streams that are not mapped."""

from collections.abc import Callable
from typing import Any

from singer_sdk.sinks import RecordSink

from target_birdie.delivery.dry_run import DryRun
from target_birdie.delivery.files import FileWriter
from target_birdie.delivery.records import Destination
from target_birdie.delivery.run import DeliveryRun
from target_birdie.delivery.sender import Sender
from target_birdie.delivery.streams import check_columns
from target_birdie.mapping.values import InvalidRecordError


class _PlainSink(RecordSink):
    """Passes records on as the tap wrote them.

    The SDK's validation would end the run at the first null that a schema forgot, and its parsing
    of times at the first invalid one; the mapping checks what it uses, and rejects single records.
    """

    def __init__(self, target: Any, *args: Any, **options: Any) -> None:
        """Join the delivery run of the target, its attribute `run`."""
        super().__init__(target, *args, **options)
        self.run: DeliveryRun = target.run

    def get_validator(self) -> None:
        """Return no validator."""

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record unchanged."""
        return record

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Accept records without key: the mapping rejects those whose id it needs."""


class _MappedSink(_PlainSink):
    """Maps records and gives them to the destination, which all streams share."""

    destination_class: Callable[[DeliveryRun], Destination]

    def setup(self) -> None:
        """Prepare the mapping, and open the destination for the first stream."""
        super().setup()
        columns = tuple(self.schema["properties"])
        check_columns(self.stream_name, self.run.settings, columns)
        self._stream = self.run.stream(self.stream_name, columns)
        if type(self.run.destination) is Destination:
            self.run.destination = type(self).destination_class(self.run)
        self.run.stream_arrived(self.stream_name)

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Deliver a record."""
        self.run.receive(self._stream, record)

    def reject(self, content: str, detail: str) -> None:
        """Reject a record without storing it: a stream map may be there to hide its data.

        Args:
            content: What identifies the record.
            detail: What is wrong.
        """
        self.run.statistics.count("read", self.stream_name)
        error = InvalidRecordError("stream map", detail)
        self.run.submit(self.run.invalid(self._stream, {}, content.encode(), error))


class BirdieSink(_MappedSink):
    """Sends records to Birdie."""

    destination_class = Sender


class FileSink(_MappedSink):
    """Writes records to files."""

    destination_class = FileWriter


class DryRunSink(_MappedSink):
    """Shows and counts records."""

    destination_class = DryRun


class SkippedSink(_PlainSink):
    """Counts the records of a stream that is not mapped."""

    def setup(self) -> None:
        """Log once that the stream is skipped."""
        super().setup()
        if self.run.stream_names.skip(self.stream_name):
            self.logger.info(
                "Skipping stream '%s': not mapped to a Birdie record (setting 'streams').",
                self.stream_name,
            )

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Count a record."""
        self.run.statistics.count("skipped", self.stream_name)

    def reject(self, content: str, detail: str) -> None:  # noqa: ARG002
        """Count a record."""
        self.run.statistics.count("skipped", self.stream_name)
