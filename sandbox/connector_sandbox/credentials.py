"""The credentials of the sandbox. They are not secret: the command prints them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """Fixed credentials, so that examples can contain them."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"
    username: str = "sandbox@example.com"
    password: str = "sandbox-password"
    account_token: str = "NPS-5a4db0c5"
    api_key: str = "sandbox-api-key"
