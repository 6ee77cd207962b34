"""The only SQL: plain functions on a connection, one connection and one transaction for one event."""

from bot.storage.opening import Clock, Unavailable, Unusable, begin, migrate, open_storage

__all__ = ["Clock", "Unavailable", "Unusable", "begin", "migrate", "open_storage"]
