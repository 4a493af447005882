"""Tables of other programs read as an FSE journal, by a mapping that a person made once.

Pure code: bytes and rules in, what ``read_journal`` gives out. Any bytes end in a table or in a
:class:`JournalError` with a French reason; any cell in a value or in an issue of its row.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from .reader import MANDATORY, MAX_BYTES, OPTIONAL, Journal, JournalError, RowError, build_journal
from .reader import xlsx_lines as _xlsx_lines

COLUMNS = MANDATORY + OPTIONAL
AMOUNTS = ("act_amount", "amo_amount", "amc_amount", "patient_amount")
DATES = ("fse_date", "sent_on", "birth_date", "prescription_date", "act_date")
#: target columns that one column of the file may fill together, by the part taken of it
PARTS = {
    "key_letter": "letter",
    "coefficient": "coefficient",
    "last_name": "last_name",
    "first_name": "first_name",
}
DELIMITERS = ";\t,|"
DATE_FORMATS = {
    "dmy": "jj/mm/aaaa",
    "dmy2": "jj/mm/aa",
    "ymd": "aaaa-mm-jj",
    "ymd_plain": "aaaammjj",
    "dmy_plain": "jjmmaaaa",
    "mdy": "mm/jj/aaaa",
    "serial": "nombre de jours (tableur)",
}
#: what a spreadsheet counts its days from
_EPOCH = date(1899, 12, 30)
_SYNONYMS = Path(__file__).resolve().parent.parent / "data" / "import_synonyms.csv"
_MIN_COLUMNS = 3


@dataclass(frozen=True)
class Table:
    """A table as it lies in the file: its header, and its rows as text with their numbers."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    form: str = ""

    @property
    def signature(self) -> str:
        return signature(self.header)


@dataclass(frozen=True)
class Rule:
    """How one column of the journal is filled.

    :param sources: columns of the file; several are summed (amounts) or joined by a space.
    :param constant: the value where the file has none (no source, or an empty cell).
    :param date_format: one of ``DATE_FORMATS``; "" tries those that cannot be mistaken.
    :param translations: value of the file → value of the journal; compared without case or accents.
    :param part: ``letter`` or ``coefficient`` of “AMI 4”, ``last_name`` or ``first_name`` of a full name.
    """

    target: str
    sources: tuple[str, ...] = ()
    constant: str = ""
    date_format: str = ""
    translations: Mapping[str, str] = field(default_factory=dict)
    part: str = ""


@dataclass(frozen=True)
class PreviewRow:
    """One row as the journal will see it, and what is wrong with its cells (column → reason)."""

    number: int
    values: Mapping[str, str]
    errors: Mapping[str, str]


# -- tables -------------------------------------------------------------------------------------------


def read_table(content: bytes) -> Table:
    """The first table of a CSV or XLSX file, whatever its delimiter and encoding.

    :raises JournalError: when there is none.
    """
    if len(content) > MAX_BYTES:
        raise JournalError("Le fichier dépasse 50 Mo : exportez une période plus courte.")
    if content[:4] == b"PK\x03\x04":
        lines, form = _xlsx_lines(content), "xlsx"
    else:
        lines, form = _csv_lines(content)
    for _number, cells in lines:
        header = _trimmed(cells)
        # a title above the table has one or two cells
        if len([cell for cell in header if cell]) >= _MIN_COLUMNS:
            return Table(_unique(header), lines, form)
    raise JournalError("Aucun tableau de trois colonnes ou plus dans ce fichier.")


def looks_like_table(content: bytes) -> bool:
    """Whether there is a table with at least one row of data: worth a mapping."""
    try:
        table = read_table(content)
        return any(any(cells) for _number, cells in table.rows)
    except JournalError:
        return False


def signature(header: Iterable[str]) -> str:
    """What two exports of one program have in common: their columns, in their order."""
    return hashlib.sha256("\n".join(plain(name) for name in header).encode()).hexdigest()


def _trimmed(cells):
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _unique(header):
    """Two columns of one name would hide one another: the second one is “Montant (2)”."""
    seen = Counter()
    names = []
    for number, name in enumerate(header, start=1):
        name = name or f"Colonne {number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _csv_lines(content):
    text, encoding = _decoded(content)
    sample = text[:65536].splitlines()[:20]
    counts = {mark: [line.count(mark) for line in sample if line.strip()] for mark in DELIMITERS}
    # the mark that stands on most lines, as often on each of them
    delimiter = max(
        DELIMITERS, key=lambda mark: max(Counter(filter(None, counts[mark])).values(), default=0)
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)

    def lines():
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise JournalError(
                    f"CSV illisible à la ligne {reader.line_num} : {error}"
                ) from error
            if row is None:
                return
            yield reader.line_num, [cell.strip() for cell in row]

    return lines(), f"csv {encoding} {delimiter!r}"


def _decoded(content):
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise JournalError("Le fichier UTF-16 est tronqué : exportez-le à nouveau.") from error
    try:
        text, encoding = content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        # cp1252 leaves five bytes free; a file that has them is no text of Windows
        text, encoding = content.decode("cp1252", "replace"), "cp1252"
    if "\0" in text or text.count("\ufffd") > len(text) // 100:
        raise JournalError("Ce fichier n'est ni un CSV ni un classeur XLSX.")
    return text, encoding


# -- suggestions --------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Without case, accents and punctuation, for comparing headers and values.

    >>> plain("N° Sécu. "), plain("PART-AMO (€)")
    ('n secu', 'part amo')
    """
    text = unicodedata.normalize("NFKD", text.replace("°", " ").lower())
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(re.findall(r"[a-z0-9%]+", text))


@lru_cache(maxsize=1)
def synonyms() -> dict[str, tuple[str, ...]]:
    """Names that other programs give to the columns of the journal, the likeliest first."""
    with _SYNONYMS.open(encoding="utf-8", newline="") as file:
        return {
            row["column"]: tuple(plain(name) for name in row["synonyms"].split("|"))
            for row in csv.DictReader(file)
        }


def suggest(header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, Rule]:
    """Rules worth proposing for these headers, each column of the file used once.

    The first rows of data tell the format of dates, and whether “AMI 4” stands in one column.
    """
    names = {}
    for name in header:
        names.setdefault(plain(name), name)
    wanted = [
        (rank, target, name)
        for target in COLUMNS
        for rank, name in enumerate((plain(target), *synonyms().get(target, ())))
        if name in names
    ]
    rules, used = {}, set()
    for _rank, target, name in sorted(wanted, key=lambda one: one[0]):
        source = names[name]
        if target not in rules and source not in used:
            used.add(source)
            rules[target] = Rule(target, (source,))
    samples = {
        name: [cells[place] for cells in rows if place < len(cells) and cells[place]]
        for place, name in enumerate(header)
    }
    return _refined(rules, samples)


def _refined(rules, samples):
    for target, rule in list(rules.items()):
        values = samples.get(rule.sources[0], [])
        if target in DATES:
            rules[target] = Rule(target, rule.sources, date_format=_date_format(values))
    for first, second, pattern in (
        # packages (“BSB”) stand without coefficient among acts that have one
        ("key_letter", "coefficient", r"[A-Za-z]{1,4}(?:\s*\d+(?:[.,]\d+)?)?"),
        ("last_name", "first_name", r"\S+(?:\s+\S+)+"),
    ):
        if first in rules and second not in rules:
            values = samples.get(rules[first].sources[0], [])
            told = first != "key_letter" or any(re.search(r"\d", value) for value in values)
            if values and told and all(re.fullmatch(pattern, value) for value in values):
                for target in (first, second):
                    rules[target] = Rule(target, rules[first].sources, part=PARTS[target])
    return rules


def _date_format(values):
    """The format that reads all of the values; day before month where both would."""
    if not values:
        return ""
    for name in ("dmy", "ymd", "dmy2", "ymd_plain", "dmy_plain", "serial", "mdy"):
        if all(_day(value, name) for value in values):
            return name
    return ""


# -- cells --------------------------------------------------------------------------------------------


def convert(cells: Mapping[str, str], rules: Iterable[Rule]) -> tuple[dict[str, str], dict]:
    """One row of the file as a row of the journal, and the reasons for the cells that fail (by column)."""
    values, errors = {}, {}
    for rule in rules:
        try:
            values[rule.target] = _value(cells, rule)
        except ValueError as error:
            values[rule.target] = ""
            errors[rule.target] = str(error)
    if not errors.keys() & set(AMOUNTS):
        _complete_amounts(values)
    return values, errors


def _value(cells, rule):
    found = [cells.get(source, "").strip() for source in rule.sources]
    if rule.translations:
        table = {plain(key): value for key, value in rule.translations.items()}
        found = [table.get(plain(value), value) for value in found]
    found = [value for value in found if value]
    if not found:
        return rule.constant
    if rule.target in AMOUNTS:
        return _sum(found)
    value = " ".join(found)
    if rule.part:
        value = _part(value, rule.part)
    if rule.target in DATES:
        return _iso(value, rule)
    if rule.target == "nir":
        value = re.sub(r"[\s.\-]", "", value).upper()
        # the key is not part of the number
        return value[:13] if len(value) == 15 else value
    if rule.target in ("provider_no", "amo_org", "amc_org", "prescriber_no", "lot_no"):
        return re.sub(r"[\s.]", "", value)
    if rule.target == "fse_no":
        return re.sub(r"\s", "", value)
    if rule.target in ("amo_rate", "quantity", "birth_rank"):
        return re.sub(r"([.,]0+)?\s*%?$", "", value)
    return value


def amount(text: str) -> int:
    """Cents of an amount as programs write it: “1 234,50 €”, “1,234.50”, “12.6”.

    >>> [amount(text) for text in ("1 234,50 €", "1,234.50", "12.6", "-3", "1.234,5")]
    [123450, 123450, 1260, -300, 123450]
    """
    bare = re.sub(r"[\s\u00a0\u202f€]|EUR$", "", text)
    last = max(bare.rfind(","), bare.rfind("."))
    if "," in bare and "." in bare:
        bare = bare[:last].replace(",", "").replace(".", "") + "." + bare[last + 1 :]
    bare = bare.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,9}(\.\d{0,4})?", bare):
        raise ValueError(f"« {text} » n'est pas un montant.")
    try:
        hundredths = Decimal(bare) * 100
    except InvalidOperation as error:
        raise ValueError(f"« {text} » n'est pas un montant.") from error
    if hundredths != int(hundredths):
        raise ValueError(f"« {text} » : deux décimales au plus.")
    return int(hundredths)


def _sum(texts):
    return _written(sum(amount(text) for text in texts))


def _written(value):
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"


def _complete_amounts(values):
    """The one amount that the file lacks is what the others leave of the total."""
    known = {name: amount(values[name]) for name in AMOUNTS if values.get(name)}
    total = known.get("act_amount")
    if total is None:
        # without a total, the shares have to be complete
        if {"amo_amount", "patient_amount"} <= known.keys():
            values["act_amount"] = _written(sum(known.values()))
        return
    parts = sum(known.values()) - total
    for missing in ("patient_amount", "amo_amount"):
        if missing not in known:
            others = {"patient_amount", "amo_amount"} - {missing}
            if others <= known.keys():
                values[missing] = _written(total - parts)
            return


def _part(value, part):
    if part in ("letter", "coefficient"):
        found = re.fullmatch(r"([A-Za-z]{1,4})\s*(\d+(?:[.,]\d+)?)?", value)
        if not found:
            raise ValueError(f"« {value} » : lettre-clé et coefficient attendus, comme « AMI 4 ».")
        # a package (“BSB”) is written without its coefficient of one
        return found[1].upper() if part == "letter" else found[2] or "1"
    words = value.replace(",", " ").split()
    # “DE LA TOUR Anne”: what is in capitals is the family name, else the first word
    capitals = [word for word in words if len(word) > 1 and word == word.upper()]
    last = capitals if 0 < len(capitals) < len(words) else words[:1]
    first = [word for word in words if word not in last]
    return " ".join(last if part == "last_name" else first)


def _iso(value, rule):
    names = [rule.date_format] if rule.date_format else ["dmy", "dmy_plain", "ymd_plain"]
    # dates of a spreadsheet come in the journal's own writing
    for name in ("ymd", *names):
        day = _day(value, name)
        if day:
            if name == "dmy2" and rule.target == "birth_date":
                raise ValueError(f"« {value} » : année de naissance sur 4 chiffres attendue.")
            return day.isoformat()
    wanted = DATE_FORMATS.get(rule.date_format, "jj/mm/aaaa")
    raise ValueError(f"« {value} » : date {wanted} attendue.")


_DAY_PATTERNS = {
    "dmy": r"(?P<d>\d{1,2})[/.\- ](?P<m>\d{1,2})[/.\- ](?P<y>\d{4})",
    "dmy2": r"(?P<d>\d{1,2})[/.\- ](?P<m>\d{1,2})[/.\- ](?P<y>\d{2})",
    "mdy": r"(?P<m>\d{1,2})[/.\- ](?P<d>\d{1,2})[/.\- ](?P<y>\d{4})",
    "ymd": r"(?P<y>\d{4})[/.\-](?P<m>\d{1,2})[/.\-](?P<d>\d{1,2})",
    "ymd_plain": r"(?P<y>(?:18|19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    "dmy_plain": r"(?P<d>\d{2})(?P<m>\d{2})(?P<y>(?:18|19|20)\d{2})",
}


def _day(value, name):
    """The date in one format, the hour after it dropped; ``None`` where it does not fit."""
    value = re.sub(r"[T ]\d{1,2}[:hH]\d{2}(:\d{2}(\.\d+)?)?$", "", value.strip())
    try:
        if name == "serial":
            if not re.fullmatch(r"\d{5}", value):
                return None
            return _EPOCH + timedelta(days=int(value))
        found = re.fullmatch(_DAY_PATTERNS[name], value, re.ASCII)
        if not found:
            return None
        year = int(found["y"])
        return date(year + 2000 if name == "dmy2" else year, int(found["m"]), int(found["d"]))
    except ValueError:
        return None


# -- journals -----------------------------------------------------------------------------------------


def missing_columns(rules: Iterable[Rule]) -> list[str]:
    """Mandatory columns that the rules neither fill nor let compute."""
    filled = {rule.target for rule in rules if rule.sources or rule.constant}
    if {"amo_amount", "patient_amount"} <= filled:
        filled.add("act_amount")
    elif "act_amount" in filled and filled & {"amo_amount", "patient_amount"}:
        filled |= {"amo_amount", "patient_amount"}
    return [column for column in MANDATORY if column not in filled]


def read_mapped(content: bytes, rules: Sequence[Rule], labels: Mapping[str, str]) -> Journal:
    """Read a table of another program as an FSE journal.

    :param labels: French names of the journal's columns, for reasons about columns without a source.
    :raises JournalError: when the file has no table, or the rules do not fill the mandatory columns.
    """
    missing = missing_columns(rules)
    if missing:
        names = ", ".join(labels.get(column, column) for column in missing)
        raise JournalError(f"La correspondance ne remplit pas : {names}. Complétez-la.")
    table = read_table(content)
    where = {
        rule.target: " + ".join(rule.sources) or labels.get(rule.target, rule.target)
        for rule in rules
    }

    def rows():
        for number, cells in table.rows:
            if not any(cells):
                continue
            values, errors = convert(dict(zip(table.header, cells, strict=False)), rules)
            yield (
                number,
                values,
                [RowError(column, reason) for column, reason in errors.items()],
            )

    return build_journal(rows(), where)


def preview(content: bytes, rules: Sequence[Rule], limit: int = 8) -> list[PreviewRow]:
    """The first rows as the journal would read them, with the reason under each wrong cell."""
    table = read_table(content)
    shown = []
    for number, cells in table.rows:
        if not any(cells):
            continue
        values, errors = convert(dict(zip(table.header, cells, strict=False)), rules)
        if not errors:
            journal = _alone(number, values)
            errors = {issue.column: issue.reason for issue in journal}
        shown.append(PreviewRow(number, values, errors))
        if len(shown) >= limit:
            break
    return shown


def _alone(number, values):
    try:
        return build_journal([(number, values, [])]).issues
    except JournalError:
        return []
