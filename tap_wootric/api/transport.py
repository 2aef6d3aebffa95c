"""Send one HTTP request and read its reply, within the rate limit, a time and a size."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from singer_sdk.exceptions import RetriableAPIError

from tap_wootric.api.rate_limit import TOO_MANY_REQUESTS, RateLimiter, server_time
from tap_wootric.config import base_url
from tap_wootric.errors import CaBundleError, ProxySettingError, RateLimitError

# At DEBUG it logs every URL, and the URL of a token request contains the account token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

CHUNK_BYTES = 1 << 16

MAX_REPLY_BYTES = 1 << 26
"""Size limit of a decompressed reply; 50 records rarely exceed 1 MB."""

MAX_REFUSALS = 60
"""Number of 429 replies in a row after which a request fails."""


class Reply(NamedTuple):
    """Reply with any status; the body is complete and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """HTTP connections to the API. Safe to share between threads."""

    def __init__(
        self, config: Mapping[str, Any], *, logger: logging.Logger, user_agent: str
    ) -> None:
        """Read proxies and CA bundle from the environment, as `requests` defines them."""
        self.rate_limiter = RateLimiter(logger)
        self.server_time: int | None = None
        """UNIX second of the `Date` header of the last reply that had one."""
        self.has_replied = False
        address = urlsplit(base_url(config))
        self.host = address.netloc.rpartition("@")[2]
        self.is_loopback = _is_loopback(address.hostname or "")
        self._headers = {**requests.utils.default_headers(), "User-Agent": user_agent}
        self._timeout = int(config["request_timeout"])
        self._adapter = HTTPAdapter(pool_maxsize=int(config.get("max_concurrency") or 1) + 1)
        found = requests.Session().merge_environment_settings(
            base_url(config), {}, None, None, None
        )
        self._environment: dict[str, Any] = {
            "verify": found["verify"],
            "cert": found["cert"],
            "proxies": {} if self.is_loopback else found["proxies"],
        }

    def prepare(self, method: str, url: str, **content: Any) -> requests.PreparedRequest:
        """Build a request; `content` is `params` or `data` as `requests` takes them."""
        return requests.Request(method, url, headers=self._headers, **content).prepare()

    def send(self, request: requests.PreparedRequest) -> Reply:
        """Send a request once the rate limit allows it. Waits out every 429. Follows no redirect.

        Raises:
            RateLimitError: The limit is still reached after `MAX_REFUSALS` waits.
            SettingsError: The environment contains an unusable proxy or CA bundle.
            RetriableAPIError, requests.RequestException, urllib3.exceptions.HTTPError:
                No complete reply; another try may succeed.
        """
        for _ in range(MAX_REFUSALS):
            self.rate_limiter.acquire()
            try:
                reply = self._exchange(request)
            except BaseException:
                self.rate_limiter.release()
                raise
            self.rate_limiter.observe(reply.status, reply.headers)
            self.has_replied = True
            date = server_time(reply.headers)
            self.server_time = self.server_time if date is None else date
            if reply.status != TOO_MANY_REQUESTS:
                return reply
        raise RateLimitError(attempts=MAX_REFUSALS)

    def _exchange(self, request: requests.PreparedRequest) -> Reply:
        deadline = time.monotonic() + self._timeout
        # An adapter sends without the redirects, cookies and `.netrc` lookups of a session.
        with self._open(request) as response:
            body = bytearray()
            # read1 returns what has arrived, so that slow bytes cannot outlast the deadline.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                body += chunk
                if time.monotonic() > deadline:
                    raise requests.ReadTimeout
                if len(body) > MAX_REPLY_BYTES:
                    raise RetriableAPIError(f"reply larger than {MAX_REPLY_BYTES:,} bytes")
            return Reply(response.status_code, response.headers, bytes(body))

    def _open(self, request: requests.PreparedRequest) -> requests.Response:
        try:
            return self._adapter.send(
                request, stream=True, timeout=self._timeout, **self._environment
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise ProxySettingError from None
        except requests.RequestException:
            raise
        except OSError:  # `requests` finds no file at the path
            raise CaBundleError from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
