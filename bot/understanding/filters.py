"""What somebody wishes of a course or an activity, found in their own words.

Names of languages, weekdays and months come from CLDR through Babel; how people say them otherwise, and all else,
stands in `locales/CODE/filters.yaml`. Names of neighbourhoods are compared by their sound, so any script will do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from babel import Locale

from bot.languages import LANGUAGES
from bot.offers import FIELDS_OF, KINDS, Kind, Neighbourhood, Search, Wish
from bot.offers.model import ADULT, WEEKDAYS, WEEKEND
from bot.phrases import FilterWords
from bot.understanding.normalise import SCRIPTS, fold, words
from bot.understanding.patterns import Patterns, without, words_present
from bot.understanding.sounds import sound

# Languages that newcomers ask for beside our own: ISO 639-1.
OTHERS = (
    *("ku", "az", "be", "bn", "bs", "cs", "da", "de", "el", "et", "fi", "ha", "he", "hr", "hu", "hy", "id", "ja", "ka"),
    *("kk", "ko", "lt", "lv", "mk", "mn", "ne", "no", "om", "pa", "pt", "rw", "si", "sk", "sl", "sr", "sv", "ta", "te"),
    *("th", "tg", "tk", "uz", "vi", "wo", "yo", "am", "ln"),
)
SHARED = ("kind", "activity", "language")  # what people also say in Dutch or English

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Who has A1 knows some Dutch; a course A1 (`offers.search.LEVEL_OF`) is for beginners.
_LEVEL_CODES = {"a0": "beginner", "a1": "some", "a2": "some", "b1": "advanced", "b2": "advanced", "c1": "advanced"}
_FIRST_OF_KINDS: tuple[Kind, ...] = ("practise", "infosessions", "buddies", "mo", "dutch", "leisure")

_YEARS, _NUMBER = "years", "number"
_AGE = re.compile(r"([0-9]{1,2})(\D*)")
_WEEK = frozenset("期周")  # 星期六 is Saturday, whose number is no age
_NEAR_AGE = 3  # words between an age and the word for years
_LONGEST_CHILDHOOD = 17
_CLOCK = frozenset(
    ("u", "h", "uur", "uhr", "pm", "am", "ч", "год", "година", "години", "saat", "heures", "euro", "eur")
)
_GHENT = str.maketrans({"h": "g", "k": "g", "v": None})
_FEWEST_SOUNDS, _ENOUGH_SOUNDS = 4, 5

Label = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What words say: which kinds are named, and what is wished."""

    kinds: frozenset[Kind] = frozenset()
    wishes: frozenset[Wish] = frozenset()


class Filters:
    """The words of one language. `shared`: what people also say in another language, such as Dutch."""

    def __init__(self, code: str, spoken: FilterWords, shared: "Filters | None" = None) -> None:
        self._patterns: Patterns[Label] = Patterns(_labelled(code, spoken))
        self._years = Patterns([(True, spoken.years)])
        self._shared = shared
        self._misleading = sorted((words(fold(phrase)) for phrase in spoken.misleading), key=len, reverse=True)
        self._numbers = {
            word: int(value)
            for value, names in spoken.numbers.items()
            for name in names
            for word in words(fold(name))[:1]
            if len(words(fold(name))) == 1
        }

    def wanted(self, folded: str) -> Wanted:
        """What a message asks for, but for its neighbourhood."""
        said = words(folded)
        found = without(said, self._misleading)
        present = words_present(found)
        # "What can I do in my free time" names a kind, and does not ask for what is free.
        labels = self._labels(folded, found)
        if len(found) < len(said):
            labels |= {label for label in self._labels(folded, said) if label[0] == "kind"}
        labels |= {("level", _LEVEL_CODES[word]) for word in present if word in _LEVEL_CODES}
        wishes = {Wish(name, value) for name, value in labels if name not in ("kind", _YEARS)}
        if (age := self._age(found, labels)) is not None:
            wishes.add(Wish("age", str(age)))
        kinds = frozenset(kind for kind in KINDS if ("kind", kind) in labels)
        return Wanted(kinds, frozenset(_settled(wishes, age)))

    def _labels(self, folded: str, found: Sequence[str]) -> Set[Label]:
        text = "".join(found) if SCRIPTS["han"].search(folded) else folded
        labels = self._patterns.found_in(text, words_present(found))
        if self._shared:
            labels |= {label for label in self._shared._labels(folded, found) if label[0] in SHARED}
        return labels

    def _age(self, found: Sequence[str], labels: Set[Label]) -> int | None:
        """The age that a message names: a number beside the word for years, or of a child."""
        years = [place for place, word in enumerate(found) if self._is_years(word)]
        numbers = [(place, number) for place, number, rest in self._numbers_in(found) if rest and self._is_years(rest)]
        if numbers:
            return numbers[0][1]
        # Digits with letters are words of those who write Arabic in Latin letters: 3ande is "with me".
        numbers = [(place, number) for place, number, rest in self._numbers_in(found) if not rest]
        if years:
            near = [(min(abs(place - other) for other in years), number) for place, number in numbers]
            distance, number = min(near, default=(_NEAR_AGE + 1, 0), key=lambda pair: pair[0])
            return number if distance <= _NEAR_AGE else None
        if ("audience", "children") not in labels:
            return None
        childhood = (number for place, number in numbers if self._can_be_age(found, place, number))
        return next(childhood, None)

    def _can_be_age(self, found: Sequence[str], place: int, number: int) -> bool:
        """Whether a number without a word for years is the age of a child: not a clock, and not how many there are."""
        after = found[place + 1] if place + 1 < len(found) else ""
        child = ("audience", "children")
        counts = bool(after) and child in self._patterns.found_in(after, words_present([after]))
        return number <= _LONGEST_CHILDHOOD and after not in _CLOCK and not counts

    def _numbers_in(self, found: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        for place, word in enumerate(found):
            if digits := _AGE.fullmatch(word):
                yield place, int(digits[1]), digits[2]
            elif word in self._numbers and not (place and found[place - 1] in _WEEK):
                yield place, self._numbers[word], ""

    def _is_years(self, word: str) -> bool:
        return bool(self._years.found_in(word, words_present([word])))


def _labelled(code: str, spoken: FilterWords) -> Iterator[tuple[Label, Iterable[str]]]:
    """All patterns of a language, with the field and the value that each stands for."""
    said = list(_said(spoken))
    yield from said
    written = [words(fold(pattern)) for label, patterns in said for pattern in patterns]
    taken = {word for found in written for word in found}
    for label, names in _of_cldr(LANGUAGES[code].cldr):
        # A word that writers use for something else is no name: اونۍ is a week in Pashto, and Saturday in CLDR.
        if label[0] == "language" or not any(set(words(fold(name))) & taken for name in names):
            yield label, names


def _said(spoken: FilterWords) -> Iterator[tuple[Label, Iterable[str]]]:
    for name in ("kind", "activity", "part", "form", "level", "audience", "month", "language"):
        values: Mapping[str, Iterable[str]] = getattr(spoken, name)
        yield from (((name, value), patterns) for value, patterns in values.items())
    for value, patterns in spoken.day.items():
        yield ("day", value if value in (WEEKEND, WEEKDAYS) else str(_DAYS.index(value))), patterns
    yield ("holidays", ""), spoken.holidays
    yield ("free", ""), spoken.free
    yield (_YEARS, ""), spoken.years


def _of_cldr(locale: Locale) -> Iterator[tuple[Label, Iterable[str]]]:
    ours = {code: language.locale.partition("_")[0] for code, language in LANGUAGES.items()}
    for code, tag in {**ours, "prs": "fa_AF", **{code: code for code in OTHERS}}.items():
        if name := locale.languages.get(tag):
            yield ("language", code), (name,)
    for context in ("format", "stand-alone"):
        for number, name in locale.days[context]["wide"].items():
            yield ("day", str(number)), (name,)
        for number, name in locale.months[context]["wide"].items():
            if not name.isdecimal():
                yield ("month", str(number)), (name,)


def _settled(wishes: Set[Wish], age: int | None) -> Iterator[Wish]:
    """The wishes without those that another one says better."""
    if {Wish("day", "5"), Wish("day", "6")} <= wishes:
        wishes = wishes - {Wish("day", "5"), Wish("day", "6")} | {Wish("day", WEEKEND)}
    weaker = {
        Wish("part", "day"): [Wish("part", "evening")],  # "I work during the day, so in the evening"
        Wish("form", "online"): [Wish("form", "class")],  # "not online"
        Wish("level", "beginner"): [Wish("level", "some"), Wish("level", "advanced")],
        Wish("level", "some"): [Wish("level", "advanced")],
        Wish("activity", "sport"): [wish for wish in wishes if wish.field == "activity" and wish.value != "sport"],
        Wish("holidays"): [Wish("day", WEEKEND)] if Wish("activity", "camp") not in wishes else [],
    }
    for wish in wishes:
        if wish == Wish("audience", "children") and age is not None and age >= ADULT:
            continue
        if not any(stronger in wishes for stronger in weaker.get(wish, ())):
            yield wish


class Places:
    """The neighbourhoods, by how their names sound."""

    def __init__(self, neighbourhoods: Mapping[str, Neighbourhood]) -> None:
        self._by_words: list[tuple[Sequence[str], str]] = []
        self._by_sounds: dict[tuple[str, ...], str] = {}
        for code, each in neighbourhoods.items():
            for name in (each.name, *each.also):
                found = words(fold(name))
                self._by_words.append((found, code))
                sounds = tuple(map(_sound, found))
                if sum(map(len, sounds)) >= _FEWEST_SOUNDS:
                    self._by_sounds[sounds] = code

    def named_in(self, folded: str) -> Set[str]:
        """The codes of the neighbourhoods that a message names."""
        found = words(folded)
        text = f" {' '.join(found)} "
        exact = {code for name, code in self._by_words if f" {' '.join(name)} " in text}
        return exact or set(self._alike([_sound(word) for word in found]))

    def _alike(self, sounds: Sequence[str]) -> Iterator[str]:
        for start, length in product(range(len(sounds)), (1, 2, 3)):
            said = tuple(sounds[start : start + length])
            whole = ("".join(said),)  # a name of one word may be written as two
            in_two = all(len(part) > 1 for part in said)
            if code := self._by_sounds.get(said) or (self._by_sounds.get(whole) if in_two else None):
                yield code
        for name, code in self._by_sounds.items():  # a word takes endings: Ledebergde
            if len(name) == 1 and len(name[0]) >= _ENOUGH_SOUNDS:
                yield from (code for said in sounds if said.startswith(name[0]))


def _sound(word: str) -> str:
    """How a name of Ghent sounds to those who write it otherwise: its g is many a k or h, its ij and w are vowels."""
    return sound(word.replace("ij", "i")).translate(_GHENT)


@dataclass(frozen=True)
class Wishes:
    """What is wished in any language."""

    by_language: Mapping[str, Filters]
    neighbourhoods: Mapping[str, Neighbourhood]

    @cached_property
    def _places(self) -> Places:
        return Places(self.neighbourhoods)

    def wanted(self, text: str, language: str) -> Wanted:
        """The kinds and wishes in a message."""
        folded = fold(text)
        if language not in self.by_language:
            return Wanted()
        said = self.by_language[language].wanted(folded)
        places = (Wish("neighbourhood", code) for code in self._places.named_in(folded))
        return Wanted(said.kinds, said.wishes | set(places))


def learn_filters(spoken: Mapping[str, FilterWords], neighbourhoods: Mapping[str, Neighbourhood]) -> Wishes:
    """The filters of every language that has words for them."""
    dutch = Filters("nl", spoken["nl"]) if "nl" in spoken else None
    shared = Filters("en", spoken["en"], dutch) if "en" in spoken else dutch
    return Wishes({code: Filters(code, each, shared) for code, each in spoken.items()}, neighbourhoods)


def search_in(wanted: Wanted, weights: Mapping[str, float]) -> Search | None:
    """The search that words mean; None where no kind is named and none is likely.

    `weights`: by kind, how likely it is from the entries that fit the message.
    """
    kind = _kind_of(wanted, weights)
    if kind is None:
        return None
    fields = FIELDS_OF[kind]
    return Search(kind, frozenset(wish for wish in wanted.wishes if wish.field in fields))


def _kind_of(wanted: Wanted, weights: Mapping[str, float]) -> Kind | None:
    named = [kind for kind in _FIRST_OF_KINDS if kind in wanted.kinds]
    if not named and Wish("language", "nl") in wanted.wishes and weights.get("mo", 0.0) < _LIKELY:
        return "dutch"
    if named:
        return max(named, key=lambda kind: weights.get(kind, 0.0) - 0.2 * named.index(kind))
    if any(wish.field == "activity" for wish in wanted.wishes):
        return "leisure"
    likely = max(KINDS, key=lambda kind: weights.get(kind, 0.0))
    return likely if weights.get(likely, 0.0) >= _LIKELY else None


_LIKELY = 0.3
