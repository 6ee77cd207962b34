"""What each kind of file in the knowledge directory may hold. The descriptions are shown to staff."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bot.knowledge.problems import marked

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _drop_empty(values: Any) -> Any:
    """`questions:` with nothing behind it means the same as no such line."""
    return (
        {name: value for name, value in values.items() if value not in ("", None)}
        if isinstance(values, dict)
        else values
    )


class _File(BaseModel):
    # Unknown names are kept, so that the check can report a misspelt one without refusing the file.
    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        return _drop_empty(values)


class TextFile(_File):
    """The front matter of `nl.md`, `uk.md` …"""

    title: Words = Field(description=marked("a short question or name"))
    questions: tuple[Words, ...] = Field(
        (), description=marked("a list: each question on its own line, after two spaces and a dash")
    )
    keywords: tuple[Words, ...] = Field((), description=marked("a list of words: [school, inschrijven]"))
    status: Literal["reviewed", "draft"] = Field("draft", description=marked("`reviewed` or `draft`"))
    source: str | None = Field(None, description=marked("the version of nl.md that this translation follows"))


class ActionFile(_File):
    """One button under an answer: exactly one of these."""

    book: str | None = Field(None, description=marked("the name of a permanence"))
    offers: str | None = Field(None, description=marked("the name of a kind of offers"))
    link: str | None = Field(None, description=marked("a fact that is a web address"))
    place: str | None = Field(None, description=marked("a fact that is an address"))


class EntryFile(_File):
    """`entry.yaml`"""

    related: tuple[str, ...] = Field((), description=marked("a list of slugs: [school-find, contact]"))
    actions: tuple[ActionFile, ...] = Field(
        (), description=marked("a list: `- book: …`, `- offers: …`, `- link: …` or `- place: …`")
    )
    sources: tuple[str, ...] = Field((), description=marked("a list of texts"))
    checked: datetime.date | None = Field(None, description=marked("a date: 2026-11-22"))
    valid_until: datetime.date | None = Field(None, description=marked("a date: 2027-03-04"))
    urgent: bool = Field(False, description=marked("true or false"))


class TopicFile(_File):
    """`topic.yaml`"""

    order: int = Field(1000, description=marked("a whole number; topics are shown from low to high"))
    icon: str = Field("", description=marked("one emoji"))
    title: dict[Annotated[str, BeforeValidator(str)], str] = Field(
        {}, description=marked("the topic's name in each language: `nl: School`")
    )


class FactsFile(BaseModel):
    """`facts.yaml`: groups of facts; in each also `source` and `date`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)


class CatalogueFile(BaseModel):
    """`catalogue.yaml`: the entries that must be there, by topic."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, tuple[str, ...]] = Field(init=False)
