"""What several tests of the sandbox use."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

FOLDER = Path(__file__).parent
_DOCUMENTED = tomllib.loads((FOLDER / "documented.toml").read_text())
FIELDS = {kind: set(names.split()) for kind, names in _DOCUMENTED["fields"].items()}
REPORTS = {name: names.split() for name, names in _DOCUMENTED["reports"].items()}

Json = dict[str, Any]
Put = Callable[..., requests.Response]


def nps(**fields: Any) -> Json:
    """Return the kind of an NPS feedback."""
    return {"name": "nps", "fields": fields}


def feedback(record_id: object = "7", **changes: Any) -> Json:
    """Return a complete and valid body with changes."""
    body = {
        "feedback_id": str(record_id),
        "kind": nps(rating=9, author_id="3"),
        "text": "Fine",
        "posted_at": "2031-05-01T12:00:00+00:00",
        "additional_fields": {"plan": "pro", "nothing": None},
        "batch_id": "b1",
    }
    return body | changes
