"""The surveys of the account. The kind of a survey determines the scale of its scores."""

from __future__ import annotations

from typing import NamedTuple


class Survey(NamedTuple):
    """One survey: its kind (`nps`, `csat` or `ces`) and its scores, frequent ones repeated."""

    kind: str
    scores: tuple[int, ...]


NPS = Survey("nps", (0, 2, 4, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10))
CSAT_TO_10 = Survey("csat", (1, 3, 5, 7, 8, 8, 9, 10, 10))
CSAT_TO_5 = Survey("csat", (1, 2, 3, 4, 4, 5, 5))
CES = Survey("ces", (1, 2, 4, 5, 6, 6, 7, 7))

SURVEYS = {10: NPS, 11: NPS, 12: CSAT_TO_10, 13: NPS, 14: CSAT_TO_5, 15: CES}
"""The surveys by `survey_id`. No documented field of a response names the kind."""


def kind_of(survey_id: object) -> str:
    """Return the kind of a survey: `nps` for unknown ids."""
    return SURVEYS.get(survey_id, NPS).kind if isinstance(survey_id, int) else NPS.kind
