"""The address for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_sandbox.messages import Reply, Request, json_reply

if TYPE_CHECKING:
    from connector_sandbox.sandbox import Sandbox


def page(sandbox: Sandbox, request: Request) -> Reply:
    """Where everything is, as plain text."""
    if request.path != "/":
        return json_reply(404, {"message": "There is nothing at this path."})
    return Reply(body=addresses(sandbox).encode(), content_type="text/plain; charset=utf-8")


def addresses(sandbox: Sandbox) -> str:
    """Addresses, credentials and commands to paste."""
    return f"""\
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
