"""Update of the catalogue: strict reading, merging, difference."""

import doctest
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngap import catalogue, update
from ngap.update import ActRow, Held, ValueRow

NOV = date(2026, 11, 6)
ACT_HEAD = (
    "profession,key_letter,coefficient,label_fr,ngap_reference,accord_prealable,notes,source\n"
)
VALUE_HEAD = "key_letter,zone,value_eur,valid_from,valid_to,source\n"
DETAIL_HEAD = (
    "code,key_letter,coefficient,label_fr,tags,agreement_from,minutes,valid_from,valid_to\n"
)


def shipped():
    return {
        path.name: path.read_bytes()
        for path in catalogue.DATA.glob("*.csv")
        if path.name.startswith(("acts_", "ngap_"))
    }


def held(merged):
    return {
        key: Held(row, merged.loaded.get(key), key in merged.gone)
        for key, row in merged.rows.items()
    }


def read_values(*rows):
    return update.read_files({"ngap_values.csv": (VALUE_HEAD + "\n".join(rows) + "\n").encode()})


def read_acts(*rows):
    return update.read_files({"ngap_acts.csv": (ACT_HEAD + "\n".join(rows) + "\n").encode()})


def test_documented_examples():
    assert doctest.testmod(update).failed == 0


def test_shipped_files_are_read_without_an_issue_and_say_what_the_catalogue_says():
    reading = update.read_files(shipped())
    assert not reading.issues
    facts = {
        act.code: (act.identity, act.tags, act.agreement_from, act.minutes, act.grade)
        for act in reading.acts
    }
    assert facts == {
        act.code: (
            (act.profession, act.key_letter, act.coefficient, act.label.strip()),
            act.tags,
            act.agreement_from,
            act.minutes,
            act.grade,
        )
        for act in catalogue.act_types()
    }


def test_loading_the_shipped_files_twice_changes_nothing():
    reading = update.read_files(shipped())
    acts = update.merge_acts({}, reading.acts, None)
    values = update.merge_values({}, reading.values)
    again = update.merge_acts(held(acts), reading.acts, NOV)
    assert update.difference(acts.rows, again.rows) == []
    assert (
        update.difference(values.rows, update.merge_values(held(values), reading.values).rows) == []
    )


def test_value_whose_end_is_unknown_is_unconfirmed_and_yields_to_the_newer_one():
    reading = read_values(
        'IK_ortho_plaine,metropole,0.24,2007-12-26,unknown,"[A] JO"',
        'IK_ortho_plaine,metropole,0.38,,,"[B] amendement"',
        'IKM_ortho_montagne,metropole,0.37,2007-12-26,unknown,"[A] JO"',
    )
    assert not reading.issues
    old, new, alone = reading.values
    assert (old.cents, old.end, new.cents, new.end) == (24, new.start, 38, None)
    assert [one.grade for one in (old, new, alone)] == ["C", "C", "C"]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("AMI,metropole,3.355,2027-01-01,,[A] x", "value_eur", "deux décimales"),
        ("AMI,metropole,0,2027-01-01,,[A] x", "value_eur", "zéro"),
        ("AMI,lune,3.45,2027-01-01,,[A] x", "zone", "lune"),
        ("AMI,metropole,3.45,01/01/2027,,[A] x", "valid_from", "AAAA-MM-JJ"),
        ("AMI,metropole,3.45,2027-02-01,2027-01-01,[A] x", "valid_to", "précède"),
        ("AMI,metropole,3.45,2027-01-01,,", "source", "vide"),
        (",metropole,3.45,2027-01-01,,[A] x", "key_letter", "vide"),
        ("AMI,metropole,3,45,2027-01-01,,[A] x", "", "7 cellules au lieu de 6"),
    ],
)
def test_broken_value_says_row_column_and_reason(row, column, reason):
    reading = read_values("AMI,metropole,3.15,2009-04-15,2026-11-05,[B] y", row)
    [issue] = reading.issues
    assert (issue.file, issue.row, issue.column) == ("ngap_values.csv", 3, column)
    assert reason in issue.reason


def test_overlapping_or_double_periods_are_refused():
    twice = read_values("AMI,dom,3.3,2009-04-15,,[B] y", "AMI,dom,3.5,2009-04-15,,[B] y")
    assert "déjà une valeur" in twice.issues[0].reason
    over = read_values("AMI,dom,3.3,2009-04-15,2026-12-31,[B] y", "AMI,dom,3.5,2026-11-06,,[B] y")
    assert "recouvre" in over.issues[0].reason


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("infimier,AMI,4,Pansement,art.1,non,,NGAP ameli", "profession", "infimier"),
        ("infirmier,ami,4,Pansement,art.1,non,,NGAP ameli", "key_letter", "lettre-clé"),
        ("infirmier,AMI,4.125,Pansement,art.1,non,,NGAP ameli", "coefficient", "deux décimales"),
        ("infirmier,AMI,4,,art.1,non,,NGAP ameli", "label_fr", "vide"),
        ("infirmier,AMI,4,Pansement,art.1,non,,", "source", "vide"),
        ("infirmier,AMI,5,Saignée,art.1,non,,NGAP ameli", "label_fr", "ligne 2"),
    ],
)
def test_broken_act_says_row_column_and_reason(row, column, reason):
    [issue] = read_acts("infirmier,AMI,5,Saignée,art.1,non,,NGAP ameli", row).issues
    assert (issue.row, issue.column) == (3, column)
    assert reason in issue.reason


def test_files_that_are_no_update():
    assert "nom de fichier inconnu" in str(update.read_files({"a.csv": b"x"}).issues[0])
    assert "au moins" in str(update.read_files({"letters.csv": b"x"}).issues[0])
    assert "UTF-8" in str(update.read_files({"ngap_values.csv": b"\xe9"}).issues[0])
    missing = update.read_files({"ngap_values.csv": b"key_letter,zone\n"}).issues[0]
    assert "value_eur" in missing.column and missing.row == 1
    alone = update.read_files({"acts_infirmier.csv": DETAIL_HEAD.encode()})
    assert "déposez les deux" in str(alone.issues[0])


def test_semicolons_and_byte_order_mark_of_a_spreadsheet_are_read():
    text = VALUE_HEAD.replace(",", ";") + 'AMI;metropole;3,45;2027-11-01;;"[A] JO"\n'
    reading = update.read_files({"ngap_values.csv": b"\xef\xbb\xbf" + text.encode()})
    assert reading.values == [
        ValueRow("AMI", "metropole", date(2027, 11, 1), 345, None, "[A] JO", "A")
    ]


def test_details_must_match_the_acts():
    files = {
        "ngap_acts.csv": (ACT_HEAD + "infirmier,AMI,5,Saignée,art.1,non,,NGAP ameli\n").encode(),
        "acts_infirmier.csv": (DETAIL_HEAD + "INF-AMI4-01,AMI,4,Pansement,,,,,\n").encode(),
    }
    reasons = [issue.reason for issue in update.read_files(files).issues]
    assert len(reasons) == 2
    assert any("absent de acts_infirmier.csv" in one for one in reasons)
    assert any("absent de ngap_acts.csv" in one for one in reasons)
    files["acts_infirmier.csv"] = (DETAIL_HEAD + "MK-AMI5-01,AMI,5,Saignée,,x,0,,\n").encode()
    columns = {issue.column for issue in update.read_files(files).issues}
    assert {"code", "agreement_from", "minutes"} <= columns


def test_new_value_ends_the_one_before_and_old_periods_stay():
    merged = update.merge_values({}, [ValueRow("AMI", "metropole", date(2009, 4, 15), 315)])
    new = ValueRow("AMI", "metropole", NOV, 335, grade="A")
    after = update.merge_values(held(merged), [new])
    changes = update.difference(merged.rows, after.rows)
    assert [(one.kind, one.new.cents, one.new.end) for one in changes] == [
        ("ended", 315, NOV),
        ("added", 335, None),
    ]


def test_act_that_disappears_ends_and_comes_back():
    rows = read_acts(
        "infirmier,AMI,5,Saignée,art.1,non,,NGAP ameli",
        "infirmier,AMI/AMX,1,Injection,art.1,non,,NGAP ameli",
        "orthoptiste,AMY,30,Bilan,art.2,non,,NGAP ameli",
    ).acts
    first = update.merge_acts({}, rows, None)
    assert set(first.rows) == {"INF-AMI5-01", "INF-AMI1-01", "INF-AMX1-01", "OPT-AMY30-01"}
    less = update.merge_acts(held(first), rows[1:3], NOV)
    [change] = update.difference(first.rows, less.rows)
    assert (change.kind, change.key, change.new.end) == ("ended", "INF-AMI5-01", NOV)
    assert less.rows["OPT-AMY30-01"].end is None, (
        "a profession that the file leaves out keeps its acts"
    )
    known = {
        code: Held(row, less.loaded.get(code, first.loaded[code]), code in less.gone)
        for code, row in less.rows.items()
    }
    later = NOV + timedelta(days=30)
    assert update.difference(less.rows, update.merge_acts(known, rows[1:3], later).rows) == []
    back = update.merge_acts(known, rows, later)
    assert back.rows["INF-AMI5-01"].end is None


def test_what_the_agency_changed_stays_until_the_file_changes_it():
    loaded = ActRow("infirmier", "AMI", 500, "Saignée", "INF-AMI5-01", minutes=20)
    mine = replace(loaded, minutes=30)
    known = {"INF-AMI5-01": Held(mine, loaded)}
    assert update.merge_acts(known, [loaded], NOV).rows["INF-AMI5-01"].minutes == 30
    official = replace(loaded, minutes=25)
    assert update.merge_acts(known, [official], NOV).rows["INF-AMI5-01"].minutes == 25
    assert update.merge_acts(known, [official], NOV, keep=True).rows["INF-AMI5-01"].minutes == 30


def test_known_code_may_get_a_new_label_but_no_other_coefficient():
    loaded = ActRow("infirmier", "AMI", 500, "Saignée", "INF-AMI5-01")
    known = {"INF-AMI5-01": Held(loaded, loaded)}
    renamed = update.merge_acts(known, [replace(loaded, label="Saignée, une séance")], NOV)
    assert [c.kind for c in update.difference({"INF-AMI5-01": loaded}, renamed.rows)] == ["changed"]
    issues = []
    update.merge_acts(known, [replace(loaded, coefficient=600)], NOV, issues)
    assert "désigne déjà AMI 5" in issues[0].reason


def test_act_with_a_new_coefficient_follows_the_old_one():
    old = ActRow("infirmier", "AMI", 200, "Injection", "INF-AMI2-01")
    before = {old.code: Held(old, old)}
    merged = update.merge_acts(before, [replace(old, coefficient=202, code="")], NOV)
    changes = update.difference({old.code: old}, merged.rows)
    assert update.successors(changes)["INF-AMI2-01"].short == "AMI 2,02"
    assert merged.rows["INF-AMI2,02-01"].start == NOV


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
values = st.builds(
    ValueRow,
    st.sampled_from(["AMI", "AMK"]),
    st.sampled_from(update.ZONES),
    days,
    st.integers(1, 9999),
    st.none(),
    st.sampled_from(["[A] x", "[C] y"]),
    st.sampled_from("ABC"),
)
acts = st.builds(
    ActRow,
    st.sampled_from(sorted(update.PREFIXES)),
    st.sampled_from(["AMI", "AMX"]),
    st.integers(1, 3).map(lambda n: n * 50),
    st.sampled_from(["un", "deux", "trois"]),
    reference=st.sampled_from(["", "art.1"]),
    start=st.none() | days,
    end=st.none() | days,
)
states = st.lists(values).map(lambda rows: {row.key: row for row in rows}) | st.lists(acts).map(
    lambda rows: {row.identity: row for row in rows}
)


@given(st.data())
def test_applying_the_difference_gives_the_new_state(data):
    kind = data.draw(st.sampled_from([values, acts]))
    key = "key" if kind is values else "identity"
    old, new = ({getattr(row, key): row for row in data.draw(st.lists(kind))} for _side in range(2))
    changes = update.difference(old, new)
    assert update.applied(old, changes) == new
    assert all(change.old != change.new for change in changes)


@given(states)
def test_difference_with_itself_is_empty(state):
    assert update.difference(state, dict(state)) == []


@given(st.lists(values), st.lists(values))
def test_values_after_an_update_never_overlap_and_a_second_run_changes_nothing(first, second):
    state = held(update.merge_values({}, first))
    once = update.merge_values(state, second)
    twice = update.merge_values(
        {key: Held(row, once.loaded.get(key)) for key, row in once.rows.items()}, second
    )
    assert twice.rows == once.rows
    assert {one.row.key for one in state.values()} <= set(once.rows), "no period is lost"
    for key, row in once.rows.items():
        later = [other[2] for other in once.rows if other[:2] == key[:2] and other[2] > key[2]]
        if later:
            assert row.end is not None and row.end <= min(later)


@given(
    st.lists(acts, unique_by=lambda a: a.identity),
    st.lists(acts, unique_by=lambda a: a.identity),
    days,
    days,
)
def test_acts_after_an_update_a_second_run_changes_nothing(first, second, day, later):
    start = update.merge_acts({}, first, None)
    once = update.merge_acts(held(start), second, day)
    known = {
        code: Held(row, once.loaded.get(code, start.loaded.get(code)), code in once.gone)
        for code, row in once.rows.items()
    }
    twice = update.merge_acts(known, second, max(day, later))
    assert twice.rows == once.rows
    assert set(start.rows) <= set(once.rows), "no act is lost"


@given(days, st.integers(0, 400), st.frozensets(st.integers(0, 6)))
def test_weekdays_are_counted_as_a_calendar_would(start, span, weekdays):
    counted = sum((start + timedelta(days=n)).weekday() in weekdays for n in range(span))
    assert update.count_weekdays(start, start + timedelta(days=span), weekdays) == counted


@given(acts | values)
def test_rows_survive_the_database(row):
    assert update.from_plain(type(row), update.to_plain(row)) == row
