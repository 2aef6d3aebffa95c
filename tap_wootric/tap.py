"""The tap: its settings, its streams, and what they share."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any, ClassVar, NoReturn

import click
import requests
from singer_sdk import Stream, Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import Catalog

from tap_wootric import config, streams, validation
from tap_wootric.api.client import WootricClient
from tap_wootric.auth import WootricAuthenticator
from tap_wootric.check import AccountCheck, action, as_json, as_text
from tap_wootric.errors import (
    ForeignCatalogError,
    InvalidSettingError,
    OutputError,
    ServerError,
    SettingsError,
)
from tap_wootric.nps_summary import NpsSummary
from tap_wootric.segments import Segments
from tap_wootric.shutdown import Shutdown
from tap_wootric.state_migration import migrate_state
from tap_wootric.stop import StopRequest
from tap_wootric.stream import WootricStream
from tap_wootric.transport import PacedAdapter, new_session
from tap_wootric.writer import PageWriter

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

STREAMS: tuple[type[WootricStream], ...] = (
    streams.Responses,
    streams.EndUsers,
    streams.Declines,
    Segments,
    NpsSummary,
    streams.SurveyTemplates,
    streams.EmailStats,
)
"""What a person waits for first comes first."""

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
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the SDK's `Tap` takes."""
        self.stop = StopRequest()
        self.append_builtin_config(self.config_jsonschema)
        validation.check_environment(self.config_jsonschema, self._env_var_prefix, is_read=False)
        super().__init__(*args, **kwargs)

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in STREAMS]

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

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams, in the order in which they are synced; the SDK sorts by name."""
        kinds: list[type[Stream]] = list(STREAMS)
        found = super().streams.items()
        return dict(sorted(found, key=lambda item: kinds.index(type(item[1]))))

    @cached_property
    def adapter(self) -> PacedAdapter:
        """What all requests go through, so that they share the rate limit."""
        return PacedAdapter(self.logger, self.config.get("max_concurrency", 1))

    @cached_property
    def session(self) -> requests.Session:
        """The session of all streams."""
        return new_session(self.adapter, config.base_url(self.config))

    @cached_property
    def authenticator(self) -> WootricAuthenticator:
        """One for all streams, so that one token serves all requests."""
        return WootricAuthenticator(self.config, self.adapter)

    @property
    def server_now(self) -> int:
        """UNIX second that Wootric's clock showed last; the local clock's before it showed any."""
        latest = self.adapter.clock.latest
        return int(time.time()) if latest is None else latest

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
        """Sync all streams, and fail when a second held more than the API can show."""
        self._check_selection()
        start = config.moment(self.config, "start_date")
        if start and start.timestamp() > self.server_now:
            self.logger.warning("setting 'start_date' lies in the future: until then nothing comes")
        try:
            super().sync_all()
        except OutputError:
            if self.stop.is_requested:  # Ctrl-C on a pipe ends the target too
                self.stop.obey()
            raise
        lost = [
            line
            for stream in self.streams.values()
            if isinstance(stream, WootricStream)
            for line in stream.shortfalls()
        ]
        if lost:
            raise ServerError(" ".join(lost))

    def _check_selection(self) -> None:
        """The SDK passes over streams that it does not find, and ends well without any."""
        others = [name for name in self.catalog if name not in self.streams]
        if len(others) == len(self.catalog):
            raise ForeignCatalogError
        for name in others:
            self.logger.warning("The catalog holds '%s', which this tap does not know", name)
        if not any(stream.selected for stream in self.streams.values()):
            self.logger.warning("The catalog selects no stream: nothing is synced")

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """The SDK would exit with 0, and so have a partial sync taken for a whole one."""
        self.stop.request(signum)

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
