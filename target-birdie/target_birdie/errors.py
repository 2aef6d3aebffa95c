"""Errors that end a run, each as one line for the person who reads the log.

They inherit `click.ClickException`, so that the command prints the line and exits with 1.
"""

import os
from collections.abc import Collection
from difflib import get_close_matches
from json import JSONDecodeError
from typing import ClassVar

import click
from singer_sdk.exceptions import MappingError

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


class ConfigFileError(TargetError):
    """A file with settings cannot be read. Correct its path or its content; it must be UTF-8."""

    template = "{file} {problem}."


class UnknownSettingError(TargetError):
    """The configuration contains a name that is not a setting. Correct or remove the name."""

    template = "Unknown setting '{name}'.{hint}"


class MissingSettingError(TargetError):
    """A required setting has no value. Provide it as the message says."""

    template = "Setting '{name}' is missing. {how}"

    def __init__(self, name: str) -> None:
        variable = VARIABLE_PREFIX + name.upper()
        how = f"Provide it in a file with --config FILE, or as {variable} with --config=ENV."
        if os.environ.get(variable, "").strip():
            how = f"{variable} is set, but is only read with --config=ENV."
        super().__init__(name=name, how=how)


class InvalidSettingError(TargetError):
    """The value of a setting is not allowed. Correct it as the message says."""

    template = "Setting '{name}' {rule}."


class UnknownVariableError(TargetError):
    """An environment variable looks like a misspelled setting. Correct or remove the variable."""

    template = "Environment variable {name} is not a setting. Did you mean {suggestion}?"


class StreamMapError(TargetError):
    """A stream map names a field that the stream does not have. Correct the name of the field."""

    template = "Stream map '{map}': stream '{stream}' has no field '{field}'.{hint}"


class UnknownColumnError(TargetError):
    """The mapping names a column that the SCHEMA does not contain. Correct the setting."""

    template = "Setting '{name}': stream '{stream}' has no column '{column}'.{hint}"


class DuplicateKeyError(TargetError):
    """Records of two streams have the same type and id, so that one would replace the other."""

    template = "Streams '{first}' and '{second}' contain the same id. Set 'id_prefix' for one."


class KeyRejectedError(TargetError):
    """Birdie does not accept the API key. Check the key in Birdie."""

    template = "Birdie rejected the key ({status}). Check api_key."


class CheckFailedError(TargetError):
    """The check of the connection to Birdie failed. Follow the last line of its output."""

    template = "The check failed. {advice}"


class CertificateError(TargetError):
    """The certificate of the host is not trusted: it is the wrong host, or a proxy decrypts TLS."""

    template = "The certificate of api_url is not trusted. Check it, or set REQUESTS_CA_BUNDLE."


class DeniedError(TargetError):
    """Birdie, or a proxy in front of it, gives this reply to every record. Check the setting."""

    template = "Birdie accepts no record, but replies {status}. {advice}"


class OutageError(TargetError):
    """Birdie accepted no record for `retry_budget_seconds`. Run again later."""

    template = "Birdie accepted no record for {seconds} s (last reply: {reply}). {advice}"


class SendingError(TargetError):
    """The target has a defect. Report it with this line, and run again."""

    template = "Internal error while sending: {cause}."


class RejectedRecordError(TargetError):
    """A record was rejected, and `on_reject` is `stop`. Correct the record or the mapping."""

    template = "A record of '{stream}' was rejected ({reason}), and on_reject is 'stop'."


class TooManyRejectedError(TargetError):
    """So many records were rejected that the mapping is probably wrong. Correct the mapping."""

    template = "{rejected} of {read} records were rejected, more than max_rejects. See --rejects."


class RejectedRecordsError(TargetError):
    """The run is complete, except for records that Birdie or the mapping rejected."""

    template = "{count} of {read} records were rejected. See --rejects; the next run retries them."


class StoreError(TargetError):
    """The database of the delivery store failed. Check path, disk, server and rights."""

    template = "The delivery store {store} failed: {cause}. Check store_url."


class StoreInUseError(TargetError):
    """Two runs use one SQLite file, or one account in PostgreSQL. Correct the schedule."""

    template = "Another run uses the delivery store {store}. Wait for its end."


class StoreVersionError(TargetError):
    """Two versions of the target use one store. Use one version, or two stores."""

    template = "The delivery store {store} has version {found}, not {needed}. Check store_url."


class MissingStoreError(TargetError):
    """There is no delivery store yet. Check `store_url` and the folder, or run the target first."""

    template = "There is no delivery store at {store} yet."


class MissingLibraryError(TargetError):
    """An optional library is missing. Install the extra."""

    template = "{what} needs {library}. Install {extra}."


class StreamNamesError(TargetError):
    """The setting `streams` names streams that the tap did not send. Correct the names."""

    template = "Setting 'streams' names {expected}, which did not arrive. The tap sent {sent}."


class OutputError(TargetError):
    """Nobody reads the output, it is closed, or its disk is full. See the cause in the line."""

    template = "Writing the output failed: {cause}."


class FileOutputError(TargetError):
    """A folder or bucket cannot be written. Correct `output_path` or the rights; run again."""

    template = "Writing to output_path failed ({cause}): no record was delivered. Check it."


class SpoolError(TargetError):
    """Files are written at the end of a run, and the disk for its records is full. Make room."""

    template = "Collecting records failed ({cause}). Make room, or set SQLITE_TMPDIR."


class InputError(TargetError):
    """A line is not a valid Singer message. Check the tap; what came before is delivered."""

    template = "Line {line} of the input cannot be processed ({cause}). Check what the tap writes."


class NoInputError(TargetError):
    """Standard input is a terminal, or is closed. Pipe the output of a tap into the target."""

    exit_code = 2
    template = "There is no input. Pipe the output of a tap into the target."


_CAUSES: dict[type[Exception], str] = {
    JSONDecodeError: "not JSON",
    KeyError: "a key is missing, or its type is unknown",
    **dict.fromkeys((AttributeError, TypeError), "a value has the wrong type"),
}


def explained(error: Exception, line: int) -> click.ClickException:
    """Return an error as one line without data; `line` is the number of the last line read."""
    cause = _CAUSES.get(type(error), type(error).__name__)
    if isinstance(error, click.ClickException):
        return error
    if isinstance(error, BrokenPipeError):  # `--rejects | head`
        return OutputError(cause=error.strerror)
    if isinstance(error, MappingError):
        return InvalidSettingError(name="stream_maps", rule=f"is invalid ({cause})")
    return InputError(line=line, cause=cause)
