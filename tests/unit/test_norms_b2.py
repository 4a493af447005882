"""B2 claims: written, read back, refused when a total or the order is wrong."""

import gzip
import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from norms import NormError, b2, codec
from norms.b2 import B2Act, B2File, B2Invoice, B2Lot

DAY = date(2026, 3, 2)


def act(**kw):
    values = {
        "act_date": date(2026, 3, 1),
        "key_letter": "AMI",
        "coefficient_hundredths": 410,
        "unit_price": 315,
        "base": 1290,
        "rate": 60,
        "amo_amount": 774,
        "fee": 1290,
        "amc_amount": 516,
        "performer_id": "756123456",
        "performer_spec": "24",
        "tariff_zone": "20",
    }
    return B2Act(**{**values, **kw})


def invoice(*acts, **kw):
    values = {
        "nir": "1550199999999",
        "invoice_no": "000000123",
        "invoice_date": DAY,
        "regime": "01",
        "caisse": "131",
        "centre": "0000",
        "prescriber_id": "751000000",
        "prescription_date": date(2026, 2, 1),
        "birth_date": date(1955, 1, 2),
        "amc_no": "0012345678",
        "amc_member": "ABC123",
        "payee_mode": "15",
        "contract": "00",
        "invoice_kind": "F",
    }
    return B2Invoice(**{**values, **kw}, acts=list(acts) or [act()])


def lot(*invoices, **kw):
    values = {
        "provider_id": "756123456",
        "dest_org": "131",
        "lot_no": "012",
        "lot_date": DAY,
        "name": "CABINET ELISE MARTIN",
        "certification": "S",
    }
    return B2Lot(**{**values, **kw}, invoices=list(invoices) or [invoice()])


def file(*lots, **kw):
    values = {
        "sender_no": "00000756123456",
        "dest_no": "00000001131000",
        "file_id": "A00012",
        "created_on": DAY,
    }
    return B2File(**{**values, **kw}, lots=list(lots) or [lot()])


def whole():
    return file(
        lot(
            invoice(
                act(), act(key_letter="IFA", complement="N", fee=250, amo_amount=150, amc_amount=0)
            ),
            invoice(invoice_no="000000124", amc_member="LONGMEMBER123"),
        ),
        lot(lot_no="013"),
    )


def test_records_are_128_characters_in_the_order_of_the_norm():
    raw = b2.write(whole())
    assert len(raw) % 128 == 0
    codes = [record.code for record in b2.records(raw)]
    assert (
        codes
        == (
            "B2.000 B2.1 B2.2.PS B2.4.PS B2.4.PS B2.5.PS B2.2.PS B2.2M.PS B2.4.PS B2.5.PS B2.6 "
            "B2.1 B2.2.PS B2.4.PS B2.5.PS B2.6 B2.999"
        ).split()
    )
    assert all(record.label for record in b2.records(raw))


def test_what_is_written_reads_back():
    assert b2.read(b2.write(whole())) == whole()


def test_a_prescriber_known_by_rpps_takes_a_sub_record():
    original = file(lot(invoice(act(), act(), prescriber_rpps="10101010104")))
    raw = b2.write(original)
    assert b2.read(raw) == original
    assert [r.code for r in b2.records(raw)].count("B2.4E") == 2
    assert len(raw) // 128 == 4 + b2.records_needed(original.lots[0].invoices[0])


def test_an_invoice_is_checked_alone():
    b2.check_invoice(invoice(), "756123456")
    for wrong in (invoice(nir=""), invoice(invoice_no=""), invoice(act(fee=-1))):
        with pytest.raises(NormError):
            b2.check_invoice(wrong, "756123456")
    empty = invoice()
    empty.acts = []
    with pytest.raises(NormError, match="Aucun acte"):
        b2.check_invoice(empty, "756123456")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_and_trimmed_blanks(end):
    raw = b2.write(whole())
    lines = [raw[at : at + 128].rstrip() for at in range(0, len(raw), 128)]
    assert b2.read(end.join(lines) + end) == whole()


def test_envelope_and_glued_files():
    raw = b2.write(whole())
    assert b2.read(gzip.compress(raw)) == whole()
    assert b2.read_all(raw + raw) == [whole(), whole()]
    with pytest.raises(NormError, match="2 fichiers"):
        b2.read(raw + raw)


def test_totals_are_sums():
    first = whole().lots[0]
    assert (first.total_fee, first.total_amo, first.total_amc) == (2830, 1698, 1032)
    values = [r.values for r in b2.records(b2.write(whole())) if r.code == "B2.6"][0]
    assert (values["total"], values["total_amo"], values["total_amc"], values["invoices"]) == (
        "000002830",
        "000001698",
        "000001032",
        "002",
    )


def swap(raw, code, **changes):
    records = [r for r in b2.records(raw)]
    table = codec.layout("b2")
    hit = next(r for r in records if r.code == code)
    hit.raw = table[code].encode({**hit.values, **changes})
    return "".join(r.raw for r in records).encode("latin-1")


@pytest.mark.parametrize(
    ("code", "changes", "message"),
    [
        ("B2.5.PS", {"total_fee": 1}, r"honoraires : 0,01 € annoncé, 15,40 € lu"),
        ("B2.5.PS", {"total_amo": 1}, "part AMO"),
        ("B2.5.PS", {"total_amc": 1}, "part AMC"),
        ("B2.5.PS", {"total_insured": 1}, "part assuré"),
        ("B2.5.PS", {"act_records": 9}, "nombre d'actes : 9 annoncé, 2 lu"),
        ("B2.6", {"total": 1}, "total du lot"),
        ("B2.6", {"total_amo": 1}, "total AMO du lot"),
        ("B2.6", {"total_amc": 1}, "total AMC du lot"),
        ("B2.6", {"invoices": 9}, "nombre de factures"),
        ("B2.6", {"act_lines": 9}, "nombre d'actes"),
        ("B2.6", {"type2": 9}, "type 2"),
        ("B2.6", {"lot_no": 9}, "se ferme sous le numéro 009"),
        ("B2.999", {"records": 9}, "nombre d'enregistrements : 9 annoncé, 17 lu"),
        ("B2.999", {"lots": 9}, "nombre de lots"),
        ("B2.4.PS", {"fee": 1}, "honoraires"),
    ],
)
def test_totals_are_strict(code, changes, message):
    with pytest.raises(NormError, match=message) as caught:
        b2.read(swap(b2.write(whole()), code, **changes))
    assert caught.value.record


def test_structure_files_are_read():
    table = codec.layout("b2")
    key = {"provider_id": "130000001", "nir": "1550199999999", "nir_key": "79"}
    key["invoice_no"] = "000000007"
    ends = {"sender_type": "TE", "sender_no": "130000001", "dest_type": "CT", "file_id": "X"}
    records = [
        table["B2.000"].encode({**ends, "created_on": DAY, "norm": "CP"}),
        table["B2.1"].encode({"provider_id": "130000001", "lot_no": "001", "lot_date": DAY}),
        table["B2.2.CP"].encode({**key, "regime": "01", "entry_date": DAY, "birth_date": "550102"}),
        table["B2.2S.CP"].encode({**key, "sequence": "01"}),
        table["B2.3.CP"].encode(
            {**key, "from": DAY, "act_code": "GHS", "base": 5000, "amo_amount": 4000, "fee": 5000}
        ),
        table["B2.4.CP"].encode(
            {**key, "act_date": DAY, "act_code": "AMI", "amo_amount": 600, "fee": 1000}
        ),
        table["B2.4E"].encode({**key, "sequence": "01"}),
        table["B2.5.CP"].encode(
            {
                **key,
                "line_records": 3,
                "hosp_base": 5000,
                "hosp_amo": 4000,
                "fee_total": 1000,
                "fee_amo": 600,
                "insured_share": 1400,
                "hosp_fee": 5000,
            }
        ),
        table["B2.6"].encode(
            {
                "provider_id": "130000001",
                "invoices": 1,
                "act_lines": 2,
                "type2": 2,
                "type5": 1,
                "total": 6000,
                "total_amo": 4600,
                "lot_no": "001",
            }
        ),
    ]
    records.append(table["B2.999"].encode({**ends, "records": 10, "lots": 1}))
    raw = "".join(records).encode("latin-1")
    found = b2.read(raw)
    assert found.family == "CP"
    [claim] = found.lots[0].invoices
    assert [item.key_letter for item in claim.acts] == ["GHS", "AMI"]
    assert (claim.total_fee, claim.total_amo) == (6000, 4600)
    found.dest_no = found.dest_no.zfill(14)
    assert b2.read(b2.write(found)) == found
    with pytest.raises(NormError, match="part AMO hospitalière"):
        b2.read(swap(raw, "B2.5.CP", hosp_amo=1))


def test_unknown_records_are_kept():
    raw = b2.write(file())
    records = [raw[at : at + 128] for at in range(0, len(raw), 128)]
    extra = records[3][:35] + b"M" + records[3][36:]
    records.insert(4, extra)
    text = b"".join(records)
    found = b2.read(swap(text, "B2.999", records=len(records)))
    assert found.unknown == [extra.decode()]
    assert [r.label for r in b2.records(text)][4] == "Enregistrement inconnu"


def test_wrong_order():
    raw = b2.write(whole())
    records = [raw[at : at + 128] for at in range(0, len(raw), 128)]
    for moved in range(1, len(records) - 1):
        shuffled = records[:moved] + records[moved + 1 : -1] + [records[moved], records[-1]]
        if shuffled != records:
            with pytest.raises(NormError):
                b2.read(b"".join(shuffled))


def test_truncated_wherever_it_is_cut():
    raw = b2.write(whole())
    for cut in range(len(raw)):
        with pytest.raises(NormError):
            b2.read(raw[:cut])
    with pytest.raises(NormError, match="tronqué"):
        b2.read(raw[:-128])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda: lot(invoice(nir="123456789012345")), "nir"),
        (lambda: lot(invoice(invoice_no="ABC")), "Facture ABC .* invoice_no"),
        (lambda: lot(invoice(act(fee=-5))), "Facture 000000123 .* fee"),
        (lambda: lot(invoice(act(fee=10**8))), "fee"),
        (lambda: lot(invoice(act(key_letter="ABCDEF"))), "act_code"),
        (lambda: lot(lot_no="1234"), "lot_no"),
    ],
)
def test_what_does_not_fit_is_not_written(changed, message):
    with pytest.raises(NormError, match=message):
        b2.write(file(changed()))


digits = lambda size: st.integers(0, 10**size - 1).map(lambda n: str(n).zfill(size))  # noqa: E731
code = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=8)
cents = st.integers(0, 99_999)
days = st.dates(date(2000, 1, 1), date(2060, 1, 1))
acts = st.builds(
    B2Act,
    days,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=4),
    st.sampled_from(["", "N", "F"]),
    st.integers(0, 999_999),
    st.integers(0, 99),
    cents,
    cents,
    st.integers(0, 100),
    cents,
    cents,
    cents,
    st.sampled_from("01"),
    st.sampled_from(["", "3"]),
    digits(9),
    digits(2),
    digits(2),
)
# What a patient pays before the AMC is a total of the norm: never below zero.
acts = acts.map(lambda item: _consistent(item))
invoices = st.builds(
    B2Invoice,
    digits(13),
    digits(9),
    days,
    digits(2),
    digits(3),
    digits(4),
    digits(9),
    days,
    digits(2),
    st.sampled_from("0345"),
    st.none() | st.dates(date(1930, 1, 1), DAY),
    st.integers(0, 9),
    digits(10),
    st.text("ABC123", max_size=15),
    digits(2),
    digits(2),
    st.sampled_from(["", "E"]),
    st.sampled_from(["", "F"]),
    st.just(""),
    st.lists(acts, max_size=4),
)
lots = st.builds(
    B2Lot,
    digits(9),
    digits(3),
    digits(3),
    days,
    code,
    st.sampled_from(["", "S", "D"]),
    st.lists(invoices, max_size=3),
)
files = st.builds(
    B2File,
    digits(14),
    st.just("CT"),
    digits(14),
    code.map(lambda x: x[:6]),
    st.just(DAY),
    st.lists(lots, max_size=2),
)


def _consistent(item):
    item.fee = max(item.fee, item.amo_amount)
    return item


hospital_acts = st.builds(
    B2Act,
    days,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=4),
    st.sampled_from(["", "N"]),
    st.integers(0, 99_999),
    st.integers(0, 999),
    cents,
    cents,
    st.integers(0, 100),
    cents,
    cents,
    cents,
    exemption=st.sampled_from(["", "3"]),
    hospital=st.just(True),
    to_date=days,
).map(lambda item: _consistent(item))
structure_files = st.builds(
    file,
    st.builds(
        lot,
        st.builds(
            lambda lines, rpps, **kw: invoice(
                *lines, invoice_kind="", amc_member="", prescriber_rpps=rpps, **kw
            ),
            st.lists(acts.filter(lambda item: item.place == "0") | hospital_acts, min_size=1),
            st.sampled_from(["", "10101010104"]),
            ben_rank=digits(3),
            entry_no=code,
            payee_mode=st.sampled_from(["00", "15"]),
            exit_date=days,
        ),
    ),
    norm=st.just("CP"),
)


@settings(max_examples=60, deadline=None)
@given(structure_files)
def test_any_structure_file_reads_back(original):
    raw = b2.write(original)
    found = b2.read(raw)
    claim, wanted = found.lots[0].invoices[0], original.lots[0].invoices[0]
    assert len(raw) // 128 == 4 + b2.records_needed(wanted, "CP")
    if not any(item.hospital for item in wanted.acts):  # only hospital lines hold the date
        wanted.prescription_date = None
    assert found == original
    assert b2.write(found) == raw
    assert (claim.total_fee, claim.total_amo) == (wanted.total_fee, wanted.total_amo)


@settings(max_examples=120, deadline=None)
@given(files)
def test_any_file_reads_back(original):
    assert b2.read(b2.write(original)) == original


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=500), st.booleans())
def test_random_bytes_raise_norm_errors_only(content, with_header):
    if with_header:
        content = b2.write(file())[:128] + content
    for function in (b2.read, b2.read_all, b2.records):
        try:
            function(content)
        except NormError as error:
            assert str(error)


def test_mutated_files_never_crash_nor_change_money_unseen():
    rng = random.Random(7)
    raw = b2.write(whole())
    totals = [item.total_fee for item in whole().lots]
    read = 0
    for _turn in range(1200):
        damaged = bytearray(raw)
        for _hit in range(rng.choice((1, 1, 2, 5))):
            damaged[rng.randrange(len(damaged))] = rng.choice((rng.randrange(256), 48, 57, 32))
        try:
            found = b2.read(bytes(damaged))
        except NormError:
            continue
        read += 1
        assert [item.total_fee for item in found.lots] == totals
    assert read > 20
