"""A poster of one A4 page: a code to scan that opens the conversation in Telegram, in one language.

Pure but for the fonts, which are those of this machine: fontconfig knows which of them have the letters.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from bot.languages import Language
from bot.texts import Texts

SIGNATURE = "Wegwijs · Amal"

# The Debian packages with the letters of a script, for whoever lacks them.
PACKAGES = {"latin": "fonts-dejavu-core", "cyrillic": "fonts-dejavu-core", "han": "fonts-noto-cjk"}
OTHER_PACKAGE = "fonts-noto-core"
EASY_TO_READ = (
    *("Noto Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Devanagari", "Noto Sans Ethiopic"),
    *("Noto Sans CJK SC", "DejaVu Sans"),
)
_LIST_FONTS = (
    "fc-list",
    "--format=%{file}\t%{index}\t%{variable}\t%{slant}\t%{width}\t%{weight}\t%{family[0]}\n",
)
_KINDS_OF_FILE = (".ttf", ".otf", ".ttc", ".otc")
_UPRIGHT, _NORMAL_WIDTH, _REGULAR, _BOLD = 0, 100, 80, 200  # as fontconfig counts them

_MARGIN, _CODE = 20, 120  # mm; the page is 210 wide and 297 high
_QUIET_ZONE = 4  # modules around a code (ISO/IEC 18004)
_LINE = 1.3  # of the size of the letters
_TO_MM = 25.4 / 72
# Words after which a line can end; Chinese can break after any letter, but not before a mark.
_BREAKS = re.compile(r"[\u4e00-\u9fff][，。？！、：；]*|[^\s\u4e00-\u9fff]+[，。？！、：；]*")


class MissingFont(Exception):
    """No font has the letters of a language; its text is one line that says what to install."""


@dataclass(frozen=True, slots=True)
class Poster:
    """Who is scanned, what the conversation begins with (a payload, see `bot.conversation.start`), which language."""

    bot: str
    start: str
    language: Language

    @property
    def address(self) -> str:
        return f"https://t.me/{self.bot}" + (f"?start={self.start}" if self.start else "")


@dataclass(frozen=True, order=True)
class Font:
    """A font file of this machine."""

    path: str
    index: int
    family: str
    weight: int
    slant: int
    width: int

    @cached_property
    def plain(self) -> tuple[int, bool, bool, str]:
        """Sorts what is easy to read on a wall first."""
        rank = EASY_TO_READ.index(self.family) if self.family in EASY_TO_READ else len(EASY_TO_READ)
        return rank, self.slant != _UPRIGHT, self.width != _NORMAL_WIDTH, self.family


def render(poster: Poster, texts: Texts) -> bytes:
    """The poster as a PDF; raises `MissingFont` when this machine lacks the letters."""
    code = poster.language.code
    invitation = texts.text("New in Ghent? Ask your question here, in your own language.", code)
    scanning = texts.text("Scan this code with the camera of your phone.", code)
    with _page(poster, invitation) as pdf:
        _use_fonts(pdf, poster.language, invitation + scanning)
        _centred(pdf, invitation, Place(top=24, height=66, largest=38, bold=True))
        pdf.image(_code(poster.address), x=(pdf.w - _CODE) / 2, y=94, w=_CODE, h=_CODE)
        _centred(pdf, scanning, Place(top=220, height=24, largest=22))
        pdf.set_text_shaping(use_shaping_engine=True, direction="ltr")
        _centred(pdf, poster.address.removeprefix("https://"), Place(top=248, height=10, largest=16))
        _centred(pdf, SIGNATURE, Place(top=268, height=8, largest=13))
        return bytes(pdf.output())


@contextmanager
def _page(poster: Poster, title: str) -> Iterator[FPDF]:
    """An empty page; the library would leave the font files open that are used on it."""
    pdf = FPDF(orientation="portrait", unit="mm", format="A4")
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(title)
    pdf.set_lang(poster.language.locale.replace("_", "-"))
    pdf.add_page()
    try:
        yield pdf
    finally:
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


def _code(address: str) -> BytesIO:
    picture = BytesIO()
    segno.make(address, micro=False, error="m").save(picture, kind="png", scale=20, border=_QUIET_ZONE)
    picture.seek(0)
    return picture


# Words


@dataclass(frozen=True, slots=True)
class Place:
    """Where words go: from `top`, over `height` at most (mm), in letters of at most `largest` points."""

    top: float
    height: float
    largest: int
    bold: bool = False


def _centred(pdf: FPDF, text: str, place: Place) -> None:
    """Set `text` as large as fits. Lines are broken here, since the library orders words before it breaks lines."""
    for size in range(place.largest, 5, -1):
        pdf.set_font("letters", "B" if place.bold else "", size)
        lines, line_height = _lines(pdf, text), size * _TO_MM * _LINE
        if len(lines) * line_height <= place.height and all(pdf.get_string_width(line) <= pdf.epw for line in lines):
            break
    pdf.set_y(place.top + (place.height - len(lines) * line_height) / 2)
    for line in lines:
        pdf.cell(pdf.epw, line_height, line, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _lines(pdf: FPDF, text: str) -> list[str]:
    """As few lines as are needed, of about the same length."""
    fewest = len(_filled(pdf, text, pdf.epw))
    widths = (pdf.epw * part / 20 for part in range(8, 21))
    return next(lines for width in widths if len(lines := _filled(pdf, text, width)) <= fewest)


def _filled(pdf: FPDF, text: str, width: float) -> list[str]:
    lines = [""]
    for end in (match.end() for match in _BREAKS.finditer(text)):
        done = sum(map(len, lines[:-1]))
        longer = text[done:end]
        if lines[-1] and pdf.get_string_width(longer.strip()) > width:
            lines.append(longer[len(lines[-1]) :])
        else:
            lines[-1] = longer
    return [line.strip() for line in lines]


# Fonts


def _use_fonts(pdf: FPDF, language: Language, text: str) -> None:
    """Make `letters` the font for the language's own letters, and for the Latin ones that a script's font lacks."""
    for name, style, weight, fitting in (
        ("latin", "", _REGULAR, fonts_with(SIGNATURE)),
        ("latin", "B", _BOLD, fonts_with(SIGNATURE)),
        ("letters", "", _REGULAR, fonts_with(text)),
        ("letters", "B", _BOLD, fonts_with(text)),
    ):
        if not fitting:
            raise MissingFont(_missing(language if name == "letters" else None))
        font = min(fitting, key=lambda font: (*font.plain, abs(font.weight - weight), font.path, font.index))
        pdf.add_font(name, style, font.path, collection_font_number=font.index)
    pdf.set_fallback_fonts(["latin"], exact_match=True)
    pdf.set_text_shaping(use_shaping_engine=True, direction=language.direction, language=language.locale.split("_")[0])


def fonts_with(text: str) -> Sequence[Font]:
    """The fonts that have all letters of `text`; Latin letters only where it has no others."""
    letters = {letter for letter in text if not letter.isspace()}
    wanted = {letter for letter in letters if not letter.isascii()} or letters
    charset = " ".join(f"{ord(letter):x}" for letter in sorted(wanted))
    try:
        listed = subprocess.run(  # noqa: S603 - hexadecimal numbers only
            [*_LIST_FONTS, f":charset={charset}"], capture_output=True, text=True, check=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise MissingFont("the fonts of this machine are not known; on Debian: apt-get install fontconfig") from None
    return list(_read(listed.stdout))


def _read(listed: str) -> Iterator[Font]:
    """Fonts that can be embedded: of one weight each, in files that the PDF library takes."""
    for line in listed.splitlines():
        path, index, variable, slant, width, weight, family = line.split("\t", 6)
        if variable == "False" and path.lower().endswith(_KINDS_OF_FILE):
            yield Font(path, int(index), family, round(float(weight)), int(slant), round(float(width)))


def _missing(language: Language | None) -> str:
    script = language.scripts[0] if language else "latin"
    name = f"{language.name} ({language.code})" if language else "Latin"
    package = PACKAGES.get(script, OTHER_PACKAGE)
    return f"no font of this machine has all letters of {name}; on Debian: apt-get install {package}"
