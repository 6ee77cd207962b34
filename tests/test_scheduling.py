"""From permanences to slots on the clock of Brussels, through both changes of the hour, and when to remind."""

import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling import (
    BRUSSELS,
    DAY_BEFORE,
    HOURS_BEFORE,
    Moment,
    Permanence,
    Slot,
    bookable,
    bounds,
    day_of,
    is_doubled,
    reminders,
    slot_at,
    slots_on,
)

FORWARD, BACK = datetime.date(2028, 3, 26), datetime.date(2026, 10, 25)  # in 2027 the clock changes on Easter
WEDNESDAY = datetime.date(2026, 12, 2)
DAY, HOUR, MINUTE = datetime.timedelta(days=1), datetime.timedelta(hours=1), datetime.timedelta(minutes=1)
EVERY_DAY = range(7)


def _time(text: str) -> datetime.time:
    return datetime.time.fromisoformat(text)


def _permanence(start: str, end: str, minutes: int, **more: object) -> Permanence:
    """The same moment on every day of the week."""
    moments = tuple(Moment(weekday, _time(start), _time(end), minutes, 2, ("nl",)) for weekday in EVERY_DAY)
    return Permanence("school", {"nl": "School"}, {}, "Kongostraat 42", moments, **more)  # type: ignore[arg-type]


def _brussels(day: datetime.date, time: str, fold: int = 0) -> datetime.datetime:
    """The instant at which the clocks of Brussels show `time`; `fold` 1 is the second time that night."""
    local = datetime.datetime.combine(day, _time(time), BRUSSELS).replace(fold=fold)
    return local.astimezone(datetime.UTC)


def _shown(slots: list[Slot]) -> list[str]:
    """Slots as the clocks of Brussels show them, with their zone."""
    return [f"{slot.start.astimezone(BRUSSELS):%H:%M %Z}" for slot in slots]


def test_a_moment_is_cut_into_slots_and_what_is_left_over_is_none() -> None:
    slots = slots_on(_permanence("13:30", "15:15", 30), WEDNESDAY)
    assert _shown(slots) == ["13:30 CET", "14:00 CET", "14:30 CET"]
    first = datetime.datetime(2026, 12, 2, 12, 30, tzinfo=datetime.UTC)
    assert slots[0] == Slot(first, first + 30 * MINUTE, "school", 2, ("nl",))
    assert slots[0].day == WEDNESDAY


def test_the_hour_stays_on_the_wall_through_both_changes() -> None:
    permanence = _permanence("09:00", "09:30", 30)
    days = [BACK - DAY, BACK, BACK + DAY, FORWARD - DAY, FORWARD, FORWARD + DAY]
    slots = [slot for day in days for slot in slots_on(permanence, day)]
    assert _shown(slots) == [f"09:00 {zone}" for zone in ("CEST", "CET", "CET", "CET", "CEST", "CEST")]
    assert [slot.start.hour for slot in slots] == [7, 8, 8, 8, 7, 7]


def test_the_doubled_hour_has_its_slots_twice() -> None:
    slots = slots_on(_permanence("01:30", "03:30", 30), BACK)
    assert _shown(slots) == [
        "01:30 CEST",
        "02:00 CEST",
        "02:30 CEST",
        "02:00 CET",
        "02:30 CET",
        "03:00 CET",
    ]
    assert [is_doubled(slot.start) for slot in slots] == [False, True, True, True, True, False]
    assert all(one.end == other.start for one, other in pairwise(slots))


def test_the_missing_hour_has_no_slots() -> None:
    slots = slots_on(_permanence("01:30", "03:30", 30), FORWARD)
    assert _shown(slots) == ["01:30 CET", "03:00 CEST"]
    assert slots[0].end == slots[1].start
    assert not any(is_doubled(slot.start) for slot in slots)
    assert slots_on(_permanence("02:00", "03:00", 30), FORWARD) == []


def test_a_slot_during_which_the_clock_changes_is_none() -> None:
    assert _shown(slots_on(_permanence("01:30", "04:30", 90), FORWARD)) == ["03:00 CEST"]
    assert _shown(slots_on(_permanence("01:00", "04:00", 90), BACK)) == ["01:00 CEST", "02:30 CET"]
    assert _shown(slots_on(_permanence("00:30", "06:30", 90), BACK)) == [
        "00:30 CEST",
        "02:00 CET",
        "03:30 CET",
        "05:00 CET",
    ]


def test_a_slot_is_found_by_its_instant_in_either_pass_of_the_doubled_hour() -> None:
    permanence = _permanence("02:00", "03:00", 30)
    first, second = _brussels(BACK, "02:30"), _brussels(BACK, "02:30", fold=1)
    assert second - first == HOUR
    assert [slot and slot.start for slot in (slot_at(permanence, first), slot_at(permanence, second))] == [
        first,
        second,
    ]
    assert slot_at(permanence, first + MINUTE) is None
    assert slot_at(permanence, first + DAY) is None


def test_a_day_of_the_change_is_an_hour_longer_or_shorter() -> None:
    assert [end - start for start, end in map(bounds, (BACK, FORWARD, WEDNESDAY))] == [25 * HOUR, 23 * HOUR, 24 * HOUR]
    start, end = bounds(BACK)
    assert [day_of(at) for at in (start - MINUTE, start, end - MINUTE, end)] == [BACK - DAY, BACK, BACK, BACK + DAY]


@pytest.mark.parametrize(
    "day",
    ["2026-11-11", "2026-12-25", "2027-01-01", "2027-03-29", "2027-05-01", "2027-05-06", "2027-05-17", "2027-07-21"],
)
def test_a_public_holiday_of_belgium_is_closed_unless_staff_say_otherwise(day: str) -> None:
    date = datetime.date.fromisoformat(day)
    assert slots_on(_permanence("09:00", "10:00", 30), date) == []
    assert len(slots_on(_permanence("09:00", "10:00", 30, on_holidays=True), date)) == 2


def test_a_closed_day_has_no_slots_and_the_days_around_it_have() -> None:
    permanence = _permanence("09:00", "10:00", 30, closed=frozenset({WEDNESDAY}))
    assert [len(slots_on(permanence, WEDNESDAY + days * DAY)) for days in (-1, 0, 1)] == [2, 0, 2]


def test_an_exception_stands_instead_of_the_moments_of_its_day_also_on_a_holiday() -> None:
    christmas = datetime.date(2026, 12, 25)
    instead = (Moment(2, _time("15:00"), _time("16:00"), 60, 1), Moment(2, _time("11:00"), _time("12:00"), 60, 1))
    permanence = _permanence("09:00", "10:00", 30, exceptions={WEDNESDAY: instead, christmas: instead[:1]})
    assert _shown(slots_on(permanence, WEDNESDAY)) == ["11:00 CET", "15:00 CET"]
    assert _shown(slots_on(permanence, christmas)) == ["15:00 CET"]


def test_a_moment_is_on_from_its_first_day_to_its_last_on_its_weekday() -> None:
    moment = Moment(2, _time("09:00"), _time("10:00"), 30, 1, first=WEDNESDAY, last=WEDNESDAY + 14 * DAY)
    permanence = Permanence("school", {}, {}, "", (moment,))
    on = [days for days in range(-30, 60) if slots_on(permanence, WEDNESDAY + days * DAY)]
    assert on == [0, 7, 14]


def test_one_can_book_from_the_notice_to_the_horizon() -> None:
    permanence = _permanence("09:00", "11:00", 60, notice=4 * HOUR, horizon=2 * DAY)
    now = _brussels(WEDNESDAY, "06:00")
    found = [(slot.day - WEDNESDAY).days for slot in bookable(permanence, now)]
    assert found == [0, 1, 1], "ten o'clock is four hours away, nine o'clock is not; in two days it is six, not nine"
    assert bookable(permanence, now)[0].start == now + 4 * HOUR
    assert bookable(permanence, now + MINUTE)[0].start == now + DAY + 3 * HOUR
    assert bookable(permanence, now + DAY + 21 * HOUR)[0].day == WEDNESDAY + 2 * DAY


def test_nothing_is_bookable_when_the_notice_is_longer_than_the_horizon() -> None:
    assert (
        bookable(_permanence("09:00", "17:00", 60, notice=3 * DAY, horizon=2 * DAY), _brussels(WEDNESDAY, "06:00"))
        == []
    )


def test_a_family_takes_one_place_and_persons_take_one_each() -> None:
    assert _permanence("09:00", "10:00", 30).places_for(5) == 1
    assert _permanence("09:00", "10:00", 30, per_person=True).places_for(5) == 5


@pytest.mark.parametrize("day", [BACK, FORWARD])
def test_the_day_before_is_the_same_time_on_the_wall_across_a_change(day: datetime.date) -> None:
    start = _brussels(day, "10:00")
    due = reminders(start, start - 7 * DAY)
    assert due[DAY_BEFORE] == _brussels(day - DAY, "10:00")
    assert start - due[DAY_BEFORE] in {23 * HOUR, 25 * HOUR}
    assert due[HOURS_BEFORE] == start - 2 * HOUR


def test_two_hours_before_are_two_hours_also_in_the_night_of_the_change() -> None:
    start = _brussels(BACK, "03:30")
    assert reminders(start, start - 7 * DAY)[HOURS_BEFORE] == _brussels(BACK, "02:30")
    assert reminders(start, start - 7 * DAY)[HOURS_BEFORE] == start - 2 * HOUR


def test_a_reminder_of_the_day_before_in_the_missing_hour_comes_when_the_clock_has_moved() -> None:
    start = _brussels(FORWARD + DAY, "02:30")
    assert reminders(start, start - 7 * DAY)[DAY_BEFORE] == _brussels(FORWARD, "03:30")


@pytest.mark.parametrize(
    ("ahead", "kinds"),
    [
        (7 * DAY, {DAY_BEFORE, HOURS_BEFORE}),
        (26 * HOUR, {DAY_BEFORE, HOURS_BEFORE}),
        (25 * HOUR, {HOURS_BEFORE}),
        (24 * HOUR, {HOURS_BEFORE}),
        (3 * HOUR, {HOURS_BEFORE}),
        (2 * HOUR, set()),
        (HOUR, set()),
        (-HOUR, set()),
    ],
)
def test_no_reminder_is_past_or_follows_the_booking_at_once(ahead: datetime.timedelta, kinds: set[str]) -> None:
    start = _brussels(WEDNESDAY, "13:30")
    assert reminders(start, start - ahead).keys() == kinds


times = st.integers(0, 24 * 60 - 1).map(lambda minutes: datetime.time(minutes // 60, minutes % 60))
days = st.one_of(
    st.sampled_from([BACK, FORWARD, BACK - DAY, FORWARD - DAY]),
    st.dates(datetime.date(2026, 1, 1), datetime.date(2029, 12, 31)),
)


@st.composite
def moments_of_a_day(draw: st.DrawFn) -> tuple[Moment, ...]:
    """Moments for each day of the week that do not overlap, as the knowledge requires."""
    edges = sorted(draw(st.sets(times, min_size=2, max_size=6)))
    lengths = [draw(st.integers(1, 300)) for _ in edges]
    return tuple(
        Moment(weekday, start, end, minutes, 1)
        for start, end, minutes in zip(edges[::2], edges[1::2], lengths, strict=False)
        for weekday in EVERY_DAY
    )


def _on_the_wall(slot: Slot) -> tuple[datetime.time, datetime.time]:
    """The first and the last minute of a slot, as the clocks of Brussels show them."""
    first, last = (at.astimezone(BRUSSELS).time() for at in (slot.start, slot.end - MINUTE))
    return first, last


@settings(max_examples=300, deadline=None)
@given(moments_of_a_day(), days)
def test_slots_are_in_order_never_overlap_and_lie_inside_their_moments(
    moments: tuple[Moment, ...], day: datetime.date
) -> None:
    permanence = Permanence("school", {}, {}, "", moments, on_holidays=True)
    slots = slots_on(permanence, day)
    assert slots == sorted(slots)
    assert all(one.end <= other.start for one, other in pairwise(slots))
    assert all(at.tzinfo is datetime.UTC for slot in slots for at in (slot.start, slot.end))
    assert all(slot.day == day for slot in slots)
    assert all(slot_at(permanence, slot.start) == slot for slot in slots[:1] + slots[-1:])
    spans = {(moment.start, moment.end, moment.minutes) for moment in moments}
    for slot in slots:
        first, last = _on_the_wall(slot)
        length = (slot.end - slot.start) // MINUTE
        assert any(start <= first <= last < end and length == minutes for start, end, minutes in spans)
    start, end = bounds(day)
    assert all(start <= slot.start < slot.end <= end for slot in slots)


@settings(max_examples=200, deadline=None)
@given(moments_of_a_day(), days)
def test_on_a_day_without_a_change_every_whole_slot_is_there(moments: tuple[Moment, ...], day: datetime.date) -> None:
    start, end = bounds(day)
    expected = sum(
        (datetime.timedelta(hours=moment.end.hour - moment.start.hour, minutes=moment.end.minute - moment.start.minute))
        // (moment.minutes * MINUTE)
        for moment in moments
        if moment.is_on(day)
    )
    found = len(slots_on(Permanence("school", {}, {}, "", moments, on_holidays=True), day))
    assert found == expected or end - start != DAY


@settings(max_examples=200, deadline=None)
@given(days, times, st.integers(0, 40 * 24 * 60))
def test_reminders_lie_between_the_booking_and_the_slot(day: datetime.date, time: datetime.time, ahead: int) -> None:
    now = datetime.datetime.combine(day, time, datetime.UTC)
    start = now + ahead * MINUTE
    due = reminders(start, now)
    assert all(now < when < start and when.tzinfo is datetime.UTC for when in due.values())
    assert len(due) == 2 or ahead <= 26 * 60
