"""The address itself: an HTML page for browsers, plain text for terminals."""

from __future__ import annotations

from importlib.resources import files

from connector_sandbox.birdie import COLLECTIONS
from connector_sandbox.birdie import MOUNT as BIRDIE
from connector_sandbox.credentials import Credentials
from connector_sandbox.page.overview import overview, pair
from connector_sandbox.parts import Parts
from connector_sandbox.web.messages import Reply, Request, json_reply
from connector_sandbox.wootric.api import MOUNT as WOOTRIC

DATA = "/_control/page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/rows.js": ("rows.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    # Strangers write the survey texts. This policy stops scripts even if escaping fails.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


def page(parts: Parts, url: str, request: Request) -> Reply:
    """Return the page, one of its files, or its content as JSON.

    Args:
        parts: What the page shows.
        url: The address of the sandbox, for the text that terminals get.
        request: The request.
    """
    path = request.path
    if path == "/" and "text/html" not in request.headers.get("accept", ""):
        text = f"{addresses(url)}\n{examples(url)}"
        return Reply(200, text.encode(), HEADERS, "text/plain; charset=utf-8")
    if path in FILES:
        name, content_type = FILES[path]
        return Reply(200, files(__package__).joinpath(name).read_bytes(), HEADERS, content_type)
    if path == DATA:
        return json_reply(200, overview(parts), HEADERS)
    kind, _, record_id = path.removeprefix(f"{DATA}/").partition("/")
    if path.startswith(f"{DATA}/") and kind in COLLECTIONS:
        return json_reply(200, pair(parts, kind, record_id), HEADERS)
    return json_reply(404, {"message": "There is nothing at this path."})


def addresses(url: str) -> str:
    """Return addresses and credentials as plain text."""
    login = Credentials()
    return f"""\
Page      {url}/
Wootric   {url}{WOOTRIC}
          client_id {login.client_id}   client_secret {login.client_secret}
          username {login.username}   password {login.password}
          account_token {login.account_token}
Birdie    {url}{BIRDIE}
          api_key {login.api_key}
Control   {url}/_control/
"""


def examples(url: str) -> str:
    """Return commands to copy, as plain text."""
    wootric, birdie, login = url + WOOTRIC, url + BIRDIE, Credentials()
    return f"""\
Get a token and the newest response, send a feedback, list the records at Birdie:

TOKEN=$(curl -s {wootric}/oauth/token -d grant_type=client_credentials \\
  -d client_id={login.client_id} -d client_secret={login.client_secret} \\
  | sed 's/.*"access_token": "\\([^"]*\\)".*/\\1/')
curl -s -H "Authorization: Bearer $TOKEN" "{wootric}/v1/responses?per_page=1"
curl -s -X PUT -H "Authorization: ApiKey {login.api_key}" {birdie}/feedbacks/1 -d '
  {{"feedback_id": "1", "posted_at": "2024-01-31T12:00:00Z",
   "kind": {{"name": "nps", "fields": {{"rating": 9}}}}}}'
curl -s {url}/_control/birdie/feedbacks
"""
