"""A bar chart of records per second, as SVG for a light or dark page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, LABELS, VALUES = 720, 190, 60
ROW, GAP = 20, 18
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
rect { fill: #8c959f }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #4493f8 } }
"""


def svg(groups: Mapping[str, Mapping[str, float]]) -> str:
    """Return a chart with a group of bars for each title.

    Args:
        groups: Records per second by contestant, by title. Each group has its own scale.
    """
    parts, y = [], GAP
    for title, bars in groups.items():
        parts.append(f'<text class="title" x="0" y="{y}">{escape(title)}: records/s</text>')
        scale = (WIDTH - LABELS - VALUES) / max(bars.values())
        for name, value in bars.items():
            y += ROW
            kind = "ours" if name.startswith("tap-wootric") else "other"
            width = value * scale
            parts += [
                f'<text x="{LABELS - 8}" y="{y}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{kind}" x="{LABELS}" y="{y - 12}" width="{width:.1f}" height="15"/>',
                f'<text x="{LABELS + width + 6:.1f}" y="{y}">{value:,.0f}</text>',
            ]
        y += ROW + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - GAP}" role="img">'
    name = "<title>Records per second of tap-wootric, a bare loop and a plain SDK tap</title>"
    return "\n".join([head, name, f"<style>{STYLE}</style>", *parts, "</svg>", ""])
