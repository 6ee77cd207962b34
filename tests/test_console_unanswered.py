"""The page of what nobody could answer: put together, written to an entry, put away."""

import datetime
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import yaml
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.console.unanswered import MOST, ON_A_PAGE, PAGE
from bot.languages import LANGUAGES
from bot.likeness import grouped
from bot.storage import staff, unanswered
from bot.storage.schema import unanswered as table
from bot.understanding import Understanding
from tests.conftest import NOW, Clock
from tests.console_client import Client, open_console, send, sign_in

SCHOOL = "Waar is er een school voor mijn zoon van zes?"
AGAIN = "waar is er een school voor mijn zoon van 6"
_ASKED = re.compile(r'<h2 id="question-\d+"[^>]*>(.*?)</h2>')
_LIKELY = re.compile(r'<li><a href="/staff/knowledge/([^/"]+)/(\w+)"><span lang="nl">(.*?)</span></a> \((\d+)%\)')


@pytest.fixture
async def browser(
    database: AsyncEngine, knowledge_copy: Path, understanding: Understanding, clock: Clock
) -> AsyncIterator[Client]:
    """An editor's browser; what it writes goes to a small knowledge directory of its own."""
    async with open_console(database, understanding, clock, knowledge_copy) as client:
        await sign_in(client, database, NOW, "editor")
        client.session.headers["Accept-Language"] = "en"
        yield client


async def _asked(database: AsyncEngine, *texts: str, language: str = "nl", days_ago: int = 0) -> list[int]:
    async with storage.begin(database) as connection:
        for text in texts:
            await unanswered.keep(connection, NOW.date() - datetime.timedelta(days_ago), language, text)
        rows = await unanswered.still_open(connection)
    return [row.id for row in reversed(rows[: len(texts)])]


async def _states(database: AsyncEngine, ids: list[int]) -> list[str]:
    async with storage.begin(database) as connection:
        rows = [await unanswered.get(connection, number) for number in ids]
    return [row.state if row else "gone" for row in rows]


async def _log(database: AsyncEngine) -> list[tuple[str, str, str]]:
    async with storage.begin(database) as connection:
        return [(line.who, line.what, line.about) for line in await staff.log(connection) if line.what != "sign in"]


async def _page(client: Client, query: str = "") -> str:
    response = await client.get(PAGE + query)
    assert response.status == 200
    return await response.text()


def _questions(html: str) -> list[str]:
    return [unescape(text) for text in _ASKED.findall(html)]


def _form(ids: list[int], **changed: str) -> dict[str, str]:
    form = {"ids": ",".join(map(str, ids)), "entry": "school-find", "language": "nl", "question": SCHOOL, "list": "nl"}
    return {**form, **changed}


def _questions_in(directory: Path, language: str = "nl") -> list[str]:
    text = (directory / "school/school-find" / f"{language}.md").read_text()
    questions: list[str] = yaml.safe_load(text.split("---")[1])["questions"]
    return questions


# Likeness


def test_texts_in_nearly_the_same_words_are_one_group() -> None:
    texts = [
        "hond in de tram?",
        SCHOOL,
        "Waar is er een school voor mijn ZOON van zes",
        "er is waar een school voor mijn zoon van zes",
    ]
    assert [alike.places for alike in grouped(texts)] == [(1, 2, 3), (0,)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أين أجد مدرسة لابني الصغير؟", "اين اجد مدرسة لابني الصغير"),
        ("我在哪里可以学荷兰语？", "我在哪里可以学荷兰语"),
        ("क्या मैं अपने बेटे को स्कूल भेज सकता हूँ?", "क्या मैं अपने बेटे को स्कूल भेज सकता हूं"),
        ("Де знайти школу для сина в Генті?", "де знайти школу для сина в Генте"),
    ],
)
def test_texts_in_other_scripts_are_put_together_too(one: str, other: str) -> None:
    assert [alike.places for alike in grouped([one, other])] == [(0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("school", "Mijn dochter zit nog niet op school, wat nu?"),
        ("我要学荷兰语", "我要找工作"),
        ("क्या", "के"),
        ("🐶", "🐱"),
        ("Hoe vind ik werk als bakker?", "Wanneer komt de bus naar Aalst?"),
    ],
)
def test_one_word_in_common_does_not_make_texts_alike(one: str, other: str) -> None:
    assert len(grouped([one, other])) == 2


def test_groups_are_the_same_each_time_and_hold_every_text_once() -> None:
    texts = [f"vraag over {word} in de stad {number % 7}" for number, word in enumerate(["fiets", "bus", "tram"] * 30)]
    groups = grouped(texts)
    assert groups == grouped(texts)
    assert sorted(place for alike in groups for place in alike.places) == list(range(len(texts)))
    assert all(alike.typical in alike.places for alike in groups)
    assert grouped([]) == []


# What is shown


async def test_an_empty_list_says_so_kindly(browser: Client) -> None:
    assert "Nothing is waiting here." in await _page(browser)


async def test_what_is_asked_most_stands_first_with_how_often_and_when(browser: Client, database: AsyncEngine) -> None:
    await _asked(database, SCHOOL, AGAIN, days_ago=3)
    await _asked(database, "Mag mijn hond mee op de tram?")
    html = await _page(browser)
    assert _questions(html) == [AGAIN, "Mag mijn hond mee op de tram?"]
    assert "asked 2 times" in html
    assert "last on Friday, 20 November 2026" in html
    assert "asked once" in html


async def test_each_group_names_the_three_entries_that_it_is_like_now(browser: Client, database: AsyncEngine) -> None:
    await _asked(database, "Шукаю школу для дочки", language="uk")
    likely = _LIKELY.findall(await _page(browser))
    assert len(likely) == 3
    assert (likely[0][0], likely[0][1], unescape(likely[0][2])) == ("school-find", "uk", "Een school voor mijn kind")
    assert all(0 <= int(percent) <= 100 for *_, percent in likely)


async def test_one_language_can_be_asked_for_and_another_is_not_mixed_in(
    browser: Client, database: AsyncEngine
) -> None:
    await _asked(database, "taxi gent", language="nl")
    await _asked(database, "taxi gent", language="tr")
    assert _questions(await _page(browser)) == ["taxi gent", "taxi gent"]
    assert _questions(await _page(browser, "?language=tr")) == ["taxi gent"]
    assert _questions(await _page(browser, "?language=xx&page=-1")) == ["taxi gent", "taxi gent"]


async def test_what_people_typed_is_escaped_and_runs_in_its_own_direction(
    browser: Client, database: AsyncEngine
) -> None:
    await _asked(database, '<script>alert("1")</script>')
    await _asked(database, "أين المدرسة", language="ar")
    html = await _page(browser)
    assert "<script>alert" not in html
    assert 'class="asked" dir="auto" lang="ar">أين المدرسة</h2>' in html


async def test_a_thousand_questions_are_shown_in_parts(browser: Client, database: AsyncEngine) -> None:
    words = [
        f"{chr(97 + n % 26) * 9} {chr(97 + n // 26 % 26) * 9} {chr(97 + n // 7 % 26) * 9}" for n in range(MOST + 5)
    ]
    rows = [{"day": NOW.date(), "language": "nl", "text": text, "state": "open"} for text in words]
    async with storage.begin(database) as connection:
        await connection.execute(insert(table), rows)
    html = await _page(browser)
    assert len(_questions(html)) == ON_A_PAGE
    assert "These are the latest 1000 questions" in html
    last = await _page(browser, "?page=999")
    assert 0 < len(_questions(last)) <= ON_A_PAGE
    assert _questions(last) != _questions(html)


# What is done


async def test_a_question_is_written_to_the_entry_and_the_whole_group_is_settled(
    browser: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    ids = await _asked(database, SCHOOL, AGAIN)
    status, html = await send(browser, f"{PAGE}/add", _form(ids, question="  Welke school:  voor mijn zoon? "))
    assert status == 200
    assert "The question was added." in html
    assert _questions_in(knowledge_copy)[-1] == "Welke school: voor mijn zoon?"
    assert await _states(database, ids) == ["added", "added"]
    assert await _log(database) == [("Noor", "add question", "school-find nl (2)")]


async def test_a_question_can_be_added_in_another_language_than_it_was_kept_in(
    browser: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    ids = await _asked(database, "Okul nerede acaba bulunur", language="nl")
    await send(browser, f"{PAGE}/add", _form(ids, language="tr", question="Okul nerede acaba bulunur"))
    assert _questions_in(knowledge_copy, "tr")[-1] == "Okul nerede acaba bulunur"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"entry": "nothing"}, "Choose an entry."),
        ({"entry": "../school-find"}, "Choose an entry."),
        ({"entry": ""}, "Choose an entry."),
        ({"language": "xx"}, "Choose a language."),
        ({"question": "   "}, "Write the question."),
        ({"question": "a" * 301}, "The question is too long: at most 300 signs."),
    ],
)
async def test_a_form_that_cannot_be_right_comes_back_with_a_sentence_and_what_was_typed(
    browser: Client, database: AsyncEngine, knowledge_copy: Path, changed: dict[str, str], sentence: str
) -> None:
    ids = await _asked(database, SCHOOL)
    before = _questions_in(knowledge_copy)
    form = _form(ids, **{"question": "Mijn <eigen> woorden", **changed})
    status, html = await send(browser, f"{PAGE}/add", form)
    assert status == 422
    assert f'<p class="problem" role="alert">{sentence}</p>' in html
    assert f'value="{" ".join(form["question"].split()).replace("<", "&lt;").replace(">", "&gt;")}"' in html
    assert await _states(database, ids) == ["open"]
    assert _questions_in(knowledge_copy) == before


@pytest.mark.parametrize(
    "ids", ["", "x", "1,", "-1", "0", "1;2", "٣", "9" * 10, "9" * 5000, ",".join(["1"] * (MOST + 1))]
)
@pytest.mark.parametrize("action", ["add", "away"])
async def test_numbers_that_no_page_of_ours_wrote_are_refused_with_a_sentence(
    browser: Client, ids: str, action: str
) -> None:
    status, html = await send(browser, f"{PAGE}/{action}", {**_form([]), "ids": ids})
    assert status == 422
    assert "Choose a question from the list." in html


async def test_a_question_that_is_there_already_is_refused_and_stays_open(
    browser: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    ids = await _asked(database, SCHOOL)
    known = _questions_in(knowledge_copy)[0]
    status, html = await send(browser, f"{PAGE}/add", _form(ids, question=known))
    assert status == 422
    assert "This question is there already." in html
    assert await _states(database, ids) == ["open"]
    assert await _log(database) == []


async def test_a_language_without_a_text_is_refused_with_a_sentence(browser: Client, database: AsyncEngine) -> None:
    ids = await _asked(database, "Ku je shkolla", language="sq")
    status, html = await send(browser, f"{PAGE}/add", _form(ids, list="sq", language="sq", question="Ku je shkolla"))
    assert status == 422
    assert "no text in this language yet" in html
    assert '<option value="sq" lang="sq" selected>' in html


async def test_a_group_that_is_not_for_us_is_put_away(browser: Client, database: AsyncEngine) -> None:
    ids = await _asked(database, SCHOOL, AGAIN)
    (other,) = await _asked(database, "Mag mijn hond mee op de tram?")
    status, html = await send(browser, f"{PAGE}/away", _form(ids))
    assert status == 200
    assert "The question was put away." in html
    assert await _states(database, [*ids, other]) == ["put away", "put away", "open"]
    assert await _log(database) == [("Noor", "put question away", "(2)")]


async def test_what_a_colleague_settled_meanwhile_is_no_error_and_stays_as_they_left_it(
    browser: Client, database: AsyncEngine, knowledge_copy: Path
) -> None:
    ids = await _asked(database, SCHOOL, AGAIN)
    before = _questions_in(knowledge_copy)
    await send(browser, f"{PAGE}/away", _form(ids[:1]))
    await send(browser, f"{PAGE}/add", _form(ids))
    assert await _states(database, ids) == ["put away", "added"]
    assert len(_questions_in(knowledge_copy)) == len(before) + 1
    for action in ("add", "away"):
        status, html = await send(browser, f"{PAGE}/{action}", _form(ids, question="Nog een andere vraag"))
        assert status == 200
        assert "A colleague dealt with this question already." in html
    assert len(_questions_in(knowledge_copy)) == len(before) + 1
    assert len(await _log(database)) == 2


async def test_the_desk_does_not_see_the_page(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    async with open_console(database, understanding, clock) as client:
        assert (await client.get(PAGE)).status == 404
        await sign_in(client, database, NOW, "desk")
        assert (await client.get(PAGE)).status == 404
        assert (await client.post(f"{PAGE}/add", data=_form([1]))).status == 404


async def test_a_form_from_elsewhere_changes_nothing(browser: Client, database: AsyncEngine) -> None:
    ids = await _asked(database, SCHOOL)
    response = await browser.post(f"{PAGE}/away", data={**_form(ids), "form_token": "forged"})
    assert response.status == 403
    assert await _states(database, ids) == ["open"]


async def test_every_language_can_be_shown_on_the_real_knowledge(
    database: AsyncEngine, understanding: Understanding, clock: Clock
) -> None:
    for code in LANGUAGES:
        await _asked(database, "taxi Gent", language=code)
    async with open_console(database, understanding, clock) as client:
        await sign_in(client, database, NOW, "editor")
        assert len(_questions(await _page(client))) == len(LANGUAGES)
