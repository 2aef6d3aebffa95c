"""The target: settings, messages and signals on the SDK's side."""

import os
import signal
import sys
import threading
import time
import traceback
from functools import cached_property
from typing import Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.json import serialize_json

from target_birdie import errors
from target_birdie.check import check_account, print_rejects
from target_birdie.config import settings, validation
from target_birdie.config.schema import CONFIG_SCHEMA
from target_birdie.delivery.checkpoints import State
from target_birdie.delivery.run import DeliveryRun
from target_birdie.mapping.values import InvalidRecordError
from target_birdie.reader import MessageReader, discard_input
from target_birdie.sinks import BirdieSink, DryRunSink, FileSink

GRACE_SECONDS = 25.0
"""How long an ending run waits for the replies to its requests."""
_REJECTS = click.Choice(["reasons", "records", "forget"])
_HELP = "Print rejected records as JSON lines, and read no input; 'forget' deletes them."
_REPEATED_SIGNAL_SECONDS = 5.0


class TargetBirdie(Target):
    """Singer target for Birdie: customer feedback delivered complete, paced and accounted for."""

    name = "target-birdie"
    config_jsonschema = CONFIG_SCHEMA
    message_reader_class = MessageReader
    message_reader: MessageReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    _MAX_RECORD_AGE_IN_MINUTES = float("inf")  # the SDK's periodic drain has nothing to do here

    def __init__(self, **kwargs: Any) -> None:
        self._signal, self._signal_at = 0, 0.0
        self._has_ended = self._is_busy = False
        super().__init__(**kwargs)
        self.settings = settings.read(self.config)
        self._stream_maps: dict[str, Any] = self.config.get("stream_maps", {})
        self._unused_maps = set(self._stream_maps)

    # Settings

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add no setting: the SDK's others than stream maps would do nothing here."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """Return the settings in variables as text: the SDK reads any unknown word as false."""
        texts = {name: {"type": "string"} for name in CONFIG_SCHEMA["properties"]}
        try:
            found = parse_environment_config({"properties": texts}, errors.VARIABLE_PREFIX)
        except (OSError, ValueError):
            raise errors.ConfigFileError(file=".env", problem="cannot be read as UTF-8") from None
        return {name: value.strip() for name, value in found.items() if value.strip()}

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:  # noqa: ARG002
        """Check the settings; the SDK's own messages would contain their values."""
        validation.check_environment()
        self._config = validation.checked(self._config)
        return []

    # Messages

    @cached_property
    def run(self) -> DeliveryRun:
        """The delivery run, which starts with the first message."""
        return DeliveryRun(self.settings, self._write_state_message, self._wake_reader)

    def get_sink_class(self, stream_name: str) -> type[BirdieSink]:  # noqa: ARG002
        """Return the sink class of the destination."""
        if self.settings.dry_run:
            return DryRunSink
        return BirdieSink if self.settings.destination == "birdie" else FileSink

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Check the stream's maps before its first record."""
        stream, fields = message_dict["stream"], message_dict["schema"]["properties"]
        self._unused_maps -= validation.check_stream_maps(self._stream_maps, stream, fields)
        super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Process a record; reject one that is nested too deeply, or whose stream map fails."""
        try:
            message_dict["record"].keys()  # the SDK would ignore null
            super()._process_record_message(message_dict)
        except Exception as error:
            is_line = isinstance(message_dict.get("record"), bytes)
            if isinstance(error, click.ClickException) or not (is_line or self._stream_maps):
                raise
            cause = f"it cannot be processed ({type(error).__name__}) and is not stored"
            detail = f"{cause}; correct the cause, then run a full refresh"
            rejected = InvalidRecordError("nesting" if is_line else "stream map", detail)
            sink = self.get_sink(self.mapper.stream_maps[message_dict["stream"]][0].stream_alias)
            sink.process_record(message_dict["record"], {"error": rejected})

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if message_dict["value"]:
            self.run.checkpoint(message_dict["value"])

    def _write_state_message(self, state: State) -> None:
        if sys.stdout is None:
            raise OSError(0, "the output is closed")
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Ignore the message: Birdie keeps records by their id."""

    def _process_batch_message(self, _: dict[str, Any]) -> None:
        raise errors.InputError(line=self.message_reader.line, cause="BATCH is not supported")

    # Command line

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Add `--rejects` and `--check` to the SDK's options."""
        command = super().get_singer_command()
        options: dict[str, Any] = {"is_flag": False, "flag_value": "reasons", "help": _HELP}
        command.params.append(click.Option(["--rejects"], type=_REJECTS, **options))
        text = "Check address, path and key with two requests, and exit."
        command.params.append(click.Option(["--check"], is_flag=True, help=text))
        return command

    @classmethod
    def cb_config(cls, _: Any, __: Any, value: tuple[str, ...]) -> _ConfigInput:
        """Read the files; the SDK would show a stack trace for one that is invalid."""
        files = [validation.load_file(path) for path in value if path != "ENV"]
        return _ConfigInput({name: file[name] for file in files for name in file}, "ENV" in value)

    @classmethod
    def invoke(cls, *, rejects: str | None = None, check: bool = False, **options: Any) -> None:
        """Run the target, print the rejected records, or check the connection."""
        super(Target, cls).invoke(**options)  # --about
        if not (check or rejects or options["file_input"]):
            options["file_input"] = MessageReader().default_input  # fails at a terminal
        cls.print_version(print_fn=cls.logger.info)
        given, target, code = options["config"], None, 0
        try:
            target = cls(config=given.config, parse_env_config=given.parse_env)
            if check:
                check_account(target.settings)
            elif rejects:
                print_rejects(target.settings, rejects)
            else:
                target.listen(options["file_input"])
                code = 128 + target._signal if target._signal else 0
        except Exception as failure:  # noqa: BLE001  (its text may quote the record)
            cls.logger.debug("".join(traceback.format_tb(failure.__traceback__)))
            error = errors.explained(failure, target.message_reader.line if target else 0)
            error.show()
            code = error.exit_code
        if code:
            discard_input()
        if target and target._is_busy:
            os._exit(code)  # the interpreter would wait for the executor's requests
        sys.exit(code)

    # The end

    def process_endofpipe(self) -> None:
        """Finish everything that was read, write the last state, and log the summary."""
        super().process_endofpipe()
        run, error, rejected = vars(self).get("run"), self.message_reader.error, 0
        if run:
            try:
                rejected = self._finish(run)
            except Exception as failure:  # noqa: BLE001
                error = error or failure
            how = "Stopped" if self._signal else "Failed" if error else "Done"
            run.statistics.show_end(how)
            if rejected and self.settings.on_reject == "keep":
                read = run.statistics.total("read")
                error = errors.RejectedRecordsError(count=rejected, read=read)
        elif not (error or self._signal):
            self.logger.warning("The input contained no message. Check the tap.")
        self._has_ended = True
        if error:
            raise error

    def _finish(self, run: DeliveryRun) -> int:
        """Deliver what was read, and write the last safe state.

        Returns:
            The number of rejected records; 0 if the input was not read to its end.
        """
        try:
            if self.message_reader.error and self.settings.sends:
                run.destination.drain()
            if self.message_reader.error or self._signal:
                return 0
            for name in sorted(self._unused_maps):
                hint = errors.did_you_mean(name, self.mapper.stream_maps)
                self.logger.warning("Stream map '%s' applies to no stream.%s", name, hint)
            return run.finish()
        finally:
            self._is_busy = True  # also if closing fails
            self._is_busy = not run.close(GRACE_SECONDS)
            if run.failure:  # the thread that commits may fail after the last check
                raise run.failure

    def _handle_termination(self, signum: int, _: object) -> None:
        """End the input; `process_endofpipe` does the rest.

        Meltano sends SIGTERM after the SIGINT of a Ctrl-C: a signal that follows at once does not
        end the grace period, a later one does.
        """
        run, now = vars(self).get("run"), time.monotonic()
        if self._has_ended:
            return
        if self._signal and now - self._signal_at > _REPEATED_SIGNAL_SECONDS:
            os._exit(128 + self._signal)
        if not (self._signal or (run and run.failure)):
            self._signal, self._signal_at = signum, now
            if run:
                run.stop()
        self.message_reader.stop()

    def _wake_reader(self) -> None:
        """Interrupt the main thread's blocking read, if its signals are ours."""
        is_ours = signal.getsignal(signal.SIGTERM) == self._handle_termination
        if is_ours and not self._signal and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
