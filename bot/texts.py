"""Interface texts: gettext catalogues in `locales/CODE/LC_MESSAGES/wegwijs.po`.

The English text is the key. The `.po` files are read as they are: nobody has to compile anything.
"""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.languages import LANGUAGES

DIRECTORY = Path(__file__).parent.parent / "locales"
DOMAIN = "wegwijs"
STAFF = "staff"  # what staff read: in English, and in Dutch


@dataclass(frozen=True, slots=True)
class Texts:
    """All interface texts, by language."""

    catalogues: Mapping[str, gettext.NullTranslations]

    def text(self, message: str, language: str, /, **values: str) -> str:
        """`message` (its English text) in `language`, with its `{placeholders}` filled."""
        translated = self.catalogues[language].gettext(message)
        return translated.format(**values) if values else translated


def load(directory: Path = DIRECTORY) -> Texts:
    """Read the catalogues of all languages; what a catalogue lacks is said in English."""
    return Texts({code: load_domain(DOMAIN, code, directory) for code in LANGUAGES})


def load_domain(domain: str, language: str, directory: Path = DIRECTORY) -> gettext.NullTranslations:
    """One catalogue: the texts of `domain` in `language`; English where there is none."""
    return _read(directory / language / "LC_MESSAGES" / f"{domain}.po")


def _read(path: Path) -> gettext.NullTranslations:
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
