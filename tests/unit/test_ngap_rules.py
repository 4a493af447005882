"""The rules as a whole: every row of the data file answered for, no number in the code, no surprise in the order."""

import ast
import csv
import doctest
import random
import re
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import ngap
from ngap import (
    RULES,
    Agreement,
    Book,
    Claim,
    Line,
    Patient,
    Prescription,
    Severity,
    Tariff,
    act_types,
    by_code,
    control,
    rule_texts,
)
from ngap.catalogue import DATA, rows
from ngap.limits import limits
from ngap.rules import common, orthoptics, physio, speech
from ngap.update import load_values

VIGNETTES = Path(__file__).parent / "vignettes"
RULE_FILES = sorted(Path(ngap.rules.__file__).parent.glob("*.py"))
SERVED = {"kinesitherapeute": "MK", "orthophoniste": "ORT", "orthoptiste": "OPT"}

ACTS = by_code(act_types())
TARIFF = Tariff(load_values())


# --- the data and the code say the same


def test_every_rule_is_checked_or_says_why_not():
    texts = rule_texts()
    assert set(RULES) <= set(texts)
    neither = [code for code, text in texts.items() if code not in RULES and not text.why_unchecked]
    both = [code for code, text in texts.items() if code in RULES and text.why_unchecked]
    assert (neither, both) == ([], [])


def test_professions_not_served_have_no_rule():
    assert not [code for code in RULES if code.startswith(("SF-", "IPA-"))]


@pytest.mark.parametrize("code", sorted(rule_texts()))
def test_grade_follows_the_reference(code):
    """A needs the text or a ruling; what the reference itself calls secondary or unconfirmed is no A."""
    text = rule_texts()[code]
    assert text.grade in "ABC" and text.grade
    if text.grade == "A":
        assert re.search(r"NGAP|Cass\.", text.reference), text.reference
        assert not re.search(r"secondaire|recalled|unconfirmed", text.reference), text.reference
    if re.search(r"recalled|unconfirmed", text.reference):
        assert text.grade == "C", text.reference


def test_limits_are_sorted_sourced_and_used():
    known = rows("limits.csv")
    codes = [row["code"] for row in known]
    assert codes == sorted(set(codes))
    assert all(row["source"] and row["unit"] and row["grade"] in {"A", "B", "C"} for row in known)
    package = Path(ngap.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    composed = {f"ORT-03-{tag}" for tag in speech.SERIES}
    composed |= {f"{age}-{end}" for age in orthoptics.AGES.values() for end in ("debut", "fin")}
    assert [one for one in codes if one not in code and one not in composed] == []


def test_asked_limits_exist():
    for path in RULE_FILES:
        for code in re.findall(r'limit(?:_day)?\("([^"]+)"\)', path.read_text(encoding="utf-8")):
            assert code in limits(), f"{path.name}: {code}"


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_rules_of_our_trades_hold_no_number(path):
    """Quotas, delays and ages are data; what is left are ranks and percentages of article 11 B."""
    found = Counter(
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int)
        and not isinstance(node.value, bool)
    )
    #: 12 and 28 months and days of the calendar, 24 and 60 of the clock, 50 and 100 of percentages
    assert set(found) <= {0, 1, 2, 3, 12, 24, 28, 50, 60, 100}


def test_tags_are_documented():
    documented = set(
        re.findall(r"`([a-z0-9_]+)`", (DATA / "README.md").read_text(encoding="utf-8"))
    )
    for profession in SERVED:
        used = {tag for row in rows(f"acts_{profession}.csv") for tag in row["tags"].split()}
        missing = {tag for tag in used if not re.fullmatch(r"art\d+[a-f]?", tag)} - documented
        assert not missing, (profession, missing)


def test_every_act_of_our_trades_has_a_family_and_agreements_follow_the_text():
    texts = {
        (row["key_letter"], row["coefficient"], row["label_fr"]): row["accord_prealable"]
        for row in rows("ngap_acts.csv")
    }
    for profession in SERVED:
        for row in rows(f"acts_{profession}.csv"):
            assert row["tags"], row["code"]
            text = texts[row["key_letter"], row["coefficient"], row["label_fr"]]
            found = re.search(r"à partir de la (\d+)e séance", text)
            if found:
                assert row["agreement_from"] == found[1], row["code"]
            elif "AVANT de commencer" in text:
                assert row["agreement_from"] == "1"
            elif "au-delà de 20 séances" in text:
                assert row["agreement_from"] == "21"
            elif text.startswith("non"):
                assert row["agreement_from"] == "", row["code"]


def test_unconfirmed_coefficients_leave_the_old_ones_open():
    unconfirmed = [act for act in ACTS.values() if "non_confirme" in act.tags]
    assert len(unconfirmed) == 6 and all(act.grade == "C" for act in unconfirmed)
    assert all(act.end is None for act in ACTS.values() if act.key_letter == "NMI")


@pytest.mark.parametrize("module", [common, physio, speech, orthoptics, ngap.limits, ngap.words])
def test_documented_examples(module):
    assert doctest.testmod(module).failed == 0


def test_each_rule_of_our_trades_has_stories_both_ways():
    """A story that finds it, and a story of the same reference that finds nothing."""
    finding, silent = set(), set()
    for path in VIGNETTES.glob("*.toml"):
        for story in tomllib.loads(path.read_text(encoding="utf-8"))["vignette"]:
            found = story.get("constats")
            if found is None:
                continue
            finding |= set(found)
            named = set(re.findall(r"\b(?:GEN|MK|ORT|OPT)-\d\d", story["reference"]))
            silent |= named - set(found)
    ours = {code for code in RULES if not code.startswith("INF")}
    assert ours - finding == set()
    assert ours - silent == set()


# --- how findings come out


def line(code, day, key, **more):
    act = ACTS[code]
    return Line(key, act.key_letter, act.coefficient, day, act=act, **more)


def claim(key, *lines, profession="kinesitherapeute", patient="A", **more):
    return Claim(key, "P", profession, "metropole", patient, tuple(lines), **more)


def book(*claims, **more):
    return Book(claims, TARIFF, acts=ACTS, **more)


def codes(findings, key):
    return [finding.rule for finding in findings[key]]


def test_a_finding_says_what_where_and_what_to_do():
    day = date(2026, 10, 5)
    found = control(book(claim(1, line("MK-VIM8,11-01", day, 1))))[1]
    (finding,) = found
    assert finding.rule == "GEN-01" and finding.severity is Severity.BLOCKING
    assert finding.line == 1 and finding.claim == 1
    assert "VIM 8,11 du 05/10/2026" in finding.message and "Rattachez" in finding.message
    assert finding.reference.startswith("NGAP")


def test_a_reason_turns_a_missing_prescription_into_advice():
    one = line("MK-VIM8,11-01", date(2026, 10, 5), 1, reason="accès direct en MSP")
    (finding,) = control(book(claim(1, one)))[1]
    assert finding.severity is Severity.ADVICE


def test_imported_claims_are_only_advised_where_little_is_known():
    start = date(2026, 7, 1)
    lines = [
        line("MK-RAM8,09-01", start + timedelta(days=2 * rank), rank, amount=1788)
        for rank in range(20)
    ]
    (finding,) = control(book(claim(1, *lines, is_billed=True)))[1]
    assert (finding.rule, finding.severity) == ("MK-05", Severity.ADVICE)
    assert "16e séance" in finding.message


def test_reminder_counts_the_sessions_left():
    start = date(2026, 8, 3)
    lines = [
        line("MK-RAM8,09-01", start + timedelta(days=2 * r), r, prescription="o") for r in range(13)
    ]
    found = control(book(claim(1, *lines), prescriptions={"o": Prescription("o", start)}))[1]
    (finding,) = [one for one in found if one.rule == "MK-05"]
    assert finding.severity is Severity.ADVICE
    assert "avant la 16e séance : il reste 2 séances" in finding.message


def test_an_agreement_for_another_act_does_not_help():
    day = date(2026, 10, 5)
    one = line("MK-RSC8,09-01", day, 1, prescription="o")
    agreement = Agreement(
        "a", day - timedelta(days=40), "granted", acts=frozenset({"MK-VIM8,1-01"})
    )
    found = control(
        book(
            claim(1, one),
            prescriptions={"o": Prescription("o", day)},
            agreements={"A": (agreement,)},
        )
    )
    assert codes(found, 1) == ["MK-06"]


def test_wrong_period_gives_the_difference():
    one = Line(1, "AMI", 400, date(2026, 11, 9), amount=1260)
    (finding,) = control(book(claim(1, one, profession="infirmier", is_billed=True)))[1]
    assert finding.rule == "GEN-14"
    assert finding.proposal.gain == 80 and "Il manque 0,80 €" in finding.message


def test_specific_travel_shows_what_it_gains():
    day = date(2026, 10, 5)
    care = line("MK-NMI9-01", day, 1, amount=1989, place="home", prescription="o")
    travel = Line(2, "IFD", 100, day, amount=250, place="home", prescription="o")
    found = control(book(claim(1, care, travel), prescriptions={"o": Prescription("o", day)}))
    (finding,) = found[1]
    assert finding.rule == "MK-10" and finding.line == 2
    assert (finding.proposal.kind, finding.proposal.key_letter) == ("replace", "IFS")
    assert finding.proposal.gain == 150


def test_a_duplicate_is_found_once_and_never_on_what_is_past():
    day = date(2026, 10, 5)
    old = claim("z old", line("MK-VIM8,11-01", day, 1, amount=1792), is_billed=True)
    new = claim("a new", line("MK-VIM8,11-01", day, 2, amount=1792), is_billed=True)
    found = control(Book([new], TARIFF, acts=ACTS, history=[old]))
    assert "GEN-16" in codes(found, "a new") and list(found) == ["a new"]
    both = control(book(old, new))
    assert sum("GEN-16" in codes(both, key) for key in both) == 1


def test_one_screening_is_no_repetition():
    day = date(2026, 10, 5)
    patient = Patient("A", date(2025, 11, 1))
    one = claim(1, line("OPT-AMY7,7-02", day, 1), profession="orthoptiste")
    assert control(book(one, patients={"A": patient}))[1] == []


def _many(seed):
    """Claims of all our trades, with much that is wrong."""
    dice = random.Random(seed)
    own = [act for act in ACTS.values() if act.profession in SERVED]
    result = []
    for number in range(60):
        profession = dice.choice(sorted(SERVED))
        choice = [act for act in own if act.profession == profession]
        lines = []
        for rank in range(dice.randint(1, 4)):
            act = dice.choice(choice)
            day = date(2026, 9, 1) + timedelta(days=dice.randint(0, 20))
            lines.append(
                line(
                    act.code,
                    day,
                    f"{number}/{rank}",
                    passage=dice.choice([1, 2]),
                    minute=dice.choice([None, 540, 560]),
                    duration=dice.choice([None, 15, 30]),
                    place=dice.choice(["", "home", "office", "facility"]),
                    complement=dice.choice(["", "", "N", "F"]),
                    factor=dice.choice([None, 50, 100]),
                    amount=dice.choice([None, 1788, 2600]),
                    overrun=dice.choice([0, 0, 500]),
                    group_size=dice.choice([1, 1, 2, 5]),
                    is_renewal=dice.random() < 0.2,
                    prescription=dice.choice([None, "o"]),
                )
            )
        for letter in dice.sample(["IFD", "IFS", "IFN", "IK", "MEO", "FOH"], dice.randint(0, 2)):
            lines.append(
                Line(
                    f"{number}/{letter}",
                    letter,
                    100,
                    lines[0].day,
                    amount=250,
                    place=lines[0].place,
                )
            )
        result.append(
            claim(
                number,
                *lines,
                profession=profession,
                patient=f"{profession}{dice.randint(0, 4)}",
                is_billed=dice.random() < 0.5,
            )
        )
    return result


def _told(claims):
    patients = {one.patient: Patient(one.patient, date(2022, 1, 1), home="one") for one in claims}
    prescriptions = {"o": Prescription("o", date(2026, 9, 3), sessions=3)}
    found = control(book(*claims, patients=patients, prescriptions=prescriptions))
    return {
        key: [(one.rule, one.severity, str(one.line), one.message) for one in ones]
        for key, ones in found.items()
    }


@pytest.mark.parametrize("seed", range(8))
def test_no_claim_breaks_a_rule_function_and_order_does_not_matter(seed):
    claims = _many(seed)
    found = _told(claims)
    random.Random(seed).shuffle(claims)
    again = _told(claims)
    assert {key: sorted(ones) for key, ones in again.items()} == {
        key: sorted(ones) for key, ones in found.items()
    }
    assert len({rule for ones in found.values() for rule, *_rest in ones}) > 12


def test_findings_never_name_a_line_of_another_claim():
    claims = _many(99)
    own = {one.key: {line.key for line in one.lines} for one in claims}
    for key, ones in control(book(*claims)).items():
        assert all(one.line is None or one.line in own[key] for one in ones)
        assert all(one.severity <= rule_texts()[one.rule].severity for one in ones)


def test_unknown_acts_and_letters_leave_the_rules_silent():
    day = date(2026, 10, 5)
    for profession in SERVED:
        one = claim(
            1,
            Line(1, "ZZZ", 770, day, amount=1234),
            profession=profession,
            is_billed=True,
        )
        assert control(book(one))[1] == [], profession


def test_replacing_a_line_as_proposed_mends_the_finding():
    day = date(2026, 10, 5)
    care = line("ORT-AMO15,6-01", day, 1, amount=4056, place="home", prescription="o")
    travel = Line(2, "IFD", 100, day, amount=250, place="home", prescription="o")
    known = {"o": Prescription("o", day)}
    one = claim(1, care, travel, profession="orthophoniste")
    (finding,) = control(book(one, prescriptions=known))[1]
    better = replace(
        travel, key_letter=finding.proposal.key_letter, amount=250 + finding.proposal.gain
    )
    mended = replace(one, lines=(care, better))
    assert control(book(mended, prescriptions=known))[1] == []


def test_data_file_has_the_columns_it_promises():
    with (DATA / "limits.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["code", "value", "unit", "source", "grade"]
