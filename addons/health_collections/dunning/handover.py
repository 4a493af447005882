"""Hand-over of a debt to a professional: who may be handed over, what is given, what comes back.

A pack carries the least that a professional needs: who owes, to whom, how much, since when, under which
numbers, and how to reach them. Its columns are named here one by one, so that nothing else can slip in.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

#: columns of the list of debts, in their order: key of a row → French heading
COLUMNS = {
    "file": "Dossier",
    "creditor": "Créancier",
    "creditor_address": "Adresse du créancier",
    "creditor_iban": "IBAN du créancier",
    "debtor": "Débiteur",
    "street": "Adresse",
    "zip": "Code postal",
    "city": "Ville",
    "phone": "Téléphone",
    "email": "Courriel",
    "number": "Numéro de facture",
    "date": "Date de facture",
    "due": "Échéance",
    "amount": "Montant",
    "paid": "Déjà réglé",
    "left": "Reste dû",
    "notice": "Dernière mise en demeure",
    "prescription": "Prescription (lecture prudente)",
}
MONEY = frozenset({"amount", "paid", "left"})
#: a spreadsheet takes a cell that begins so for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the policy asks before a debt may leave the house."""

    age_days: int
    quiet_days: int
    least_cents: int
    most_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """What one debtor owes one practitioner.

    ``last_message``: day of the last message of the scale on each of the shares, None where the scale did
    not reach its end. ``due``: due date of each of them.
    """

    cents: int
    due: tuple[date, ...]
    last_message: tuple[date | None, ...]
    is_minor: bool = False
    has_address: bool = True


def objections(debt: Debt, bounds: Bounds, day: date) -> tuple[str, ...]:
    """Why this debt may not be handed over on that day; nothing: it may.

    >>> objections(Debt(5000, (date(2026, 1, 1),), (None,)), Bounds(90, 15, 4000), date(2026, 9, 1))
    ('scale',)
    """
    reached = [last for last in debt.last_message if last is not None]
    tests = {
        "age": any((day - due).days < bounds.age_days for due in debt.due),
        "scale": not debt.last_message or len(reached) < len(debt.last_message),
        "quiet": any((day - last).days < bounds.quiet_days for last in reached),
        "small": debt.cents < bounds.least_cents,
        "large": bounds.most_cents is not None and debt.cents > bounds.most_cents,
        "minor": debt.is_minor,
        "address": not debt.has_address,
    }
    return tuple(code for code, holds in tests.items() if holds)


# -- what is given ----------------------------------------------------------------------------------


def french_amount(cents: int) -> str:
    """``1234,50``: an amount as a French spreadsheet reads it.

    >>> french_amount(-5), french_amount(123450)
    ('-0,05', '1234,50')
    """
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole},{rest:02d}"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a French phone number stays as it is.

    >>> harmless("=1+1"), harmless("+33 6 12 34 56 78")
    ("'=1+1", '+33 6 12 34 56 78')
    """
    if text.startswith(_FORMULA) and not re.fullmatch(r"\+[\d .]+", text):
        return f"'{text}"
    return text


def _cells(row: dict) -> Iterator[tuple[str, object]]:
    unknown = row.keys() - COLUMNS.keys()
    if unknown:
        raise ValueError(f"not to be handed over: {sorted(unknown)}")
    for key in COLUMNS:
        value = row.get(key)
        yield key, harmless(value) if isinstance(value, str) else value


def as_csv(rows: Iterable[dict]) -> bytes:
    """The list of debts as a CSV that a French spreadsheet opens by a double click."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS.values())
    for row in rows:
        cells = []
        for key, value in _cells(row):
            if key in MONEY:
                value = french_amount(value or 0)
            elif isinstance(value, date):
                value = value.strftime("%d/%m/%Y")
            cells.append("" if value in (None, False) else value)
        writer.writerow(cells)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[dict]) -> bytes:
    """The same list as a workbook, with real dates and amounts."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "Créances"
    sheet.append(list(COLUMNS.values()))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    widths = [len(title) for title in COLUMNS.values()]
    for row in rows:
        cells = []
        for rank, (key, value) in enumerate(_cells(row)):
            if key in MONEY:
                value = Decimal(value or 0) / 100
            cells.append(None if value in ("", False) else value)
            widths[rank] = max(widths[rank], len(str(value or "")))
        sheet.append(cells)
        for key, cell in zip(COLUMNS, sheet[sheet.max_row], strict=True):
            if key in MONEY:
                cell.number_format = "#,##0.00"
            elif isinstance(cell.value, date):
                cell.number_format = "DD/MM/YYYY"
            elif cell.value is not None:
                cell.data_type = "s"  # never a formula
    for rank, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(rank)].width = min(width + 2, 40)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# -- what comes back --------------------------------------------------------------------------------


class StatusError(ValueError):
    """The file as a whole cannot be used; the message is French."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the professional says of one file."""

    row: int
    file: str
    kind: str
    day: date
    cents: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a row was not taken: its number as a spreadsheet shows it, and what it says."""

    row: int
    reason: str
    text: str = ""


#: headings that the product knows, without accents nor capitals
_HEADINGS = {
    "file": ("dossier", "reference", "ref", "numero", "numero de dossier", "votre reference"),
    "kind": ("statut", "etat", "situation", "resultat"),
    "day": ("date", "date du statut", "date de statut", "le"),
    "amount": ("montant", "montant recu", "encaisse", "somme", "montant encaisse"),
    "note": ("observation", "observations", "commentaire", "note", "motif", "remarque"),
}
#: words by which a professional says it; the longest that a cell contains counts
_KINDS = {
    "running": ("en cours", "pris en charge", "relance", "recu", "ouvert"),
    "promised": (
        "promesse",
        "promis",
        "echeancier",
        "engagement",
        "moratoire",
        "accord de paiement",
    ),
    "paid": ("paye", "regle", "solde", "encaisse", "paiement", "reglement", "acompte", "versement"),
    "failed": (
        "echec",
        "impaye definitif",
        "insolvable",
        "introuvable",
        "npai",
        "injoignable",
        "refus",
        "non paye",
        "non regle",
    ),
    "returned": ("retour", "restitue", "cloture", "clos", "rendu", "irrecouvrable"),
    "title": ("titre executoire", "titre", "accord homologue"),
    "ordered": ("ordonnance rendue", "ordonnance", "injonction rendue"),
    "served": ("signifie", "signification"),
    "opposed": ("opposition", "conteste", "contestation"),
}


def plain(text: str) -> str:
    """Words in small letters, without accents, one space between them.

    >>> plain("  État : RÉGLÉ ")
    'etat regle'
    """
    flat = unicodedata.normalize("NFKD", text or "")
    flat = "".join(c for c in flat if not unicodedata.combining(c)).lower()
    return " ".join(re.findall(r"[a-z0-9]+", flat))


def status_kind(text: str) -> str | None:
    """What a professional's own words say, or None when they say nothing that we know.

    >>> status_kind("Réglé en totalité"), status_kind("NPAI"), status_kind("non réglé")
    ('paid', 'failed', 'failed')
    """
    words = f" {plain(text)} "
    if words.strip() in _KINDS:
        return words.strip()
    found = [
        (len(sign), kind)
        for kind, signs in _KINDS.items()
        for sign in signs
        if re.search(rf" {sign}(e|s|es)? ", words)
    ]
    return max(found)[1] if found else None


def csv_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines of a CSV, whatever its separator and its usual encoding.

    :raises StatusError: it is no text.
    """
    if b"\0" in content:
        raise StatusError("Ce fichier n'est pas un CSV lisible : enregistrez-le en « CSV UTF-8 ».")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    head = text.split("\n", 1)[0]
    separator = max(";", ",", "\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise StatusError(f"CSV illisible à la ligne {reader.line_num}.") from error


def read_statuses(
    lines: Iterable[tuple[int, list[str]]], today: date
) -> tuple[list[Status], list[Issue]]:
    """Statuses of files from the lines of a table, and the rows that could not be read.

    :param today: a status of a later day is a mistake; one without a day is of today.
    :raises StatusError: the table has no heading for the file or the status.
    """
    lines = iter(lines)
    columns = _columns(lines)
    statuses, issues = [], []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(statuses) + len(issues) >= MAX_ROWS:
            raise StatusError(f"Plus de {MAX_ROWS} lignes : découpez le fichier.")
        row = {
            key: cells[rank].strip() if rank < len(cells) else "" for key, rank in columns.items()
        }
        try:
            statuses.append(_status(number, row, today))
        except ValueError as error:
            issues.append(Issue(number, str(error), " ; ".join(cells)))
    return statuses, issues


def _columns(lines) -> dict[str, int]:
    for _number, cells in lines:
        names = [plain(cell) for cell in cells]
        if not any(names):
            continue
        columns = {}
        for key, known in _HEADINGS.items():
            rank = next((names.index(name) for name in known if name in names), None)
            if rank is not None:
                columns[key] = rank
        missing = [
            title for key, title in (("file", "Dossier"), ("kind", "Statut")) if key not in columns
        ]
        if missing:
            raise StatusError(
                f"Colonne(s) « {' », « '.join(missing)} » introuvable(s) : "
                "la première ligne doit nommer les colonnes Dossier, Statut, Date, Montant, Observation."
            )
        return columns
    raise StatusError("Le fichier est vide.")


def _status(number: int, row: dict, today: date) -> Status:
    if not row["file"]:
        raise ValueError("numéro de dossier vide.")
    kind = status_kind(row["kind"])
    if not kind:
        raise ValueError(f"statut « {row['kind']} » inconnu.")
    day = read_day(row.get("day", "")) or today
    if day > today:
        raise ValueError(f"le {day:%d/%m/%Y} n'est pas encore passé.")
    cents = read_amount(row.get("amount", ""))
    if kind == "paid" and not cents:
        raise ValueError("un paiement sans montant : indiquez la somme encaissée.")
    return Status(number, row["file"].upper(), kind, day, cents, row.get("note", ""))


def read_day(text: str) -> date | None:
    """A day as a spreadsheet or a person writes it.

    >>> read_day("05/11/2026"), read_day("2026-11-05"), read_day("")
    (datetime.date(2026, 11, 5), datetime.date(2026, 11, 5), None)
    """
    if not text:
        return None
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y"):
        try:
            day = datetime.strptime(text, pattern).date()
        except ValueError:
            continue
        if 2000 <= day.year <= 2100:
            return day
    raise ValueError(f"« {text} » : date JJ/MM/AAAA attendue.")


def read_amount(text: str) -> int | None:
    """Cents of an amount as people write it.

    >>> read_amount("1 234,50 €"), read_amount("12.6"), read_amount("")
    (123450, 1260, None)
    """
    bare = re.sub(r"[\s\u00a0\u202f€]", "", text)
    if not bare:
        return None
    if "," in bare:
        bare = bare.replace(".", "").replace(",", ".")
    try:
        number = Decimal(bare)
    except InvalidOperation as error:
        raise ValueError(f"« {text} » n'est pas un montant.") from error
    if not number.is_finite() or not 0 <= number < 1_000_000 or number * 100 != int(number * 100):
        raise ValueError(f"« {text} » : montant hors limites ou à plus de deux décimales.")
    return int(number * 100)
