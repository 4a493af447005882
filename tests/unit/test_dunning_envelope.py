"""Address blocks of letters, and days in words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.envelope import MOST_CHARACTERS, MOST_LINES, address_block
from dunning.french import day_text

WORD = st.text(alphabet="abcdeéèàçÉ-'1234567890", min_size=1, max_size=20)
LINE = st.lists(WORD, max_size=12).map(" ".join)


def test_an_ordinary_address():
    assert address_block("Mme Anne Durand", ["", "3 rue Crébillon,"], "44000  Nantes") == [
        "Mme Anne Durand",
        "3 rue Crébillon",
        "44000 NANTES",
    ]


def test_abroad_the_country_comes_last():
    assert address_block("M. Luc Peeters", ["4 rue Haute"], "1000 Bruxelles", "Belgique")[-2:] == [
        "1000 BRUXELLES",
        "BELGIQUE",
    ]


def test_what_is_long_goes_on_in_the_next_line():
    assert address_block(
        "Mme Durand", ["Appartement 34, Résidence des Acacias, bâtiment C"], "75020 Paris"
    ) == [
        "Mme Durand",
        "Appartement 34, Résidence des Acacias,",
        "bâtiment C",
        "75020 PARIS",
    ]


def test_without_a_town_nothing_is_invented():
    assert address_block("Mme Durand", [], "") == ["Mme Durand"]


@given(name=LINE, lines=st.lists(LINE, max_size=4), place=LINE, country=LINE)
def test_nothing_is_lost_and_the_window_is_never_overfull(name, lines, place, country):
    block = address_block(name, lines, place, country)
    text = " ".join(block).lower().split()
    wanted = " ".join([name, *lines, place, country]).lower()
    assert sorted("".join(text)) == sorted("".join(wanted.split()))
    ends = bool(place.split()) + bool(country.split())
    if name.split():
        assert block[0].split()[0] == name.split()[0]
    # the name itself may need several lines; what lies between is brought together first
    named = address_block(name, [], "")
    assert len(block) <= max(MOST_LINES, len(named) + ends + 1)
    for line in named:
        assert len(line) <= MOST_CHARACTERS or " " not in line


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 12, 1), "1er décembre 2026"),
        (date(2027, 2, 28), "28 février 2027"),
        (date(2026, 8, 15), "15 août 2026"),
    ],
)
def test_a_day_in_words(day, text):
    assert day_text(day).replace("\N{NO-BREAK SPACE}", " ") == text
