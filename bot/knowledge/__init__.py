"""Staff's files, checked and frozen into a `Snapshot`; the files are data and are never run."""

from bot.knowledge.holder import Holder, open_holder
from bot.knowledge.loading import BrokenKnowledge, load
from bot.knowledge.problems import Problem
from bot.knowledge.snapshot import Action, Entry, Snapshot, Text, Topic

__all__ = [
    "Action",
    "BrokenKnowledge",
    "Entry",
    "Holder",
    "Problem",
    "Snapshot",
    "Text",
    "Topic",
    "load",
    "open_holder",
]
