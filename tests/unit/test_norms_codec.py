"""The layout tables and the codec that reads them."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from norms import NormError, codec

LAYOUTS = ("b2", "b2_return", "noemie")
RECORDS = [(name, record) for name in LAYOUTS for record in codec.layout(name)]
by_record = pytest.mark.parametrize(
    "record", [record for _name, record in RECORDS], ids=[f"{n}-{r.code}" for n, r in RECORDS]
)


@by_record
def test_record_covers_its_length(record):
    position = 1
    for field in record.fields:
        assert field.start == position, field.key
        position += field.length
    assert position - 1 == record.length
    assert len(record.by_key) == len(record.fields)


@by_record
def test_every_field_tells_where_it_comes_from(record):
    assert record.title and record.label
    for field in record.fields:
        assert field.sources, field.key
        assert field.certainty in "ABC"
        assert field.type in "NADM"
        assert field.presence in "OF"


@by_record
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_encode_is_the_reverse_of_decode(record, data):
    raw = data.draw(st.from_regex(record._regex, fullmatch=True))
    raw = "".join(char if char < "\u0100" else "?" for char in raw)
    values = record.decode(raw)
    assert record.encode(values) == raw
    assert record.encode(record.decode(record.encode(values))) == raw


def test_layouts_are_versioned():
    for name in LAYOUTS:
        table = codec.layout(name)
        assert table.version and table.norm and table.status == "derived"


@pytest.mark.parametrize(
    ("code", "key", "value", "text"),
    [
        ("B2.4.PS", "coefficient", 807, "000807"),
        ("B2.4.PS", "act_date", date(2026, 2, 3), "260203"),
        ("B2.4.PS", "fee", 1290, "0001290"),
        ("B2.1", "name", "DUPONT", "DUPONT" + " " * 34),
        ("B2.1", "lot_no", 7, "007"),
        ("B2.1", "lot_no", None, "000"),
        ("B2.000", "received_on", None, " " * 6),
    ],
)
def test_values_take_the_shape_of_their_field(code, key, value, text):
    assert codec.layout("b2")[code].by_key[key].write(value) == text


@pytest.mark.parametrize(
    ("key", "value"),
    [("fee", -1), ("fee", 10_000_000), ("act_date", "2026-02-03"), ("act_code", "ABCDEF")],
)
def test_a_value_that_does_not_fit_is_refused(key, value):
    with pytest.raises(NormError, match=key):
        codec.layout("b2")["B2.4.PS"].by_key[key].write(value)


def test_an_unreadable_field_is_named_with_its_position():
    record = codec.layout("noemie")["198"]
    raw = record.encode({"asked": 1234, "state": "P", "paid": 1234, "sign": "P"})
    with pytest.raises(NormError, match="zone paid.*« 0000X234 »") as caught:
        record.decode(raw[:18] + "X" + raw[19:])
    assert caught.value.byte == record.by_key["paid"].start


@pytest.mark.parametrize(
    ("nir", "key"),
    [
        ("2990199999001", "57"),
        ("1990199999999", "79"),
        ("199012A999001", "36"),
        ("299012B999002", "12"),
        ("1555555131333", "50"),
        ("2555555131333", "97"),
        ("12345", ""),
        ("²555555131333", ""),
        ("", ""),
    ],
)
def test_nir_key(nir, key):
    assert codec.nir_key(nir) == key


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("260102", date(2026, 1, 2)),
        ("991231", date(1999, 12, 31)),
        ("000000", None),
        ("      ", None),
        ("261345", None),
    ],
)
def test_dates(raw, found):
    assert codec.to_date(raw) == found


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("260102", date(2026, 1, 2)),
        ("261102", date(1926, 11, 2)),
        ("550630", date(1955, 6, 30)),
        ("550042", None),
        ("²60102", None),
        ("", None),
    ],
)
def test_birth_dates_are_never_in_the_future(raw, found):
    assert codec.to_birth_date(raw, date(2026, 3, 1)) == found


def test_texts_are_folded():
    assert codec.fold("Élise d'Arc-Müller  SARL") == "ELISE D ARC MULLER SARL"
    assert codec.fold("ABCDEF GH", 7) == "ABCDEF"
    assert codec.latin("Reçu\x00 à 5 €") == "Reçu  à 5 ?"
