"""The FSE journal: what is taken, what waits and why; no input makes it crash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import JournalError, read_journal
from journal.reader import MANDATORY, OPTIONAL

COLUMNS = MANDATORY + OPTIONAL
GOOD = {
    "provider_no": "996001012",
    "fse_no": "1",
    "fse_date": "2026-10-05",
    "nir": "2990199999001",
    "last_name": "DURAND",
    "first_name": "Anne",
    "birth_date": "1999-01-01",
    "act_date": "2026-10-05",
    "key_letter": "AMI",
    "coefficient": "4,1",
    "act_amount": "12,92",
    "amo_org": "017510000",
    "amo_amount": "7.75",
    "patient_amount": "5.17",
}


def content(*rows, columns=COLUMNS):
    lines = [";".join(columns)]
    lines += [";".join((GOOD | row).get(column, "") for column in columns) for row in rows]
    return ("\ufeff" + "\n".join(lines) + "\n").encode()


def test_good_row():
    journal = read_journal(content({}))
    (fse,) = journal.fses
    assert not journal.issues
    assert (fse.total("amount"), fse.total("amo"), fse.total("patient")) == (1292, 775, 517)
    assert fse.acts[0].coefficient == 410
    assert (fse.kind, fse.insurance_nature, fse.birth_rank, fse.sent_on) == ("F", "10", 1, None)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ({"act_amount": "12.93"}, "act_amount", "écart 0,01 €"),
        ({"act_amount": "1e5"}, "act_amount", "ne font pas le total"),
        ({"act_amount": "NaN"}, "act_amount", "limites"),
        ({"act_amount": "-1"}, "act_amount", "limites"),
        ({"act_amount": "12.925"}, "act_amount", "deux décimales"),
        ({"coefficient": "abc"}, "coefficient", "pas un nombre"),
        ({"nir": "299019999900"}, "nir", "13 caractères"),
        ({"provider_no": "12345"}, "provider_no", "9 chiffres"),
        ({"act_date": "2026-13-01"}, "act_date", "AAAA-MM-JJ"),
        ({"birth_date": "0001-01-01"}, "birth_date", "invraisemblable"),
        ({"kind": "Z"}, "kind", "F, B, D ou P"),
        ({"insurance_nature": "11"}, "insurance_nature", "41"),
        ({"quantity": "0"}, "quantity", "1 à 99"),
        ({"last_name": ""}, "last_name", "vide"),
        ({"complement": "X"}, "complement", "N, F ou vide"),
        ({"amc_amount": "5.17", "patient_amount": "0"}, "amc_org", "numéro d'organisme"),
        ({"fse_no": "12345678901"}, "fse_no", "1 à 9"),
        ({"lot_no": "12345"}, "lot_no", "3 chiffres"),
        ({"key_letter": "A4"}, "key_letter", "lettre-clé"),
    ],
)
def test_bad_cell_is_named(row, column, words):
    journal = read_journal(content({"fse_no": "9", **row} if "fse_no" not in row else row))
    assert not journal.fses
    (issue,) = journal.issues
    assert (issue.row, issue.column) == (2, column)
    assert words in issue.reason


def test_one_bad_row_keeps_its_whole_fse_out_and_no_other():
    journal = read_journal(
        content({}, {"fse_no": "2"}, {"fse_no": "2", "patient_amount": "0"}, {"fse_no": "3"})
    )
    assert [fse.fse_no for fse in journal.fses] == ["1", "3"]
    assert [issue.row for issue in journal.issues] == [4]


def test_rows_of_one_fse_must_agree():
    journal = read_journal(content({}, {"last_name": "MARTIN"}))
    (issue,) = journal.issues
    assert (issue.column, issue.row) == ("last_name", 3)
    assert "ligne 2" in issue.reason


def test_missing_column_is_named():
    with pytest.raises(JournalError, match="amo_org"):
        read_journal(content({}, columns=[c for c in COLUMNS if c != "amo_org"]))


def test_short_row_and_blank_lines():
    text = content({}).decode() + "\n996001012;2\n\n"
    journal = read_journal(text.encode())
    assert len(journal.fses) == 1
    assert journal.issues[0].row == 4


def test_order_of_acts_and_sending_do_not_change_the_fingerprint():
    act = {
        "key_letter": "IFD",
        "coefficient": "1",
        "act_amount": "2.75",
        "amo_amount": "1.65",
        "patient_amount": "1.10",
    }
    one = read_journal(content({}, act)).fses[0]
    other = read_journal(content({**act, "sent_on": "2026-10-07"}, {"sent_on": "2026-10-07"})).fses[
        0
    ]
    assert one.fingerprint == other.fingerprint
    changed = read_journal(content({}, {**act, "quantity": "2"})).fses[0]
    assert changed.fingerprint != one.fingerprint


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    try:
        read_journal(data)
    except JournalError:
        pass


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(COLUMNS), st.text(max_size=12).filter(lambda t: "\0" not in t)
        ),
        max_size=4,
    )
)
def test_any_cells_are_taken_or_named(rows):
    try:
        journal = read_journal(content(*rows))
    except (JournalError, UnicodeEncodeError):
        return
    for fse in journal.fses:
        assert fse.total("amount") == fse.total("amo") + fse.total("amc") + fse.total("patient")
    for issue in journal.issues:
        assert issue.row >= 2 and issue.reason
