"""Strict where money is, whatever the bytes: no cent changes unseen, nothing crashes, memory is bounded."""

import ast
import dataclasses
import gzip
import json
import random
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import test_norms_b2 as claims
import test_norms_noemie as returns

from norms import NormError, b2, codec, dump, noemie
from norms.envelope import MAX_BYTES

NORMS = Path(codec.__file__).parent
#: amounts that no total of the norm repeats; they are shown, never booked
SHOWN_ONLY = {
    "unit_price",
    "theoretical_base",
    "asked",
    "balance",
    "total_other",
    "local_amount",
    "amc_base",
    "210.base",
    "210.fee",
    "210.amo_paid",
    "210.amc_amount",
    "B2.4.PS.base",
    "B2.4.CP.base",
}


def structure_file():
    stay = b2.B2Act(
        date(2026, 3, 1),
        "GHS",
        base=5000,
        rate=80,
        amo_amount=4000,
        fee=5200,
        amc_amount=700,
        hospital=True,
        to_date=date(2026, 3, 2),
    )
    claim = claims.invoice(stay, claims.act(), invoice_kind="", amc_member="", ben_rank="001")
    return claims.file(claims.lot(claim, claims.invoice(amc_member="")), norm="CP")


FILES = {
    "b2": (b2.write(claims.whole()), b2.read),
    "b2 structure": (b2.write(structure_file()), b2.read),
    "noemie flat": (noemie.write(returns.whole(), "flat"), noemie.read),
    "noemie wrapped": (noemie.write(returns.whole(), "wrapped"), noemie.read),
}
every_file = pytest.mark.parametrize(("raw", "read"), FILES.values(), ids=FILES)


def money_bytes(raw):
    """(offset, record code, key) of every character of every amount of a file, found by its layout."""
    text, position = raw.decode("latin-1"), 0
    # an entity that runs over two blocks is not found in the bytes: the flat file has it whole
    for record in dump.dump(raw):
        at = text.index(record.raw, position) if record.raw in text[position:] else None
        for item in record.fields:
            if item.key in SHOWN_ONLY or f"{record.code}.{item.key}" in SHOWN_ONLY:
                continue
            table = codec.layout("b2" if record.kind == "b2" else "noemie")
            if at is not None and table[record.code].by_key[item.key].type == "M":
                for shift in range(item.length):
                    yield at + item.start - 1 + shift, record.code, item.key
        if at is not None:
            position = at + 1


@every_file
def test_any_amount_byte_that_changes_refuses_the_whole_file(raw, read):
    """Every digit of every amount that is booked or totalled, changed alone, refuses the file."""
    seen = set()
    for offset, code, key in money_bytes(raw):
        for other in b"0", b"1", b"9", b"A", b" ":
            if raw[offset : offset + 1] == other:
                continue
            damaged = raw[:offset] + other + raw[offset + 1 :]
            with pytest.raises(NormError) as caught:
                read(damaged)
            assert "Rien n'a été enregistré" in str(caught.value), (code, key)
        seen.add((code, key))
    assert seen


def test_every_amount_of_the_layouts_is_either_checked_or_shown_only():
    """The list above names only amounts that exist; the rest was changed byte by byte."""
    known = {
        name
        for table in ("b2", "noemie")
        for record in codec.layout(table)
        for field in record.fields
        if field.type == "M"
        for name in (field.key, f"{record.code}.{field.key}")
    }
    assert known >= SHOWN_ONLY


# Fuzz


def summary(found):
    """Everything that could be booked of what was read."""
    files = found if isinstance(found, list) else [found]
    if isinstance(files[0], b2.B2File):
        return [
            (invoice.total_fee, invoice.total_amo, invoice.total_amc)
            for file in files
            for lot in file.lots
            for invoice in lot.invoices
        ]
    return [settlement.expected for file in files for settlement in file.settlements]


@every_file
@pytest.mark.parametrize("seed", range(3))
def test_mutated_files(raw, read, seed):
    """Bytes changed, cut, doubled, moved, wrapped again: NormError or the very same money, and soon."""
    rng = random.Random(seed)
    truth = summary(read(raw))
    for _turn in range(250):
        damaged = bytearray(raw)
        for _hit in range(rng.choice((1, 1, 2, 6))):
            at = rng.randrange(len(damaged) or 1)
            size = rng.choice((1, 2, 24, 128, 300))
            action = rng.randrange(6)
            if action < 2:
                damaged[at : at + 1] = bytes([rng.choice((rng.randrange(256), 48, 57, 32, 64))])
            elif action == 2:
                del damaged[at : at + size]
            elif action == 3:
                damaged[at:at] = damaged[at : at + size]
            elif action == 4:
                damaged[at:at] = rng.choice((b"\r\n", b"\x00", b"\xff", b"000", b"999", b"@"))
            else:
                other = rng.randrange(len(damaged) or 1)
                damaged[at : at + size], damaged[other : other + size] = (
                    damaged[other : other + size],
                    damaged[at : at + size],
                )
        content = bytes(damaged)
        if rng.random() < 0.2:
            content = gzip.compress(content)
        start = time.perf_counter()
        try:
            found = summary(read(content))
        except NormError as error:
            assert str(error)
        else:
            # A record that moves whole may change the order, a block doubled whole makes two files
            assert sorted(found) in (sorted(truth), sorted(truth * 2)), content
        for record in dump.dump(content, limit=500):
            assert record.label
        assert time.perf_counter() - start < 5


HOSTILE = {
    "transfers": ("noemie", "070260301@", None),
    "invoices": ("noemie", "10003000000001@", "07002260301@"),
    "unknown": ("noemie", "77701@", None),
    "lots": ("b2", "080 " * 32, None),
    "short lines": ("b2", "4\n4\n", None),
    "one long line": ("b2", "1" * 128, None),
}
_READ = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from norms import NormError, b2, noemie
content = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    (b2 if sys.argv[2] == "b2" else noemie).read(content)
    print("read", end=" ")
except NormError as error:
    assert str(error)
    print("refused", end=" ")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def in_a_process(kind, content):
    """(read or refused, megabytes it took) with at most 1.2 GB of address space and 60 s of CPU."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

    done = subprocess.run(
        [sys.executable, "-c", _READ, str(NORMS.parent), kind],
        input=content,
        capture_output=True,
        preexec_fn=limit,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-800:]
    outcome, megabytes = done.stdout.decode().split()
    return outcome, int(megabytes)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_of_50_mb_takes_bounded_memory(name):
    kind, entity, before = HOSTILE[name]
    header = FILES["b2" if kind == "b2" else "noemie flat"][0][:128]
    body = (before or "").encode() + entity.encode() * (MAX_BYTES // len(entity))
    outcome, _megabytes = in_a_process(kind, (header + body)[:MAX_BYTES])
    assert outcome == "refused"


def test_a_sound_file_of_50_mb_is_read_in_bounded_memory():
    block = noemie.write(returns.file(returns.settlement(*[returns.invoice()] * 500)))
    body, trailer = block[128:-128], block[-128:]
    times = (MAX_BYTES - 256) // len(body)
    table = codec.layout("noemie")["999"]
    values = table.decode(trailer.decode("latin-1"))
    values["records"] = f"{(int(values['records']) - 2) * times + 2:08d}"
    values["total"] = f"{int(values['total']) * times:011d}"
    content = block[:128] + body * times + table.encode(values).encode("latin-1")
    assert 45_000_000 < len(content) <= MAX_BYTES
    outcome, megabytes = in_a_process("noemie", content)
    assert outcome == "read"
    assert megabytes < 700


def test_beyond_50_mb_nothing_is_even_looked_at():
    for read in (b2.read, noemie.read, dump.dump):
        with pytest.raises(NormError, match="trop gros"):
            read(bytes(MAX_BYTES + 1))


# No position in Python


def test_no_position_stands_in_python():
    """Slices with numbers stay inside one value (a date, a NIR, a code): never a place in a record."""
    longest_inside_a_value = 7
    for path in NORMS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Slice):
                for bound in (node.lower, node.upper):
                    if isinstance(bound, ast.Constant) and isinstance(bound.value, int):
                        assert bound.value <= longest_inside_a_value or (
                            path.name == "envelope.py" and bound.value == 65536
                        ), (path.name, node.lineno)


# Layouts as data


def moved(name, code, **changes):
    """The shipped layout with other positions: {key: (start, length)}."""
    document = json.loads(codec.shipped_text(name))
    for field in document["records"][code]["fields"]:
        if field["key"] in changes:
            field["start"], field["length"] = changes[field["key"]]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paid": (16, 7)}, "trou de 15 à 15, entre Décision .* et Montant payé"),
        ({"paid": (14, 9)}, "Montant payé .* commence en 14, sur Décision .* finit en 14"),
        ({"sign": (23, 2)}, "Fin d'entité .* commence en 24, sur Signe"),
        ({"end": (24, 2)}, "couvrent 25 caractères, l'enregistrement en a 24"),
        ({"asked": (6, 0)}, "longueur impossible"),
    ],
)
def test_a_layout_with_a_gap_or_an_overlap_is_refused(changes, message):
    with pytest.raises(NormError, match=message):
        codec.parse("noemie", moved("noemie", "198", **changes))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"records": {}}', '{"records": {"1": {}}}', "null"]
)
def test_what_is_no_layout_is_refused(text):
    assert codec.defects(text)


@pytest.mark.parametrize("name", codec.shipped_names())
def test_shipped_layouts_have_no_defect(name):
    assert codec.defects(codec.shipped_text(name)) == []


def test_a_corrected_layout_reads_a_file_that_the_shipped_one_refuses():
    """198 with nine digits asked and seven paid: read by its own layout only, and both stay usable."""
    table = codec.parse("noemie", moved("noemie", "198", asked=(6, 9), state=(15, 1), paid=(16, 7)))
    original = returns.file(returns.settlement(returns.invoice()))
    raw = noemie.write(original, layouts={"noemie": table})
    with pytest.raises(NormError):
        noemie.read(raw)
    [found] = noemie.read(raw, layouts={"noemie": table})
    assert found == original
    assert noemie.read(noemie.write(original)) == [original]
    before, after = dump.dump(raw), dump.dump(raw, layouts={"noemie": table})
    [(old, new, keys)] = dump.compare(before, after)
    assert (old.code, new.code, keys) == ("198", "198", {"asked", "state", "paid"})
    assert {item.key: item.value for item in new.fields}["paid"] == "12,34 €"


# Dump


@pytest.mark.parametrize("name", FILES)
def test_the_dump_shows_every_character_once(name):
    raw = FILES[name][0]
    records = dump.dump(gzip.compress(raw))
    assert records[0].label == "En-tête de fichier"
    assert records[-1].label == "Fin de fichier"
    for record in records:
        assert "".join(item.raw for item in record.fields) == record.raw
        assert all(item.sources and item.certainty in dump.CERTAINTY for item in record.fields)
        assert not any(item.label == item.key for item in record.fields)
    if name != "noemie wrapped":
        assert "".join(record.raw for record in records).encode("latin-1") == raw
    assert dump.dump(raw, 2, 3) == dump.dump(raw)[2:5]


def test_the_dump_speaks_to_people():
    values = {}
    for record in dump.dump(FILES["noemie flat"][0]):
        for item in record.fields:
            values.setdefault((record.code, item.key), item.value)
    assert values["198", "paid"] == "12,34 €"
    assert values["198", "state"] == "P : payé"
    assert values["071", "transfer_date"] == "01/03/2026"
    assert values["103", "birth_date"] == "02/01/1955"
    assert values["210", "coefficient"] == "4,10"
    assert values["102", "kind"] == "F : FSE"


def test_glued_files_and_a_damaged_rest_are_shown():
    raw = FILES["noemie flat"][0] + FILES["noemie wrapped"][0]
    records = dump.dump(raw)
    assert [record.framing for record in records if record.code == "000"] == ["flat", "wrapped"]
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    damaged = dump.dump(FILES["noemie flat"][0][:200] + b"?!" * 50)
    assert damaged[-1].code is None
    assert damaged[-1].raw.startswith("?")
    assert dump.dump(b"hello") == []


def test_the_layout_chosen_ends_with_its_call():
    table = codec.parse("noemie", codec.shipped_text("noemie"))
    with pytest.raises(ZeroDivisionError), codec.using({"noemie": table}):
        assert codec.layout("noemie") is table
        raise ZeroDivisionError
    assert codec.layout("noemie") is not table
    assert dataclasses.is_dataclass(dump.RecordDump)
