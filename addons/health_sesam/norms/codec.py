"""Fixed-width records read from JSON tables: no position stands in Python.

A layout file (``layouts/*.json``) lists records; a record lists fields with start, length,
type, presence, sources and certainty. ``Layout`` picks the record that matches a text,
``Record.decode`` gives its fields as text and ``Record.encode`` is the exact reverse::

    record.encode(record.decode(text)) == text

A reader or writer takes ``layouts``, a dict of layout by name, where a version other than the
shipped one is wanted; ``using`` holds it for the time of the call.
"""

import json
import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from .errors import NormError

FOLDER = Path(__file__).parent
WRITE_ADVICE = "Corrigez cette donnée puis recommencez."
# Control characters are refused: no norm allows them and a database text field cannot hold NUL.
_TEXT = r"[^\x00-\x1f\x7f]"
_CENTURY_PIVOT = 70
_ANY_DIGIT = "#"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``start`` counts from 1; ``type`` is N, A, D or M (see the layout file)."""

    key: str
    start: int
    length: int
    type: str
    presence: str
    sources: tuple = ()
    certainty: str = "C"
    meaning: str = ""
    value: str | None = None
    default: str | None = None
    note: str = ""
    label: str = ""

    @property
    def end(self):
        return self.start + self.length - 1

    @property
    def pattern(self):
        if self.value is not None:
            return re.escape(self.value)
        if self.type == "A":
            return f"{_TEXT}{{{self.length}}}"
        return f"[0-9]{{{self.length}}}| {{{self.length}}}"

    def accepts(self, raw):
        """Whether the characters of ``raw`` are those that the type allows."""
        return re.fullmatch(self.pattern, raw) is not None

    def read(self, raw):
        """Raw text as ``decode`` returns it: texts lose their padding, the rest is kept whole."""
        return raw.rstrip(" ") if self.type == "A" else raw

    def fill(self, value):
        """Text for a str, int (cents or number), date or None; its characters are not checked.

        :raises NormError: longer than the field
        """
        if value is None or value == "":
            value = self.value if self.value is not None else self.default
            if value is None:
                return (" " if self.type == "A" else "0") * self.length
        if self.type == "A":
            text = str(value)
            filled = text.ljust(self.length)
        elif isinstance(value, date):
            text = filled = value.strftime("%y%m%d")
        else:
            text = str(value)
            filled = text if not text.strip() else text.zfill(self.length)
        if len(filled) > self.length:
            raise NormError(
                f"« {text} » est trop long pour la zone {self.key} ({self.length} caractères)",
                advice=WRITE_ADVICE,
            )
        return filled

    def write(self, value):
        """Text of exactly ``length`` characters for a str, int (cents or number), date or None."""
        filled = self.fill(value)
        if not self.accepts(filled):
            raise NormError(
                f"« {value} » n'est pas admis dans la zone {self.key} ({_EXPECTED[self.type]})",
                advice=WRITE_ADVICE,
            )
        return filled


_EXPECTED = {
    "N": "chiffres attendus",
    "A": "texte attendu",
    "D": "date AAMMJJ attendue",
    "M": "montant positif en centimes attendu",
}


class Record:
    """One record of a layout, compiled to one regular expression: slicing and checking at once."""

    __slots__ = (
        "code",
        "title",
        "label",
        "family",
        "length",
        "match",
        "fields",
        "by_key",
        "keys",
        "_texts",
        "_regex",
    )

    def __init__(self, code, data):
        names = labels()["fields"]
        self.code = code
        self.title = data["title"]
        self.label = data["label"]
        self.family = data["family"]
        self.length = data["length"]
        self.match = tuple((start - 1, text) for start, text in data["match"])
        self.fields = tuple(
            Field(
                **{
                    **field,
                    "sources": tuple(field.get("sources", ())),
                    "label": names.get(f"{code}.{field['key']}")
                    or names.get(field["key"], field["key"]),
                }
            )
            for field in sorted(data["fields"], key=lambda item: item["start"])
        )
        self.by_key = {field.key: field for field in self.fields}
        self.keys = tuple(self.by_key)
        self._texts = tuple(field.key for field in self.fields if field.type == "A")
        self._regex = re.compile("".join(f"({field.pattern})" for field in self.fields))

    def matches(self, text, offset=0):
        """Whether the fixed characters of this record stand in ``text`` at ``offset``."""
        for start, expected in self.match:
            found = text[offset + start : offset + start + len(expected)]
            if expected == _ANY_DIGIT:
                if not ("0" <= found <= "9"):
                    return False
            elif found != expected:
                return False
        return True

    def decode(self, text, offset=0, number=None):
        """Fields of the record that starts at ``offset``, as a dict of texts.

        :raises NormError: text too short or a field with a character that its type forbids
        """
        found = self._regex.match(text, offset)
        if found is None:
            raise self._explain(text, offset, number)
        values = dict(zip(self.keys, found.groups(), strict=True))
        for key in self._texts:
            values[key] = values[key].rstrip(" ")
        return values

    def encode(self, values):
        """Text of the record; keys that are left out take the default of the table.

        :raises NormError: a value that does not fit its field
        """
        unknown = values.keys() - self.by_key.keys()
        if unknown:
            raise KeyError(f"{self.code}: {', '.join(sorted(unknown))}")
        text = "".join([field.fill(values.get(field.key)) for field in self.fields])
        if self._regex.fullmatch(text) is None:  # one field does not fit: say which
            for field in self.fields:
                field.write(values.get(field.key))
        return text

    def _explain(self, text, offset, number):
        if len(text) - offset < self.length:
            return NormError(
                f"Fichier tronqué : « {self.label} » s'arrête avant sa fin", number, offset + 1
            )
        for field in self.fields:
            start = offset + field.start - 1
            raw = text[start : start + field.length]
            if not re.fullmatch(field.pattern, raw):
                expected = f"« {field.value} »" if field.value else _EXPECTED[field.type]
                return NormError(
                    f"« {self.label} » ({self.code}) illisible : zone {field.key}, "
                    f"{expected}, trouvé « {printable(raw)} »",
                    number,
                    start + 1,
                )
        return NormError(f"« {self.label} » illisible", number, offset + 1)


class Layout:
    """The records of one layout document (the parsed JSON of a layout file)."""

    def __init__(self, name, document):
        self.name = name
        self.norm = document["norm"]
        self.version = document["version"]
        self.status = document["status"]
        self.sources = document.get("sources", {})
        self.certainty = document.get("certainty", {})
        self.records = {code: Record(code, item) for code, item in document["records"].items()}
        self._candidates = {}

    def __getitem__(self, code):
        return self.records[code]

    def __iter__(self):
        return iter(self.records.values())

    def get(self, code):
        return self.records.get(code)

    def pick(self, text, offset, family):
        """The record of ``family`` (or common to all) at ``offset``, or None when unknown.

        The most specific match wins; the first character only narrows the candidates.
        """
        key = (family, text[offset : offset + 1])
        candidates = self._candidates.get(key)
        if candidates is None:
            candidates = sorted(
                (
                    record
                    for record in self
                    if record.family in (family, "ANY") and record.match[0][1][:1] == key[1]
                ),
                key=lambda record: -sum(len(expected) for _start, expected in record.match),
            )
            self._candidates[key] = candidates
        for record in candidates:
            if record.matches(text, offset):
                return record
        return None


_CHOSEN: ContextVar[dict | None] = ContextVar("layouts", default=None)


def layout(name):
    """The layout ``name``: the one chosen by ``using``, else the shipped one."""
    chosen = _CHOSEN.get()
    return (chosen and chosen.get(name)) or _shipped(name)


@contextmanager
def using(layouts):
    """Read and write with these layouts (dict of ``Layout`` by name) for a while."""
    token = _CHOSEN.set({**(_CHOSEN.get() or {}), **(layouts or {})})
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def shipped_names():
    """Names of the layouts that come with the package."""
    return sorted(path.stem for path in (FOLDER / "layouts").glob("*.json"))


def shipped_text(name):
    """The JSON text of a shipped layout."""
    return (FOLDER / "layouts" / f"{name}.json").read_text(encoding="utf-8")


@cache
def _shipped(name):
    return Layout(name, json.loads(shipped_text(name)))


@lru_cache(maxsize=32)
def parse(name, text):
    """The layout of a JSON text; compiled once per text.

    :raises NormError: the document is no layout, or a record has a gap or an overlap
    """
    problems = defects(text)
    if problems:
        raise NormError(" ; ".join(problems), advice="Corrigez le format puis recommencez.")
    return Layout(name, json.loads(text))


def defects(text):
    """What is wrong with a layout document, as French sentences; empty when it can be used."""
    try:
        document = json.loads(text)
        records = document["records"]
        found = [
            problem for code, record in records.items() for problem in _record_defects(code, record)
        ]
        if not found:
            Layout("", document)
    except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
        return [f"Ce document n'est pas un format ({type(error).__name__} : {error})"]
    return found or ([] if records else ["Le format ne contient aucun enregistrement"])


def _record_defects(code, record):
    """Gaps, overlaps, double keys, positions outside the record."""
    names = labels()["fields"]
    position, last, keys = 1, "le début", set()
    for field in sorted(record["fields"], key=lambda item: (item["start"], item["length"])):
        key, start = field["key"], field["start"]
        name = f"{names.get(f'{code}.{key}') or names.get(key, key)} ({key})"
        if key in keys:
            yield f"{code} : la zone {name} est là deux fois"
        keys.add(key)
        if field["length"] < 1 or start < 1:
            yield f"{code} : début ou longueur impossible pour {name}"
        elif start > position:
            yield f"{code} : trou de {position} à {start - 1}, entre {last} et {name}"
        elif start < position:
            yield f"{code} : {name} commence en {start}, sur {last} qui finit en {position - 1}"
        value = field.get("value") or field.get("default")
        if value is not None and len(value) > field["length"]:
            yield f"{code} : {name} est trop courte pour « {value} »"
        if field["type"] not in _EXPECTED:
            yield f"{code} : type « {field['type']} » inconnu pour {name}"
        position, last = max(position, start + field["length"]), name
    length = record["length"]
    if position - 1 != length:
        yield f"{code} : les zones couvrent {position - 1} caractères, l'enregistrement en a {length}"
    for start, text in record["match"]:
        if start < 1 or start + len(text) - 1 > length:
            yield f"{code} : le repère « {text} » en {start} sort de l'enregistrement"
    if not record["match"]:
        yield f"{code} : aucun repère ne distingue cet enregistrement"


@cache
def labels():
    """French names of fields and of their codes (``labels.json``)."""
    return json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))


@cache
def codes():
    """Code lists of the norms (``codes.json``)."""
    return json.loads((FOLDER / "codes.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=8192)
def to_date(raw):
    """Date of a YYMMDD text, None when blank, zero or impossible (years 70 to 99 are 19xx)."""
    if not raw.strip(" 0"):
        return None
    year = int(raw[:2])
    try:
        century = 1900 if year >= _CENTURY_PIVOT else 2000
        return date(century + year, int(raw[2:4]), int(raw[4:6]))
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def to_birth_date(raw, today):
    """Birth date of a YYMMDD text: the latest one that is not after ``today``.

    None for a blank or a lunar date (day or month that no calendar has).
    """
    if not re.fullmatch(r"[0-9]{6}", raw) or not raw.strip("0"):
        return None
    for century in (2000, 1900):
        try:
            found = date(century + int(raw[:2]), int(raw[2:4]), int(raw[4:6]))
        except ValueError:
            continue
        if found <= today:
            return found
    return None


def to_int(raw):
    """Number of a digits text, 0 when blank."""
    return int(raw) if raw.strip() else 0


def fold(text, length=None):
    """Upper case without accents nor punctuation, as the B2 norm wants texts."""
    text = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().upper()
    text = " ".join(re.sub(r"[^A-Z0-9 ]", " ", text).split())
    return text[:length].rstrip() if length else text


def latin(text):
    """Text that the one-byte character set can hold: what it lacks is folded or becomes ``?``."""
    return "".join(
        (" " if char < " " or char == "\x7f" else char) if char < "\u0100" else (fold(char) or "?")
        for char in text
    )


def printable(text, limit=24):
    """Text for a message: bounded, without control characters."""
    text = "".join(char if char.isprintable() else "·" for char in text)
    return text if len(text) <= limit else f"{text[:limit]}…"


def nir_key(nir):
    """Two-digit key of a 13-character NIR (Corsica 2A and 2B accepted), "" when it has none."""
    number = nir.upper()
    # Corsica: 2A counts as 19 and 2B as 18.
    number = number[:5] + {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7]) + number[7:]
    if not re.fullmatch(r"[0-9]{13}", number):
        return ""
    return f"{97 - int(number) % 97:02d}"


def euros(cents):
    """``-1234`` as ``-12,34 €``, for messages."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d} €"
