"""One PUT, and what its reply means.

Documented by Birdie: 201 stored, 400 invalid, 401 wrong key, 503 too many requests. Other statuses
are read as HTTP defines them.
"""

import enum
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, mktime_tz, parsedate_tz
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from target_birdie import errors
from target_birdie.config.settings import Settings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONNECT_SECONDS = 10
_MOST_BYTES = 1 << 20
_LONGEST_MESSAGE = 500
_LONGEST_RETRY_AFTER = 86_400.0
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


_OUTCOMES = {
    **dict.fromkeys((200, 201, 202, 204), Outcome.ACCEPTED),
    **dict.fromkeys((400, 413, 414, 415, 422), Outcome.REJECTED),
    **dict.fromkeys((408, *range(500, 600)), Outcome.FAULT),
    **dict.fromkeys((429, 503), Outcome.BUSY),
}
_FAULTS = {
    requests.exceptions.SSLError: "TLS failure",
    requests.exceptions.Timeout: "timeout",
    requests.exceptions.ProxyError: "proxy failure",
    requests.exceptions.RequestException: "no connection",
    Exception: "an incomplete reply",
}


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
        names = "api_key" if self.reason == "403" else "feedback_path, user_path and api_url"
        return errors.DeniedError(status=self.reason, advice=f"Check {names}.")


class BirdieClient:
    """Sends records over kept connections; may be shared by threads."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the connections; send nothing."""
        self.answered = False
        self._url, timeout = settings.api_url, settings.request_timeout
        found = requests.Session().merge_environment_settings(self._url, {}, True, None, None)
        limits = (min(_CONNECT_SECONDS, timeout), timeout)
        self._options: dict[str, Any] = {**found, "timeout": limits}
        if urlsplit(self._url).hostname in _LOOPBACK:
            self._options["proxies"] = {}
        self._headers = {
            "Accept-Encoding": "identity",
            "Authorization": f"ApiKey {settings.api_key}",
            "Content-Type": "application/json",
            "User-Agent": settings.user_agent,
        }
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=settings.max_concurrency)

    def put(self, path: str, body: bytes) -> Reply:
        """Send one record.

        Args:
            path: Path below the API address.
            body: The record as JSON.

        Raises:
            TargetError: No record can be delivered.
        """
        try:  # without a session, which would merge its settings again for each request
            request = requests.Request("PUT", self._url + path, self._headers, data=body).prepare()
            response = self._adapter.send(request, **self._options)
            # The body as it was sent: a compressed one may be large.
            content = response.raw.read(_MOST_BYTES + 1, decode_content=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise errors.CertificateError from None
            reason = next(text for kind, text in _FAULTS.items() if isinstance(error, kind))
            return Reply(Outcome.FAULT, reason)
        except OSError:  # requests found no file there
            rule = "must be a file or folder that exists"
            raise errors.InvalidSettingError(name="REQUESTS_CA_BUNDLE", rule=rule) from None
        if len(content) > _MOST_BYTES:
            response.close()
        reply = _read(response, content)
        self.answered = self.answered or reply.reason != _FOREIGN
        return reply


def _read(response: requests.Response, content: bytes) -> Reply:
    status, (is_plain, message) = response.status_code, _parsed(content)
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.KeyRejectedError(status=status)
    outcome = _OUTCOMES.get(status, Outcome.DENIED)
    if outcome is Outcome.ACCEPTED and status != HTTPStatus.CREATED and not is_plain:
        return Reply(Outcome.FAULT, _FOREIGN)
    return Reply(outcome, str(status), message, _retry_after(response.headers))


def _parsed(content: bytes) -> tuple[bool, str]:
    """Return whether a body is a success and not the page of a proxy, and the reason in it."""
    try:
        answer = json.loads(content or b"{}")
        text = _text_of(answer)[:_LONGEST_MESSAGE] if answer else ""
    except (ValueError, RecursionError):
        return False, ""
    return isinstance(answer, dict) and not (answer.get("error") or answer.get("errors")), text


def _text_of(answer: Any) -> str:
    """Return the reason in a reply; Birdie documents a message, but not its key or form."""
    if isinstance(answer, dict):
        named = [answer[name] for name in ("message", "error", "errors") if answer.get(name)]
        return _text_of(named) if named else json.dumps(answer)
    if isinstance(answer, list):
        return "; ".join(map(_text_of, answer))
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


class _TimedResponse(HTTPResponse):
    """A reply whose headers and body together must arrive within the timeout.

    The timeout of a socket starts again with every byte.
    """

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        end = time.monotonic() + (sock.gettimeout() or 0)
        raw: Any = self.fp.raw
        read = raw.readinto

        def read_in_time(buffer: Any) -> Any:
            # urllib3 sets the timeout again before the next reply on this connection.
            sock.settimeout(max(end - time.monotonic(), 0.001))
            return read(buffer)

        raw.readinto = read_in_time


class _Adapter(HTTPAdapter):
    """Makes connections whose replies have a deadline, directly and through a proxy."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.ConnectionCls.response_class is not _TimedResponse:
            timed = {"response_class": _TimedResponse}
            pool.ConnectionCls = type("Timed", (pool.ConnectionCls,), timed)
        return pool
