"""Instalments: no cent is lost, no date slips, nothing outside the bounds is offered."""

import doctest
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dunning import plan

DAYS = st.dates(date(2000, 1, 1), date(2090, 1, 1))
CENTS = st.integers(1, 10**7)


def test_documented_examples():
    assert doctest.testmod(plan).failed == 0


@given(CENTS, st.integers(1, 36))
def test_the_instalments_make_the_total_and_differ_by_a_cent_at_most(total, count):
    assume(total >= count)
    found = plan.amounts(total, count)
    assert sum(found) == total
    assert len(found) == count
    assert max(found) - min(found) <= 1
    assert found == sorted(found, reverse=True)


@given(DAYS, st.integers(1, 24))
def test_one_instalment_a_month_on_the_same_day_where_there_is_one(first, count):
    found = plan.dates(first, count)
    months = [day.year * 12 + day.month for day in found]
    assert months == list(range(months[0], months[0] + count))
    assert all(day.day == first.day or (day.day < first.day and day.day >= 28) for day in found)


@given(CENTS, DAYS, st.integers(0, 24), st.integers(1, 10**5), st.integers(0, 10**5))
def test_every_offer_is_granted_and_nothing_granted_is_missing(total, day, most, least, floor):
    bounds = plan.Bounds(most, least, floor, first_days=7)
    offered = plan.offers(total, day, bounds)
    for offer in offered:
        assert sum(offer["amounts"]) == total
        assert min(offer["amounts"]) >= least
        assert 2 <= offer["count"] <= most
        assert total >= floor
        assert (offer["dates"][0] - day).days == 7
    granted = [count for count in range(26) if bounds.holds(total, count)]
    assert granted == [offer["count"] for offer in offered]


@given(st.lists(CENTS, min_size=1, max_size=12), st.integers(1, 12), st.data())
def test_a_debt_is_settled_by_the_first_instalment_that_reaches_it(debts, count, data):
    total = data.draw(st.integers(min(count, sum(debts)), sum(debts)))
    assume(total >= count)
    instalments = plan.amounts(total, count)
    ranks = plan.settling(debts, instalments)
    assert ranks == sorted(ranks)
    for index, rank in enumerate(ranks):
        covered = sum(debts[: index + 1])
        assert sum(instalments[: rank + 1]) >= covered or rank == count - 1
        if rank:
            assert sum(instalments[:rank]) < covered


@given(st.integers(-100, 10**7), st.lists(CENTS, min_size=1, max_size=12))
def test_what_is_paid_fills_the_instalments_in_order(paid, instalments):
    found = list(plan.settled(paid, instalments))
    assert sum(found) == max(0, min(paid, sum(instalments)))
    for index, part in enumerate(found):
        assert 0 <= part <= instalments[index]
        if part < instalments[index]:
            assert not any(found[index + 1 :])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: plan.Bounds(-1, 100),
        lambda: plan.Bounds(3, 0),
        lambda: plan.amounts(2, 3),
        lambda: plan.amounts(100, 0),
        lambda: plan.settling([1], []),
    ],
)
def test_what_makes_no_plan_is_refused(wrong):
    with pytest.raises(ValueError, match="instalment"):
        wrong()
