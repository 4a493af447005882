"""A message leaves by daylight on a working day, and as early as it may."""

import doctest
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning import hours
from dunning.hours import Hours, is_open, next_moment
from ngap.calendar import is_holiday

DAY = Hours(8, 20, 9)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31))


def test_doctests():
    assert doctest.testmod(hours).failed == 0


def test_hours_of_a_day():
    at = [datetime(2026, 11, 20, hour, minute) for hour, minute in ((7, 59), (8, 0), (19, 59))]
    assert [is_open(moment, DAY, is_holiday) for moment in at] == [False, True, True]
    assert next_moment(at[0], DAY, is_holiday) == datetime(2026, 11, 20, 9)
    assert next_moment(at[1], DAY, is_holiday) == at[1]


def test_long_weekend():
    # Christmas 2026 is a Friday: from Thursday evening to Saturday morning, then Sunday
    assert next_moment(datetime(2026, 12, 24, 20), DAY, is_holiday) == datetime(2026, 12, 26, 9)
    assert next_moment(datetime(2026, 12, 26, 21), DAY, is_holiday) == datetime(2026, 12, 28, 9)
    # and the 26th is a holiday in Alsace-Moselle

    def alsace(day):
        return is_holiday(day, "57")

    assert next_moment(datetime(2026, 12, 24, 20), DAY, alsace) == datetime(2026, 12, 28, 9)


def test_closed_for_ever_ends():
    later = next_moment(datetime(2026, 11, 20, 21), DAY, lambda day: True)
    assert later.date() > date(2026, 12, 1)


@given(moments)
def test_always_open_then_and_never_before(moment):
    later = next_moment(moment, DAY, is_holiday)
    assert later >= moment
    assert is_open(later, DAY, is_holiday)
    assert next_moment(later, DAY, is_holiday) == later
    # no whole open day is skipped
    day = moment.date() + timedelta(days=1)
    while day < later.date():
        assert day.isoweekday() == 7 or is_holiday(day)
        day += timedelta(days=1)
