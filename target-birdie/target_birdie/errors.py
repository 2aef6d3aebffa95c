"""What can end a run, each as one line for the person who reads the log.

All inherit `click.ClickException`, so that the command prints the line and exits 1 without a trace.
"""

from __future__ import annotations

import click
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine


class TargetError(click.ClickException):
    """The run cannot go on; the message says why and what to do."""


class ConfigError(TargetError):
    """A setting is missing, unknown or wrong."""


class InputError(TargetError, InvalidInputLine):
    """A line of the input is no Singer message."""


class StreamWithoutSchemaError(TargetError, RecordsWithoutSchemaException):
    """A record came before the schema of its stream."""


class MissingKeyError(TargetError, MissingKeyPropertiesError):
    """A record lacks a column that its schema calls a key."""


class RejectedRecordsError(TargetError):
    """The run is complete, but Birdie or the mapping refused some of its records."""
