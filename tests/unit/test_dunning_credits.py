"""Whose money an unexplained credit could be."""

import doctest
from datetime import date

import pytest

from dunning import credits
from dunning.credits import Credit, Owing, could_be, family

CARE = date(2026, 10, 5)


def credit(text, cents=9999, day=date(2026, 11, 2), payee=1):
    return Credit(id=7, payee=payee, day=day, cents=cents, text=text)


def owing(*names, references=(), amounts=(1260,), payee=1):
    return Owing("key", payee, names, references, frozenset(amounts), CARE)


def sign(one, who):
    return could_be([one], [who]).get("key", (None, None))[1]


def test_doctests():
    assert doctest.testmod(credits).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        "VIR M OU MME DURAND",
        "VIREMENT DE DURAND-PETIT PAUL",
        "vir inst durand anne",
        "VIR/DURÀND",
    ],
)
def test_family_name(text):
    assert sign(credit(text), owing("DURAND Anne")) == "name"


@pytest.mark.parametrize("text", ["VIR ANNE PETIT", "VIR DURANDAL", "VIR D URAND", ""])
def test_other_names(text):
    assert sign(credit(text), owing("DURAND Anne")) is None


def test_whoever_settles_counts():
    assert sign(credit("VIR MOREAU"), owing("DURAND Anne", "MOREAU Marc")) == "name"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("VIR FSE 000123456 MERCI", "000123456"),
        ("VIR N 123456", "000123456"),
        ("VIR 000 123 456", "000123456"),
        ("REGLEMENT T99001", "T99001"),
        ("NOTE 000123", "000123"),
        ("VIR PAT 4411 9 ", "PAT/4411"),
    ],
)
def test_number(text, reference):
    assert sign(credit(text), owing("DURAND Anne", references=[reference])) == "number"


@pytest.mark.parametrize(
    ("text", "reference"),
    [("VIR 123", "000123"), ("VIR 12", "12"), ("VIR 1234567", "123456"), ("VIR PAT", "PAT/4411")],
)
def test_no_number(text, reference):
    assert sign(credit(text), owing("DURAND Anne", references=[reference])) is None


def test_exact_amount_after_the_care():
    assert sign(credit("VIR", cents=1260), owing("DURAND Anne")) == "amount"
    assert sign(credit("VIR", cents=1261), owing("DURAND Anne")) is None
    assert sign(credit("VIR", cents=1260, day=date(2026, 10, 4)), owing("DURAND Anne")) is None


def test_of_the_same_practitioner_only():
    assert sign(credit("VIR DURAND", cents=1260, payee=2), owing("DURAND Anne")) is None


def test_surest_sign_first():
    lines = [
        Credit(1, 1, CARE, 1260, "VIR"),
        Credit(2, 1, CARE, 5000, "VIR DURAND"),
        Credit(3, 1, CARE, 5000, "VIR 000123456"),
    ]
    who = owing("DURAND Anne", references=["000123456"])
    assert could_be(lines, [who]) == {"key": (3, "number")}
    assert could_be(lines[:2], [who]) == {"key": (2, "name")}


def test_names_that_say_nothing():
    assert family("") == ()
    assert family("Li Na") == ()
    assert family("BA Marie") == ("MARIE",)
    assert family("DE LA Tour") == ("TOUR",)
    assert family("O'NEIL Kim") == ("NEIL",)
