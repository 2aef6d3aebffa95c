"""What several tests of the sandbox use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

Put = Callable[..., requests.Response]


def feedback(record_id: object = "7", **changes: Any) -> dict[str, Any]:
    """A complete and valid body."""
    body = {
        "feedback_id": str(record_id),
        "kind": {"name": "nps", "fields": {"rating": 9, "author_id": "3"}},
        "text": "Fine",
        "posted_at": "2031-05-01T12:00:00+00:00",
        "additional_fields": {"plan": "pro", "nothing": None},
        "batch_id": "b1",
    }
    return body | changes
