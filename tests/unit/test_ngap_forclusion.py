"""Last day to claim: no share slips between two horizons, whatever the day and the delay."""

import doctest
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ngap import Clock, add_months, first_forfeited_day, forclusion

DAYS = st.dates(date(2000, 1, 1), date(2090, 1, 1))


def test_documented_examples():
    assert doctest.testmod(forclusion).failed == 0


@given(DAYS, st.integers(0, 120))
def test_months_later_is_the_same_day_or_the_end_of_the_month(day, months):
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (
        later.day < day.day and (later + timedelta(days=1)).month != later.month
    )


@given(st.lists(DAYS, min_size=1, max_size=8), st.integers(0, 60), st.booleans())
def test_the_earliest_act_decides(days, months, from_quarter):
    clock = Clock(months, from_quarter)
    assert clock.first_forfeited(days) == clock.first_forfeited([min(days)])
    assert clock.first_forfeited(days) == min(clock.first_forfeited([day]) for day in days)


@given(DAYS, st.integers(0, 60))
def test_counting_from_the_care_is_never_longer_than_from_the_quarter(day, months):
    assert Clock(months, False).first_forfeited([day]) <= first_forfeited_day(day, months)


def test_no_act_no_delay():
    assert Clock(24).first_forfeited([]) is None


@given(DAYS, st.integers(-200, 200))
def test_every_date_has_exactly_the_window_of_its_horizon(day, offset):
    limit = day + timedelta(days=offset)
    found = [
        horizon
        for horizon, start, end in forclusion.windows(day)
        if (start is None or start <= limit) and limit < end
    ]
    expected = forclusion.horizon(limit, day)
    assert found == ([] if expected is None else [expected])


@given(DAYS)
def test_a_share_is_seen_at_each_horizon_as_days_go_by(limit):
    last = limit - timedelta(days=1)
    assert [
        forclusion.horizon(limit, last - timedelta(days=n)) for n in (91, 90, 60, 30, 0, -1)
    ] == [
        None,
        90,
        60,
        30,
        30,
        0,
    ]
