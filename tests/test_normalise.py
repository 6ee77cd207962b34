"""One spelling per script: what is a letter stays, what is optional goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.normalise import fold, light, scripts, words


@pytest.mark.parametrize(
    ("typed", "same_as"),
    [
        ("École à Gand", "ecole a gand"),
        ("İNBURGERİNG IŞIK", "inburgering isik"),
        ("ışık", "isik"),
        ("Łódź", "lodz"),
        ("Tamaziɣt", "tamazight"),
        ("l'école", "l ecole"),
        ("Gent’te", "gent te"),
        ("б'є", "бє"),
        ("б’є", "бє"),
        ("Ґанок", "ганок"),
        ("ещё", "еще"),
        ("مُحَمَّد", "محمد"),
        ("كتــــاب", "كتاب"),
        ("أإآا", "اااا"),
        ("مدرسة", "مدرسه"),
        ("كیک", "كيك"),
        ("نمی\u200cخواهم", "نميخواهم"),
        ("٠١٢ ۳۴۵ ०१", "012 345 01"),
        ("पढ़ना", "पढना"),
        ("हूँ", "हूं"),
        ("ሠላም", "ሰላም"),
        ("ＡＢＣ", "abc"),
        ("heeeelp", "heelp"),
        ("\u202eabc\u202c\u2066d\u2069", "abcd"),
    ],
)
def test_spellings_of_one_word_become_the_same(typed: str, same_as: str) -> None:
    assert words(fold(typed)) == words(fold(same_as))


@pytest.mark.parametrize("pair", [("й", "и"), ("ї", "і"), ("कि", "का"), ("ሀ", "ሁ"), ("ж", "з"), ("ب", "ت")])
def test_letters_that_differ_stay_different(pair: tuple[str, str]) -> None:
    assert fold(pair[0]) != fold(pair[1])


def test_hindi_keeps_its_vowel_signs_and_stays_one_word() -> None:
    assert words(fold("हिन्दी में")) == ["हिन्दी", "में"]


def test_chinese_is_split_sign_by_sign_and_latin_words_in_it_stay_whole() -> None:
    assert words(fold("我想学NT2课")) == ["我", "想", "学", "nt2", "课"]


def test_light_keeps_the_letters_that_tell_languages_apart() -> None:
    assert light("ЇҐЎ ĞŞ ټډړ ې گچپ") == "їґў ğş ټډړ ې گچپ"


def test_scripts_are_counted() -> None:
    assert scripts("NT2 курс دورة कोर्स ትምህርቲ 课 ⵜⴰ") == {
        "latin": 2,
        "cyrillic": 4,
        "arabic": 4,
        "devanagari": 3,
        "ethiopic": 5,
        "han": 1,
        "tifinagh": 2,
    }


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing_more_for_words(text: str) -> None:
    once = words(fold(text))
    assert words(fold(" ".join(once))) == once
