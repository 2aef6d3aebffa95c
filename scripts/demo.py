"""From Wootric to Birdie twice, on this machine alone: all of it, then only what is new or changed.

Both APIs are the sandbox's; tap, target and Meltano are the real ones. The runs have a Meltano
project of their own in a temporary folder, so that state and settings of this one stay as they are.
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
TAIL = 15
GRACE_SECONDS = 5
OURS = ("TAP_WOOTRIC_", "TARGET_BIRDIE_", "MELTANO_")


class DemoError(Exception):
    """The demo cannot show what it promises; the message says why."""


def environment(sandbox: Sandbox) -> dict[str, str]:
    """The environment of a run: nothing of the person's own settings, and the sandbox's address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "MELTANO_ENVIRONMENT": "sandbox",
        "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
        "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def project() -> Iterator[Path]:
    """A Meltano project with this one's definition and plugins, and with nothing else of it."""
    with TemporaryDirectory(prefix="wootric-demo-") as name:
        folder = Path(name)
        shutil.copy(ROOT / "meltano.yml", folder)
        (folder / "output").mkdir()
        (folder / ".meltano").mkdir()
        for plugins in ("extractors", "loaders"):
            (folder / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
        yield folder


def run_meltano(folder: Path, sandbox: Sandbox) -> float:
    """Run the pipeline; returns the seconds that it took.

    Raises:
        DemoError: it failed.
    """
    began = time.monotonic()
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
            code = process.wait()
        finally:
            end_group(process)
    if code:
        lines = log.read_text(errors="replace").splitlines()[-TAIL:]
        raise DemoError("\n".join([f"meltano ended with {code}; its last lines:", *lines]))
    return time.monotonic() - began


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Leave none of the processes that Meltano started."""
    with suppress(ProcessLookupError, PermissionError):  # the group is gone, or its last one dying
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            process.poll()
            time.sleep(0.05)
            os.killpg(process.pid, 0)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def sent(sandbox: Sandbox, since: int) -> dict[str, Counter[str]]:
    """How often each feedback was `created` and `updated` by the PUTs from one number on."""
    found: dict[str, Counter[str]] = {"created": Counter(), "updated": Counter()}
    for put in sandbox.birdie.history[since:]:
        kind, _, record_id = put.path.strip("/").partition("/")
        if kind == "feedbacks":
            found[put.outcome][record_id] += 1
    return found


def live_on(sandbox: Sandbox) -> tuple[set[str], list[str]]:
    """Let time pass at Wootric; returns the ids of the new and of the changed responses."""
    old = sorted(sandbox.store.responses(), key=lambda row: row["created_at"])
    silent = next(row for row in old if not row.get("text"))
    other = next(row for row in old if row is not silent)
    new = sandbox.add_responses(5)
    sandbox.store.comment(silent["id"], "It took me a while to say why: setup was a breeze 🙂")
    sandbox.store.tag(other["id"], "call back")
    print(
        f"Meanwhile at Wootric: {len(new)} new responses, a comment on the old response "
        f"{silent['id']},\na tag on the old response {other['id']}.\n"
    )
    return {str(row["id"]) for row in new}, [str(silent["id"]), str(other["id"])]


def text_to_send(response: dict[str, Any]) -> str | None:
    """The comment; Birdie gets none where it is blank."""
    text = response.get("text")
    return text if text and text.strip() else None


def differences(sandbox: Sandbox) -> Iterator[str]:
    """What Birdie holds otherwise than Wootric."""
    responses = {str(row["id"]): row for row in sandbox.store.responses()}
    feedbacks = sandbox.birdie.records()
    yield from (f"response {name} is missing" for name in sorted(responses.keys() - feedbacks))
    yield from (f"feedback {name} is too many" for name in sorted(feedbacks.keys() - responses))
    for name in sorted(responses.keys() & feedbacks):
        response, feedback = responses[name], feedbacks[name]
        shown: dict[str, Any] = {
            "rating": feedback["kind"]["fields"]["rating"] == response["score"],
            "text": feedback.get("text") == text_to_send(response),
            "tags": feedback["additional_fields"].get("tags", []) == (response.get("tags") or []),
        }
        yield from (f"{part} of response {name} differs" for part in shown if not shown[part])
    people = {str(row["id"]) for row in sandbox.store.end_users()}
    users = sandbox.birdie.records("users")
    yield from (f"end user {name} is missing or too many" for name in sorted(people ^ users.keys()))


def expect(what: str, expected: set[str], found: Counter[str]) -> None:
    """Check that each of these ids was sent once, and no other.

    Raises:
        DemoError: names the ids.
    """
    if wrong := sorted(found.keys() ^ expected):
        raise DemoError(f"{what}: not sent, or sent without cause: {wrong[:9]}")
    if twice := sorted(name for name, times in found.items() if times > 1):
        raise DemoError(f"{what}: these were sent more than once: {twice[:9]}")


def show_run(number: str, folder: Path, sandbox: Sandbox) -> dict[str, Counter[str]]:
    """Run once and tell what Birdie got."""
    before = len(sandbox.birdie.history)
    print(f"{number}  meltano {' '.join(COMMAND)}", end="", flush=True)
    seconds = run_meltano(folder, sandbox)
    got = sent(sandbox, before)
    new, changed = got["created"].total(), got["updated"].total()
    print(f"   ({seconds:.0f} s)")
    print(f"   Birdie got {new + changed} responses: {new} new, {changed} changed.\n")
    return got


def demonstrate(sandbox: Sandbox, folder: Path) -> None:
    """Both runs, and what they must have done."""
    print(f"Wootric holds {sandbox.store.count()} responses, Birdie none.\n")
    first = show_run("1", folder, sandbox)
    expect("First run", {str(row["id"]) for row in sandbox.store.responses()}, first["created"])
    expect("First run, changed", set(), first["updated"])
    new, changed = live_on(sandbox)
    second = show_run("2", folder, sandbox)
    expect("Second run, new", new, second["created"])
    expect("Second run, changed", set(changed), second["updated"])
    shown = changed[0]
    raw = json.loads(sandbox.store.rendered(int(shown)))
    print(
        columns("Response at Wootric", raw, "Feedback at Birdie", sandbox.birdie.records()[shown])
    )
    if wrong := list(differences(sandbox)):
        raise DemoError("\n".join([f"{len(wrong)} differences:", *wrong[:TAIL]]))
    count = sandbox.store.count()
    print(
        f"\nWootric holds {count} responses, Birdie {len(sandbox.birdie.records())}: none is ",
        end="",
    )
    print("missing, none double, none differs.")


def main() -> int:
    """Run the demo; 0 when Birdie got exactly what it should."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with Sandbox() as sandbox, project() as folder:
            demonstrate(sandbox, folder)
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
