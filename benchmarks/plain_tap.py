"""A tap as the SDK's template makes it: default writer, conformance, retries and page parsing.

Its paginator moves the time filter every 30 pages, which gets all records of an even history.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import requests
from singer_sdk import RESTStream, Stream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.pagination import BaseAPIPaginator

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

PAGE_SIZE = 50
LAST_PAGE = 30


class Token(NamedTuple):
    """Where a page begins: the filter in UNIX seconds, and the page number."""

    since: int
    number: int


class Paginator(BaseAPIPaginator[Token]):
    """Page numbers; behind the last one that the API serves, the filter moves."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        return len(response.json()) == PAGE_SIZE

    @override
    def get_next(self, response: requests.Response) -> Token:
        since, number = self.current_value
        if number < LAST_PAGE:
            return Token(since, number + 1)
        newest = datetime.fromisoformat(response.json()[-1]["created_at"])
        return Token(int(newest.timestamp()), 1)


class Authenticator(OAuthAuthenticator):
    """Signs in with client credentials."""

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


class Responses(RESTStream[Token]):
    """The responses."""

    name = "responses"
    path = "/v1/responses"
    primary_keys = ("id",)
    replication_key = "created_at"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("created_at", th.DateTimeType),
        th.Property("updated_at", th.DateTimeType),
        th.Property("score", th.IntegerType),
        th.Property("text", th.StringType),
        th.Property("completed", th.BooleanType),
        th.Property("excluded_from_calculations", th.BooleanType),
        th.Property("tags", th.ArrayType(th.StringType)),
        th.Property("notes", th.ArrayType(th.StringType)),
        th.Property("end_user_id", th.IntegerType),
        th.Property("survey_id", th.IntegerType),
        th.Property("ip_address", th.StringType),
        th.Property("origin_url", th.StringType),
        th.Property(
            "end_user",
            th.ObjectType(th.Property("properties", th.ObjectType(additional_properties=True))),
        ),
    ).to_dict()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @cached_property
    @override
    def authenticator(self) -> Authenticator:
        return Authenticator(
            auth_endpoint=f"{self.url_base}/oauth/token",
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
        )

    @override
    def get_new_paginator(self) -> Paginator:
        return Paginator(Token(0, 1))

    @override
    def get_url_params(
        self, context: Mapping[str, Any] | None, next_page_token: Token | None
    ) -> dict[str, Any]:
        since, number = next_page_token or Token(0, 1)
        return {
            "created[gte]": since,
            "sort_key": "created_at",
            "sort_order": "asc",
            "per_page": PAGE_SIZE,
            "page": number,
        }


class PlainTap(Tap):
    """Responses alone."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("client_id", th.StringType, required=True),
        th.Property("client_secret", th.StringType, required=True, secret=True),
        th.Property("api_url", th.StringType, required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Responses(self)]


if __name__ == "__main__":
    PlainTap.cli()
