"""Errors that end a run or a stream: each is one line for the person who has to act on it.

The docstring of a class says what the error means and what to do.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

import click
from singer_sdk.exceptions import FatalAPIError

VARIABLE_PREFIX = "TAP_WOOTRIC_"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a question that names the most similar name, or "" if none is similar."""
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class TapError(FatalAPIError, click.ClickException):
    """An error whose message says what is wrong and what to do; exit code 1, no stack trace."""

    def show(self, file: Any = None) -> None:
        """Log the message, instead of printing it: Meltano then shows it as an error."""
        del file
        logging.getLogger("tap-wootric").error("%s", self.format_message())

    def __init__(self, message: str) -> None:
        """Take a message without secrets or personal data."""
        super().__init__(message)
        click.ClickException.__init__(self, message)


class SettingsError(TapError):
    """A setting is missing, unknown or wrong."""


class StateError(TapError):
    """The state has an unknown form."""


class CredentialsError(TapError):
    """Wootric rejects the credentials or the token."""


class OutputError(TapError):
    """The output cannot be written."""


class ServerError(TapError):
    """A request failed, also after retries."""


class MessageTemplate:
    """Build the message of an exception class from its template."""

    template: ClassVar[str]

    def __init__(self, **values: object) -> None:
        """Fill the template; `values` contain no secrets."""
        super().__init__(self.template.format(**values))  # type: ignore[call-arg]


class InputFileError(MessageTemplate, SettingsError):
    """A file is missing, or is not a JSON object. Correct the path or the file."""

    template = "{option} {path} {problem}."


class UnknownSettingError(MessageTemplate, SettingsError):
    """The configuration contains a name that is not a setting. Correct or remove the name."""

    template = "Unknown setting '{name}'.{hint}"

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__(name=name, hint=hint or " See tap-wootric --about for all settings.")


class MissingSettingError(MessageTemplate, SettingsError):
    """A required setting has no value. Provide it as the message says."""

    template = "Setting '{name}' is missing{reason}. {how}"

    def __init__(self, name: str, reason: str = "") -> None:
        variable = VARIABLE_PREFIX + name.upper()
        how = f"Provide it in a file with --config FILE, or as {variable} with --config=ENV."
        if os.environ.get(variable, "").strip():
            how = f"{variable} is set, but is only read with --config=ENV."
        super().__init__(name=name, reason=f" ({reason})" if reason else "", how=how)


class InvalidSettingError(MessageTemplate, SettingsError):
    """The value of a setting is not allowed. Correct it as the message says."""

    template = "Setting '{name}' {rule}."


class UnknownVariableError(MessageTemplate, SettingsError):
    """An environment variable looks like a misspelled setting. Correct or remove the variable."""

    template = "Environment variable {name} is not a setting. Did you mean {suggestion}?"


class UnusedStreamMapError(MessageTemplate, SettingsError):
    """A stream map applies to no stream. Correct the name of the stream."""

    template = "Stream map '{map}' applies to no stream.{hint}"


class StreamMapError(MessageTemplate, SettingsError):
    """A stream map names a field that the stream does not have. Correct the name of the field."""

    template = "Stream map '{map}': stream '{stream}' has no field '{field}'.{hint}"


class ForeignCatalogError(MessageTemplate, SettingsError):
    """The catalog selects no stream of this tap. Write it again with --discover."""

    template = "The catalog selects no stream of tap-wootric. Use the output of --discover."


class InvalidStateError(MessageTemplate, StateError):
    """The state has an unknown form. Use the last one that the tap wrote."""

    template = (
        "Cannot read the state: {problem}. Use the value of the last STATE message, or no state "
        "to sync everything again."
    )


class ApiError(MessageTemplate, ServerError):
    """A request to Wootric failed for good."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.status: int | None = values.get("status")
        """HTTP status of the last reply, if that is what failed."""


class ConnectionFailedError(ApiError):
    """No connection to the API since the run began. Check the network, the host and the proxy."""

    template = "Cannot connect to {host} for {seconds} s ({cause}).{hint}"


class RateLimitError(ApiError):
    """Other programs use up the account's rate limit. Run them at another time."""

    template = (
        "The rate limit is still reached after {attempts} waits (HTTP 429): other programs use the "
        "same account. Progress is saved; the next sync resumes from there."
    )


class RetriesExhaustedError(ApiError):
    """A request failed for the whole retry budget. Start the sync again later."""

    template = (
        "Request for '{resource}' failed for {seconds} s (last error: {cause}). Progress is saved; "
        "the next sync resumes from there."
    )


class RejectedRequestError(ApiError):
    """The API rejects a request, and a retry would not help. Check 'api_url' and 'region'."""

    template = "Wootric rejected the request for '{resource}' (HTTP {status}). Check 'api_url'."
    status: int


class TokenRejectedError(RejectedRequestError):
    """The API rejects a fresh token. Check what the API client may read."""

    template = (
        "Wootric rejected the request for '{resource}' with a fresh token (HTTP {status}). Check "
        "that the API client may read it."
    )


class ForbiddenError(RejectedRequestError):
    """The API client may not read this stream. Change its rights in Wootric, or deselect it."""

    template = (
        "The API client may not read '{resource}' (HTTP {status}). Change its rights in Wootric, "
        "or deselect the stream."
    )


class NotFoundError(RejectedRequestError):
    """The API has no such list. Check 'api_url', or deselect the stream."""

    template = (
        "Wootric has no '{resource}' at this address (HTTP {status}). Check 'api_url' and "
        "'region', or deselect the stream."
    )


class LockedError(RejectedRequestError):
    """The account does not allow this request. Ask Wootric, or deselect the stream."""

    template = (
        "The account does not allow reading '{resource}' (HTTP {status}). Ask Wootric's support, "
        "or deselect the stream."
    )


class RedirectError(RejectedRequestError):
    """The API redirects to another address, to which the tap sends no credentials."""

    template = (
        "Wootric redirected the request for '{resource}' (HTTP {status}). The tap does not follow "
        "redirects. Check 'api_url' and 'region'."
    )


class TokenEndpointNotFoundError(ApiError):
    """The host has no token endpoint. Check the region, and that the URL has no path."""

    template = (
        "Token endpoint not found at {url} (HTTP {status}). Check 'region', and that 'api_url' "
        "has no path."
    )


class SignInRejectedError(ApiError, CredentialsError):
    """Wootric rejects the credentials. Check them, and the region of the account."""

    template = (
        "Wootric rejected the credentials (HTTP {status} from {url}). Check the settings {names}, "
        "and that 'region' is the region of the account."
    )


class AccountNotFoundError(ApiError, CredentialsError):
    """Wootric knows no account with this token. Check the token, and the region."""

    template = (
        "Account not found (HTTP {status} from {url}). Check 'account_token', and that 'region' "
        "is the region of the account."
    )


class ProxySettingError(MessageTemplate, SettingsError):
    """The environment names an unusable proxy. Correct the variable."""

    template = "HTTPS_PROXY or HTTP_PROXY is not a proxy URL. Use http://host:port"


class CaBundleError(MessageTemplate, SettingsError):
    """The environment names a missing file of certificates. Correct the path."""

    template = "REQUESTS_CA_BUNDLE is not a file or folder. Correct the path."


class BrokenPipeOutputError(MessageTemplate, OutputError):
    """The target exited while the tap was writing. Check the target's log."""

    template = (
        "Broken pipe: the target exited. Check its log; the next sync resumes from the last state."
    )


class WriteError(MessageTemplate, OutputError):
    """The output cannot be written, mostly because the disk is full. Free space and run again."""

    template = "Cannot write the output ({cause})."


class ClosedOutputError(MessageTemplate, OutputError):
    """The tap was started without standard output. Check how the job starts it."""

    template = "Standard output is closed. Pipe the output to a target or to a file."


class ListOrderError(ApiError):
    """The API ignores a filter or the requested order. Report it: the tap has to be adapted."""

    template = "Wootric's list of '{stream}' cannot be read completely: {detail}."


class StreamMapExpressionError(MessageTemplate, SettingsError):
    """An expression of 'stream_maps' fails for a record. Correct the expression."""

    template = (
        "Stream map of '{stream}': an expression fails for record {record_id} ({cause}). If a "
        "field can be null, write 'sha256(field) if field else None'."
    )


class FailedStreamsError(TapError):
    """Some records or streams were not delivered. Each line says which, and what to do."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self._lines = lines

    def show(self, file: Any = None) -> None:
        """Log a line for each failure."""
        del file
        for line in self._lines:
            logging.getLogger("tap-wootric").error("%s", line)
