"""How wishes and offers are called in a person's language. Names of languages, days and months are CLDR's."""

from collections.abc import Iterator, Mapping, Sequence

from babel.dates import get_day_names, get_month_names
from babel.numbers import format_currency

from bot.conversation.dates import day_in_short
from bot.conversation.voice import Voice
from bot.languages import LANGUAGES
from bot.offers import Kind, Offer, Search, Wish
from bot.offers.model import OLDEST, PARTS, WEEKDAYS, WEEKEND
from bot.offers.search import LEVEL_OF, ages_of

_CLDR = {"prs": "fa_AF"}


def kind_name(voice: Voice, kind: Kind) -> str:
    match kind:
        case "mo":
            return voice.text("Course on society (MO)")
        case "dutch":
            return voice.text("Dutch lessons")
        case "practise":
            return voice.text("Practise Dutch")
        case "leisure":
            return voice.text("Free time and activities")
        case "buddies":
            return voice.text("Buddies and meeting people")
        case "infosessions":
            return voice.text("Information sessions")


def question(voice: Voice, name: str) -> str:
    """What is asked to narrow a field."""
    match name:
        case "language":
            return voice.text("In which language?")
        case "age":
            return voice.text("How old is the person who will take part?")
        case "level":
            return voice.text("Which level?")
        case "form":
            return voice.text("Online or in class?")
        case "activity":
            return voice.text("Which activity?")
        case _:
            return voice.text("At what moment?")


def in_words(voice: Voice, search: Search) -> str:
    """A search as a line of words."""
    return " · ".join((kind_name(voice, search.kind), *(label(voice, wish) for wish in sorted(search.wishes))))


def label(voice: Voice, wish: Wish) -> str:
    """A wish as a few words, for a button."""
    match wish.field:
        case "language":
            return language_name(voice, wish.value)
        case "day" if wish.value.isdecimal():
            return day_name(voice, int(wish.value))
        case "day" if wish.value == WEEKDAYS:
            return f"{day_name(voice, 0)} - {day_name(voice, 4)}"
        case "month":
            return str(get_month_names("wide", "stand-alone", voice.language.cldr)[int(wish.value)])
        case "neighbourhood":
            known = voice.snapshot.offers.neighbourhoods.get(wish.value)
            return known.name if known else wish.value
        case "age":
            return _age(voice, *ages_of(wish.value))
        case _:
            return _labels(voice)[wish.field, wish.value]


def language_name(voice: Voice, code: str) -> str:
    """What a language is called in the language of this voice (CLDR), or in itself."""
    locale = _CLDR.get(code) or (LANGUAGES[code].locale.partition("_")[0] if code in LANGUAGES else code)
    name = voice.language.cldr.languages.get(locale)
    return str(name) if name else LANGUAGES[code].name if code in LANGUAGES else code


def day_name(voice: Voice, weekday: int) -> str:
    return str(get_day_names("wide", "stand-alone", voice.language.cldr)[weekday])


def _age(voice: Voice, youngest: int, oldest: int) -> str:
    bands = {
        (0, 5): voice.text("Under 6 years"),
        (6, 11): voice.text("6 to 11 years"),
        (12, 17): voice.text("12 to 17 years"),
        (18, OLDEST): voice.text("18 years and older"),
    }
    if (youngest, oldest) in bands:
        return bands[youngest, oldest]
    name = voice.text("Age")
    return voice.named(name, str(youngest) if youngest == oldest else _range(youngest, oldest))


def _range(youngest: int | None, oldest: int | None) -> str:
    if oldest is None or oldest >= OLDEST:
        return f"{youngest or 0}+"
    return str(oldest) if youngest == oldest else f"{youngest or 0}-{oldest}"


def _labels(voice: Voice) -> Mapping[tuple[str, str], str]:
    morning, afternoon = voice.text("Morning"), voice.text("Afternoon")
    return {
        ("day", WEEKEND): voice.text("Weekend"),
        ("part", "morning"): morning,
        ("part", "afternoon"): afternoon,
        ("part", "evening"): voice.text("Evening"),
        ("part", "day"): f"{morning} / {afternoon}",
        ("holidays", ""): voice.text("School holidays"),
        ("form", "online"): voice.text("Online"),
        ("form", "class"): voice.text("In class"),
        ("form", "blended"): voice.text("Partly online"),
        ("free", ""): voice.text("Free of charge"),
        ("audience", "women"): voice.text("For women"),
        ("audience", "families"): voice.text("For families"),
        ("audience", "children"): voice.text("For children"),
        ("audience", "young"): voice.text("Aged 17 to 19"),
        ("audience", "ukrainians"): voice.text("For people from Ukraine"),
        ("audience", "illiterate"): voice.text("For people who do not read or write yet"),
        ("level", "beginner"): voice.text("Beginner"),
        ("level", "some"): voice.text("Some knowledge"),
        ("level", "advanced"): voice.text("Advanced"),
        **{("activity", name): said for name, said in _activities(voice).items()},
    }


def _activities(voice: Voice) -> Mapping[str, str]:
    return {
        "football": voice.text("Football"),
        "swim": voice.text("Swimming"),
        "dance": voice.text("Dance"),
        "music": voice.text("Music"),
        "singing": voice.text("Singing"),
        "cycling": voice.text("Cycling"),
        "running": voice.text("Running"),
        "walking": voice.text("Walking"),
        "gym": voice.text("Gymnastics"),
        "martial": voice.text("Martial arts"),
        "basket": voice.text("Basketball"),
        "fitness": voice.text("Fitness"),
        "art": voice.text("Drawing and crafts"),
        "theatre": voice.text("Theatre"),
        "cooking": voice.text("Cooking"),
        "reading": voice.text("Reading"),
        "sewing": voice.text("Sewing"),
        "games": voice.text("Games"),
        "nature": voice.text("Nature"),
        "sport": voice.text("Sports"),
        "camp": voice.text("Holiday camp"),
    }


def summary(voice: Voice, offer: Offer) -> Iterator[str]:
    """What tells offers apart in a list: when, in what form, where, for whom."""
    if offer.language and offer.kind in ("mo", "infosessions", "buddies"):
        yield language_name(voice, offer.language)
    if offer.first:
        yield day_in_short(offer.first, voice.language)
    if offer.days:
        yield _days(voice, offer)
    labels = _labels(voice)
    yield from (labels["part", part] for part in _in_time(offer))
    if offer.form != "class":
        yield labels["form", offer.form]
    if offer.levels:
        yield voice.listed(*offer.levels)
    if offer.neighbourhood:
        yield label(voice, Wish("neighbourhood", offer.neighbourhood))
    if offer.youngest is not None:
        yield _age(voice, offer.youngest, OLDEST if offer.oldest is None else offer.oldest)
    yield from (labels["audience", name] for name in sorted(offer.audience))
    if offer.free:
        yield labels["free", ""]


def _days(voice: Voice, offer: Offer) -> str:
    if len(offer.days) == 7:
        return voice.text("Every day")
    return voice.listed(*(day_name(voice, day) for day in sorted(offer.days)))


def _in_time(offer: Offer) -> Sequence[str]:
    """The parts of the day, the earliest first."""
    return sorted(offer.parts, key=PARTS.index)


def about(voice: Voice, offer: Offer) -> dict[str, str]:
    """All that is known of an offer, by label."""
    labels = _labels(voice)
    places = [offer.place, label(voice, Wish("neighbourhood", offer.neighbourhood)) if offer.neighbourhood else ""]
    rows = {
        voice.text("Language"): language_name(voice, offer.language) if offer.language else "",
        voice.text("Level"): voice.listed(*(f"{level} ({labels['level', LEVEL_OF[level]]})" for level in offer.levels)),
        voice.text("Days"): _days(voice, offer) if offer.days else "",
        voice.text("Time of day"): voice.listed(*(labels["part", part] for part in _in_time(offer))),
        voice.text("First day"): day_in_short(offer.first, voice.language) if offer.first else "",
        voice.text("Last day"): day_in_short(offer.last, voice.language) if offer.last else "",
        labels["form", offer.form]: "✓",
        voice.text("Where"): voice.listed(*places),
        voice.text("Age"): _range(offer.youngest, offer.oldest) if offer.youngest is not None else "",
        voice.text("For whom"): voice.listed(*(labels["audience", name] for name in sorted(offer.audience))),
        voice.text("Price"): _price(voice, offer),
        voice.text("Organised by"): offer.organiser,
    }
    return {name: value for name, value in rows.items() if value}


def _price(voice: Voice, offer: Offer) -> str:
    if offer.free:
        return voice.text("Free of charge")
    if offer.price is None:
        return ""
    amount = format_currency(offer.price, "EUR", locale=voice.language.cldr)
    return f"≤ {amount}" if offer.at_most else str(amount)
