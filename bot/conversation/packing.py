"""Steps in buttons: packed, and what came back unpacked."""

import datetime
from dataclasses import fields
from functools import cache

from bot.conversation.steps import STEPS, Step
from bot.languages import LANGUAGES

LONGEST = 64  # bytes of UTF-8 (Bot API, `InlineKeyboardButton.callback_data`)


def pack(step: Step) -> str:
    """`step` as button data; raises `ValueError` when it does not fit."""
    data = ":".join((step.tag, *(getattr(step, name) for name in _names(step.tag))))
    if len(data.encode()) > LONGEST:
        raise ValueError(f"a button holds at most {LONGEST} bytes: {data!r}")
    return data


def unpack(data: str) -> Step | None:
    """The step in button data; None for what no button of ours ever held."""
    if len(data.encode()) > LONGEST:
        return None
    tag, *values = data.split(":")
    step = STEPS.get(tag)
    if step is None or len(values) != len(_names(tag)):
        return None
    unpacked = step(*values)
    return unpacked if unpacked.language in LANGUAGES else None


@cache
def _names(tag: str) -> tuple[str, ...]:
    """The fields of a step."""
    return tuple(field.name for field in fields(STEPS[tag]))


_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 9  # a column of the database holds them
_LONGEST_INSTANT = 6  # signs; six of them last until the year 6000


def pack_instant(at: datetime.datetime) -> str:
    """A moment on the minute, as short as a button likes it: minutes since 1970 in base 36."""
    minutes, packed = int(at.timestamp()) // 60, ""
    while minutes:
        minutes, digit = divmod(minutes, 36)
        packed = _BASE36[digit] + packed
    return packed or "0"


def unpack_instant(packed: str) -> datetime.datetime | None:
    """The moment in a button; None for what `pack_instant` never made."""
    if not 0 < len(packed) <= _LONGEST_INSTANT or not set(packed) <= set(_BASE36):
        return None
    return datetime.datetime.fromtimestamp(int(packed, 36) * 60, datetime.UTC)


def unpack_number(packed: str) -> int | None:
    """The number in a button; None for what is none, or larger than any of ours."""
    return int(packed) if packed.isascii() and packed.isdecimal() and len(packed) <= _MOST_DIGITS else None


def pack_day(day: datetime.date) -> str:
    return f"{day:%Y%m%d}"


def unpack_day(packed: str) -> datetime.date | None:
    """The day in a button; None for what `pack_day` never made."""
    try:
        return datetime.datetime.strptime(packed, "%Y%m%d").replace(tzinfo=datetime.UTC).date()
    except ValueError:
        return None
