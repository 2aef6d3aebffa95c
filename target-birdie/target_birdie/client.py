"""One PUT, and what its answer means.

Known of Birdie: 201 stored, 400 invalid, 401 wrong key, 503 too many requests. The other
statuses are read as HTTP means them.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import requote_uri

from target_birdie.errors import TargetError

_ACCEPTED = frozenset({200, 202, 204})
_REFUSED = frozenset({400, 413, 414, 415, 422})
_SETTING = {401: "api_key", 403: "api_key", 404: "feedback_path", 405: "feedback_path"}
_CONNECT_TIMEOUT = 10
_LONGEST_REASON = 500
_NO_ADDRESS = "api_url makes no valid web address"
_NO_PROXY = "HTTPS_PROXY names no proxy that can be used: write it as http://host:port"
_NO_AUTHORITIES = "REQUESTS_CA_BUNDLE names no file or folder that is there: correct the path"
_NO_TRUST = (
    "the certificate of api_url is not trusted: check the address, or name your authority's file "
    "in REQUESTS_CA_BUNDLE"
)
_FAILURES = {
    requests.exceptions.SSLError: "TLS failure",
    requests.exceptions.Timeout: "timeout",
    requests.exceptions.ProxyError: "proxy failure",
}
_NONSENSE = "an answer that is not Birdie's"


class Outcome(enum.Enum):
    """What becomes of the record after an answer."""

    STORED = enum.auto()
    REFUSED = enum.auto()
    AGAIN = enum.auto()
    HOLD = enum.auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or the lack of one.

    `reason` is fit for a log; `message` is Birdie's own text, which may quote the record.
    """

    outcome: Outcome
    reason: str
    message: str = ""
    retry_after: float | None = None


class BirdieClient:
    """Sends records over kept connections; may be shared by threads."""

    def __init__(
        self, api_url: str, *, api_key: str, user_agent: str, timeout: float, connections: int
    ) -> None:
        """Prepare the connections; nothing is sent yet."""
        self.answered = False
        self._timeout = (min(_CONNECT_TIMEOUT, timeout), timeout)
        self._session = session = requests.Session()
        found = session.merge_environment_settings(api_url, {}, None, None, None)
        session.proxies, session.verify = found["proxies"], found["verify"]
        session.trust_env = False  # else a .netrc entry would replace the key
        session.headers.update(
            {
                "Authorization": f"ApiKey {api_key}",
                "Content-Type": "application/json",
                "User-Agent": user_agent,
            }
        )
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        try:
            self._request = session.prepare_request(requests.Request("PUT", api_url))
            (urlsplit(self._request.url or "").hostname or "").encode("idna")
        except (requests.exceptions.InvalidURL, UnicodeError):
            raise TargetError(_NO_ADDRESS) from None
        self._base = (self._request.url or "").rstrip("/")

    def put(self, path: str, body: bytes) -> Reply:
        """Send one record.

        Args:
            path: Path below the API address.
            body: The record as JSON.

        Raises:
            TargetError: The answer means that no record can be delivered.
        """
        request = self._request.copy()
        request.url, request.body = requote_uri(self._base + path), body
        request.headers["Content-Length"] = str(len(body))
        try:  # not by the session, which would merge anew for each request what never changes
            response = self._adapter.send(
                request,
                timeout=self._timeout,
                verify=self._session.verify or True,
                proxies=self._session.proxies,
            )
            _ = response.content  # read to its end, so that the connection is kept
        except requests.exceptions.RequestException as error:
            return _unanswered(error)
        except OSError:  # before any connection: requests found nothing there
            raise TargetError(_NO_AUTHORITIES) from None
        reply = self._judge(response)
        self.answered = self.answered or reply.reason != _NONSENSE
        return reply

    def _judge(self, response: requests.Response) -> Reply:
        status = response.status_code
        if status == HTTPStatus.CREATED or (status in _ACCEPTED and _confirms(response)):
            return Reply(Outcome.STORED, "")
        if status in _ACCEPTED:
            return Reply(Outcome.AGAIN, _NONSENSE)
        if status in _REFUSED:
            return Reply(Outcome.REFUSED, str(status), _message(response))
        if status in {429, 503}:
            return Reply(Outcome.HOLD, str(status), retry_after=_retry_after(response))
        if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Reply(Outcome.AGAIN, str(status))
        raise TargetError(_explain(status))


def _unanswered(error: requests.exceptions.RequestException) -> Reply:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        raise TargetError(_NO_TRUST) from None
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        raise TargetError(_NO_PROXY) from None  # the address itself was looked at before
    for kind, reason in _FAILURES.items():
        if isinstance(error, kind):
            return Reply(Outcome.AGAIN, reason)
    return Reply(Outcome.AGAIN, "no connection")


def _confirms(response: requests.Response) -> bool:
    """Tell a success from the page of a proxy; Birdie documents no success but 201."""
    if not response.content:
        return True
    try:
        answer = response.json()
    except ValueError:
        return False
    return isinstance(answer, dict) and not answer.keys() & {"error", "errors"}


def _explain(status: int) -> str:
    if status // 100 == 3:  # noqa: PLR2004
        return (
            f"Birdie's address answers {status}, a redirect, which is not followed: check api_url"
        )
    setting = _SETTING.get(status)
    if setting == "api_key":
        return f"Birdie refuses the key ({status}): check api_key"
    if setting:
        return f"Birdie knows no such path ({status}): check feedback_path, user_path and api_url"
    return f"Birdie answered {status}, which this target does not know: check api_url"


def _message(response: requests.Response) -> str:
    try:
        return _text_of(response.json())[:_LONGEST_REASON]
    except ValueError:
        return ""


def _text_of(answer: Any) -> str:
    """Return the reason in a reply; Birdie documents a message, but not its key or form."""
    if isinstance(answer, dict):
        named = [answer[name] for name in ("message", "error", "errors") if answer.get(name)]
        return _text_of(named) if named else json.dumps(answer)
    if isinstance(answer, list):
        return "; ".join(_text_of(item) for item in answer)
    return str(answer)


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
