"""Readable dump: every field of every record of a file, with what it means and how sure we are.

Nothing is checked but the characters: a damaged file is shown as far as it can be cut, the rest
as it stands. Reading goes from one record to the next, so that the first page of a large file
costs the first page only.
"""

from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from . import b2, codec, envelope, noemie
from .codec import codes, labels, layout
from .errors import NormError

#: how a field is certain, in words
CERTAINTY = {"A": "texte officiel", "B": "deux décodeurs publics", "C": "une seule source"}
_UNKNOWN_LABEL = "Enregistrement inconnu"
_RAW_AT_MOST = 256


@dataclass(slots=True)
class FieldDump:
    """One field: ``value`` is for people (euros, dates, words), ``raw`` what stands in the file."""

    key: str
    label: str
    start: int
    length: int
    raw: str
    value: str
    certainty: str
    sources: tuple
    meaning: str = ""
    readable: bool = True


@dataclass(slots=True)
class RecordDump:
    """One record; ``code`` is None when the layout does not know it."""

    number: int
    code: str | None
    label: str
    raw: str
    kind: str
    framing: str = ""
    version: str = ""
    fields: list[FieldDump] = field(default_factory=list)


def dump(content, start=0, limit=None, layouts=None):
    """Records ``start`` to ``start + limit`` of ``content`` (bytes), whatever holds them.

    :return: list of ``RecordDump``; empty when the content is neither B2 nor NOEMIE
    :raises NormError: an envelope that cannot be opened
    """
    stop = None if limit is None else start + limit
    with codec.using(layouts):
        return list(islice(_records(content), start, stop))


def compare(before, after):
    """Pairs of records that read differently under two layouts, both from :func:`dump`.

    :return: list of (record before or None, record after or None, set of keys that differ)
    """
    found = []
    for index in range(max(len(before), len(after))):
        old = before[index] if index < len(before) else None
        new = after[index] if index < len(after) else None
        if old is None or new is None or (old.code, old.raw) != (new.code, new.raw):
            found.append((old, new, {item.key for item in (new or old).fields}))
            continue
        was = {item.key: (item.start, item.length, item.raw) for item in old.fields}
        now = {item.key: (item.start, item.length, item.raw) for item in new.fields}
        changed = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
        if changed:
            found.append((old, new, changed))
    return found


def _records(content):
    number = 0
    for part in envelope.unwrap(content):
        kind = envelope.recognise(part)
        if kind is None:
            continue
        reader = _b2_records if kind == "b2" else _noemie_records
        for record in reader(part):
            number += 1
            record.number = number
            yield record


def _b2_records(content):
    table = layout("b2")
    family, today = "", None
    try:
        for _number, _byte, raw in b2.lines(content):
            record = table.pick(raw, 0, family)
            if record is None:
                yield _unknown(raw, "b2", table)
                continue
            shown = _shown(record, raw, "b2", table, today)
            norm = next((item.raw for item in shown.fields if item.key == "norm"), None)
            if norm is not None:
                family = b2.B2File(norm=norm.rstrip()).family
                shown.framing = family
                today = _created(shown)
            yield shown
    except NormError as error:
        yield _rest(str(error), "", "b2", table)


def _noemie_records(content):
    table = layout("noemie")
    header = table["000"]
    today = None
    for framing, code, raw in noemie.entities(content):
        record = table.get(code) if code else None
        if record is None and code:
            shown = _unknown(raw, "noemie", table)
        elif record is None:
            shown = _rest("Suite illisible", raw, "noemie", table)
        else:
            shown = _shown(record, raw, "noemie", table, today)
        if record is header:
            shown.framing = framing
            today = _created(shown)
        yield shown


def _shown(record, raw, kind, table, today=None):
    found = [
        _field(record, item, raw[item.start - 1 : item.end], today)
        for item in record.fields
        if len(raw) >= item.start
    ]
    return RecordDump(0, record.code, record.label, raw, kind, "", table.version, found)


def _created(header):
    """Creation date of a file, before which everybody in it was born."""
    raw = next((item.raw for item in header.fields if item.key == "created_on"), "")
    return codec.to_date(raw) if raw.isascii() and raw.isdigit() else None


def _field(record, item, raw, today):
    return FieldDump(
        item.key,
        item.label,
        item.start,
        item.length,
        raw,
        readable(record, item, raw, today),
        item.certainty,
        item.sources,
        item.meaning,
        item.accepts(raw),
    )


def readable(record, item, raw, today=None):
    """What a raw text means, in French: euros, a date, the word of a code, or the text itself."""
    text = raw.strip()
    names = labels()["values"]
    words = names.get(f"{record.code}.{item.key}") or names.get(item.key) or {}
    if text in words:
        return f"{text} : {words[text]}"
    if not text:
        return ""
    if item.type == "M" and text.isascii() and text.isdigit():
        return codec.euros(int(text))
    birth = item.key in codes()["date_keys"]["values"]
    if birth or item.type == "D":
        if not text.strip("0"):
            return ""
        plain = text.isascii() and text.isdigit()
        if plain and birth:
            day = codec.to_birth_date(text, today or date.max)
        else:
            day = codec.to_date(text) if plain else None
        return f"{day:%d/%m/%Y}" if day else f"{codec.printable(text)} (date inconnue)"
    if item.key in codes()["hundredths"]["values"] and text.isascii() and text.isdigit():
        return f"{int(text) // 100},{int(text) % 100:02d}"
    return codec.printable(text, _RAW_AT_MOST)


def _unknown(raw, kind, table):
    return RecordDump(0, None, _UNKNOWN_LABEL, raw[:_RAW_AT_MOST], kind, "", table.version)


def _rest(label, raw, kind, table):
    return RecordDump(0, None, label, raw[:_RAW_AT_MOST], kind, "", table.version)
