"""What somebody wishes of an offer, and which offers meet it.

A wish is one value of one field: the evening, Arabic, Ledeberg. Wishes for the same field are alternatives; those for
different fields must all be met. What an offer leaves open meets a wish only where that cannot mislead.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

from bot.offers.model import (
    ADULT,
    BANDS,
    FIELDS,
    FIELDS_OF,
    LEVELS,
    MOMENTS,
    OLDEST,
    SPORTS,
    WEEKDAYS,
    WEEKEND,
    Kind,
    Neighbourhood,
    Offer,
)


@dataclass(frozen=True, slots=True, order=True)
class Wish:
    """One value of one field."""

    field: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for."""

    kind: Kind
    wishes: frozenset[Wish] = field(default_factory=frozenset)

    def of(self, name: str) -> list[str]:
        """What is wished of a field."""
        return sorted(wish.value for wish in self.wishes if wish.field == name)

    def with_(self, wish: Wish) -> "Search":
        return Search(self.kind, self.wishes | {wish})

    def without(self, *wishes: Wish) -> "Search":
        return Search(self.kind, self.wishes - set(wishes))

    def without_fields(self, fields: Iterable[str]) -> "Search":
        dropped = set(fields)
        return Search(self.kind, frozenset(wish for wish in self.wishes if wish.field not in dropped))


@dataclass(frozen=True, slots=True)
class Offers:
    """All offers, and the neighbourhoods that they may be in. `otherwise`: by kind, the entry for who finds none."""

    offers: tuple[Offer, ...] = ()
    neighbourhoods: Mapping[str, Neighbourhood] = field(default_factory=dict)
    otherwise: Mapping[str, str] = field(default_factory=dict)

    def find(self, search: Search, today: datetime.date) -> list[Offer]:
        """What meets all wishes and is still open, the nearest dates first."""
        tests = [test for _, test in self._tests(search)]
        found = (each for each in self.offers if each.kind == search.kind and all(test(each) for test in tests))
        return sorted((each for each in found if each.is_open(today)), key=_order(search, today))

    def nearest(self, search: Search, today: datetime.date) -> tuple[Search, list[Offer]]:
        """Where nothing meets all wishes: what meets the most, with the search that finds it.

        The wishes that matter least are given up first: another moment before another language.
        """
        tests = dict(self._tests(search))
        there = (each for each in self.offers if each.kind == search.kind and each.is_open(today))
        unmet = {tuple(name for name, test in tests.items() if not test(each)) for each in there}
        order = list(FIELDS.values())
        best = min(
            (names for names in unmet if len(names) < len(tests) or MOMENTS.issuperset(names)),
            key=lambda names: (len(names), sorted(-order.index(name) for name in names)),
            default=None,
        )
        if best is None:
            return search, []
        wider = search.without_fields(best)
        return wider, self.find(wider, today)

    def count(self, kind: Kind, today: datetime.date) -> int:
        return len(self.find(Search(kind), today))

    def get(self, reference: str) -> Offer | None:
        return next((each for each in self.offers if each.id == reference), None)

    def _tests(self, search: Search) -> Iterator[tuple[str, Callable[[Offer], bool]]]:
        for name in FIELDS.values():
            if values := search.of(name):
                if name == "neighbourhood":
                    values = [near for value in values for near in self._around(value)]
                yield name, _test(name, values)

    def _around(self, code: str) -> Iterator[str]:
        yield code
        if code in self.neighbourhoods:
            yield from self.neighbourhoods[code].near


def _order(search: Search, today: datetime.date) -> Callable[[Offer], tuple[bool, bool, datetime.date, str]]:
    """In the neighbourhood itself before those beside it, for this audience before for everybody, soonest first."""
    here, audience = search.of("neighbourhood"), set(search.of("audience"))

    def order(offer: Offer) -> tuple[bool, bool, datetime.date, str]:
        elsewhere = bool(here) and offer.neighbourhood not in here
        for_all = bool(audience) and offer.audience.isdisjoint(audience)
        return elsewhere, for_all, max(offer.first or today, today), offer.id

    return order


def _test(name: str, values: Sequence[str]) -> Callable[[Offer], bool]:
    meets, first = _MEETS[name], values[0]
    if len(values) == 1:
        return lambda offer: meets(offer, first)
    return lambda offer: any(meets(offer, value) for value in values)


def _meets_level(offer: Offer, value: str) -> bool:
    return not offer.levels or not set(offer.levels).isdisjoint(LEVELS[value])


def _meets_form(offer: Offer, value: str) -> bool:
    return offer.form in (value, "blended")


def days_of(value: str) -> range | tuple[int]:
    """The weekdays (from 0) that a wish for a day means."""
    ranges = {WEEKEND: range(5, 7), WEEKDAYS: range(5)}
    return ranges[value] if value in ranges else (int(value),)


def _meets_day(offer: Offer, value: str) -> bool:
    return not offer.days or not offer.days.isdisjoint(days_of(value))


def _meets_part(offer: Offer, value: str) -> bool:
    wanted = {"morning", "afternoon"} if value == "day" else {value}
    return not offer.parts or not offer.parts.isdisjoint(wanted)


def _meets_month(offer: Offer, value: str) -> bool:
    if offer.first is None:
        return True
    last, month = offer.last or offer.first, int(value)
    months = (last.year - offer.first.year) * 12 + last.month - offer.first.month
    return (month - offer.first.month) % 12 <= months


def _meets_audience(offer: Offer, value: str) -> bool:
    match value:
        case "children":
            return value in offer.audience or (offer.youngest is not None and offer.youngest < ADULT)
        case "ukrainians":  # they may come to what is for everybody
            return value in offer.audience or not offer.audience
        case _:
            return value in offer.audience


def ages_of(value: str) -> tuple[int, int]:
    """The youngest and the oldest that a wish for an age means: `9`, or `6-11`."""
    youngest, _, oldest = value.partition("-")
    return int(youngest), int(oldest or youngest)


def _meets_age(offer: Offer, value: str) -> bool:
    youngest, oldest = ages_of(value)
    if offer.youngest is None and offer.oldest is None:
        return oldest >= ADULT
    return (offer.youngest or 0) <= oldest and youngest <= (OLDEST if offer.oldest is None else offer.oldest)


def _meets_activity(offer: Offer, value: str) -> bool:
    return offer.activity == value or (value == "sport" and offer.activity in SPORTS)


_MEETS: Mapping[str, Callable[[Offer, str], bool]] = {
    "language": lambda offer, value: offer.language == value,
    "activity": _meets_activity,
    "audience": _meets_audience,
    "age": _meets_age,
    "level": _meets_level,
    "neighbourhood": lambda offer, value: offer.neighbourhood == value or offer.form == "online",
    "form": _meets_form,
    "day": _meets_day,
    "part": _meets_part,
    "holidays": lambda offer, _: offer.holidays,
    "month": _meets_month,
    "free": lambda offer, _: offer.free,
}


# What a level of the European framework is called.
LEVEL_OF = {"A0": "beginner", "A1": "beginner", "A2": "some", "B1": "advanced", "B2": "advanced", "C1": "advanced"}


# The one or two questions that narrow most


def narrowing(found: Sequence[Offer], search: Search) -> tuple[str, list[str]] | None:
    """The field that divides `found` best, with the values that it takes there; None where none divides it."""
    best: tuple[float, str, list[str]] = (0.0, "", [])
    for name in FIELDS_OF[search.kind]:
        if name in _ASKED and not search.of(name):
            counts = Counter(value for offer in found for value in _ASKED[name](offer))
            values = [value for value in counts if counts[value] < len(found)]
            share = [counts[value] / len(found) for value in values]
            bits = -sum(part * log2(part) for part in share)
            best = max(best, (bits, name, sorted(values, key=lambda value: (-counts[value], value))))
    return (best[1], best[2]) if best[2] else None


def _moments(offer: Offer) -> Iterator[str]:
    yield from offer.parts
    if not offer.days.isdisjoint(days_of(WEEKEND)):
        yield WEEKEND


def _bands(offer: Offer) -> Iterator[str]:
    if offer.youngest is not None or offer.oldest is not None:
        yield from (band for band in BANDS if _meets_age(offer, band))


_ASKED: Mapping[str, Callable[[Offer], Iterable[str]]] = {
    "language": lambda offer: filter(None, (offer.language,)),
    "activity": lambda offer: filter(None, (offer.activity,)),
    "age": _bands,
    "level": lambda offer: (level for level in LEVELS if offer.levels and _meets_level(offer, level)),
    "form": lambda offer: (form for form in ("class", "online") if _meets_form(offer, form)),
    "part": _moments,
}


def answer_to(name: str, value: str) -> Wish:
    """What somebody wishes who chose `value` where a field was asked for."""
    return Wish("day", WEEKEND) if value == WEEKEND else Wish(name, value)
