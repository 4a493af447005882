"""The QR code of a transfer, as a banking app reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.epc import NAME, REFERENCE, epc_text, transfer_reference

IBAN = "FR76 3000 6000 0112 3456 7890 189"


def test_lines_of_the_standard():
    assert epc_text("Cabinet Léa Müller", IBAN, 2100, "000301 000302", "agrifrpp").split("\n") == [
        *("BCD", "002", "1", "SCT", "AGRIFRPP", "Cabinet Lea Muller"),
        *("FR7630006000011234567890189", "EUR21.00", "", "", "000301 000302"),
    ]


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1, "EUR0.01"), (5, "EUR0.05"), (1010, "EUR10.10"), (10**9, "EUR10000000.00")],
)
def test_amount_has_no_float_in_it(amount, text):
    assert epc_text("X", IBAN, amount, "1").split("\n")[7] == text


@pytest.mark.parametrize("amount", [0, -1, 10**11])
def test_no_such_transfer(amount):
    with pytest.raises(ValueError, match="cents"):
        epc_text("X", IBAN, amount, "1")


def test_no_account():
    with pytest.raises(ValueError, match="account"):
        epc_text("X", " ", 1, "1")


@given(st.text(max_size=300), st.text(max_size=300), st.integers(1, 10**11 - 1))
def test_always_eleven_lines_that_fit(holder, reference, amount):
    text = epc_text(holder, IBAN, amount, reference)
    lines = text.split("\n")
    assert len(lines) == 11
    assert len(lines[5]) <= NAME
    assert len(lines[10]) <= REFERENCE
    assert text.isascii()
    assert len(text) <= 331


def test_reference_is_what_the_bank_match_reads():
    assert transfer_reference(["000301", "000302"], "P12") == "000301 000302"
    assert transfer_reference([f"{n:09}" for n in range(7)], "P12") == "P12"
    assert transfer_reference([], "P12") == "P12"
