"""Buttons carry whole steps, in 64 bytes, for ever."""

import datetime
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.packing import LONGEST, pack, pack_day, pack_instant, unpack, unpack_day, unpack_instant
from bot.conversation.steps import STEPS, ChooseLanguage, ShowEntry, Step
from bot.knowledge.snapshot import LONGEST_REFERENCE, short_reference
from bot.languages import LANGUAGES

_references = st.from_regex(re.compile(rf"[a-z0-9-]{{1,{LONGEST_REFERENCE}}}"), fullmatch=True)

_instants = st.integers(0, 2**34).map(lambda second: datetime.datetime.fromtimestamp(second, datetime.UTC))
_FIELDS = {
    "language": st.sampled_from(list(LANGUAGES)),
    "when": st.sampled_from("-0123456"),
    "people": st.integers(1, 99).map(str),
    "wanted": st.sampled_from(["-", "i", *LANGUAGES]),
    "day": st.dates().map(pack_day),
    "start": _instants.map(pack_instant),
    "code": st.text("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=5, max_size=8),
    "number": st.integers(1, 2**31).map(str),
}


@pytest.mark.parametrize("tag", STEPS)
@given(data=st.data())
def test_every_step_survives_packing(tag: str, data: Any) -> None:
    step: Step = STEPS[tag](*(data.draw(_FIELDS.get(field.name, _references)) for field in fields(STEPS[tag])))
    packed = pack(step)
    assert len(packed.encode()) <= LONGEST
    assert unpack(packed) == step


@given(st.text(max_size=80))
def test_any_bytes_are_a_step_or_nothing(data: str) -> None:
    step = unpack(data)
    assert step is None or step.language in LANGUAGES


@given(at=_instants)
def test_a_moment_on_the_minute_survives_packing(at: datetime.datetime) -> None:
    assert unpack_instant(pack_instant(at)) == at.replace(second=0, microsecond=0)


@given(st.text(max_size=12))
def test_any_bytes_are_a_moment_and_a_day_or_nothing(data: str) -> None:
    instant, day = unpack_instant(data), unpack_day(data)
    assert instant is None or instant.tzinfo is datetime.UTC
    assert day is None or isinstance(day, datetime.date)


def test_tags_are_unique_and_short() -> None:
    assert len(STEPS) == len(Step.__args__)
    assert all(re.fullmatch("[a-z]{2}", tag) for tag in STEPS)


# A tag that a person may still have in an old message. Never take one out, never change what it means.
@pytest.mark.parametrize(
    ("data", "step"), [("cl:uk", ChooseLanguage("uk")), ("se:uk:school-find", ShowEntry("uk", "school-find"))]
)
def test_buttons_from_the_past_still_work(data: str, step: Step) -> None:
    assert unpack(data) == step


def test_a_step_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 64 bytes"):
        pack(ShowEntry("uk", "x" * 70))


@given(st.text(min_size=1, max_size=200))
def test_any_folder_name_has_a_reference_that_fits_in_a_button(slug: str) -> None:
    assert len(pack(ShowEntry("prs", short_reference(slug))).encode()) <= LONGEST
