"""How people say what is no question to the knowledge: greetings, asking for a person, danger and so on.

They stand in `locales/CODE/phrases.yaml`, in every language, and serve any knowledge directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field

from bot.languages import LANGUAGES
from bot.texts import DIRECTORY

Model = TypeVar("Model", bound=BaseModel)
Kind = Literal["greeting", "thanks", "goodbye", "identity", "person", "book", "stop", "chatter", "harmless"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Phrases(BaseModel):
    """The phrases of one language.

    `stop` is a yes, a no or a stop by itself. We leave `chatter` alone. `danger` holds patterns, see
    `understanding.danger`; `harmless` are messages with words that frighten of people who are in no danger.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    greeting: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()
    goodbye: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    book: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    chatter: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    danger: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[str, ...]:
        phrases: tuple[str, ...] = getattr(self, kind)
        return phrases


class FilterWords(BaseModel):
    """By which words people name what kind of course or activity they look for; patterns as in `danger`.

    `misleading`: phrases that are taken out first, such as "good evening".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Mapping[str, tuple[str, ...]] = {}
    activity: Mapping[str, tuple[str, ...]] = {}
    language: Mapping[str, tuple[str, ...]] = {}
    day: Mapping[str, tuple[str, ...]] = {}
    part: Mapping[str, tuple[str, ...]] = {}
    month: Mapping[str, tuple[str, ...]] = {}
    holidays: tuple[str, ...] = ()
    form: Mapping[str, tuple[str, ...]] = {}
    level: Mapping[str, tuple[str, ...]] = {}
    audience: Mapping[str, tuple[str, ...]] = {}
    free: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    numbers: Mapping[str, tuple[str, ...]] = {}
    misleading: tuple[str, ...] = Field((), alias="not")


def load_filters(directory: Path = DIRECTORY) -> Mapping[str, FilterWords]:
    """The filter words of every language that has them."""
    paths = {code: directory / code / "filters.yaml" for code in LANGUAGES}
    return {code: _read(path, FilterWords) for code, path in paths.items() if path.exists()}


def load(directory: Path = DIRECTORY) -> Mapping[str, Phrases]:
    """The phrases of every language that has them."""
    paths = {code: directory / code / "phrases.yaml" for code in LANGUAGES}
    return {code: _read(path, Phrases) for code, path in paths.items() if path.exists()}


def _read(path: Path, model: type[Model]) -> Model:
    with path.open(encoding="utf-8") as file:
        return model.model_validate(yaml.load(file, Loader=yaml.CBaseLoader) or {})
