"""`INSERT … ON CONFLICT`, which SQLAlchemy has per database though both of ours write it the same way."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: AsyncConnection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert that knows conflicts."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """The same for a dialect. Only the one in use is imported: the other would cost a tenth of a second."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
