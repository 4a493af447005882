"""Legal interest by dated rates: exact, additive, never on an unknown day."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning import interest
from dunning.interest import Rate, UnknownRate, half_year, known_until, legal_interest

RATES = [
    Rate(date(2025, 1, 1), date(2025, 7, 1), 371),
    Rate(date(2025, 7, 1), date(2026, 1, 1), 276),
    Rate(date(2026, 1, 1), date(2026, 7, 1), 262),
]
days = st.dates(date(2025, 1, 1), date(2026, 7, 1))
sums = st.integers(0, 1_000_000)


def test_doctests():
    assert doctest.testmod(interest).failed == 0


def test_by_hand():
    # 500,00 € from 1 June to 1 August 2025: 30 days at 3,71 %, 31 at 2,76 %
    # 50000 × (371 × 30 + 276 × 31) / 10000 / 365 = 269,66 cents
    assert legal_interest(50000, date(2025, 6, 1), date(2025, 8, 1), RATES) == 270


def test_a_leap_year_has_one_more_day():
    rates = [Rate(date(2024, 1, 1), date(2025, 1, 1), 500)]
    assert legal_interest(100000, date(2024, 1, 1), date(2025, 1, 1), rates) == 5000


def test_half_a_cent_counts_as_one():
    rates = [Rate(date(2025, 1, 1), date(2026, 1, 1), 365)]
    # 1 cent and a half after 15 days on 10,00 €
    assert legal_interest(1000, date(2025, 1, 1), date(2025, 1, 16), rates) == 2


def test_no_rate_is_guessed():
    with pytest.raises(UnknownRate) as caught:
        legal_interest(50000, date(2026, 6, 1), date(2026, 7, 2), RATES)
    assert caught.value.day == date(2026, 7, 1)
    assert known_until(date(2025, 3, 1), RATES) == date(2026, 7, 1)
    assert known_until(date(2026, 8, 1), RATES) == date(2026, 8, 1)


def test_half_years():
    assert half_year(date(2026, 6, 30)) == (date(2026, 1, 1), date(2026, 7, 1))
    assert half_year(date(2026, 12, 31)) == (date(2026, 7, 1), date(2027, 1, 1))


@given(sums, days, days)
def test_never_negative_and_none_for_no_time(cents, start, end):
    got = legal_interest(cents, start, end, RATES)
    assert got >= 0
    if end <= start:
        assert got == 0


@given(sums, days, days, days)
def test_time_adds_up_to_a_cent(cents, one, two, three):
    start, middle, end = sorted((one, two, three))
    whole = legal_interest(cents, start, end, RATES)
    parts = legal_interest(cents, start, middle, RATES) + legal_interest(cents, middle, end, RATES)
    assert abs(whole - parts) <= 1


@given(sums, days, st.integers(0, 300))
def test_day_by_day_oracle(cents, start, length):
    end = min(start + timedelta(days=length), date(2026, 7, 1))
    # hundredths of a percent of cents, over 365 days: both years are common ones
    total = 0
    day = start
    while day < end:
        total += cents * next(r.basis_points for r in RATES if r.start <= day < r.end)
        day += timedelta(days=1)
    assert legal_interest(cents, start, end, RATES) == (2 * total + 3650000) // 7300000
