"""Update of the catalogue: files read strictly, the state they lead to, and the difference with what is known.

Reading never guesses: a broken row becomes an ``Issue`` (file, row, column, reason in French) and the caller
applies nothing. Merging keeps what the agency changed by hand as long as the file did not change there, and
never loses a past period: a new value ends the one before it, an act that disappears gets an end.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from .catalogue import DATA, PROFESSIONS
from .tariff import LetterValue

#: professions of the files that are not served: their rows are left out
UNSERVED = {
    "sage-femme",
    "infirmier pratique avancée",
    "infirmier, MK, orthophoniste, pédicure, sage-femme",
}
PREFIXES = {
    "infirmier": "INF",
    "kinesitherapeute": "MK",
    "orthophoniste": "ORT",
    "orthoptiste": "OPT",
}
ZONES = ("metropole", "dom", "mayotte")
#: stands for a first day that the sources do not tell
UNKNOWN_START = date(2000, 1, 1)
#: files of the same folder that an update does not read
IGNORED = {
    "letters.csv",
    "cumul_rules.csv",
    "own_rules.csv",
    "limits.csv",
    "regimes.csv",
    "exemptions.csv",
}
ACT_COLUMNS = (
    "profession",
    "key_letter",
    "coefficient",
    "label_fr",
    "ngap_reference",
    "accord_prealable",
    "source",
)
DETAIL_COLUMNS = (
    "code",
    "key_letter",
    "coefficient",
    "label_fr",
    "tags",
    "agreement_from",
    "minutes",
    "valid_from",
    "valid_to",
)
VALUE_COLUMNS = ("key_letter", "zone", "value_eur", "valid_from", "valid_to", "source")

_GRADE = re.compile(r"\[([ABC])")
_COEFFICIENT = re.compile(r"\d{1,4}([.,]\d{1,2})?")
_VALUE = re.compile(r"\d{1,5}([.,]\d{1,2})?")
_CODE = re.compile(r"[A-Z]{2,4}-[A-Z]{2,4}\d{1,4}(,\d{1,2})?-\d{2,3}")
_LETTERS = re.compile(r"[A-Z]{2,4}(/[A-Z]{2,4})*( \([A-Z]{2,4}\))?")

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act as a file states it. ``code`` is empty where the file of details was not given."""

    profession: str
    key_letter: str
    coefficient: int
    label: str
    code: str = ""
    reference: str = ""
    agreement: str = ""
    source: str = ""
    grade: str = "C"
    tags: frozenset[str] = frozenset()
    agreement_from: int | None = None
    minutes: int | None = None
    start: date | None = None
    end: date | None = None

    @property
    def identity(self) -> tuple[str, str, int, str]:
        return self.profession, self.key_letter, self.coefficient, self.label

    @property
    def short(self) -> str:
        """“AMI 1,5”."""
        return f"{self.key_letter} {coefficient_text(self.coefficient)}"


@dataclass(frozen=True, slots=True)
class ValueRow:
    """Value of one unit of a key letter in a zone, in cents, for a half-open period."""

    key_letter: str
    zone: str
    start: date
    cents: int
    end: date | None = None
    source: str = ""
    grade: str = "C"

    @property
    def key(self) -> tuple[str, str, date]:
        return self.key_letter, self.zone, self.start


Row = TypeVar("Row", ActRow, ValueRow)


@dataclass(frozen=True, slots=True)
class Held(Generic[Row]):
    """What the catalogue holds: the row of today, and as it was last loaded from a file (``None``: typed by hand).

    :param is_gone: ended because a file no longer had it.
    """

    row: Row
    loaded: Row | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a row of a file cannot be taken; ``row`` counts as a spreadsheet does (the heading is row 1)."""

    file: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f", ligne {self.row}" if self.row else ""
        column = f", colonne {self.column}" if self.column else ""
        return f"{self.file}{place}{column} : {self.reason}"


@dataclass(slots=True)
class Reading:
    """What the files say: acts and values as read, and the issues; with one issue nothing is to be applied."""

    acts: list[ActRow] = field(default_factory=list)
    values: list[ValueRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def professions(self) -> frozenset[str]:
        return frozenset(act.profession for act in self.acts)


@dataclass(frozen=True, slots=True)
class Change(Generic[Key, Row]):
    """One difference: ``added`` (no old), ``ended`` (no new, or an earlier end) or ``changed``."""

    kind: str
    key: Key
    old: Row | None
    new: Row | None


def coefficient_text(hundredths: int) -> str:
    """
    >>> coefficient_text(400), coefficient_text(150), coefficient_text(202)
    ('4', '1,5', '2,02')
    """
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}".rstrip("0") if rest else str(whole)


# -- reading -----------------------------------------------------------------------------------------


class _Row:
    """One row under reading: each ``take_…`` gives a value or notes why it cannot."""

    def __init__(self, file: str, number: int, cells: dict[str, str], issues: list[Issue]) -> None:
        self.file, self.number, self.cells, self.issues = file, number, cells, issues
        self.is_good = True

    def refuse(self, column: str, reason: str) -> None:
        self.is_good = False
        self.issues.append(Issue(self.file, self.number, column, reason))

    def text(self, column: str, *, is_required: bool = False) -> str:
        text = self.cells[column].strip()
        if is_required and not text:
            self.refuse(column, "la cellule est vide ; renseignez-la.")
        return text

    def day(self, column: str) -> date | None:
        text = self.text(column)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.refuse(column, f"« {text} » n'est pas une date ; écrivez AAAA-MM-JJ.")
            return None

    def number_of(self, column: str) -> int | None:
        text = self.text(column)
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            self.refuse(column, f"« {text} » n'est pas un nombre entier positif.")
            return None
        return int(text)

    def hundredths(self, column: str, pattern: re.Pattern[str], what: str) -> int:
        text = self.text(column)
        if not pattern.fullmatch(text):
            self.refuse(column, f"« {text} » n'est pas {what} (deux décimales au plus).")
            return 0
        value = int(Decimal(text.replace(",", ".")) * 100)
        if not value:
            self.refuse(column, "zéro n'est pas permis ici.")
        return value


def _rows(
    file: str, content: bytes, columns: tuple[str, ...], issues: list[Issue]
) -> Iterator[_Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        issues.append(
            Issue(file, 0, "", "le fichier n'est pas en UTF-8 ; enregistrez-le dans ce codage.")
        )
        return
    heading = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in heading else ",", strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        missing = [column for column in columns if column not in names]
        if missing:
            issues.append(Issue(file, 1, ", ".join(missing), "colonne absente de l'en-tête."))
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                issues.append(
                    Issue(
                        file,
                        reader.line_num,
                        "",
                        f"{len(cells)} cellules au lieu de {len(names)} ; "
                        "un texte qui contient le séparateur se met entre guillemets.",
                    )
                )
                continue
            yield _Row(file, reader.line_num, dict(zip(names, cells, strict=True)), issues)
    except csv.Error as error:
        issues.append(Issue(file, reader.line_num, "", f"ce n'est pas un tableau CSV ({error})."))


def read_files(files: Mapping[str, bytes]) -> Reading:
    """Acts and values of the files, by name (``ngap_acts.csv``, ``acts_<profession>.csv``, ``ngap_values.csv``)."""
    reading = Reading()
    details = {}
    known = {"ngap_acts.csv", "ngap_values.csv", *(f"acts_{one}.csv" for one in PREFIXES)}
    for name in files:
        if name not in known | IGNORED:
            reading.issues.append(
                Issue(
                    name, 0, "", f"nom de fichier inconnu ; attendus : {', '.join(sorted(known))}."
                )
            )
    for profession in PREFIXES:
        name = f"acts_{profession}.csv"
        if name in files:
            details[profession] = list(_read_details(profession, name, files[name], reading.issues))
            if "ngap_acts.csv" not in files:
                reading.issues.append(
                    Issue(
                        name,
                        0,
                        "",
                        "ce fichier complète ngap_acts.csv ; déposez les deux ensemble.",
                    )
                )
    if "ngap_acts.csv" in files:
        reading.acts = _read_acts(files["ngap_acts.csv"], details, reading.issues)
    if "ngap_values.csv" in files:
        reading.values = _read_values(files["ngap_values.csv"], reading.issues)
    if not files.keys() & {"ngap_acts.csv", "ngap_values.csv"} and not reading.issues:
        reading.issues.append(
            Issue(
                "fichiers",
                0,
                "",
                "ni ngap_acts.csv ni ngap_values.csv : déposez au moins l'un des deux.",
            )
        )
    return reading


def split_letters(text: str) -> list[str]:
    """Key letters of one act: “AMI/AMX” is one act under two letters, “TMI (AMI)” is valued as AMI.

    >>> split_letters("AMI/AMX"), split_letters("TMI (AMI)")
    (['AMI', 'AMX'], ['TMI'])
    """
    return re.findall(r"[A-Z]{2,4}", text.split("(")[0])


def _act_identity(row: _Row) -> tuple[list[str], int, str] | None:
    letters = row.text("key_letter")
    if not _LETTERS.fullmatch(letters):
        row.refuse("key_letter", f"« {letters} » n'est pas une lettre-clé (AMI, AMI/AMX …).")
    label = row.text("label_fr", is_required=True)
    value = row.hundredths("coefficient", _COEFFICIENT, "un coefficient")
    return (split_letters(letters), value, label) if row.is_good else None


def _read_details(
    profession: str, file: str, content: bytes, issues: list[Issue]
) -> Iterator[tuple[_Row, ActRow]]:
    codes: dict[str, int] = {}
    for row in _rows(file, content, DETAIL_COLUMNS, issues):
        code = row.text("code", is_required=True)
        if code and (not _CODE.fullmatch(code) or not code.startswith(f"{PREFIXES[profession]}-")):
            row.refuse("code", f"« {code} » n'a pas la forme {PREFIXES[profession]}-LETTRE4,5-01.")
        if code in codes:
            row.refuse("code", f"« {code} » est déjà à la ligne {codes[code]}.")
        codes.setdefault(code, row.number)
        start, end = row.day("valid_from"), row.day("valid_to")
        if start and end and end <= start:
            row.refuse("valid_to", "la fin doit suivre le début.")
        agreement_from, minutes = row.number_of("agreement_from"), row.number_of("minutes")
        identity = _act_identity(row)
        if identity:
            letters, coefficient, label = identity
            yield (
                row,
                ActRow(
                    profession,
                    "/".join(letters),
                    coefficient,
                    label,
                    code=code,
                    tags=frozenset(row.text("tags").split()),
                    agreement_from=agreement_from,
                    minutes=minutes,
                    start=start,
                    end=end,
                ),
            )


def _read_acts(
    content: bytes, details: Mapping[str, list[tuple[_Row, ActRow]]], issues: list[Issue]
) -> list[ActRow]:
    known = {one.identity: one for rows in details.values() for _row, one in rows}
    used, seen, acts = set(), {}, []
    for row in _rows("ngap_acts.csv", content, ACT_COLUMNS, issues):
        named = row.text("profession", is_required=True)
        if named in UNSERVED or row.text("coefficient") == "selon acte":
            continue
        profession = PROFESSIONS.get(named, named)
        if named and profession not in PREFIXES:
            row.refuse("profession", f"« {named} » n'est pas une profession connue.")
        source = row.text("source", is_required=True)
        identity = _act_identity(row)
        if not identity:
            continue
        letters, coefficient, label = identity
        key = (profession, "/".join(letters), coefficient, label)
        if key in seen:
            row.refuse("label_fr", f"le même acte est déjà à la ligne {seen[key]}.")
            continue
        seen[key] = row.number
        base = known.get(key)
        used.add(key)
        if profession in details and base is None:
            row.refuse(
                "label_fr", f"acte absent de acts_{profession}.csv ; ajoutez-le avec son code."
            )
            continue
        facts: dict[str, Any] = {
            "reference": row.text("ngap_reference"),
            "agreement": row.text("accord_prealable"),
            "source": source,
            "grade": act_grade(source),
        }
        for letter in letters:
            if base:
                code = base.code.replace(f"-{letters[0]}", f"-{letter}", 1)
                acts.append(replace(base, key_letter=letter, code=code, **facts))
            else:
                acts.append(ActRow(profession, letter, coefficient, label, **facts))
    for rows in details.values():
        for row, one in rows:
            if one.identity not in used:
                row.refuse("label_fr", "acte absent de ngap_acts.csv (source et référence).")
    return acts


def act_grade(source: str) -> str:
    """Proof grade of an act by its source: the text itself, or something unconfirmed."""
    stated = _GRADE.search(source)
    if stated:
        return stated[1]
    return "A" if "NGAP ameli" in source else "C"


def _read_values(content: bytes, issues: list[Issue]) -> list[ValueRow]:
    taken: list[tuple[_Row, ValueRow, bool, bool]] = []
    for row in _rows("ngap_values.csv", content, VALUE_COLUMNS, issues):
        letter = row.text("key_letter", is_required=True)
        zone = row.text("zone")
        if zone not in ZONES:
            row.refuse("zone", f"« {zone} » n'est pas une zone ({', '.join(ZONES)}).")
        cents = row.hundredths("value_eur", _VALUE, "un montant en euros")
        is_open = row.text("valid_to") == "unknown"
        start = row.day("valid_from")
        last = None if is_open else row.day("valid_to")
        if start and last and last < start:
            row.refuse("valid_to", "le dernier jour précède le premier.")
        source = row.text("source", is_required=True)
        if not row.is_good:
            continue
        grade = _GRADE.search(source)
        end = last + timedelta(days=1) if last else None
        # nobody knows until when it held: for our days it is unconfirmed, whatever its source
        proof = "C" if is_open or not grade else grade[1]
        value = ValueRow(letter, zone, start or UNKNOWN_START, cents, end, source, proof)
        taken.append((row, value, start is not None, is_open))
    return _periods(taken)


def load_values(folder: Path = DATA) -> Iterator[LetterValue]:
    """The values that are shipped, read as an update reads them: there is one reading of the file.

    :raises ValueError: when a row cannot be used (message in French).
    """
    issues: list[Issue] = []
    values = _read_values((folder / "ngap_values.csv").read_bytes(), issues)
    for issue in issues:
        raise ValueError(str(issue))
    for row in values:
        yield LetterValue(
            row.key_letter, row.zone, row.cents, row.start, row.end, row.source, row.grade
        )


def _periods(taken: list[tuple[_Row, ValueRow, bool, bool]]) -> list[ValueRow]:
    """The values with exact half-open periods; periods that overlap are refused.

    A value of unknown end followed by one of unknown start: the change took place on a day nobody tells, so
    the newer one is in force and unconfirmed.
    """
    groups: dict[tuple[str, str], list[tuple[_Row, ValueRow, bool, bool]]] = {}
    for one in taken:
        groups.setdefault((one[1].key_letter, one[1].zone), []).append(one)
    result = []
    for group in groups.values():
        ended = [value for _row, value, _known, is_open in group if is_open]
        spans = []
        for row, value, is_start_known, _is_open in group:
            if not is_start_known and value.end is None and ended:
                after = max(one.start for one in ended) + timedelta(days=1)
                value = replace(value, start=after, grade="C")
            spans.append((value, row))
        spans.sort(key=lambda span: span[0].start)
        for index, (value, row) in enumerate(spans):
            following = spans[index + 1][0] if index + 1 < len(spans) else None
            if following:
                if following.start == value.start:
                    row.refuse(
                        "valid_from", "cette lettre-clé a déjà une valeur à partir de ce jour."
                    )
                elif value.end is None:
                    value = replace(value, end=following.start)
                elif value.end > following.start:
                    row.refuse(
                        "valid_to",
                        f"la période recouvre celle qui commence le {following.start:%d/%m/%Y}.",
                    )
            result.append(value)
    return result


# -- merging -----------------------------------------------------------------------------------------


def three_way(current: Row, loaded: Row | None, incoming: Row, *, keep: bool = False) -> Row:
    """The row after an update: where the file changed nothing since it was loaded, today's content stays.

    :param keep: where both changed, today's content stays too.
    """
    if loaded is None:
        return replace(
            incoming,
            **{
                one.name: getattr(current, one.name)
                for one in fields(current)
                if getattr(current, one.name) not in (None, "", frozenset())
            },
        )
    kept = {}
    for one in fields(current):
        mine, base, theirs = (getattr(row, one.name) for row in (current, loaded, incoming))
        if theirs == base or (keep and mine != base):
            kept[one.name] = mine
    return replace(incoming, **kept)


@dataclass(frozen=True, slots=True)
class Merged(Generic[Key, Row]):
    """State after an update: the rows, and for each row of the file what to remember as loaded."""

    rows: dict[Key, Row]
    loaded: dict[Key, Row]
    gone: frozenset[Key] = frozenset()


def merge_values(
    held: Mapping[tuple[str, str, date], Held[ValueRow]],
    incoming: Iterable[ValueRow],
    *,
    keep: bool = False,
) -> Merged[tuple[str, str, date], ValueRow]:
    """Values after the file: what it does not name stays, and each period ends where the next begins."""
    rows = {key: one.row for key, one in held.items()}
    loaded, touched = {}, set()
    for row in incoming:
        before = held.get(row.key)
        rows[row.key] = three_way(before.row, before.loaded, row, keep=keep) if before else row
        loaded[row.key] = row
        touched.add((row.key_letter, row.zone))
    for group in touched:
        ordered = sorted(key for key in rows if key[:2] == group)
        for key, following in zip(ordered, ordered[1:], strict=False):
            end = rows[key].end
            if end is None or end > following[2]:
                rows[key] = replace(rows[key], end=following[2])
    return Merged(rows, loaded)


def merge_acts(
    held: Mapping[str, Held[ActRow]],
    incoming: Iterable[ActRow],
    day: date | None,
    issues: list[Issue] | None = None,
    *,
    keep: bool = False,
) -> Merged[str, ActRow]:
    """Acts by code after the file; of the professions in the file, acts it no longer has end on ``day``.

    :param day: first day of the new acts and end of those that disappear; ``None``: first load, no dates.
    :param issues: gets what cannot be: a known code that now names another letter or coefficient.
    """
    rows = {code: one.row for code, one in held.items()}
    by_identity = {one.row.identity: code for code, one in held.items()}
    by_identity |= {one.loaded.identity: code for code, one in held.items() if one.loaded}
    loaded: dict[str, ActRow] = {}
    taken = set(rows)
    professions = set()
    for row in incoming:
        professions.add(row.profession)
        code = row.code if row.code in rows else by_identity.get(row.identity, row.code)
        before = held.get(code) if code else None
        if before is None:
            code = code or _free_code(row, taken)
            taken.add(code)
            loaded[code] = replace(row, code=code)
            rows[code] = replace(row, code=code, start=row.start or day)
            continue
        if before.row.identity[:3] != row.identity[:3]:
            if issues is not None:
                issues.append(
                    Issue(
                        f"acts_{row.profession}.csv",
                        0,
                        "code",
                        f"le code {code} désigne déjà {before.row.short} ; donnez un autre code à {row.short}.",
                    )
                )
            continue
        base = before.loaded
        if not row.code:  # no details given: those known stay
            details = base or before.row
            row = replace(
                row,
                code=code,
                tags=details.tags,
                agreement_from=details.agreement_from,
                minutes=details.minutes,
                start=details.start,
                end=None if before.is_gone else details.end,
            )
        loaded[code] = row
        if before.is_gone and base is not None:  # it comes back
            base = replace(base, end=before.row.end)
        rows[code] = three_way(before.row, base, row, keep=keep)
    gone = set()
    for code, one in held.items():
        if code in loaded or one.loaded is None or one.row.profession not in professions:
            continue
        gone.add(code)
        if day and (one.row.end is None or one.row.end > day):
            rows[code] = replace(one.row, end=day)
    return Merged(rows, loaded, frozenset(gone))


def _free_code(row: ActRow, taken: set[str]) -> str:
    stem = f"{PREFIXES[row.profession]}-{row.key_letter}{coefficient_text(row.coefficient)}"
    rank = 1
    while f"{stem}-{rank:02d}" in taken:
        rank += 1
    return f"{stem}-{rank:02d}"


# -- difference --------------------------------------------------------------------------------------


def difference(old: Mapping[Key, Row], new: Mapping[Key, Row]) -> list[Change[Key, Row]]:
    """What leads from one state to the other: first what is in the old one, then what is added."""
    changes: list[Change[Key, Row]] = []
    for key, before in old.items():
        after = new.get(key)
        if after == before:
            continue
        is_ended = after is None or (
            after.end is not None
            and (before.end is None or after.end < before.end)
            and replace(after, end=before.end) == before
        )
        changes.append(Change("ended" if is_ended else "changed", key, before, after))
    changes += [Change("added", key, None, after) for key, after in new.items() if key not in old]
    return changes


def applied(old: Mapping[Key, Row], changes: Iterable[Change[Key, Row]]) -> dict[Key, Row]:
    """The state after the changes."""
    state = dict(old)
    for change in changes:
        if change.new is None:
            del state[change.key]
        else:
            state[change.key] = change.new
    return state


def successors(changes: Iterable[Change[str, ActRow]]) -> dict[str, ActRow]:
    """For acts that end, the added act of same profession, letter and label: only its coefficient changed."""
    changes = list(changes)
    added: dict[tuple[str, str, str], list[ActRow]] = {}
    for change in changes:
        if change.kind == "added" and change.new:
            row = change.new
            added.setdefault((row.profession, row.key_letter, row.label), []).append(row)
    found = {}
    for change in changes:
        if change.kind == "ended" and change.old:
            row = change.old
            same = added.get((row.profession, row.key_letter, row.label), [])
            if len(same) == 1:
                found[change.key] = same[0]
    return found


def count_weekdays(start: date, end: date, weekdays: frozenset[int]) -> int:
    """Days from ``start`` to before ``end`` that fall on one of the weekdays (Monday is 0).

    >>> count_weekdays(date(2026, 11, 2), date(2026, 11, 16), frozenset({0, 6}))
    4
    """
    span = (end - start).days
    if span <= 0:
        return 0
    weeks, rest = divmod(span, 7)
    first = start.weekday()
    return weeks * len(weekdays) + sum((first + more) % 7 in weekdays for more in range(rest))


# -- plain data, to be kept beside the record -----------------------------------------------------------


def to_plain(row: Row) -> dict[str, Any]:
    """The row as JSON can hold it."""
    plain = {}
    for name, value in asdict(row).items():
        if isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, frozenset):
            value = sorted(value)
        plain[name] = value
    return plain


def from_plain(kind: type[Row], plain: Mapping[str, Any]) -> Row:
    """The row that :func:`to_plain` wrote; what a newer version added gets its default."""
    names = {one.name for one in fields(kind)}
    values = {name: value for name, value in plain.items() if name in names}
    for name in ("start", "end"):
        if values.get(name):
            values[name] = date.fromisoformat(values[name])
    if "tags" in values:
        values["tags"] = frozenset(values["tags"])
    return kind(**values)
