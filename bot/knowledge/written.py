"""A knowledge directory as it is written: every file read and parsed, and every file that could not be."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from pydantic import ValidationError

from bot.knowledge import files
from bot.knowledge.problems import Problem, marked
from bot.knowledge.schema import (
    CatalogueFile,
    DeskFile,
    EntryFile,
    FactsFile,
    NeighbourhoodsFile,
    OfferRow,
    OffersFile,
    PermanenceFile,
    TextFile,
    TopicFile,
)
from bot.knowledge.spreadsheets import SPREADSHEETS, Row, read_spreadsheet
from bot.languages import LANGUAGES

FACTS, CATALOGUE, TOPIC, ENTRY = "facts.yaml", "catalogue.yaml", "topic.yaml", "entry.yaml"
NEIGHBOURHOODS, DESK = "neighbourhoods.yaml", "desk.yaml"
OFFERS, PERMANENCES = "offers", "permanences"
NOT_TOPICS = {OFFERS, PERMANENCES}


@dataclass(frozen=True, slots=True)
class YamlFile(Generic[files.Model]):
    """A YAML file, and its text, in which lines are looked up."""

    path: Path
    text: str
    content: files.Model

    def line(self, *where: str | int) -> int:
        """The line where the value at `where` stands."""
        return 1 + files.line_of(self.text, where)


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text in one language."""

    path: Path
    language: str
    front: TextFile
    parts: files.FrontMatter

    @property
    def body(self) -> str:
        return self.parts.body.strip("\n")

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of the body, with their numbers in the file."""
        return enumerate(self.parts.body.split("\n"), start=self.parts.body_line)

    def line(self, *where: str | int) -> int:
        """The line where the value at `where` stands in the front matter."""
        return self.parts.yaml_line + files.line_of(self.parts.yaml, where)


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """An entry's folder."""

    path: Path
    settings: YamlFile[EntryFile]
    texts: Mapping[str, WrittenText]


@dataclass(frozen=True, slots=True)
class WrittenTopic:
    """A topic's folder."""

    path: Path
    settings: YamlFile[TopicFile]
    entries: Mapping[str, WrittenEntry]


@dataclass(frozen=True, slots=True)
class WrittenOffer:
    """One offer, and where it stands."""

    content: OfferRow
    row: Row


@dataclass
class Written:
    """A whole directory. `problems` are those that reading alone shows; `version` is a hash of all files."""

    directory: Path
    facts: YamlFile[FactsFile]
    catalogue: YamlFile[CatalogueFile]
    neighbourhoods: YamlFile[NeighbourhoodsFile]
    desk: YamlFile[DeskFile]
    topics: dict[str, WrittenTopic] = field(default_factory=dict)
    permanences: dict[str, YamlFile[PermanenceFile]] = field(default_factory=dict)
    offers: list[WrittenOffer] = field(default_factory=list)
    otherwise: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    version: str = ""

    @property
    def groups(self) -> Mapping[str, Mapping[str, Any]]:
        """The groups of facts."""
        return self.facts.content.__pydantic_extra__

    @property
    def entries(self) -> dict[str, WrittenEntry]:
        """All entries, by slug."""
        return {slug: entry for topic in self.topics.values() for slug, entry in topic.entries.items()}


def read(directory: Path) -> Written:
    """Read every file; what cannot be read becomes a problem, and reading goes on."""
    reader = _Reader(directory)
    written = Written(
        directory,
        reader.yaml(directory / FACTS, FactsFile, typed=True),
        reader.yaml(directory / CATALOGUE, CatalogueFile),
        reader.yaml(directory / NEIGHBOURHOODS, NeighbourhoodsFile),
        reader.yaml(directory / DESK, DeskFile),
    )
    for folder in _folders(directory):
        if folder.name not in NOT_TOPICS:
            topic = WrittenTopic(folder, reader.yaml(folder / TOPIC, TopicFile), dict(reader.entries(folder)))
            if topic.entries:
                written.topics[folder.name] = topic
    written.permanences = dict(reader.permanences(directory / PERMANENCES))
    written.offers = list(reader.offers(directory / OFFERS))
    written.otherwise = reader.otherwise
    written.problems, written.version = reader.problems, reader.digest.hexdigest()[:12]
    return written


class _Reader:
    """One pass over a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []
        self.otherwise: dict[str, str] = {}
        self.digest = hashlib.sha256()

    def yaml(self, path: Path, model: type[files.Model], *, typed: bool = False) -> YamlFile[files.Model]:
        """A YAML file; an empty one where it is missing or broken."""
        parsed = self._yaml(path, model, typed=typed) if path.exists() else None
        return parsed or YamlFile(path, "", model.model_validate({}))

    def permanences(self, folder: Path) -> Iterator[tuple[str, YamlFile[PermanenceFile]]]:
        for path in sorted(folder.glob("*.yaml")):
            if not path.name.startswith(".") and (parsed := self._yaml(path, PermanenceFile)):
                yield path.stem, parsed

    def offers(self, folder: Path) -> Iterator[WrittenOffer]:
        for path in sorted(folder.glob("*")):
            if path.suffix.lower() in (".yaml", *SPREADSHEETS) and not path.name.startswith((".", "~")):
                for row in self._rows(path):
                    if offer := self._offer(row):
                        yield offer

    def _rows(self, path: Path) -> list[Row]:
        try:
            if path.suffix.lower() in SPREADSHEETS:
                rows = read_spreadsheet(path)
                self.digest.update(f"{path.relative_to(self.directory)}\0{rows}\0".encode())
                return rows
        except files.Broken as broken:
            self.problems += broken.problems
            return []
        file = self._yaml(path, OffersFile)
        if file is None:
            return []
        if file.content.otherwise:
            self.otherwise[path.stem] = file.content.otherwise
        common = {"example": "yes"} if file.content.example else {}
        return [
            Row(path, {**common, **values}, text=file.text, where=("offers", place))
            for place, values in enumerate(file.content.offers)
        ]

    def _offer(self, row: Row) -> WrittenOffer | None:
        values = {"kind": row.path.stem.casefold(), **row.values}
        try:
            return WrittenOffer(OfferRow.model_validate(values), row)
        except ValidationError as error:
            self.problems += [_problem_in(row, fault) for fault in error.errors()]
            return None

    def _yaml(self, path: Path, model: type[files.Model], *, typed: bool = False) -> YamlFile[files.Model] | None:
        try:
            text = self._text_of(path)
            return YamlFile(path, text, files.parse(model, path, text, typed=typed))
        except files.Broken as broken:
            self.problems += broken.problems
            return None

    def entries(self, topic: Path) -> Iterator[tuple[str, WrittenEntry]]:
        for folder in _folders(topic):
            texts = {text.language: text for text in self._texts(folder)}
            if texts:
                yield folder.name, WrittenEntry(folder, self.yaml(folder / ENTRY, EntryFile), texts)

    def _texts(self, folder: Path) -> Iterator[WrittenText]:
        for path in sorted(folder.glob("*.md")):
            if path.stem in LANGUAGES:
                try:
                    parts = files.split(path, self._text_of(path))
                    yield WrittenText(path, path.stem, files.parse(TextFile, path, parts.yaml, parts.yaml_line), parts)
                except files.Broken as broken:
                    self.problems += broken.problems

    def _text_of(self, path: Path) -> str:
        text = files.read(path)
        self.digest.update(f"{path.relative_to(self.directory)}\0{text}\0".encode())
        return text


def _problem_in(row: Row, fault: Any) -> Problem:
    name = str(fault["loc"][0])
    if fault["type"] == "missing":
        return row.problem(name, marked("`{name}` is missing; add it"), name=name)
    takes = OfferRow.model_fields[name].description or fault["msg"]
    value = row.values.get(name, row.path.stem)
    return row.problem(name, marked("`{name}` holds {value}; it takes {takes}"), name=name, value=value, takes=takes)


def _folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
