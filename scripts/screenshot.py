"""Take the screenshot of the sandbox page for the README. Needs chromium."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from connector_sandbox import Sandbox

TARGET = Path(__file__).parents[1] / "docs/sandbox.png"
BIN = Path(sys.executable).parent
CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--window-size=1200,760 --virtual-time-budget=5000"
)


def main() -> None:
    """Sync the sandbox once, change two responses, and save what a browser shows of its page."""
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tap = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        target = {"api_key": sandbox.api_key, "max_requests_per_second": 0, "store_url": "none"}
        settings = {
            "tap": tap | {"api_url": sandbox.wootric_url},
            "target": target | {"api_url": sandbox.birdie_url, "on_reject": "stop"},
        }
        for command, values in settings.items():
            (folder / f"{command}.json").write_text(json.dumps(values))
        pipe = f"{BIN}/tap-wootric --config tap.json | {BIN}/target-birdie --config target.json"
        subprocess.run(pipe, shell=True, cwd=folder, check=True, capture_output=True)
        newest = sorted(sandbox.store.responses(), key=lambda row: row["created_at"])[-2:]
        sandbox.store.comment(newest[0]["id"], "I decided to explain my score after all.")
        sandbox.store.tag(newest[1]["id"], "late tag")
        browser = [*CHROMIUM.split(), f"--user-data-dir={folder}/profile"]
        browser += [f"--screenshot={TARGET}", sandbox.url]
        sys.exit(subprocess.run(browser, check=False, stderr=subprocess.DEVNULL).returncode)


if __name__ == "__main__":
    main()
