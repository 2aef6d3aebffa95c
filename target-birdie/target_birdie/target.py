"""The target: settings, states and signals on the SDK's side."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import time
from functools import cached_property
from typing import Any, ClassVar

import click
from singer_sdk import Sink, Target
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.json import serialize_json

from target_birdie.config import settings as checked
from target_birdie.config import validation
from target_birdie.config.schema import CONFIG_SCHEMA, add_stream_maps
from target_birdie.errors import (
    ConfigError,
    EnvFileError,
    InputError,
    InvalidSettingError,
    RejectedRecordsError,
    StreamWithoutSchemaError,
    did_you_mean,
)
from target_birdie.ledger import State
from target_birdie.old_delivery import GRACE_SECONDS, Delivery
from target_birdie.reader import MessageReader
from target_birdie.replay import Replay
from target_birdie.sinks import BirdieSink, LeftAloneSink

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


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

    @override
    def __init__(self, **kwargs: Any) -> None:
        self._signal = 0
        self._hurry = False
        self._left_alone: set[str] = set()
        self._streams_met: set[str] = set()
        try:
            super().__init__(**kwargs)
        except MappingError as error:  # its text may repeat an expression
            rule = f"is invalid ({type(error).__name__})"
            raise InvalidSettingError(name="stream_maps", rule=rule) from None
        except (ValueError, ArithmeticError, OSError):  # the SDK read the environment
            self._check_environment(is_read=True)
            raise EnvFileError from None
        self._check_environment(is_read=bool(kwargs.get("parse_env_config")))
        self.settings = checked.read(self.config)
        self.message_reader.on_error = self._give_up

    def _check_environment(self, *, is_read: bool) -> None:
        schema, prefix = self.config_jsonschema, self._env_var_prefix
        validation.check_environment(schema, prefix, is_read=is_read)

    # Settings

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings for stream maps; its others would do nothing here."""
        add_stream_maps(config_jsonschema)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; the SDK's own messages would quote their values."""
        self.append_builtin_config(self.config_jsonschema)
        given = {name: value for name, value in self._config.items() if value is not None}
        if isinstance(given.get("max_rejects"), int):
            given["max_rejects"] = str(given["max_rejects"])
        if raise_errors:
            validation.check_settings(given, self.config_jsonschema)
        self._config = given
        return []

    # Messages

    @cached_property
    def delivery(self) -> Delivery:
        """The run, opened with the first message."""
        return Delivery(
            self.settings,
            self.logger,
            write_state=self._write_state_message,
            on_failure=self._wake_reader,
        )

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return BirdieSink if stream_name in self.settings.streams else LeftAloneSink

    def tell_left_alone(self, stream: str) -> None:
        """Say once that a stream is not sent."""
        if stream not in self._left_alone:
            self._left_alone.add(stream)
            self.logger.info(
                "Stream %s is left alone: the setting streams maps it to no Birdie record", stream
            )

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Check the stream's maps before the first record of it."""
        self._assert_line_requires(message_dict, requires={"stream", "schema"})
        stream, schema = message_dict["stream"], message_dict["schema"]
        fields = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(fields, dict):
            raise InputError(f"the schema of stream {stream} names no properties: check the tap")
        validation.check_stream_maps(self._stream_maps, stream, fields)
        self._streams_met.add(stream)
        super()._process_schema_message(message_dict)

    @property
    def _stream_maps(self) -> dict[str, Any]:
        return self.config.get("stream_maps") or {}

    @override
    def _assert_sink_exists(self, stream_name: str) -> None:
        if not self.sink_exists(stream_name):
            raise StreamWithoutSchemaError(
                f"a record of stream {stream_name} came before its schema: check the tap"
            )

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """See that there is a record: the SDK takes null for one that a stream map filtered out."""
        if not isinstance(message_dict.get("record", {}), dict):
            stream = message_dict.get("stream")
            raise InputError(f"a RECORD message of stream {stream} holds no object: check the tap")
        super()._process_record_message(message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        if message_dict["value"]:
            self.delivery.checkpoint(message_dict["value"])

    @override
    def _write_state_message(self, state: State) -> None:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "the output is closed")
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self.logger.debug("ACTIVATE_VERSION is ignored: Birdie keeps records by their id")

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise InputError(
            "the tap sends BATCH files, which this target does not read: turn them off"
        )

    # The rejects file again

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Add `--replay` to the SDK's options."""
        command = super().get_singer_command()
        text = "Send the rejects file again, instead of reading from a tap."
        command.params.append(click.Option(["--replay"], is_flag=True, help=text))
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the config files."""
        found = _ConfigInput()
        for path in value:
            if path == "ENV":
                found.parse_env = True
            else:
                found.config |= validation.load_file(path)
        return found

    @classmethod
    @override
    def invoke(cls, *, replay: bool = False, config: Any = None, **kwargs: Any) -> None:
        """Run the target, or send the rejects file again."""
        if replay and config is not None:
            target = cls(config=config.config, parse_env_config=config.parse_env)
            target.replay()
        else:
            super().invoke(config=config, **kwargs)

    def replay(self) -> None:
        """Send the rejects file again; what is accepted leaves it.

        Raises:
            TargetError: The delivery could not go on, or something was refused again.
        """
        if self.settings.dry_run:
            raise ConfigError("dry_run and --replay exclude each other: turn dry_run off")
        replay = Replay(self.delivery)
        try:
            replay.run(lambda: bool(self._signal))
        finally:
            self._close()
            replay.put_back()
        if self._signal:
            sys.exit(128 + self._signal)
        self._tell_rejects()

    # The end

    @override
    def process_endofpipe(self) -> None:
        """Bring everything read to its end, write the last state, and say how it went."""
        try:
            if not self._signal:
                self.delivery.finish()
        finally:
            self._close()
        if self._signal:
            sys.exit(128 + self._signal)
        super().process_endofpipe()
        for name in validation.unused_stream_maps(self._stream_maps, self._streams_met):
            hint = did_you_mean(name, self._streams_met)
            self.logger.warning("Stream map '%s' applies to no stream.%s", name, hint)
        self._tell_rejects()

    def _tell_rejects(self) -> None:
        report = self.delivery.report
        rejects = report.rejects - report["superseded"]
        if rejects and self.settings.on_reject == "keep":
            raise RejectedRecordsError(
                f"{rejects} of {report['read']} records were rejected and are kept, "
                f"with the reasons, in {self.settings.rejects_path}"
            )

    def _give_up(self) -> None:
        if "delivery" in vars(self):
            self.delivery.give_up()
            self._close()

    def _close(self) -> None:
        if "delivery" in vars(self):
            deadline = time.monotonic() + GRACE_SECONDS
            self.delivery.close(lambda: 0.0 if self._hurry else deadline - time.monotonic())

    @override
    def _handle_termination(self, signum: int, frame: object) -> None:
        """End the input; `process_endofpipe` does the rest. A second signal ends the waiting."""
        if "delivery" in vars(self) and self.delivery.failure:
            self.message_reader.stop()
        elif self._signal:
            self._hurry = True
        else:
            self._signal = signum
            if "delivery" in vars(self):
                self.delivery.stop()
            self.message_reader.stop()

    def _wake_reader(self) -> None:
        """Get the main thread out of a blocking read, when its signals are ours."""
        ours = signal.getsignal(signal.SIGTERM) == self._handle_termination
        if ours and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
