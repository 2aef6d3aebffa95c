"""Send a request and read its reply, within limits of rate, time and size, for the client."""

import logging
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from singer_sdk.exceptions import RetriableAPIError

from tap_wootric.api.rate_limit import TOO_MANY_REQUESTS, RateLimiter, server_time
from tap_wootric.config import LOOPBACK_HOSTS, base_url
from tap_wootric.errors import InvalidSettingError, RateLimitError

# At DEBUG it logs every URL, and the URL of a token request contains the account token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

CHUNK_BYTES = 1 << 16

MAX_REPLY_BYTES = 1 << 26
"""Size limit of a decompressed reply; 50 records rarely exceed 1 MB."""

MAX_REFUSALS = 60
"""Number of 429 replies in a row after which a request fails."""

SANDBOX_HINT = "Is the sandbox running? Start it with: make sandbox."
NETWORK_HINT = "Check 'region', 'api_url' and your network."


class Reply(NamedTuple):
    """Reply with any status; the body is complete and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """HTTP connections to the API. Safe to share between threads."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Read proxies and CA bundle from the environment, as `requests` defines them."""
        self.rate_limiter = RateLimiter()
        self.server_time: int | None = None
        """UNIX second of the `Date` header of the last reply that had one."""
        self.has_replied = False
        address = urlsplit(base_url(config))
        self.host, is_loopback = address.netloc, address.hostname in LOOPBACK_HOSTS
        self.hint = SANDBOX_HINT if is_loopback else NETWORK_HINT
        """What to do if there is no connection."""
        self._headers = {**requests.utils.default_headers(), "User-Agent": config["user_agent"]}
        self._timeout = int(config["request_timeout"])
        self._adapter = HTTPAdapter(pool_maxsize=int(config.get("max_concurrency") or 1) + 1)
        session = requests.Session()
        found = session.merge_environment_settings(base_url(config), {}, None, None, None)
        proxies = {} if is_loopback else found["proxies"]
        self._environment = {"verify": found["verify"], "cert": found["cert"], "proxies": proxies}

    def prepare(self, method: str, url: str, **content: Any) -> requests.PreparedRequest:
        """Build a request; `content` is `params` or `data` as `requests` takes them."""
        return requests.Request(method, url, headers=self._headers, **content).prepare()

    def send(self, request: requests.PreparedRequest) -> Reply:
        """Send a request once the rate limit allows it. Waits out every 429. Follows no redirect.

        Raises:
            RateLimitError: The limit is still reached after `MAX_REFUSALS` waits.
            InvalidSettingError: The environment contains an unusable proxy or CA bundle.
            RetriableAPIError, OSError, urllib3.exceptions.HTTPError: No complete reply; another
                try may succeed.
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
            self.server_time = server_time(reply.headers) or self.server_time
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
                    raise TimeoutError
                if len(body) > MAX_REPLY_BYTES:
                    raise RetriableAPIError(f"reply larger than {MAX_REPLY_BYTES:,} bytes")
            return Reply(response.status_code, response.headers, bytes(body))

    def _open(self, request: requests.PreparedRequest) -> requests.Response:
        options: dict[str, Any] = {"timeout": self._timeout, **self._environment}
        try:
            return self._adapter.send(request, stream=True, **options)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            rule = "or 'HTTP_PROXY' must be a URL such as http://host:port"
            raise InvalidSettingError(name="HTTPS_PROXY", rule=rule) from None
        except OSError as error:
            if isinstance(error, requests.RequestException):
                raise
            rule = "must be the path of a file or folder"  # `requests` finds none there
            raise InvalidSettingError(name="REQUESTS_CA_BUNDLE", rule=rule) from None
