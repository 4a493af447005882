"""Text of an SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.sms import BASIC, EXTENDED, is_stop, segments, to_gsm


def test_careful_french_becomes_one_cheap_message():
    text = "Bonjour, il reste 12,60 € à régler à « Léa Dœuff » – merci d’avance… ça ira ?"
    assert (
        to_gsm(text)
        == 'Bonjour, il reste 12,60 € à régler à "Léa Doeuff" - merci d\'avance... ca ira ?'
    )
    assert segments(to_gsm(text)) == 1
    assert segments(text) == 2


@given(st.text(max_size=400))
def test_latin_text_is_always_in_the_alphabet(text):
    latin = "".join(char for char in text if char.isascii() and char.isprintable())
    plain = to_gsm(latin)
    assert set(plain) <= BASIC | EXTENDED | {"`"}


@given(st.text(alphabet=sorted(BASIC), max_size=1000))
def test_parts_cover_the_text(text):
    count = segments(text)
    assert count == (0 if not text else 1 if len(text) <= 160 else -(-len(text) // 153))


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_text_never_costs_less(first, second):
    assert segments(first + second) >= segments(first)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", True),
        ("stop svp", True),
        ("Arrêt", True),
        ("ARRET", True),
        ("Désabonner", True),
        ("Arrêt de travail joint", False),
        ("Non stop ici", False),
        ("J'ai payé hier", False),
        ("", False),
        ("   ", False),
        ("!!!", False),
    ],
)
def test_who_wants_nothing_more(text, expected):
    assert is_stop(text) is expected
