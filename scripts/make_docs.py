"""Write everything in documents and definitions that is generated from the code.

With --check, change nothing, name the files that are out of date, and exit with 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import definitions
import pages
from plugins import PLUGINS, TAP

ROOT = Path(__file__).parents[1]


def between(text: str, start: str, end: str, content: str) -> str:
    """Replace the text between two markers.

    Raises:
        ValueError: A marker is missing.
    """
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        message = f"{start!r} followed by {end!r} is missing"
        raise ValueError(message)
    return f"{before}{start}{content}{end}{after}"


def documents() -> Iterator[tuple[Path, str]]:
    """Yield each generated file and its content."""
    meltano = (ROOT / "meltano.yml").read_text()
    for plugin in PLUGINS:
        name = plugin.name
        end = "    # `make docs` writes the lines from 'capabilities' to here\n"
        content = definitions.in_project(plugin)
        meltano = between(meltano, f"    executable: {name}\n", end, content)
        yield ROOT / f"docs/hub/{name}.yml", definitions.definition(plugin)
    yield ROOT / "meltano.yml", meltano
    yield ROOT / ".env.example", definitions.env_example()
    yield _page("settings", {plugin.name: pages.settings(plugin) for plugin in PLUGINS})
    yield _page("streams", {TAP.name: pages.streams()})
    yield _page("troubleshooting", {plugin.name: pages.errors(plugin) for plugin in PLUGINS})


def _page(name: str, parts: dict[str, str]) -> tuple[Path, str]:
    path = ROOT / f"docs/{name}.md"
    text = path.read_text()
    for part, content in parts.items():
        text = between(text, f"<!-- {part} -->\n", f"<!-- /{part} -->\n", content)
    return path, text


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    stale = [
        (path, text) for path, text in documents() if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date, run make docs' if check else 'written'}")
        if not check:
            path.write_text(text)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
