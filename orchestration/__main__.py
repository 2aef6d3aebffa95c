"""Run and watch many Wootric accounts from one list."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import yaml
from accounts import AccountsError, read
from manifests import manifests
from overview import overview, stale, text
from run import run


def main() -> int:
    """Execute one command; the exit code of `run` is that of Meltano."""
    options = _options()
    try:
        return _execute(options)
    except AccountsError as error:
        print("\n".join(f"Error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 1


def _execute(options: argparse.Namespace) -> int:
    accounts = read(options.list)
    names = [account.name for account in accounts.all]
    if options.command == "run":
        return run(accounts, accounts.find(options.account))
    if options.command == "check":
        print(json.dumps(names))
    elif options.command == "manifests":
        content = options.list.read_text("utf-8")
        objects = manifests(accounts, content, options.image, options.schedule)
        print(yaml.safe_dump_all(objects, sort_keys=False), end="")
    else:
        return _overview(options, names)
    return 0


def _overview(options: argparse.Namespace, names: list[str]) -> int:
    rows = overview(names)
    print(json.dumps(rows, indent=1) if options.json else text(rows))
    late = stale(rows, options.max_age) if options.max_age else []
    if late:
        print(f"No success for {options.max_age:g} hours: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "check": "check the list and print the names of its accounts as JSON",
        "run": "run one account",
        "manifests": "print manifests for Kubernetes",
        "overview": "print a table of all accounts",
    }
    added = {name: commands.add_parser(name, help=text) for name, text in helps.items()}
    for command in added.values():
        command.add_argument("list", type=Path, help="file such as accounts.yaml")
    added["run"].add_argument("account", help="name, or position in the list from 0")
    added["manifests"].add_argument("--image", required=True, help="image of the Dockerfile here")
    added["manifests"].add_argument("--schedule", default="17 5 * * *", help="%(default)s")
    added["overview"].add_argument("--json", action="store_true", help="print JSON")
    added["overview"].add_argument(
        "--max-age", type=float, metavar="HOURS", help="exit 1 if a last success is older"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
