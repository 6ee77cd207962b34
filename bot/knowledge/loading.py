"""Files to memory: read everything, find every fault, and freeze what can be used."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bot.knowledge.facts import PLACEHOLDER, Fact, as_url, fill, read_facts
from bot.knowledge.offers import faults_of_offers, offers_of
from bot.knowledge.permanences import faults_of, permanence_of
from bot.knowledge.problems import Problem, marked, problem
from bot.knowledge.schema import ActionFile
from bot.knowledge.snapshot import Action, Entry, Snapshot, Status, Text, Topic, source_version
from bot.knowledge.written import FACTS, Written, WrittenEntry, WrittenText, read
from bot.languages import LANGUAGES, SOURCE
from bot.scheduling import Hours, Moment


class BrokenKnowledge(Exception):
    """The directory has a fault and cannot be used; its text is one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Frozen(NamedTuple):
    """What a directory holds, and the faults that keep it from being used."""

    snapshot: Snapshot
    faults: list[Problem]


def load(directory: Path) -> Snapshot:
    """The knowledge in `directory`; raises `BrokenKnowledge` when any file in it has a fault."""
    snapshot, faults = freeze(read(directory))
    if faults:
        raise BrokenKnowledge(faults)
    return snapshot


def freeze(written: Written) -> Frozen:
    """A snapshot of what is written, as far as it can be read."""
    facts = read_facts(written.groups)
    entries = written.entries
    snapshot = Snapshot(
        version=written.version,
        topics=dict(_topics(written)),
        entries={
            slug: _entry(slug, topic_slug, entries[slug], facts, entries)
            for topic_slug, topic in written.topics.items()
            for slug in topic.entries
        },
        facts=facts,
        permanences={name: permanence_of(name, file.content, facts) for name, file in written.permanences.items()},
        offers=offers_of(written, facts),
        hours=_hours(written),
    )
    return Frozen(snapshot, sorted({*written.problems, *_faults(written, facts)}))


def _hours(written: Written) -> Hours:
    desk = written.desk.content
    moments = tuple(Moment(each.weekday, each.start, each.end, 0, 0) for each in desk.hours if each.start < each.end)
    return Hours(moments, frozenset(desk.closed), desk.example)


def _topics(written: Written) -> Iterator[tuple[str, Topic]]:
    ordered = sorted(written.topics.items(), key=lambda item: (item[1].settings.content.order, item[0]))
    for slug, topic in ordered:
        settings = topic.settings.content
        yield slug, Topic(slug, settings.icon, settings.title, tuple(topic.entries))


def _entry(
    slug: str, topic: str, written: WrittenEntry, facts: Mapping[str, Fact], slugs: Mapping[str, WrittenEntry]
) -> Entry:
    settings = written.settings.content
    version = version_of_source(written)
    actions = (action_of(action, facts) for action in settings.actions)
    return Entry(
        slug=slug,
        topic=topic,
        texts={code: _text(written.texts[code], facts, version) for code in LANGUAGES if code in written.texts},
        related=tuple(name for name in settings.related if name in slugs),
        actions=tuple(action for action in actions if action),
        valid_until=settings.valid_until,
        urgent=settings.urgent,
    )


def _text(written: WrittenText, facts: Mapping[str, Fact], version: str | None) -> Text:
    known = all(name in facts for name in PLACEHOLDER.findall(written.body))
    return Text(
        language=written.language,
        title=written.front.title,
        body=fill(written.body, facts, LANGUAGES[written.language]) if known else "",
        questions=written.front.questions,
        keywords=written.front.keywords,
        status=status_of(written, version),
    )


def status_of(text: WrittenText, version: str | None) -> Status:
    """A translation that follows another version of the source than `version` is outdated."""
    if text.language == SOURCE or version is None or text.front.source in (None, version):
        return text.front.status
    return "outdated"


def version_of_source(entry: WrittenEntry) -> str | None:
    """The version of the entry's Dutch text, if it has one."""
    source = entry.texts.get(SOURCE)
    return source_version(source.front.title, source.body) if source else None


def action_of(action: ActionFile, facts: Mapping[str, Fact]) -> Action | None:
    """The button that an action makes; None when it names no fact, or one that leads nowhere."""
    match action:
        case ActionFile(book=str(name)):
            return Action("book", name)
        case ActionFile(offers=str(name)):
            return Action("offers", name)
        case ActionFile(link=str(name)) if name in facts and (url := as_url(facts[name])):
            return Action("link", url)
        case ActionFile(place=str(name)) if name in facts:
            return Action("place", str(facts[name]))
        case _:
            return None


def _faults(written: Written, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    if not written.directory.is_dir():
        message = marked("this directory is not there; set WEGWIJS_KNOWLEDGE to the one that is")
        yield problem(written.directory, 1, message, fault=True)
        return
    if not written.topics:
        yield problem(written.directory, 1, "make a folder (topic) with a folder (entry) with a file nl.md", fault=True)
    yield from _twins(written)
    for entry in written.entries.values():
        for text in entry.texts.values():
            yield from _unknown_facts(text, facts)
    for file in written.permanences.values():
        yield from faults_of(file, facts)
    yield from faults_of_offers(written, facts)
    for place, moment in enumerate(written.desk.content.hours):
        if moment.start >= moment.end:
            message = marked("this moment begins at {start} and ends at {end}; mend `from` or `to`")
            line = written.desk.line("hours", place)
            yield problem(written.desk.path, line, message, start=moment.start, end=moment.end, fault=True)


def _twins(written: Written) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for topic in written.topics.values():
        for slug, entry in topic.entries.items():
            if slug in seen:
                yield problem(
                    entry.path,
                    1,
                    "`{slug}` is also in {folder}; give one of them another name",
                    slug=slug,
                    folder=seen[slug].parent,
                    fault=True,
                )
            seen.setdefault(slug, entry.path)


def _unknown_facts(text: WrittenText, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    for number, line in text.lines():
        for name in PLACEHOLDER.findall(line):
            if name not in facts:
                yield problem(
                    text.path,
                    number,
                    "`{placeholder}` is not in {file}; mend the name or add the fact there",
                    placeholder=f"{{{{ {name} }}}}",
                    file=FACTS,
                    fault=True,
                )
