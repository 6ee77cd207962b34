"""The 24 languages, in one table. To add a language, add a row here and its files.

`code` is ours and never goes to Babel: CLDR has no `prs`, and `locale` is the tag that it does have.
"""

from dataclasses import dataclass
from typing import Literal

from babel import Locale

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Language:
    """One row: our code, the language's own name, its CLDR tag, scripts and fallbacks.

    `scripts` are the scripts of its own texts; people also type any language in Latin letters.
    `fallbacks` are tried in this order, before English and Dutch, where a text is missing.
    """

    code: str
    name: str
    locale: str
    scripts: tuple[str, ...] = ("latin",)
    fallbacks: tuple[str, ...] = ()
    direction: Direction = "ltr"

    @property
    def cldr(self) -> Locale:
        """The CLDR locale, for dates and numbers only."""
        return Locale.parse(self.locale)

    @property
    def chain(self) -> tuple[str, ...]:
        """The codes to look for a text in, best first: its own, its fallbacks, English, Dutch."""
        return tuple(dict.fromkeys((self.code, *self.fallbacks, "en", SOURCE)))

    @property
    def comma(self) -> str:
        """What stands between the parts of a list."""
        return _COMMAS.get(self.scripts[0], ", ")

    @property
    def colon(self) -> str:
        """What stands between a name and what it is."""
        return _COLONS.get(self.code, ": ")


_COMMAS = {"arabic": "، ", "ethiopic": "፣ ", "han": "、"}
_COLONS = {"fr": "\u00a0: ", "zh": "："}

SOURCE = "nl"
ARABIC = ("arabic",)
CYRILLIC = ("cyrillic",)

LANGUAGES = {
    language.code: language
    for language in (
        Language("nl", "Nederlands", "nl_BE"),
        Language("en", "English", "en_GB"),
        Language("fr", "Français", "fr_BE"),
        Language("es", "Español", "es"),
        Language("it", "Italiano", "it"),
        Language("pl", "Polski", "pl"),
        Language("ro", "Română", "ro"),
        Language("sq", "Shqip", "sq"),
        Language("tr", "Türkçe", "tr"),
        Language("so", "Soomaali", "so"),
        Language("sw", "Kiswahili", "sw"),
        Language("rn", "Ikirundi", "rn", fallbacks=("fr", "sw")),
        Language("tzm", "Tamaziɣt", "tzm", ("latin", "tifinagh"), ("fr",)),
        Language("bg", "Български", "bg", CYRILLIC),
        Language("ru", "Русский", "ru", CYRILLIC),
        Language("uk", "Українська", "uk", CYRILLIC),
        Language("ar", "العربية", "ar", ARABIC, direction="rtl"),
        Language("fa", "فارسی", "fa", ARABIC, ("prs",), "rtl"),
        Language("prs", "دری", "fa_AF", ARABIC, ("fa",), "rtl"),
        Language("ps", "پښتو", "ps", ARABIC, ("prs", "fa"), "rtl"),
        Language("ur", "اردو", "ur", ARABIC, direction="rtl"),
        Language("hi", "हिन्दी", "hi", ("devanagari",)),
        Language("ti", "ትግርኛ", "ti", ("ethiopic",)),
        Language("zh", "中文", "zh_Hans", ("han",)),
    )
}

# What Telegram, browsers and people write for languages that have another code here.
_ALIASES = {"cmn": "zh", "pes": "fa", "pus": "ps", "ber": "tzm", "zgh": "tzm", "kab": "tzm", "run": "rn", "alb": "sq"}


def language_of(tag: str | None) -> Language | None:
    """The language of an IETF tag such as `uk`, `pt-BR` or `fa-AF`; None when it is not one of ours."""
    if not tag:
        return None
    parts = tag.replace("_", "-").lower().split("-")
    if parts[0] == "fa" and "af" in parts[1:]:
        return LANGUAGES["prs"]
    return LANGUAGES.get(_ALIASES.get(parts[0], parts[0]))
