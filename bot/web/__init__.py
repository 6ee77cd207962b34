"""The web chat and what operators look at. The conversation itself is elsewhere."""

from bot.web.chat import add_chat
from bot.web.headers import secure
from bot.web.health import add_health
from bot.web.limiting import limiting

__all__ = ["add_chat", "add_health", "limiting", "secure"]
