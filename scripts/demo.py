"""Run the pipeline twice on this machine: first all records, then only new and changed ones.

The sandbox serves both APIs. Meltano runs the tap and the target in a temporary project, so that
the state and the settings of this project do not change.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector_sandbox import Sandbox
from side_by_side import columns

ROOT = Path(__file__).parents[1]
MELTANO = Path(sys.executable).with_name("meltano")
COMMAND = ["run", "tap-wootric", "target-birdie"]
LAST_LINES = 15
GRACE_SECONDS = 5
OWN_VARIABLES = ("TAP_WOOTRIC_", "TARGET_BIRDIE_", "MELTANO_")


class DemoError(Exception):
    """A run failed, or Birdie does not have what Wootric has."""


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of a run: the sandbox's addresses, and none of the user's settings."""
    kept = {k: value for k, value in os.environ.items() if not k.startswith(OWN_VARIABLES)}
    return kept | {
        "MELTANO_ENVIRONMENT": "sandbox",
        "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
        "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def project() -> Iterator[Path]:
    """Create a temporary Meltano project with the definition and the plugins of this one."""
    with TemporaryDirectory(prefix="wootric-demo-") as name:
        folder = Path(name)
        shutil.copy(ROOT / "meltano.yml", folder)
        (folder / "output").mkdir()
        (folder / ".meltano").mkdir()
        for plugins in ("extractors", "loaders"):
            (folder / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
        yield folder


def run_meltano(folder: Path, sandbox: Sandbox) -> None:
    """Run the pipeline, and print a dot every second.

    Raises:
        DemoError: Meltano failed.
    """
    log = folder / "run.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [MELTANO, *COMMAND],
            cwd=folder,
            env=environment(sandbox),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                print(".", end="", flush=True)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(1)
        finally:
            end_group(process)
    if process.returncode:
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        raise DemoError("\n".join([f"Meltano failed (exit code {process.returncode}):", *lines]))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End all processes that Meltano started."""
    with suppress(ProcessLookupError, PermissionError):  # the group has ended, or is ending
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            process.poll()
            time.sleep(0.05)
            os.killpg(process.pid, 0)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def received(sandbox: Sandbox, since: int) -> dict[str, Counter[str]]:
    """Count how often Birdie created and updated each feedback, from one request on."""
    found: dict[str, Counter[str]] = {"created": Counter(), "updated": Counter()}
    for put in sandbox.birdie.history[since:]:
        kind, _, record_id = put.path.strip("/").partition("/")
        if kind == "feedbacks":
            found[put.outcome][record_id] += 1
    return found


def change_wootric(sandbox: Sandbox) -> tuple[set[str], list[str]]:
    """Add and change responses; return the ids of the new and of the changed ones."""
    old = sorted(sandbox.store.responses(), key=lambda row: row["created_at"])
    commented = next(row["id"] for row in old if not row.get("text"))
    tagged = next(row["id"] for row in old if row["id"] != commented)
    new = sandbox.add_responses(5)
    sandbox.store.comment(commented, "It took me a while to say why: setup was a breeze 🙂")
    sandbox.store.tag(tagged, "call back")
    print(
        f"Changes in Wootric: {len(new)} new responses, a late comment on response {commented}, "
        f"a late tag on response {tagged}."
    )
    return {str(row["id"]) for row in new}, [str(commented), str(tagged)]


def sent_text(response: dict[str, Any]) -> str | None:
    """Return the comment of a response, or None if it is blank."""
    text = response.get("text")
    return text if text and text.strip() else None


def differences(sandbox: Sandbox) -> Iterator[str]:
    """Describe each record that is missing, extra or different in Birdie."""
    responses = {str(row["id"]): row for row in sandbox.store.responses()}
    feedbacks = sandbox.birdie.records()
    yield from (f"response {name} is missing" for name in sorted(responses.keys() - feedbacks))
    yield from (f"feedback {name} is extra" for name in sorted(feedbacks.keys() - responses))
    for name in sorted(responses.keys() & feedbacks):
        response, feedback = responses[name], feedbacks[name]
        equal = {
            "rating": feedback["kind"]["fields"]["rating"] == response["score"],
            "text": feedback.get("text") == sent_text(response),
            "tags": feedback["additional_fields"].get("tags", []) == (response.get("tags") or []),
        }
        yield from (f"{part} of response {name} differs" for part in equal if not equal[part])
    people = {str(row["id"]) for row in sandbox.store.end_users()}
    users = sandbox.birdie.records("users")
    yield from (f"end user {name} is missing or extra" for name in sorted(people ^ users.keys()))


def expect(what: str, expected: set[str], found: Counter[str]) -> None:
    """Check that Birdie received each of these ids once, and no other.

    Raises:
        DemoError: Names the ids.
    """
    if wrong := sorted(found.keys() ^ expected):
        raise DemoError(f"{what}: missing or unexpected: {wrong[:9]}")
    if twice := sorted(name for name, times in found.items() if times > 1):
        raise DemoError(f"{what}: received more than once: {twice[:9]}")


def run_once(number: int, folder: Path, sandbox: Sandbox) -> dict[str, Counter[str]]:
    """Run the pipeline and print what Birdie received."""
    before, start = len(sandbox.birdie.history), time.monotonic()
    print(f"{number}. meltano {' '.join(COMMAND)} ", end="", flush=True)
    run_meltano(folder, sandbox)
    found = received(sandbox, before)
    new, changed = found["created"].total(), found["updated"].total()
    print(f" {time.monotonic() - start:.0f} s")
    print(f"   Birdie received {new + changed} responses: {new} new, {changed} changed.")
    return found


def demonstrate(sandbox: Sandbox, folder: Path) -> str:
    """Do both runs and check them; return the id of a response that changed between them."""
    print(f"A sandbox serves both APIs: {sandbox.store.count()} responses in Wootric, 0 in Birdie.")
    first = run_once(1, folder, sandbox)
    expect("First run", {str(row["id"]) for row in sandbox.store.responses()}, first["created"])
    expect("First run, changed", set(), first["updated"])
    new, changed = change_wootric(sandbox)
    second = run_once(2, folder, sandbox)
    expect("Second run, new", new, second["created"])
    expect("Second run, changed", set(changed), second["updated"])
    if wrong := list(differences(sandbox)):
        raise DemoError("\n".join([f"{len(wrong)} differences:", *wrong[:LAST_LINES]]))
    count = sandbox.store.count()
    print(f"Checked all {count} responses: 0 missing, 0 duplicates, 0 differences.")
    print("Next: 'make sandbox' shows both APIs in your browser and prints the command to run.")
    return changed[0]


def main(arguments: list[str]) -> int:
    """Run the demo; `--records` also prints a response and its feedback side by side."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with Sandbox() as sandbox, project() as folder:
            shown = demonstrate(sandbox, folder)
            if "--records" in arguments:
                raw = json.loads(sandbox.store.rendered(int(shown)))
                feedback = sandbox.birdie.records()[shown]
                print(columns("Response in Wootric", raw, "Feedback in Birdie", feedback))
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
