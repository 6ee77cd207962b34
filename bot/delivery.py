"""Sends what waits in the outbox: reminders, a closed moment, a place that came free, new offers, words of staff; and
replies that whoever made them could not send.

A notice is claimed, looked at again (was it cancelled? is it past?), sent in the language of today, then marked. What
a channel puts off is sent later, also after a restart.
"""

import asyncio
import datetime
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import storage
from bot.conversation import Later, Push, Reply, Sent, Unreachable, keeping, notices, offering, talking
from bot.conversation.voice import Voice
from bot.handover import StaffGroup
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.offers import unpack_search
from bot.scheduling import DAY_BEFORE, REMINDERS, day_of
from bot.shielding import to_the_end
from bot.storage import bookings, events, outbox, people, reminding, subscriptions, talks, waiting
from bot.storage.events import Unsent
from bot.storage.outbox import Notice
from bot.storage.talks import ENDED, STAFF_GROUP, TO_PERSON
from bot.storage.waiting import DAY_CLOSED, NOBODY, PASS
from bot.texts import Texts
from bot.understanding import Understanding

OVERALL_A_SECOND = 28  # Telegram: about 30 messages a second to all chats together (Bots FAQ, "broadcasting")
BETWEEN_IN_A_CHAT = datetime.timedelta(seconds=1.1)  # and no more than one a second in one chat
IDLE_SECONDS = 5.0
_BATCH = 56
_MOST_REPLIES = 20  # at once
_AFTER_A_FAULT = 600.0  # seconds

log = structlog.get_logger(__name__)


@dataclass
class Delivery:
    """Sends by channel. `wait` waits so many seconds, `timer` counts them: a test has its own."""

    database: AsyncEngine
    knowledge: Holder[Understanding]
    texts: Texts
    clock: Callable[[], datetime.datetime]
    pushes: Mapping[str, Push]
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    timer: Callable[[], float] = monotonic
    group: StaffGroup | None = None
    _announced: str = field(default="", init=False)
    _next_turn: float = field(default=0.0, init=False)
    _last_sent: dict[tuple[str, str], datetime.datetime] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Send until cancelled. A database that is away, or a fault of ours, is waited out."""
        while True:
            if not await to_the_end(self._round()):
                await self.wait(IDLE_SECONDS)

    async def _round(self) -> int:
        """Do each part, whatever becomes of the others; how much there was to do."""
        handled = 0
        for part in (self.announce, self.send_due, self.send_replies):
            try:
                handled += await part() or 0
            except storage.Unavailable:
                log.warning("notices not sent: database away")
                break
            except Exception:
                log.exception("notices not sent", part=part.__name__)
        return handled

    async def announce(self) -> None:
        """Let everybody know of offers that fit what they asked for and appeared in the files since."""
        snapshot = self.knowledge.current.snapshot
        if snapshot.version == self._announced:
            return
        now, last = self.clock(), 0
        while True:
            async with storage.begin(self.database) as connection:
                batch = await subscriptions.after(connection, last, _BATCH)
                for each in batch:
                    search = unpack_search(each.search)
                    found = snapshot.offers.find(search, day_of(now)) if search else []
                    if fresh := [offer.id for offer in found if offer.id not in each.known]:
                        await subscriptions.tell(connection, each, fresh, now)
            if not batch:
                break
            last = batch[-1].id
        self._announced = snapshot.version

    @property
    def channels(self) -> Sequence[str]:
        """Where this process can send."""
        return (*self.pushes, STAFF_GROUP) if self.group and self.group.client else tuple(self.pushes)

    async def send_due(self) -> int:
        """Handle the notices that are due now, up to a batch; how many there were."""
        now = self.clock()
        async with storage.begin(self.database) as connection:
            await reminding.put_due(connection, now, tuple(self.pushes), _BATCH)
            claimed = await outbox.claim(connection, now, (*self.channels, NOBODY), _BATCH)
        sending: list[asyncio.Task[None]] = []
        for notice in claimed:
            if not await self._is_its_turn(notice):
                continue
            await self._pace(notice)
            sending.append(asyncio.create_task(self._handle(notice)))
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return len(claimed)

    async def fetch(self, channel: str, chat: str, seen: Collection[int] = ()) -> Sequence[tuple[int, Reply]]:
        """What waits for a person who asks for it themselves, as the web page does, each with its number.

        A page may never get what was given to it: all is given again until its number is among those `seen`.
        """
        given: list[tuple[int, Reply]] = []
        now = self.clock()
        async with storage.begin(self.database) as connection:
            await reminding.put_due(connection, now, (channel,), _BATCH, chat)
            for notice in await outbox.claim(connection, now, (channel,), _BATCH, chat):
                if notice.id in seen:
                    await outbox.mark_sent(connection, notice.id)
                elif reply := await self._reply_to(connection, notice):
                    given.append((notice.id, reply))
                    await outbox.put_off(connection, notice.id, now)  # it waits as before
                else:
                    await outbox.mark_dropped(connection, notice.id)
        return given

    async def _is_its_turn(self, notice: Notice) -> bool:
        """One message a second in a chat: a second one waits a little."""
        now, chat = self.clock(), (notice.channel, notice.chat)
        last = self._last_sent.get(chat)
        if notice.channel != NOBODY and last and now - last < BETWEEN_IN_A_CHAT:
            async with storage.begin(self.database) as connection:
                await outbox.put_off(connection, notice.id, last + BETWEEN_IN_A_CHAT)
            return False
        if len(self._last_sent) > 10 * _BATCH:
            self._last_sent = {key: at for key, at in self._last_sent.items() if now - at < BETWEEN_IN_A_CHAT}
        self._last_sent[chat] = now
        return True

    async def _pace(self, notice: Notice) -> None:
        """Wait until one more message fits in what the channel takes in a second."""
        if notice.channel == NOBODY:
            return
        now = self.timer()
        turn = max(self._next_turn, now)
        self._next_turn = turn + 1 / OVERALL_A_SECOND
        if turn > now:
            await self.wait(turn - now)

    async def _handle(self, notice: Notice) -> None:
        if notice.kind == PASS:
            await self._pass_on(notice)
            return
        if notice.channel == STAFF_GROUP:
            await self._mark(notice, await self._post(notice))
            return
        async with storage.begin(self.database) as connection:
            reply = await self._reply_to(connection, notice)
            if reply is None:
                await outbox.mark_dropped(connection, notice.id)
                return
        outcome = await self._push(notice.channel, notice.chat, lambda: (reply,), notice.kind)
        await self._mark(notice, outcome)

    async def _mark(self, notice: Notice, outcome: Sent | Later | Unreachable | None) -> None:
        log.info("notice", notice_kind=notice.kind, outcome=type(outcome).__name__)
        async with storage.begin(self.database) as connection:
            if notice.kind == TO_PERSON and notice.message and not isinstance(outcome, Later):
                message = await talks.message(connection, notice.message)
                if message:
                    await talks.set_reached(connection, message, self.clock(), reached=isinstance(outcome, Sent))
            match outcome:
                case None:
                    await outbox.mark_dropped(connection, notice.id)
                case Sent():
                    await outbox.mark_sent(connection, notice.id)
                case Unreachable():
                    await outbox.mark_unreachable(connection, notice.id)
                case Later(seconds):
                    until = self.clock() + datetime.timedelta(seconds=seconds)
                    await outbox.put_off(connection, notice.id, until)

    async def _post(self, notice: Notice) -> Sent | Later | Unreachable | None:
        """A fault of ours is logged, and the notice waits."""
        try:
            return await self.group.deliver(notice) if self.group else None
        except storage.Unavailable:
            raise
        except Exception:
            log.exception("notice not posted", notice_kind=notice.kind)
            return Later(_AFTER_A_FAULT)

    async def _push(
        self, channel: str, chat: str, make: Callable[[], Sequence[Reply]], kind: str
    ) -> Sent | Later | Unreachable:
        """A fault of ours (a wrong button, a token that is not accepted) is logged, and what we had to say waits."""
        try:
            return await self.pushes[channel](chat, make())
        except Exception:
            log.exception("notice not sent", notice_kind=kind)
            return Later(_AFTER_A_FAULT)

    async def send_replies(self) -> int:
        """Send replies that whoever made them could not, or did not live to; how many there were.

        Chats side by side, since a lease holds for all of them; in a chat one after the other, in order.
        """
        async with storage.begin(self.database) as connection:
            found = await events.unsent(connection, self.clock(), tuple(self.pushes), _MOST_REPLIES)
        by_chat: dict[tuple[str, str], list[Unsent]] = defaultdict(list)
        for each in found:
            by_chat[each.channel, each.chat].append(each)
        outcomes = await asyncio.gather(*map(self._send_oldest, by_chat.values()), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(found)

    async def _send_oldest(self, of_a_chat: Sequence[Unsent]) -> None:
        """Send the first; those after it wait until it has arrived, and a moment longer."""
        first, *others = of_a_chat
        outcome = await self._push(first.channel, first.chat, partial(keeping.from_text, first.replies), "reply")
        await self._settle(first, outcome)
        wait = outcome.seconds if isinstance(outcome, Later) else 0.0
        for number, each in enumerate(others, start=1):
            await self._settle(each, Later(wait + number * BETWEEN_IN_A_CHAT.total_seconds()))

    async def _settle(self, unsent: Unsent, outcome: Sent | Later | Unreachable) -> None:
        async with storage.begin(self.database) as connection:
            if isinstance(outcome, Later):
                until = self.clock() + datetime.timedelta(seconds=outcome.seconds)
                await events.put_off(connection, unsent.event, until)
            else:
                await events.arrived(connection, (unsent.event,))

    async def _pass_on(self, notice: Notice) -> None:
        """Somebody let the place pass: ask the next who waits for it."""
        now = self.clock()
        async with storage.begin(self.database) as connection:
            turn = await waiting.get(connection, notice.waiting or 0)
            if turn and turn.asked_for:
                permanence = self.knowledge.current.snapshot.permanences.get(turn.service)
                await waiting.offer_freed_place(connection, permanence, turn.asked_for, now)
            await outbox.mark_sent(connection, notice.id)

    async def _reply_to(self, connection: AsyncConnection, notice: Notice) -> Reply | None:
        """What to say now; None when it is no longer true or comes too late."""
        if notice.waiting is not None:
            return await self._about_waiting(connection, notice)
        if notice.kind in (TO_PERSON, ENDED):
            return await self._about_talk(connection, notice)
        if notice.subscription is not None:
            return await self._about_offers(connection, notice, notice.subscription)
        booking = await bookings.get(connection, notice.booking or 0)
        if booking is None:
            return None
        permanence = self.knowledge.current.snapshot.permanences.get(booking.service)
        voice = await self._voice(connection, notice, booking.language)
        if permanence is None:
            return None
        if notice.kind in REMINDERS:
            if not self._is_still_true(notice, booking):
                return None
            return notices.reminder(voice, permanence, booking, notice.kind)
        return notices.closed(voice, permanence, booking) if booking.state == bookings.CLOSED else None

    def _is_still_true(self, notice: Notice, booking: bookings.Booking) -> bool:
        """Whether a reminder is of the time for which it was put, ahead, and on the day that it speaks of."""
        now = self.clock()
        same = notice.key.endswith(f"{booking.start:%Y%m%d%H%M}")
        in_time = day_of(now) < day_of(booking.start) if notice.kind == DAY_BEFORE else now < booking.start
        return booking.state == bookings.BOOKED and same and in_time

    async def _about_waiting(self, connection: AsyncConnection, notice: Notice) -> Reply | None:
        turn = await waiting.get(connection, notice.waiting or 0)
        permanence = self.knowledge.current.snapshot.permanences.get(turn.service) if turn else None
        if turn is None or permanence is None:
            return None
        voice = await self._voice(connection, notice, turn.language)
        if notice.kind == DAY_CLOSED:
            return notices.day_closed(voice, permanence, turn)
        still = turn.asked_until is not None and turn.asked_until > self.clock()
        return notices.place_free(voice, permanence, turn) if still else None

    async def _about_talk(self, connection: AsyncConnection, notice: Notice) -> Reply | None:
        """What staff wrote, or that the conversation is over."""
        message = await talks.message(connection, notice.message) if notice.message else None
        number = message.conversation if message else int(notice.about or 0)
        talk = await talks.get(connection, number)
        if talk is None:
            return None
        voice = await self._voice(connection, notice, talk.language)
        return talking.from_staff(voice, message.text) if message else talking.ended(voice)

    async def _about_offers(self, connection: AsyncConnection, notice: Notice, number: int) -> Reply | None:
        subscription = await subscriptions.get(connection, number)
        if subscription is None:
            return None
        voice = await self._voice(connection, notice, subscription.language)
        offers = (voice.snapshot.offers.get(reference) for reference in notice.about.split())
        fresh = [offer for offer in offers if offer and offer.is_open(voice.today)]
        return offering.news(voice, subscription, fresh) if fresh else None

    async def _voice(self, connection: AsyncConnection, notice: Notice, language: str) -> Voice:
        """The language that the person has chosen by now, or else the one in which they booked."""
        chosen = await people.language_of(connection, notice.channel, notice.chat)
        today = day_of(self.clock())
        return Voice(self.knowledge.current.snapshot, self.texts, LANGUAGES[chosen or language], today)
