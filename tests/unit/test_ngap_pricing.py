"""Dated values, price of an act, forclusion."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ngap
from ngap import LetterValue, Tariff, UnknownValue, act_price, first_forfeited_day


def ami(cents, start, end=None):
    return LetterValue("AMI", "metropole", cents, start, end, "", "B")


TARIFF = Tariff(
    [
        ami(315, date(2009, 4, 15), date(2026, 11, 6)),
        ami(335, date(2026, 11, 6), date(2027, 11, 1)),
        ami(345, date(2027, 11, 1)),
    ]
)


@pytest.mark.parametrize("module", [ngap.tariff, ngap.forclusion])
def test_documented_examples(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("day", "cents"),
    [
        (date(2026, 11, 5), 315),
        (date(2026, 11, 6), 335),
        (date(2027, 10, 31), 335),
        (date(2027, 11, 1), 345),
        (date(2040, 1, 1), 345),
    ],
)
def test_value_is_that_of_the_day_of_the_act(day, cents):
    assert TARIFF.value("AMI", "metropole", day).cents == cents


def test_unknown_value_says_what_to_do():
    with pytest.raises(UnknownValue, match="AMI .*zone dom.* 01/01/2026"):
        TARIFF.value("AMI", "dom", date(2026, 1, 1))
    with pytest.raises(UnknownValue):
        TARIFF.value("AMI", "metropole", date(2009, 4, 14))


@given(st.permutations(range(3)), st.dates(date(2009, 4, 15), date(2030, 1, 1)))
def test_order_of_the_values_does_not_matter(order, day):
    values = [
        ami(315, date(2009, 4, 15), date(2026, 11, 6)),
        ami(335, date(2026, 11, 6), date(2027, 11, 1)),
        ami(345, date(2027, 11, 1)),
    ]
    shuffled = Tariff([values[i] for i in order])
    assert shuffled.value("AMI", "metropole", day) == TARIFF.value("AMI", "metropole", day)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 99))
def test_price_is_rounded_half_up_on_each_act(value, coefficient, quantity):
    price = act_price(value, coefficient, quantity)
    assert price == quantity * act_price(value, coefficient)
    unit = act_price(value, coefficient)
    assert -50 < unit * 100 - value * coefficient <= 50


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_forclusion_starts_a_quarter_after_the_care(day, months):
    limit = first_forfeited_day(day, months)
    assert limit.day == 1
    start = first_forfeited_day(day, 0)
    assert start > day and start.month in (1, 4, 7, 10) and start - day <= timedelta(days=92)
    assert (limit.year - start.year) * 12 + limit.month - start.month == months
