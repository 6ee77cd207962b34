"""Text as people type it, brought to one spelling. What a mark is differs per script: a vowel sign is a letter
in Hindi, and optional in Arabic; a dot above is a letter in Ukrainian, and often left out in Turkish."""

import re
import unicodedata

# What a word is made of. Python's \w leaves out combining marks, without which Hindi is bare consonants.
_MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u064b-\u065f\u0670\u06d6-\u06ed\u135d-\u135f"
_WORD = re.compile(rf"[\w{_MARKS}]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")

_UNSEEN = (0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_DIGITS = {ord(zero) + value: str(value) for zero in "٠۰०" for value in range(10)}
_LIGHT: dict[int, str | None] = {**dict.fromkeys(_UNSEEN), **_DIGITS}

_APOSTROPHE = "['’‘ʼ`´ʹʻʽ]"
_LATIN_APOSTROPHE = re.compile(f"(?<=[a-zà-ɏ]){_APOSTROPHE}(?=[a-zà-ɏ])")  # l'école, Gent'te: two words
_OTHER_APOSTROPHE = re.compile(f"(?<=\\w){_APOSTROPHE}(?=\\w)")  # б'є: one word

# Letters that people write for one another.
_LATIN = {
    "ı": "i",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "ɣ": "gh",
    "ɛ": "e",
    "ə": "e",
}
_ARABIC_GROUPS = {
    "ا": "أإآٱ",
    "ي": "ىیېۍئے",
    "ك": "کګگ",
    "ه": "ہۂھةۀۃ",
    "و": "ؤ",
    "ن": "ڼں",
    "ت": "ټٹ",
    "د": "ډڈ",
    "ر": "ړڑ",
}
_ARABIC = {variant: letter for letter, variants in _ARABIC_GROUPS.items() for variant in variants}
_ETHIOPIC = {chr(0x1220 + n): chr(0x1230 + n) for n in range(7)}  # ሠ as ሰ
_ETHIOPIC |= {chr(0x1280 + n): chr(0x1210 + n) for n in range(7)}  # ኀ as ሐ
_ETHIOPIC |= {chr(0x1340 + n): chr(0x1338 + n) for n in range(7)}  # ፀ as ጸ
_ALIKE = str.maketrans({**_LATIN, **_ARABIC, **_ETHIOPIC, "ё": "е", "ґ": "г", "ँ": "ं"})
_LIGHT_AND_ALIKE = {**_LIGHT, **_ALIKE}
_OPTIONAL_ARABIC = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
# Latin letters lose their marks (é as e), other letters keep theirs (й, ї, कि), but for the nukta of Hindi.
_LOOSE_MARKS = re.compile("(?<=[a-z])[\u0300-\u036f]+|\u093c")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")

SCRIPTS = {
    "latin": re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]"),
    "cyrillic": re.compile(r"[Ѐ-ӿ]"),
    "arabic": re.compile(r"[\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "devanagari": re.compile(r"[\u0904-\u0939\u0958-\u0961]"),
    "ethiopic": re.compile(r"[\u1200-\u139f\u2d80-\u2ddf]"),
    "han": _HAN,
    "tifinagh": re.compile(r"[\u2d30-\u2d67]"),
}


def light(text: str) -> str:
    """Lower case without what cannot be seen; every letter stays what it is, since letters tell languages apart."""
    return _lower(text).translate(_LIGHT)


def fold(text: str) -> str:
    """`light`, and letters that people write for one another made the same; for matching."""
    text = _lower(text)
    if text.isascii():
        text = _LATIN_APOSTROPHE.sub(" ", text)
    else:
        text = _LATIN_APOSTROPHE.sub(" ", text.translate(_LIGHT_AND_ALIKE))
        text = _OPTIONAL_ARABIC.sub("", _OTHER_APOSTROPHE.sub("", text))
        text = unicodedata.normalize("NFC", _LOOSE_MARKS.sub("", unicodedata.normalize("NFD", text)))
    return _DRAWN_OUT.sub(r"\1\1", text)


def _lower(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("i\u0307", "i")


def words(text: str) -> list[str]:
    """The words of a normalised text; Chinese, which has no spaces, sign by sign."""
    return _WORD.findall(_HAN.sub(r" \g<0> ", text) if _HAN.search(text) else text)


def scripts(text: str) -> dict[str, int]:
    """How many letters of each script stand in `text`, those that are there."""
    counts = {name: len(pattern.findall(text)) for name, pattern in SCRIPTS.items()}
    return {name: count for name, count in counts.items() if count}
