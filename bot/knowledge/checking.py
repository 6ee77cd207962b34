"""What is wrong in a directory that can be used all the same: gaps, slips, and claims that need a source."""

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from bot.knowledge.facts import ABOUT, PLACEHOLDER, Fact, as_url, read_facts
from bot.knowledge.loading import action_of, freeze, status_of, version_of_source
from bot.knowledge.offers import check_offers
from bot.knowledge.permanences import check_permanences
from bot.knowledge.problems import Problem, marked, problem
from bot.knowledge.schema import TextFile
from bot.knowledge.written import ENTRY, FACTS, PERMANENCES, Written, WrittenEntry, WrittenText, read
from bot.languages import LANGUAGES, SOURCE
from bot.scheduling import day_of

FEWEST_QUESTIONS = 12
LONGEST_BODY = 1100  # signs; about 900 is what a person reads on a phone

_SCRIPTS = {
    "latin": "A-Za-zÀ-ɏḀ-ỿɣɛƔƐ",
    "cyrillic": "Ѐ-ӿ",
    "arabic": "\u0620-\u06ff\u0750-\u077f",
    "devanagari": "\u0900-\u097f",
    "ethiopic": "\u1200-\u139f",
    "han": "\u3400-\u9fff",
    "tifinagh": "\u2d30-\u2d7f",
}
_LETTER = re.compile(r"[^\W\d_]")
_FEWEST_OWN_LETTERS = 0.5  # of a text; names and Dutch terms are in Latin letters everywhere

_PHONE = re.compile(r"(?<![\d.,])0\d[\d /.-]{6,}\d")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\b(?:www\.|https?://)\S+")
_CURRENCY = r"(?:€|euros?|eur|evro|евро|євро|يورو|یورو|यूरो|ዩሮ|欧元|avro|yuuro)"
_AMOUNT = re.compile(rf"\d\s?{_CURRENCY}(?!\w)|€\s?\d", re.IGNORECASE)
_HOUR = re.compile(r"\b(?:[01]?\d|2[0-3])(?::[0-5]\d|\s?[uh][0-5]\d|\s?uur)\b")
_NEEDS_SOURCE = (
    (_PHONE, marked("a phone number stands here; put it in facts.yaml and write {{{{ group.name }}}}")),
    (_ADDRESS, marked("an address on the net stands here; put it in facts.yaml and write {{{{ group.name }}}}")),
    (_AMOUNT, marked("an amount stands here; put it in facts.yaml with its source and write {{{{ group.name }}}}")),
    (_HOUR, marked("an hour stands here; hours change, so let people ask or book")),
)


def check(directory: Path, today: datetime.date | None = None) -> list[Problem]:
    """Everything that is wrong in `directory`: the faults that keep it from being used, and all else.

    `today` tells what is past; without it, that is today in Brussels.
    """
    written = read(directory)
    faults = freeze(written).faults
    return sorted({*faults, *_lesser_problems(written, today or day_of(datetime.datetime.now(datetime.UTC)))})


def _lesser_problems(written: Written, today: datetime.date) -> Iterator[Problem]:
    facts = read_facts(written.groups)
    yield from _check_catalogue(written)
    yield from _check_facts(written)
    for topic in written.topics.values():
        yield from _check_names(topic.settings.path, topic.settings.content.model_extra, topic.settings.line)
        for entry in topic.entries.values():
            yield from _check_entry(entry, written.entries, facts)
            for text in entry.texts.values():
                yield from _check_text(text, entry, facts)
    yield from _check_twin_questions(written)
    yield from _check_services(written)
    yield from check_permanences(written, today)
    yield from check_offers(written, today)


def _check_catalogue(written: Written) -> Iterator[Problem]:
    """Every entry that must be there, in every language and under its topic."""
    catalogue = written.catalogue
    for topic, slugs in catalogue.content.__pydantic_extra__.items():
        entries = written.topics[topic].entries if topic in written.topics else {}
        for place, slug in enumerate(slugs):
            if slug not in entries:
                message = marked("`{slug}` has no folder in `{topic}`; write it, or take it out here")
                yield problem(catalogue.path, catalogue.line(topic, place), message, slug=slug, topic=topic)
                continue
            for code in LANGUAGES.keys() - entries[slug].texts.keys():
                message = marked("this file is missing; translate nl.md into {language}")
                yield problem(entries[slug].path / f"{code}.md", 1, message, language=LANGUAGES[code].name)
    if catalogue.text:
        for settings in (topic.settings for topic in written.topics.values()):
            for code in LANGUAGES.keys() - settings.content.title.keys():
                yield problem(settings.path, 1, "`title` has no `{code}`; add the topic's name", code=code)


def _check_facts(written: Written) -> Iterator[Problem]:
    for group, fields in written.groups.items():
        for name in sorted(ABOUT - fields.keys()):
            if not all(isinstance(value, Mapping) and name in value for value in fields.values()):
                message = marked("`{group}` has no `{name}`; say where its facts come from and when they were checked")
                yield problem(written.facts.path, written.facts.line(group), message, group=group, name=name)


def _check_entry(entry: WrittenEntry, slugs: Iterable[str], facts: Mapping[str, Fact]) -> Iterator[Problem]:
    settings = entry.settings
    yield from _check_names(settings.path, settings.content.model_extra, settings.line)
    yield from _check_files(entry.path)
    if SOURCE not in entry.texts:
        yield problem(entry.path, 1, "there is no nl.md; the Dutch text is the source of all others")
    for place, name in enumerate(settings.content.related):
        if name not in slugs:
            message = marked("`related` names `{name}`, and there is no such entry; take it out or mend its name")
            yield problem(settings.path, settings.line("related", place), message, name=name)
    for place, action in enumerate(settings.content.actions):
        if action_of(action, facts) is None:
            message = marked("write `book: …`, `offers: …`, `link: FACT` or `place: FACT`; a fact stands in {file}")
            yield problem(settings.path, settings.line("actions", place), message, file=FACTS)
    for name in ("sources", "checked"):
        if not getattr(settings.content, name):
            message = marked("`{name}` is missing; say where the answer comes from and when it was last checked")
            yield problem(settings.path, 1, message, name=name)


def _check_services(written: Written) -> Iterator[Problem]:
    """Names in permanences that nobody reads, and buttons that name no permanence."""
    for file in written.permanences.values():
        yield from _check_names(file.path, file.content.model_extra, file.line)
        for name, times in (("moments", file.content.moments), ("exceptions", file.content.exceptions)):
            for place, each in enumerate(times):
                yield from _check_names(file.path, each.model_extra, partial(file.line, name, place))
    message = marked("there is no {file}; mend the name, or write that file")
    for settings in (entry.settings for entry in written.entries.values()):
        for place, action in enumerate(settings.content.actions):
            file_name = f"{PERMANENCES}/{action.book}.yaml"
            if action.book is not None and not (written.directory / file_name).is_file():
                yield problem(settings.path, settings.line("actions", place), message, file=file_name)


def _check_files(folder: Path) -> Iterator[Problem]:
    """Files that nobody reads: an editor's copies, a language that is none."""
    for path in sorted(folder.iterdir()):
        if path.name != ENTRY and not (path.suffix == ".md" and path.stem in LANGUAGES):
            message = marked("this file is not used; remove it, or name it after one of the languages ({codes})")
            yield problem(path, 1, message, codes=" ".join(LANGUAGES))


def _check_text(text: WrittenText, entry: WrittenEntry, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    yield from _check_names(text.path, text.front.model_extra, text.line)
    yield from _check_front(text, entry)
    if len(PLACEHOLDER.sub("", text.body)) > LONGEST_BODY:
        message = marked("the text is longer than {longest} signs; say it in fewer words")
        yield problem(text.path, text.parts.body_line, message, longest=LONGEST_BODY)
    if not _in_its_script(text):
        message = marked("the text is not in the script of {language}")
        yield problem(text.path, text.parts.body_line, message, language=LANGUAGES[text.language].name)
    yield from _check_placeholders(text, entry)
    for number, line in text.lines():
        yield from _check_line(text.path, number, line, facts)


def _check_front(text: WrittenText, entry: WrittenEntry) -> Iterator[Problem]:
    front: TextFile = text.front
    if len(front.questions) < FEWEST_QUESTIONS:
        message = marked("there are {count} questions; write at least {fewest}, as people ask them")
        yield problem(text.path, 1, message, count=len(front.questions), fewest=FEWEST_QUESTIONS)
    for name in ("keywords", "status"):
        if name not in front.model_fields_set:
            yield problem(text.path, 1, "`{name}` is missing; add it", name=name)
    version = version_of_source(entry)
    if text.language != SOURCE and version and front.source is None:
        yield problem(text.path, 1, 'write `source: "{version}"`, the version of nl.md', version=version)
    if status_of(text, version) == "outdated":
        message = marked('nl.md has changed since {source}; bring the text in step and write `source: "{version}"`')
        yield problem(text.path, text.line("source"), message, source=front.source, version=version)


def _check_placeholders(text: WrittenText, entry: WrittenEntry) -> Iterator[Problem]:
    source = entry.texts.get(SOURCE)
    if source is None or source is text:
        return
    own, expected = set(PLACEHOLDER.findall(text.body)), set(PLACEHOLDER.findall(source.body))
    for name in sorted(expected - own):
        message = marked("`{placeholder}` stands in nl.md and not here; add it")
        yield problem(text.path, text.parts.body_line, message, placeholder=f"{{{{ {name} }}}}")
    for name in sorted(own - expected):
        message = marked("`{placeholder}` stands here and not in nl.md; take it out")
        yield problem(text.path, text.parts.body_line, message, placeholder=f"{{{{ {name} }}}}")


def _check_line(path: Path, number: int, line: str, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    plain = PLACEHOLDER.sub(" ", line)
    written_out = [name for name, fact in facts.items() if _stands_in(fact, plain)]
    if written_out:
        message = marked("{value} stands here; write {placeholder} instead")
        placeholder = f"{{{{ {written_out[0]} }}}}"
        yield problem(path, number, message, value=facts[written_out[0]], placeholder=placeholder)
        return
    for pattern, message in _NEEDS_SOURCE:
        if pattern.search(plain):
            yield problem(path, number, message)


def _stands_in(fact: Fact, line: str) -> bool:
    """Whether a fact that leads somewhere (a number, an address) is written out in a line."""
    if as_url(fact) is None and not (isinstance(fact, str) and "," in fact):
        return False
    return re.search(rf"(?<!\w){re.escape(str(fact))}(?!\w)", line) is not None


def _in_its_script(text: WrittenText) -> bool:
    letters = _LETTER.findall(PLACEHOLDER.sub("", f"{text.front.title} {text.body}"))
    own = re.compile("[" + "".join(_SCRIPTS[script] for script in LANGUAGES[text.language].scripts) + "]")
    return sum(1 for letter in letters if own.match(letter)) >= _FEWEST_OWN_LETTERS * len(letters)


def _check_names(path: Path, names: Mapping[str, object] | None, line: Callable[..., int]) -> Iterator[Problem]:
    for name in names or ():
        yield problem(path, line(name), "`{name}` is not a name that is used here; mend or remove it", name=name)


def _check_twin_questions(written: Written) -> Iterator[Problem]:
    """The same question under two entries: nobody can know which one was meant."""
    seen: defaultdict[tuple[str, str], list[tuple[WrittenText, int]]] = defaultdict(list)
    for entry in written.entries.values():
        for text in entry.texts.values():
            for place, question in enumerate(text.front.questions):
                words = " ".join(re.findall(r"\w+", question.casefold()))
                seen[text.language, words].append((text, place))
    for places in seen.values():
        first = places[0][0]
        for text, place in places[1:]:
            message = marked("this question stands also in {file}; keep it in one of them")
            yield problem(text.path, text.line("questions", place), message, file=first.path)
