"""What ends a run, as one line for the person who has to act on it."""

from __future__ import annotations

from typing import Any, ClassVar

import click
from singer_sdk.exceptions import FatalAPIError


class TapError(FatalAPIError, click.ClickException):
    """An error whose message says what is wrong and what to do; exit code 1, no stack trace."""

    def __init__(self, message: str) -> None:
        """Take a message without secrets or personal data."""
        super().__init__(message)
        click.ClickException.__init__(self, message)


class SettingsError(TapError):
    """A setting is missing, unknown or wrong."""


class StateError(TapError):
    """The state given to the tap can't be understood."""


class CredentialsError(TapError):
    """Wootric refuses the credentials or the token."""


class OutputError(TapError):
    """What the tap writes goes nowhere."""


class ServerError(TapError):
    """Wootric answers in a way that no retry has helped against."""


class RefusedRequestError(ServerError):
    """Wootric refuses a request with an HTTP status that no retry would change."""

    def __init__(self, message: str, status: int) -> None:
        """Take the status beside the message."""
        super().__init__(message)
        self.status = status


class MessageTemplate:
    """Build the message of an exception class from its template."""

    template: ClassVar[str]

    def __init__(self, **values: object) -> None:
        """Fill the template; `values` contain no secrets."""
        super().__init__(self.template.format(**values))  # type: ignore[call-arg]


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


class ClosedOutputError(MessageTemplate, OutputError):
    """The tap was started without standard output. Check how the job starts it."""

    template = "Standard output is closed. Pipe the output to a target or to a file."
