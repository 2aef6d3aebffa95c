"""The commands that read no messages: check the connection, and print rejected records."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace

import click
import requests

from target_birdie import errors
from target_birdie.config.settings import Settings
from target_birdie.delivery.client import BirdieClient, Outcome
from target_birdie.delivery.outcomes import open_store
from target_birdie.mapping.payload import RECORD_TYPES

CHECK_ID = "target-birdie-check"

_DENIED = {
    "401": ("cannot tell", "no", "Check api_key."),
    "403": ("cannot tell", "no", "Check what api_key may do."),
    "404": ("no", "cannot tell", "Check feedback_path and api_url."),
    "405": ("no", "cannot tell", "Check feedback_path and api_url."),
}


def print_rejects(settings: Settings, what: str, echo: Callable[[str], object]) -> None:
    """Print the rejected records as JSON lines, or delete them.

    Args:
        settings: The settings; `store_url` must name a store.
        what: `reasons`, `records` or `forget`.
        echo: Prints a line.

    Raises:
        TargetError: The store cannot be used.
    """
    if settings.store_url == "none":
        raise errors.InvalidSettingError(name="store_url", rule="must name a store here")
    with closing(open_store(settings, read_only=what != "forget")) as store:
        if what == "forget":
            click.echo(f"{store.forget_rejected()} rejected records deleted.", err=True)
            return
        for rejected in store.rejected():
            line = {k: v for k, v in asdict(rejected).items() if not isinstance(v, bytes)}
            if what == "records":
                line["record"] = json.loads(rejected.record or b"null")
            echo(json.dumps(line))


def check_account(settings: Settings, echo: Callable[[str], object]) -> None:
    """Send two invalid records to Birdie, and print what the replies mean.

    The body of both is not JSON, so that Birdie has nothing to store.

    Args:
        settings: The settings; `api_key` is required.
        echo: Prints a line.

    Raises:
        TargetError: Birdie would not accept records, or the replies do not show whether it would.
    """
    if not settings.api_key:
        raise errors.MissingSettingError("api_key")
    path = settings.paths["feedback"].format(feedback_id=CHECK_ID)
    echo(f"Sending two PUT requests to {settings.api_url}{path}, with a body that is not JSON.")
    wrong = _reply(settings, CHECK_ID, path)
    echo(f"With a wrong key: {wrong}")
    right = _reply(settings, settings.api_key, path)
    echo(f"With your key: {right}")
    is_path, is_key, advice = _verdict(wrong, right)
    echo(f"The path is right: {is_path}")
    echo(f"The key is right: {is_key}")
    for record_type in RECORD_TYPES:
        url = f"{settings.api_url}/schemas/{record_type}"
        echo(f"Birdie publishes a schema of {record_type} records: {_is_schema(url)}")
    if advice:
        raise errors.CheckFailedError(advice=advice)
    echo("OK")


def _reply(settings: Settings, key: str, path: str) -> str:
    client = BirdieClient(replace(settings, api_key=key))
    try:
        reply = client.put(path, b"This is not JSON.")
    except errors.KeyRejectedError:
        return "401"
    if reply.outcome is Outcome.ACCEPTED:
        raise errors.CheckStoredError(id=CHECK_ID)
    return reply.reason


def _verdict(wrong: str, right: str) -> tuple[str, str, str]:
    """Return whether the path and the key are right, and what to do if one is not."""
    if right in _DENIED:
        return _DENIED[right]
    if right != "400":
        is_busy = right in {"408", "429"} or right.startswith("5")
        action = "Try again later." if is_busy else "Check api_url and the network."
        return "cannot tell", "cannot tell", f"Birdie did not check the record ({right}). {action}"
    if wrong in {"401", "403"}:
        return "yes", "yes", ""
    return "yes", "cannot tell: Birdie checks the body before the key", ""


def _is_schema(url: str) -> str:
    try:
        reply = requests.get(url, timeout=10)
        is_schema = reply.ok and isinstance(reply.json(), dict)
    except (OSError, ValueError):
        return "cannot tell"
    return f"yes, use it with schema_path: {url}" if is_schema else "no"
