"""Late shares of the funds: an oracle that walks day by day finds the same due day, count and penalty."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning import lateness
from dunning.lateness import Terms, add_working_days, half_year, half_year_end, look, working_days
from ngap import is_holiday

TERMS = Terms(pay_days=7, flat_cents=100, rate_day=10, rate_percent=10)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def test_documented_examples():
    assert doctest.testmod(lateness).failed == 0


@pytest.mark.parametrize(
    ("paid_on", "days", "penalty"),
    [
        # acknowledged on Monday 9 November 2026; the 11th is a holiday
        (date(2026, 11, 19), None, None),
        (date(2026, 11, 20), 8, 100),
        (date(2026, 11, 22), 8, 100),
        (date(2026, 11, 23), 9, 100),
        (date(2026, 11, 24), 10, 1_000),
        (date(2026, 12, 24), 32, 1_000),
    ],
)
def test_the_rule_over_a_bank_holiday(paid_on, days, penalty):
    found = look(10_000, date(2026, 11, 9), paid_on, TERMS, is_holiday)
    if days is None:
        assert found is None
    else:
        assert (found.due_on, found.days, found.penalty) == (date(2026, 11, 19), days, penalty)


def test_the_holidays_are_those_of_the_place():
    day = date(2026, 12, 18)  # Friday; the 25th everywhere, the 26th is a Saturday
    assert add_working_days(day, 7, is_holiday) == date(2026, 12, 30)
    whit = date(
        2026, 5, 21
    )  # Thursday before Whit Monday; 22 May: abolition of slavery in Martinique
    in_972 = lambda one: is_holiday(one, "972")  # noqa: E731
    assert add_working_days(whit, 2, is_holiday) == date(2026, 5, 26)
    assert add_working_days(whit, 2, in_972) == date(2026, 5, 27)


@given(DAYS, st.integers(0, 60), st.integers(0, 1_000_000))
def test_as_walked_day_by_day(start, span, cents):
    end = start + timedelta(days=span)
    count, due_on, day = 0, None, start
    while day < end:
        day += timedelta(days=1)
        count += day.isoweekday() <= 5 and not is_holiday(day)
        if count == 7 and due_on is None:
            due_on = day
    assert working_days(start, end, is_holiday) == count
    found = look(cents, start, end, TERMS, is_holiday)
    owed = 0 if count <= 7 else 100 if count <= 9 else int(cents / 10 + 0.5)
    if not cents or not owed:
        assert found is None
    else:
        assert (found.due_on, found.days, found.penalty) == (due_on, count, owed)


@given(DAYS)
def test_half_years_hold_their_days(day):
    code = half_year(day)
    assert half_year(half_year_end(code)) == code
    assert half_year(half_year_end(code) + timedelta(days=1)) != code
    assert day <= half_year_end(code)
