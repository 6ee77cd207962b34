"""The knowledge in the console: the map, reading and changing a text, and trying a question."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.knowledge import Holder, load
from bot.knowledge.editing import Edited, open_text, save
from bot.knowledge.holder import reload
from bot.languages import LANGUAGES
from bot.storage import staff
from bot.understanding import Understanding
from tests.conftest import Clock
from tests.console_client import Client, open_console, send, sign_in

MAP, TRY = "/staff/knowledge", "/staff/try"
SLUG = "school-find"
DUTCH, ARABIC = f"{MAP}/{SLUG}/nl", f"{MAP}/{SLUG}/ar"


@pytest.fixture
def holder(knowledge_copy: Path, understanding: Understanding) -> Holder[Understanding]:
    return Holder(replace(understanding, snapshot=load(knowledge_copy)))


@pytest.fixture
async def client(
    database: AsyncEngine, holder: Holder[Understanding], clock: Clock, knowledge_copy: Path
) -> AsyncIterator[Client]:
    """Noor, an editor, signed in, in English."""
    async with open_console(database, holder, clock, knowledge_copy) as opened:
        opened.session.headers["Accept-Language"] = "en"
        await sign_in(opened, database, clock(), "editor")
        yield opened


async def _read(client: Client, path: str) -> str:
    response = await client.get(path)
    assert response.status == 200
    return html.unescape(await response.text())


async def _send(client: Client, path: str, form: dict[str, str], page: str = DUTCH) -> tuple[int, str]:
    status, said = await send(client, path, form, page=page)
    return status, html.unescape(said)


def _form(text: Edited, **changes: str) -> dict[str, str]:
    """What a browser sends of the form."""
    return {
        "title": text.title,
        "body": text.body.replace("\n", "\r\n"),
        "questions": "\r\n".join(text.questions),
        "keywords": ", ".join(text.keywords),
        "version": text.version,
        **changes,
    }


def _text(directory: Path, code: str = "nl") -> Edited:
    return open_text(directory, SLUG, code).text


async def _log(database: AsyncEngine) -> list[tuple[str, str, str]]:
    async with storage.begin(database) as connection:
        return [(line.who, line.what, line.about) for line in await staff.log(connection) if line.what != "sign in"]


# Who may


@pytest.mark.parametrize("path", [MAP, DUTCH, TRY])
async def test_the_desk_does_not_see_the_knowledge(
    database: AsyncEngine, holder: Holder[Understanding], clock: Clock, knowledge_copy: Path, path: str
) -> None:
    async with open_console(database, holder, clock, knowledge_copy) as browser:
        assert (await browser.get(path)).status == 404
        await sign_in(browser, database, clock(), "desk")
        assert (await browser.get(path)).status == 404


async def test_a_form_of_somebody_else_changes_nothing(client: Client, knowledge_copy: Path) -> None:
    text = _text(knowledge_copy)
    form = _form(text, title="Een school vinden", action="save", form_token="forged")
    assert (await client.post(DUTCH, data=form)).status == 403
    assert (await client.post(f"{DUTCH}/review", data=form)).status == 403
    assert _text(knowledge_copy) == text


# The map


async def test_the_map_shows_every_entry_in_every_language(client: Client, holder: Holder[Understanding]) -> None:
    page = await _read(client, MAP)
    snapshot = holder.current.snapshot
    for slug, entry in snapshot.entries.items():
        for code in LANGUAGES:
            status = entry.texts[code].status if code in entry.texts else "missing"
            assert f'<a class="mark {status}" href="{MAP}/{slug}/{code}">' in page
    marks = re.findall(r'<span class="unseen">(\w+): (\w+)</span>', page)
    assert len(marks) == len(snapshot.entries) * len(LANGUAGES)
    assert (marks.count(("pl", "missing")), marks.count(("ar", "missing"))) == (5, 0)


async def test_the_map_counts_each_language(client: Client) -> None:
    page = await _read(client, MAP)
    missing = re.findall(r'<td class="missing">(\d+)</td>', page)
    assert sorted(missing) == sorted(["0"] * 6 + ["5"] * 18)


async def test_the_map_says_what_is_wrong_with_the_files(
    client: Client, holder: Holder[Understanding], knowledge_copy: Path
) -> None:
    assert "The files have a fault" not in await _read(client, MAP)
    (knowledge_copy / "school/school-okan/nl.md").write_text("niets", encoding="utf-8")
    await reload(holder, knowledge_copy, lambda path: replace(holder.current, snapshot=load(path)))
    page = await _read(client, MAP)
    assert "The files have a fault" in page
    assert '<li dir="auto">school/school-okan/nl.md:1: begin the file with a line of three dashes' in page
    assert str(knowledge_copy) not in page


# Reading


async def test_a_text_stands_beside_its_dutch_with_facts_and_signs_as_people_see_them(
    client: Client, knowledge_copy: Path
) -> None:
    page = await _read(client, ARABIC)
    assert f'<div class="bubble" lang="ar" dir="rtl"><p><strong>{_text(knowledge_copy, "ar").title}' in page
    assert f'<div class="bubble" lang="nl" dir="ltr"><p><strong>{_text(knowledge_copy).title}</strong></p>' in page
    shown = page.partition('class="bubble"')[2].partition("</section>")[0]
    assert 'href="tel:' in shown
    assert "{{" not in shown


async def test_the_fields_of_a_right_to_left_text_are_right_to_left(client: Client) -> None:
    page = await _read(client, ARABIC)
    for name in ("title", "body", "questions", "keywords"):
        assert re.search(rf'name="{name}"[^>]* lang="ar" dir="rtl"', page)


async def test_the_facts_are_there_to_choose_from(client: Client) -> None:
    assert "<code>{{ contact.phone }}</code>" in await _read(client, DUTCH)


async def test_a_missing_text_opens_an_empty_form_beside_the_dutch(client: Client, knowledge_copy: Path) -> None:
    page = await _read(client, f"{MAP}/{SLUG}/pl")
    assert "There is no text in this language yet." in page
    assert 'name="title" value=""' in page
    assert f"<strong>{_text(knowledge_copy).title}</strong>" in page
    assert "Mark as reviewed" not in page


@pytest.mark.parametrize(
    "path",
    [f"{MAP}/niets/nl", f"{MAP}/{SLUG}/xx", f"{MAP}/..%2F..%2Fetc/nl", f"{MAP}/%2E%2E/nl", f"{MAP}/{SLUG}/..%2Fnl"],
)
async def test_what_is_not_in_the_knowledge_is_not_there(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404
    assert (await _send(client, path, {"action": "save"}))[0] == 404
    assert (await _send(client, f"{path}/review", {}))[0] == 404


async def test_what_is_written_cannot_bring_anything_into_the_page(client: Client, knowledge_copy: Path) -> None:
    bad = '</textarea><script>alert(1)</script>" onload="x'
    form = _form(_text(knowledge_copy), title=bad, body=bad, questions=bad, keywords=bad, action="preview")
    response = await send(client, DUTCH, form, page=DUTCH)
    assert response[0] == 200
    assert "<script>alert" not in response[1]
    assert '" onload="x' not in response[1]


# Changing


async def test_a_saved_text_is_in_its_file_in_the_log_and_soon_with_people(
    client: Client, database: AsyncEngine, holder: Holder[Understanding], knowledge_copy: Path
) -> None:
    text = _text(knowledge_copy)
    questions = "\r\n".join(("- Zij zei: \"waar?\" # 'nu'", "", "  school: hoe?  ", *text.questions))
    form = _form(text, title="Een school vinden", questions=questions, keywords="school,  klas,،", action="save")
    status, page = await _send(client, DUTCH, form)
    assert (status, "Saved. People get it within seconds." in page) == (200, True)
    saved = _text(knowledge_copy)
    assert saved.questions == ("- Zij zei: \"waar?\" # 'nu'", "school: hoe?", *text.questions)
    assert (saved.title, saved.keywords, saved.body) == ("Een school vinden", ("school", "klas"), text.body)
    assert (await _log(database))[0] == ("Noor", "edit text", f"{SLUG} nl")
    await reload(holder, knowledge_copy, lambda path: replace(holder.current, snapshot=load(path)))
    assert holder.current.snapshot.entries[SLUG].texts["nl"].title == "Een school vinden"


async def test_a_preview_shows_facts_and_remarks_and_saves_nothing(client: Client, knowledge_copy: Path) -> None:
    text = _text(knowledge_copy)
    body = "Bel **nu**: {{ contact.phone }}\r\n\r\nOf bel 09 111 22 33."
    status, page = await _send(client, DUTCH, _form(text, body=body, action="preview"))
    preview = page.partition('id="preview"')[2].partition("</section>")[0]
    assert status == 200
    assert "<strong>nu</strong>: <a href=" in preview
    assert "Of bel 09 111 22 33.: a phone number stands here; put it in facts.yaml" in preview
    assert "Of bel 09 111 22 33.</textarea>" in page
    assert _text(knowledge_copy) == text


async def test_a_preview_without_remarks_says_so(client: Client, knowledge_copy: Path) -> None:
    _, page = await _send(client, ARABIC, _form(_text(knowledge_copy, "ar"), action="preview"))
    assert "The check finds nothing wrong." in page


async def test_a_fact_that_is_not_there_is_said_and_what_was_typed_stays(
    client: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    text, log = _text(knowledge_copy), await _log(database)
    form = _form(text, body="Bel {{ contact.fone }}.", action="save")
    status, page = await _send(client, DUTCH, form)
    assert status == 422
    assert "`{{ contact.fone }}` is not in facts.yaml" in page
    assert "Bel {{ contact.fone }}.</textarea>" in page
    assert (_text(knowledge_copy), await _log(database)) == (text, log)


async def test_of_two_editors_the_second_keeps_what_they_typed(client: Client, knowledge_copy: Path) -> None:
    opened = _text(knowledge_copy)
    await save(knowledge_copy, SLUG, "nl", replace(opened, title="Van Sam"), "Sam")
    status, page = await _send(client, DUTCH, _form(opened, title="Van Noor", action="save"))
    assert status == 422
    assert "Somebody changed this text" in page
    assert 'name="title" value="Van Noor"' in page
    assert "<strong>Van Sam</strong>" in page
    assert _text(knowledge_copy).title == "Van Sam"


async def test_an_empty_or_strange_form_is_answered_kindly(client: Client, knowledge_copy: Path) -> None:
    text = _text(knowledge_copy)
    assert (await _send(client, DUTCH, {}))[0] == 200
    assert (await _send(client, DUTCH, {"action": "save"}))[0] == 422
    assert (await _send(client, DUTCH, {"action": "save", "version": text.version}))[0] == 422
    assert (await _send(client, DUTCH, {"action": "x" * 900, "version": "\0"}))[0] == 200
    assert _text(knowledge_copy) == text


# Reviewing


async def test_marking_as_reviewed_changes_only_that(
    client: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    text = _text(knowledge_copy, "ar")
    status, page = await _send(client, f"{ARABIC}/review", {"version": text.version})
    assert (status, "Saved as reviewed." in page, "Mark as reviewed" in page) == (200, True, False)
    assert replace(_text(knowledge_copy, "ar"), version="") == replace(text, reviewed=True, version="")
    assert (await _log(database))[0] == ("Noor", "mark text as reviewed", f"{SLUG} ar")


async def test_what_somebody_changed_meanwhile_is_not_marked_as_reviewed(client: Client, knowledge_copy: Path) -> None:
    opened = _text(knowledge_copy)
    await save(knowledge_copy, SLUG, "nl", replace(opened, title="Van Sam"), "Sam")
    assert (await _send(client, f"{DUTCH}/review", {"version": opened.version}))[0] == 422
    assert not _text(knowledge_copy).reviewed


async def test_other_words_are_a_draft_again_and_other_questions_are_not(client: Client, knowledge_copy: Path) -> None:
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), reviewed=True), "Sam")
    text = _text(knowledge_copy)
    await _send(client, DUTCH, _form(text, keywords="school", action="save"))
    assert _text(knowledge_copy).reviewed
    await _send(client, DUTCH, _form(_text(knowledge_copy), title="Een school vinden", action="save"))
    assert not _text(knowledge_copy).reviewed


async def test_the_page_tells_that_a_translation_is_outdated(client: Client, knowledge_copy: Path) -> None:
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), title="Een school vinden"), "Sam")
    assert '<p class="outdated">outdated</p>' in await _read(client, ARABIC)
    await _send(client, f"{ARABIC}/review", {"version": _text(knowledge_copy, "ar").version}, page=ARABIC)
    assert '<p class="reviewed">reviewed</p>' in await _read(client, ARABIC)


# Trying a question


@pytest.fixture
async def whole(database: AsyncEngine, understanding: Understanding, clock: Clock) -> AsyncIterator[Client]:
    """The same editor, with all of our knowledge, to read."""
    async with open_console(database, understanding, clock) as opened:
        opened.session.headers["Accept-Language"] = "en"
        await sign_in(opened, database, clock(), "editor")
        yield opened


async def _try(client: Client, text: str, language: str = "") -> tuple[int, str]:
    status, page = await send(client, TRY, {"text": text, "language": language}, page=TRY)
    return status, html.unescape(page)


async def test_a_question_shows_what_is_understood_and_the_reply(whole: Client, understanding: Understanding) -> None:
    text = understanding.snapshot.entries[SLUG].texts["ar"].questions[0]
    status, page = await _try(whole, text)
    assert status == 200
    assert "<bdi>العربية</bdi>" in page
    assert "<strong>gives an answer</strong>" in page
    meaning = understanding.understand(text)
    assert re.findall(rf'<a href="{MAP}/([\w-]+)/ar">', page) == [match.slug for match in meaning.matches]
    assert f'dir="rtl">\n      <p><strong>{understanding.snapshot.entries[SLUG].texts["ar"].title}' in page
    assert '<span class="key">👍' in page


async def test_a_question_as_long_as_a_chat_takes_is_tried_in_any_script(whole: Client) -> None:
    status, page = await _try(whole, ("ናብ ትምህርቲ ቤት ቆልዓይ ክምዝግብ እደሊ " * 200)[:4096])
    assert (status, "What is understood" in page) == (200, True)


async def test_an_address_tries_nothing(whole: Client) -> None:
    page = await (await whole.get(TRY, params={"text": "Hallo", "language": "nl"})).text()
    assert ("What is understood" in page, "Hallo</textarea>" in page) == (False, False)


async def test_a_search_among_the_offers_is_said(whole: Client) -> None:
    _, page = await _try(whole, "Nederlandse les online in de avond", "nl")
    assert re.search(r"Looks for among the courses and activities: Dutch lessons · .*Online", page)


async def test_what_is_not_known_and_what_has_no_words_is_shown_too(whole: Client) -> None:
    assert "says that it does not know" in (await _try(whole, "?!"))[1]
    assert "says something kind" in (await _try(whole, "Hallo", "nl"))[1]
    assert "begins an appointment" in (await _try(whole, "Ik wil een afspraak maken", "nl"))[1]


async def test_a_wrong_try_is_refused_with_a_sentence(whole: Client) -> None:
    status, page = await _try(whole, "Waar?", "xx")
    assert (status, "Choose a language from the list." in page) == (422, True)
    status, page = await _try(whole, "a" * 4097)
    assert (status, "This is longer than 4096 signs" in page) == (422, True)
    status, page = await _try(whole, " ")
    assert (status, "What is understood" in page) == (200, False)
