"""Offers: staff's rows to values, what keeps them from being used, and what is only reported."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from babel import Locale

from bot.knowledge.facts import Fact, as_url
from bot.knowledge.problems import Problem, marked, problem
from bot.knowledge.schema import NeighbourhoodFile, OfferRow
from bot.knowledge.written import FACTS, NEIGHBOURHOODS, PERMANENCES, Written, WrittenOffer
from bot.languages import LANGUAGES
from bot.offers import Neighbourhood, Offer, Offers
from bot.offers.model import ADULT, Kind

FREE = ("free", "gratis")
BOOK = "book:"
AT_MOST = "_max"  # how the name of a fact ends that is the highest price, not the price itself


def offers_of(written: Written, facts: Mapping[str, Fact]) -> Offers:
    """The values that all rows mean."""
    neighbourhoods = {
        code: Neighbourhood(code, each.name, each.also, each.near) for code, each in _neighbourhoods(written)
    }
    offers = tuple(_offer(each.content, facts) for each in written.offers)
    return Offers(offers, neighbourhoods, written.otherwise)


def _neighbourhoods(written: Written) -> Iterable[tuple[str, NeighbourhoodFile]]:
    return written.neighbourhoods.content.__pydantic_extra__.items()


def _offer(row: OfferRow, facts: Mapping[str, Fact]) -> Offer:
    kind: Kind = row.kind  # type: ignore[assignment]  # the schema takes no other
    youngest, oldest = row.ages or (None, None)
    return Offer(
        id=row.id,
        kind=kind,
        name=row.name,
        language=row.language,
        levels=row.level,
        form=row.form,
        days=frozenset(row.days),
        parts=frozenset(row.part),
        holidays=row.holidays,
        place=str(facts.get(row.place, row.place)),
        neighbourhood=row.neighbourhood,
        first=row.first,
        last=row.last,
        youngest=youngest,
        oldest=oldest,
        price=_amount(facts.get(row.price)),
        at_most=row.price.endswith(AT_MOST),
        free=row.price in FREE,
        audience=frozenset(row.audience),
        activity=row.activity or "",
        organiser=row.organiser,
        link=_link(row.link, facts) or "",
        enrol=row.enrol,
        valid_until=row.valid_until,
        full=row.full,
        example=row.example,
    )


def _amount(fact: Fact | None) -> float | None:
    return float(fact) if isinstance(fact, int | float) else None


def _link(link: str, facts: Mapping[str, Fact]) -> str | None:
    """A web address; None where there is none, or where it leads to a phone or a mailbox."""
    url = as_url(facts[link]) if link in facts else link
    return url if url and urlsplit(url).scheme == "https" else None


def faults_of_offers(written: Written, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """What keeps rows from being used, although each of their values can be read."""
    seen: dict[str, WrittenOffer] = {}
    for offer in written.offers:
        row, content = offer.row, offer.content
        twin = seen.setdefault(content.id, offer)
        if twin is not offer:
            message = marked("`{id}` is also in {file}; give one of them another id")
            yield row.problem("id", message, id=content.id, file=twin.row.path)
        yield from _unknown_names(offer, written, facts)
        if content.first and content.last and content.last < content.first:
            yield row.problem("last", marked("`last` is before `first`; mend one of them"))
    known = set(written.neighbourhoods.content.__pydantic_extra__)
    for code, each in _neighbourhoods(written):
        for near in set(each.near) - known:
            message = marked("`{name}` is not in {file}; mend the name, or add it there")
            line = written.neighbourhoods.line(code, "near")
            yield problem(written.neighbourhoods.path, line, message, name=near, file=NEIGHBOURHOODS, fault=True)


def _unknown_names(offer: WrittenOffer, written: Written, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    row, content = offer.row, offer.content
    if content.language and content.language not in LANGUAGES and content.language not in Locale("en").languages:
        message = marked("`{code}` is not a language; write its code: ar")
        yield row.problem("language", message, code=content.language)
    if content.neighbourhood and content.neighbourhood not in written.neighbourhoods.content.__pydantic_extra__:
        message = marked("`{name}` is not in {file}; mend the name, or add it there")
        yield row.problem("neighbourhood", message, name=content.neighbourhood, file=NEIGHBOURHOODS)
    if content.price and content.price not in FREE and not isinstance(facts.get(content.price), int | float):
        message = marked("`price` is not `free`, and {file} has no such amount; mend it or add it there")
        yield row.problem("price", message, file=FACTS)
    if content.link and not _link(content.link, facts):
        message = marked("`link` is no https address, and {file} has no such address; mend it or add it there")
        yield row.problem("link", message, file=FACTS)
    service = content.enrol.removeprefix(BOOK) if content.enrol.startswith(BOOK) else None
    if service is not None and service not in written.permanences:
        message = marked("there is no {file}; mend the name, or write that file")
        yield row.problem("enrol", message, file=f"{PERMANENCES}/{service}.yaml")
    elif service is None and content.enrol and content.enrol not in written.entries:
        message = marked("there is no entry `{name}`; mend the name or remove it")
        yield row.problem("enrol", message, name=content.enrol)


def check_offers(written: Written, today: datetime.date) -> Iterator[Problem]:
    """What is wrong in offers that can be used all the same; `today` tells what is past."""
    known = set(OfferRow.model_fields)
    for offer in written.offers:
        row, content = offer.row, offer.content
        for name in content.model_extra or ():
            message = marked("`{name}` is not known here and is not read; mend it ({known}) or remove it")
            yield _reported(row.problem(name, message, name=name, known=", ".join(sorted(known))))
        end = content.valid_until or content.last
        if end and end < today and not content.example:
            yield _reported(row.problem("last", marked("{date} is past; change it or take it out"), date=end))
        if content.kind == "leisure" and "children" in content.audience and content.ages is None:
            message = marked("for children of which ages? add `ages`: 6-12 (until {adult})")
            yield _reported(row.problem("ages", message, adult=ADULT - 1))


def _reported(found: Problem) -> Problem:
    """A problem that does not keep the directory from being used."""
    return replace(found, fault=False)
