"""Telegram: updates to events, replies to Bot API calls. The conversation itself is elsewhere."""

from bot.telegram.bot import BadRequest, InvalidToken, open_bot, reach
from bot.telegram.group import Group, GroupHandler, close_topic, parse_group, push_to_group
from bot.telegram.parse import CHANNEL, GROUP
from bot.telegram.profile import set_profile
from bot.telegram.push import push
from bot.telegram.receive import Receiver, add_webhook, poll, set_webhook

__all__ = [
    "CHANNEL",
    "GROUP",
    "BadRequest",
    "Group",
    "GroupHandler",
    "InvalidToken",
    "Receiver",
    "add_webhook",
    "close_topic",
    "open_bot",
    "parse_group",
    "poll",
    "push",
    "push_to_group",
    "reach",
    "set_profile",
    "set_webhook",
]
