"""Searches in buttons: `m.lps.dw` is a course on society in Pashto at the weekend."""

from collections.abc import Mapping, Sequence

from bot.offers.model import (
    ACTIVITIES,
    AUDIENCES,
    BANDS,
    FIELDS,
    FIELDS_OF,
    KINDS,
    LEVELS,
    OLDEST,
    PARTS,
    WEEKDAYS,
    WEEKEND,
    Kind,
)
from bot.offers.search import Search, Wish

_LONGEST = 44  # of the 64 bytes of a button; the rest is its tag, the language, the kind and a number

_SHORT = {WEEKEND: "w", WEEKDAYS: "k"}
_LONG = {short: long for long, short in _SHORT.items()}
_VALUES: Mapping[str, Sequence[str]] = {
    "audience": AUDIENCES,
    "level": tuple(LEVELS),
    "form": ("class", "online"),
    "part": (*PARTS, "day"),
    "holidays": ("",),
    "free": ("",),
    "activity": ACTIVITIES,
    "month": tuple(str(number) for number in range(1, 13)),
    "day": (*map(str, range(7)), WEEKEND, WEEKDAYS),
}


def pack_search(search: Search) -> str:
    """A search for a button, such as `m.lps.dw`; where all of it does not fit, the wishes that matter least go."""
    letters = {name: letter for letter, name in FIELDS.items()}
    order = list(FIELDS.values())
    packed = KIND_LETTERS[search.kind]
    for wish in sorted(search.wishes, key=lambda wish: (order.index(wish.field), wish.value)):
        part = f".{letters[wish.field]}{_short(wish)}"
        if len(packed) + len(part) <= _LONGEST:
            packed += part
    return packed


def unpack_search(packed: str) -> Search | None:
    """The search in a button; None for what `pack_search` never made."""
    letter, *parts = packed.split(".")
    kind = next((kind for kind in KINDS if KIND_LETTERS[kind] == letter), None)
    wishes = [_unpacked(part) for part in parts]
    if kind is None or None in wishes:
        return None
    return Search(kind, frozenset(wish for wish in wishes if wish and wish.field in FIELDS_OF[kind]))


KIND_LETTERS: Mapping[Kind, str] = {
    "mo": "m",
    "dutch": "d",
    "practise": "p",
    "leisure": "l",
    "buddies": "b",
    "infosessions": "i",
}


def _short(wish: Wish) -> str:
    return _SHORT.get(wish.value, wish.value[:1] if wish.field in ("audience", "level", "form", "part") else wish.value)


def _unpacked(part: str) -> Wish | None:
    name, short = FIELDS.get(part[:1], ""), part[1:]
    if name in ("audience", "level", "form", "part"):
        value = next((value for value in _VALUES[name] if value[0] == short), None)
    else:
        value = _LONG.get(short, short) if name == "day" else short
    if value is None or not _is_known(name, value):
        return None
    return Wish(name, value)


def _is_known(name: str, value: str) -> bool:
    match name:
        case "age":
            return value in BANDS or (value.isascii() and value.isdecimal() and 0 < int(value[:3]) <= OLDEST)
        case "language" | "neighbourhood":
            return bool(value) and len(value) <= 20 and all(sign.isalnum() or sign == "-" for sign in value)
        case _:
            return name in _VALUES and value in _VALUES[name]
