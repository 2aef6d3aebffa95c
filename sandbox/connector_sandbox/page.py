"""The address for people: a page for a browser, plain text for a terminal."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from connector_sandbox.birdie import COLLECTIONS
from connector_sandbox.messages import Reply, Request, json_reply
from connector_sandbox.overview import overview, pair

if TYPE_CHECKING:
    from connector_sandbox.sandbox import Sandbox

DATA = "/_control/page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/rows.js": ("rows.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    # Survey texts come from strangers: even one that got into the page as HTML could do nothing.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


def page(sandbox: Sandbox, request: Request) -> Reply:
    """The page, its parts, or the data that it shows."""
    path = request.path
    if path == "/" and "text/html" not in request.headers.get("accept", ""):
        return Reply(200, addresses(sandbox).encode(), HEADERS, "text/plain; charset=utf-8")
    if path in FILES:
        name, content_type = FILES[path]
        return Reply(200, files(__package__).joinpath(name).read_bytes(), HEADERS, content_type)
    if path == DATA:
        return json_reply(200, overview(sandbox), HEADERS)
    kind, _, record_id = path.removeprefix(f"{DATA}/").partition("/")
    if path.startswith(f"{DATA}/") and kind in COLLECTIONS:
        return json_reply(200, pair(sandbox, kind, record_id), HEADERS)
    return json_reply(404, {"message": "There is nothing at this path."})


def addresses(sandbox: Sandbox) -> str:
    """Addresses, credentials and commands to paste."""
    return f"""\
Page      {sandbox.url}/
Wootric   {sandbox.wootric_url}
          client_id {sandbox.client_id}   client_secret {sandbox.client_secret}
          username {sandbox.username}   password {sandbox.password}
          account_token {sandbox.account_token}
Birdie    {sandbox.birdie_url}
          api_key {sandbox.api_key}
Control   {sandbox.url}/_control/

A token, the newest response, a feedback sent, and what Birdie holds:

TOKEN=$(curl -s {sandbox.wootric_url}/oauth/token -d grant_type=client_credentials \\
  -d client_id={sandbox.client_id} -d client_secret={sandbox.client_secret} \\
  | sed 's/.*"access_token": "\\([^"]*\\)".*/\\1/')
curl -s -H "Authorization: Bearer $TOKEN" "{sandbox.wootric_url}/v1/responses?per_page=1"
curl -s -X PUT -H "Authorization: ApiKey {sandbox.api_key}" {sandbox.birdie_url}/feedbacks/1 -d '
  {{"feedback_id": "1", "posted_at": "2024-01-31T12:00:00Z",
   "kind": {{"name": "nps", "fields": {{"rating": 9}}}}}}'
curl -s {sandbox.url}/_control/birdie/feedbacks
"""
