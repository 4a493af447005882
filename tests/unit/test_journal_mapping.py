"""Tables of other programs through a mapping: what is read, what waits and why; no bytes make it crash."""

import io
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal import (
    JournalError,
    Rule,
    convert,
    looks_like_journal,
    looks_like_table,
    missing_columns,
    preview,
    read_journal,
    read_mapped,
    read_table,
    signature,
    suggest,
)

HEADER = (
    "N° facture;Date facture;N° Sécu;Patient;Date de naissance;Date des soins;Cotation;Honoraires;Caisse;"
    "Part AMO;Part AMC;N° AMC;Majoration"
)
ROW = (
    "F-12;05/10/2026;2 99 01 99 999 001 23;DURAND Anne;01/01/1999;04/10/2026;AMI 4;1 012,60 €;01 751 0000;"
    "600,00;12,60;99999999;Dimanche"
)
LABELS = {"patient_amount": "Part patient", "provider_no": "N° de facturation"}


def rules(**changes):
    """What the wizard suggests for this export, and what a person adds to it."""
    table = read_table(f"{HEADER}\n{ROW}\n".encode())
    found = suggest(table.header, [cells for _number, cells in table.rows])
    found["provider_no"] = Rule("provider_no", constant="996001012")
    found["complement"] = Rule(
        "complement", ("Majoration",), translations={"Dimanche": "F", "NUIT": "N"}
    )
    return list({**found, **changes}.values())


def read(*rows, header=HEADER, encoding="utf-8", **changes):
    content = "\n".join((header, *rows, "")).encode(encoding)
    return read_mapped(content, rules(**changes), LABELS)


def test_an_export_is_read_by_what_is_suggested():
    journal = read(ROW)
    assert not journal.issues
    (fse,) = journal.fses
    (act,) = fse.acts
    assert (fse.provider_no, fse.fse_no, fse.nir) == ("996001012", "F-12", "2990199999001")
    assert (fse.last_name, fse.first_name, fse.birth_date.isoformat()) == (
        "DURAND",
        "Anne",
        "1999-01-01",
    )
    assert (act.key_letter, act.coefficient, act.complement) == ("AMI", 400, "F")
    assert (act.amount, act.amo, act.amc, act.patient) == (101260, 60000, 1260, 40000)
    assert (fse.amo_org, fse.amc_org) == ("017510000", "0099999999")


def test_packages_stand_without_coefficient():
    found = suggest(("Cotation",), [["AMI 4"], ["BSB"]])
    assert convert({"Cotation": "BSB"}, found.values())[0] == {
        "key_letter": "BSB",
        "coefficient": "1",
    }
    assert "coefficient" not in suggest(("Lettre",), [["AMI"], ["AMX"]])


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiters_and_encodings(delimiter, encoding):
    header = HEADER.replace(";", delimiter)
    row = ROW.replace("600,00", "600.00").replace("12,60", "12.60").replace(";", delimiter)
    journal = read(row, header=header, encoding=encoding)
    assert [fse.total("amount") for fse in journal.fses] == [101260]


def test_titles_above_the_table_and_empty_lines():
    content = f"Export du 06/10/2026\n\n{HEADER}\n\n{ROW}\n;;\n".encode()
    table = read_table(content)
    assert table.header[0] == "N° facture"
    assert [number for number, cells in table.rows if any(cells)] == [5]


def test_workbook():
    from datetime import date

    from openpyxl import Workbook

    book = Workbook()
    book.active.append(HEADER.split(";"))
    cells = ROW.split(";")
    cells[1] = cells[5] = date(2026, 10, 5)
    cells[7], cells[9], cells[10] = 1012.6, 600, 12.6
    book.active.append(cells)
    file = io.BytesIO()
    book.save(file)
    journal = read_mapped(file.getvalue(), rules(), LABELS)
    assert [fse.total("patient") for fse in journal.fses] == [40000]
    assert looks_like_table(file.getvalue())


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"Date des soins": "31/02/2026"}, "Date des soins", "jj/mm/aaaa"),
        ({"Cotation": "pansement"}, "Cotation", "AMI 4"),
        ({"Honoraires": "douze"}, "Honoraires", "montant"),
        ({"Honoraires": "12,605"}, "Honoraires", "deux décimales"),
        ({"N° Sécu": "12"}, "N° Sécu", "13 caractères"),
        ({"Part AMO": "2000"}, "Part patient", "limites"),
    ],
)
def test_a_bad_row_waits_with_column_and_reason(cells, column, words):
    bad = dict(zip(HEADER.split(";"), ROW.replace("F-12", "F-13").split(";"), strict=True)) | cells
    extra = {"patient_amount": Rule("patient_amount")} if column == "Part patient" else {}
    journal = read(ROW, ";".join(bad.values()), **extra)
    assert [fse.fse_no for fse in journal.fses] == ["F-12"]
    assert (journal.issues[0].row, journal.issues[0].column) == (3, column)
    assert words in journal.issues[0].reason


def test_sum_of_columns_and_total_of_shares():
    rule = {
        "act_amount": Rule("act_amount", ("Honoraires", "Déplacement")),
        "amo_amount": Rule("amo_amount", ("AMO",)),
        "patient_amount": Rule("patient_amount", ("Reste",)),
    }
    cells = {"Honoraires": "12,60", "Déplacement": "2,75", "AMO": "9,21", "Reste": "6,14"}
    assert convert(cells, rule.values())[0]["act_amount"] == "15.35"
    del rule["act_amount"]
    assert convert(cells, rule.values())[0]["act_amount"] == "15.35"
    assert convert(cells, [rule["amo_amount"]])[0] == {"amo_amount": "9.21"}


def test_fixed_value_serves_where_the_cell_is_empty():
    rule = Rule("kind", ("Type",), constant="F", translations={"Dégradé": "B"})
    assert convert({"Type": ""}, [rule])[0] == {"kind": "F"}
    assert convert({"Type": "degrade"}, [rule])[0] == {"kind": "B"}


@pytest.mark.parametrize(
    ("name", "text", "day"),
    [
        ("", "5/1/2026", "2026-01-05"),
        ("", "2026-01-05 00:00:00", "2026-01-05"),
        ("mdy", "01/05/2026", "2026-01-05"),
        ("dmy2", "05/01/26", "2026-01-05"),
        ("ymd_plain", "20260105", "2026-01-05"),
        ("dmy_plain", "05012026", "2026-01-05"),
        ("serial", "46027", "2026-01-05"),
    ],
)
def test_dates(name, text, day):
    assert convert({"d": text}, [Rule("act_date", ("d",), date_format=name)]) == (
        {"act_date": day},
        {},
    )


def test_two_digits_tell_no_century_of_birth():
    _values, errors = convert({"d": "05/01/26"}, [Rule("birth_date", ("d",), date_format="dmy2")])
    assert "4 chiffres" in errors["birth_date"]


def test_what_the_rules_do_not_fill_is_named():
    assert missing_columns(rules()) == []
    with pytest.raises(JournalError, match="N° de facturation"):
        read(ROW, provider_no=Rule("provider_no"))
    partly = [rule for rule in rules() if rule.target != "amo_amount"]
    assert missing_columns(partly) == ["amo_amount", "patient_amount"]


def test_signature_is_of_the_columns_in_their_order():
    names = HEADER.split(";")
    assert signature(names) == signature([f" {name.upper()} " for name in names])
    assert signature(names) != signature(names[::-1])


def test_preview_shows_errors_by_cell():
    bad = ROW.replace("05/10/2026", "hier")
    shown = preview("\n".join((HEADER, ROW, bad)).encode(), rules())
    assert [row.number for row in shown] == [2, 3]
    assert not shown[0].errors
    assert list(shown[1].errors) == ["fse_date"]


def test_twin_columns_keep_apart():
    assert read_table(b"Montant;Montant;\xe9;\n1;2;3\n").header == ("Montant", "Montant (2)", "é")


@given(st.binary(max_size=400))
@example(b"PK\x03\x04")
@example(b"PK\x03\x04" + b"\0" * 60)
@example(b"\xff\xfea")
@example(b'a;b;c\n"')
@example(b"a;b;c\r\n\x81;\x8d;\x9d")
def test_no_bytes_crash_it(content):
    looks_like_journal("x", content)
    assert looks_like_table(content) in (True, False)
    for reading in (lambda: read_mapped(content, rules(), LABELS), lambda: read_journal(content)):
        try:
            reading()
        except JournalError as error:
            assert str(error)


@given(st.lists(st.lists(st.text(max_size=12), min_size=13, max_size=13), max_size=4))
def test_no_cells_crash_it(rows):
    import csv

    file = io.StringIO()
    writer = csv.writer(file, delimiter=";")
    writer.writerows([HEADER.split(";"), *rows])
    content = file.getvalue().encode("utf-8", "replace")
    try:
        journal = read_mapped(content, rules(), LABELS)
        preview(content, rules())
    except JournalError:
        return
    assert journal.rows >= len(journal.fses)


def _workbook():
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(HEADER.split(";"))
    book.active.append(ROW.split(";"))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


WORKBOOK = _workbook()


@given(st.lists(st.tuples(st.integers(0, 9_999), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_workbook_is_told(changes):
    content = bytearray(WORKBOOK)
    for place, value in changes:
        content[4 + place % (len(content) - 4)] = value
    try:
        read_mapped(bytes(content), rules(), LABELS)
    except JournalError as error:
        assert str(error)


def test_time_grows_with_the_rows_only():
    def seconds(count):
        lines = [ROW.replace("F-12", f"F{number // 2}") for number in range(count)]
        start = time.process_time()
        journal = read(*lines)
        assert len(journal.fses) == count // 2
        return time.process_time() - start

    seconds(200)
    assert seconds(5000) < 20 * max(seconds(1000), 0.02)
