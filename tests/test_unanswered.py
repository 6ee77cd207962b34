"""What is kept of a question that nobody could answer: its words, and nothing that tells who asked."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.storage import unanswered
from bot.storage.unanswered import LONGEST, scrubbed
from tests.conftest import NOW

DAY = NOW.date()
SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９")
BETWEEN = (
    "",
    " ",
    ".",
    "-",
    "/",
    " / ",
    " - ",
    ") ",
    " (",
    ". ",
    "\u00a0",
    "\u200e",
    "\u202d",
    "–",
    ",",
    "\t",
    "\u200d",
)
SENTENCES = ("Bel mij", "اتصل بي على", "कृपया मुझे फ़ोन करें", "请给我打电话", "ደውሉልኝ", "Передзвоніть мені")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Bel mij op 0470 12 34 56", "Bel mij op …"),
        ("Bel mij op 0470/12.34.56 of 09-123.45.67 aub", "Bel mij op … of … aub"),
        ("mijn nummer is +32 (0) 470 12 34 56.", "mijn nummer is …."),
        ("+32 - 470 - 12 - 34 - 56", "…"),
        ("(09) 123 45 67", "(…"),
        ("rijksregister 85.07.30-033.28 klopt niet", "rijksregister … klopt niet"),
        ("geboren op 30/07/1985 in Kabul", "geboren op … in Kabul"),
        ("dossier OV 1234567", "dossier OV …"),
        ("paspoort EH123456 verloren", "paspoort … verloren"),
        ("kaart AB12CD345 verloren", "kaart … verloren"),
        ("rekening BE68 5390 0754 7034", "rekening …"),
        ("رقمي ٠٤٧٠ ١٢ ٣٤ ٥٦ من فضلك", "رقمي … من فضلك"),
        ("رقمي \u202a+32 470 12 34 56\u202c من فضلك", "رقمي … من فضلك"),
        ("شماره من ۰۴۷۰-۱۲-۳۴-۵۶ است", "شماره من … است"),
        ("मेरा नंबर ०४७० १२ ३४ ५६ है", "मेरा नंबर … है"),
        ("我的电话是0470123456请打给我", "我的电话是…请打给我"),
        ("我的电话是０４７０１２３４５６。", "我的电话是…。"),
        ("4️⃣7️⃣0️⃣1️⃣2️⃣ bel", "…\ufe0f⃣ bel"),
    ],
)
def test_a_long_number_is_not_kept_however_it_is_written(typed: str, kept: str) -> None:
    assert scrubbed(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("mail naar amal.k+x@example.be graag", "mail naar … graag"),
        ("mail: amal @ example.be graag", "mail: … graag"),
        ("amal＠example.be", "…"),
        ("amal[at]example.be of amal (at) example.be", "… of …"),
        ("пошта оксана@приклад.укр дякую", "пошта … дякую"),
        ("我的邮箱是amal@example.be请回复", "我的邮箱是…请回复"),
        ("schrijf @amal_91 op telegram", "schrijf … op telegram"),
        ("schrijf @ amal_91", "schrijf …"),
        ("ik ben @أمل هنا", "ik ben … هنا"),
        ("zie HTTPS://example.be/x?y=1 a", "zie … a"),
        ("zie www.facebook.com/amal a", "zie … a"),
        ("zie WWW.example.be a", "zie … a"),
        ("zie t.me/amal en wa.me/32 a", "zie … en … a"),
        ("请看https://example.be/页面谢谢", "请看…页面谢谢"),
        ("tg://resolve?domain=amal", "…"),
        ("ik woon Bevrijdingslaan 12 b bus 3 in Gent", "ik woon … in Gent"),
        ("ik woon in de Sleepstraat 7", "ik woon in de …"),
    ],
)
def test_an_address_or_a_name_in_a_chat_is_not_kept(typed: str, kept: str) -> None:
    assert scrubbed(typed) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Mijn kinderen zijn 3, 5, 7 en 12 jaar",
        "Kan ik om 14:00 komen, of om 16:30?",
        "Is de les in 2026 nog gratis voor niveau A2 en B1?",
        "Kost het 1.250 euro?",
        "9000 Gent",
        "Wat is vdab.be?",
        "Ik woon in een straat zonder school. Wat nu?",
        "می‌خواهم",
        "أين المدرسة؟",
        "मेरे 2 बच्चे हैं",
        "我有2个孩子。学校在哪里？",
        "ትምህርቲ ኣበይ ኣሎ፧",
    ],
)
def test_a_question_that_tells_nothing_about_who_asks_stays_as_it_was(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize("unseen", ["\x00", "\x1b", "\ud800", "\u202e", "\u2066", "\u200f", "\ufeff"])
def test_a_sign_that_cannot_be_kept_or_turns_the_page_around_is_dropped(unseen: str) -> None:
    assert scrubbed(f"waar is {unseen} de school").split() == ["waar", "is", "de", "school"]


def test_no_more_is_kept_than_is_said() -> None:
    assert len(scrubbed("waar is de school " * 500)) <= LONGEST


@given(
    before=st.sampled_from(SENTENCES),
    digits=st.lists(st.integers(0, 9), min_size=5, max_size=16),
    script=st.sampled_from(SCRIPTS),
    between=st.lists(st.sampled_from(BETWEEN), min_size=16, max_size=16),
)
def test_no_number_of_five_digits_is_kept_in_any_script(
    before: str, digits: list[int], script: str, between: list[str]
) -> None:
    number = "".join(script[digit] + apart for digit, apart in zip(digits, between, strict=False))
    assert _most_digits(scrubbed(f"{before} {number} {before}")) == 0


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("09٠०@@..//:www  -"), max_size=600))
def test_whatever_is_typed_little_is_kept_and_cleaning_it_again_changes_nothing(text: str) -> None:
    kept = scrubbed(text)
    assert len(kept) <= LONGEST
    assert not re.search(r"\d{5}|[@＠]\w", kept)
    assert scrubbed(kept) == kept


def _most_digits(text: str) -> int:
    """The longest row of digits, with anything between them but letters and what stands for hidden words."""
    most = row = 0
    for sign in text:
        if unicodedata.category(sign) == "Nd":
            row += 1
        elif sign.isalpha() or sign == "…":
            row = 0
        most = max(most, row)
    return most


async def test_a_question_of_nothing_but_a_number_is_not_kept(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        await unanswered.keep(connection, DAY, "nl", "0470 12 34 56")
        assert await unanswered.still_open(connection) == []


async def test_any_sign_can_be_kept_in_the_database(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        await unanswered.keep(connection, DAY, "nl", "waar \x00 is \ud800 de 🏫")
        assert [row.text for row in await unanswered.still_open(connection)] == ["waar is de 🏫"]


async def test_a_question_is_settled_once(database: AsyncEngine) -> None:
    async with storage.begin(database) as connection:
        await unanswered.keep(connection, DAY, "nl", "waar is de school")
        (row,) = await unanswered.still_open(connection)
        assert await unanswered.settle(connection, row.id, unanswered.ADDED)
        assert not await unanswered.settle(connection, row.id, unanswered.PUT_AWAY)
        assert await unanswered.still_open(connection) == []
        settled = await unanswered.get(connection, row.id)
    assert settled
    assert settled.state == unanswered.ADDED
