"""Reader of the FSE journal, the exchange table for billed care.

One row per act; the rows of one FSE share ``provider_no`` and ``fse_no``. A row that cannot be used keeps its
whole FSE out (a claim short of one act would be wrong) and says why; the other FSE of the file are kept.
Amounts become integer cents and coefficients integer hundredths; no float is ever made of them.
"""

import csv
import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

MANDATORY = (
    "provider_no",
    "fse_no",
    "fse_date",
    "nir",
    "last_name",
    "first_name",
    "birth_date",
    "act_date",
    "key_letter",
    "coefficient",
    "act_amount",
    "amo_org",
    "amo_amount",
    "patient_amount",
)
OPTIONAL = (
    "lot_no",
    "kind",
    "sent_on",
    "birth_rank",
    "insurance_nature",
    "exemption",
    "prescriber_no",
    "prescription_date",
    "quantity",
    "complement",
    "amo_rate",
    "amc_org",
    "amc_member",
    "amc_amount",
)
KINDS = ("F", "B", "D", "P")
NATURES = ("10", "13", "30", "41", "90")
#: columns that must be the same on all the rows of one FSE
HEADER_COLUMNS = (
    "lot_no",
    "kind",
    "fse_date",
    "sent_on",
    "nir",
    "birth_rank",
    "last_name",
    "first_name",
    "birth_date",
    "insurance_nature",
    "exemption",
    "prescriber_no",
    "prescription_date",
    "amo_org",
    "amc_org",
    "amc_member",
)
MAX_BYTES = 50 * 1024 * 1024
#: bytes of a workbook once opened, its lines and its columns: beyond, it is no export of ours
MAX_XLSX = 200 * 1024 * 1024
MAX_LINES = 300_000
MAX_COLUMNS = 300


class JournalError(ValueError):
    """The file as a whole cannot be used; the message is French."""


class RowError(ValueError):
    """One cell of a row cannot be used."""

    def __init__(self, column, reason):
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True)
class Issue:
    """Why a row was not taken: row number as a spreadsheet shows it, column, French reason."""

    row: int
    column: str
    reason: str
    provider_no: str = ""
    fse_no: str = ""


@dataclass(frozen=True)
class Act:
    """One act; amounts in cents, coefficient in hundredths."""

    act_date: date
    key_letter: str
    coefficient: int
    quantity: int
    complement: str
    amount: int
    amo: int
    amo_rate: int
    amc: int
    patient: int


@dataclass
class Fse:
    """One claim as the practitioner's software billed it."""

    provider_no: str
    fse_no: str
    row: int
    lot_no: str
    kind: str
    fse_date: date
    sent_on: date | None
    nir: str
    birth_rank: int
    last_name: str
    first_name: str
    birth_date: date
    insurance_nature: str
    exemption: str
    prescriber_no: str
    prescription_date: date | None
    amo_org: str
    amc_org: str
    amc_member: str
    acts: list[Act] = field(default_factory=list)

    def total(self, part: str) -> int:
        """Sum in cents of ``amount``, ``amo``, ``amc`` or ``patient`` over the acts."""
        return sum(getattr(act, part) for act in self.acts)

    @property
    def fingerprint(self) -> str:
        """Changes when anything billed changes; sending (lot, date) is not part of it."""
        parts = [
            self.kind,
            self.fse_date,
            self.nir,
            self.birth_rank,
            self.birth_date,
            self.insurance_nature,
            self.exemption,
            self.amo_org,
            self.amc_org,
            self.amc_member,
            *sorted(repr(act) for act in self.acts),
        ]
        return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


@dataclass
class Journal:
    """What was read: good FSE, issues, number of data rows."""

    fses: list[Fse]
    issues: list[Issue]
    rows: int


def looks_like_journal(filename: str, content: bytes) -> bool:
    """Whether the first line has the columns that only this table has."""
    try:
        _rows, header = _table(content, header_only=True)
    except JournalError:
        return False
    return "fse_no" in header and "provider_no" in header


def read_journal(content: bytes) -> Journal:
    """Read the whole file.

    :raises JournalError: when the file has no usable table or lacks a mandatory column.
    """
    rows, header = _table(content)
    missing = [column for column in MANDATORY if column not in header]
    if missing:
        raise JournalError(
            f"Colonne obligatoire absente : {', '.join(missing)}. Ajoutez-la à l'export et redéposez le fichier."
        )
    return build_journal((number, row, ()) for number, row in rows)


def build_journal(rows, where=None) -> Journal:
    """FSE and issues out of rows, in one pass.

    :param rows: tuples of row number, dict of cells by column, and the errors already known of the row.
    :param where: what to call the columns in issues, when the file names them otherwise.
    :raises JournalError: when there is no row at all.
    """
    where = where or {}
    fses: dict[tuple[str, str], Fse] = {}
    heads: dict[tuple[str, str], dict[str, str]] = {}
    broken: set[tuple[str, str]] = set()
    issues: list[Issue] = []
    count = 0
    for number, row, errors in rows:
        if not any(row.values()):
            continue
        count += 1
        key = (row.get("provider_no", ""), row.get("fse_no", ""))
        try:
            if errors:
                raise errors[0]
            head = {column: row.get(column, "") for column in HEADER_COLUMNS}
            if key in fses:
                for column, value in head.items():
                    if value != heads[key][column]:
                        raise RowError(
                            column,
                            f"« {value} » ici, « {heads[key][column]} » à la ligne {fses[key].row} de la même FSE.",
                        )
                fses[key].acts.append(_act(row))
            else:
                fse = _fse(number, row)
                fse.acts.append(_act(row))
                fses[key] = fse
                heads[key] = head
        except RowError as error:
            broken.add(key)
            for one in errors or (error,):
                column = where.get(one.column, one.column)
                issues.append(Issue(number, column, str(one), *key))
    for key in broken:
        fses.pop(key, None)
    if not count:
        raise JournalError("Le fichier ne contient aucune ligne d'acte sous la ligne d'en-tête.")
    return Journal(list(fses.values()), issues, count)


def _table(content, header_only=False):
    if len(content) > MAX_BYTES:
        raise JournalError("Le fichier dépasse 50 Mo : exportez une période plus courte.")
    if content[:4] == b"PK\x03\x04":
        return _xlsx(content, header_only)
    return _csv(content, header_only)


def _csv(content, header_only):
    try:
        text = (content[:65536] if header_only else content).decode(
            "utf-8-sig", "ignore" if header_only else "strict"
        )
    except UnicodeDecodeError as error:
        raise JournalError(
            f"Le fichier n'est pas en UTF-8 (octet {error.start}) : enregistrez-le en « CSV UTF-8 »."
        ) from error
    if "\0" in text:
        raise JournalError("Le fichier contient des octets nuls : ce n'est pas un CSV.")
    reader = csv.reader(io.StringIO(text), delimiter=";")
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
    except csv.Error as error:
        raise JournalError("Le fichier n'est pas un CSV lisible.") from error
    empty = dict.fromkeys(header, "")  # a short row has empty cells at its end

    def rows():
        try:
            for row in reader:
                cells = (cell.strip() for cell in row)
                yield reader.line_num, empty | dict(zip(header, cells, strict=False))
        except csv.Error as error:
            raise JournalError(f"CSV illisible à la ligne {reader.line_num} : {error}") from error

    return rows(), header


def _xlsx(content, header_only):
    lines = xlsx_lines(content)
    _number, cells = next(lines, (0, []))
    header = [cell.lower() for cell in cells]
    if header_only:
        return iter(()), header
    empty = dict.fromkeys(header, "")  # a short row has empty cells at its end
    return (
        (number, empty | dict(zip(header, cells, strict=False))) for number, cells in lines
    ), header


#: what openpyxl and what it stands on raise on workbooks that are damaged or were never any
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def xlsx_lines(content):
    """Number and cells, as text, of the lines of a workbook's first sheet.

    :raises JournalError: on the way, when the workbook is damaged.
    """
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # what a member says of its size is never exceeded when it is read
            if sum(member.file_size for member in archive.infolist()) > MAX_XLSX:
                raise JournalError(
                    "Le classeur XLSX dépasse 200 Mo une fois ouvert : exportez une période plus courte, ou en CSV."
                )
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        # a cell far below or far right would make lines and cells without end
        lines = book.worksheets[0].iter_rows(values_only=True, max_col=MAX_COLUMNS)
        for number, line in enumerate(lines, start=1):
            if number > MAX_LINES:
                raise JournalError(
                    f"Le classeur XLSX a plus de {MAX_LINES} lignes : supprimez les lignes vides ou découpez-le."
                )
            yield number, [_cell(value) for value in line]
    except JournalError:
        raise
    except _DAMAGED as error:
        raise JournalError(
            "Le classeur XLSX est illisible ou incomplet : enregistrez-le à nouveau."
        ) from error


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # a spreadsheet's number: its shortest writing is what the user typed
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value).strip()


def _fse(number, row):
    provider_no = _digits(row, "provider_no", 9, 9)
    fse_no = row["fse_no"]
    if not re.fullmatch(r"[0-9A-Za-z/-]{1,9}", fse_no):
        raise RowError("fse_no", f"« {fse_no} » : 1 à 9 caractères attendus.")
    nir = row["nir"].upper().replace(" ", "")
    if not re.fullmatch(r"[1-9]\d{4}(\d\d|2[AB])\d{6}", nir):
        raise RowError("nir", "13 caractères attendus (sans la clé).")
    kind = row.get("kind") or "F"
    if kind not in KINDS:
        raise RowError("kind", f"« {kind} » : F, B, D ou P attendu.")
    nature = row.get("insurance_nature") or "10"
    if nature not in NATURES:
        raise RowError("insurance_nature", f"« {nature} » : 10, 13, 30, 41 ou 90 attendu.")
    for column in ("last_name", "first_name"):
        if not row[column]:
            raise RowError(column, "vide.")
    lot_no = row.get("lot_no", "")
    if lot_no and not re.fullmatch(r"\d{1,3}", lot_no):
        raise RowError("lot_no", f"« {lot_no} » : 3 chiffres attendus.")
    return Fse(
        provider_no=provider_no,
        fse_no=fse_no,
        row=number,
        lot_no=lot_no.zfill(3) if lot_no else "",
        kind=kind,
        fse_date=_date(row, "fse_date"),
        sent_on=_date(row, "sent_on", optional=True),
        nir=nir,
        birth_rank=_integer(row, "birth_rank", 1, 1, 9),
        last_name=row["last_name"],
        first_name=row["first_name"],
        birth_date=_date(row, "birth_date"),
        insurance_nature=nature,
        exemption=row.get("exemption") or "0",
        prescriber_no=row.get("prescriber_no", ""),
        prescription_date=_date(row, "prescription_date", optional=True),
        amo_org=_digits(row, "amo_org", 9, 9),
        amc_org=_digits(row, "amc_org", 1, 10, optional=True).zfill(10)
        if row.get("amc_org")
        else "",
        amc_member=row.get("amc_member", ""),
    )


def _act(row):
    act = Act(
        act_date=_date(row, "act_date"),
        key_letter=row["key_letter"].upper(),
        coefficient=_decimal(row, "coefficient", "coefficient"),
        quantity=_integer(row, "quantity", 1, 1, 99),
        complement=row.get("complement", "").upper(),
        amount=_decimal(row, "act_amount"),
        amo=_decimal(row, "amo_amount"),
        amo_rate=_integer(row, "amo_rate", 0, 0, 100),
        amc=_decimal(row, "amc_amount", optional=True),
        patient=_decimal(row, "patient_amount"),
    )
    if not re.fullmatch(r"[A-Z]{1,4}", act.key_letter):
        raise RowError("key_letter", f"« {row['key_letter']} » n'est pas une lettre-clé.")
    if act.complement not in ("", "N", "F", "U"):
        raise RowError("complement", f"« {act.complement} » : N, F ou vide attendu.")
    difference = act.amount - act.amo - act.amc - act.patient
    if difference:
        raise RowError(
            "act_amount",
            f"les parts ne font pas le total : {_euros(act.amount)} facturés, {_euros(act.amount - difference)} "
            f"répartis, écart {_euros(difference)}.",
        )
    if act.amc and not row.get("amc_org"):
        raise RowError("amc_org", "part complémentaire sans numéro d'organisme.")
    return act


def _euros(amount):
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100},{abs(amount) % 100:02d} €"


def _digits(row, column, shortest, longest, optional=False):
    value = row.get(column, "")
    if optional and not value:
        return ""
    if not re.fullmatch(r"\d{%d,%d}" % (shortest, longest), value):
        size = str(shortest) if shortest == longest else f"{shortest} à {longest}"
        raise RowError(column, f"« {value} » : {size} chiffres attendus.")
    return value


def _date(row, column, optional=False):
    value = row.get(column, "")
    if optional and not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise RowError(column, f"« {value} » : date AAAA-MM-JJ attendue.") from error
    if not 1880 <= day.year <= 2100:
        raise RowError(column, f"« {value} » : année invraisemblable.")
    return day


def _integer(row, column, default, lowest, highest):
    value = row.get(column, "")
    if not value:
        return default
    if not re.fullmatch(r"\d{1,3}", value) or not lowest <= int(value) <= highest:
        raise RowError(column, f"« {value} » : nombre de {lowest} à {highest} attendu.")
    return int(value)


def _decimal(row, column, what="amount", optional=False):
    value = (
        row.get(column, "")
        .replace(",", ".")
        .replace(" ", "")
        .replace("\u202f", "")
        .removesuffix("€")
    )
    if optional and not value:
        return 0
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise RowError(column, f"« {row.get(column, '')} » n'est pas un nombre.") from error
    if not number.is_finite() or number < 0 or number >= 1_000_000:
        raise RowError(column, f"« {row.get(column, '')} » : valeur hors limites.")
    hundredths = number * 100
    if hundredths != int(hundredths):
        raise RowError(column, f"« {row.get(column, '')} » : deux décimales au plus.")
    return int(hundredths)
