"""What each kind of file in the knowledge directory may hold. The descriptions are shown to staff."""

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bot.knowledge.problems import marked
from bot.offers.model import ACTIVITIES, AUDIENCES, FORMS, KINDS, OLDEST, PARTS

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    *("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
)


def _weekday(name: Any) -> int:
    return WEEKDAYS.index(str(name).strip().casefold()) % 7


def _time(text: Any) -> datetime.time:
    """`13:30`, `13.30` or `13u30`: a time on the clock of Brussels, without seconds or a zone."""
    found = re.fullmatch(r"([0-9]{1,2})[:.uh]([0-9]{2})", str(text).strip())
    if not found:
        raise ValueError(text)
    return datetime.time(int(found[1]), int(found[2]))


def _date(text: Any) -> datetime.date:
    """Only `2026-11-22`: pydantic alone reads `20261122` as so many seconds after 1970."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(text).strip()):
        raise ValueError(text)
    return datetime.date.fromisoformat(str(text).strip())


Weekday = Annotated[int, BeforeValidator(_weekday)]
Time = Annotated[datetime.time, BeforeValidator(_time)]
Date = Annotated[datetime.date, BeforeValidator(_date)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


def _drop_empty(values: Any) -> Any:
    """`questions:` with nothing behind it means the same as no such line."""
    return (
        {name: value for name, value in values.items() if value not in ("", None)}
        if isinstance(values, dict)
        else values
    )


class _File(BaseModel):
    # Unknown names are kept, so that the check can report a misspelt one without refusing the file.
    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        return _drop_empty(values)


class TextFile(_File):
    """The front matter of `nl.md`, `uk.md` …"""

    title: Words = Field(description=marked("a short question or name"))
    questions: tuple[Words, ...] = Field(
        (), description=marked("a list: each question on its own line, after two spaces and a dash")
    )
    keywords: tuple[Words, ...] = Field((), description=marked("a list of words: [school, inschrijven]"))
    status: Literal["reviewed", "draft"] = Field("draft", description=marked("`reviewed` or `draft`"))
    source: str | None = Field(None, description=marked("the version of nl.md that this translation follows"))


class ActionFile(_File):
    """One button under an answer: exactly one of these."""

    book: str | None = Field(None, description=marked("the name of a permanence"))
    offers: str | None = Field(None, description=marked("the name of a kind of offers"))
    link: str | None = Field(None, description=marked("a fact that is a web address"))
    place: str | None = Field(None, description=marked("a fact that is an address"))


class EntryFile(_File):
    """`entry.yaml`"""

    related: tuple[str, ...] = Field((), description=marked("a list of slugs: [school-find, contact]"))
    actions: tuple[ActionFile, ...] = Field(
        (), description=marked("a list: `- book: …`, `- offers: …`, `- link: …` or `- place: …`")
    )
    sources: tuple[str, ...] = Field((), description=marked("a list of texts"))
    checked: datetime.date | None = Field(None, description=marked("a date: 2026-11-22"))
    valid_until: datetime.date | None = Field(None, description=marked("a date: 2027-03-04"))
    urgent: bool = Field(False, description=marked("true or false"))


class TopicFile(_File):
    """`topic.yaml`"""

    order: int = Field(1000, description=marked("a whole number; topics are shown from low to high"))
    icon: str = Field("", description=marked("one emoji"))
    title: dict[Annotated[str, BeforeValidator(str)], str] = Field(
        {}, description=marked("the topic's name in each language: `nl: School`")
    )


class TimesFile(_File):
    """From when to when, in slots of how long, for how many."""

    start: Time = Field(alias="from", description=marked('a time: "13:30"'))
    end: Time = Field(alias="to", description=marked('a time: "13:30"'))
    slot: int = Field(ge=1, le=24 * 60, description=marked("a number of minutes, from 1 to 1440"))
    capacity: int = Field(ge=1, le=1000, description=marked("a number of places, from 1 to 1000"))
    languages: tuple[str, ...] = Field((), description=marked("a list of language codes: [nl, en, ar]"))


class MomentFile(TimesFile):
    """A moment that comes back every week."""

    weekday: Weekday = Field(description=marked("a weekday, in English or Dutch: monday"))
    first: Date | None = Field(None, description=marked("a date: 2026-11-22"))
    last: Date | None = Field(None, description=marked("a date: 2026-11-22"))


class ExceptionFile(TimesFile):
    """A moment on one date, instead of those that the date would have."""

    date: Date = Field(description=marked("a date: 2026-11-22"))


class PermanenceFile(_File):
    """`permanences/school.yaml`"""

    title: dict[str, str] = Field(min_length=1, description=marked("its name in each language: `nl: Hulp met school`"))
    bring: dict[str, str] = Field({}, description=marked("what to bring, in each language: `nl: Uw paspoort`"))
    place: str = Field(description=marked("a fact that is an address"))
    location: tuple[Latitude, Longitude] | None = Field(
        None, description=marked("latitude and longitude in degrees: [51.05, 3.72]")
    )
    example: bool = Field(False, description=marked("true or false"))
    moments: tuple[MomentFile, ...] = Field(
        (), description=marked("a list: each moment after a dash, with weekday, from, to, slot and capacity")
    )
    closed: tuple[Date, ...] = Field((), description=marked("a list of dates: [2026-12-24, 2026-12-31]"))
    exceptions: tuple[ExceptionFile, ...] = Field(
        (), description=marked("a list: each moment after a dash, with date, from, to, slot and capacity")
    )
    holidays: Literal["open", "closed"] = Field("closed", description=marked("`open` or `closed`"))
    latest: int = Field(2, ge=0, le=24 * 365, description=marked("a number of hours, from 0 to 8760"))
    earliest: int = Field(28, ge=0, le=365, description=marked("a number of days, from 0 to 365"))
    most_open: int = Field(1, ge=1, le=100, description=marked("a number, from 1 to 100"))
    most_people: int = Field(8, ge=1, le=100, description=marked("a number, from 1 to 100"))
    places: Literal["family", "person"] = Field("family", description=marked("`family` or `person`"))


class DeskMoment(BaseModel):
    """When somebody answers in the chat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekday: Weekday = Field(description=marked("a weekday, in English or Dutch: monday"))
    start: Time = Field(alias="from", description=marked('a time: "13:30"'))
    end: Time = Field(alias="to", description=marked('a time: "13:30"'))


class DeskFile(_File):
    """`desk.yaml`"""

    hours: tuple[DeskMoment, ...] = Field((), description=marked("a list: each moment with weekday, from and to"))
    closed: tuple[Date, ...] = Field((), description=marked("a list of dates: [2026-12-24, 2026-12-31]"))
    example: bool = Field(False, description=marked("true or false"))


def _listed(text: Any) -> Any:
    """A list, or a cell of a spreadsheet with commas: `monday, wednesday`."""
    parts = [part.strip() for part in re.split("[,;]", text)] if isinstance(text, str) else text
    return [part for part in parts if part] if isinstance(parts, list) else parts


def _one_of(dutch: Mapping[str, str], *names: str) -> BeforeValidator:
    """One of `names`, also as staff say it in Dutch."""

    def named(value: Any) -> str:
        name = str(value).strip().casefold()
        name = dutch.get(name, name)
        if name not in names:
            raise ValueError(name)
        return name

    return BeforeValidator(named)


def _ages(text: Any) -> tuple[int, int]:
    """`6-12`, `18+` or `9`."""
    found = re.fullmatch(r"([0-9]{1,3}) *(?:(\+)|[-–] *([0-9]{1,3}))?", str(text).strip())
    if not found:
        raise ValueError(text)
    youngest = int(found[1])
    oldest = OLDEST if found[2] else int(found[3] or youngest)
    if not youngest <= oldest <= OLDEST:
        raise ValueError(text)
    return youngest, oldest


def _yes(value: Any) -> bool:
    text = str(value).strip().casefold()
    if text not in _YES | _NO:
        raise ValueError(value)
    return text in _YES


_YES, _NO = {"yes", "ja", "true", "x", "1"}, {"no", "nee", "false", "0", ""}
_AUDIENCE = {
    **{"vrouwen": "women", "gezinnen": "families", "kinderen": "children", "jongeren": "young", "17-19": "young"},
    **{"oekraïners": "ukrainians", "ongeletterden": "illiterate"},
}
_ACTIVITY = {
    **{"voetbal": "football", "zwemmen": "swim", "dansen": "dance", "muziek": "music", "zingen": "singing"},
    **{"fietsen": "cycling", "lopen": "running", "wandelen": "walking", "turnen": "gym", "vechtsport": "martial"},
    **{"basketbal": "basket", "tekenen": "art", "theater": "theatre", "koken": "cooking", "lezen": "reading"},
    **{"naaien": "sewing", "spelletjes": "games", "natuur": "nature", "kamp": "camp"},
}
_PART = {"voormiddag": "morning", "ochtend": "morning", "namiddag": "afternoon", "avond": "evening"}
_FORM = {"klas": "class", "les": "class", "gemengd": "blended"}
YesOrNo = Annotated[bool, BeforeValidator(_yes)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9-]{1,32}$")]
Audience = Annotated[str, _one_of(_AUDIENCE, *AUDIENCES)]
Part = Annotated[str, _one_of(_PART, *PARTS)]


class OfferRow(_File):
    """One row of `offers/mo.yaml`, or of a spreadsheet with the same columns."""

    id: Reference = Field(description=marked("letters a-z, digits and dashes, at most 32"))
    name: Words = Field(description=marked("what it is called"))
    kind: Annotated[str, _one_of({}, *KINDS)] = Field(description="mo, dutch, practise, leisure, buddies, infosessions")
    language: str = Field("", description=marked("the code of a language: ar"))
    level: Annotated[tuple[Literal["A0", "A1", "A2", "B1", "B2", "C1"], ...], BeforeValidator(_listed)] = Field(
        (), description="A0, A1, A2, B1, B2, C1"
    )
    form: Annotated[str, _one_of(_FORM, *FORMS)] = Field("class", description="class, online, blended")
    days: Annotated[tuple[Weekday, ...], BeforeValidator(_listed)] = Field(
        (), description=marked("weekdays, in English or Dutch: monday, wednesday")
    )
    part: Annotated[tuple[Part, ...], BeforeValidator(_listed)] = Field((), description="morning, afternoon, evening")
    holidays: YesOrNo = Field(False, description=marked("`yes` or `no`"))
    place: str = Field("", description=marked("a fact that is an address, or an address"))
    neighbourhood: str = Field("", description=marked("the code of a neighbourhood in neighbourhoods.yaml"))
    first: Date | None = Field(None, description=marked("a date: 2026-11-22"))
    last: Date | None = Field(None, description=marked("a date: 2026-11-22"))
    ages: Annotated[tuple[int, int], BeforeValidator(_ages)] | None = Field(
        None, description=marked("ages: 6-12, 18+ or 9")
    )
    price: str = Field("", description=marked("`free`, or a fact that is a number of euros"))
    audience: Annotated[tuple[Audience, ...], BeforeValidator(_listed)] = Field((), description=", ".join(AUDIENCES))
    activity: Annotated[str, _one_of(_ACTIVITY, *ACTIVITIES)] | None = Field(None, description=", ".join(ACTIVITIES))
    organiser: str = Field("", description=marked("who organises it"))
    link: str = Field("", description=marked("a fact that is a web address, or an https address"))
    enrol: str = Field("", description=marked("the slug of an entry, or `book:` and the name of a permanence"))
    valid_until: Date | None = Field(None, description=marked("a date: 2026-11-22"))
    full: YesOrNo = Field(False, description=marked("`yes` or `no`"))
    example: YesOrNo = Field(False, description=marked("`yes` or `no`"))


class OffersFile(_File):
    """`offers/mo.yaml`"""

    example: bool = Field(False, description=marked("true or false"))
    otherwise: str = Field("", description=marked("the slug of the entry for who finds nothing"))
    offers: tuple[dict[str, Any], ...] = Field((), description=marked("a list: each offer after a dash"))


class NeighbourhoodFile(_File):
    """One part of Ghent."""

    name: Words = Field(description=marked("what it is called"))
    also: tuple[str, ...] = Field((), description=marked("a list of other spellings"))
    near: tuple[str, ...] = Field((), description=marked("a list of codes of neighbourhoods beside it"))


class NeighbourhoodsFile(BaseModel):
    """`neighbourhoods.yaml`: the parts of Ghent, by code."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, NeighbourhoodFile] = Field(init=False)


class FactsFile(BaseModel):
    """`facts.yaml`: groups of facts; in each also `source` and `date`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)


class CatalogueFile(BaseModel):
    """`catalogue.yaml`: the entries that must be there, by topic."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, tuple[str, ...]] = Field(init=False)
