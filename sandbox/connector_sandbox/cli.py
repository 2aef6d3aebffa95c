"""`sandbox`: both APIs in the foreground until a signal comes."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from threading import Event

from connector_sandbox.page import addresses
from connector_sandbox.sandbox import Sandbox

DEFAULT_PORT = 8765


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox; the exit code is 0 after SIGTERM or Ctrl-C, 1 when the port is taken."""
    given = _parser().parse_args(arguments)
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    sandbox = Sandbox(given.seed, given.responses, given.port)
    for name in ("latency", "rate_limit", "birdie_latency", "birdie_rate_limit"):
        setattr(sandbox.options, name, getattr(given, name))
    try:
        sandbox.start()
    except OSError as error:
        print(f"sandbox: cannot listen on port {given.port}: {error.strerror}", file=sys.stderr)
        return 1
    print(addresses(sandbox), flush=True)
    try:
        _write_ready(given.ready_file, sandbox)
        stopped.wait()
    finally:
        sandbox.stop()
        if given.ready_file is not None:
            given.ready_file.unlink(missing_ok=True)
    return 0


def _write_ready(path: Path | None, sandbox: Sandbox) -> None:
    """Write url and credentials, whole or not at all."""
    if path is None:
        return
    urls = {
        "url": sandbox.url,
        "wootric_url": sandbox.wootric_url,
        "birdie_url": sandbox.birdie_url,
    }
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(urls | vars(sandbox.credentials)))
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=DEFAULT_PORT, help="0 for any free one (default: %(default)s)")
    add("--seed", type=int, default=1, help="what the data is made from (default: %(default)s)")
    add("--responses", type=int, default=300, help="how many at first (default: %(default)s)")
    add("--latency", type=float, default=0.0, help="seconds that each Wootric reply takes")
    add("--rate-limit", type=_rate, metavar="N/SECONDS", help="Wootric's limit, such as 100/60")
    add("--birdie-latency", type=float, default=0.0, help="seconds that each Birdie reply takes")
    add("--birdie-rate-limit", type=int, metavar="N", help="Birdie's limit in any one second")
    add("--ready-file", type=Path, help="write url and credentials there once it listens, JSON")
    return parser


def _rate(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    try:
        return int(requests), float(seconds or 60)
    except ValueError:
        message = f"{text!r} is not of the form 100/60"
        raise argparse.ArgumentTypeError(message) from None


if __name__ == "__main__":
    sys.exit(main())
