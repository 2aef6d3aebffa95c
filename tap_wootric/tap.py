"""The tap: its settings, its streams, and what they share."""

from __future__ import annotations

import sys
import time
from functools import cached_property
from types import FrameType
from typing import IO, Any, ClassVar

import click
import requests
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib import Catalog

from tap_wootric import maps, settings, streams
from tap_wootric.auth import WootricAuthenticator
from tap_wootric.environment import from_environment
from tap_wootric.errors import OutputError, ServerError, SettingsError, StateError
from tap_wootric.inputs import readable_catalog, readable_state
from tap_wootric.legacy import upgraded
from tap_wootric.nps_summary import NpsSummary
from tap_wootric.problems import problems
from tap_wootric.segments import Segments
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


class TapWootric(Tap):
    """NPS survey responses from Wootric, with tags and customer properties."""

    name = "tap-wootric"
    package_name = "wootric-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = settings.SCHEMA
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
        super().__init__(*args, **kwargs)

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream(self) for stream in STREAMS]

    @override
    def setup_mapper(self) -> None:
        """Check the stream maps, those of streams that are not selected too.

        The SDK takes such a stream for one without fields, and a map of it for one without a key.
        """
        fields = {name: stream.schema["properties"] for name, stream in self.streams.items()}
        if wrong := list(maps.problems(self.config.get("stream_maps"), fields)):
            raise SettingsError("; ".join(wrong))
        super(Tap, self).setup_mapper()
        try:
            self._register_schemas()
        except MapExpressionError:  # its text repeats the expression
            raise SettingsError(
                "setting 'stream_maps' is wrong: an expression can't be used"
            ) from None
        except StreamMapConfigError as error:
            raise SettingsError(f"setting 'stream_maps' is wrong: {error}") from None

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
        return new_session(self.adapter, settings.base_url(self.config))

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
        """Say what is wrong in one line, without the values, which may be secret."""
        self._config = settings.with_connection_details(self._config)
        self.append_builtin_config(self.config_jsonschema)
        wrong = list(problems(self._config, self.config_jsonschema))
        if wrong and raise_errors:
            raise SettingsError("; ".join(wrong))
        if not wrong:
            super()._validate_config(raise_errors=raise_errors)
            self._config.setdefault("user_agent", f"{self.name}/{self.plugin_version}")
            if warning := settings.region_warning(self._config):
                self.logger.warning("%s", warning)
        return wrong

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        try:
            super().load_state(upgraded(state))
        except (AttributeError, TypeError, ValueError) as error:
            message = f"The state can't be understood: {error}. Give the tap a state that it wrote."
            raise StateError(message) from None

    @override  # type: ignore[misc]  # the SDK marks it final, and has no hook after all streams
    def sync_all(self) -> None:
        """Sync all streams, and fail when a second held more than the API can show."""
        self._check_selection()
        start = settings.moment(self.config, "start_date")
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
            raise SettingsError(
                f"the catalog is another tap's: it holds {', '.join(others)}, and the streams are "
                f"{', '.join(self.streams)}. Give what --discover writes."
            )
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
        """What stands in the environment; the SDK ends in a stack trace where that is wrong."""
        cls.append_builtin_config(cls.config_jsonschema)
        return from_environment(cls.config_jsonschema, cls._env_var_prefix)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        found = _ConfigInput()
        for path in value:
            try:
                one = super().cb_config(ctx, param, (path,))
            except OSError as error:
                reason = error.strerror or "there is no such file"
                raise SettingsError(f"--config {path} can't be read: {reason}") from None
            except (ValueError, TypeError, RecursionError):
                raise SettingsError(f"--config {path} is not a JSON object") from None
            found.config |= one.config
            found.parse_env |= one.parse_env
        return found

    @classmethod
    @override
    def invoke(
        cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **kwargs: Any
    ) -> None:
        super().invoke(
            state=state and readable_state(state),
            catalog=catalog and readable_catalog(catalog),
            **kwargs,
        )
