"""One event in, replies out: the one function that every channel calls."""

import datetime
from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.conversation import (
    answering,
    appointments,
    booking,
    keeping,
    menus,
    offering,
    privacy,
    start,
    talking,
    waitlist,
)
from bot.conversation.events import Attachment, Command, Event, Press, Reply, Speaker, Start, Utterance
from bot.conversation.offer_steps import ListOffers, NarrowOffers, ShowOffer, ShowOffers, Subscribe, Unsubscribe
from bot.conversation.packing import unpack
from bot.conversation.person_steps import AskDelete, DeleteAll, EndTalk, GiveData, ShowPrivacy, StartTalk
from bot.conversation.places import ANY
from bot.conversation.steps import (
    AcceptPlace,
    AskPerson,
    Book,
    BookDay,
    BookDays,
    BookFor,
    BookPeople,
    BookTime,
    CancelBooking,
    ChooseLanguage,
    ConfirmBooking,
    ConfirmCancel,
    ConfirmMove,
    DidNotHelp,
    Helped,
    JoinWaiting,
    LeaveWaiting,
    ListBookings,
    ListLanguages,
    ListServices,
    ListTopics,
    MoveBooking,
    MoveDay,
    MoveTime,
    ShowBooking,
    ShowDutch,
    ShowEntry,
    ShowTopic,
    Step,
    UndoCancel,
    WillCome,
)
from bot.conversation.voice import Voice
from bot.knowledge import Holder
from bot.languages import LANGUAGES, Language, language_of
from bot.scheduling import day_of
from bot.storage import bookings, events, feedback, people, talks, tallies, unanswered
from bot.storage.events import Unsent
from bot.texts import Texts
from bot.understanding import Meaning, Understanding

DEFAULT = LANGUAGES["en"]


async def respond(
    event: Event,
    *,
    knowledge: Holder[Understanding],
    database: AsyncEngine,
    texts: Texts,
    clock: Callable[[], datetime.datetime],
) -> Sequence[Reply]:
    """Replies for the one who spoke; none for an event that was handled before.

    Replies to an event with a key are kept in the transaction of its effects, until they have arrived: who dies before
    they were sent has somebody else send them. Raises `storage.Unavailable` when the database is away: then
    nothing has happened, and the event can come again.
    """
    now, speaker = clock(), event.speaker
    try:
        async with storage.begin(database) as connection:
            replies = await _replies(event, knowledge.current, texts, connection, now)
            if event.key:
                kept = keeping.to_text(replies) if replies else ""
                await events.finish(connection, Unsent(event.key, speaker.channel, speaker.chat, kept), now)
            return replies
    except events.Repeated:
        return ()


async def _replies(
    event: Event, understanding: Understanding, texts: Texts, connection: AsyncConnection, now: datetime.datetime
) -> Sequence[Reply]:
    speaker = event.speaker
    known = await people.known(connection, speaker.channel, speaker.chat, now.date())
    chosen = LANGUAGES.get(known.language or "")
    match event:
        case Start(payload=payload):
            if named := start.language_in(payload):
                await people.choose_language(connection, speaker.channel, speaker.chat, named.code, now.date())
            voice = _voice(understanding, texts, named or chosen, speaker, now)
            begun = start.begin(voice, payload, known=_knows_language(named or chosen, speaker))
            return begun if known.talk is None else (*begun, talking.still_open(voice))
        case Command(name=name):
            voice = _voice(understanding, texts, chosen, speaker, now)
            return await _command(name, voice, connection, speaker, now)
        case Attachment(spoken=spoken):
            voice = _voice(understanding, texts, chosen, speaker, now)
            if known.talk is not None:
                return talking.only_words(voice)
            return menus.cannot_listen(voice) if spoken else menus.read_only_text(voice)
        case Utterance(text=text):
            hint = language_of(speaker.hint)
            meaning = answering.understand(understanding, text, chosen=chosen, hint=hint)
            voice = Voice(understanding.snapshot, texts, LANGUAGES[meaning.language], day_of(now))
            if known.talk is not None and (talk := await talks.get(connection, known.talk)):
                # A person answers, but for the help lines: those do not wait for anybody.
                urgent = answering.urgent_in(understanding, meaning)
                help_lines = answering.show(voice, urgent) if urgent else ()
                theirs = voice.speaking(LANGUAGES[talk.language])
                return (*help_lines, *await talking.pass_on(theirs, connection, talk, text, now))
            search = offering.looked_for(voice, meaning, partial(understanding.search, text, meaning))
            await _note(connection, "offers" if search else meaning.decision, meaning, text, now)
            if meaning.decision == "book" and await _has_booked(
                connection, speaker, now, booking.named_service(voice, meaning, text)
            ):
                replies = await appointments.mine(voice, connection, speaker, now)
            else:
                replies = answering.reply_to(meaning, voice, text, search)
            return answering.offering_languages(replies, meaning, voice, chosen or hint)
        case Press(data=data):
            step = unpack(data)
            if step is None:
                return menus.old_button(_voice(understanding, texts, chosen, speaker, now))
            voice = Voice(understanding.snapshot, texts, LANGUAGES[step.language], day_of(now))
            return await _take(step, voice, connection, speaker, now)
        case _:
            assert_never(event)


async def _command(
    name: str, voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    """What was chosen from the channel's own menu."""
    match name:
        case "appointments":
            return await appointments.mine(voice, connection, speaker, now)
        case "privacy":
            return privacy.about(voice)
        case "person":
            return answering.ask_person(voice)
        case "offers":
            return offering.kinds(voice)
        case _:
            return menus.command(voice, name)


async def _note(connection: AsyncConnection, what: str, meaning: Meaning, text: str, now: datetime.datetime) -> None:
    """Count what became of words, and keep what nobody could answer for the editors."""
    about = meaning.matches[0].slug if what in ("answer", "suggest") and meaning.matches else ""
    await tallies.count(connection, day_of(now), what, about, meaning.language)
    if what == "decline" and meaning.has_words:
        await unanswered.keep(connection, day_of(now), meaning.language, text)


async def _has_booked(
    connection: AsyncConnection, speaker: Speaker, now: datetime.datetime, service: str | None
) -> bool:
    """Who has an appointment for this, or writes about one without saying for what, sees theirs first."""
    mine = await bookings.of_person(connection, speaker.channel, speaker.chat, now)
    return any(service in (None, each.service) for each in mine)


async def _take(
    step: Step, voice: Voice, connection: AsyncConnection, speaker: Speaker, now: datetime.datetime
) -> Sequence[Reply]:
    match step:
        case ListLanguages():
            return menus.languages(voice)
        case ChooseLanguage(language=language):
            await people.choose_language(connection, speaker.channel, speaker.chat, language, now.date())
            return menus.language_chosen(voice)
        case ListTopics():
            return menus.topics(voice)
        case ShowTopic(topic=topic):
            return menus.topic(voice, topic)
        case ShowEntry(slug=slug):
            return answering.show(voice, slug)
        case ShowDutch(slug=slug):
            return answering.show_dutch(voice, slug)
        case Helped(slug=slug) | DidNotHelp(slug=slug):
            helped = isinstance(step, Helped)
            if entry := voice.snapshot.find(slug):
                await feedback.count(connection, day_of(now), entry.slug, step.language, helped=helped)
            return answering.thank_for_feedback(voice, helped=helped)
        case AskPerson():
            return answering.ask_person(voice)
        case Book() | ListServices() | BookFor() | BookPeople() | BookDays() | BookDay() | BookTime():
            return await _choose(step, voice, connection, now)
        case ConfirmBooking():
            return await booking.confirm(voice, connection, step, speaker, now)
        case ListBookings():
            return await appointments.mine(voice, connection, speaker, now)
        case ListOffers() | NarrowOffers() | ShowOffers() | ShowOffer():
            return _look(step, voice)
        case Subscribe(search=search):
            return await offering.subscribe(voice, connection, search, speaker, now)
        case Unsubscribe(number=number):
            return await offering.unsubscribe(voice, connection, number, speaker)
        case StartTalk() | EndTalk() | ShowPrivacy() | GiveData() | AskDelete() | DeleteAll():
            return await _turn_to_people(step, voice, connection, speaker, now)
        case JoinWaiting():
            return await waitlist.join(voice, connection, step, speaker, now)
        case LeaveWaiting(number=number):
            return await waitlist.leave(voice, connection, number, speaker, now)
        case AcceptPlace(number=number):
            return await waitlist.accept(voice, connection, number, speaker, now)
        case _:
            return await _change(step, voice, connection, speaker, now)


async def _turn_to_people(
    step: StartTalk | EndTalk | ShowPrivacy | GiveData | AskDelete | DeleteAll,
    voice: Voice,
    connection: AsyncConnection,
    speaker: Speaker,
    now: datetime.datetime,
) -> Sequence[Reply]:
    """To a person at Amal, and about what is kept."""
    match step:
        case StartTalk():
            return await talking.start(voice, connection, speaker, now)
        case EndTalk():
            return await talking.end(voice, connection, speaker, now)
        case ShowPrivacy():
            return privacy.about(voice)
        case GiveData():
            return await privacy.give(voice, connection, speaker)
        case AskDelete():
            return privacy.ask(voice)
        case DeleteAll():
            return await privacy.delete(voice, connection, speaker, now)
        case _:
            assert_never(step)


def _look(step: ListOffers | NarrowOffers | ShowOffers | ShowOffer, voice: Voice) -> Sequence[Reply]:
    """Among the courses and activities."""
    match step:
        case ListOffers():
            return offering.kinds(voice)
        case NarrowOffers():
            return offering.narrow(voice, step)
        case ShowOffers(search=search, page=page):
            return offering.show(voice, search, page)
        case ShowOffer(offer=reference):
            return offering.offer(voice, reference)
        case _:
            assert_never(step)


async def _choose(
    step: Book | ListServices | BookFor | BookPeople | BookDays | BookDay | BookTime,
    voice: Voice,
    connection: AsyncConnection,
    now: datetime.datetime,
) -> Sequence[Reply]:
    """On the way to a booking: nothing is taken yet."""
    match step:
        case Book(service=service):
            return booking.people(voice, service, ANY)
        case ListServices():
            return booking.services(voice)
        case BookFor(service=service, when=when):
            return booking.people(voice, service, when)
        case BookPeople(service=service, when=when, people=count):
            return booking.languages(voice, service, when, count)
        case BookDays():
            return await booking.days(voice, connection, step, now)
        case BookDay():
            return await booking.times(voice, connection, step, now)
        case BookTime():
            return booking.summary(voice, step, now)
        case _:
            assert_never(step)


async def _change(
    step: ShowBooking
    | MoveBooking
    | MoveDay
    | MoveTime
    | ConfirmMove
    | CancelBooking
    | ConfirmCancel
    | UndoCancel
    | WillCome,
    voice: Voice,
    connection: AsyncConnection,
    speaker: Speaker,
    now: datetime.datetime,
) -> Sequence[Reply]:
    """What one does with a booking of one's own."""
    theirs = await bookings.find(connection, speaker.channel, speaker.chat, step.code)
    if theirs is None:
        return appointments.not_there(voice)
    match step:
        case ShowBooking():
            return appointments.show(voice, theirs)
        case MoveBooking():
            return await appointments.move(voice, connection, theirs, now)
        case MoveDay():
            return await appointments.move_day(voice, connection, theirs, step, now)
        case MoveTime():
            return appointments.move_time(voice, theirs, step, now)
        case ConfirmMove():
            return await appointments.confirm_move(voice, connection, theirs, step, now)
        case CancelBooking():
            return appointments.cancel(voice, theirs, now)
        case ConfirmCancel():
            return await appointments.confirm_cancel(voice, connection, theirs, now)
        case UndoCancel():
            return await appointments.undo_cancel(voice, connection, theirs, now)
        case WillCome():
            return await appointments.will_come(voice, connection, theirs)
        case _:
            assert_never(step)


def apology(texts: Texts, speaker: Speaker) -> Sequence[Reply]:
    """What a person hears when something is broken on our side."""
    language = language_of(speaker.hint) or DEFAULT
    sorry = texts.text(
        "Something went wrong on our side. I am sorry. Please try again in a few minutes.", language.code
    )
    return (Reply(sorry, language),)


def _voice(
    understanding: Understanding, texts: Texts, chosen: Language | None, speaker: Speaker, now: datetime.datetime
) -> Voice:
    return Voice(understanding.snapshot, texts, chosen or language_of(speaker.hint) or DEFAULT, day_of(now))


def _knows_language(chosen: Language | None, speaker: Speaker) -> bool:
    return chosen is not None or language_of(speaker.hint) is not None
