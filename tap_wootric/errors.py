"""What ends a run, as one line for the person who has to act on it."""

from __future__ import annotations

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
