"""What `knowledge check` finds in a directory that can be used all the same, in English and in Dutch."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import texts
from bot.knowledge.checking import check
from bot.knowledge.loading import load
from bot.knowledge.problems import Problem
from bot.texts import STAFF
from tests.conftest import KNOWLEDGE

ENTRY = "school/school-find"


def _edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def _said(directory: Path) -> list[str]:
    return [str(problem).replace(str(directory), "") for problem in check(directory)]


def test_the_catalogue_names_what_is_missing(knowledge_copy: Path) -> None:
    (knowledge_copy / "catalogue.yaml").write_text("school:\n  - school-find\n  - school-gone\n")
    (knowledge_copy / ENTRY / "uk.md").unlink()
    _edit(knowledge_copy / "school/topic.yaml", lambda text: re.sub("(?m)^  so:.*\n", "", text))
    said = _said(knowledge_copy)
    assert "/catalogue.yaml:3: `school-gone` has no folder in `school`; write it, or take it out here" in said
    assert f"/{ENTRY}/uk.md:1: this file is missing; translate nl.md into Українська" in said
    assert "/school/topic.yaml:1: `title` has no `so`; add the topic's name" in said


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "uk.md",
            lambda text: text + "\nТелефон 09 265 78 40.\n",
            "09 265 78 40 stands here; write {{ contact.phone }}",
        ),
        ("uk.md", lambda text: text + "\nТелефон 09 111 22 33.\n", "a phone number stands here"),
        ("uk.md", lambda text: text + "\nПишіть на x@example.org.\n", "an address on the net stands here"),
        ("uk.md", lambda text: text + "\nЦе коштує 25 євро.\n", "an amount stands here"),
        ("nl.md", lambda text: text + "\nHet kost € 25.\n", "an amount stands here"),
        ("nl.md", lambda text: text + "\nOpen van 9 uur tot 17 uur.\n", "an hour stands here"),
        ("nl.md", lambda text: text + "\nKom om 14:30 of om 9u30.\n", "an hour stands here"),
        ("uk.md", lambda text: text + "\nслово" * 300, "longer than"),
        (
            "uk.md",
            lambda text: text.split("---\n")[0] + "---\n" + text.split("---\n")[1] + "---\n" + "all in Latin " * 9,
            "script",
        ),
        ("uk.md", lambda text: text.replace("{{ city.phone }}", ""), "`{{ city.phone }}` stands in nl.md and not here"),
        ("uk.md", lambda text: text + "\n{{ ocmw.phone }}\n", "`{{ ocmw.phone }}` stands here and not in nl.md"),
        ("uk.md", lambda text: re.sub(r"(?m)^  - .*\n", "", text, count=50), "questions; write at least 12"),
        ("uk.md", lambda text: re.sub(r"(?m)^keywords:.*\n", "", text), "`keywords` is missing"),
        ("uk.md", lambda text: re.sub(r"(?m)^source:.*\n", "", text), "the version of nl.md"),
        ("uk.md", lambda text: text.replace("keywords:", "keyword:"), "`keyword` is not a name"),
        ("entry.yaml", lambda text: re.sub(r"(?m)^checked:.*\n", "", text), "`checked` is missing"),
        ("entry.yaml", lambda text: text.replace("school-okan", "school-gone"), "there is no such entry"),
        ("entry.yaml", lambda text: text.replace("enrolment.primary", "nowhere.site"), "a fact stands in facts.yaml"),
    ],
)
def test_a_slip_is_named_and_the_directory_still_works(
    knowledge_copy: Path, name: str, change: Callable[[str], str], words: str
) -> None:
    before = _said(knowledge_copy)
    _edit(knowledge_copy / ENTRY / name, change)
    new = [line for line in _said(knowledge_copy) if line not in before]
    assert any(words in line and line.startswith(f"/{ENTRY}/{name}:") for line in new)
    assert load(knowledge_copy).entries


def test_numbers_that_are_no_hours_or_amounts_are_left_alone(knowledge_copy: Path) -> None:
    before = _said(knowledge_copy)
    harmless = "\nIn 2022: 1.209 mensen, 60 uur les, 9,8 maanden, niveau 2.1, 5 km, 12-18 jaar, 30ste dag.\n"
    _edit(knowledge_copy / ENTRY / "nl.md", lambda text: text + harmless)
    new = [line for line in _said(knowledge_copy) if line not in before]
    assert all("nl.md has changed" in line for line in new)


def test_the_same_question_under_two_entries_is_named_where_it_stands(knowledge_copy: Path) -> None:
    question = "  - Waar is Amal?"
    _edit(knowledge_copy / ENTRY / "nl.md", lambda text: text.replace("questions:\n", f"questions:\n{question}\n"))
    said = [line for line in _said(knowledge_copy) if "this question stands also in" in line]
    assert said == [
        f"/{ENTRY}/nl.md:4: this question stands also in "
        f"{knowledge_copy}/practical/contact/nl.md; keep it in one of them".replace(str(knowledge_copy), "")
    ]


@pytest.mark.parametrize("name", ["nl.md~", ".nl.md.swp", "nl.md.bak", "Kopie van nl.md", "xx.md", "#nl.md#"])
def test_a_file_that_nobody_reads_is_named(knowledge_copy: Path, name: str) -> None:
    (knowledge_copy / ENTRY / name).write_text("---\ntitle: x\n---\n")
    assert any(line.startswith(f"/{ENTRY}/{name}:1: this file is not used") for line in _said(knowledge_copy))


def test_a_folder_without_dutch_is_named(knowledge_copy: Path) -> None:
    (knowledge_copy / ENTRY / "nl.md").unlink()
    assert any(line.startswith(f"/{ENTRY}:1: there is no nl.md") for line in _said(knowledge_copy))


def test_a_fact_needs_its_source(knowledge_copy: Path) -> None:
    _edit(knowledge_copy / "facts.yaml", lambda text: text.replace("  source: stad.gent/ocmw-gent\n", ""))
    assert any("`ocmw` has no `source`" in line for line in _said(knowledge_copy))


def test_a_message_is_said_in_dutch(knowledge_copy: Path) -> None:
    _edit(knowledge_copy / ENTRY / "nl.md", lambda text: text.replace("status: draft", "status: klaar"))
    translate = texts.load_domain(STAFF, "nl").gettext
    [said] = [problem.said(translate) for problem in check(knowledge_copy) if "klaar" in str(problem)]
    assert said.endswith("`status` is 'klaar'; er hoort te staan: `reviewed` (nagelezen) of `draft` (ontwerp)")


def test_every_message_has_its_placeholders() -> None:
    problem = Problem(KNOWLEDGE, 1, "`{name}` holds {value}", (("name", "a"), ("value", "{b}")))
    assert str(problem) == f"{KNOWLEDGE}:1: `a` holds {{b}}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("phone: 0476123456", "/facts.yaml:3: put quotes around 0476123456, or it is read as 83404590"),
        ("hour: 12:30", "/facts.yaml:3: put quotes around 12:30, or it is read as 750"),
        ("open: yes", "/facts.yaml:3: put quotes around yes, or it is read as True"),
        ("since: 2026-02-30", "/facts.yaml:1: a date or a number in this file cannot be; correct it"),
    ],
)
def test_a_fact_that_yaml_would_make_something_else_of_is_refused(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "facts.yaml").write_text(f"town:\n  name: Gent\n  {written}\n")
    assert said in _said(tmp_path)
