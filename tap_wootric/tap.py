"""The tap: its settings, its streams, and what they share."""

from __future__ import annotations

import io
import json
import os
import sys
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any, ClassVar, NoReturn

import click
from singer_sdk import Stream, Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
)
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_wootric import config, validation
from tap_wootric.api.client import WootricClient
from tap_wootric.check import AccountCheck, action, as_json, as_text
from tap_wootric.errors import (
    FailedStreamsError,
    ForeignCatalogError,
    InvalidSettingError,
    OutputError,
    SettingsError,
)
from tap_wootric.shutdown import Shutdown
from tap_wootric.state_migration import migrate_state
from tap_wootric.streams.base import Services, WootricStream
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the SDK's `Tap` takes."""
        self.shutdown = Shutdown()
        self.append_builtin_config(self.config_jsonschema)
        validation.check_environment(self.config_jsonschema, self._env_var_prefix, is_read=False)
        super().__init__(*args, **kwargs)

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(self, self.services) for stream in STREAMS]

    @cached_property
    def services(self) -> Services:
        """What the streams share."""
        return Services(self.shutdown, self._make_client)

    def _make_client(self) -> WootricClient:
        agent = str(self.config["user_agent"])
        return WootricClient(
            self.config, logger=self.logger, user_agent=agent, shutdown=self.shutdown
        )

    @override
    def setup_mapper(self) -> None:
        """Check the stream maps, also of streams that are not selected.

        The SDK would treat such a stream as one without fields.
        """
        fields = {
            name: stream.declared_schema["properties"]
            for name, stream in self.streams.items()
            if isinstance(stream, WootricStream)
        }
        validation.check_stream_maps(self.config.get("stream_maps") or {}, fields)
        super(Tap, self).setup_mapper()
        try:
            self._register_schemas()
        except MappingError:  # its text repeats the expression
            rule = "contains an expression or key that cannot be used"
            raise InvalidSettingError(name="stream_maps", rule=rule) from None

    def _register_schemas(self) -> None:
        selected = Catalog()
        for name, entry in self.catalog.items():
            if entry.metadata.resolve_selection()[()]:
                selected[name] = entry
            else:
                schema = entry.schema.to_dict()
                self.mapper.register_raw_stream_schema(name, schema, entry.key_properties)
        self.mapper.register_raw_streams_from_catalog(selected)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; the SDK's own messages would contain their values."""
        self.append_builtin_config(self.config_jsonschema)
        self._config = config.normalize(self._config)
        try:
            validation.check_settings(self._config, self.config_jsonschema)
        except SettingsError:
            if raise_errors:
                raise
        self._config.setdefault("user_agent", f"{self.name}/{self.plugin_version}")
        if warning := config.region_warning(self._config):
            self.logger.warning("%s", warning)
        return []

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        properties = config.without_bare_types(config_jsonschema["properties"])
        config_jsonschema["properties"] = properties

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(migrate_state(state))

    @override  # type: ignore[misc]  # the SDK marks it final, and has no hook after all streams
    def sync_all(self) -> None:
        """Sync all streams. Fail at the end if a stream or a part of one was not delivered."""
        self._check_selection()
        start = config.moment(self.config, "start_date")
        if start and start.timestamp() > self.services.client.server_now:
            self.logger.warning("Setting 'start_date' is in the future: no record is synced yet")
        try:
            super().sync_all()
            self.message_writer.flush()  # a run without a bookmark ends without a STATE
        except OutputError:
            if self.shutdown.is_requested:  # Ctrl-C in a pipe also ends the target
                self.shutdown.exit()
            raise
        streams = (s for s in self.streams.values() if isinstance(s, WootricStream))
        if lines := [line for stream in streams for line in stream.failures]:
            raise FailedStreamsError(lines)

    def _check_selection(self) -> None:
        """Fail if the catalog selects no stream of the tap: the SDK would succeed."""
        entries = self.catalog.items()
        selected = {name for name, entry in entries if entry.metadata.resolve_selection()[()]}
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
        """Return the settings in variables with a value; the SDK would fail on an empty integer."""
        cls.append_builtin_config(cls.config_jsonschema)
        parse_environment_config({}, cls._env_var_prefix)  # reads .env
        validation.check_environment(cls.config_jsonschema, cls._env_var_prefix, is_read=True)
        given = {
            name: rule
            for name, rule in cls.config_jsonschema["properties"].items()
            if os.environ.get(cls._env_var_prefix + name.upper(), "").strip()
        }
        return parse_environment_config({"properties": given}, cls._env_var_prefix)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        found = _ConfigInput(parse_env="ENV" in value)
        for path in value:
            if path != "ENV":
                found.config |= validation.load_json("--config", path, Path(path).read_text)
        return found

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        option = click.Option(
            ["--check"],
            is_flag=False,
            flag_value="text",
            type=click.Choice(["text", "json"]),
            help="Check the account: sign in, read one page of each stream, and print a table "
            "(--check=json: JSON).",
        )
        command.params.append(option)
        return command

    @classmethod
    @override
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        check: str | None = None,
        **kwargs: Any,
    ) -> None:
        if check:
            given = kwargs["config"]
            cls(config=given.config, parse_env_config=given.parse_env).check_account(check)
        state = state and _checked("--state", state)
        super().invoke(state=state, catalog=catalog and _checked("--catalog", catalog), **kwargs)

    def check_account(self, form: str) -> NoReturn:
        """Print what the account's API does, as `text` or `json`, and exit."""
        settings = {**self.config, "retry_budget_seconds": CHECK_SECONDS}
        client = WootricClient(
            settings,
            logger=self.logger,
            user_agent=str(self.config["user_agent"]),
            shutdown=Shutdown(),
        )
        streams = [s for s in self.streams.values() if isinstance(s, WootricStream)]
        findings = AccountCheck(
            client.get_reply,
            {stream.name: stream.declared_schema for stream in streams},
            frozenset(stream.name for stream in streams if stream.selected_by_default),
        ).run()
        click.echo(as_json(findings) if form == "json" else as_text(findings))
        sys.exit(0 if action(findings) == "OK" else 1)


def _checked(option: str, file: IO[str]) -> IO[str]:
    """Return a file with the same JSON object.

    Raises:
        InputFileError: The file contains no JSON object.
    """
    return io.StringIO(json.dumps(validation.load_json(option, file.name, file.read)))
