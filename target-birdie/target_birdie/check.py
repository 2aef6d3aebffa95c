"""The commands that read no messages: check the connection, and print rejected records."""

import json
from contextlib import closing
from dataclasses import asdict, replace

import click

from target_birdie import errors
from target_birdie.config.settings import Settings
from target_birdie.delivery.client import BirdieClient, Outcome
from target_birdie.delivery.outcomes import open_store
from target_birdie.mapping.schema_check import SchemaCheck

CHECK_ID = "target-birdie-check"

_UNKNOWN = "cannot tell"
_STORED = f"Birdie stored the record '{CHECK_ID}', which is not JSON. Delete it; check api_url."
_VERDICTS = {
    "400": ("yes", "yes", ""),
    "401": (_UNKNOWN, "no", "Check api_key."),
    "403": (_UNKNOWN, "no", "Check what api_key may do."),
    "404": ("no", _UNKNOWN, "Check feedback_path and api_url."),
    "405": ("no", _UNKNOWN, "Check feedback_path and api_url."),
    "stored": (_UNKNOWN, _UNKNOWN, _STORED),
}
"""By the reply to the right key: whether path and key are right, and what to do."""


def print_rejects(settings: Settings, what: str) -> None:
    """Print the rejected records as JSON lines, or delete them.

    Args:
        settings: The settings; `store_url` must name a store.
        what: `reasons`, `records` or `forget`.

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
            click.echo(json.dumps(line))


def check_account(settings: Settings) -> None:
    """Send two invalid records to Birdie, and print what the replies mean.

    The body of both is not JSON, so that Birdie has nothing to store.

    Args:
        settings: The settings; `api_key` is required.

    Raises:
        TargetError: Birdie would not accept records, or the replies do not show whether it would.
    """
    if not settings.api_key:
        raise errors.MissingSettingError("api_key")
    url, path = settings.api_url, settings.paths["feedback"].format(feedback_id=CHECK_ID)
    click.echo(f"Sending two PUT requests to {url}{path}, with a body that is not JSON.")
    wrong, right = (_reply(settings, key, path) for key in (CHECK_ID, settings.api_key))
    click.echo(f"With a wrong key: {wrong}\nWith your key: {right}")
    action = f"Check api_url ({url}) and the network, or try again later."
    other = (_UNKNOWN, _UNKNOWN, f"Birdie did not check the record ({right}). {action}")
    is_path, is_key, advice = _VERDICTS.get(right, other)
    if right == "400" and wrong not in {"401", "403"}:
        is_key = f"{_UNKNOWN}: Birdie checks the body before the key"
    click.echo(f"The path is right: {is_path}\nThe key is right: {is_key}")
    place = f"{url}/schemas/{{record_type}}"
    try:
        SchemaCheck(place)
        click.echo(f"Birdie publishes its schemas, use them with schema_path: {place}")
    except errors.InvalidSettingError:
        click.echo(f"Birdie publishes no schemas at {place}")
    if advice:
        raise errors.CheckFailedError(advice=advice)
    click.echo("OK")


def _reply(settings: Settings, key: str, path: str) -> str:
    try:
        reply = BirdieClient(replace(settings, api_key=key)).put(path, b"This is not JSON.")
    except errors.KeyRejectedError:
        return "401"
    return "stored" if reply.outcome is Outcome.ACCEPTED else reply.reason
