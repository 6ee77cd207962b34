"""Changing a text from outside an editor: checked with all the rest, written whole or not at all, and committed."""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from bot.knowledge import files
from bot.knowledge.committing import commit
from bot.knowledge.front import Front, as_file, one_line
from bot.knowledge.problems import marked
from bot.knowledge.proving import Remark, faults_elsewhere, remarks_on
from bot.knowledge.schema import TextFile
from bot.knowledge.snapshot import Status, source_version
from bot.knowledge.written import NOT_TOPICS
from bot.languages import LANGUAGES, SOURCE

_WAIT_SECONDS = 0.05
_WORD = re.compile(r"\w+")

log = structlog.get_logger(__name__)


class Refused(Exception):
    """Nothing was written. `remarks` say why, to staff; `str` of it is the same in English."""

    def __init__(self, *remarks: Remark) -> None:
        super().__init__(*remarks)
        self.remarks = remarks

    def said(self, translate: Callable[[str], str] = str) -> list[str]:
        """A sentence for each reason, as `translate` says it."""
        return [remark.said(translate) for remark in self.remarks]

    def __str__(self) -> str:
        return " ".join(self.said())


@dataclass(frozen=True, slots=True)
class Edited:
    """A text as it stands in a form. `version`: of the file, and of the Dutch it follows, when the form was opened."""

    title: str
    body: str
    questions: tuple[str, ...]
    keywords: tuple[str, ...]
    reviewed: bool
    version: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A text as it is now, and how it stands to its source."""

    text: Edited
    status: Status


@dataclass(frozen=True, slots=True)
class _File:
    """A text's file as it is now. `front`: None where there is none, or it cannot be read."""

    path: Path
    text: str
    front: TextFile | None
    body: str
    source: str | None
    version: str


async def save(directory: Path, slug: str, language: str, edited: Edited, who: str) -> None:
    """Write a text, and say that it follows the Dutch as it is now; raises `Refused` and leaves all as it was."""
    async with _alone(directory):
        now = await asyncio.to_thread(_find, directory, slug, language)
        if edited.version != now.version:
            raise Refused(Remark(_CHANGED_MEANWHILE))
        text = _as_file(now, edited)
        await _put(directory, now, text, await asyncio.to_thread(_proven, directory, now, text), who)


async def add_question(directory: Path, slug: str, language: str, question: str, who: str) -> None:
    """Write one more question to a text that is there; raises `Refused`, also for a question that is there already."""
    question = one_line(question)
    async with _alone(directory):
        now = await asyncio.to_thread(_find, directory, slug, language)
        if now.front is None:
            raise Refused(Remark(_NO_TEXT))
        if not _words(question):
            raise Refused(Remark(_NO_WORDS))
        if _words(question) in map(_words, now.front.questions):
            raise Refused(Remark(_THERE_ALREADY))
        front = replace(_front(now.front), questions=(*now.front.questions, question))
        text = as_file(front, now.body)
        await _put(directory, now, text, await asyncio.to_thread(_new_remarks, directory, now, text), who)


def open_text(directory: Path, slug: str, language: str) -> Opened:
    """A text as it is in its file, to fill a form with; an empty one where there is none. Raises `Refused`.

    Of a file that cannot be read, what can be saved of it is the body.
    """
    now = _find(directory, slug, language)
    front = now.front
    if front is None:
        return Opened(Edited("", now.body, (), (), reviewed=False, version=now.version), "missing")
    is_reviewed = front.status == "reviewed"
    edited = Edited(front.title, now.body, front.questions, front.keywords, is_reviewed, now.version)
    return Opened(edited, front.status if front.source in (None, now.source) else "outdated")


def remarks(directory: Path, slug: str, language: str, edited: Edited) -> list[Remark]:
    """What `save` would refuse this text for, apart from somebody else's change; takes a second."""
    now = _find(directory, slug, language)
    return _proven(directory, now, _as_file(now, edited))


_CHANGED_MEANWHILE = marked(
    "Somebody changed this text, or the Dutch beside it, after you opened the page. Nothing is lost: what you typed "
    "still stands here. Open the page again in another window, compare, and save there."
)
_NO_ENTRY = marked("This entry is not there any more.")
_NO_TEXT = marked("This entry has no text in this language yet, or its file cannot be read; write the text first.")
_NO_WORDS = marked("There are no words in this question.")
_THERE_ALREADY = marked("This question is there already.")
_NOT_WRITABLE = marked("The file cannot be written; ask who looks after the server.")


@asynccontextmanager
async def _alone(directory: Path) -> AsyncIterator[None]:
    """One writer at a time, whichever process it is in: a lock on the directory, that ends with its process."""
    try:
        door = os.open(directory, os.O_RDONLY)
    except OSError:
        raise Refused(Remark(_NOT_WRITABLE)) from None
    try:
        while not _locked(door):  # noqa: ASYNC110 - no event of ours tells what another process does
            await asyncio.sleep(_WAIT_SECONDS)
        yield
    finally:
        os.close(door)


def _locked(door: int) -> bool:
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find(directory: Path, slug: str, language: str) -> _File:
    """The file of a text, found among those that are there: a name from outside never becomes a path."""
    folder = next((each for each in _entries(directory) if each.name == slug), None)
    if folder is None or language not in LANGUAGES:
        raise Refused(Remark(_NO_ENTRY))
    path = folder / f"{language}.md"
    source = None if language == SOURCE else _version_of_source(folder / f"{SOURCE}.md")
    text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
    version = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{source or ''}"
    front, body = _read(path) if text else (None, "")
    source = source or (front.source if front else None)
    return _File(path, text, front, body, source, version)


def _entries(directory: Path) -> Iterable[Path]:
    for topic in directory.iterdir():
        if topic.is_dir() and topic.name not in NOT_TOPICS and not topic.name.startswith("."):
            yield from (each for each in topic.iterdir() if each.is_dir() and any(each.glob("*.md")))


def _read(path: Path) -> tuple[TextFile | None, str]:
    try:
        text = files.read(path)
    except files.Broken:
        return None, ""
    try:
        parts = files.split(path, text)
    except files.Broken:
        return None, text
    body = parts.body.strip("\n")
    try:
        return files.parse(TextFile, path, parts.yaml, parts.yaml_line), body
    except files.Broken:
        return None, body


def _version_of_source(path: Path) -> str | None:
    front, body = _read(path)
    return source_version(front.title, body) if front else None


def _front(front: TextFile) -> Front:
    others = dict(front.model_extra or {})
    return Front(front.title, front.questions, front.keywords, front.status, front.source, others)


def _as_file(now: _File, edited: Edited) -> str:
    status = "reviewed" if edited.reviewed else "draft"
    others = _front(now.front).others if now.front else {}
    return as_file(Front(edited.title, edited.questions, edited.keywords, status, now.source, others), edited.body)


def _proven(directory: Path, now: _File, text: str) -> list[Remark]:
    """What is wrong with `text`, and the faults elsewhere. Names that nobody uses are kept, and are no matter."""
    kept = _front(now.front).others if now.front else {}
    own = [remark for remark in remarks_on(directory, now.path, text) if dict(remark.values).get("name") not in kept]
    return [*faults_elsewhere(directory, now.path), *own]


def _new_remarks(directory: Path, now: _File, text: str) -> list[Remark]:
    """As `_proven`, but what was wrong with the file before does not count."""
    before = Counter(remark.message for remark in remarks_on(directory, now.path, now.text))
    own = remarks_on(directory, now.path, text)
    more = Counter(remark.message for remark in own) - before
    return [*faults_elsewhere(directory, now.path), *(remark for remark in own if remark.message in more)]


async def _put(directory: Path, now: _File, text: str, against: list[Remark], who: str) -> None:
    if against:
        raise Refused(*against)
    if text == now.text:
        return
    slug, language = now.path.parent.name, now.path.stem
    try:
        await asyncio.to_thread(_replace, now.path, text)
    except OSError:
        log.exception("text not written", slug=slug, language=language)
        raise Refused(Remark(_NOT_WRITABLE)) from None
    log.info("text written", slug=slug, language=language)
    await commit(now.path, f"Edit {slug} in {language}", who)


def _replace(path: Path, text: str) -> None:
    """The new file is there as a whole, or the old one still is."""
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, new)
        os.replace(new, path)  # noqa: PTH105
    finally:
        new.unlink(missing_ok=True)


def _words(question: str) -> list[str]:
    """What is compared of a question, as the check does."""
    return _WORD.findall(question.casefold())
