"""Courses and activities: chosen with buttons, or found in a person's own words."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import menus, wishes
from bot.conversation.dates import day_in_full
from bot.conversation.events import Button, Link, Reply, Speaker
from bot.conversation.offer_steps import ListOffers, NarrowOffers, ShowOffer, ShowOffers, Subscribe, Unsubscribe
from bot.conversation.packing import unpack_number
from bot.conversation.steps import Book, ShowEntry
from bot.conversation.voice import Rows, Voice
from bot.knowledge import Entry
from bot.knowledge.snapshot import short_reference
from bot.offers import KINDS, Kind, Offer, Search, Wish, answer_to, narrowing, pack_search, unpack_search
from bot.offers.model import ADULT
from bot.offers.search import ages_of
from bot.scheduling import day_of
from bot.storage import subscriptions
from bot.understanding import Meaning

PAGE = 5
QUESTIONS = 2  # asked before a list is shown
_FEW = 5  # so many are shown at once, whatever could still be asked
_BOOK = "book:"
_WEAK = {Wish("audience", "children"), Wish("audience", "ukrainians")}  # says who somebody is, more than what they want
_LIKELY = 3


# Words


def looked_for(voice: Voice, meaning: Meaning, search: Callable[[], Search | None]) -> Search | None:
    """What somebody's words look for among the courses and activities; None when they ask something else.

    `search` reads their wishes, which takes a while.
    """
    found = search() if _may_look(meaning, voice) else None
    found = _without_child(voice, found) if found else None
    return found if found and _is_looking(meaning, found, voice) else None


def _without_child(voice: Voice, search: Search) -> Search | None:
    """Where nothing of this kind is for children, a child that is named is somebody beside it; with an age, the child
    is whom they ask for, and the entries say what there is.
    """
    ages = {wish for wish in search.wishes if wish.field == "age" and ages_of(wish.value)[1] < ADULT}
    child = search.wishes & {Wish("audience", "children")} | ages
    if not child or voice.snapshot.offers.find(Search(search.kind, frozenset(child)), voice.today):
        return search
    return None if ages else replace(search, wishes=search.wishes - child)


def _may_look(meaning: Meaning, voice: Voice) -> bool:
    """Whether it is worth a look what somebody wishes of a course or an activity."""
    if not voice.snapshot.offers.offers:
        return False
    likely = meaning.matches[: 1 if meaning.decision == "answer" else _LIKELY]
    leads = any(action.kind == "offers" for match in likely for action in voice.snapshot.entries[match.slug].actions)
    return meaning.decision == "decline" or (leads and meaning.decision in ("answer", "suggest"))


def _is_looking(meaning: Meaning, search: Search, voice: Voice) -> bool:
    """Whether somebody looks for a course or an activity, rather than for the rule that an entry gives."""
    if search.wishes <= _WEAK:
        return False
    best = voice.snapshot.entries[meaning.matches[0].slug]
    match meaning.decision:
        case "answer":
            return not best.urgent and _leads_to(best, search.kind)
        case "suggest":
            likely = meaning.matches[:_LIKELY]
            return any(_leads_to(voice.snapshot.entries[match.slug], search.kind) for match in likely)
        case "decline":
            return len(search.wishes - _WEAK) > 1
        case _:
            return False


def _leads_to(entry: Entry, kind: str) -> bool:
    return any(action.kind == "offers" and action.value == kind for action in entry.actions)


def found_in_words(voice: Voice, search: Search, meaning: Meaning) -> Sequence[Reply]:
    """The list that somebody's words ask for, and the entries that tell the rule."""
    slugs = [match.slug for match in meaning.matches[:_LIKELY] if match.score > 0 and meaning.decision != "decline"]
    rules = [slug for slug in slugs if _leads_to(voice.snapshot.entries[slug], search.kind)][:1]
    return (_list(voice, search, 0, menus.entry_rows(voice, rules), replaces=False),)


# Buttons


def button(voice: Voice, kind: str) -> Button | None:
    """A button with the number of offers of a kind; None where the knowledge holds no offers."""
    known: Kind | None = next((each for each in KINDS if each == kind), None)
    if known is None or not voice.snapshot.offers.offers:
        return None
    count = voice.snapshot.offers.count(known, voice.today)
    step = NarrowOffers(voice.language.code, pack_search(Search(known)), "0")
    return Button(f"🔎 {wishes.kind_name(voice, known)} ({count})", step)


def kinds(voice: Voice) -> Sequence[Reply]:
    """What there is to choose from."""
    rows: Rows = tuple((each,) for kind in KINDS if (each := button(voice, kind)))
    if not rows:
        return menus.old_button(voice)
    return (
        voice.reply(
            voice.text("What are you looking for?"), rows=(*rows, (menus.topics_button(voice),)), replaces=True
        ),
    )


def narrow(voice: Voice, step: NarrowOffers) -> Sequence[Reply]:
    """The question that narrows most, or the list where none would."""
    search = unpack_search(step.search)
    asked = unpack_number(step.asked)
    if search is None or asked is None:
        return kinds(voice)
    found = voice.snapshot.offers.find(search, voice.today)
    question = narrowing(found, search) if len(found) > _FEW and asked < QUESTIONS else None
    if question is None:
        return show(voice, step.search, "0")
    name, values = question
    code, further = voice.language.code, str(asked + 1)
    buttons = [
        Button(wishes.label(voice, wish), NarrowOffers(code, pack_search(search.with_(wish)), further))
        for wish in (answer_to(name, value) for value in values)
    ]
    rows = (
        *menus.in_rows(buttons, 2),
        (voice.button("✓", "It does not matter", ShowOffers(code, step.search, "0")),),
        (voice.button("←", "Back", ListOffers(code)),),
    )
    heading = f"**{wishes.kind_name(voice, search.kind)}**"
    return (voice.reply(heading, wishes.question(voice, name), rows=rows, replaces=True),)


def show(voice: Voice, packed: str, page: str) -> Sequence[Reply]:
    """A page of the list."""
    search, number = unpack_search(packed), unpack_number(page)
    if search is None or number is None:
        return kinds(voice)
    return (_list(voice, search, number, (), replaces=True),)


def _list(voice: Voice, search: Search, page: int, rules: Rows, *, replaces: bool) -> Reply:
    found = voice.snapshot.offers.find(search, voice.today)
    nearest, near = (search, found) if found else voice.snapshot.offers.nearest(search, voice.today)
    shown = near[page * PAGE : (page + 1) * PAGE]
    code = voice.language.code
    first = page * PAGE + 1
    buttons = [Button(f"{n}. {offer.name}", ShowOffer(code, offer.id)) for n, offer in enumerate(shown, first)]
    more = voice.button("…", "More", ShowOffers(code, pack_search(nearest), str(page + 1)))
    rows = (
        *((each,) for each in buttons),
        *(((more,),) if len(near) > (page + 1) * PAGE else ()),
        *_chips(voice, search),
        *((_subscribe(voice, search),) if search.wishes or not found else ()),
        *rules,
        *(_otherwise(voice, search) if not found else ()),
        (voice.button("🔎", "Courses and activities", ListOffers(code)), menus.topics_button(voice)),
    )
    return voice.reply(
        *_said(voice, search, found, near),
        *_lines(voice, shown, first),
        *_chips_said(voice, search),
        rows=rows,
        replaces=replaces,
    )


def _said(voice: Voice, search: Search, found: Sequence[Offer], near: Sequence[Offer]) -> Iterator[str]:
    yield f"**{wishes.kind_name(voice, search.kind)}**"
    if found:
        yield voice.text("Found: {count}", count=str(len(found)))
        return
    yield voice.text("I did not find this now.")
    if near:
        yield voice.text("This comes nearest to what you ask:")


def _chips(voice: Voice, search: Search) -> Rows:
    """What was understood, each with a press to take it away."""
    code = voice.language.code
    buttons = [
        Button(f"✕ {wishes.label(voice, wish)}", ShowOffers(code, pack_search(search.without(wish)), "0"))
        for wish in sorted(search.wishes)
    ]
    return menus.in_rows(buttons, 2)


def _chips_said(voice: Voice, search: Search) -> Iterator[str]:
    if search.wishes:
        hint = voice.text("I understood this. Press something to take it away:")
        yield f"*{hint}* {', '.join(wishes.label(voice, wish) for wish in sorted(search.wishes))}"


def _subscribe(voice: Voice, search: Search) -> tuple[Button]:
    return (voice.button("🔔", "Tell me when there is one", Subscribe(voice.language.code, pack_search(search))),)


def _otherwise(voice: Voice, search: Search) -> Rows:
    """The entry that helps where there is no such offer, as far as the files name one."""
    slug = voice.snapshot.offers.otherwise.get(search.kind, "")
    return menus.entry_rows(voice, [slug]) if slug in voice.snapshot.entries else ()


def _lines(voice: Voice, offers: Sequence[Offer], first: int) -> Iterator[str]:
    for number, offer in enumerate(offers, first):
        about = " · ".join(wishes.summary(voice, offer))
        yield f"**{number}. {offer.name}**\n\n{about}"
    if any(offer.example for offer in offers):
        warning = voice.text("This is an example, not a real offer.")
        yield f"*{warning}*"


def offer(voice: Voice, reference: str) -> Sequence[Reply]:
    """One offer whole, and how to enrol."""
    shown = voice.snapshot.offers.get(reference)
    if shown is None or not shown.is_open(voice.today):
        return kinds(voice)
    facts = voice.facts(wishes.about(voice, shown))
    warning = voice.text("This is an example, not a real offer.") if shown.example else ""
    texts = (f"**{shown.name}**", *((f"*{warning}*",) if warning else ()), *((facts,) if facts else ()))
    back = ShowOffers(voice.language.code, pack_search(Search(shown.kind)), "0")
    rows = (*_enrolling(voice, shown), (voice.button("←", "Back", back), menus.topics_button(voice)))
    return (voice.reply(*texts, rows=rows, replaces=True),)


def _enrolling(voice: Voice, shown: Offer) -> Rows:
    code, rows = voice.language.code, []
    if shown.enrol.startswith(_BOOK):
        rows.append((voice.button("📅", "Make an appointment", Book(code, shown.enrol.removeprefix(_BOOK))),))
    elif shown.enrol in voice.snapshot.entries:
        rows.append((voice.button("✍", "How to sign up", ShowEntry(code, short_reference(shown.enrol))),))
    if shown.link:
        rows.append((Button(f"🔗 {shown.link.removeprefix('https://')}", Link(shown.link)),))
    return tuple(rows)


# Subscriptions


async def subscribe(
    voice: Voice, connection: AsyncConnection, packed: str, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """Tell this person when something fits, for as long as subscriptions are kept."""
    search = unpack_search(packed)
    if search is None:
        return kinds(voice)
    known = [each.id for each in voice.snapshot.offers.find(search, day_of(now))]
    theirs = subscriptions.Asked(speaker.channel, speaker.chat, voice.language.code, pack_search(search))
    made = await subscriptions.subscribe(connection, theirs, known, now)
    said = voice.text(
        "I write to you here as soon as there is one, until {day} at the latest.",
        day=day_in_full(made.until, voice.language),
    )
    rows: Rows = (
        (voice.button("✕", "Stop telling me", Unsubscribe(voice.language.code, str(made.id))),),
        (voice.button("🔎", "Courses and activities", ListOffers(voice.language.code)), menus.topics_button(voice)),
    )
    return (voice.reply(f"🔔 {wishes.in_words(voice, search)}", said, rows=rows, replaces=True),)


async def unsubscribe(voice: Voice, connection: AsyncConnection, number: str, speaker: Speaker) -> Sequence[Reply]:
    """Tell them no more; somebody else's subscription stays as it is."""
    if theirs := unpack_number(number):
        await subscriptions.unsubscribe(connection, theirs, speaker.channel, speaker.chat)
    said = voice.text("Good. I no longer write to you about this.")
    return (voice.reply(said, rows=((menus.topics_button(voice),),), replaces=True),)


def news(voice: Voice, subscription: subscriptions.Subscription, fresh: Sequence[Offer]) -> Reply:
    """What appeared since, for somebody who asked to be told."""
    code = voice.language.code
    shown = fresh[:PAGE]
    buttons: Rows = tuple((Button(f"{n}. {each.name}", ShowOffer(code, each.id)),) for n, each in enumerate(shown, 1))
    stop = (voice.button("✕", "Stop telling me", Unsubscribe(code, str(subscription.id))),)
    first = voice.text("There is something new that you asked about:")
    return voice.reply(f"🔔 {first}", *_lines(voice, shown, 1), rows=(*buttons, stop))
