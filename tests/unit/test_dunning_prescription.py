"""The careful limit: what moves it, and that nothing shortens it."""

import doctest
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning import prescription
from dunning.prescription import Event, alert_from, first_day_after

CARE = date(2024, 10, 5)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
events = st.lists(
    st.builds(
        lambda day, length: Event(day, day + timedelta(days=length) if length else None),
        days,
        st.sampled_from((0, 0, 1, 30, 400)),
    ),
    max_size=5,
)


def test_doctests():
    assert doctest.testmod(prescription).failed == 0


def test_runs_from_the_first_care():
    assert first_day_after([date(2024, 11, 2), CARE], [], 24) == date(2026, 10, 5)
    assert first_day_after([], [], 24) is None


def test_last_day_of_a_short_month():
    assert first_day_after([date(2024, 2, 29)], [], 24) == date(2026, 2, 28)


def test_interruption_begins_it_anew():
    assert first_day_after([CARE], [Event(date(2026, 10, 4))], 24) == date(2028, 10, 4)


def test_too_late_an_interruption_revives_nothing():
    assert first_day_after([CARE], [Event(date(2026, 10, 5))], 24) == date(2026, 10, 5)
    late = [Event(date(2026, 10, 5)), Event(date(2026, 11, 1))]
    assert first_day_after([CARE], late, 24) == date(2026, 10, 5)


def test_an_interruption_before_the_care_is_not_about_it():
    assert first_day_after([CARE], [Event(date(2024, 10, 4))], 24) == date(2026, 10, 5)


def test_suspension_lets_the_rest_run_on():
    month = Event(date(2025, 3, 1), date(2025, 3, 31))
    assert first_day_after([CARE], [month], 24, 6) == date(2026, 11, 4)


def test_after_a_suspension_six_months_are_left_at_least():
    end = Event(date(2026, 9, 25), date(2026, 10, 25))
    assert first_day_after([CARE], [end], 24, 6) == date(2027, 4, 25)


def test_alert_comes_four_months_before():
    limit = first_day_after([CARE], [], 24)
    assert not limit < alert_from(date(2026, 6, 4), 24, 20)
    assert limit < alert_from(date(2026, 6, 5), 24, 20)


@given(st.lists(days, min_size=1, max_size=3), events)
def test_nothing_shortens_the_delay(care, moved):
    bare = first_day_after(care, [], 24)
    assert first_day_after(care, moved, 24, 6) >= bare


@given(st.lists(days, min_size=1, max_size=3), events, events)
def test_the_order_in_which_it_is_noted_says_nothing(care, some, more):
    assert first_day_after(care, some + more, 24, 6) == first_day_after(care, more + some, 24, 6)
