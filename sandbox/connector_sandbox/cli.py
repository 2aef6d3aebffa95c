"""Local stand-ins for the Wootric and Birdie APIs. Ctrl-C or SIGTERM stops them."""

from __future__ import annotations

import argparse
import errno
import json
import signal
import socket
import sys
import webbrowser
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Event

from connector_sandbox.credentials import Credentials
from connector_sandbox.meltano import next_step
from connector_sandbox.page.page import addresses, examples
from connector_sandbox.sandbox import Sandbox
from connector_sandbox.times import as_datetime
from connector_sandbox.web.server import HOST

DEFAULT_PORT = 8765
HIGHEST_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox. The exit code is 0 after a signal, 1 if it cannot start."""
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
        return _failed(_cannot_listen(given, error))
    try:
        _serve(sandbox, given, stopped)
    except OSError as error:
        return _failed(f"Cannot write {given.ready_file} ({error.strerror}).")
    return 0


def _failed(message: str) -> int:
    print(f"sandbox: {message}", file=sys.stderr)
    return 1


def _cannot_listen(given: argparse.Namespace, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"Cannot listen on port {given.port} ({error.strerror})."
    option = f"--port {_free_port(given.port + 1)}"
    command = f'make sandbox ARGS="{option}"' if given.project else f"sandbox {option}"
    return f"Port {given.port} is in use. Use another one: {command}"


def _free_port(first: int) -> int:
    """Return the first free port from a number on."""
    for port in range(first, HIGHEST_PORT):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if candidate.connect_ex((HOST, port)):
                return port
    return 0


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
        print(addresses(sandbox.url))
        if given.project is None:
            print(examples(sandbox.url), flush=True)
        else:
            print(next_step(given.project, _variables(sandbox)), flush=True)
        if ready_file is not None:
            _write_ready(ready_file, sandbox)
        if given.open:
            webbrowser.open(sandbox.url)
        stopped.wait()
    finally:
        sandbox.stop()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def _variables(sandbox: Sandbox) -> dict[str, str]:
    """Return the settings that differ from those in meltano.yml."""
    if sandbox.url.endswith(f":{DEFAULT_PORT}"):
        return {}
    names = "TAP_WOOTRIC_API_URL", "TARGET_BIRDIE_API_URL"
    return dict(zip(names, (sandbox.wootric_url, sandbox.birdie_url), strict=True))


def _write_ready(path: Path, sandbox: Sandbox) -> None:
    """Write addresses and credentials as one atomic step."""
    names = ("url", "wootric_url", "birdie_url")
    content = {name: getattr(sandbox, name) for name in names} | asdict(Credentials())
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--port", type=_port, default=DEFAULT_PORT, help="0 for any free port (%(default)s)")
    add("--seed", type=int, default=1, help="seed of the sample data (%(default)s)")
    add("--responses", type=_count, default=300, help="number of responses (%(default)s)")
    add("--until", type=_moment, help="newest time of the data, ISO 8601 (one hour ago)")
    add("--latency", type=float, default=0.0, help="delay of each Wootric reply in seconds")
    add("--rate-limit", type=_rate, metavar="N/SECONDS", help="Wootric's limit, such as 100/60")
    add("--birdie-latency", type=float, default=0.0, help="delay of each Birdie reply in seconds")
    add("--birdie-rate-limit", type=_count, metavar="N", help="Birdie's limit per second")
    add("--set", type=_option, action="append", default=[], metavar="OPTION=VALUE",
        help="any other option, such as updated_filter=false")  # fmt: skip
    add("--fault", type=_fault, action="append", default=[], metavar="NAME[=SHARE]",
        help="a fault for a share of the requests, such as 500=0.02")  # fmt: skip
    add("--open", action="store_true", help="open the page in the browser")
    add("--ready-file", type=Path, help="file for url and credentials, written once it listens")
    add("--project", type=Path, help="Meltano project: print the command to run there next")
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
        message = f"{text!r} is not a port from 0 to {HIGHEST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _rate(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    try:
        return int(requests), float(seconds or 60)
    except ValueError:
        message = f"{text!r} does not have the form 100/60"
        raise argparse.ArgumentTypeError(message) from None


def _option(text: str) -> tuple[str, object]:
    """Return name and value; the value is JSON or else plain text."""
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
        message = f"{text!r} does not have the form 500=0.02"
        raise argparse.ArgumentTypeError(message) from None


if __name__ == "__main__":
    sys.exit(main())
