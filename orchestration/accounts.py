"""The list of accounts: read, checked, and turned into the variables of one run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

HERE = Path(__file__).resolve().parent
PROJECT: dict[str, Any] = yaml.safe_load((HERE.parent / "meltano.yml").read_text())
PLUGINS: list[dict[str, Any]] = [*PROJECT["plugins"]["extractors"], *PROJECT["plugins"]["loaders"]]
LIMIT = 95
"""Requests per second of all clients of a Birdie account; Birdie suggests at most 100."""

_SCHEMA = yaml.safe_load((HERE / "accounts.schema.yaml").read_text())
_KEY, _PREFIX = "TARGET_BIRDIE_API_KEY", "TARGET_BIRDIE_ID_PREFIX"


class AccountsError(Exception):
    """The list cannot be used. The text has one line per mistake."""


@dataclass(frozen=True)
class Account:
    """One Wootric account and where its records go; `accounts.schema.yaml` describes the fields."""

    name: str
    secrets: dict[str, str]
    region: str = ""
    start_date: str = ""
    survey_kinds: dict[str, list[str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def variables(self, slots: int) -> dict[str, str]:
        """Return the variables of a run, except its secrets and the databases.

        Args:
            slots: Number of accounts that share Birdie's limit.
        """
        values = {
            "MELTANO_ENVIRONMENT": "prod",
            "TAP_WOOTRIC_REGION": self.region,
            "TAP_WOOTRIC_START_DATE": self.start_date,
            "TARGET_BIRDIE_ACCOUNT": self.name,
            "TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": str(LIMIT * 1000 // slots / 1000),
            "TARGET_BIRDIE_ON_REJECT": "continue",  # the overview counts rejected records
            "TARGET_BIRDIE_SURVEY_KINDS": json.dumps(self.survey_kinds) * bool(self.survey_kinds),
        }
        return {name: value for name, value in values.items() if value} | self.settings


@dataclass(frozen=True)
class Accounts:
    """The checked list; `slots` accounts may run at the same time."""

    slots: int
    all: tuple[Account, ...]

    def find(self, name: str) -> Account:
        """Return an account by its name, or by its position from 0.

        Raises:
            AccountsError: There is no such account.
        """
        for number, account in enumerate(self.all):
            if name in {account.name, str(number)}:
                return account
        raise AccountsError(f"Account '{name}' is not in the list.")

    def environment(self, account: Account, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a run: what is given, without secrets of other accounts.

        Raises:
            AccountsError: Secrets of this account are not set.
        """
        if missing := [name for name in account.secrets.values() if not given.get(name)]:
            raise AccountsError(f"Account '{account.name}': set {', '.join(missing)}.")
        names = {name for other in self.all for name in other.secrets.values()}
        kept = {name: value for name, value in given.items() if name not in names}
        secrets = {variable: given[name] for variable, name in account.secrets.items()}
        return kept | account.variables(self.slots) | secrets


def read(path: Path) -> Accounts:
    """Read and check the list.

    Raises:
        AccountsError: The file cannot be read, or has mistakes.
    """
    try:
        content = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AccountsError(f"{path} cannot be read: {reason}") from None
    validator = Draft202012Validator(_SCHEMA, format_checker=FormatChecker(["date"]))
    errors = [*validator.iter_errors(content)]
    lines = [_line(error, content) for error in errors]
    entries = content.get("accounts") if isinstance(content, dict) else None
    if isinstance(entries, list):
        broken = {place[1] for error in errors if len(place := error.absolute_path) > 1}
        sound = [entry for number, entry in enumerate(entries) if number not in broken]
        lines += _contradictions(sound)
    if lines:
        raise AccountsError("\n".join(f"{path}: {line}" for line in lines))
    return Accounts(int(content["slots"]), tuple(Account(**entry) for entry in content["accounts"]))


def _line(error: ValidationError, content: Any) -> str:
    """Describe a mistake without its value, which may be a secret in the wrong place."""
    parts = [str(part) for part in error.absolute_path]
    place = ".".join(parts) or "the file"
    if len(parts) > 1:
        number = int(parts[1])
        entry = content["accounts"][number]
        name = entry.get("name") if isinstance(entry, dict) else None
        shown = f"account '{name}'" if isinstance(name, str) else f"account {number + 1}"
        place = " of ".join(filter(None, [".".join(parts[2:]), shown]))
    if error.validator in {"required", "additionalProperties"}:
        return f"{place}: {error.message}"
    assert isinstance(error.schema, Mapping)
    return f"{place} must be {error.schema['description']}"


def _contradictions(entries: list[dict[str, Any]]) -> Iterator[str]:
    known = {
        f"{plugin['namespace']}_{setting['name']}".upper()
        for plugin in PLUGINS
        for setting in plugin["settings"]
    }
    for entry in entries:
        for variable in {**entry["secrets"], **entry.get("settings", {})}:
            if variable not in known:
                yield f"account '{entry['name']}': {variable} is no setting of tap or target"
    for name, count in Counter(entry["name"] for entry in entries).items():
        if count > 1:
            yield f"{count} accounts have the name '{name}'"
    places = Counter(
        (entry["secrets"][_KEY], entry.get("settings", {}).get(_PREFIX)) for entry in entries
    )
    for (secret, _), count in places.items():
        if count > 1:
            yield f"{count} accounts share {secret}: set different {_PREFIX}"
