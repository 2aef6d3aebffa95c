"""One PUT, and what its reply means.

Documented by Birdie: 201 stored, 400 invalid, 401 wrong key, 503 too many requests. Other statuses
are read as HTTP defines them.
"""

import enum
import http.client
import io
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, mktime_tz, parsedate_tz
from http import HTTPStatus
from math import inf
from socket import SocketIO, socket
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import requote_uri

from target_birdie import errors
from target_birdie.config.settings import Settings

_ACCEPTED = frozenset({200, 202, 204})
_REJECTED = frozenset({400, 413, 414, 415, 422})
_BUSY = frozenset({429, 503})
_ADVICE = {
    "403": "Check api_key.",
    "404": "Check feedback_path, user_path and api_url.",
    "405": "Check feedback_path, user_path and api_url.",
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONNECT_SECONDS = 10
_MOST_BYTES = 1 << 20
_LONGEST_MESSAGE = 500
_LONGEST_RETRY_AFTER = 86_400.0
_FAULTS = {
    requests.exceptions.SSLError: "TLS failure",
    requests.exceptions.Timeout: "timeout",
    requests.exceptions.ProxyError: "proxy failure",
}
_FOREIGN = "a reply that is not Birdie's"

logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its lines would contain ids


class Outcome(enum.Enum):
    """What a reply means for the record."""

    ACCEPTED = enum.auto()
    REJECTED = enum.auto()
    FAULT = enum.auto()
    BUSY = enum.auto()
    DENIED = enum.auto()
    """The record, or every record: only the results of others show which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or the lack of one.

    Attributes:
        outcome: What it means.
        reason: Status or fault, fit for a log.
        message: Birdie's own text, which may quote the record.
        retry_after: Seconds that Birdie asks to wait.
    """

    outcome: Outcome
    reason: str
    message: str = ""
    retry_after: float | None = None

    def denied(self) -> errors.DeniedError:
        """Return the error if every record gets this reply."""
        advice = _ADVICE.get(self.reason, "Check api_url.")
        return errors.DeniedError(status=self.reason, advice=advice)


class BirdieClient:
    """Sends records over kept connections; may be shared by threads."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the connections; send nothing.

        Raises:
            TargetError: The address is invalid.
        """
        self.answered = False
        api_url, timeout = settings.api_url, settings.request_timeout
        found = requests.Session().merge_environment_settings(api_url, {}, None, None, None)
        is_local = urlsplit(api_url).hostname in _LOOPBACK
        self._options: dict[str, Any] = {
            "stream": True,
            "timeout": (min(_CONNECT_SECONDS, timeout), timeout),
            "verify": found["verify"] or True,
            "proxies": {} if is_local else found["proxies"],
        }
        headers = {
            "Accept-Encoding": "identity",
            "Authorization": f"ApiKey {settings.api_key}",
            "Content-Type": "application/json",
            "User-Agent": settings.user_agent,
        }
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=settings.max_concurrency)
        try:
            self._request = requests.Request("PUT", api_url, headers).prepare()
        except requests.exceptions.InvalidURL:
            rule = "must be a URL such as https://host/path"
            raise errors.InvalidSettingError(name="api_url", rule=rule) from None
        self._base = (self._request.url or "").rstrip("/")

    def put(self, path: str, body: bytes) -> Reply:
        """Send one record.

        Args:
            path: Path below the API address.
            body: The record as JSON.

        Raises:
            TargetError: No record can be delivered.
        """
        request = self._request.copy()
        request.url, request.body = requote_uri(self._base + path), body
        request.headers["Content-Length"] = str(len(body))
        try:  # without a session, which would merge its settings again for each request
            response = self._adapter.send(request, **self._options)
            content = _content(response)
        except requests.exceptions.RequestException as error:
            return _fault(error)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException):
            return Reply(Outcome.FAULT, "an incomplete reply")
        except OSError:  # requests found no file there
            rule = "must be a file or folder that exists"
            raise errors.InvalidSettingError(name="REQUESTS_CA_BUNDLE", rule=rule) from None
        reply = _read(response, content)
        self.answered = self.answered or reply.reason != _FOREIGN
        return reply


def _content(response: requests.Response) -> bytes:
    """Return the body as it was sent; nothing of one that is longer than 1 MiB."""
    content: bytes = response.raw.read(_MOST_BYTES + 1, decode_content=False)
    if len(content) <= _MOST_BYTES:
        return content
    response.close()
    return b"?"


def _read(response: requests.Response, content: bytes) -> Reply:
    status = response.status_code
    if status == HTTPStatus.CREATED or (status in _ACCEPTED and _confirms(content)):
        return Reply(Outcome.ACCEPTED, "")
    if status in _ACCEPTED:
        return Reply(Outcome.FAULT, _FOREIGN)
    if status in _REJECTED:
        return Reply(Outcome.REJECTED, str(status), _message(content))
    if status in _BUSY:
        return Reply(Outcome.BUSY, str(status), retry_after=_retry_after(response.headers))
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.KeyRejectedError(status=status)
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reply(Outcome.FAULT, str(status))
    return Reply(Outcome.DENIED, str(status), _message(content))


def _fault(error: requests.exceptions.RequestException) -> Reply:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        raise errors.CertificateError from None
    reasons = (reason for kind, reason in _FAULTS.items() if isinstance(error, kind))
    return Reply(Outcome.FAULT, next(reasons, "no connection"))


def _confirms(content: bytes) -> bool:
    """Distinguish a success from the page of a proxy; Birdie documents no success except 201."""
    answer = _parsed(content or b"{}")
    return isinstance(answer, dict) and not (answer.get("error") or answer.get("errors"))


def _message(content: bytes) -> str:
    answer = _parsed(content)
    return _text_of(answer)[:_LONGEST_MESSAGE] if answer else ""


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _text_of(answer: Any) -> str:
    """Return the reason in a reply; Birdie documents a message, but not its key or form."""
    if isinstance(answer, dict):
        named = [answer[name] for name in ("message", "error", "errors") if answer.get(name)]
        return _text_of(named) if named else json.dumps(answer)
    if isinstance(answer, list):
        return "; ".join(_text_of(item) for item in answer)
    return str(answer)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After; a date counts from the reply's own date."""
    value, sent = headers.get("Retry-After", ""), headers.get("Date") or formatdate()
    try:
        seconds = float(value) if value.isdecimal() else _epoch(value) - _epoch(sent)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), _LONGEST_RETRY_AFTER)


def _epoch(date: str) -> float:
    return mktime_tz(parsedate_tz(date))  # type: ignore[arg-type]


class _TimedReader(SocketIO):
    """Reads from a socket until a deadline: its own timeout starts again with every byte."""

    def __init__(self, connection: socket) -> None:
        super().__init__(connection, "r")
        self._connection = connection
        self._end = time.monotonic() + (connection.gettimeout() or inf)

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._end - time.monotonic()
        # urllib3 sets the timeout again before the next reply on this connection.
        self._connection.settimeout(max(left, 0.001) if left < inf else None)
        return super().readinto(buffer)


class _TimedResponse(http.client.HTTPResponse):
    """A reply whose headers and body together must arrive within the timeout."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._untimed = self.fp.detach()  # closes the socket once it is forgotten
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Adapter(HTTPAdapter):
    """Makes connections whose replies have a deadline, directly and through a proxy."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.ConnectionCls.response_class is not _TimedResponse:
            timed = {"response_class": _TimedResponse}
            pool.ConnectionCls = type("Timed", (pool.ConnectionCls,), timed)
        return pool
