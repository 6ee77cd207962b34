"""Writing a text: whole or not at all, only what the check agrees with, and nobody's work lost."""

import asyncio
import stat
import string
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge import Holder, files, load
from bot.knowledge.checking import check
from bot.knowledge.editing import Edited, Refused, add_question, open_text, remarks, save
from bot.knowledge.front import Front, as_file, one_line
from bot.knowledge.holder import reload
from bot.knowledge.schema import TextFile
from bot.knowledge.snapshot import source_version
from tests.conftest import KNOWLEDGE

SLUG = "school-find"
DUTCH, ARABIC = f"school/{SLUG}/nl.md", f"school/{SLUG}/ar.md"
QUESTION = "Waar vind ik een plaats voor mijn jongste zus?"
AWKWARD = (
    'Zij zei: "kom morgen", en dan?',
    "- mag ik beginnen met een streepje?",
    "wat is 'dat' # en dit",
    "{{ contact.phone }}: wat is dat?",
    "[een] {twee} & *drie* !vier %vijf @zes `zeven`",
    "? of : of |",
    "school: waar",
    "no",
    "---",
    "2026-02-31",
    "12:30",
    "à la carte ?",
)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(one_line)
anything = (
    words | st.text(string.punctuation + " ab1", min_size=1, max_size=20).filter(one_line) | st.sampled_from(AWKWARD)
)


def _text(directory: Path, language: str = "nl", slug: str = SLUG) -> Edited:
    return open_text(directory, slug, language).text


def _all_files(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file() and ".git" not in path.parts}


async def _refused(directory: Path, edited: Edited, language: str = "nl", slug: str = SLUG) -> str:
    """The reason, after a look that nothing was written."""
    before = _all_files(directory)
    with pytest.raises(Refused) as refused:
        await save(directory, slug, language, edited, "Noor")
    assert _all_files(directory) == before
    return str(refused.value)


def _git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    command = ("git", *identity, "-C", str(directory), *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


@pytest.fixture
def repository(knowledge_copy: Path) -> Path:
    """The copy as a git repository with everything in it."""
    _git(knowledge_copy, "init", "-q")
    _git(knowledge_copy, "add", ".")
    _git(knowledge_copy, "commit", "-q", "-m", "Begin")
    return knowledge_copy


# Saving


async def test_a_saved_text_is_taken_up(knowledge_copy: Path) -> None:
    holder = Holder(load(knowledge_copy))
    edited = replace(_text(knowledge_copy), title="Een school vinden in Gent", questions=_fourteen())
    await save(knowledge_copy, SLUG, "nl", edited, "Noor")
    await reload(holder, knowledge_copy, load)
    text = holder.current.entries[SLUG].texts["nl"]
    assert (text.title, text.questions) == ("Een school vinden in Gent", _fourteen())
    assert holder.problems == ()


def _fourteen() -> tuple[str, ...]:
    return (*AWKWARD, QUESTION, "Welke school ligt dicht bij de haven?")


async def test_what_is_saved_changes_only_its_lines(knowledge_copy: Path) -> None:
    old = (knowledge_copy / ARABIC).read_text(encoding="utf-8").split("\n")
    text = _text(knowledge_copy, "ar")
    await save(knowledge_copy, SLUG, "ar", replace(text, title="كيف أجد مدرسة لطفلي؟ سؤال"), "Noor")
    new = (knowledge_copy / ARABIC).read_text(encoding="utf-8").split("\n")
    assert [line for line in new if line not in old] == ["title: كيف أجد مدرسة لطفلي؟ سؤال"]
    assert len(new) == len(old)


async def test_a_text_that_nobody_changed_is_not_written(repository: Path) -> None:
    await save(repository, SLUG, "nl", _text(repository), "Noor")
    assert _git(repository, "log", "--format=%s") == "Begin"


async def test_a_right_to_left_text_keeps_its_signs(knowledge_copy: Path) -> None:
    text = _text(knowledge_copy, "ar")
    body = text.body + "\n\nمرحباً بكم في غنت\u200f! \u200c(Gent)"
    await save(knowledge_copy, SLUG, "ar", replace(text, body=body), "Noor")
    assert _text(knowledge_copy, "ar").body == body


async def test_a_new_text_follows_the_dutch(knowledge_copy: Path) -> None:
    (knowledge_copy / ARABIC).rename(knowledge_copy.parent / "ar.md")
    empty = open_text(knowledge_copy, SLUG, "ar")
    assert (empty.status, empty.text.title, empty.text.questions) == ("missing", "", ())
    (knowledge_copy.parent / "ar.md").rename(knowledge_copy / ARABIC)
    whole = _text(knowledge_copy, "ar")
    (knowledge_copy / ARABIC).unlink()
    await save(knowledge_copy, SLUG, "ar", replace(whole, version=empty.text.version), "Noor")
    assert open_text(knowledge_copy, SLUG, "ar").status == "draft"
    assert stat.S_IMODE((knowledge_copy / ARABIC).stat().st_mode) & 0o400


async def test_saving_a_translation_brings_it_in_step_with_the_dutch(knowledge_copy: Path) -> None:
    dutch = _text(knowledge_copy)
    await save(knowledge_copy, SLUG, "nl", replace(dutch, title="Een school vinden"), "Noor")
    assert open_text(knowledge_copy, SLUG, "ar").status == "outdated"
    await save(knowledge_copy, SLUG, "ar", replace(_text(knowledge_copy, "ar"), reviewed=True), "Noor")
    assert open_text(knowledge_copy, SLUG, "ar").status == "reviewed"
    version = source_version("Een school vinden", dutch.body)
    assert f'\nstatus: reviewed\nsource: "{version}"\n---' in (knowledge_copy / ARABIC).read_text(encoding="utf-8")


async def test_names_that_are_not_ours_are_kept(knowledge_copy: Path) -> None:
    path = knowledge_copy / DUTCH
    path.write_text(path.read_text(encoding="utf-8").replace("\nstatus:", "\nauthor: [Noor, 'a: b']\nstatus:"), "utf-8")
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), title="Een school vinden"), "Noor")
    await add_question(knowledge_copy, SLUG, "nl", QUESTION, "Noor")
    parts = files.split(path, path.read_text(encoding="utf-8"))
    front = files.parse(TextFile, path, parts.yaml)
    assert front.model_extra == {"author": ["Noor", "a: b"]}
    assert front.title == "Een school vinden"


async def test_a_file_keeps_who_may_read_it_and_leaves_nothing_beside_it(knowledge_copy: Path) -> None:
    path = knowledge_copy / DUTCH
    path.chmod(0o640)
    names = {each.name for each in path.parent.iterdir()}
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), title="Een school vinden"), "Noor")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert {each.name for each in path.parent.iterdir()} == names


async def test_a_file_that_could_not_be_read_can_be_written_anew(knowledge_copy: Path) -> None:
    whole = _text(knowledge_copy)
    (knowledge_copy / DUTCH).write_text("title: geen streepjes\nEn een tekst.\n", encoding="utf-8")
    opened = open_text(knowledge_copy, SLUG, "nl")
    assert (opened.status, opened.text.body) == ("missing", "title: geen streepjes\nEn een tekst.\n")
    await save(knowledge_copy, SLUG, "nl", replace(whole, version=opened.text.version), "Noor")
    assert replace(_text(knowledge_copy), version="") == replace(whole, version="")


# Refusing


async def test_a_fact_that_is_not_there_is_refused(knowledge_copy: Path) -> None:
    text = _text(knowledge_copy)
    said = await _refused(knowledge_copy, replace(text, body=f"{text.body}\n\nBel {{{{ contact.fone }}}}."))
    assert said == (
        "Bel {{ contact.fone }}.: `{{ contact.fone }}` is not in facts.yaml; mend the name or add the fact there"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": " "}, "`title` is missing"),
        ({"questions": ("Een vraag?",)}, "there are 1 questions; write at least 12"),
        ({"body": "Bel 09 111 22 33 voor een plaats."}, "a phone number stands here"),
        ({"body": "woord " * 400}, "the text is longer than 1100 signs"),
    ],
)
async def test_what_the_check_finds_is_refused(knowledge_copy: Path, change: dict[str, object], reason: str) -> None:
    edited = replace(_text(knowledge_copy), **change)  # type: ignore[arg-type]
    assert reason in await _refused(knowledge_copy, edited)
    assert any(reason in remark.said() for remark in remarks(knowledge_copy, SLUG, "nl", edited))


async def test_a_text_in_another_script_is_refused(knowledge_copy: Path) -> None:
    edited = replace(_text(knowledge_copy, "ar"), title="School", body=_text(knowledge_copy).body)
    assert "not in the script of العربية" in await _refused(knowledge_copy, edited, "ar")


@pytest.mark.parametrize("other", ["school-okan", "leisure-children"])
async def test_a_question_of_another_entry_is_refused_wherever_that_stands(knowledge_copy: Path, other: str) -> None:
    text, theirs = _text(knowledge_copy), _text(knowledge_copy, slug=other).questions[0]
    said = await _refused(knowledge_copy, replace(text, questions=(*text.questions, theirs.upper())))
    assert f"this question stands also in {'school' if other == 'school-okan' else 'leisure'}/{other}/nl.md" in said


async def test_nothing_is_saved_while_another_file_has_a_fault(knowledge_copy: Path) -> None:
    (knowledge_copy / "school/school-okan/nl.md").write_text("niets", encoding="utf-8")
    said = await _refused(knowledge_copy, replace(_text(knowledge_copy), title="Een school vinden"))
    assert said.startswith("school/school-okan/nl.md:1: begin the file with a line of three dashes")


async def test_of_two_editors_at_once_the_second_is_told_and_the_first_stays(knowledge_copy: Path) -> None:
    opened = _text(knowledge_copy)
    mine, theirs = (replace(opened, title=f"Een school vinden, {name}") for name in ("Noor", "Sam"))
    done = await asyncio.gather(
        save(knowledge_copy, SLUG, "nl", mine, "Noor"),
        save(knowledge_copy, SLUG, "nl", theirs, "Sam"),
        return_exceptions=True,
    )
    refused = [each for each in done if each]
    assert len(refused) == 1
    assert "Somebody changed this text" in str(refused[0])
    assert _text(knowledge_copy).title == (theirs.title if done[0] else mine.title)


async def test_a_translation_of_dutch_that_has_changed_meanwhile_is_refused(knowledge_copy: Path) -> None:
    opened = _text(knowledge_copy, "ar")
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), title="Een school vinden"), "Sam")
    assert "the Dutch beside it" in await _refused(knowledge_copy, replace(opened, reviewed=True), "ar")


async def test_twenty_questions_at_once_all_arrive(knowledge_copy: Path) -> None:
    new = [f"Vraag nummer {number} over de buurt?" for number in range(20)]
    await asyncio.gather(*(add_question(knowledge_copy, SLUG, "nl", each, "Noor") for each in new))
    assert set(new) <= set(_text(knowledge_copy).questions)


@pytest.mark.parametrize(
    "slug", ["..", "../school", "school/school-find", "../../etc", "/etc", ".", "", "school", "niets"]
)
async def test_a_slug_never_leads_out_of_the_directory(knowledge_copy: Path, slug: str) -> None:
    (knowledge_copy.parent / "nl.md").write_text("---\ntitle: buiten\n---\n", encoding="utf-8")
    text = _text(knowledge_copy)
    assert await _refused(knowledge_copy, text, slug=slug) == "This entry is not there any more."
    with pytest.raises(Refused):
        open_text(knowledge_copy, slug, "nl")


@pytest.mark.parametrize("language", ["../nl", "xx", "", "nl.md", ".."])
async def test_a_language_is_one_of_ours(knowledge_copy: Path, language: str) -> None:
    text = _text(knowledge_copy)
    assert await _refused(knowledge_copy, text, language) == "This entry is not there any more."


# One question more


@pytest.mark.parametrize("question", [each for each in AWKWARD if each != "---"])
async def test_a_question_is_kept_as_it_was_typed(knowledge_copy: Path, question: str) -> None:
    questions, title = _text(knowledge_copy).questions, _text(knowledge_copy).title
    await add_question(knowledge_copy, SLUG, "nl", question, "Noor")
    assert _text(knowledge_copy).questions == (*questions, question)
    assert load(knowledge_copy).entries[SLUG].texts["nl"].title == title


async def test_a_question_that_is_there_already_is_refused(knowledge_copy: Path) -> None:
    before = _all_files(knowledge_copy)
    again = _text(knowledge_copy).questions[0].upper() + "  !"
    with pytest.raises(Refused, match="This question is there already"):
        await add_question(knowledge_copy, SLUG, "nl", again, "Noor")
    for other in ("school-okan", "leisure-children"):
        with pytest.raises(Refused, match="stands also in"):
            await add_question(knowledge_copy, SLUG, "nl", _text(knowledge_copy, slug=other).questions[1], "Noor")
    assert _all_files(knowledge_copy) == before


@pytest.mark.parametrize("question", ["", "  ", "---", "?!", "\x00\n"])
async def test_a_question_without_words_is_refused(knowledge_copy: Path, question: str) -> None:
    with pytest.raises(Refused, match="no words in this question"):
        await add_question(knowledge_copy, SLUG, "nl", question, "Noor")


async def test_a_question_leaves_an_outdated_translation_outdated(knowledge_copy: Path) -> None:
    await save(knowledge_copy, SLUG, "nl", replace(_text(knowledge_copy), title="Een school vinden"), "Noor")
    await add_question(knowledge_copy, SLUG, "ar", "وين ألاقي مكان لأختي؟", "Noor")
    assert open_text(knowledge_copy, SLUG, "ar").status == "outdated"
    assert _text(knowledge_copy, "ar").questions[-1] == "وين ألاقي مكان لأختي؟"


async def test_a_text_with_few_questions_takes_one_more(knowledge_copy: Path) -> None:
    path = knowledge_copy / DUTCH
    path.write_text("---\ntitle: School\nquestions:\n  - Welke school?\n---\nEen tekst.\n", encoding="utf-8")
    await add_question(knowledge_copy, SLUG, "nl", QUESTION, "Noor")
    assert _text(knowledge_copy).questions == ("Welke school?", QUESTION)


async def test_a_language_without_a_text_takes_no_question(knowledge_copy: Path) -> None:
    with pytest.raises(Refused, match="no text in this language yet"):
        await add_question(knowledge_copy, SLUG, "pl", "Gdzie jest szkoła?", "Noor")


# git


async def test_in_a_repository_just_that_file_is_committed(repository: Path) -> None:
    other = repository / "school/school-okan/nl.md"
    other.write_text(other.read_text(encoding="utf-8") + "\nNog een zin.\n", encoding="utf-8")
    staged = repository / "staged.txt"
    staged.write_text("voor later", encoding="utf-8")
    _git(repository, "add", "staged.txt")
    await add_question(repository, SLUG, "nl", QUESTION, "Noor <x@y> \n")
    shown = _git(repository, "show", "--format=%an|%ae|%s", "--name-only")
    author, _, changed = shown.partition("\n\n")
    assert " ".join(author.split()) == f"Noor x@y (Wegwijs console)|console@localhost|Edit {SLUG} in nl"
    assert changed == DUTCH
    assert _git(repository, "diff", "--cached", "--name-only") == "staged.txt"
    assert _git(repository, "diff", "--name-only") == "school/school-okan/nl.md"


async def test_a_new_file_is_committed(repository: Path) -> None:
    whole = _text(repository, "ar")
    _git(repository, "rm", "-q", ARABIC)
    _git(repository, "commit", "-q", "-m", "Away")
    empty = _text(repository, "ar")
    await save(repository, SLUG, "ar", replace(whole, version=empty.version), "Noor")
    assert _git(repository, "log", "-1", "--format=%s") == f"Edit {SLUG} in ar"
    assert _git(repository, "status", "--short") == ""


async def test_a_git_that_fails_does_no_harm(repository: Path) -> None:
    (repository / ".git/index.lock").touch()
    await add_question(repository, SLUG, "nl", QUESTION, "Noor")
    assert QUESTION in _text(repository).questions
    assert _git(repository, "log", "--format=%s") == "Begin"


# The form of the file


@given(title=anything, questions=st.lists(anything, max_size=4), keywords=st.lists(anything, max_size=4))
def test_whatever_is_typed_survives_the_file(title: str, questions: list[str], keywords: list[str]) -> None:
    text = as_file(Front(title, questions, keywords, "draft", "0123e4", {"x": "a: b"}), "Een tekst\n---\nen meer")
    path = Path("nl.md")
    parts = files.split(path, text)
    front = files.parse(TextFile, path, parts.yaml)
    assert front.title == one_line(title)
    assert front.questions == tuple(map(one_line, questions))
    assert front.keywords == tuple(map(one_line, keywords))
    assert (front.status, front.source, front.model_extra) == ("draft", "0123e4", {"x": "a: b"})
    assert parts.body == "Een tekst\n---\nen meer\n"


def test_our_own_files_stay_nearly_as_they_are() -> None:
    """Only quotes that need not be there go, so that what an editor changes is what git shows."""
    for path in sorted(KNOWLEDGE.glob("*/*/nl.md")):
        text = files.read(path)
        parts = files.split(path, text)
        front = files.parse(TextFile, path, parts.yaml)
        own = Front(front.title, front.questions, front.keywords, front.status, front.source, front.model_extra or {})
        again = as_file(own, parts.body)
        differ = [(a, b) for a, b in zip(text.split("\n"), again.split("\n"), strict=True) if a != b]
        assert [old for old, _ in differ if not set(old) & set("\"'")] == []


def test_the_copy_has_nothing_wrong_in_its_texts(knowledge_copy: Path) -> None:
    """Else the tests above would be refused for something else than what they are about."""
    own = [each for each in check(knowledge_copy) if str(each.path).endswith((DUTCH, ARABIC))]
    assert [each for each in own if "missing" not in each.message] == []
