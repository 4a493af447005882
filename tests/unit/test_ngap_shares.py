"""Shares of an act between fund, insurer and patient."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngap import Franchise, Split, Terms, franchise, shares, split

RATES = st.integers(0, 100)
TERMS = st.builds(Terms, RATES, RATES, st.booleans(), st.booleans(), st.booleans())
CENTS = st.integers(0, 200_000)
FRANCHISE = Franchise(per_act=100, per_day=400, per_year=5000)


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(shares).failed == 0


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # 12.91 € on purpose: 60 % is 7.746 €, 90 % is 11.619 €
        (Terms(60), (775, 0, 516)),
        (Terms(60, 100, third_party_amc=True), (775, 516, 0)),
        (Terms(60, 50, third_party_amc=True), (775, 258, 258)),
        (Terms(90), (1162, 0, 129)),
        (Terms(100), (1291, 0, 0)),
        (Terms(60, pays_rest=True), (1291, 0, 0)),
        (Terms(60, third_party_amc=True, pays_rest=True), (775, 516, 0)),
        (Terms(60, 100, third_party_amo=False), (0, 0, 1291)),
        (Terms(60, 100, third_party_amo=False, third_party_amc=True), (0, 516, 775)),
        (Terms(0), (0, 0, 1291)),
    ],
)
def test_each_way_of_being_covered(terms, expected):
    shared = split(1291, terms)
    assert (shared.amo, shared.amc, shared.patient) == expected


def test_half_a_cent_goes_to_the_fund():
    # 50 % of 3.15 € is 1.575 €
    assert split(315, Terms(50)).amo == 158
    assert split(315, Terms(50)).patient == 157


def test_overrun_is_the_patients_whatever_the_contract():
    shared = split(2260, Terms(60, 100, third_party_amc=True), overrun=1000)
    assert shared == Split(756, 504, 1000, amo_base=1260)


def test_direct_payment_tells_what_comes_back():
    shared = split(1260, Terms(60, 100, third_party_amo=False))
    assert (shared.patient, shared.amo_base, shared.refund_amo, shared.refund_amc) == (
        1260,
        1260,
        756,
        504,
    )


def test_nonsense_is_refused_in_french():
    with pytest.raises(ValueError, match="négatif"):
        split(-1, Terms(60))
    with pytest.raises(ValueError, match="dépassement"):
        split(100, Terms(60), overrun=101)
    with pytest.raises(ValueError, match="0 à 100"):
        Terms(101)


@given(CENTS, TERMS, CENTS, st.booleans())
def test_shares_make_the_amount_and_are_never_negative(tariff, terms, overrun, is_covered):
    shared = split(tariff + overrun, terms, overrun, is_covered)
    assert shared.total == tariff + overrun
    assert min(shared.amo, shared.amc, shared.patient, shared.refund_amo, shared.refund_amc) >= 0
    assert shared.patient >= overrun
    assert shared.refund_amo + shared.refund_amc <= shared.patient
    if not is_covered:
        assert shared.patient == shared.total


@given(CENTS, TERMS)
def test_public_funds_leave_nothing_to_the_patient(tariff, terms):
    if terms.pays_rest:
        assert split(tariff, terms).patient == 0


@given(CENTS, TERMS, st.integers(0, 500))
def test_a_dearer_act_costs_nobody_less(tariff, terms, more):
    low, high = split(tariff, terms), split(tariff + more, terms)
    for name in ("amo", "amc", "patient", "amo_base"):
        assert getattr(low, name) <= getattr(high, name)


@given(CENTS, RATES, RATES, RATES, st.booleans(), st.booleans())
def test_a_better_rate_never_costs_the_patient_more(tariff, one, two, amc_rate, tp_amo, tp_amc):
    low, high = sorted((one, two))
    worse = split(tariff, Terms(low, amc_rate, tp_amo, tp_amc))
    better = split(tariff, Terms(high, amc_rate, tp_amo, tp_amc))
    out_of_pocket = [s.patient - s.refund_amo - s.refund_amc for s in (worse, better)]
    # the insurer's own rounding may move one cent
    assert out_of_pocket[1] <= out_of_pocket[0] + 1
    assert worse.amo <= better.amo


def test_franchise_stops_at_the_day_and_at_the_year():
    first = date(2026, 1, 1)
    days = [first + timedelta(days=n) for n in range(20) for _act in range(5)]
    kept = franchise(days, FRANCHISE)
    assert set(list(kept.values())[:12]) == {400}
    assert sum(kept.values()) == 5000
    assert franchise(days, FRANCHISE, is_exempt=True) == {}
    assert franchise([date(2027, 1, 1)], FRANCHISE, known={2026: 5000}) == {date(2027, 1, 1): 100}


@given(
    st.lists(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=120),
    st.integers(0, 6000),
)
def test_franchise_keeps_its_ceilings(days, known):
    kept = franchise(days, FRANCHISE, known={2026: known})
    assert all(0 < cents <= 400 for cents in kept.values())
    for year in (2025, 2026, 2027):
        total = sum(cents for day, cents in kept.items() if day.year == year)
        assert total <= max(0, 5000 - (known if year == 2026 else 0))
