"""Which names hold personal data, by the words in `personal_data.toml`."""

import re
import tomllib
import unicodedata
from importlib.resources import files

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_GERMAN = re.compile("([aou])e")  # an umlaut spelled out


def words(name: str) -> list[str]:
    """Split a name into comparable words: lower case, no accents, no plural, no digits."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    found = (word.casefold().removesuffix("s") for word in _WORD.findall(plain))
    return [_GERMAN.sub(r"\1", word) for word in found if not word.isdigit()]


def _load(table: str) -> frozenset[str]:
    return frozenset("".join(words(name)) for names in _TABLES[table].values() for name in names)


_TABLES = tomllib.loads(files(__package__).joinpath("personal_data.toml").read_text("utf-8"))
_ENDS, _WHOLE, _QUALIFIERS = _load("ends"), _load("whole"), _load("qualifiers")


def is_personal_name(name: str) -> bool:
    """Return whether a column or property of this name holds personal data."""
    found = words(name)
    while found:
        if any("".join(found[start:]) in _ENDS for start in range(len(found))):
            return True
        if found[-1] not in _QUALIFIERS:
            break
        found.pop()
    return "".join(word for word in words(name) if word not in _QUALIFIERS) in _WHOLE
