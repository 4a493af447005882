"""The scale of reminders: no step too early, none twice, one message per debtor."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.scale import MODES, Step, bundle, next_step

DUE = date(2026, 3, 1)
SCALE = [
    Step(1, 10),
    Step(2, 17, pause=7),
    Step(3, 30, pause=7),
    Step(4, 45, pause=10, alone=True),
    Step(5, 60, pause=15, least=3000, alone=True),
]
DAYS = st.dates(date(2020, 1, 1), date(2060, 1, 1))
STEPS = st.lists(
    st.builds(
        Step,
        rank=st.integers(1, 20),
        delay=st.integers(0, 120),
        mode=st.sampled_from(MODES),
        pause=st.integers(0, 40),
        least=st.integers(0, 5000),
        alone=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda step: step.rank,
)


def test_first_step_counts_from_the_due_date():
    step, first = next_step(SCALE, DUE, None, None)
    assert (step.rank, first) == (1, date(2026, 3, 11))


def test_a_debt_released_late_starts_at_the_first_step():
    step, first = next_step(SCALE, DUE - timedelta(days=400), None, None)
    assert (step.rank, first < DUE) == (1, True)


def test_pause_holds_the_next_step_however_late_the_debt():
    late = DUE + timedelta(days=200)
    assert next_step(SCALE, DUE, 1, late) == (SCALE[1], late + timedelta(days=7))
    assert next_step(SCALE, DUE, 4, late) == (SCALE[4], late + timedelta(days=15))


def test_end_of_the_scale_and_a_step_that_was_taken_away():
    assert next_step(SCALE, DUE, 5, DUE) is None
    assert next_step(SCALE, DUE, 9, DUE) is None
    rest = [step for step in SCALE if step.rank != 3]
    assert next_step(rest, DUE, 3, DUE)[0].rank == 4
    assert next_step([], DUE, None, None) is None


def test_other_ways_of_counting():
    month = Step(2, 10, mode="end_of_month")
    assert month.first_day(date(2026, 1, 25), None) == date(2026, 2, 28)
    previous = Step(2, 10, mode="previous_date")
    assert previous.first_day(DUE, date(2026, 5, 1)) == date(2026, 5, 11)
    assert previous.first_day(DUE, None) == date(2026, 3, 11)


@pytest.mark.parametrize("wrong", [{"delay": -1}, {"pause": -1}, {"least": -1}, {"mode": "x"}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError):
        Step(**{"rank": 1, "delay": 0, **wrong})


@given(STEPS, DAYS, st.integers(0, 400))
def test_a_whole_life_takes_every_step_once_in_order_with_its_pause(steps, due, start):
    last_rank, last, taken = None, None, []
    for offset in range(start, start + 900, 3):
        today = due + timedelta(days=offset)
        found = next_step(steps, due, last_rank, last)
        if found and found[1] <= today:
            step = found[0]
            assert last is None or today >= last + timedelta(days=step.pause)
            assert step.mode == "previous_date" or today >= due + timedelta(days=step.delay)
            last_rank, last = step.rank, today
            taken.append(step.rank)
    assert taken == sorted(set(taken))
    if len(steps) <= 4:
        assert taken == sorted(step.rank for step in steps)


def test_one_message_gathers_neutral_and_kind_steps():
    messages = bundle(
        [("a", "Anne", SCALE[0]), ("b", "Anne", SCALE[1]), ("c", "Paul", SCALE[0])],
        {"Anne": 5000, "Paul": 5000},
    )
    assert messages == {"Anne": (SCALE[1], ["a", "b"]), "Paul": (SCALE[0], ["c"])}


def test_a_firm_letter_speaks_only_of_what_had_the_steps_before():
    messages = bundle([("new", "Anne", SCALE[0]), ("old", "Anne", SCALE[3])], {"Anne": 5000})
    assert messages == {"Anne": (SCALE[3], ["old"])}


def test_a_step_below_its_least_amount_waits_and_the_others_go():
    reached = [("new", "Anne", SCALE[0]), ("old", "Anne", SCALE[4])]
    assert bundle(reached, {"Anne": 2999}) == {"Anne": (SCALE[0], ["new"])}
    assert bundle(reached[1:], {"Anne": 2999}) == {}
    assert bundle(reached[1:], lambda _debtor: 3000) == {"Anne": (SCALE[4], ["old"])}


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 4000), st.sampled_from(SCALE)), max_size=30
    )
)
def test_nobody_is_written_to_twice_and_nothing_is_told_to_whom_it_was_not(debts):
    owed = {}
    for debtor, amount, _step in debts:
        owed[debtor] = owed.get(debtor, 0) + amount
    reached = [(number, debtor, step) for number, (debtor, _amount, step) in enumerate(debts)]
    messages = bundle(reached, owed)
    seen = [key for _step, keys in messages.values() for key in keys]
    assert len(seen) == len(set(seen))
    for debtor, (top, keys) in messages.items():
        assert keys and owed[debtor] >= top.least
        for key in keys:
            assert debts[key][0] == debtor
            step = debts[key][2]
            assert step == top if top.alone else step.rank <= top.rank and not step.alone
    # whoever has reached a step that is worth it, is written to
    for debtor, _amount, step in debts:
        assert owed[debtor] < step.least or debtor in messages
