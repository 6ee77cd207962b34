"""Telegram: updates to events, replies to Bot API calls. The conversation itself is elsewhere."""

from bot.telegram.bot import InvalidToken, open_bot
from bot.telegram.parse import CHANNEL
from bot.telegram.push import push
from bot.telegram.receive import Receiver, add_webhook, poll, set_webhook

__all__ = ["CHANNEL", "InvalidToken", "Receiver", "add_webhook", "open_bot", "poll", "push", "set_webhook"]
