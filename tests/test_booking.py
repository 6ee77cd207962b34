"""Booking as a dialogue: choose, confirm, move, cancel, wait, and be reminded."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from icalendar import Calendar
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import desk, storage
from bot.conversation import Later, Reply, Respond, Sent, Unreachable, respond
from bot.conversation.packing import pack, pack_instant
from bot.conversation.steps import ConfirmBooking, ShowBooking
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.scheduling import BRUSSELS
from bot.storage import agenda, bookings, outbox
from bot.texts import Texts
from bot.understanding import Understanding
from tests.booking_knowledge import PERMANENCES, PLACE, SCHOOL, with_permanences
from tests.conftest import NOW, Clock
from tests.dialogue import Dialogue

# NOW is Monday 23 November 2026, 10:30 in Brussels; the next Wednesday is the 25th.
WEDNESDAY = datetime.date(2026, 11, 25)


def on_wednesday(hour: int, minute: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, 25, hour, minute, tzinfo=BRUSSELS)


class Phone:
    """What was pushed to people; `says` is what the channel answers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Reply]] = []
        self.says: Sent | Later | Unreachable = Sent()

    async def push(self, chat: str, replies: Sequence[Reply]) -> Sent | Later | Unreachable:
        if isinstance(self.says, Sent):
            self.sent += [(chat, reply) for reply in replies]
        return self.says

    def told(self, person: Dialogue) -> list[Reply]:
        return [reply for chat, reply in self.sent if chat == person.speaker.chat]


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(with_permanences(understanding))


@pytest.fixture
def answer(holder: Holder[Understanding], database: AsyncEngine, catalogues: Texts, clock: Clock) -> Respond:
    return partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def delivery(
    holder: Holder[Understanding], database: AsyncEngine, catalogues: Texts, clock: Clock, phone: Phone
) -> Delivery:
    return Delivery(database, holder, catalogues, clock, {"test": phone.push})


async def _books(person: Dialogue, time: str = "13:30", *, day: str = "25", people: str = "1") -> str:
    """From the button of an answer to a confirmed booking for a school."""
    await person.presses_data(f"bk:{person.speaker.hint}:school")
    await person.presses(people)
    await person.presses("✓")
    await person.presses(day)
    await person.presses(time)
    return await person.presses("✅")


async def _sends_everything(delivery: Delivery, clock: Clock) -> None:
    """Until nothing is due any more: a chat gets one message a second."""
    while await delivery.send_due():
        clock.now += datetime.timedelta(seconds=2)


async def _all_bookings(database: AsyncEngine) -> list[bookings.Booking]:
    async with storage.begin(database) as connection:
        return await agenda.between(connection, NOW, NOW + datetime.timedelta(days=60))


# Making


@pytest.mark.parametrize("code", LANGUAGES)
async def test_a_booking_is_made_moved_and_cancelled_in_every_language(answer: Respond, code: str) -> None:
    person = Dialogue(answer, code)
    await person.presses_data(f"bk:{code}:school")
    for pressed in ("2", "✓", "25", ":30", "✅"):
        await person.presses(pressed)
    assert "✅" in person.text
    assert PLACE in person.text
    assert person.language == code
    for pressed in ("🔁", "25", ":00", "✅"):
        await person.presses(pressed)
    assert "✅" in person.text
    await person.presses("✕")
    await person.presses("✕")
    assert "↩" in person.labels[0]
    await person.presses("↩")
    assert "✅" in person.text


async def test_the_confirmation_says_what_when_where_and_what_to_bring(answer: Respond) -> None:
    person = Dialogue(answer, "nl")
    text = await _books(person, "14:00", people="3")
    for said in ("Een school zoeken", "woensdag 25 november 2026", "14:00", PLACE, "papieren van uw kind", "3"):
        assert said in text
    (reply,) = person.replies
    assert reply.venue is not None
    assert (reply.venue.latitude, reply.venue.address) == (51.05, PLACE)
    assert reply.document is not None
    (event,) = Calendar.from_ical(reply.document.content).walk("VEVENT")
    assert event.decoded("dtstart") == on_wednesday(14, 0).astimezone(datetime.UTC)
    assert event.decoded("dtend") == on_wednesday(14, 30).astimezone(datetime.UTC)
    assert str(event["uid"]).removesuffix("@wegwijs") in text


async def test_words_start_at_the_service_and_the_weekday_that_they_name(answer: Respond) -> None:
    person = Dialogue(answer, "en")
    assert "Finding a school" in await person.says("I want an appointment for my daughter's school on Wednesday")
    await person.presses("1")
    await person.presses("✓")
    assert [label for label in person.labels if "·" in label] == ["Wed 25 Nov · 3", "Wed 2 Dec · 3"]


async def test_a_question_in_the_middle_is_answered_and_the_booking_goes_on(answer: Respond) -> None:
    person = Dialogue(answer, "nl")
    await person.presses_data("bk:nl:school")
    await person.presses("2")
    days = person.data_of(next(place for place, label in enumerate(person.labels) if "✓" in label))
    assert "Kongostraat" in await person.says("wat is het adres van Amal?")
    await person.presses_data(days)
    await person.presses("25")
    await person.presses("13:30")
    assert "2" in await person.presses("✅")


async def test_a_language_that_is_wanted_shows_only_moments_where_it_is_spoken(answer: Respond) -> None:
    person = Dialogue(answer, "ar")
    await person.presses_data("bk:ar:school")
    await person.presses("1")
    assert "العربية" in " ".join(person.labels)
    await person.presses_data("bl:ar:school:-:1:uk")
    assert not [label for label in person.labels if "·" in label]


async def test_only_free_places_are_shown_and_the_last_one_goes_once(answer: Respond, database: AsyncEngine) -> None:
    first, second, third = (Dialogue(answer, "en") for _ in range(3))
    for person in (third, first, second):
        await person.presses_data("bt:en:school:1:-:" + pack_instant(on_wednesday(13, 30)))
    assert "Your appointment is made" in await first.presses("✅")
    assert "Your appointment is made" in await second.presses("✅")
    assert "somebody else has just taken" in await third.presses("✅")
    assert "13:30" not in third.labels
    assert "14:00" in third.labels
    assert len(await _all_bookings(database)) == 2


async def test_a_family_takes_its_places_together_or_not_at_all(answer: Respond, database: AsyncEngine) -> None:
    start = pack_instant(datetime.datetime(2026, 11, 26, 10, 0, tzinfo=BRUSSELS))
    four, three, two = (Dialogue(answer, "uk") for _ in range(3))
    await four.presses_data(f"bc:uk:ukraine:4:-:{start}")
    await three.presses_data(f"bc:uk:ukraine:3:-:{start}")
    await two.presses_data(f"bc:uk:ukraine:2:-:{start}")
    assert [booking.people for booking in await _all_bookings(database)] == [4, 2]


async def test_confirming_twice_books_once(answer: Respond, database: AsyncEngine) -> None:
    person = Dialogue(answer, "en")
    data = f"bc:en:school:1:-:{pack_instant(on_wednesday(13, 30))}"
    first = await person.presses_data(data)
    assert await person.presses_data(data) == first
    assert len(await _all_bookings(database)) == 1


async def test_one_open_booking_for_a_service_is_enough(answer: Respond) -> None:
    person = Dialogue(answer, "en")
    await _books(person)
    text = await person.presses_data(f"bc:en:school:1:-:{pack_instant(on_wednesday(14, 0))}")
    assert "You have an appointment for this already" in text
    assert any("13:30" in label for label in person.labels)


@pytest.mark.parametrize(
    "start",
    [
        datetime.datetime(2026, 11, 18, 13, 30, tzinfo=BRUSSELS),  # past
        datetime.datetime(2026, 11, 25, 13, 45, tzinfo=BRUSSELS),  # between two slots
        datetime.datetime(2026, 12, 30, 13, 30, tzinfo=BRUSSELS),  # beyond the horizon
        datetime.datetime(2026, 11, 11, 13, 30, tzinfo=BRUSSELS),  # a holiday
    ],
)
async def test_a_time_that_nobody_offers_is_refused_kindly(answer: Respond, start: datetime.datetime) -> None:
    person = Dialogue(answer, "en")
    await person.presses_data(f"bc:en:school:1:-:{pack_instant(start)}")
    assert "no longer possible" in person.text


@pytest.mark.parametrize(
    "data",
    [
        "bc:en:nothing:1:-:abc",
        "bc:en:school:0:-:abc",
        "bc:en:school:999:-:abc",
        "bc:en:school:1:xx:abc",
        "bc:en:school:1:-:!!!",
        "bd:en:school:1:-:20269999",
        "bl:en:school:9:-1:-",
        "bp:en:school:-:²",
        "ac:en:x",
        "lw:en:-5",
        "jw:en:school:1:-:19000101",
        "mt:en:AAAAA:zz",
    ],
)
async def test_a_forged_button_does_nothing_and_is_answered(answer: Respond, database: AsyncEngine, data: str) -> None:
    person = Dialogue(answer, "en")
    assert await person.presses_data(data)
    assert await _all_bookings(database) == []


async def test_without_permanences_the_way_to_amal_is_shown(
    understanding: Understanding, database: AsyncEngine, catalogues: Texts, clock: Clock
) -> None:
    holder = Holder(with_permanences(understanding, {}))
    person = Dialogue(partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock), "en")
    assert "09 265 78 40" in await person.says("I want to make an appointment")


# Somebody else's


async def test_a_stranger_neither_sees_nor_cancels_a_booking(answer: Respond, database: AsyncEngine) -> None:
    owner, stranger = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(owner)
    (booking,) = await _all_bookings(database)
    nothing = await stranger.presses_data(pack(ShowBooking("en", "AAAAA")))
    for tag in ("sb", "mv", "cb", "cc", "uc", "wc"):
        assert await stranger.presses_data(f"{tag}:en:{booking.code}") == nothing
    start = pack_instant(on_wednesday(14, 0))
    assert await stranger.presses_data(f"mc:en:{booking.code}:{start}") == nothing
    assert await _all_bookings(database) == [booking]


# Moving and cancelling


async def test_a_move_keeps_the_old_place_until_the_new_one_is_sure(answer: Respond, database: AsyncEngine) -> None:
    person, first, second = (Dialogue(answer, "en") for _ in range(3))
    await _books(person)
    await person.presses("🔁")
    await person.presses("25")
    await person.presses("14:00")
    for other in (first, second):
        await other.presses_data(f"bc:en:school:1:-:{pack_instant(on_wednesday(14, 0))}")
    assert "somebody else has just taken" in await person.presses("✅")
    assert on_wednesday(13, 30) in [booking.start for booking in await _all_bookings(database)]


async def test_a_cancelled_place_is_free_again_and_undo_takes_it_back_while_it_is(answer: Respond) -> None:
    person, other = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(person)
    await person.presses("✕")
    await person.presses("✕")
    undo = person.data_of(0)
    assert "back" in await person.presses_data(undo)
    await person.presses("✕")
    await person.presses("✕")
    for booker in (other, Dialogue(answer, "en")):
        await booker.presses_data(f"bc:en:school:1:-:{pack_instant(on_wednesday(13, 30))}")
    assert "somebody else" in await person.presses_data(undo)


async def test_who_has_an_appointment_and_writes_about_it_sees_it(answer: Respond) -> None:
    person = Dialogue(answer, "en")
    await _books(person)
    assert "Your appointments" in await person.says("I have to cancel my appointment")
    assert "13:30" in person.labels[0]


async def test_the_menu_leads_to_the_appointments(answer: Respond) -> None:
    person = Dialogue(answer, "en")
    await person.starts()
    assert "What would you like" in await person.presses("📅")
    assert "You have no appointment" in await person.presses("My appointments")
    await _books(person)
    assert "Your appointments" in await person.commands("appointments")


# Reminders


async def test_reminders_come_the_day_before_and_two_hours_before(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    person = Dialogue(answer, "nl")
    await _books(person)
    clock.now = on_wednesday(13, 29) - datetime.timedelta(days=1)
    assert await delivery.send_due() == 0
    clock.now += datetime.timedelta(minutes=1)
    await delivery.send_due()
    await delivery.send_due()
    clock.now = on_wednesday(11, 30)
    await delivery.send_due()
    said = [reply.text for reply in phone.told(person)]
    assert len(said) == 2
    assert all("13:30" in text and PLACE in text for text in said)


async def test_a_reminder_speaks_the_language_chosen_by_then(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    person = Dialogue(answer, "nl")
    await _books(person)
    await person.presses_data("cl:uk")
    clock.now = on_wednesday(13, 30) - datetime.timedelta(days=1)
    await delivery.send_due()
    assert phone.told(person)[0].language.code == "uk"


async def test_what_was_moved_or_cancelled_is_not_reminded_of(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    moved, cancelled = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(moved)
    await _books(cancelled)
    await cancelled.presses("✕")
    await cancelled.presses("✕")
    for pressed in ("🔁", "2 Dec", "14:00", "✅"):
        await moved.presses(pressed)
    clock.now = on_wednesday(13, 0)
    assert await delivery.send_due() == 0
    clock.now += datetime.timedelta(days=7)
    await delivery.send_due()
    assert all("14:00" in reply.text for reply in phone.told(moved))
    assert phone.told(cancelled) == []


async def test_a_reminder_that_is_past_is_not_sent_and_one_that_waited_is(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    """The process was down: until after one appointment, and until an hour before another."""
    missed, late = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(missed)
    await _books(late, day="2 Dec")
    clock.now = on_wednesday(12, 30) + datetime.timedelta(days=7)
    await _sends_everything(delivery, clock)
    assert phone.told(missed) == []
    assert len(phone.told(late)) == 1


async def test_one_booked_an_hour_ahead_gets_no_message_of_the_day_before(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    clock.now = on_wednesday(12, 20)
    person = Dialogue(answer, "en")
    await _books(person)
    clock.now = on_wednesday(13, 29)
    await delivery.send_due()
    assert phone.told(person) == []


async def test_an_answer_to_a_reminder_is_kept_or_frees_the_place(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    coming, not_coming = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(coming)
    await _books(not_coming)
    clock.now = on_wednesday(11, 30)
    await _sends_everything(delivery, clock)
    coming.replies, not_coming.replies = phone.told(coming), phone.told(not_coming)
    assert "See you soon" in await coming.presses("I come")
    await not_coming.presses("I can't come")
    await not_coming.presses("Yes, cancel")
    assert [booking.coming for booking in await _all_bookings(database)] == [True]


async def test_a_429_puts_a_notice_off_and_a_blocked_chat_is_shown_to_staff(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    person, blocked = Dialogue(answer, "en"), Dialogue(answer, "en")
    await _books(person)
    clock.now = on_wednesday(13, 30) - datetime.timedelta(days=1)
    phone.says = Later(30)
    await delivery.send_due()
    phone.says = Sent()
    clock.now += datetime.timedelta(seconds=29)
    assert await delivery.send_due() == 0
    clock.now += datetime.timedelta(seconds=2)
    await delivery.send_due()
    assert len(phone.told(person)) == 1
    await _books(blocked, "14:00")
    phone.says = Unreachable()
    clock.now = on_wednesday(12, 5)
    await delivery.send_due()
    async with storage.begin(database) as connection:
        lines = await desk.day(connection, PERMANENCES, WEDNESDAY)
    assert [line.reached for line in lines] == [False, False]


# Waiting


async def test_who_waits_is_asked_in_turn_with_a_limited_time(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    full = replace(SCHOOL, moments=(replace(SCHOOL.moments[0], end=datetime.time(14, 0), capacity=1),))
    delivery.knowledge.current = with_permanences(delivery.knowledge.current, {"school": full})
    owner, first, second, later = (Dialogue(answer, "en") for _ in range(4))
    await _books(owner)
    for person in (first, second):
        await person.presses_data("bl:en:school:-:1:-")
        await person.presses("⏳ Wed 25")
        assert "waiting list" in person.text
    await owner.presses("✕")
    await owner.presses("✕")
    await delivery.send_due()
    assert len(phone.told(first)) == 1
    assert phone.told(second) == []
    clock.now += datetime.timedelta(minutes=31)
    await delivery.send_due()
    clock.now += datetime.timedelta(seconds=2)
    await delivery.send_due()
    second.replies = phone.told(second)
    assert "Your appointment is made" in await second.presses("Take this place")
    first.replies = phone.told(first)
    assert "somebody else" in await first.presses("Take this place")
    assert "no longer on the waiting list" in await first.presses("Leave")
    assert [booking.chat for booking in await _all_bookings(database)] == [second.speaker.chat]
    await later.presses_data(f"ac:en:{1}")
    assert len(await _all_bookings(database)) == 1


# Staff


async def test_closing_a_day_tells_everybody_in_their_language_and_offers_other_times(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    dutch, arabic = Dialogue(answer, "nl"), Dialogue(answer, "ar")
    await _books(dutch)
    await arabic.presses_data(f"bc:ar:school:2:ar:{pack_instant(on_wednesday(14, 0))}")
    async with storage.begin(database) as connection:
        closed = await desk.close(connection, SCHOOL, WEDNESDAY, None, clock.now)
    assert closed is not None
    assert len(closed) == 2
    await delivery.send_due()
    assert [phone.told(person)[0].language.code for person in (dutch, arabic)] == ["nl", "ar"]
    dutch.replies = phone.told(dutch)
    await dutch.presses("📅")
    assert not any("25 nov" in label for label in dutch.labels)
    await dutch.presses("2 dec")
    await dutch.presses("13:30")
    assert "✅" in await dutch.presses("✅")
    stranger = Dialogue(answer, "en")
    await stranger.presses_data(f"bc:en:school:1:-:{pack_instant(on_wednesday(13, 30))}")
    assert "no longer possible" in stranger.text


async def test_who_waits_for_a_day_that_is_closed_is_told(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    person = Dialogue(answer, "uk")
    await person.presses_data("jw:uk:school:1:-:20261125")
    async with storage.begin(database) as connection:
        await desk.close(connection, SCHOOL, WEDNESDAY, None, clock.now)
    while await delivery.send_due():
        clock.now += datetime.timedelta(seconds=2)
    (told,) = phone.told(person)
    assert told.language.code == "uk"
    assert "25 листопада 2026" in told.text
    person.replies = [told]
    await person.presses("📅")
    assert not any("25" in label for label in person.labels)


async def test_staff_book_for_somebody_and_mark_who_came(answer: Respond, clock: Clock, database: AsyncEngine) -> None:
    await _books(Dialogue(answer, "en"))
    async with storage.begin(database) as connection:
        asked = desk.at_the_desk(SCHOOL, 2, "ti")
        made = await desk.book_for(connection, SCHOOL, on_wednesday(13, 30), asked, clock.now)
        assert isinstance(made, bookings.Booked)
        full = await desk.book_for(connection, SCHOOL, on_wednesday(13, 30), asked, clock.now)
        assert full == bookings.Full()
        assert await agenda.mark(connection, made.booking, bookings.FULFILLED)
        lines = await desk.day(connection, PERMANENCES, WEDNESDAY, "school")
    assert [(line.booking.state, line.reached) for line in lines] == [("booked", True), ("fulfilled", False)]


async def test_bookings_stay_when_a_permanence_changes_and_staff_see_which_no_longer_fit(
    answer: Respond, clock: Clock, database: AsyncEngine
) -> None:
    await _books(Dialogue(answer, "en"))
    changed = {"school": replace(SCHOOL, moments=(replace(SCHOOL.moments[0], weekday=4),))}
    async with storage.begin(database) as connection:
        assert await desk.misfits(connection, PERMANENCES, clock.now) == []
        (line,) = await desk.misfits(connection, changed, clock.now)
    assert (line.booking.state, line.fits) == ("booked", False)


async def test_the_page_fetches_what_waits_for_it(
    answer: Respond, delivery: Delivery, clock: Clock, database: AsyncEngine
) -> None:
    person = Dialogue(answer, "nl")
    await _books(person)
    clock.now = on_wednesday(11, 30)
    [(number, reminder)] = await delivery.fetch("test", person.speaker.chat)
    assert await delivery.fetch("test", "somebody else", [number]) == []
    assert await delivery.fetch("test", person.speaker.chat, [number + 1]) == [(number, reminder)]
    assert await delivery.fetch("test", person.speaker.chat, [number]) == []
    assert await delivery.fetch("test", person.speaker.chat) == []
    async with storage.begin(database) as connection:
        assert await outbox.oldest_due(connection, clock.now, ("test",)) is None


def test_a_button_for_the_longest_service_fits() -> None:
    assert len(pack(ConfirmBooking("tzm", "s" * 40, "99", "tzm", "zzzzzz"))) <= 64


async def test_who_begins_to_wait_when_a_place_has_just_come_free_is_asked_for_it(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock
) -> None:
    """Somebody cancelled between the list of days and the press."""
    person = Dialogue(answer, "en")
    await person.presses_data("jw:en:school:1:-:20261125")
    await delivery.send_due()
    (told,) = phone.told(person)
    assert "A place has come free." in told.text


async def test_who_deletes_everything_while_they_are_asked_leaves_the_place_to_the_next(
    answer: Respond, delivery: Delivery, phone: Phone, clock: Clock, database: AsyncEngine
) -> None:
    first_slot = on_wednesday(13, 30)
    async with storage.begin(database) as connection:
        await agenda.close(
            connection, "school", first_slot + datetime.timedelta(minutes=1), on_wednesday(23, 0), clock.now
        )
        assert await desk.book_for(connection, SCHOOL, first_slot, desk.at_the_desk(SCHOOL, 1, "ti"), clock.now)
    first, second = Dialogue(answer, "en"), Dialogue(answer, "en")
    for person in (first, second):
        await person.presses_data("jw:en:school:1:-:20261125")
    await delivery.send_due()
    assert (len(phone.told(first)), len(phone.told(second))) == (1, 0), "one place is left"
    await first.presses_data("py:en")
    await delivery.send_due()
    assert "A place has come free." in phone.told(second)[0].text
