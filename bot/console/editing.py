"""The knowledge: a map of every entry in every language, and a page to read and change each text."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from aiohttp import web

from bot import storage
from bot.console.console import Console, Visit
from bot.console.trying import show_try
from bot.knowledge import Entry, Topic, editing
from bot.knowledge.editing import Edited, Opened, Refused
from bot.knowledge.facts import as_text
from bot.languages import LANGUAGES, SOURCE, Language
from bot.markup import to_html
from bot.texts import marked

_HOME = "/staff/knowledge"
_ONE = f"{_HOME}/{{slug}}/{{language}}"
_COMMAS = re.compile("[,،，、\n]")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry on the map, and how its text is in each language: reviewed, draft, outdated or missing."""

    slug: str
    title: str
    statuses: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Which text a page is about."""

    entry: Entry
    language: Language

    @property
    def address(self) -> str:
        return f"{_HOME}/{quote(self.entry.slug, safe='')}/{self.language.code}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a form. `preview`: as people would see it; `remarks`: what the check says of it."""

    preview: str = ""
    remarks: Sequence[str] | None = None
    refused: Sequence[str] = ()


_JUST_OPENED = Verdict()


def add(console: Console) -> None:
    """Serve the map, each text, and trying a question."""
    console.get(_HOME, "editor", _map)
    console.get(_ONE, "editor", _show)
    console.post(_ONE, "editor", _take)
    console.post(f"{_ONE}/review", "editor", _review)
    console.get("/staff/try", "editor", show_try)
    console.post("/staff/try", "editor", show_try)


# The map


async def _map(visit: Visit) -> web.Response:
    snapshot = visit.snapshot
    topics = [(topic, list(_rows(visit, topic))) for topic in snapshot.topics.values()]
    faults = [_without_directory(visit, problem.said(visit.say)) for problem in visit.console.knowledge.problems]
    return visit.show("knowledge.html", topics=topics, totals=snapshot.status(), faults=faults, address=_address)


def _rows(visit: Visit, topic: Topic) -> Iterator[Row]:
    for slug in topic.entries:
        entry = visit.snapshot.entries[slug]
        yield Row(slug, entry.text(SOURCE).title, {code: _status(entry, code) for code in LANGUAGES})


def _status(entry: Entry, code: str) -> str:
    return entry.texts[code].status if code in entry.texts else "missing"


def _address(slug: str, code: str) -> str:
    return f"{_HOME}/{quote(slug, safe='')}/{code}"


def _without_directory(visit: Visit, sentence: str) -> str:
    """`sentence` with files named from the knowledge directory on: where that is, is no matter here."""
    return sentence.replace(f"{visit.console.directory}/", "")


# One text


async def _show(visit: Visit) -> web.Response:
    page = _page(visit)
    return await _shown(visit, page)


async def _take(visit: Visit) -> web.Response:
    """What was typed: shown as it would look, or saved."""
    page, typed = _page(visit), _typed(visit)
    if visit.form.get("action") != "save":
        return await _preview(visit, page, typed)
    now = await _open(visit, page, page.language.code)
    # Other words are a draft until somebody has read them again; other questions are not.
    is_same = (typed.title, typed.body) == (now.text.title, now.text.body)
    reviewed = is_same and now.status == "reviewed"
    return await _save(visit, page, replace(typed, reviewed=reviewed), marked("edit text"))


async def _review(visit: Visit) -> web.Response:
    page = _page(visit)
    now = await _open(visit, page, page.language.code)
    reviewed = replace(now.text, reviewed=True, version=visit.form.get("version", ""))
    return await _save(visit, page, reviewed, marked("mark text as reviewed"))


async def _save(visit: Visit, page: Page, edited: Edited, what: str) -> web.Response:
    slug, code = page.entry.slug, page.language.code
    try:
        await editing.save(visit.console.directory, slug, code, edited, visit.session.member.label)
    except Refused as refused:
        return await _shown(visit, page, edited, Verdict(refused=refused.said(visit.say)))
    async with storage.begin(visit.console.database) as connection:
        await visit.note(connection, what, f"{slug} {code}")
    return visit.go(f"{page.address}?saved={'review' if edited.reviewed else 'text'}")


async def _preview(visit: Visit, page: Page, typed: Edited) -> web.Response:
    slug, code = page.entry.slug, page.language.code
    try:
        remarks = await asyncio.to_thread(editing.remarks, visit.console.directory, slug, code, typed)
    except Refused:
        raise web.HTTPNotFound from None
    preview = _as_shown(visit, typed, page.language)
    return await _shown(visit, page, typed, Verdict(preview, [remark.said(visit.say) for remark in remarks]))


def _page(visit: Visit) -> Page:
    """The text that an address names; whatever is not in the snapshot is not there."""
    entry = visit.snapshot.entries.get(visit.request.match_info["slug"])
    language = LANGUAGES.get(visit.request.match_info["language"])
    if entry is None or language is None:
        raise web.HTTPNotFound
    return Page(entry, language)


async def _open(visit: Visit, page: Page, code: str) -> Opened:
    try:
        return await asyncio.to_thread(editing.open_text, visit.console.directory, page.entry.slug, code)
    except Refused:
        raise web.HTTPNotFound from None


def _typed(visit: Visit) -> Edited:
    form = visit.form
    return Edited(
        title=form.get("title", "").strip(),
        body="\n".join(form.get("body", "").splitlines()).strip("\n"),
        questions=_parts(form.get("questions", "").splitlines()),
        keywords=_parts(_COMMAS.split(form.get("keywords", ""))),
        reviewed=False,
        version=form.get("version", ""),
    )


def _parts(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in parts if part.strip())


async def _shown(visit: Visit, page: Page, form: Edited | None = None, verdict: Verdict = _JUST_OPENED) -> web.Response:
    """The page of a text; its form holds what was typed, or else the text as it is."""
    own, dutch = await _open(visit, page, page.language.code), await _open(visit, page, SOURCE)
    return visit.show(
        "entry.html",
        status=422 if verdict.refused else 200,
        page=page,
        form=form or own.text,
        own=own.text,
        status_now=own.status,
        dutch=dutch.text,
        own_html=_as_shown(visit, own.text, page.language),
        dutch_html=_as_shown(visit, dutch.text, LANGUAGES[SOURCE]),
        verdict=verdict,
        facts=[(f"{{{{ {name} }}}}", as_text(fact, page.language)) for name, fact in visit.snapshot.facts.items()],
        saved="" if form else visit.request.query.get("saved", ""),
    )


def _as_shown(visit: Visit, text: Edited, language: Language) -> str:
    """A text as people see it, with its facts; as it was typed where it names a fact that is not there."""
    try:
        body = visit.snapshot.fill(text.body, language.code)
    except KeyError:
        body = text.body
    return to_html("\n\n".join(filter(None, (text.title and f"**{text.title}**", body))), language.direction)
