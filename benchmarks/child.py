"""Running a command and measuring it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LONGEST_SECONDS = 900
NOTHING = Path(os.devnull)
BYTES_A_UNIT = 1 if sys.platform == "darwin" else 1024
"""What `ru_maxrss` counts in."""


class CommandError(Exception):
    """A command has failed; the text says which, and its last words."""


@dataclass(frozen=True)
class Usage:
    """What a command took: seconds of the clock and of the processor, peak memory in MB."""

    wall: float
    processor: float
    memory: float


def script(name: str, *arguments: str) -> list[str]:
    """The command for a script of this folder."""
    return [sys.executable, str(Path(__file__).with_name(name)), *arguments]


def tool(name: str, *arguments: str) -> list[str]:
    """The command for a tool of this environment."""
    return [str(Path(sys.executable).with_name(name)), *arguments]


def run(command: list[str], folder: Path, source: Path = NOTHING) -> Usage:
    """Run a command in a folder, where its output is left in the file `out`.

    The system counts as peak memory of a child at least that of its parent: so the process that
    calls this imports neither the SDK nor the sandbox.

    Args:
        command: What to run.
        folder: Where; the command's log is left there too.
        source: File that the command reads as its input.

    Raises:
        CommandError: It did not end with 0, or not in time.
    """
    out, log = folder / "out", folder / "log"
    with out.open("wb") as written, log.open("wb") as logged, source.open("rb") as given:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=written, stderr=logged, cwd=folder)
        usage = _waited(process)
        wall = time.perf_counter() - began
    if process.returncode:
        words = log.read_text(errors="replace").strip().rpartition("\n")[2]
        message = f"{Path(command[0]).name} {Path(command[1]).name} ended with exit code "
        raise CommandError(f"{message}{process.returncode}: {words}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES_A_UNIT / 1e6)


def _waited(process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Wait for a child, which is not left behind, and return what it used."""
    guard = threading.Timer(LONGEST_SECONDS, process.kill)
    guard.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        guard.cancel()
    return usage
