"""What a person sees when `meltano run` fails at the target: our line, and no stack trace."""

import json
import re

import pytest

from .conftest import Meltano

FIELDS = {"feedback_id": "id", "rating": "text", "posted_at": "created_at"}
STREAMS = json.dumps({"responses": {"record_type": "feedback", "fields": FIELDS}})


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"API_KEY": "wrong"}, "Birdie rejected the key (401). Check api_key."),
        ({"API_KEY": ""}, "Setting 'api_key' is missing."),
        ({"FEEDBACK_PATH": "/no/{feedback_id}"}, "Check feedback_path"),
        ({"API_URL": "http://127.0.0.1:9", "RETRY_BUDGET_SECONDS": "2"}, "It never answered."),
        ({"STREAMS": STREAMS, "MAX_REJECTS": "9"}, "records were rejected, more than max_rejects"),
    ],
    ids=["wrong key", "missing key", "wrong path", "unreachable host", "everything is rejected"],
)
def test_meltano_shows_our_line_and_its_own_summary(
    changes: dict[str, str], line: str, meltano: Meltano
):
    """The line of the target is followed only by Meltano's own lines."""
    variables = {f"TARGET_BIRDIE_{name}": value for name, value in changes.items()}
    done = meltano("run", "tap-wootric", "target-birdie", **variables)
    lines = done.stderr.splitlines()
    (ours,) = (number for number, text in enumerate(lines) if "Error: " in text and line in text)
    after = [text for text in lines[ours + 1 :] if re.search(r"cmd_type=elb|Traceback", text)]

    assert done.returncode == 1
    assert ("Traceback" in done.stderr, "BrokenPipeError" in done.stderr) == (False, False)
    assert [text for text in after if "target-birdie" in text] == []
