"""The poster with a code to scan, as a PDF and through its command."""

import asyncio
import os
import re
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from pathlib import Path

import pytest
import segno
from PIL import Image

from bot.cli import main
from bot.languages import LANGUAGES
from bot.poster import MissingFont, Poster, fonts_with, render
from bot.texts import Texts
from tests.conftest import KNOWLEDGE
from tests.fake_telegram import TOKEN, FakeTelegram, open_fake_telegram

ADDRESS = "https://t.me/wegwijs_bot?start=school__uk"
INVITATION = "New in Ghent? Ask your question here, in your own language."
SCANNING = "Scan this code with the camera of your phone."
MODULE, QUIET_ZONE = 20, 4  # points of the picture a module; modules around the code

# One text in each script, for a poster whose letters are drawn whatever the catalogues say today.
SAMPLES = {
    "latin": "Amaziɣ ḥṭɛ šłșțğë",
    "cyrillic": "Щойно в Генті",
    "arabic": "ښځې ټول ہے گھر۔ پرسش",
    "devanagari": "हिन्दी",
}
SAMPLES |= {"ethiopic": "ትግርኛ", "han": "中文"}


def _has_every_letter() -> bool:
    try:
        return all(fonts_with(sample) for sample in SAMPLES.values())
    except MissingFont:
        return False


needs_fonts = pytest.mark.skipif(
    not _has_every_letter() and not os.environ.get("CI"),
    reason="fonts are missing (apt install fontconfig fonts-dejavu-core fonts-noto-core fonts-noto-cjk)",
)


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEGWIJS_KNOWLEDGE", str(KNOWLEDGE))
    monkeypatch.delenv("WEGWIJS_TELEGRAM_TOKEN", raising=False)


@pytest.fixture
def few_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with DejaVu and nothing else."""
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{tmp_path}/fonts</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))


def _scanned(pdf: bytes) -> Sequence[Sequence[bool]]:
    """The modules of the code in `pdf`, dark ones True: the picture is in fax format, as in a TIFF file."""
    found = re.search(
        rb"/Filter /CCITTFaxDecode\n/Height (\d+)\n/Length (\d+)\n.*?/Width (\d+)\n>>\nstream\n", pdf, re.S
    )
    assert found
    height, length, width = (int(number) for number in found.groups())
    data = pdf[found.end() : found.end() + length]
    tags = ((256, width), (257, height), (258, 1), (259, 4), (262, 1), (273, 110), (278, height), (279, length))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    picture = Image.open(BytesIO(head + data))
    middles = range(MODULE // 2, width, MODULE)
    return [[picture.getpixel((x, y)) == 0 for x in middles] for y in middles]


def _modules(address: str) -> Sequence[Sequence[bool]]:
    matrix = segno.make(address, micro=False, error="m").matrix_iter(border=QUIET_ZONE)
    return [[bool(module) for module in row] for row in matrix]


def _drawn(pdf: bytes) -> set[str]:
    """The letters in `pdf`: what each of its glyphs stands for, as one copies it."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.S)
    tables = [_inflated(stream) for stream in streams]
    glyphs = [pair for table in tables if b"beginbfchar" in table for pair in re.findall(rb"<\w+> <(\w+)>", table)]
    return {letter for glyph in glyphs for letter in bytes.fromhex(glyph.decode()).decode("utf-16-be")}


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _poster(code: str) -> Poster:
    return Poster("wegwijs_bot", f"school__{code}", LANGUAGES[code])


def _catalogue(directory: Path, code: str, invitation: str) -> Texts:
    """Texts with nothing but the words on top of a poster."""
    file = directory / code / "LC_MESSAGES" / "wegwijs.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        f'msgid "{INVITATION}"\nmsgstr "{invitation}"\n',
        encoding="utf-8",
    )
    return Texts(directory)


@pytest.mark.usefixtures("few_fonts")
def test_the_poster_is_one_page_of_a4_with_the_code_of_its_address(catalogues: Texts) -> None:
    pdf = render(_poster("uk"), catalogues)
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 595.28 841.89]" in pdf
    assert b"/Lang (uk)" in pdf
    assert _scanned(pdf) == _modules(ADDRESS) != _modules(ADDRESS + "x")


@needs_fonts
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_a_poster_with_all_its_letters(code: str, catalogues: Texts) -> None:
    pdf = render(_poster(code), catalogues)
    said = (catalogues.text(message, code) for message in (INVITATION, SCANNING))
    assert set("".join(said)) - {" "} <= _drawn(pdf)
    assert _scanned(pdf) == _modules(f"https://t.me/wegwijs_bot?start=school__{code}")


@needs_fonts
@pytest.mark.parametrize("code", ["tzm", "uk", "ar", "ps", "ur", "hi", "ti", "zh"])
def test_every_script_is_drawn_with_the_latin_letters_between_it(code: str, tmp_path: Path) -> None:
    text = f"{SAMPLES[LANGUAGES[code].scripts[0]]} (Gent) Telegram?"
    assert set(text) - {" "} <= _drawn(render(_poster(code), _catalogue(tmp_path, code, text)))


@pytest.mark.usefixtures("few_fonts")
@pytest.mark.parametrize(
    ("code", "package"), [("zh", "fonts-noto-cjk"), ("hi", "fonts-noto-core"), ("ti", "fonts-noto-core")]
)
def test_a_missing_font_is_said_with_the_package_that_has_it(code: str, package: str, tmp_path: Path) -> None:
    sample = SAMPLES[LANGUAGES[code].scripts[0]]
    with pytest.raises(MissingFont) as missing:
        render(_poster(code), _catalogue(tmp_path, code, sample))
    assert str(missing.value) == (
        f"no font of this machine has all letters of {LANGUAGES[code].name} ({code}); "
        f"on Debian: apt-get install {package}"
    )


def test_a_machine_without_fontconfig_is_told_so(monkeypatch: pytest.MonkeyPatch, catalogues: Texts) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingFont, match="apt-get install fontconfig"):
        render(_poster("en"), catalogues)


# The command


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["qr", *arguments])
    if isinstance(ended.value.code, str):
        return 1, ended.value.code
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.parametrize("name", ["wegwijs_bot", "@wegwijs_bot"])
def test_the_command_writes_the_poster(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    out = tmp_path / "poster.pdf"
    said = _run(capsys, "--bot", name, "--start", "school__uk", "--language", "uk", "--out", str(out))
    assert said == (0, f"{out}: {ADDRESS}\n")
    assert _scanned(out.read_bytes()) == _modules(ADDRESS)


@pytest.mark.parametrize(
    ("arguments", "file", "address"),
    [
        ((), "wegwijs-nl.pdf", "https://t.me/wegwijs_bot?start=__nl"),
        (("--language", "fr"), "wegwijs-fr.pdf", "https://t.me/wegwijs_bot?start=__fr"),
        (("--start", "book-school"), "wegwijs-book-school.pdf", "https://t.me/wegwijs_bot?start=book-school"),
        (("--start", ""), "wegwijs-nl.pdf", "https://t.me/wegwijs_bot"),
    ],
)
def test_what_is_left_out_has_a_good_default(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], file: str, address: str
) -> None:
    assert _run(capsys, "--bot", "wegwijs_bot", *arguments) == (0, f"{file}: {address}\n")
    assert _scanned(Path(file).read_bytes()) == _modules(address)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bot", "wegwijs bot"), "--bot holds 'wegwijs bot'; it takes the bot's name"),
        (("--bot", "wegwijs_bot", "--start", "schol"), "nothing starts with 'schol'"),
        (("--bot", "wegwijs_bot", "--start", "book-pottery__uk"), "nothing starts with 'book-pottery'"),
        (("--bot", "wegwijs_bot", "--start", "school__de"), "names the language 'de'; it takes nl en"),
        (("--bot", "wegwijs_bot", "--start", "school find"), "at most 64 of A-Z a-z 0-9 _ -"),
        (("--bot", "wegwijs_bot", "--start", "a" * 65), "at most 64 of A-Z a-z 0-9 _ -"),
        (("--bot", "wegwijs_bot", "--out", "no/such/folder.pdf"), "no/such/folder.pdf cannot be written"),
        ((), "give --bot NAME, or set WEGWIJS_TELEGRAM_TOKEN"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], said: str
) -> None:
    code, out = _run(capsys, *arguments)
    assert code == 1
    assert out.startswith("wegwijs: ")
    assert said in out
    assert "\n" not in out
    assert list(Path().glob("*.pdf")) == []


@pytest.fixture
async def telegram(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeTelegram]:
    async with open_fake_telegram() as fake:
        monkeypatch.setenv("WEGWIJS_TELEGRAM_API", fake.url)
        yield fake


async def test_the_name_is_asked_from_telegram_where_there_is_a_token(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, telegram: FakeTelegram
) -> None:
    monkeypatch.setenv("WEGWIJS_TELEGRAM_TOKEN", TOKEN)
    said = await asyncio.to_thread(_run, capsys, "--start", "school__uk")
    assert said == (0, f"wegwijs-school__uk.pdf: {ADDRESS}\n")
    assert telegram.calls == ["getMe"]


@pytest.mark.usefixtures("telegram")
async def test_a_token_that_telegram_refuses_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEGWIJS_TELEGRAM_TOKEN", "1:wrong")
    code, said = await asyncio.to_thread(_run, capsys)
    assert code == 1
    assert "WEGWIJS_TELEGRAM_TOKEN is not accepted by Telegram; give --bot NAME" in said
