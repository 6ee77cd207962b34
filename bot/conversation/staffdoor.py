"""`/staff`: a link to the console for a member of staff; anybody else is answered as always."""

import datetime
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation.events import Button, Command, Event, Link, Reply, Respond
from bot.languages import LANGUAGES, SOURCE, language_of
from bot.storage import events, staff

_CHANNEL = "telegram"  # where the number of a private chat is that of the person, whom Telegram has signed in
_SAID = {
    "nl": "Hiermee komt u in de console. De link werkt één keer, binnen tien minuten.",
    "en": "This takes you to the console. The link works once, within ten minutes.",
}


async def letting_staff_in(
    inner: Respond, event: Event, *, database: AsyncEngine, clock: Callable[[], datetime.datetime], console: str
) -> Sequence[Reply]:
    """A link that signs a member in at the address `console`, when they ask for `/staff`."""
    if not isinstance(event, Command) or event.name != "staff" or event.speaker.channel != _CHANNEL:
        return await inner(event)
    now = clock()
    async with storage.begin(database) as connection:
        member = await staff.by_telegram(connection, event.speaker.chat)
        if member and event.key and not await events.claim(connection, event.key, now):
            return ()
        token = await staff.make_link(connection, member.id, now) if member else None
    return (_link(event, f"{console}/{token}"),) if token else await inner(event)


def _link(event: Command, address: str) -> Reply:
    asked = language_of(event.speaker.hint)
    language = LANGUAGES[SOURCE if asked is None or asked.code == SOURCE else "en"]
    # Telegram takes no button to a machine of one's own; the words hold the address as well.
    rows = ((Button("🔑 Wegwijs", Link(address)),),) if address.startswith("https://") else ()
    return Reply(f"{_SAID[language.code]}\n\n{address}", language, rows)
