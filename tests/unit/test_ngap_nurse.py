"""Families of the nurse's acts, and what of pricing the vignettes cannot say."""

from dataclasses import replace
from datetime import date

import pytest
from test_ngap_vignettes import FOLDER, catalogue, key_letters, tariff

import ngap
from ngap import LetterValue, Line, Patient, Session, Severity, Tariff, price_day, price_session
from ngap.catalogue import rows
from ngap.cumulation import BLOCKS, EXCLUSIONS, PACKAGE_ASIDE, PACKAGE_FULL, PACKAGE_HALF
from ngap.rules import rates

NURSE = [act for act in catalogue().values() if act.profession == "infirmier"]


def session(code, day=date(2026, 10, 5), **values):
    act = catalogue()[code]
    line = Line("l", act.key_letter, act.coefficient, day, act=act)
    values = {"zone": "metropole", "patient": Patient("A", home="A"), **values}
    zone, patient = values.pop("zone"), values.pop("patient")
    return Session("s", "P", act.profession, zone, patient, day, (line,), **values)


def price(one, values=None):
    return price_session(one, values or tariff(), catalogue(), key_letters())


def test_every_act_has_a_family_and_every_code_is_unique():
    codes = [row["code"] for row in rows("acts_infirmier.csv")]
    assert len(codes) == len(set(codes)) == 126
    assert [act.code for act in NURSE if not act.tags] == []


def test_every_family_that_the_engine_speaks_of_exists():
    known = {tag for act in NURSE for tag in act.tags}
    spoken = {tag for block in BLOCKS for tag in block.slots}
    spoken |= {tag for one in EXCLUSIONS["infirmier"] for tag in (*one.one, *one.other)}
    spoken |= {*PACKAGE_FULL, *PACKAGE_HALF, *PACKAGE_ASIDE}
    assert spoken - known == set()


@pytest.mark.parametrize(
    ("code", "start", "end"),
    [
        ("INF-AMI2-05", None, date(2026, 6, 21)),
        ("INF-AMI2,02-01", date(2026, 6, 21), None),
        ("INF-AMI2,02-02", date(2026, 6, 21), None),
        ("INF-AIS3-01", None, date(2026, 6, 21)),
        ("INF-AIS4-01", None, date(2026, 6, 21)),
        ("INF-AMI1,35-01", date(2099, 1, 1), None),  # announced, no date known: kept out
        ("INF-AMI3,48-01", date(2027, 1, 1), None),
        ("INF-AMI3,77-01", date(2028, 1, 1), None),
    ],
)
def test_since_and_until_when_an_act_may_be_billed(code, start, end):
    assert (catalogue()[code].start, catalogue()[code].end) == (start, end)


@pytest.mark.parametrize("module", [rates, ngap.extras, ngap.travel, ngap.calendar])
def test_documented_examples(module):
    import doctest

    assert doctest.testmod(module).failed == 0


def test_every_rule_of_nurses_has_a_vignette():
    """By its number in the name or the findings of a story."""
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("infirmier_*.toml"))
    assert [code for code in ngap.rule_texts() if code[:4] == "INF-" and code not in text] == []


def test_a_zone_without_a_value_takes_the_mainland_s_and_says_it_is_unconfirmed():
    priced = price(session("INF-AMI3-02", date(2026, 12, 1), zone="mayotte"))
    assert [(one.amount, one.grade) for one in priced.lines] == [(1005, "C")]


def test_a_confirmed_value_is_no_longer_grade_c():
    value = LetterValue("AMI", "metropole", 350, date(2026, 1, 1), None, "", "C")
    one = session("INF-AMI3-02")
    assert price(one, Tariff([value])).lines[0].grade == "C"
    assert price(one, Tariff([replace(value, is_confirmed=True)])).lines[0].grade == "B"


def test_an_unknown_value_is_a_finding_and_no_error():
    priced = price(session("INF-AIS3-01", date(2026, 12, 1)))
    assert [one.amount for one in priced.lines] == [0]
    (finding,) = priced.findings
    assert finding.severity is Severity.BLOCKING and "AIS" in finding.message


def test_the_price_follows_the_day_of_the_act_and_not_of_the_neighbour():
    old, new = session("INF-AMI3-02", date(2026, 11, 5)), session("INF-AMI3-02", date(2026, 11, 6))
    priced = price_day([old, new], tariff(), catalogue(), key_letters())
    assert [one.total for one in priced] == [945, 1005]


def test_what_is_added_bears_the_session_s_hour_place_and_passage():
    one = session("INF-AMI4-08", place="home", minute=480, passage=2)
    added = [x.line for x in price(one).lines if x.line.key is None]
    assert {line.key_letter for line in added} == {"MCI", "IFD"}
    assert {(line.minute, line.place, line.passage) for line in added} == {(480, "home", 2)}
    assert all(line.act for line in added)
