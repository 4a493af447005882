"""A patient's own transfer is taken only when it names the FSE and pays exactly what is owed."""

import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "health_noemie"))

from matching import Credit, Due, match_dues

DUES = [
    Due(1, "nurse", ("000012345", "PAT/2026/00007"), 1520),
    Due(2, "nurse", ("000000042", "PAT/2026/00008"), 1520),
    Due(3, "physio", ("000012345", "PAT/2026/00007"), 1520),
]


def credit(label, cents=1520, number=9, payee="nurse"):
    return Credit(number, payee, date(2026, 3, 2), cents, label)


@pytest.mark.parametrize(
    "label",
    [
        "VIR M DURAND FSE 12345",
        "VIR DURAND 000012345",
        "virement facture n° 12345",
        "VIR DURAND FSE12345",
        "VIR DURAND PAT/2026/00007 MERCI",
        "VIR DURAND PAT 2026 00007",
    ],
)
def test_quoted_number_and_exact_amount(label):
    (decision,) = match_dues(DUES, [credit(label)])
    assert (decision.rule, decision.settlement_ids) == ("patient", (1,))
    assert "15,20 €" in decision.evidence


@pytest.mark.parametrize(
    "label",
    ["VIR DURAND", "VIR DURAND 42", "VIR 123456", "VIR 9000012345", "VIR PAT/2026/000071", "2026"],
)
def test_nothing_close_to_a_number_counts(label):
    assert not match_dues(DUES, [credit(label)])


def test_short_number_needs_its_word():
    assert match_dues(DUES, [credit("VIR DURAND FSE 42")])[0].settlement_ids == (2,)


def test_other_amount_other_payee_two_numbers_two_credits():
    assert not match_dues(DUES, [credit("FSE 12345", 1519)])
    assert match_dues(DUES, [credit("FSE 12345", payee="physio")])[0].settlement_ids == (3,)
    assert not match_dues(DUES, [credit("FSE 12345 FSE 42")])
    assert not match_dues(DUES, [credit("FSE 12345"), credit("FSE 12345", number=10)])


def test_a_payer_is_no_patient():
    assert not match_dues(DUES, [credit("MUTUELLE DU SUD FSE 12345")], ["Mutuelle du Sud"])


@given(st.text(max_size=60), st.integers(-10, 5000))
def test_any_label_is_read_without_harm(label, cents):
    for decision in match_dues(DUES, [credit(label, cents)]):
        assert cents == 1520 and decision.settlement_ids in {(1,), (2,)}
