"""Errors that end a run, each as one line for the person who reads the log.

They inherit `click.ClickException`, so that the command prints the line and exits with 1.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from difflib import get_close_matches
from typing import ClassVar

import click
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine

VARIABLE_PREFIX = "TARGET_BIRDIE_"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a question that names the most similar name, or "" if none is similar."""
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class TargetError(click.ClickException):
    """The run cannot continue; the message says why and what to do."""

    template: ClassVar[str] = ""

    def __init__(self, message: str = "", **values: object) -> None:
        super().__init__(message or self.template.format_map(values))


class ConfigError(TargetError):
    """A setting is missing, unknown or invalid. Correct the configuration."""


class ConfigFileError(ConfigError):
    """The file of `--config` is missing or is not a JSON object. Correct the path or the file."""

    template = "--config {path} {problem}."


class EnvFileError(ConfigError):
    """The .env file in this folder, or one above it, is not UTF-8 text. Save it as UTF-8."""

    template = "Cannot read the .env file. Save it as UTF-8, or remove it."


class UnknownSettingError(ConfigError):
    """The configuration contains a name that is not a setting. Correct or remove the name."""

    template = "Unknown setting '{name}'.{hint}"

    def __init__(self, name: str, hint: str = "") -> None:
        hint = hint or " See target-birdie --about for all settings."
        super().__init__(name=name, hint=hint)


class MissingSettingError(ConfigError):
    """A required setting has no value. Provide it as the message says."""

    template = "Setting '{name}' is missing. {how}"

    def __init__(self, name: str) -> None:
        variable = VARIABLE_PREFIX + name.upper()
        how = f"Provide it in a file with --config FILE, or as {variable} with --config=ENV."
        if os.environ.get(variable, "").strip():
            how = f"{variable} is set, but is only read with --config=ENV."
        super().__init__(name=name, how=how)


class InvalidSettingError(ConfigError):
    """The value of a setting is not allowed. Correct it as the message says."""

    template = "Setting '{name}' {rule}."


class UnknownVariableError(ConfigError):
    """An environment variable looks like a misspelled setting. Correct or remove the variable."""

    template = "Environment variable {name} is not a setting. Did you mean {suggestion}?"


class StreamMapError(ConfigError):
    """A stream map names a field that the stream does not have. Correct the name of the field."""

    template = "Stream map '{map}': stream '{stream}' has no field '{field}'.{hint}"


class UnknownColumnError(ConfigError):
    """The mapping names a column that the SCHEMA does not contain. Correct the setting."""

    template = "Setting '{name}': stream '{stream}' has no column '{column}'.{hint}"


class DuplicateKeyError(ConfigError):
    """Records of two streams have the same type and id, so that one would replace the other."""

    template = (
        "Streams '{first}' and '{second}' contain the same {record_type} id. "
        "Set 'id_prefix' for one of them in the setting 'streams'."
    )


class KeyRejectedError(TargetError):
    """Birdie does not accept the API key. Check the key in Birdie."""

    template = "Birdie rejected the key ({status}). Check api_key."


class CheckFailedError(TargetError):
    """The check of the connection to Birdie failed. Follow the last line of its output."""

    template = "The check failed. {advice}"


class CheckStoredError(TargetError):
    """Birdie stored a record that is not valid. Delete it in Birdie, and check `api_url`."""

    template = (
        "Birdie stored the record '{id}', although its body is not JSON. Delete it in Birdie, and "
        "check api_url."
    )


class InputError(TargetError, InvalidInputLine):
    """A line of the input is not a Singer message. Check the tap."""


class StreamWithoutSchemaError(TargetError, RecordsWithoutSchemaException):
    """A record arrived before the SCHEMA of its stream. Check the tap."""


class MissingKeyError(TargetError, MissingKeyPropertiesError):
    """A record lacks a key column of its SCHEMA. Check the tap."""


class RejectedRecordsError(TargetError):
    """The run is complete, but Birdie or the mapping rejected some records."""
