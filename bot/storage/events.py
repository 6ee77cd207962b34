"""Which events were handled. Telegram sends an update again when it is not sure that we had it."""

import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import handled
from bot.storage.upsert import insert_for


async def claim(connection: AsyncConnection, event: str, now: datetime.datetime) -> bool:
    """Take `event` in the transaction of its effects; False when it was handled before."""
    result = await connection.execute(
        insert_for(connection, handled).values(event=event, at=now).on_conflict_do_nothing()
    )
    return result.rowcount == 1
