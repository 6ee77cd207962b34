"""How people say what is no question to the knowledge: greetings, asking for a person, danger and so on.

They stand in `locales/CODE/phrases.yaml`, in every language, and serve any knowledge directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict

from bot.languages import LANGUAGES
from bot.texts import DIRECTORY

Kind = Literal["greeting", "thanks", "goodbye", "identity", "person", "book", "chatter", "harmless"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Phrases(BaseModel):
    """The phrases of one language.

    We leave `chatter` alone. `danger` holds patterns, see `understanding.danger`; `harmless` are messages with words
    that frighten of people who are in no danger.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    greeting: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()
    goodbye: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    book: tuple[str, ...] = ()
    chatter: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    danger: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[str, ...]:
        phrases: tuple[str, ...] = getattr(self, kind)
        return phrases


def load(directory: Path = DIRECTORY) -> Mapping[str, Phrases]:
    """The phrases of every language that has them."""
    paths = {code: directory / code / "phrases.yaml" for code in LANGUAGES}
    return {code: _read(path) for code, path in paths.items() if path.exists()}


def _read(path: Path) -> Phrases:
    with path.open(encoding="utf-8") as file:
        return Phrases.model_validate(yaml.load(file, Loader=yaml.CBaseLoader) or {})
