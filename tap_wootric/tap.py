"""The tap: its settings, its streams, and what they share. The SDK calls it for each command."""

import io
import json
import sys
import time
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, NoReturn

import click
from singer_sdk import Stream, Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from tap_wootric import config, validation
from tap_wootric.api.client import WootricClient
from tap_wootric.check import AccountCheck, action, as_json, as_text
from tap_wootric.errors import ForeignCatalogError, InvalidSettingError, OutputError, TapError
from tap_wootric.shutdown import Shutdown, restore_signals
from tap_wootric.state_migration import migrate_state
from tap_wootric.streams.base import WootricStream
from tap_wootric.streams.daily import EmailStats, NpsSummary
from tap_wootric.streams.definitions import Segments, SurveyTemplates
from tap_wootric.streams.lists import Declines, EndUsers, Responses
from tap_wootric.writer import PageWriter

STREAMS = (Responses, EndUsers, Declines, Segments, NpsSummary, SurveyTemplates, EmailStats)

CHECK_SECONDS = 30
"""Retry budget of a check, in which a person waits."""


class TapWootric(Tap):
    """NPS survey responses from Wootric, with tags and customer properties."""

    name = "tap-wootric"
    package_name = "wootric-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = config.SCHEMA
    message_writer_class = PageWriter
    message_writer: PageWriter
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability for capability in Tap.capabilities if capability is not PluginCapabilities.BATCH
    ]
    """BATCH files would bypass stream maps, and so expose personal data."""

    @cached_property
    def shutdown(self) -> Shutdown:
        """Termination requests of this run."""
        return Shutdown()

    @cached_property
    def client(self) -> WootricClient:
        """The one client, so that one token and one rate limit serve all streams.

        It is created late: discovery needs no valid settings.
        """
        return WootricClient(self.config, self.shutdown)

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(self, self.shutdown, lambda: self.client) for stream in STREAMS]

    @override
    def setup_mapper(self) -> None:
        """Check the stream maps, also of streams that are not selected.

        The SDK would treat such a stream as one without fields.
        """
        fields = {stream.name: stream.declared_schema["properties"] for stream in self._own_streams}
        validation.check_stream_maps(self.config.get("stream_maps") or {}, fields)
        super(Tap, self).setup_mapper()
        try:
            for name, entry in self.catalog.items():
                selection, schema = entry.metadata.resolve_selection(), entry.schema.to_dict()
                if selection[()]:
                    schema = get_selected_schema(name, schema, selection)
                self.mapper.register_raw_stream_schema(name, schema, entry.key_properties)
        except MappingError:  # its text repeats the expression
            rule = "contains an expression or key that cannot be used"
            raise InvalidSettingError(name="stream_maps", rule=rule) from None

    @property
    def _own_streams(self) -> list[WootricStream]:
        return [stream for stream in self.streams.values() if isinstance(stream, WootricStream)]

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; the SDK's own messages would contain their values."""
        self._config = config.normalize(self._config)
        try:
            validation.check_environment(self.config_jsonschema, self._env_var_prefix)
            validation.check_settings(self._config, self.config_jsonschema)
        except TapError:
            if raise_errors:
                raise
        self._config.setdefault("user_agent", f"{self.name}/{self.plugin_version}")
        region, named = self._config.get("region"), config.token_region(self._config)
        if region and named and region != named and "api_url" not in self._config:
            text = "Setting 'region' is '%s', but 'account_token' belongs to '%s'. Using '%s'."
            self.logger.warning(text, region, named, region)
        return []

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(migrate_state(state))

    @override  # type: ignore[misc]  # the SDK marks it final, and has no hook after all streams
    def sync_all(self) -> None:
        """Sync all streams. Fail at the end if a stream or a part of one was not delivered."""
        self._check_selection()
        start = config.moment(self.config, "start_date")
        if start and start.timestamp() > time.time():
            self.logger.warning("Setting 'start_date' is in the future: no record is synced yet")
        try:
            super().sync_all()
            self.message_writer.flush()  # a run without a bookmark ends without a STATE
        except OutputError:
            if self.shutdown.is_requested:  # Ctrl-C in a pipe also ends the target
                self.shutdown.exit()
            raise
        failures = [line for stream in self._own_streams for line in stream.failures]
        for line in failures:
            self.logger.error("%s", line)
        if failures:
            sys.exit(1)

    def _check_selection(self) -> None:
        """Fail if the catalog selects no stream of the tap: the SDK would succeed."""
        selected = {n for n, e in self.catalog.items() if e.metadata.resolve_selection()[()]}
        unknown = self.catalog.keys() - self.streams.keys()
        if unknown and (selected or self.catalog.keys()) <= unknown:
            raise ForeignCatalogError
        for name in sorted(unknown):
            self.logger.warning("The catalog contains the unknown stream '%s'", name)
        if not selected:
            self.logger.warning("The catalog selects no stream: nothing is synced")

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Request a shutdown. The SDK would exit with 0, as if the sync were complete."""
        self.shutdown.request(signum)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """Return the settings in variables. The SDK reads any unknown word as false."""
        parse_environment_config({}, cls._env_var_prefix)  # reads .env
        return validation.read_environment(cls.config_jsonschema, cls._env_var_prefix)

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> _ConfigInput:
        found = _ConfigInput(parse_env="ENV" in value)
        for path in value:
            if path != "ENV":
                found.config |= validation.load_json("--config", path, Path(path).read_text)
        return found

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        text = "Sign in, read one page of each stream, and print a table (--check=json: JSON)."
        forms = click.Choice(["text", "json"])
        option = click.Option(["--check"], is_flag=False, flag_value="text", type=forms, help=text)
        command.params.append(option)
        return command

    @classmethod
    @override
    def invoke(cls, *, check: str | None = None, **kwargs: Any) -> None:
        if check:
            given = kwargs["config"]
            cls(config=given.config, parse_env_config=given.parse_env).check_account(check)
        for option in ("state", "catalog"):
            if file := kwargs.get(option):  # the SDK would show a stack trace for other content
                content = validation.load_json(f"--{option}", file.name, file.read)
                kwargs[option] = io.StringIO(json.dumps(content))
        super().invoke(**kwargs)

    def check_account(self, form: str) -> NoReturn:
        """Print what the account's API does, as `text` or `json`, and exit."""
        restore_signals()
        self._config["retry_budget_seconds"] = CHECK_SECONDS
        findings = AccountCheck(self.client, self._own_streams).run()
        click.echo(as_json(findings) if form == "json" else as_text(findings))
        sys.exit(0 if action(findings) == "OK" else 1)
