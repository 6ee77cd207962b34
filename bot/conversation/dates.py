"""Days and times as a language writes them (CLDR), on the clock of Brussels."""

import datetime

from babel.dates import format_date, format_skeleton, get_day_names

from bot.languages import LANGUAGES, Language
from bot.scheduling import BRUSSELS, is_doubled
from bot.understanding.normalise import fold, words

_SHORTEST_WITH_ENDING = 4
# CLDR's short dates have the month before the day in Dari and Pashto, and Kinyarwanda months in Kirundi.
_LONG_MONTHS = ("prs", "ps", "rn")


def day_in_full(at: datetime.datetime | datetime.date, language: Language) -> str:
    """`woensdag 2 december 2026`"""
    day = _local_day(at)
    written = format_date(day, "full", locale=language.cldr)
    return written.replace(" 1 ", " 1er ", 1) if language.code == "fr" and day.day == 1 else written


def day_in_short(day: datetime.date, language: Language) -> str:
    """`wo 2 dec`, for a button."""
    if language.code in _LONG_MONTHS:
        return format_date(day, "EEEE d MMMM", locale=language.cldr)
    try:
        return format_skeleton("MMMEd", day, locale=language.cldr)
    except KeyError:  # CLDR does not have this form for every language
        return format_date(day, "EEE d MMM", locale=language.cldr)


def time_of(at: datetime.datetime, language: Language) -> str:
    """`13:30`, as every clock in Belgium shows it; in the hour that it shows twice also how far it is from UTC.

    In no language the twelve hours of CLDR: in several of ours people count hours from six in the morning, and half
    past one could be any of three.
    """
    local = at.astimezone(BRUSSELS)
    shown = f"{local:%H:%M}"
    return f"{shown} (UTC{local:%z})" if is_doubled(at) else shown


def day_and_time(at: datetime.datetime, language: Language) -> str:
    """`woensdag 2 december 2026, 13:30`"""
    return language.comma.join((day_in_full(at, language), time_of(at, language)))


def weekday_in(text: str, language: Language) -> int | None:
    """The weekday (0 is Monday) that is named in `text`, in this language, Dutch or English; None without one.

    Names take endings in many languages: all but the last letter has to be the same.
    """
    said = words(fold(text))
    for spoken in (language, LANGUAGES["nl"], LANGUAGES["en"]):
        for width in ("wide", "abbreviated"):
            for number, name in get_day_names(width, locale=spoken.cldr).items():
                if _names(said, words(fold(name)), whole=width != "wide"):
                    return int(number)
    return None


def _names(said: list[str], name: list[str], *, whole: bool) -> bool:
    if len(name) > 1 and all(len(sign) == 1 for sign in name):  # Chinese, sign by sign
        return any(said[start : start + len(name)] == name for start in range(len(said)))
    telling = name[-1]
    if whole or len(telling) < _SHORTEST_WITH_ENDING:
        return False
    return any(word[: len(telling) - 1] == telling[:-1] and len(word) <= len(telling) + 1 for word in said)


def _local_day(at: datetime.datetime | datetime.date) -> datetime.date:
    return at.astimezone(BRUSSELS).date() if isinstance(at, datetime.datetime) else at
