"""Sinks of the SDK, one class per destination: they pass records to the delivery run."""

from collections.abc import Callable
from typing import Any

from singer_sdk.sinks import RecordSink

from target_birdie.delivery.dry_run import DryRun
from target_birdie.delivery.files import FileWriter
from target_birdie.delivery.records import Destination
from target_birdie.delivery.run import DeliveryRun
from target_birdie.delivery.sender import Sender
from target_birdie.delivery.streams import check_columns


class BirdieSink(RecordSink):
    """Sends records to Birdie as the tap wrote them; counts those of a stream that is not mapped.

    The SDK's validation would end the run at the first null that a schema forgot, and its parsing
    of times at the first invalid one; the mapping checks what it uses, and rejects single records.
    """

    validate_schema = False
    destination_class: Callable[[DeliveryRun], Destination] = Sender

    def __init__(self, target: Any, *args: Any, **options: Any) -> None:
        """Prepare the mapping, and open the destination for the first mapped stream."""
        super().__init__(target, *args, **options)
        self._run: DeliveryRun = target.run
        self._stream = None
        name, settings, columns = self.stream_name, self._run.settings, self.schema["properties"]
        if name in settings.streams:
            check_columns(name, settings, columns)
            self._stream = self._run.stream(name, tuple(columns))
            if type(self._run.destination) is Destination:
                self._run.destination = type(self).destination_class(self._run)
            self._run.checks.arrived.add(name)
        elif name not in self._run.checks.skipped:
            self._run.checks.skipped.add(name)
            line = "Skipping stream '%s': not mapped to a Birdie record (setting 'streams')."
            self.logger.info(line, name)

    def _parse_timestamps_in_record(self, *_: Any, **__: Any) -> None:
        """Keep times as text."""

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Accept records without key: the mapping rejects those whose id it needs."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Deliver a record, or reject it without storing it.

        Args:
            record: The record.
            context: Under `error`, why the record is rejected.
        """
        if self._stream is None:
            self._run.statistics.count("skipped", self.stream_name)
        else:
            self._run.receive(self._stream, record, context.get("error"))


class FileSink(BirdieSink):
    """Writes records to files."""

    destination_class = FileWriter


class DryRunSink(BirdieSink):
    """Shows and counts records."""

    destination_class = DryRun
