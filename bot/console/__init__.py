"""The staff console at `/staff`: pages for the desk, for editors and for administrators."""

from bot.console.console import Console, add_console

__all__ = ["Console", "add_console"]
