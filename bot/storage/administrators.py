"""Who may change who is staff. Nobody of them changes while somebody decides on it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.schema import staff


async def hold(connection: AsyncConnection) -> frozenset[int]:
    """The administrators, who stay so until this transaction ends.

    Without it, two who take each other away at the same moment would leave nobody.
    """
    there = select(staff.c.id).where(staff.c.role == "administrator").order_by(staff.c.id)
    return frozenset((await connection.execute(there.with_for_update())).scalars())
