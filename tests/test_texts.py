"""Interface texts and phrases: every one in every language, with its placeholders."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from bot import phrases
from bot.languages import LANGUAGES, language_of
from bot.phrases import KINDS
from bot.texts import DIRECTORY, Texts
from bot.understanding.danger import DangerSigns
from bot.understanding.normalise import fold, words
from bot.understanding.patterns import words_present
from tests.conftest import ROOT

_KEYWORDS = {"text": (1,), "button": (2,), "marked": (1,)}
_FOR_STAFF = ("knowledge", "console")
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_PLACEHOLDER = re.compile(r"\{\w*\}")


def _messages(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def _in_code() -> set[str]:
    rooms = (path for path in (ROOT / "bot").iterdir() if path.name not in _FOR_STAFF)
    return {message for path in rooms for message in _extracted(path, _KEYWORDS)}


def _extracted(path: Path, keywords: Any) -> set[str]:
    """The messages in a directory or a module."""
    if path.is_dir():
        found = extract_from_dir(path, method_map=_METHODS, keywords=keywords)
        return {str(message) for _file, _line, message, _comments, _context in found}
    if path.suffix != ".py":
        return set()
    return {str(message) for _line, message, _comments, _context in extract_from_file("python", path, keywords)}


_STAFF_KEYWORDS = {"problem": (3,), "marked": (1,), "say": (1,)}


def test_every_staff_text_is_there_in_dutch() -> None:
    found = {text for room in _FOR_STAFF for text in _extracted(ROOT / "bot" / room, _STAFF_KEYWORDS)}
    messages = _messages(DIRECTORY / "nl" / "LC_MESSAGES" / "staff.po")
    assert messages.keys() == found
    assert all(_PLACEHOLDER.findall(text) or text for text in messages.values())
    assert all(text.strip() for text in messages.values())


def test_the_template_holds_every_text_of_the_code() -> None:
    assert _messages(DIRECTORY / "wegwijs.pot").keys() == _in_code()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_is_in_every_catalogue_with_its_placeholders(code: str) -> None:
    messages = _messages(DIRECTORY / code / "LC_MESSAGES" / "wegwijs.po")
    assert messages.keys() == _in_code()
    for message, translated in messages.items():
        assert translated.strip(), message
        assert sorted(_PLACEHOLDER.findall(translated)) == sorted(_PLACEHOLDER.findall(message))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_phrases_of_every_kind(code: str) -> None:
    spoken = phrases.load()[code]
    assert all(len(spoken.of(kind)) >= (5 if kind == "harmless" else 8) for kind in KINDS)
    assert len(spoken.danger) >= 40


def _fires(signs: DangerSigns, text: str) -> bool:
    return signs.found_in(fold(text), words_present(words(fold(text))))


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_danger_pattern_fires_on_a_phrase_that_is_none(code: str) -> None:
    spoken = phrases.load()[code]
    signs = DangerSigns(spoken.danger)
    assert [text for kind in KINDS for text in spoken.of(kind) if _fires(signs, text)] == []


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("slaat mij", "Mijn man SLAAT mij!", True),
        ("slaat mij", "hij slaat de bal", False),
        ("suicid*", "suicidaal", True),
        ("suicid*", "ik ben niet suf", False),
        ("m'a frapp*", "il m’a frappée hier", True),
        ("б'є мене", "він мене б’є", True),
        ("زوجي يضربني", "وزوجي يضربني", True),
        ("想 自杀", "我想要自杀", True),
        ("想 自杀", "我想回家", False),
    ],
)
def test_a_danger_pattern_needs_all_its_words(pattern: str, text: str, found: bool) -> None:
    assert _fires(DangerSigns([pattern]), text) is found


def test_a_text_that_a_catalogue_lacks_is_said_in_english(catalogues: Texts) -> None:
    assert catalogues.text("No such {thing}", "uk", thing="text") == "No such text"


def test_the_24_languages_are_there_with_a_locale_each() -> None:
    assert len(LANGUAGES) == 24
    assert all(language.cldr for language in LANGUAGES.values())
    assert {code for code, language in LANGUAGES.items() if language.direction == "rtl"} == {
        "ar",
        "fa",
        "prs",
        "ps",
        "ur",
    }
    assert all(fallback in LANGUAGES for language in LANGUAGES.values() for fallback in language.chain)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("uk", "uk"),
        ("uk-UA", "uk"),
        ("zh-hans", "zh"),
        ("fa-AF", "prs"),
        ("fa_AF", "prs"),
        ("FR-be", "fr"),
        ("cmn", "zh"),
        ("de", None),
        ("", None),
        (None, None),
        ("x" * 500, None),
    ],
)
def test_a_tag_of_an_app_or_browser_is_one_of_our_languages_or_none(tag: str | None, code: str | None) -> None:
    language = language_of(tag)
    assert (language.code if language else None) == code
