"""Errors that end a run or a stream: each is one line for the person who has to act on it.

The docstring of a class says what the error means and what to do.
"""

import logging
import os
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, ClassVar

import click

VARIABLE_PREFIX = "TAP_WOOTRIC_"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a question that names the most similar name, or "" if none is similar."""
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class TapError(click.ClickException):
    """An error whose message says what is wrong and what to do; exit code 1, no stack trace."""

    template: ClassVar[str]

    def __init__(self, **values: object) -> None:
        """Fill the template; `values` contain no secrets or personal data."""
        super().__init__(self.template.format(**values))

    def show(self, file: Any = None) -> None:
        """Log the message, instead of printing it: Meltano then shows it as an error."""
        del file
        logging.getLogger("tap-wootric").error("%s", self.message)


class InputFileError(TapError):
    """A file is missing, or is not a JSON object. Correct the path or the file."""

    template = "{option} {path} {problem}."


class UnknownSettingError(TapError):
    """The configuration contains a name that is not a setting. Correct or remove the name."""

    template = "Unknown setting '{name}'.{hint}"


class MissingSettingError(TapError):
    """A required setting has no value. Provide it as the message says."""

    template = "Setting '{name}' is missing{reason}. {how}"

    def __init__(self, name: str, reason: str = "") -> None:
        variable = VARIABLE_PREFIX + name.upper()
        how = f"Provide it in a file with --config FILE, or as {variable} with --config=ENV."
        if os.environ.get(variable, "").strip():
            how = f"{variable} is set, but is only read with --config=ENV."
        super().__init__(name=name, reason=f" ({reason})" if reason else "", how=how)


class InvalidSettingError(TapError):
    """The value of a setting is not allowed. Correct it as the message says."""

    template = "Setting '{name}' {rule}."


class UnknownVariableError(TapError):
    """An environment variable looks like a misspelled setting. Correct or remove the variable."""

    template = "Environment variable {name} is not a setting. Did you mean {suggestion}?"


class StreamMapError(TapError):
    """A stream map names an unknown stream or field. Correct the name."""

    template = "Stream map '{map}': {problem}.{hint}"


class StreamMapExpressionError(TapError):
    """An expression of 'stream_maps' fails for a record. Correct the expression."""

    template = (
        "Stream map of '{stream}': an expression fails for record {record_id} ({cause}). If a "
        "field can be null, write 'sha256(field) if field else None'."
    )


class ForeignCatalogError(TapError):
    """The catalog selects no stream of this tap. Write it again with --discover."""

    template = "The catalog selects no stream of tap-wootric. Use the output of --discover."


class InvalidStateError(TapError):
    """The state has an unknown form. Use the last one that the tap wrote."""

    template = (
        "Cannot read the state: {problem}. Use the value of the last STATE message, or no state "
        "to sync everything again."
    )


class OutputError(TapError):
    """The target exited, the disk is full, or the tap was started without standard output."""

    template = "Cannot write the output ({problem}). Check the log of the target, and sync again."


class RateLimitError(TapError):
    """Other programs use up the account's rate limit. Run them at another time."""

    template = "Other programs use up the rate limit: HTTP 429 after {attempts} waits. Sync later."


class ConnectionFailedError(TapError):
    """No connection to the API since the run began. Check the network, the host and the proxy."""

    template = "Cannot connect to {host} ({cause}). {hint}"


class SignInRejectedError(TapError):
    """Wootric rejects the credentials. Check them, and the region of the account."""

    template = "Wootric rejected the credentials (HTTP {status} from {url}). Check {names}."


class TokenEndpointError(TapError):
    """The host has no token endpoint, or no account with this token. Check the settings."""

    template = (
        "Account or token endpoint not found (HTTP {status} from {url}). Check 'account_token' and "
        "'region', and that 'api_url' has no path."
    )


class SignInFailedError(TapError):
    """The token endpoint failed for the whole retry budget. Start the sync again later."""

    template = "Sign-in failed for {seconds} s (last error: {cause}). Start the sync again later."


class StreamError(TapError):
    """One stream cannot be read. The run continues with the others, and fails at its end."""


class RetriesExhaustedError(StreamError):
    """A request failed for the whole retry budget. Start the sync again later."""

    template = (
        "Request for '{resource}' failed for {seconds} s (last error: {cause}). Progress is saved; "
        "the next sync resumes from there."
    )


class RejectedRequestError(StreamError):
    """The API lacks this list, or redirects. A redirect could leak the token."""

    template = (
        "Wootric rejected the request for '{resource}' (HTTP {status}). Check 'api_url' and "
        "'region', or deselect the stream."
    )


class ForbiddenError(RejectedRequestError):
    """The API client may not read this stream. Change its rights in Wootric, or deselect it."""

    template = (
        "The API client may not read '{resource}' (HTTP {status}). Change its rights in Wootric, "
        "or deselect the stream."
    )


class ListOrderError(StreamError):
    """The API ignores a filter or the requested order. Report it: the tap has to be adapted."""

    template = "Wootric's list of '{stream}' cannot be read completely: {detail}."
