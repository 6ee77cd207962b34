"""A Wednesday in November as the console shows it: who comes, who asks, and what was asked in four weeks."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import desk
from bot.knowledge import Snapshot
from bot.scheduling import Moment, Permanence, slot_at
from bot.storage import agenda, bookings, staff, talks
from bot.storage.bookings import DESK, FULFILLED, NOSHOW, Asked, Booked
from bot.storage.schema import bookings as bookings_table
from bot.storage.schema import feedback, tallies, unanswered
from bot.storage.talks import Words
from bot.understanding import Understanding
from tests.booking_knowledge import SCHOOL, SESSION

NOW = datetime.datetime(2026, 11, 25, 13, 10, tzinfo=datetime.UTC)  # 14:10 in Brussels
_DAYS_BACK = 28

DUTCH_HELP = replace(
    SESSION,
    service="dutch",
    titles={"nl": "Hulp bij Nederlands leren", "en": "Help with learning Dutch"},
    moments=(Moment(2, datetime.time(10, 0), datetime.time(12, 0), 60, 6),),
)
PERMANENCES: Mapping[str, Permanence] = {
    "dutch": DUTCH_HELP,
    "school": replace(SCHOOL, moments=(replace(SCHOOL.moments[0], end=datetime.time(16, 0)),)),
}

_COMING = (  # service, time in UTC, code, language, wanted, people, channel, what became of it, says that they come
    ("dutch", (9, 0), "4DW7N", "tr", "", 1, "telegram", FULFILLED, True),
    ("dutch", (9, 0), "9KXR2", "ar", "ar", 2, "web", FULFILLED, False),
    ("dutch", (10, 0), "M3TPA", "so", "", 1, DESK, NOSHOW, False),
    ("school", (12, 30), "7K3MQ", "uk", "i", 3, "telegram", FULFILLED, True),
    ("school", (13, 0), "C8HVE", "ps", "i", 4, "telegram", "booked", True),
    ("school", (13, 0), "QX52J", "bg", "", 2, DESK, "booked", False),
    ("school", (13, 30), "F6NYB", "ar", "ar", 5, "telegram", "booked", False),
    ("school", (14, 0), "2RZKD", "fa", "", 2, "web", "booked", True),
)
_ASKED = (
    ("uk", "Де можна безкоштовно полагодити велосипед?", 0),
    ("uk", "де безкоштовно полагодити велосипед", 2),
    ("uk", "Де в Генті полагодити велосипед безкоштовно?", 5),
    ("nl", "Waar kan ik mijn rijbewijs omwisselen?", 0),
    ("nl", "mijn rijbewijs omwisselen waar", 1),
    ("ar", "أين يمكنني شراء أثاث مستعمل رخيص؟", 1),
    ("ar", "اين يمكنني شراء اثاث مستعمل رخيص", 3),
    ("tr", "Köpeğimi nasıl kaydettirebilirim?", 2),
    ("en", "Can I keep chickens in my garden?", 4),
    ("bg", "Кога минава боклукът на моята улица?", 6),
)
_LANGUAGES = {"uk": 31, "ar": 24, "tr": 17, "nl": 12, "bg": 10, "ps": 8, "so": 7, "en": 6, "fa": 3, "fr": 2}
_ENTRIES = ("school-find", "school-okan", "contact", "leisure-children", "mo-languages")


@dataclass(frozen=True)
class Day:
    """What a browser looks for."""

    member: staff.Member
    session: str
    talk: int


def on_that_day(understanding: Understanding) -> Understanding:
    """The knowledge with the permanences of that day."""
    snapshot: Snapshot = replace(understanding.snapshot, permanences=PERMANENCES)
    return replace(understanding, snapshot=snapshot)


async def furnish(connection: AsyncConnection) -> Day:
    """Put a day's work into the database, and sign in who looks at it."""
    member = await _colleagues(connection)
    for coming in _COMING:
        await _come(connection, coming)
    await desk.close(connection, PERMANENCES["school"], NOW.date(), datetime.time(15, 30), NOW)
    await _say(connection)
    today = NOW.date()
    rows = [
        {"day": today - datetime.timedelta(days), "language": language, "text": text, "state": "open"}
        for language, text, days in _ASKED
    ]
    await connection.execute(insert(unanswered), rows)
    await _count(connection)
    token = await staff.make_link(connection, member.id, NOW)
    session = await staff.sign_in(connection, token, NOW)
    assert session
    opened = await talks.listed(connection)
    return Day(member, session, min(talk.id for talk in opened))


async def _colleagues(connection: AsyncConnection) -> staff.Member:
    member = await staff.add(connection, "Noor", "administrator", None, NOW)
    await staff.add(connection, "Yusuf", "desk", "5550001234", NOW)
    await staff.add(connection, "Fatma van de onthaalbalie", "editor", None, NOW)
    assert member
    earlier = NOW - datetime.timedelta(hours=2)
    for what, about in (
        ("arrived", "4DW7N"),
        ("arrived", "9KXR2"),
        ("not come", "M3TPA"),
        ("close", "school 2026-11-25 15:30"),
        ("edit text", "school-find uk"),
        ("answer in a conversation", "1"),
    ):
        await staff.note(connection, member.label, what, about, earlier)
    return member


async def _come(connection: AsyncConnection, coming: tuple[Any, ...]) -> None:
    service, (hour, minute), code, language, wanted, people, channel, state, says = coming
    permanence = PERMANENCES[service]
    slot = slot_at(permanence, NOW.replace(hour=hour, minute=minute))
    assert slot
    chat = "" if channel == DESK else f"chat-{code}"
    asked = Asked(channel, chat, language, people, permanence.places_for(people), wanted)
    booked = await bookings.book(connection, slot, asked, NOW - datetime.timedelta(days=3))
    assert isinstance(booked, Booked), coming
    changes = {"code": code, "coming": says}
    await connection.execute(update(bookings_table).where(bookings_table.c.id == booked.booking.id).values(changes))
    if state != bookings.BOOKED:
        assert await agenda.mark(connection, booked.booking, state)


async def _say(connection: AsyncConnection) -> None:
    """One conversation in Arabic that waits for an answer, one that is answered, one whose person is gone, one closed."""
    minutes = [NOW - datetime.timedelta(minutes=each) for each in (55, 50, 42, 12)]
    talk = await talks.start(connection, "telegram", "2001", "ar", minutes[0])
    await talks.from_person(
        connection, talk, "مرحبا، ابني عمره 9 سنوات ووصلنا الأسبوع الماضي. أين يذهب إلى المدرسة؟", minutes[0]
    )
    await talks.from_staff(connection, talk, Words("Noor", "مرحبا، أعمل في أمل. كيف يمكنني مساعدتك؟"), minutes[1])
    await talks.from_person(connection, talk, "نسكن في حي Brugse Poort. هل توجد مدرسة قريبة فيها مكان؟", minutes[2])
    await talks.from_person(connection, talk, "هل أحتاج إلى موعد؟", minutes[3])
    answered = await talks.start(connection, "telegram", "2002", "uk", minutes[0])
    await talks.from_person(connection, answered, "Добрий день! Чи можу я прийти завтра?", minutes[0])
    await talks.from_staff(connection, answered, Words("Yusuf", "Добрий день! Так, з 10:00."), minutes[1])
    gone = await talks.start(connection, "telegram", "2003", "ti", minutes[0])
    await talks.from_person(connection, gone, "ሰላም", minutes[0])
    said = await talks.from_staff(connection, gone, Words("Noor", "ሰላም"), minutes[1])
    assert said
    await talks.set_reached(connection, said, NOW, reached=False)
    closed = await talks.start(connection, "web", "2004", "fr", NOW - datetime.timedelta(days=2))
    await talks.from_person(connection, closed, "Merci beaucoup !", NOW - datetime.timedelta(days=2))
    await talks.close(connection, closed, NOW - datetime.timedelta(days=1), by_staff=True)


async def _count(connection: AsyncConnection) -> None:
    """Counts that look like four weeks: fewer at weekends, a few languages more than others."""
    rows, helped = [], []
    for back in range(_DAYS_BACK):
        day = NOW.date() - datetime.timedelta(days=back)
        share = 1 if day.weekday() < 5 else 3
        for turn, (language, usual) in enumerate(_LANGUAGES.items()):
            amount = (usual + (back * 7 + turn * 3) % 5) // share
            entry = _ENTRIES[(back + turn) % len(_ENTRIES)]
            for what, about, count in (
                ("answer", entry, amount),
                ("suggest", "", amount // 4),
                ("decline", "", amount // 7),
                ("smalltalk", "", amount // 5),
                ("book", "", amount // 8),
                ("offers", "", amount // 6),
                ("handoff", "", amount // 15),
                ("booked", "school", amount // 9),
                ("fulfilled", "school", amount // 12),
                ("noshow", "school", amount // 25),
                ("booked", "dutch", amount // 14),
                ("fulfilled", "dutch", amount // 20),
            ):
                rows.append({"day": day, "what": what, "about": about, "language": language, "count": count})
            helped += [
                {"day": day, "slug": entry, "language": language, "helped": yes, "count": amount // (3 if yes else 9)}
                for yes in (True, False)
            ]
    await connection.execute(insert(tallies), [row for row in rows if row["count"]])
    await connection.execute(insert(feedback), [row for row in helped if row["count"]])
