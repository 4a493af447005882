"""Who may be handed over, what leaves, what comes back."""

import csv
import doctest
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning import handover
from dunning.handover import (
    COLUMNS,
    Bounds,
    Debt,
    StatusError,
    as_csv,
    as_xlsx,
    csv_lines,
    objections,
    read_amount,
    read_statuses,
    status_kind,
)

DAY = date(2026, 11, 20)
BOUNDS = Bounds(age_days=90, quiet_days=15, least_cents=5000, most_cents=500_000)
OLD, SAID = DAY - timedelta(days=90), DAY - timedelta(days=15)


def test_examples_of_the_documentation():
    assert doctest.testmod(handover).failed == 0


def test_ripe_debt_has_no_objection():
    assert objections(Debt(5000, (OLD,), (SAID,)), BOUNDS, DAY) == ()
    assert objections(Debt(500_000, (OLD, OLD), (SAID, SAID)), BOUNDS, DAY) == ()


@pytest.mark.parametrize(
    ("debt", "code"),
    [
        (Debt(5000, (OLD, OLD + timedelta(days=1)), (SAID, SAID)), "age"),
        (Debt(5000, (OLD, OLD), (SAID, None)), "scale"),
        (Debt(5000, (OLD,), ()), "scale"),
        (Debt(5000, (OLD,), (SAID + timedelta(days=1),)), "quiet"),
        (Debt(4999, (OLD,), (SAID,)), "small"),
        (Debt(500_001, (OLD,), (SAID,)), "large"),
        (Debt(5000, (OLD,), (SAID,), is_minor=True), "minor"),
        (Debt(5000, (OLD,), (SAID,), has_address=False), "address"),
    ],
)
def test_each_objection_stands_alone(debt, code):
    assert objections(debt, BOUNDS, DAY) == (code,)


def row(**values):
    return {
        "file": "D00001",
        "creditor": "Cabinet Exemple",
        "debtor": "DURAND Anne",
        "number": "000123",
        "date": date(2026, 1, 5),
        "amount": 1260,
        "paid": 0,
        "left": 1260,
        **values,
    }


def test_csv_and_workbook_say_the_same():
    from openpyxl import load_workbook

    rows = [row(), row(number="000124", left=-5, phone="+33 6 12 34 56 78")]
    read = list(csv.DictReader(io.StringIO(as_csv(rows).decode("utf-8-sig")), delimiter=";"))
    assert [one["Reste dû"] for one in read] == ["12,60", "-0,05"]
    assert read[0]["Date de facture"] == "05/01/2026"
    assert read[1]["Téléphone"] == "+33 6 12 34 56 78"
    sheet = load_workbook(io.BytesIO(as_xlsx(rows))).active
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0] == tuple(COLUMNS.values())
    column = list(COLUMNS).index("left")
    assert lines[1][column] == pytest.approx(12.6)
    assert lines[1][list(COLUMNS).index("number")] == "000123"
    assert lines[1][list(COLUMNS).index("date")].date() == date(2026, 1, 5)


def test_nothing_but_the_named_columns_can_leave():
    for extra in ("act", "nir", "birth_date", "care"):
        with pytest.raises(ValueError, match="not to be handed over"):
            as_csv([row(**{extra: "AMI 4"})])
        with pytest.raises(ValueError, match="not to be handed over"):
            as_xlsx([row(**{extra: "AMI 4"})])


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@SUM(A1)", "-2+3", "+cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(name):
    from openpyxl import load_workbook

    text = as_csv([row(debtor=name)]).decode("utf-8-sig")
    cell = list(csv.DictReader(io.StringIO(text), delimiter=";"))[0]["Débiteur"]
    assert cell == f"'{name}"
    sheet = load_workbook(io.BytesIO(as_xlsx([row(debtor=name)]))).active
    assert sheet.cell(2, list(COLUMNS).index("debtor") + 1).data_type == "s"


def lines(text):
    return csv_lines(text.encode())


def test_statuses_in_a_professionals_own_words():
    statuses, issues = read_statuses(
        lines(
            "Votre référence;Situation;Date;Montant reçu;Observations\n"
            "d00001;Réglé en totalité;05/11/2026;1 234,50 €;virement le 10\n"
            "D00002;Promesse de paiement;;;\n"
            "\n"
            "D00003;N.P.A.I.;2026-11-02;;\n"
            "D00004;Dossier clôturé, irrécouvrable;02/11/26;;\n"
            "D00005;Opposition;01.11.2026;;\n"
        ),
        DAY,
    )
    assert [(one.file, one.kind) for one in statuses] == [
        ("D00001", "paid"),
        ("D00002", "promised"),
        ("D00004", "returned"),
        ("D00005", "opposed"),
    ]
    assert (statuses[0].cents, statuses[0].day) == (123450, date(2026, 11, 5))
    assert statuses[1].day == DAY
    assert [issue.row for issue in issues] == [5]
    assert "N.P.A.I." in issues[0].reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (";Payé;;10", "numéro de dossier"),
        ("D1;mystère;;", "inconnu"),
        ("D1;Payé;;", "montant"),
        ("D1;Payé;;0", "montant"),
        ("D1;Payé;;dix", "montant"),
        ("D1;Payé;;1,234", "montant"),
        ("D1;Promis;31/02/2026;", "date"),
        ("D1;Promis;21/11/2026;", "pas encore passé"),
    ],
)
def test_a_wrong_row_is_told_and_the_others_are_kept(line, reason):
    statuses, issues = read_statuses(lines(f"Dossier;Statut;Date;Montant\n{line}\nD2;Échec;;"), DAY)
    assert [one.file for one in statuses] == ["D2"]
    assert len(issues) == 1 and reason in issues[0].reason and issues[0].row == 2


@pytest.mark.parametrize("text", ["", "\n\n", "Nom;Somme\nA;1\n"])
def test_a_table_without_its_headings_is_refused(text):
    with pytest.raises(StatusError):
        read_statuses(lines(text), DAY)


def test_file_that_is_no_text_is_refused():
    with pytest.raises(StatusError):
        list(csv_lines(b"PK\x03\x04\0\0"))


def test_old_encoding_and_other_separators_are_read():
    text = "Dossier,État,Date\nD1,Réglé,\nD1,Échec,\n"
    statuses, issues = read_statuses(csv_lines(text.encode("cp1252")), DAY)
    assert [one.kind for one in statuses] == ["failed"] and len(issues) == 1


def test_every_kind_is_known_by_its_own_code():
    for kind in handover._KINDS:
        assert status_kind(kind) == kind


@given(st.integers(0, 99_999_999))
def test_an_amount_comes_back_as_it_left(cents):
    assert read_amount(handover.french_amount(cents)) == cents


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    try:
        read_statuses(csv_lines(text.encode("utf-8", "surrogatepass")), DAY)
    except StatusError:
        pass


@given(
    st.integers(0, 600_000),
    st.lists(
        st.tuples(st.integers(0, 200), st.none() | st.integers(0, 60)), min_size=1, max_size=5
    ),
)
def test_whatever_is_free_fulfils_every_bound(cents, parts):
    debt = Debt(
        cents,
        tuple(DAY - timedelta(days=age) for age, _said in parts),
        tuple(said if said is None else DAY - timedelta(days=said) for _age, said in parts),
    )
    ripe = all(age >= 90 and said is not None and said >= 15 for age, said in parts)
    assert (not objections(debt, BOUNDS, DAY)) == (ripe and 5000 <= cents <= 500_000)
