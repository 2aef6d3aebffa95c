"""A process that has loaded the tap, and forks itself for each run: faster than loading it again.

Asked on its standard input, a line of JSON a run: the file to write to, the options, and variables
of the environment. It answers with the number of the run's process, and when that has ended with
its exit code.
"""

from __future__ import annotations

import json
import os
import sys

from tap_wootric.tap import TapWootric


def run(path: str, options: list[str], env: dict[str, str]) -> None:
    """Be the tap."""
    os.environ.update(env)
    for number, name in ((0, os.devnull), (1, path), (2, f"{path}.log")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    TapWootric.cli(options)


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        arguments = json.loads(line)
        process = os.fork()
        if not process:
            run(*arguments)
        print(process, flush=True)  # noqa: T201 - the answer
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
