"""NOEMIE returns: written, read back, refused when money or shape is wrong."""

import copy
import dataclasses
import gzip
import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from norms import NormError, codec, noemie
from norms.noemie import (
    ActReturn,
    InvoiceReturn,
    LumpSum,
    Movement,
    NoemieFile,
    Part,
    Reason,
    Settlement,
    UnknownEntity,
)

CREATED = date(2026, 3, 2)
PAYEE = "000000756123456"


def invoice(number="000000123", **kw):
    values = {
        "lot_no": "012",
        "lot_date": date(2026, 2, 20),
        "invoice_date": date(2026, 2, 19),
        "nir": "1550199999999",
        "last_name": "DUPONT",
        "first_name": "JEAN",
        "birth_date": date(1955, 1, 2),
        "parts": [Part("amo", 1234, "P", 1234)],
    }
    return InvoiceReturn(number, **{**values, **kw})


def settlement(*invoices, **kw):
    values = {
        "payee_no": PAYEE,
        "transfer_date": date(2026, 3, 1),
        "label1": "CPAM 131 MARSEILLE - 0000007561",
        "label2": "26 060",
        "payer": "01131",
    }
    return Settlement(**{**values, **kw}, invoices=list(invoices))


def file(*settlements, **kw):
    values = {
        "sender_no": "00000001131000",
        "dest_no": "00000756123456",
        "file_id": "ABC123",
        "created_on": CREATED,
    }
    return NoemieFile(**{**values, **kw}, settlements=list(settlements))


def whole():
    refused = invoice(
        "000000124",
        parts=[Part("amo", 1000, "P", 900), Part("amc", 400, "R", 0, "0012345678", "AB12")],
        reasons=[Reason("0450", "ETM non connue", "F", "amc"), Reason("2900", "Déjà payée", "L")],
        comments=["Voir le relevé"],
        acts=[ActReturn(1, "AMI", "N", date(2026, 2, 19), 2, 410, 315, 1290, 60, 1290, 900, 0)],
    )
    return file(
        settlement(
            invoice(),
            refused,
            movements=[Movement("D1", date(2026, 1, 5), "IND", "RPR", 200, 5000)],
            lumps=[LumpSum("00012", "Forfait télétransmission", 10000)],
        ),
        settlement(invoice("000000125", parts=[Part("amo", 500, "P", -500)]), payee_no="0" * 15),
    )


def test_typical_tree():
    raw = noemie.write(whole()).decode("latin-1")
    codes = []
    position = codec.layout("noemie")["000"].length
    while raw[position : position + 3] != "999":
        codes.append(raw[position : position + 3])
        position += codec.layout("noemie")[codes[-1]].length
    assert (
        codes
        == (
            "020 040 071 081 102 103 198 102 103 198 199 210 294 294 295 081 261 262 081 250 990 "
            "990 020 040 071 081 102 103 198 990 990"
        ).split()
    )


def test_expected_transfer():
    first, second = whole().settlements
    assert first.expected == 1234 + 900 + 10000 - 200
    assert second.expected == -500
    assert first.provider_no == "756123456"


def test_amc_paid_apart_is_not_in_the_transfer():
    apart = invoice(parts=[Part("amo", 1000, "P", 1000), Part("amc", 400, "P", 400, "12")])
    apart.amc_processing = "V"
    together = copy.deepcopy(apart)
    together.amc_processing = "C"
    assert settlement(apart).expected == 1000
    assert settlement(together).expected == 1400
    [read] = noemie.read(noemie.write(file(settlement(apart), settlement(together))))
    assert [found.expected for found in read.settlements] == [1000, 1400]


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
def test_both_framings_give_the_same_file(framing):
    raw = noemie.write(whole(), framing)
    [found] = noemie.read(raw)
    assert found.framing == framing
    assert dataclasses.replace(found, framing="flat") == whole()
    assert not found.warnings


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
@pytest.mark.parametrize("line", [1, 127, 128, 500])
def test_line_breaks_anywhere(framing, line):
    raw = noemie.write(whole(), framing)
    lines = b"\r\n".join(raw[at : at + line] for at in range(0, len(raw), line)) + b"\r\n"
    [found] = noemie.read(lines)
    assert found.settlements == whole().settlements


def test_glued_files_of_both_framings():
    raw = noemie.write(whole()) + b"\n" + noemie.write(whole(), "wrapped") + b"\x1a"
    assert [found.framing for found in noemie.read(gzip.compress(raw))] == ["flat", "wrapped"]


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
def test_unknown_entities_are_kept(framing):
    kept = [UnknownEntity("777", "04", "77704CE QUE PERSONNE NE CONNAIT@")]
    original = dataclasses.replace(whole(), unknown=kept)
    [found] = noemie.read(noemie.write(original, framing))
    assert found.unknown == kept
    assert found.settlements == whole().settlements
    inside = noemie.write(whole()).replace(b"198", b"76504TRUC@198", 1)
    with pytest.raises(NormError, match="entités annoncées"):
        noemie.read(inside)


def test_a_wrapped_file_that_looks_flat():
    """``1`` + ``010`` reads as an entity 101: the framing with fewer unknowns wins."""
    body = "01001" + "0" * 8 + "@" + noemie.write(whole()).decode("latin-1")[128:-128]
    found = noemie.write(dataclasses.replace(whole(), settlements=[])).decode("latin-1")
    header, trailer = found[:128], noemie.write(whole()).decode("latin-1")[-128:]
    chunks = [body[at : at + 127] for at in range(0, len(body), 127)]
    blocks = ["0" + chunk for chunk in chunks[:-1]] + ["1" + chunks[-1].ljust(127)]
    records = codec.layout("noemie")["999"]
    values = records.decode(trailer)
    trailer = records.encode({**values, "records": len(blocks) + 2})
    [found] = noemie.read((header + "".join(blocks) + trailer).encode("latin-1"))
    assert found.framing == "wrapped"
    assert found.settlements == whole().settlements


def swap(raw, code, occurrence, **changes):
    """The file with some fields of one entity changed."""
    record = codec.layout("noemie")[code]
    text = raw.decode("latin-1")
    position = codec.layout("noemie")["000"].length
    while True:
        found = text[position : position + 3]
        if found == code:
            if not occurrence:
                break
            occurrence -= 1
        position += codec.layout("noemie")[found].length
    values = record.decode(text, position)
    new = record.encode({**values, **changes})
    return (text[:position] + new + text[position + record.length :]).encode("latin-1")


@pytest.mark.parametrize(
    ("code", "occurrence", "changes", "message"),
    [
        ("990", 0, {"sum": "00000000001"}, r"990 du niveau 071 annonce 0,01 €, le détail fait"),
        ("990", 0, {"sign": "N"}, "ne tombent pas juste"),
        ("990", 0, {"count": "00000003"}, "3 entités annoncées"),
        ("990", 1, {"sum": "00000000001"}, "990 du niveau 020"),
        ("999", 0, {"total": "00000000001"}, r"total du fichier \(999\)"),
        ("999", 0, {"records": "00000009"}, "annonce 9 enregistrements"),
        ("198", 0, {"paid": "00001235"}, "ne tombent pas juste"),
        ("198", 0, {"sign": "N"}, "ne tombent pas juste"),
        ("198", 0, {"sign": "X"}, "Signe « X » inconnu"),
        ("198", 0, {"state": "R"}, "part AMO rejetée mais payée 12,34 €"),
        ("261", 0, {"amount": "00010001"}, "dont le détail fait"),
        ("071", 0, {"transfer_date": "261399"}, "Date « 261399 » impossible"),
    ],
)
def test_money_is_strict(code, occurrence, changes, message):
    with pytest.raises(NormError, match=message) as caught:
        noemie.read(swap(noemie.write(whole()), code, occurrence, **changes))
    assert "Rien n'a été enregistré" in str(caught.value)


def test_retention_signs_are_read_from_the_totals():
    raw = noemie.write(whole())
    [found] = noemie.read(swap(raw, "250", 0, sign="N"))
    assert found.settlements[0].movements[0].amount == 200
    assert found.settlements[0].expected == whole().settlements[0].expected
    assert found.warnings


def test_a_debt_that_is_only_stated_leaves_the_transfer_alone():
    stated = Movement("D1", date(2026, 1, 5), "IND", "CIN", 200, 200, withheld=False)
    original = file(settlement(invoice(), movements=[stated]))
    assert original.expected == 1234
    [found] = noemie.read(noemie.write(original))
    assert found == original


def test_an_unverified_level_is_a_warning_and_the_total_still_counts():
    raw = swap(noemie.write(whole()), "990", 0, closes="XYZ", count="99999999")
    [found] = noemie.read(raw)
    assert "niveau inconnu" in found.warnings[0]
    with pytest.raises(NormError, match="total du fichier|niveau 020"):
        noemie.read(swap(raw, "198", 0, paid="99999999"))


def test_level_named_by_its_number_or_not_at_all():
    for closes in ("02", ""):
        raw = swap(noemie.write(file(settlement(invoice()))), "990", 0, closes=closes)
        if closes:
            # Level 02 is 081 here, the innermost one: its count differs from that of 071.
            raw = swap(raw, "990", 0, count="00000003")
        [found] = noemie.read(raw)
        assert not found.warnings
        assert found.expected == 1234


def test_older_reference_pays_per_act():
    table = codec.layout("noemie")
    body = [
        table["020"].encode({"payee_no": PAYEE}),
        table["070"].encode({"accounting_date": date(2026, 3, 1)}),
        table["080"].encode({"lot_date": date(2026, 2, 20), "lot_no": "007"}),
        table["100"].encode({"invoice_no": "000000042"}),
        table["110"].encode({"nir": "1550199999999", "name": "DUPONT", "first_name": "JEAN"}),
        table["120"].encode({"name": "DUPONT", "first_name": "LEA", "birth_date": "200101"}),
        table["210"].encode(
            {"line_no": 1, "base": 1000, "rate": 60, "amo_paid": 600, "sign": "P", "act": "AMI"}
        ),
        table["210"].encode(
            {"line_no": 2, "base": 500, "rate": 60, "amo_paid": 300, "sign": "P", "act": "AMI"}
        ),
        table["290"].encode({"line_no": 2, "code": "0450 072", "label": "Exonération inconnue"}),
    ]
    ends = noemie.write(file())
    trailer = table["999"].encode(
        {**table["999"].decode(ends.decode("latin-1"), 128), "records": 11, "total": 900}
    )
    raw = ends[:128] + "".join(body).encode("latin-1") + trailer.encode("latin-1")
    [found] = noemie.read(raw)
    [transfer] = found.settlements
    assert (transfer.payee_no, transfer.transfer_date) == (PAYEE, date(2026, 3, 1))
    [claim] = transfer.invoices
    assert (claim.invoice_no, claim.lot_no, claim.first_name) == ("000000042", "007", "LEA")
    assert claim.birth_date == date(2020, 1, 1)
    assert claim.parts == [Part("amo", 900, "P", 900)]
    assert claim.reasons == [Reason("0450 072", "Exonération inconnue", "L", "amo", line_no=2)]


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
def test_a_truncated_file_is_refused_wherever_it_is_cut(framing):
    raw = noemie.write(whole(), framing)
    for cut in range(len(raw)):
        with pytest.raises(NormError):
            noemie.read(raw[:cut])
    with pytest.raises(NormError, match="tronqué"):
        noemie.read(raw[:-10])


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
def test_the_position_counts_the_bytes_of_the_file(framing):
    """The message points at the damaged character, line breaks and blocks counted."""
    raw = noemie.write(whole(), framing)
    for separator in (b"", b"\r\n"):
        damaged = raw.replace(b"00001234P", b"00X01234P", 1)
        at = damaged.index(b"X01234P")
        lines = [damaged[start : start + 128] for start in range(0, len(damaged), 128)]
        file_bytes = separator.join(lines)
        with pytest.raises(NormError) as caught:
            noemie.read(file_bytes)
        asked = caught.value.byte - 1
        assert at + at // 128 * len(separator) - 2 <= asked <= at + at // 128 * len(separator)
        assert file_bytes[asked + 2 : asked + 3] == b"X"


# Properties

texts = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
days = st.dates(date(2000, 1, 1), date(2069, 12, 31))
maybe_day = st.none() | days
cents = st.integers(0, 99_999_999)
signed = st.integers(-99_999_999, 99_999_999)


def text(size):
    return st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=size).map(
        lambda value: value.rstrip(" ")
    )


def digits(size):
    return st.integers(0, 10**size - 1).map(lambda number: str(number).zfill(size))


parts = st.one_of(
    st.builds(Part, st.just("amo"), cents, st.sampled_from("PRD"), signed),
    st.builds(Part, st.just("amc"), cents, st.sampled_from("PRD"), signed, digits(10), text(15)),
).map(lambda part: dataclasses.replace(part, paid=0) if part.state == "R" else part)
reasons = st.builds(
    Reason,
    text(4),
    text(86),
    st.sampled_from("FLA"),
    st.sampled_from(["amo", "amc"]),
    text(5),
    maybe_day,
    st.integers(0, 999),
    text(30),
)
invoices = st.builds(
    InvoiceReturn,
    digits(9),
    digits(3),
    maybe_day,
    st.sampled_from("FDBPA"),
    maybe_day,
    st.sampled_from(["", "V", "C"]),
    digits(13),
    text(25),
    text(15),
    st.none() | st.dates(date(1930, 1, 1), CREATED),
    st.lists(parts, max_size=2),
    st.lists(reasons, max_size=2),
    st.lists(text(128), max_size=1),
)
movements = st.builds(Movement, text(10), maybe_day, st.just("IND"), st.just("RPR"), signed, cents)
lumps = st.builds(LumpSum, text(5), text(80), cents)
settlements_ = st.builds(
    Settlement,
    digits(15),
    days,
    text(32),
    text(32),
    text(10),
    st.sampled_from(["01", "02"]),
    st.lists(invoices, max_size=4),
    st.lists(movements, max_size=2),
    st.lists(lumps, max_size=2),
)
files = st.builds(
    NoemieFile,
    st.sampled_from(["flat", "wrapped"]),
    text(4),
    st.sampled_from(["CP", "CT", "OC", "MA"]),
    digits(14),
    digits(14),
    text(6),
    st.just(CREATED),
    st.lists(settlements_, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(files)
def test_what_is_written_reads_back(original):
    [found] = noemie.read(noemie.write(original))
    assert found == original
    assert found.expected == original.expected


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600), st.booleans())
def test_random_bytes_raise_norm_errors_only(content, with_header):
    if with_header:
        content = noemie.write(file())[:128] + content
    try:
        assert noemie.read(content)
    except NormError as error:
        assert str(error)


@pytest.mark.parametrize("framing", ["flat", "wrapped"])
def test_mutated_files_never_crash_nor_change_money_unseen(framing):
    """Any number of damaged bytes: refused, or read with the very same sum."""
    rng = random.Random(20260302)
    raw = noemie.write(whole(), framing)
    sums = whole().expected
    read = 0
    for _turn in range(1200):
        damaged = bytearray(raw)
        for _hit in range(rng.choice((1, 1, 1, 2, 5))):
            at = rng.randrange(len(damaged))
            action = rng.random()
            if action < 0.7:
                damaged[at] = rng.choice((rng.randrange(256), ord("0"), ord("9"), ord("@"), 32))
            elif action < 0.85:
                del damaged[at : at + rng.randrange(1, 200)]
            else:
                start = rng.randrange(len(damaged))
                damaged[at:at] = damaged[start : start + rng.randrange(1, 200)]
            if not damaged:
                damaged = bytearray(b"0")
        try:
            found = noemie.read(bytes(damaged))
        except NormError:
            continue
        read += 1
        if len(damaged) == len(raw) and len(found) == 1:
            # Two equal errors in the detail and in every total would be needed to hide one.
            assert abs(found[0].expected) == abs(sums) or found[0].warnings
    assert read > 20


def test_many_glued_files_are_read_in_linear_time():
    raw = noemie.write(file(settlement(invoice()))) * 2000
    assert len(noemie.read(raw)) == 2000


def test_a_large_file():
    many = [invoice(str(number).zfill(9)) for number in range(5000)]
    original = file(
        *(
            settlement(*many[at : at + 500], transfer_date=date(2026, 1, 1) + timedelta(at))
            for at in range(0, 50, 10)
        )
    )
    [found] = noemie.read(noemie.write(original, "wrapped"))
    assert found.expected == original.expected
