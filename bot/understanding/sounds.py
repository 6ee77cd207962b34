"""How a word sounds, in Latin letters without vowels: مدرسة and madrasa are the same, as are шалом and shalom.

People type every language in Latin letters, each in their own way. What stays is the order of the consonants.
"""

import re

from anyascii import anyascii

# Spellings of one sound, the longer ones first, and the digits that stand for letters in Arabic chat.
_ALIKE = {
    "sch": "s",
    "sh": "s",
    "ch": "c",
    "zh": "z",
    "kh": "h",
    "gh": "g",
    "th": "t",
    "ph": "f",
    "dh": "d",
    "ts": "c",
    "dj": "j",
    "ck": "k",
    "q": "k",
    "x": "h",
    "w": "v",
    "7": "h",
    "5": "h",
    "9": "k",
    "6": "s",
}
_SPELLING = re.compile("|".join(_ALIKE))
_SILENT = re.compile("[aeiouy0-9]")
_TWICE = re.compile(r"(.)\1+")
_HAN = re.compile(r"[\u3400-\u9fff]")


def sound(word: str) -> str:
    """The consonants of a word; of a Chinese sign its pinyin; nothing for a number or for vowels alone."""
    letters = re.sub("[^a-z0-9]", "", anyascii(word).lower())
    if letters.isdigit():
        return ""
    if _HAN.search(word):
        return letters
    return _TWICE.sub(r"\1", _SILENT.sub("", _SPELLING.sub(lambda found: _ALIKE[found[0]], letters)))
