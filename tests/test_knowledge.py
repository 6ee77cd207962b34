"""Staff's files: what is right is frozen, what is wrong is named, and a fault changes nothing that runs."""

import asyncio
import datetime
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversation import respond
from bot.knowledge import BrokenKnowledge, Holder, load, open_holder
from bot.knowledge.checking import check
from bot.knowledge.holder import reload
from bot.knowledge.snapshot import source_version
from bot.languages import LANGUAGES
from bot.learning import learn, recall
from bot.texts import Texts
from tests.conftest import KNOWLEDGE, NOW, eventually
from tests.dialogue import Dialogue

ENTRY = "school/school-find"


def _edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def _faults(directory: Path) -> list[str]:
    with pytest.raises(BrokenKnowledge) as broken:
        load(directory)
    return [str(problem).replace(str(directory), "") for problem in broken.value.problems]


def test_our_own_knowledge_has_no_problem() -> None:
    assert [str(problem) for problem in check(KNOWLEDGE)] == []


def test_one_edit_of_a_fact_changes_every_language(knowledge_copy: Path) -> None:
    _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("09 265 78 40", "09 111 22 33"))
    contact = load(knowledge_copy).entries["contact"]
    assert all("09 111 22 33" in text.body and "tel:+3291112233" in text.body for text in contact.texts.values())


def test_a_date_is_written_as_each_language_writes_dates() -> None:
    entry = load(KNOWLEDGE).entries["ukraine-first-steps"]
    assert "4 maart 2027" in entry.texts["nl"].body
    assert "4 March 2027" in entry.texts["en"].body
    assert "4 березня 2027" in entry.texts["uk"].body
    assert "4 مارس 2027" in entry.texts["ar"].body
    assert entry.valid_until == datetime.date(2027, 3, 4)


def test_a_fact_inside_a_link_is_not_linked_again(knowledge_copy: Path) -> None:
    _edit(knowledge_copy / ENTRY / "nl.md", lambda text: text + "\n[site](https://{{ contact.site }}/x)\n")
    body = load(knowledge_copy).entries["school-find"].texts["nl"].body
    assert "[site](https://www.amal.gent/x)" in body


@pytest.mark.parametrize(
    ("change", "at", "words"),
    [
        (
            lambda text: text.replace("{{ city.phone }}", "{{ city.fone }}"),
            "city.fone",
            "`{{ city.fone }}` is not in facts.yaml",
        ),
        (lambda text: text.replace("title: Een", "titel: Een"), "titel:", "`title` is missing"),
        (lambda text: text.replace("questions:\n", "questions: Waar\n", 1), "questions:", "it takes a list"),
        (
            lambda text: text.replace("status: draft", "status: ready"),
            "status:",
            "`status` holds 'ready'; it takes `reviewed`",
        ),
        (lambda text: text.replace("  - school zoeken Gent", "  - school: zoeken: Gent"), "zoeken: Gent", "put quotes"),
        (lambda text: text.replace("  - school zoeken Gent", "\t- school zoeken Gent"), "\t-", "tab"),
        (lambda text: text.replace("  - school zoeken Gent", '  - "school zoeken Gent'), '"school', "quote"),
        (lambda text: text.replace("---\n", "", 1), "title:", "three dashes"),
        (lambda text: text.split("---\n")[1], "title:", "three dashes"),
        (lambda text: "---\n" + text.split("---\n")[1], "---", "second line of three dashes"),
        (lambda text: "", "", "three dashes"),
    ],
)
def test_a_fault_in_a_text_is_named_with_file_and_line(
    knowledge_copy: Path, change: Callable[[str], str], at: str, words: str
) -> None:
    path = knowledge_copy / ENTRY / "nl.md"
    _edit(path, change)
    lines = path.read_text(encoding="utf-8").split("\n")
    line = next(number for number, text in enumerate(lines, start=1) if at in text)
    fault = next(fault for fault in _faults(knowledge_copy) if "nl.md" in fault)
    assert fault.startswith(f"/{ENTRY}/nl.md:{line}: ")
    assert words in fault


def test_bytes_that_are_no_text_are_named_with_their_line(knowledge_copy: Path) -> None:
    path = knowledge_copy / ENTRY / "nl.md"
    path.write_bytes(b"---\ntitle: \xff\xfe\n---\n")
    assert _faults(knowledge_copy) == [f"/{ENTRY}/nl.md:2: this is not UTF-8 text; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("entry.yaml", "urgent: perhaps\n", "`urgent` holds 'perhaps'; it takes true or false"),
        ("entry.yaml", "valid_until: soon\n", "`valid_until` holds 'soon'; it takes a date: 2027-03-04"),
        ("entry.yaml", "related: school\n", "`related` holds 'school'; it takes a list of slugs"),
        ("entry.yaml", "- a\n- b\n", "write `name: value`"),
        ("../topic.yaml", "order: first\n", "`order` holds 'first'; it takes a whole number"),
        ("../../facts.yaml", "contact: 09 265\n", "contact"),
    ],
)
def test_a_fault_in_a_yaml_file_is_named(knowledge_copy: Path, name: str, content: str, words: str) -> None:
    (knowledge_copy / ENTRY / name).write_text(content)
    assert any(words in fault for fault in _faults(knowledge_copy))


def test_two_folders_with_one_name_are_a_fault(knowledge_copy: Path) -> None:
    twin = knowledge_copy / "mo" / "school-find"
    twin.mkdir()
    (twin / "nl.md").write_text("---\ntitle: Twee\n---\n")
    assert any("give one of them another name" in fault for fault in _faults(knowledge_copy))


def test_a_directory_that_is_not_there_or_empty_is_said(tmp_path: Path) -> None:
    assert any("not there" in fault for fault in _faults(tmp_path / "nowhere"))
    assert any("make a folder (topic)" in fault for fault in _faults(tmp_path))


def test_windows_line_ends_a_byte_order_mark_and_editors_files_do_no_harm(knowledge_copy: Path) -> None:
    path = knowledge_copy / ENTRY / "nl.md"
    before = load(knowledge_copy).entries["school-find"]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    (path.parent / "nl.md~").write_text("junk")
    (path.parent / ".nl.md.swp").write_text("junk")
    (path.parent / ".#nl.md").write_text("junk")
    assert load(knowledge_copy).entries["school-find"] == before


def test_a_translation_is_outdated_when_the_dutch_text_changes_and_not_when_a_question_is_added(
    knowledge_copy: Path,
) -> None:
    path = knowledge_copy / ENTRY / "nl.md"
    _edit(path, lambda text: text.replace("questions:\n", "questions:\n  - Nog een vraag?\n", 1))
    assert load(knowledge_copy).entries["school-find"].texts["uk"].status == "draft"
    _edit(path, lambda text: text + "\nNog een zin.\n")
    texts = load(knowledge_copy).entries["school-find"].texts
    assert (texts["uk"].status, texts["nl"].status) == ("outdated", "draft")


def test_the_source_version_ignores_spaces_at_line_ends() -> None:
    assert source_version("a", "b  \n\nc\n") == source_version("a", "b\n\nc")
    assert source_version("a", "b") != source_version("a", "c")


def test_the_version_is_the_same_in_every_process_and_changes_with_any_file(knowledge_copy: Path) -> None:
    before = load(knowledge_copy).version
    assert load(knowledge_copy).version == before
    _edit(knowledge_copy / "facts.yaml", lambda text: text + "\n")
    assert load(knowledge_copy).version != before


def test_status_counts_each_language() -> None:
    snapshot = load(KNOWLEDGE)
    status = snapshot.status()
    assert list(status) == list(LANGUAGES)
    assert all(sum(counts.values()) == len(snapshot.entries) for counts in status.values())


async def test_a_change_is_taken_up_without_a_restart_and_a_fault_is_not(knowledge_copy: Path) -> None:
    async with open_holder(knowledge_copy, load) as holder:
        before = holder.current
        await asyncio.sleep(0.2)
        _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("09 265 78 40", "09 111 22 33"))
        await eventually(lambda: holder.current is not before)
        assert holder.current.facts["contact.phone"] == "09 111 22 33"
        good = holder.current
        _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("contact:", "contact"))
        await eventually(lambda: holder.problems)
        assert holder.current is good
        _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("contact\n", "contact:\n"))
        await eventually(lambda: not holder.problems)


async def test_a_loader_that_fails_leaves_the_old_knowledge_in_place() -> None:
    holder = Holder("old")

    def explode(_directory: Path) -> str:
        raise RuntimeError

    await reload(holder, KNOWLEDGE, explode)
    assert holder.current == "old"


async def test_an_outdated_translation_says_so_and_has_the_dutch_text_one_button_away(
    knowledge_copy: Path, database: AsyncEngine, catalogues: Texts
) -> None:
    _edit(knowledge_copy / ENTRY / "nl.md", lambda text: text + "\nNog een zin.\n")
    holder = Holder(learn(knowledge_copy))
    talk = partial(respond, knowledge=holder, database=database, texts=catalogues, clock=lambda: NOW)
    person = Dialogue(talk, "en")
    await person.presses_data("se:en:school-find")
    assert "Only the Dutch text is certain" in person.text
    assert "Nog een zin." in await person.presses("🇧🇪")


def test_what_was_learnt_is_recalled_until_a_file_changes(knowledge_copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "understanding.pickle"
    first = recall(knowledge_copy, cache)
    assert cache.stat().st_mode & 0o777 == 0o600
    assert recall(knowledge_copy, cache).snapshot == first.snapshot
    _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("09 265 78 40", "09 111 22 33"))
    assert recall(knowledge_copy, cache).snapshot.facts["contact.phone"] == "09 111 22 33"
    written = cache.stat().st_mtime_ns
    recall(Path(os.path.relpath(knowledge_copy)), cache)
    assert cache.stat().st_mtime_ns == written, "the same directory by another path is not learnt again"
    cache.write_bytes(b"not a pickle")
    assert recall(knowledge_copy, cache).snapshot.facts["contact.phone"] == "09 111 22 33"
