"""Stand-ins of the Wootric and Birdie APIs on this machine, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import webbrowser
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from connector_sandbox.page import addresses
from connector_sandbox.sandbox import Sandbox
from connector_sandbox.times import as_datetime

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT_PORT = 8765
HIGHEST_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox; the exit code is 0 after a signal, 1 when it cannot start."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    parser = _parser()
    given = parser.parse_args(arguments)
    sandbox = Sandbox(given.seed, given.responses, given.port, given.until)
    try:
        _configure(sandbox, given)
    except (AttributeError, ValueError) as error:
        parser.error(str(error))
    try:
        sandbox.start()
    except OSError as error:
        return _failed(f"cannot listen on port {given.port}", error)
    try:
        _serve(sandbox, given, stopped)
    except OSError as error:
        return _failed(f"cannot write {given.ready_file}", error)
    return 0


def _failed(what: str, error: OSError) -> int:
    print(f"sandbox: {what}: {error.strerror}", file=sys.stderr)
    return 1


def _configure(sandbox: Sandbox, given: argparse.Namespace) -> None:
    options = sandbox.options
    options.latency, options.birdie_latency = given.latency, given.birdie_latency
    options.rate_limit, options.birdie_rate_limit = given.rate_limit, given.birdie_rate_limit
    for name, value in given.set:
        setattr(options, name, value)
    for name, share in given.fault:
        sandbox.faults.on(name, float(share))


def _serve(sandbox: Sandbox, given: argparse.Namespace, stopped: Event) -> None:
    ready_file: Path | None = given.ready_file
    try:
        print(addresses(sandbox), flush=True)
        if ready_file is not None:
            _write_ready(ready_file, sandbox)
        if given.open:
            webbrowser.open(sandbox.url)
        stopped.wait()
    finally:
        sandbox.stop()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def _write_ready(path: Path, sandbox: Sandbox) -> None:
    """Write url and credentials, whole or not at all."""
    names = ("url", "wootric_url", "birdie_url")
    content = {name: getattr(sandbox, name) for name in names} | vars(sandbox.credentials)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--port", type=_port, default=DEFAULT_PORT, help="0 for any free one (%(default)s)")
    add("--seed", type=int, default=1, help="what the data is made from (%(default)s)")
    add("--responses", type=_count, default=300, help="how many at first (%(default)s)")
    add("--until", type=_moment, help="newest moment of the data, ISO 8601 (an hour ago)")
    add("--latency", type=float, default=0.0, help="seconds that each Wootric reply takes")
    add("--rate-limit", type=_rate, metavar="N/SECONDS", help="Wootric's limit, such as 100/60")
    add("--birdie-latency", type=float, default=0.0, help="seconds that each Birdie reply takes")
    add("--birdie-rate-limit", type=_count, metavar="N", help="Birdie's limit in any one second")
    add("--set", type=_option, action="append", default=[], metavar="OPTION=VALUE",
        help="any other option, such as updated_filter=false")  # fmt: skip
    add("--fault", type=_fault, action="append", default=[], metavar="NAME[=SHARE]",
        help="let a share of the requests fail, such as 500=0.02")  # fmt: skip
    add("--open", action="store_true", help="show the page in the browser")
    add("--ready-file", type=Path, help="write url and credentials there once it listens, JSON")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        message = f"{text!r} is not a whole number from 0"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return as_datetime(text)
    except ValueError:
        message = f"{text!r} is not a time such as 2024-01-31T12:00:00Z"
        raise argparse.ArgumentTypeError(message) from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        message = f"{text!r} is not a port, 0 to {HIGHEST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _rate(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    try:
        return int(requests), float(seconds or 60)
    except ValueError:
        message = f"{text!r} is not of the form 100/60"
        raise argparse.ArgumentTypeError(message) from None


def _option(text: str) -> tuple[str, object]:
    """Name and value, which is JSON or else plain text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _fault(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name, float(share or 0.1)
    except ValueError:
        message = f"{text!r} is not of the form 500=0.02"
        raise argparse.ArgumentTypeError(message) from None


if __name__ == "__main__":
    sys.exit(main())
