"""Interface texts: gettext catalogues in `locales/CODE/LC_MESSAGES/wegwijs.po`.

The English text is the key. The `.po` files are read as they are: nobody has to compile anything.
"""

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DIRECTORY = Path(__file__).parent.parent / "locales"
DOMAIN = "wegwijs"
STAFF = "staff"  # what staff read: in English, and in Dutch


@dataclass(frozen=True, slots=True)
class Texts:
    """All interface texts. A language's catalogue is read when the language is first spoken."""

    directory: Path = DIRECTORY

    def text(self, message: str, language: str, /, **values: str) -> str:
        """`message` (its English text) in `language`, with its `{placeholders}` filled; English where it is missing."""
        translated = load_domain(DOMAIN, language, self.directory).gettext(message)
        return translated.format(**values) if values else translated


def marked(message: str) -> str:
    """`message` as it is; marks it for translators' tools where it is not said at once."""
    return message


@cache  # the files come with the code, and change with it
def load_domain(domain: str, language: str, directory: Path = DIRECTORY) -> gettext.NullTranslations:
    """One catalogue: the texts of `domain` in `language`; an empty one where there is none."""
    path = directory / language / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
