"""What a person sees when `meltano run` fails at the target: our line, and no stack trace."""

from __future__ import annotations

import re

import pytest

from .commands import Run

pytestmark = pytest.mark.long
CASES = {
    "wrong key": ({"API_KEY": "wrong"}, "Birdie rejected the key (401). Check api_key."),
    "missing key": ({"API_KEY": ""}, "Setting 'api_key' is missing."),
    "wrong path": (
        {"FEEDBACK_PATH": "/nothing/{feedback_id}"},
        "Birdie replies 404, no success. Check feedback_path, user_path and api_url.",
    ),
    "unreachable host": (
        {"API_URL": "http://127.0.0.1:9", "RETRY_BUDGET_SECONDS": "2"},
        "It never answered. Check api_url and the proxy, or run again later.",
    ),
    "a mapping that rejects everything": (
        {
            "STREAMS": '{"responses": {"record_type": "feedback", "fields": {"feedback_id": "id", '
            '"rating": "text", "posted_at": "created_at"}}}'
        },
        "records were rejected, more than max_rejects.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_meltano_shows_our_line_and_its_own_summary(case: str, meltano: Run):
    """The line of the target is followed only by Meltano's own lines."""
    changes, line = CASES[case]
    variables = {f"TARGET_BIRDIE_{name}": value for name, value in changes.items()}
    done = meltano("run", "tap-wootric", "target-birdie", **variables)
    lines = done.stderr.splitlines()
    (ours,) = (number for number, text in enumerate(lines) if "Error: " in text and line in text)
    after = [text for text in lines[ours + 1 :] if re.search(r"cmd_type=elb|Traceback", text)]

    assert done.returncode == 1
    assert ("Traceback" in done.stderr, "BrokenPipeError" in done.stderr) == (False, False)
    assert [text for text in after if "target-birdie" in text] == []
