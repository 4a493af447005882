"""Allocation of payments: the order of the law, and no cent lost."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning import allocation
from dunning.allocation import Debt, allocate, share_out

DAY = date(2026, 11, 14)
CENTS = st.integers(0, 10**6)


@st.composite
def debts(draw):
    rows = draw(
        st.lists(
            st.tuples(CENTS, st.integers(0, 60), st.integers(-40, 40), st.integers(0, 2), CENTS),
            max_size=8,
        )
    )
    return [
        Debt(n, left, DAY - timedelta(days=age), DAY + timedelta(days=due), weight, interest)
        for n, (left, age, due, weight, interest) in enumerate(rows)
    ]


def test_documented_examples():
    assert doctest.testmod(allocation).failed == 0


@given(st.lists(CENTS, min_size=1, max_size=9), st.data())
def test_shared_out_in_proportion_to_the_cent(weights, data):
    total = sum(weights)
    amount = data.draw(st.integers(0, total))
    parts = share_out(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert total == 0 or abs(part * total - amount * weight) < total


@given(debts(), st.integers(0, 10**7))
def test_no_cent_is_lost_and_no_debt_is_paid_twice(owed, amount):
    parts, over = allocate(amount, owed, DAY)
    by_key = {debt.key: debt for debt in owed}
    assert sum(part.principal + part.interest for part in parts) + over == amount
    assert len({part.key for part in parts}) == len(parts)
    for part in parts:
        debt = by_key[part.key]
        assert 0 <= part.principal <= debt.left
        assert 0 <= part.interest <= debt.interest
        # interest comes before the principal of the same debt
        assert not part.principal or part.interest == debt.interest
    assert not over or sum(debt.whole for debt in owed) == amount - over


@given(debts(), st.integers(0, 10**6))
def test_nothing_is_paid_before_what_the_law_puts_first(owed, amount):
    paid = {part.key: part.principal + part.interest for part in allocate(amount, owed, DAY)[0]}
    for first in owed:
        for second in owed:
            before = (first.due > DAY, -first.weight, first.since, first.due) < (
                second.due > DAY,
                -second.weight,
                second.since,
                second.due,
            )
            if before and paid.get(second.key):
                assert paid.get(first.key, 0) == first.whole


@given(debts(), st.integers(1, 10**6))
def test_the_choice_of_the_debtor_comes_first(owed, amount):
    wish = [debt.key for debt in owed if debt.whole][-2:]
    paid = {p.key: p.principal + p.interest for p in allocate(amount, owed, DAY, wish)[0]}
    others = sum(cents for key, cents in paid.items() if key not in wish)
    missing = sum(debt.whole - paid.get(debt.key, 0) for debt in owed if debt.key in wish)
    assert not others or not missing


def test_alike_in_everything_is_paid_in_proportion():
    twins = [
        Debt(n, left, DAY - timedelta(days=50), DAY - timedelta(days=20))
        for n, left in enumerate((1000, 3000))
    ]
    parts, over = allocate(1001, twins, DAY)
    assert [(part.principal, part.key) for part in parts] == [(250, 0), (751, 1)]
    assert over == 0


def test_what_cannot_be_shared_out_is_refused():
    with pytest.raises(ValueError, match="shared out"):
        share_out(5, [0, 0])
    with pytest.raises(ValueError, match="negative"):
        allocate(-1, [], DAY)
