"""Files to memory: read everything, find every problem, and freeze what can be used."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from bot.knowledge import files
from bot.knowledge.facts import PLACEHOLDER, Fact, as_url, fill, read_facts
from bot.knowledge.problems import Problem
from bot.knowledge.schema import ActionFile, EntryFile, FactsFile, TextFile, TopicFile
from bot.knowledge.snapshot import Action, Entry, Snapshot, Status, Text, Topic, source_version
from bot.languages import LANGUAGES, SOURCE

FACTS = "facts.yaml"
NOT_TOPICS = {"offers", "permanences"}


class BrokenKnowledge(Exception):
    """The directory has a fault and cannot be used; its text is one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Loaded(NamedTuple):
    """What a directory holds (None when it has a fault), and all that is wrong with it."""

    snapshot: Snapshot | None
    problems: list[Problem]


class WrittenText(NamedTuple):
    """A text as it stands in its file."""

    path: Path
    language: str
    front: TextFile
    body: str
    body_line: int


class WrittenEntry(NamedTuple):
    """An entry as it stands in its folder."""

    path: Path
    topic: str
    settings: EntryFile
    texts: dict[str, WrittenText]


def load(directory: Path) -> Snapshot:
    """The knowledge in `directory`; raises `BrokenKnowledge` when any file in it has a fault."""
    snapshot, problems = examine(directory)
    if snapshot is None:
        raise BrokenKnowledge(problem for problem in problems if problem.fault)
    return snapshot


def examine(directory: Path) -> Loaded:
    """Read the whole directory and say everything that is wrong with it, faults and lesser problems."""
    reader = _Reader(directory)
    snapshot = reader.snapshot()
    return Loaded(None if any(problem.fault for problem in reader.problems) else snapshot, sorted(set(reader.problems)))


class _Reader:
    """One pass over a directory, which gathers problems instead of stopping at the first."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []
        self.digest = hashlib.sha256()
        self.facts: dict[str, Fact] = {}

    def snapshot(self) -> Snapshot:
        self.facts = self._read_facts()
        topics: dict[str, tuple[TopicFile, list[str]]] = {}
        written: dict[str, WrittenEntry] = {}
        for folder in _folders(self.directory):
            if folder.name in NOT_TOPICS:
                continue
            settings = self._read_settings(folder / "topic.yaml", TopicFile) or TopicFile()
            entries = {path.name: entry for path, entry in self._read_entries(folder)}
            for slug in entries.keys() & written.keys():
                self._fault(
                    entries[slug].path,
                    1,
                    f"`{slug}` is also in {written[slug].path.parent}; give one of them another name",
                )
            written |= entries
            if entries:
                topics[folder.name] = (settings, list(entries))
        if not self.directory.is_dir():
            self._fault(self.directory, 1, "this directory is not there; set WEGWIJS_KNOWLEDGE to the one that is")
        elif not written:
            self._fault(
                self.directory,
                1,
                "there is no entry here: a folder (topic) with a folder (entry) with a file such as nl.md",
            )
        return Snapshot(
            version=self.digest.hexdigest()[:12],
            topics=_in_order(topics),
            entries={slug: self._freeze(slug, entry, written.keys()) for slug, entry in written.items()},
            facts=self.facts,
        )

    # Reading

    def _read_facts(self) -> dict[str, Fact]:
        path = self.directory / FACTS
        try:
            text = self._text_of(path) if path.exists() else ""
            groups = files.parse(FactsFile, path, text, typed=True).__pydantic_extra__
        except files.Broken as broken:
            self.problems += broken.problems
            return {}
        for group, fields in groups.items():
            for name in ("source", "date"):
                if name not in fields and not all(
                    isinstance(value, dict) and name in value for value in fields.values()
                ):
                    self._report(
                        path,
                        1 + files.line_of(text, (group,)),
                        f"`{group}` has no `{name}`; say where its facts come from and when they were checked",
                    )
        return read_facts(groups)

    def _read_entries(self, topic: Path) -> Iterator[tuple[Path, WrittenEntry]]:
        for folder in _folders(topic):
            texts = {text.language: text for text in self._read_texts(folder)}
            if not texts:
                continue
            settings = self._read_settings(folder / "entry.yaml", EntryFile) or EntryFile()
            yield folder, WrittenEntry(folder, topic.name, settings, texts)

    def _read_texts(self, folder: Path) -> Iterator[WrittenText]:
        for path in sorted(folder.glob("*.md")):
            if path.name.startswith("."):
                continue
            if path.stem not in LANGUAGES:
                self._report(
                    path,
                    1,
                    f"`{path.stem}` is not one of the languages ({' '.join(LANGUAGES)}); rename or remove the file",
                )
                continue
            try:
                parts = files.split(path, self._text_of(path))
                front = files.parse(TextFile, path, parts.yaml, parts.yaml_line)
            except files.Broken as broken:
                self.problems += broken.problems
                continue
            self._check_names(path, parts.yaml_line, parts.yaml, front)
            yield WrittenText(path, path.stem, front, parts.body.strip("\n"), parts.body_line)

    def _read_settings(self, path: Path, model: type[files.Model]) -> files.Model | None:
        if not path.exists():
            return None
        try:
            text = self._text_of(path)
            settings = files.parse(model, path, text)
        except files.Broken as broken:
            self.problems += broken.problems
            return None
        self._check_names(path, 1, text, settings)
        return settings

    def _text_of(self, path: Path) -> str:
        text = files.read(path)
        self.digest.update(f"{path.relative_to(self.directory)}\0{text}\0".encode())
        return text

    # Freezing

    def _freeze(self, slug: str, entry: WrittenEntry, slugs: Iterable[str]) -> Entry:
        version = self._source_version(entry)
        texts = {code: self._freeze_text(text, version) for code, text in entry.texts.items()}
        for name in set(entry.settings.related) - set(slugs):
            self._report(
                entry.path / "entry.yaml",
                1,
                f"`related` names `{name}`, and there is no such entry; take it out or mend its name",
            )
        return Entry(
            slug=slug,
            topic=entry.topic,
            texts={code: texts[code] for code in LANGUAGES if code in texts},
            related=tuple(name for name in entry.settings.related if name in slugs),
            actions=tuple(self._actions(entry)),
            valid_until=entry.settings.valid_until,
            urgent=entry.settings.urgent,
        )

    def _freeze_text(self, text: WrittenText, version: str | None) -> Text:
        body = text.body
        for number, line in enumerate(body.split("\n"), start=text.body_line):
            for name in PLACEHOLDER.findall(line):
                if name not in self.facts:
                    self._fault(
                        text.path, number, f"`{{{{ {name} }}}}` is not in {FACTS}; mend the name or add the fact there"
                    )
                    body = ""
        return Text(
            language=text.language,
            title=text.front.title,
            body=fill(body, self.facts, LANGUAGES[text.language]),
            questions=text.front.questions,
            keywords=text.front.keywords,
            status=self._status(text, version),
        )

    def _status(self, text: WrittenText, version: str | None) -> Status:
        if text.language == SOURCE or version is None or text.front.source in (None, version):
            return text.front.status
        self._report(
            text.path,
            1,
            f'follows nl.md as it was at {text.front.source}; bring the text in step and write `source: "{version}"`',
        )
        return "outdated"

    def _source_version(self, entry: WrittenEntry) -> str | None:
        if SOURCE in entry.texts:
            return source_version(entry.texts[SOURCE].front.title, entry.texts[SOURCE].body)
        self._report(entry.path, 1, f"there is no {SOURCE}.md; the Dutch text is the source of all others")
        return None

    def _actions(self, entry: WrittenEntry) -> Iterator[Action]:
        for number, action in enumerate(entry.settings.actions):
            frozen = self._action(action)
            if frozen:
                yield frozen
            else:
                path = entry.path / "entry.yaml"
                line = 1 + files.line_of(files.read(path), ("actions", number))
                self._report(
                    path,
                    line,
                    f"write `book: …`, `offers: …`, `link: FACT` or `place: FACT`, with a fact that is in {FACTS}",
                )

    def _action(self, action: ActionFile) -> Action | None:
        match action:
            case ActionFile(book=str(name)):
                return Action("book", name)
            case ActionFile(offers=str(name)):
                return Action("offers", name)
            case ActionFile(link=str(name)) if name in self.facts and (url := as_url(self.facts[name])):
                return Action("link", url)
            case ActionFile(place=str(name)) if name in self.facts:
                return Action("place", str(self.facts[name]))
            case _:
                return None

    # Reporting

    def _check_names(self, path: Path, first_line: int, text: str, model: BaseModel) -> None:
        for name in model.model_extra or ():
            line = first_line + files.line_of(text, (name,))
            known = ", ".join(type(model).model_fields)
            self._report(path, line, f"`{name}` is not a name that is used here ({known}); mend or remove it")

    def _fault(self, path: Path, line: int, message: str) -> None:
        self.problems.append(Problem(path, line, message, fault=True))

    def _report(self, path: Path, line: int, message: str) -> None:
        self.problems.append(Problem(path, line, message))


def _folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))


def _in_order(topics: dict[str, tuple[TopicFile, list[str]]]) -> dict[str, Topic]:
    ordered = sorted(topics, key=lambda slug: (topics[slug][0].order, slug))
    return {slug: Topic(slug, topics[slug][0].icon, topics[slug][0].title, tuple(topics[slug][1])) for slug in ordered}
