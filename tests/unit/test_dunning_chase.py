"""The scale of payers, and files shared out among the sendings of a form."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning import chase, parcels
from dunning.chase import Claim, Step, next_step
from dunning.parcels import TooLarge

DAY = date(2026, 11, 2)
SCALE = [Step(1, 15), Step(2, 30), Step(3, 60)]


def days(count):
    return DAY + timedelta(days=count)


def test_documented_examples():
    assert doctest.testmod(parcels).failed == 0
    assert doctest.testmod(chase).failed == 0


def test_one_contact_takes_all_that_is_due():
    found = next_step(
        [Claim(1, days(-20)), Claim(2, days(-40), rank=1), Claim(3, days(-3))], SCALE, DAY
    )
    assert found.ranks == {1: 1, 2: 2}
    assert (found.rank, found.on) == (2, days(-10))


def test_no_step_is_skipped_however_old():
    assert next_step([Claim(1, days(-400))], SCALE, DAY).ranks == {1: 1}


def test_gap_between_two_contacts():
    found = next_step([Claim(1, days(-400), rank=1)], SCALE, DAY, days(-2), gap_days=7)
    assert (found.on, found.ranks) == (days(5), {1: 2})


def test_what_the_payer_promised_rests():
    found = next_step([Claim(1, days(-400), rests_until=days(9))], SCALE, DAY)
    assert found.on == days(10)


def test_the_pause_of_a_step_counts_from_the_last_time():
    scale = [Step(1, 0), Step(2, 0, pause_days=10)]
    claim = Claim(1, days(-90), rank=1, asked_on=days(-3))
    assert next_step([claim], scale, DAY).on == days(7)


def test_too_little_for_the_next_step():
    scale = [Step(1, 0), Step(2, 0, least_cents=1_000)]
    claims = [Claim(1, days(-90), rank=1, cents=600), Claim(2, days(-90), cents=300)]
    assert next_step(claims, scale, DAY).ranks == {2: 1}
    more = [*claims, Claim(3, days(-90), rank=1, cents=100)]
    assert next_step(more, scale, DAY).ranks == {1: 2, 2: 1, 3: 2}


def test_every_step_taken():
    assert next_step([Claim(1, days(-400), rank=3)], SCALE, DAY) is None
    assert next_step([], SCALE, DAY) is None
    assert next_step([Claim(1, days(-400))], [], DAY) is None


@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 3)), max_size=8),
    st.integers(0, 14),
    st.integers(-20, 0),
)
def test_taken_day_by_day_every_claim_climbs_each_step_once(claims, gap, last):
    """Worked every day for a year: each claim takes its missing steps in order, never two contacts within the gap."""
    state = {key: [days(due), rank] for key, (due, rank) in enumerate(claims)}
    taken, last_contact, contacts = {key: [] for key in state}, days(last), []
    for offset in range(400):
        day = days(offset)
        found = next_step(
            [Claim(key, due, rank) for key, (due, rank) in state.items()],
            SCALE,
            day,
            last_contact,
            gap,
        )
        if found is None or found.on > day:
            continue
        if contacts:
            assert day >= contacts[-1] + timedelta(days=gap)
        contacts.append(day)
        last_contact = day
        for key, rank in found.ranks.items():
            assert day >= state[key][0] + timedelta(days=SCALE[rank - 1].delay_days)
            state[key][1] = rank
            taken[key].append(rank)
    for key, (_due, first) in enumerate(claims):
        assert taken[key] == list(range(first + 1, 4))


@given(st.lists(st.integers(0, 120), max_size=40), st.integers(1, 6), st.integers(100, 150))
def test_parcels_keep_all_files_in_order_within_both_limits(sizes, most_files, most_bytes):
    if any(size > most_bytes for size in sizes):
        with pytest.raises(TooLarge) as caught:
            parcels.parcels(sizes, most_files, most_bytes)
        assert sizes[caught.value.index] > most_bytes
        return
    made = parcels.parcels(sizes, most_files, most_bytes)
    assert [index for one in made for index in one] == list(range(len(sizes)))
    for one in made:
        assert 0 < len(one) <= most_files
        assert sum(sizes[index] for index in one) <= most_bytes
    for one, after in zip(made, made[1:], strict=False):
        full = len(one) == most_files
        assert full or sum(sizes[i] for i in one) + sizes[after[0]] > most_bytes
