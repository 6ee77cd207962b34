"""Offers: courses and activities, and the words by which their fields are called. No input or output."""

import datetime
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mo", "dutch", "practise", "leisure", "buddies", "infosessions"]
KINDS: tuple[Kind, ...] = ("mo", "dutch", "practise", "leisure", "buddies", "infosessions")
BEGIN_TOGETHER = ("mo", "dutch")  # whoever is not there on the first day cannot join

PARTS = ("morning", "afternoon", "evening")
FORMS = ("class", "online", "blended")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "beginner": ("A0", "A1"),
    "some": ("A1", "A2"),
    "advanced": ("B1", "B2", "C1"),
}
AUDIENCES = ("women", "families", "children", "young", "ukrainians", "illiterate")
SPORTS = ("football", "swim", "dance", "cycling", "running", "walking", "gym", "martial", "basket", "fitness")
_ARTS = ("music", "singing", "art", "theatre", "cooking", "reading", "sewing", "games", "nature")
ACTIVITIES = (*SPORTS, *_ARTS, "camp", "sport")
WEEKEND, WEEKDAYS = "weekend", "weekdays"
ADULT, OLDEST = 18, 120
BANDS = ("0-5", "6-11", "12-17", "18-120")  # of ages, as one is asked for them

# The fields of a wish, by the letter that stands for each in a button. The first ones matter most to a person.
FIELDS: Mapping[str, str] = {
    "l": "language",
    "k": "activity",
    "g": "audience",
    "a": "age",
    "v": "level",
    "n": "neighbourhood",
    "f": "form",
    "d": "day",
    "p": "part",
    "h": "holidays",
    "m": "month",
    "y": "free",
}
# What somebody may give up wholly and still find what they came for: when, where and how, but not what and for whom.
MOMENTS = frozenset(("neighbourhood", "form", "day", "part", "holidays", "month", "free"))
# What one can wish of each kind. A language is what a course is given in: Dutch lessons are in Dutch.
_MOMENT = ("form", "day", "part", "month", "holidays", "neighbourhood", "free", "audience", "age")
FIELDS_OF: Mapping[Kind, tuple[str, ...]] = {
    "mo": ("language", *_MOMENT),
    "dutch": ("level", *_MOMENT),
    "practise": ("level", "activity", *_MOMENT),
    "leisure": ("activity", *_MOMENT),
    "buddies": ("language", "activity", *_MOMENT),
    "infosessions": ("language", *_MOMENT),
}


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A part of Ghent. `also`: other spellings; `near`: those beside it."""

    code: str
    name: str
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """One course or activity. `days` from 0 (Monday); without days or parts, they are agreed with each person.

    `price`: euros, `at_most` so many. `enrol`: the slug of an entry, `book:` and a permanence, or nothing where the
    link says how.
    """

    id: str
    kind: Kind
    name: str
    language: str = ""
    levels: tuple[str, ...] = ()
    form: str = "class"
    days: Set[int] = frozenset()
    parts: Set[str] = frozenset()
    holidays: bool = False
    place: str = ""
    neighbourhood: str = ""
    first: datetime.date | None = None
    last: datetime.date | None = None
    youngest: int | None = None
    oldest: int | None = None
    price: float | None = None
    at_most: bool = False
    free: bool = False
    audience: Set[str] = frozenset()
    activity: str = ""
    organiser: str = ""
    link: str = ""
    enrol: str = ""
    valid_until: datetime.date | None = None
    full: bool = False
    example: bool = False

    def is_open(self, today: datetime.date) -> bool:
        """Whether one can still join on `today`."""
        if self.full or (self.valid_until and self.valid_until < today):
            return False
        if self.first and self.first < today and (self.kind in BEGIN_TOGETHER or self.last is None):
            return False
        return self.last is None or self.last >= today
