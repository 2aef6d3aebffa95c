"""The target: settings, messages and signals on the SDK's side."""

import errno
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar, NoReturn

import click
from singer_sdk import Sink, Target
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
from target_birdie.reader import MessageReader, discard_input
from target_birdie.sinks import BirdieSink, DryRunSink, FileSink, SkippedSink

GRACE_SECONDS = 25.0
"""How long an ending run waits for the replies to its requests."""
_REJECTS = click.Choice(["reasons", "records", "forget"])
_HELP = "Print rejected records as JSON lines, and read no input; 'forget' deletes them."
_REPEATED_SIGNAL_SECONDS = 5.0
_LAST_WRITE_SECONDS = 1.0


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
        self._signal = 0
        self._signal_at = 0.0
        self._must_hurry = False
        self._has_ended = False
        self._is_idle = True
        self._streams_arrived: set[str] = set()
        super().__init__(**kwargs)
        self.settings = settings.read(self.config)
        self.message_reader.on_error = self._give_up
        self._stream_maps: dict[str, Any] = self.config.get("stream_maps") or {}

    # Settings

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add no setting: the SDK's others than stream maps would do nothing here."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """Return the settings in variables. The SDK reads any unknown word as false."""
        try:
            parse_environment_config({}, cls._env_var_prefix)  # reads .env
        except (OSError, ValueError):
            raise errors.EnvFileError from None
        return validation.read_environment(cls.config_jsonschema, cls._env_var_prefix)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; the SDK's own messages would contain their values."""
        self._config = {name: value for name, value in self._config.items() if value is not None}
        if isinstance(limit := self._config.get("max_rejects"), int):
            self._config["max_rejects"] = str(limit)
        if isinstance(pace := self._config.get("max_requests_per_second"), str):
            with suppress(ValueError):  # Meltano passes a decimal on as text
                self._config["max_requests_per_second"] = float(pace)
        if raise_errors:
            validation.check_environment(self.config_jsonschema, self._env_var_prefix)
            validation.check_settings(self._config, self.config_jsonschema)
        return []

    # Messages

    @cached_property
    def run(self) -> DeliveryRun:
        """The delivery run, which starts with the first message."""
        write = self._write_state_message
        return DeliveryRun(self.settings, self.logger, write, self._wake_reader)

    @property
    def _started_run(self) -> DeliveryRun | None:
        return vars(self).get("run")

    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return the sink class of the destination, or the one that skips the stream."""
        if stream_name not in self.settings.streams:
            return SkippedSink
        if self.settings.dry_run:
            return DryRunSink
        return BirdieSink if self.settings.destination == "birdie" else FileSink

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Check the stream's maps before its first record."""
        self._assert_line_requires(message_dict, requires={"stream", "schema"})
        stream, schema = message_dict["stream"], message_dict["schema"]
        fields = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(fields, dict):
            problem = f"of stream '{stream}' has no properties"
            raise errors.MessageError(kind="SCHEMA", problem=problem)
        validation.check_stream_maps(self._stream_maps, stream, fields)
        self._streams_arrived.add(stream)
        try:
            super()._process_schema_message(message_dict)
        except Exception as error:
            if isinstance(error, click.ClickException) or not self._stream_maps:
                raise
            rule = f"is invalid ({type(error).__name__})"  # its text may repeat an expression
            raise errors.InvalidSettingError(name="stream_maps", rule=rule) from None

    def _assert_sink_exists(self, stream_name: str) -> None:
        if not self.sink_exists(stream_name):
            raise errors.StreamWithoutSchemaError(stream=stream_name)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Process a record; reject one whose stream map fails."""
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        stream, record = message_dict["stream"], message_dict["record"]
        if not isinstance(record, dict):
            raise errors.MessageError(kind="RECORD", problem=f"of stream '{stream}' has no object")
        try:
            super()._process_record_message(message_dict)
        except Exception as error:
            if isinstance(error, click.ClickException) or not self._stream_maps:
                raise
            sink: Any = self.get_sink(self.mapper.stream_maps[stream][0].stream_alias)
            cause = f"the stream map failed ({type(error).__name__}) and the record is not stored"
            sink.reject(repr(record), f"{cause}; correct the map, then run a full refresh")

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        if message_dict["value"]:
            self.run.checkpoint(message_dict["value"])

    def _write_state_message(self, state: State) -> None:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "the output is closed")
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Ignore the message: Birdie keeps records by their id."""

    def _process_batch_message(self, _: dict[str, Any]) -> None:
        raise errors.MessageError(kind="BATCH", problem="names files, which are not read")

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
        found = _ConfigInput(parse_env="ENV" in value)
        for path in value:
            found.config |= validation.load_file(path) if path != "ENV" else {}
        return found

    @classmethod
    def invoke(cls, *, rejects: str | None = None, check: bool = False, **kwargs: Any) -> None:
        """Run the target, print the rejected records, or check the connection."""
        if kwargs["about"]:
            cls.print_about(kwargs["about_format"])
            return
        cls.print_version(print_fn=cls.logger.info)
        given, target = kwargs["config"], None
        try:
            target = cls(config=given.config, parse_env_config=given.parse_env)
            if check:
                check_account(target.settings, click.echo)
            elif rejects:
                print_rejects(target.settings, rejects, click.echo)
            else:
                target.listen(kwargs["file_input"])
        except click.ClickException as error:
            error.show()
            cls._leave(error.exit_code, target)
        except SystemExit as end:
            cls._leave(int(end.code or 0), target)

    @classmethod
    def _leave(cls, code: int, target: "TargetBirdie | None") -> NoReturn:
        discard_input()
        if target and not target._is_idle:  # noqa: SLF001
            os._exit(code)  # the interpreter would wait for the executor's requests
        sys.exit(code)

    # The end

    def process_endofpipe(self) -> None:
        """Finish everything that was read, write the last state, and log the summary."""
        run, error = self._started_run, None
        if run is None and not self._signal:
            self.logger.warning("The input contained no message. Check the tap.")
        try:
            if run and not self._signal:
                self._finish(run)
        except errors.TargetError as failure:
            error = failure
        super().process_endofpipe()
        for name in validation.unused_stream_maps(self._stream_maps, self._streams_arrived):
            hint = errors.did_you_mean(name, self._streams_arrived)
            self.logger.warning("Stream map '%s' applies to no stream.%s", name, hint)
        self._close(error, is_done=error is None or isinstance(error, errors.RejectedRecordsError))
        if self._signal:
            sys.exit(128 + self._signal)

    def _finish(self, run: DeliveryRun) -> None:
        run.stream_names.check()
        run.retry_rejected()
        rejected = run.finish()
        if rejected and self.settings.on_reject == "keep":
            read = run.statistics.total("read")
            raise errors.RejectedRecordsError(rejected=rejected, read=read)

    def _give_up(self) -> None:
        """End a run whose input is invalid: what came before is still delivered."""
        if run := self._started_run:
            if not run.failure and self.settings.sends:
                run.destination.drain()
            with suppress(errors.TargetError):
                self._close(None, is_done=False)

    def _close(self, error: errors.TargetError | None, *, is_done: bool) -> None:
        """Write the last safe state, log the summary, and raise what ended the run."""
        if run := self._started_run:
            end = time.monotonic() + GRACE_SECONDS
            left = lambda: 0.0 if self._must_hurry else end - time.monotonic()  # noqa: E731
            try:
                self._is_idle = False  # also if closing fails
                self._is_idle = run.close(left)
            except errors.TargetError as failure:
                error, is_done = error or failure, False
            if run.failure:  # the thread that commits may fail after the last check
                error, is_done = error or run.failure, False
            how = "Stopped" if self._signal else "Done" if is_done else "Failed"
            run.statistics.show_end(how)
        self._has_ended = True
        if error:
            raise error

    def _handle_termination(self, signum: int, _: object) -> None:
        """End the input; `process_endofpipe` does the rest.

        Meltano sends SIGTERM after the SIGINT of a Ctrl-C: a signal that follows at once does not
        end the grace period, a later one does.
        """
        run = self._started_run
        if self._has_ended:
            return
        if run and run.failure:
            self.message_reader.stop()
        elif not self._signal:
            self._signal, self._signal_at = signum, time.monotonic()
            if run:
                run.stop()
            self.message_reader.stop()
        elif time.monotonic() - self._signal_at > _REPEATED_SIGNAL_SECONDS:
            self._must_hurry = True
            # The last state may block for ever: perhaps nobody reads the output.
            ending = threading.Timer(_LAST_WRITE_SECONDS, os._exit, [128 + signum])
            ending.daemon = True
            ending.start()

    def _wake_reader(self) -> None:
        """Interrupt the main thread's blocking read, if its signals are ours."""
        is_ours = signal.getsignal(signal.SIGTERM) == self._handle_termination
        if is_ours and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
