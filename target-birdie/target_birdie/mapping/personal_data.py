"""Which names stand for personal data, and how such values are taken out of a record.

Goes by names alone: the API's `ip_address`, `email` and `phone_number`, and whatever is named as an
e-mail address or a phone number, in any spelling (`E-Mail`, `workEmail`, `phone 2`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_QUALIFIERS = frozenset(
    [
        "address",
        "addresses",
        "addr",
        "adresse",
        "number",
        "numbers",
        "no",
        "nr",
        "num",
        "id",
        "home",
        "work",
        "private",
        "business",
        "primary",
        "secondary",
        "main",
        "other",
    ]
)
_PERSONAL = frozenset(
    [
        "email",
        "emails",
        "emailaddress",
        "mail",
        "mails",
        "mailaddress",
        "courriel",
        "correo",
        "phone",
        "phones",
        "phonenumber",
        "telephone",
        "telephonenumber",
        "mobile",
        "mobilephone",
        "mobilenumber",
        "cellphone",
        "msisdn",
        "tel",
        "telefon",
        "telefono",
        "teléfono",
        "téléphone",
    ]
)
_IP_ADDRESSES = (["ip", "address"], ["ip", "addresses"], ["ipaddress"], ["ipaddresses"])


@lru_cache(maxsize=8192)
def is_personal_name(name: str) -> bool:
    """Tell whether a column or property of this name holds an e-mail, a phone number or an IP."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if words[-1:] in _IP_ADDRESSES or words[-2:] in _IP_ADDRESSES:
        return True
    while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit()):
        words.pop()
    return bool(words) and (words[-1] in _PERSONAL or words[-2:] == ["e", "mail"])


def is_personal(name: str, value: Any) -> bool:
    """Tell whether this value is personal data; a flag such as `has_email: true` is not."""
    return is_personal_name(name) and not isinstance(value, bool)


def scrub(value: Any) -> Any:
    """Return a JSON value without the personal data in it, at any depth."""
    if isinstance(value, dict):
        return {k: scrub(v) for k, v in value.items() if not is_personal(k, v)}
    if isinstance(value, list):
        return [scrub(v) if isinstance(v, (dict, list)) else v for v in value]
    return value
