"""Run and watch many Wootric accounts from one list.

check: check the list and print the names of its accounts as JSON
run: run one account
manifests: print manifests for Kubernetes
overview: print a table of all accounts
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

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
    late: list[str] = []
    match options.command:
        case "check":
            print(json.dumps(names))
        case "run":
            return run(accounts, accounts.find(options.account))
        case "manifests":
            print(manifests(accounts, options.list, options.image, options.schedule), end="")
        case "overview":
            rows = overview(names)
            print(json.dumps(rows, indent=1) if options.json else text(rows))
            late = stale(rows, options.max_age)
    if late:
        print(f"No success for {options.max_age:g} hours: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


def _options() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("orchestration", description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("command", choices=("check", "run", "manifests", "overview"))
    add("list", type=Path, help="file such as accounts.yaml")
    add("account", nargs="?", default="", help="name, or position from 0, for run")
    add("--image", default="wootric-accounts", help="for manifests (%(default)s)")
    add("--schedule", default="17 5 * * *", help="for manifests (%(default)s)")
    add("--json", action="store_true", help="print the overview as JSON")
    add("--max-age", type=float, default=float("inf"), metavar="HOURS",
        help="exit 1 if a last success is older")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
