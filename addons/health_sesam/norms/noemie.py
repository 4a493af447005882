"""NOEMIE returns: what a payer says of each invoice, per bank transfer.

``read`` accepts both framings of the norm (entities one after the other, or wrapped in
128-character blocks), line breaks, several files glued together and every envelope of
``envelope.unwrap``. Entities that the layout does not know, or that have no use here, are
kept as they came. Amounts are integer cents.

Money is strict: control entities 990 and the trailer 999 must agree with what was read,
otherwise the whole file is refused.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from . import codec, envelope
from .codec import codes, layout, to_birth_date, to_date, to_int
from .errors import ADVICE, NormError

PARTS = {"O": "amo", "C": "amc"}
_PART_CODES = {"amo": "O", "amc": "C"}
_MAX_UNKNOWN = 100_000
# Ceilings of memory, far above any file of the ceiling of bytes that holds real invoices.
_MAX_SETTLEMENTS = 100_000
_MAX_INVOICES = 400_000
_MAX_WARNINGS = 1_000
# An entity of unknown length ends at the first @ that is followed by another entity.
_UNKNOWN = re.compile(r"(\d{3})(\d{2})[^\x00-\x1f\x7f]{0,1000}?@(?=\d{5}|999)")
_CODE = re.compile(r"\d{3}")
_FILLING = (" ", "\t", "\x00", "\x1a")
_OPENERS = ("010", "020", "040", "070", "071", "080", "081", "100", "102")


@dataclass(slots=True)
class Part:
    """What a payer decided on the AMO or AMC part of an invoice; ``paid`` is signed."""

    part: str = "amo"
    asked: int = 0
    state: str = ""
    paid: int = 0
    amc_no: str = ""
    amc_member: str = ""


@dataclass(slots=True)
class Reason:
    """Why a part was refused, or a notice when no part is in state R."""

    code: str = ""
    label: str = ""
    level: str = ""
    part: str = "amo"
    act: str = ""
    act_date: date | None = None
    line_no: int = 0
    info: str = ""


@dataclass(slots=True)
class ActReturn:
    """One act line (entity 210); coefficient in hundredths."""

    line_no: int = 0
    act: str = ""
    complement: str = ""
    act_date: date | None = None
    quantity: int = 1
    coefficient_hundredths: int = 0
    unit_price: int = 0
    base: int = 0
    rate: int = 0
    fee: int = 0
    amo_paid: int = 0
    amc_amount: int = 0


@dataclass(slots=True)
class InvoiceReturn:
    """One invoice of a return. ``birth_date`` is None for lunar or unknown dates."""

    invoice_no: str = ""
    lot_no: str = ""
    lot_date: date | None = None
    kind: str = "F"
    invoice_date: date | None = None
    amc_processing: str = ""
    nir: str = ""
    last_name: str = ""
    first_name: str = ""
    birth_date: date | None = None
    parts: list[Part] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    acts: list[ActReturn] = field(default_factory=list)

    @property
    def paid(self):
        """Cents that this invoice brings to the transfer of its settlement."""
        separate = self.amc_processing in codes()["separate_amc"]["values"]
        return sum(p.paid for p in self.parts if not (separate and p.part == "amc"))


@dataclass(slots=True)
class Movement:
    """A debt that moves (entity 250): ``amount`` positive = taken from the transfer.

    ``withheld`` is False for a movement that is only stated and leaves the transfer as it is.
    """

    debt_ref: str = ""
    debt_date: date | None = None
    debt_kind: str = ""
    operation: str = "RPR"
    amount: int = 0
    balance: int = 0
    withheld: bool = True


@dataclass(slots=True)
class LumpSum:
    """A payment without invoice (entities 261 and 262)."""

    code: str = ""
    label: str = ""
    amount: int = 0


@dataclass(slots=True)
class Settlement:
    """One bank transfer as announced (entity 071)."""

    payee_no: str = ""
    transfer_date: date | None = None
    label1: str = ""
    label2: str = ""
    payer: str = ""
    kind: str = "01"
    invoices: list[InvoiceReturn] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    lumps: list[LumpSum] = field(default_factory=list)

    @property
    def expected(self):
        """Signed cents that the bank should receive for this settlement."""
        return (
            sum(invoice.paid for invoice in self.invoices)
            + sum(lump.amount for lump in self.lumps)
            - sum(movement.amount for movement in self.movements if movement.withheld)
        )

    @property
    def provider_no(self):
        """The payee as a 9-digit billing number (the entity pads it to 15 digits)."""
        return self.payee_no[-layout("b2")["B2.1"].by_key["provider_id"].length :]


@dataclass(slots=True)
class UnknownEntity:
    """An entity kept as it came, delimiter included."""

    code: str
    level: str
    raw: str


@dataclass(slots=True)
class NoemieFile:
    """One NOEMIE file, from its header 000 to its trailer 999."""

    framing: str = "flat"
    reference: str = "580"
    sender_type: str = "CP"
    sender_no: str = ""
    dest_no: str = ""
    file_id: str = ""
    created_on: date | None = None
    settlements: list[Settlement] = field(default_factory=list)
    unknown: list[UnknownEntity] = field(default_factory=list)
    dest_type: str = "TP"
    warnings: list[str] = field(default_factory=list, compare=False)

    @property
    def expected(self):
        """Signed cents announced by the whole file."""
        return sum(settlement.expected for settlement in self.settlements)


# ---------------------------------------------------------------------------------------------
# Reading


def read(content, layouts=None):
    """Files found in ``content`` (bytes), in order.

    :raises NormError: unreadable, truncated, or control totals that disagree
    """
    files = []
    with codec.using(layouts):
        for part in envelope.unwrap(content):
            files += _Source(part).files()
    if not files:
        raise NormError("Le fichier est vide")
    return files


def entities(content):
    """(framing, code, text) of each entity in order, nothing checked, for a readable dump.

    The code is None for what cannot be cut into entities.
    """
    text = envelope.strip_text(content)
    position, size = 0, layout("noemie")["000"].length
    while position < len(text):
        if text[position] in _FILLING:
            position += 1
            continue
        wrapped = _Wrapped(text, position)
        reader = wrapped if wrapped.plausible() else _Flat(text, position)
        try:
            reader._check_header(layout("noemie")["000"])
            body, at, end = reader._body()
        except NormError:
            yield reader.framing, None, text[position:]
            return
        yield reader.framing, "000", text[position : position + size]
        while end is None or at < end:
            code = body[at : at + 3]
            if end is None and code == "999":
                break
            record = layout("noemie").get(code)
            if record is not None and code not in ("000", "999"):
                raw = body[at : at + record.length]
            else:
                found = _UNKNOWN.match(body, at)
                raw = found.group(0) if found else ""
            if not raw:
                yield reader.framing, None, body[at:end]
                return
            yield reader.framing, code, raw
            at += len(raw)
        after = reader._trailer() if end is not None else at
        yield reader.framing, "999", text[after : after + size]
        position = after + size


class _Source:
    """The characters of one unwrapped file, with the way back to its bytes."""

    def __init__(self, content):
        self.original = content.decode("latin-1")
        self.text = envelope.strip_text(content)

    def files(self):
        position = self._skip(0)
        while position < len(self.text):
            file, position = self._file(position)
            position = self._skip(position)
            yield file

    def _skip(self, position):
        while self.text[position : position + 1] in _FILLING and position < len(self.text):
            position += 1
        return position

    def _file(self, start):
        """One file from ``start``: the framing that reads whole, flat first."""
        wrapped = _Wrapped(self.text, start)
        errors = {}
        best = None
        for reader in (_Flat(self.text, start), wrapped):
            if best and not (best[0].unknown and wrapped.plausible()):
                break
            try:
                outcome = reader.parse()
            except NormError as error:
                errors[reader] = error
                continue
            # A wrapped file can look like a flat one with entities that nobody knows.
            if best is None or len(outcome[0].unknown) < len(best[0].unknown):
                best = outcome
        if best:
            return best
        flat_error, wrapped_error = errors.values()
        error = wrapped_error if wrapped.plausible() else flat_error
        raise NormError(error.what, error.record, self._byte(error.byte), error.advice)

    def _byte(self, byte):
        """Position in the file as received: line breaks and leading blanks counted."""
        if byte is None:
            return None
        place = byte - 1 + envelope.leading_blanks(self.original)
        if len(self.original) == len(self.text):
            return place + 1
        for found in re.finditer(r"[\r\n]", self.original):
            if found.start() < envelope.leading_blanks(self.original):
                continue
            if found.start() > place:
                break
            place += 1
        return place + 1


class _Flat:
    """Entities one after the other."""

    framing = "flat"

    def __init__(self, text, start):
        self.text = text
        self.start = start
        self.table = layout("noemie")

    def parse(self):
        builder = _Builder(self.framing)
        header = self.table["000"]
        self._check_header(header)
        builder.header(header.decode(self.text, self.start, 1))
        body, position, end = self._body()
        while True:
            code = body[position : position + 3]
            if end is None and code == "999":
                trailer, after = body, position
                break
            if end is not None and position >= end:
                trailer, after = self.text, self._trailer()
                break
            position = self._entity(builder, body, position, code)
        record = self.table["999"]
        values = record.decode(trailer, after, builder.count + 1)
        builder.trailer(values, self._blocks())
        return builder.file, after + record.length

    def _check_header(self, header):
        if not header.matches(self.text, self.start):
            raise NormError(
                "Ce n'est pas un fichier NOEMIE : l'en-tête 000 manque", 1, self.start + 1
            )

    def _body(self):
        return self.text, self.start + layout("noemie")["000"].length, None

    def _entity(self, builder, body, position, code):
        record = self.table.records.get(code)
        number = builder.count + 1
        if record is not None and code not in ("000", "999"):
            try:
                values = record.decode(body, position, number)
                builder.entity(code, values, body, position, record)
            except NormError as error:
                raise self._placed(error) from None
            return position + record.length
        found = _UNKNOWN.match(body, position)
        if not found:
            if not body[position:].strip():
                error = NormError("Fichier tronqué : l'enregistrement de fin 999 manque", number)
            elif not _CODE.fullmatch(code):
                error = NormError(
                    f"Entité attendue, trouvé « {codec.printable(body[position : position + 8])} »",
                    number,
                )
            else:
                error = NormError(f"Entité {code} illisible ou fichier tronqué", number)
            error.byte = position + 1
            raise self._placed(error)
        builder.keep(code, found.group(2), found.group(0))
        return found.end()

    def _trailer(self):
        raise NotImplementedError

    def _blocks(self):
        return None

    def _placed(self, error):
        """The error with its position in the text, given its position in the body."""
        return error


class _Wrapped(_Flat):
    """128-character blocks: a continuation character, then 127 characters of the body."""

    framing = "wrapped"

    def __init__(self, text, start):
        super().__init__(text, start)
        self.size = layout("noemie")["000"].length
        self.blocks = 0

    def plausible(self):
        """Whether a block seems to start where the first entity stands in the flat framing."""
        first = self.start + self.size
        code = self.text[first + 1 : first + 4]
        return self.text[first : first + 1] in ("0", "1") and layout("noemie").get(code) is not None

    def _body(self):
        chunks = []
        position = self.start + self.size
        while True:
            block = self.text[position : position + self.size]
            if len(block) < self.size:
                raise NormError(
                    "Fichier tronqué : le dernier bloc n'a pas ses 128 caractères",
                    byte=position + 1,
                )
            if block[0] not in "01":
                raise NormError(
                    f"Bloc illisible : « {codec.printable(block[0])} » au lieu de 0 ou 1",
                    byte=position + 1,
                )
            chunks.append(block[1:])
            position += self.size
            if block[0] == "1":
                break
        self.blocks = len(chunks)
        # The look-ahead of unknown entities needs to see that the body ends here.
        body = "".join(chunks).rstrip(" ")
        return body + "999", 0, len(body)

    def _trailer(self):
        return self.start + self.size * (self.blocks + 1)

    def _blocks(self):
        return self.blocks + 2

    def _placed(self, error):
        if error.byte is None:
            return error
        block, inside = divmod(error.byte - 1, self.size - 1)
        byte = self.start + self.size * (block + 1) + 1 + inside + 1
        return NormError(error.what, error.record, byte, error.advice)


@dataclass(slots=True)
class _Money:
    """Running sums of a file, in cents, kept apart where sources read the norm differently."""

    paid: int = 0
    separate: int = 0
    lumps: int = 0
    withheld: int = 0
    stated: int = 0

    def minus(self, other):
        return _Money(
            self.paid - other.paid,
            self.separate - other.separate,
            self.lumps - other.lumps,
            self.withheld - other.withheld,
            self.stated - other.stated,
        )

    def copy(self):
        return _Money(self.paid, self.separate, self.lumps, self.withheld, self.stated)

    def total(self, sign, stated):
        movements = self.withheld + (self.stated if stated else 0)
        return self.paid + self.lumps - sign * movements


@dataclass(slots=True)
class _Check:
    """A declared sum, to be compared once the reading of the signs is known."""

    what: str
    number: int
    declared: int
    money: _Money


class _Builder:
    """Entities in, ``NoemieFile`` out. The last 020/040/071/081/102 seen are the context."""

    def __init__(self, framing):
        self.file = NoemieFile(framing=framing)
        self.readers = {
            record.code: reader
            for record in layout("noemie")
            if (reader := getattr(self, f"_read_{record.code}", None))
        }
        self.separate = frozenset(codes()["separate_amc"]["values"])
        self.count = 0
        self.controls = 0
        self.invoices = 0
        self.money = _Money()
        self.open = {}
        self.checks = []
        self.payee = ""
        self.lot = ("", None)
        self.settlement = None
        self.has_transfer = False
        self.fresh_kind = True
        self.invoice = None
        self.lump = None
        self.details = 0
        self.detailed = False
        self.older = None

    def header(self, values):
        file = self.file
        self.count = 1
        file.sender_type = values["sender_type"]
        file.sender_no = values["sender_no"]
        file.dest_type = values["dest_type"]
        file.dest_no = values["dest_no"]
        file.file_id = values["file_id"]
        file.reference = values["reference"]
        file.created_on = self._date(values, "created_on", "en-tête", required=True, byte=None)

    def entity(self, code, values, body, position, record):
        self.count += 1
        if code != "262":
            self._close_lump()
        if code in _OPENERS:
            self.open[code] = (self.count, self.controls, self.money.copy())
        reader = self.readers.get(code)
        if reader is None:
            self.keep(code, values["depth"], body[position : position + record.length], False)
        elif reader(values, position + 1) is False:
            self.keep(code, values["depth"], body[position : position + record.length], False)

    def keep(self, code, level, raw, counted=True):
        if counted:
            self._close_lump()
            self.count += 1
        if len(self.file.unknown) >= _MAX_UNKNOWN:
            raise NormError("Trop d'entités inconnues : ce n'est pas un fichier NOEMIE")
        self.file.unknown.append(UnknownEntity(code, level, raw))

    def trailer(self, values, blocks):
        self._close_lump()
        self._close_older()
        self.count += 1
        records = to_int(values["records"])
        accepted = {self.count} | ({blocks} if blocks else set())
        if records not in accepted:
            raise NormError(
                f"Le fichier annonce {records} enregistrements, il en contient {self.count}",
                self.count,
            )
        sign = values["sign"]
        total = to_int(values["total"])
        if sign or total:
            self.checks.append(
                _Check(
                    "total du fichier (999)",
                    self.count,
                    -total if sign == "N" else total,
                    self.money,
                )
            )
        else:
            self._warn("Le fichier ne donne pas son total (999).")
        self._settle_signs()

    # One method per entity; False means "no use here, keep it".

    def _read_020(self, values, _byte):
        self._leave()
        self.payee = values["payee_no"]

    def _read_040(self, values, _byte):
        self.payee = values["payee_no"]
        settlement = self.settlement
        if settlement and not (settlement.invoices or settlement.movements or settlement.lumps):
            settlement.payee_no = self.payee  # the transfer was announced first
        else:
            self._leave()

    def _read_070(self, values, byte):
        self._transfer(self._date(values, "accounting_date", "070", required=True, byte=byte))
        self.has_transfer = False

    def _read_071(self, values, byte):
        day = self._date(values, "transfer_date", "071", required=True, byte=byte)
        if self.settlement is None or self.has_transfer or self.settlement.invoices:
            self._transfer(day)
        settlement = self.settlement
        settlement.transfer_date = day
        settlement.label1 = values["label1"]
        settlement.label2 = values["label2"]
        settlement.payer = values["payer"]
        self.has_transfer = True

    def _read_080(self, values, byte):
        self.lot = (values["lot_no"], self._date(values, "lot_date", "080", byte=byte))

    def _read_081(self, values, _byte):
        settlement = self._need_settlement()
        if self.fresh_kind:
            settlement.kind = values["kind"]
            self.fresh_kind = False
        self._close_older()
        self.invoice = None

    def _read_100(self, values, _byte):
        self._new_invoice(
            InvoiceReturn(invoice_no=values["invoice_no"], lot_no=self.lot[0], lot_date=self.lot[1])
        )

    def _read_102(self, values, byte):
        self._new_invoice(
            InvoiceReturn(
                invoice_no=values["invoice_no"],
                lot_no=values["lot_no"],
                lot_date=self._date(values, "lot_date", "102", byte=byte),
                kind=values["kind"],
                invoice_date=self._date(values, "invoice_date", "102", byte=byte),
                amc_processing=values["amc_processing"],
            )
        )

    def _read_103(self, values, _byte):
        if self.invoice is None:
            return False
        self.invoice.nir = values["nir"]
        self.invoice.last_name = values["ben_name"] or values["usual_name"] or values["birth_name"]
        self.invoice.first_name = values["ben_first"] or values["first_name"]
        self.invoice.birth_date = to_birth_date(values["birth_date"], self._today())
        return None

    def _read_110(self, values, _byte):
        if self.invoice is None:
            return False
        self.invoice.nir = values["nir"]
        self.invoice.last_name = self.invoice.last_name or values["name"]
        self.invoice.first_name = self.invoice.first_name or values["first_name"]
        return None

    def _read_120(self, values, _byte):
        if self.invoice is None:
            return False
        self.invoice.last_name = values["name"] or self.invoice.last_name
        self.invoice.first_name = values["first_name"] or self.invoice.first_name
        self.invoice.birth_date = to_birth_date(values["birth_date"], self._today())
        return None

    def _read_198(self, values, byte):
        self._part("amo", values, byte)

    def _read_199(self, values, byte):
        self._part("amc", values, byte, values["amc_no"], values["amc_member"])

    def _read_210(self, values, byte):
        invoice = self._need_invoice("210", byte)
        paid = to_int(values["amo_paid"])
        if values["sign"] == "N":
            paid = -paid
        elif values["sign"] not in ("P", ""):
            raise self._bad_sign("210", values["sign"], byte)
        invoice.acts.append(
            ActReturn(
                line_no=to_int(values["line_no"]),
                act=values["act"],
                complement=values["act_complement"],
                act_date=self._date(values, "from_date", "210", byte=byte),
                quantity=to_int(values["quantity"]),
                coefficient_hundredths=to_int(values["coefficient"]),
                unit_price=to_int(values["unit_price"]),
                base=to_int(values["base"]),
                rate=to_int(values["rate"]),
                fee=to_int(values["fee"]),
                amo_paid=paid,
                amc_amount=to_int(values["amc_amount"]),
            )
        )
        if self.older is not None:
            self.older += paid
            self.money.paid += paid

    def _read_250(self, values, byte):
        settlement = self._need_settlement()
        amount = self._signed(values, "amount", "250", byte)
        movement = Movement(
            debt_ref=values["debt_ref"],
            debt_date=self._date(values, "debt_date", "250", byte=byte),
            debt_kind=values["debt_kind"],
            operation=values["operation"],
            amount=amount,
            balance=to_int(values["balance"]),
        )
        settlement.movements.append(movement)
        if movement.operation in codes()["withholding_operations"]["values"]:
            self.money.withheld += amount
        else:
            self.money.stated += amount

    def _read_261(self, values, _byte):
        settlement = self._need_settlement()
        amount = to_int(values["amount"])
        code = values["pay_code"]
        self.lump = (LumpSum(code=code, amount=amount), self.count)
        self.details = 0
        self.detailed = False
        settlement.lumps.append(self.lump[0])
        self.money.lumps += amount

    def _read_262(self, values, _byte):
        settlement = self._need_settlement()
        amount = to_int(values["amount"])
        detail = LumpSum(code=values["code"], label=values["label"], amount=amount)
        if self.lump is None:
            settlement.lumps.append(detail)
            self.money.lumps += amount
            return
        if not self.detailed:
            settlement.lumps.pop()
            self.detailed = True
        self.details += amount
        settlement.lumps.append(detail)

    def _read_290(self, values, _byte):
        invoice = self.invoice
        if invoice is None:
            return False
        line_no = to_int(values["line_no"])
        invoice.reasons.append(
            Reason(
                code=values["code"],
                label=values["label"],
                level="L" if line_no else "F",
                part=self._refused_part(),
                line_no=line_no,
            )
        )
        return None

    def _read_294(self, values, byte):
        invoice = self.invoice
        if invoice is None:
            return False
        invoice.reasons.append(
            Reason(
                code=values["code"],
                label=values["label"],
                level=values["level"],
                part=PARTS.get(values["part"], "amo"),
                act=values["act"],
                act_date=self._date(values, "act_date", "294", byte=byte),
                line_no=to_int(values["line_no"]),
                info=values["info"],
            )
        )
        return None

    def _read_295(self, values, _byte):
        if self.invoice is None:
            return False
        self.invoice.comments.append(values["text"])
        return None

    def _read_990(self, values, byte):
        self._close_older()
        declared_count = to_int(values["count"])
        declared = self._signed(values, "sum", "990", byte)
        opener = self._closed_by(values["closes"].strip(), declared_count)
        self.controls += 1
        if opener is None:
            self._warn(
                f"Entité de contrôle 990 (entité {self.count}) : niveau inconnu, non vérifiée."
            )
            return
        code, (number, controls, money) = opener
        counts = self._counts(number, controls)
        if declared_count not in counts:
            raise NormError(
                f"Contrôle 990 du niveau {code} : {declared_count} entités annoncées, "
                f"{min(counts)} lues",
                self.count,
                byte,
            )
        self.checks.append(
            _Check(f"contrôle 990 du niveau {code}", self.count, declared, self.money.minus(money))
        )
        for key in [key for key, item in self.open.items() if item[0] >= number]:
            del self.open[key]

    # Helpers

    def _counts(self, number, controls):
        """Accepted counts of the entities below: inner 990 entities counted or not (unknown)."""
        below = self.count - number - 1
        return {below, below - (self.controls - controls)}

    def _closed_by(self, closes, count):
        """The open level that a 990 closes: named by entity code or by level, else by count."""
        code = closes[:3]
        if code in self.open:
            return code, self.open[code]
        latest = sorted(self.open.items(), key=lambda item: -item[1][0])
        for code, opened in latest:
            if closes == layout("noemie")[code].by_key["depth"].default:
                return code, opened
        for code, opened in latest:
            if count in self._counts(opened[0], opened[1]):
                return code, opened
        return None

    def _part(self, part, values, byte, amc_no="", amc_member=""):
        invoice = self._need_invoice("198" if part == "amo" else "199", byte)
        paid = self._signed(values, "paid", part.upper(), byte)
        if paid and values["state"] == "R":
            raise NormError(
                f"Facture {codec.printable(invoice.invoice_no)} : part {part.upper()} rejetée mais "
                f"payée {codec.euros(paid)}",
                self.count,
                byte,
            )
        invoice.parts.append(
            Part(part, to_int(values["asked"]), values["state"], paid, amc_no, amc_member)
        )
        self.older = None
        if part == "amc" and invoice.amc_processing in self.separate:
            self.money.separate += paid
        else:
            self.money.paid += paid

    def _signed(self, values, key, where, byte):
        amount = to_int(values[key])
        sign = values["sign"]
        if sign == "N":
            return -amount
        if sign == "P" or not amount:
            return amount
        raise self._bad_sign(where, sign, byte)

    def _bad_sign(self, where, sign, byte):
        return NormError(
            f"Signe « {codec.printable(sign)} » inconnu dans {where} (P ou N attendu)",
            self.count,
            byte,
        )

    def _date(self, values, key, where, byte, required=False):
        found = to_date(values[key])
        if found is None and (required or values[key].strip(" 0")):
            if required:
                raise NormError(
                    f"Date « {values[key].strip()} » impossible ({where}, zone {key})",
                    self.count,
                    byte,
                )
            self._warn(
                f"Date « {values[key]} » impossible (entité {self.count}, {where}, zone {key})."
            )
        return found

    def _today(self):
        return self.file.created_on

    def _warn(self, text):
        if len(self.file.warnings) < _MAX_WARNINGS:
            self.file.warnings.append(text)

    def _transfer(self, day):
        self._leave()
        if len(self.file.settlements) >= _MAX_SETTLEMENTS:
            raise NormError(
                "Trop de virements dans un fichier : ce n'est pas un retour", self.count
            )
        self.settlement = Settlement(payee_no=self.payee, transfer_date=day)
        self.file.settlements.append(self.settlement)
        self.fresh_kind = True

    def _leave(self):
        self._close_older()
        self.settlement = None
        self.invoice = None
        self.has_transfer = False

    def _need_settlement(self):
        if self.settlement is None:
            raise NormError("Paiement sans virement : l'entité 071 manque avant", self.count)
        return self.settlement

    def _need_invoice(self, where, byte):
        if self.invoice is None:
            raise NormError(
                f"Entité {where} sans facture : l'entité 102 manque avant", self.count, byte
            )
        return self.invoice

    def _new_invoice(self, invoice):
        self._close_older()
        self._need_settlement().invoices.append(invoice)
        self.invoices += 1
        if self.invoices > _MAX_INVOICES:
            raise NormError(
                f"Plus de {_MAX_INVOICES} factures dans un fichier",
                self.count,
                advice="Rien n'a été enregistré ; découpez le fichier.",
            )
        self.invoice = invoice
        self.older = 0

    def _close_older(self):
        """Older references have no 198: the acts of the invoice give what was paid."""
        if self.older is not None and self.invoice is not None and self.invoice.acts:
            refused = any(reason.level == "F" for reason in self.invoice.reasons)
            state = "P" if self.older else ("R" if refused else "")
            asked = sum(act.base * act.rate // 100 for act in self.invoice.acts)
            self.invoice.parts.append(Part("amo", max(asked, self.older), state, self.older))
        self.older = None

    def _close_lump(self):
        if self.lump is not None and self.detailed and self.details != self.lump[0].amount:
            raise NormError(
                f"Paiement forfaitaire de {codec.euros(self.lump[0].amount)} dont le détail "
                f"fait {codec.euros(self.details)}",
                self.lump[1],
            )
        self.lump = None
        self.details = 0
        self.detailed = False

    def _refused_part(self):
        refused = [part.part for part in self.invoice.parts if part.state == "R"]
        return refused[-1] if refused else "amo"

    def _settle_signs(self):
        """Check the sums under the first reading of entity 250 that all of them bear out.

        Sources do not say which sign means "withheld", nor whether a debt that is only stated
        counts: the totals decide. Without 250 the four readings are one.
        """
        for sign, stated in ((1, True), (-1, True), (1, False), (-1, False)):
            if all(self._agrees(check, sign, stated) for check in self.checks):
                self._apply(sign, stated)
                return
        check = next(check for check in self.checks if not self._agrees(check, 1, True))
        raise NormError(
            f"Les montants ne tombent pas juste : {check.what} annonce "
            f"{codec.euros(check.declared)}, le détail fait "
            f"{codec.euros(check.money.total(1, True))}",
            check.number,
            advice=ADVICE,
        )

    @staticmethod
    def _agrees(check, sign, stated):
        total = check.money.total(sign, stated)
        # AMC amounts paid by another transfer may or may not be in the sum.
        return check.declared in (total, total + check.money.separate)

    def _apply(self, sign, stated):
        withholding = codes()["withholding_operations"]["values"]
        movements = [m for s in self.file.settlements for m in s.movements]
        for movement in movements:
            movement.amount *= sign
            movement.withheld = stated or movement.operation in withholding
        if movements and (sign, stated) != (1, True):
            self._warn("Retenues (250) : signe ou nature lus d'après les totaux du fichier.")


# ---------------------------------------------------------------------------------------------
# Writing


def write(file, framing=None, layouts=None):
    """Bytes of a ``NoemieFile`` in the given framing (default: its own); totals are computed.

    :raises NormError: a value that does not fit its field
    """
    with codec.using(layouts):
        return _write(file, framing or file.framing)


def _write(file, framing):
    writer = _Writer()
    for payee, settlements in _by_payee(file.settlements):
        writer.payee(payee, settlements)
    writer.body += [entity.raw for entity in file.unknown]
    return writer.finish(file, framing).encode("latin-1")


def _by_payee(settlements):
    groups = []
    for settlement in settlements:
        if not groups or groups[-1][0] != settlement.payee_no:
            groups.append((settlement.payee_no, []))
        groups[-1][1].append(settlement)
    return groups


class _Writer:
    def __init__(self):
        self.layout = layout("noemie")
        self.body = []

    def add(self, entity, /, **values):
        record = self.layout[entity]
        self.body.append(record.encode(values))

    def text(self, code, key, value):
        """Text cut to what its field holds."""
        return codec.latin(value or "")[: self.layout[code].by_key[key].length].rstrip()

    def payee(self, payee, settlements):
        start = len(self.body)
        self.add("020", payee_no=payee)
        self.add("040", payee_no=payee)
        for settlement in settlements:
            self.settlement(settlement)
        self.control("020", start, sum(settlement.expected for settlement in settlements))

    def settlement(self, settlement):
        start = len(self.body)
        self.add(
            "071",
            transfer_date=settlement.transfer_date,
            label1=self.text("071", "label1", settlement.label1),
            label2=self.text("071", "label2", settlement.label2),
            payer=self.text("071", "payer", settlement.payer),
        )
        kind = settlement.kind or "01"
        self.add("081", kind=kind)
        for invoice in settlement.invoices:
            self.invoice(invoice)
        if settlement.lumps:
            if kind != "03":
                self.add("081", kind="03")
            for lump in settlement.lumps:
                self.lump(lump)
        if settlement.movements:
            if kind != "05":
                self.add("081", kind="05")
            for number, movement in enumerate(settlement.movements, 1):
                self.movement(number, movement)
        self.control("071", start, settlement.expected)

    def invoice(self, invoice):
        self.add(
            "102",
            invoice_no=str(invoice.invoice_no).zfill(9)
            if str(invoice.invoice_no).isdigit()
            else invoice.invoice_no,
            lot_no=invoice.lot_no,
            lot_date=invoice.lot_date,
            kind=invoice.kind,
            invoice_date=invoice.invoice_date,
            amc_processing=invoice.amc_processing,
        )
        self.add(
            "103",
            nir=invoice.nir,
            nir_key=codec.nir_key(invoice.nir),
            birth_name=self.text("103", "birth_name", invoice.last_name),
            usual_name=self.text("103", "usual_name", invoice.last_name),
            first_name=self.text("103", "first_name", invoice.first_name),
            birth_date=invoice.birth_date,
            birth_rank=1,
            ben_name=self.text("103", "ben_name", invoice.last_name),
            ben_first=self.text("103", "ben_first", invoice.first_name),
        )
        for part in invoice.parts:
            self.part(part)
        for act in invoice.acts:
            self.act(act)
        for reason in invoice.reasons:
            self.add(
                "294",
                code=reason.code,
                label=self.text("294", "label", reason.label),
                level=reason.level,
                part=_PART_CODES[reason.part],
                act=reason.act,
                act_date=reason.act_date,
                line_no=reason.line_no,
                info=self.text("294", "info", reason.info),
            )
        for comment in invoice.comments:
            self.add("295", text=self.text("295", "text", comment))

    def part(self, part):
        values = {
            "asked": part.asked,
            "state": part.state,
            "paid": abs(part.paid),
            "sign": _sign(part.paid),
        }
        if part.part == "amo":
            self.add("198", **values)
        else:
            self.add("199", amc_no=part.amc_no, amc_member=part.amc_member, **values)

    def act(self, act):
        self.add(
            "210",
            line_no=act.line_no,
            exemption="0",
            from_date=act.act_date,
            to_date=act.act_date,
            unit_price=act.unit_price,
            base=act.base,
            rate=act.rate,
            amo_paid=abs(act.amo_paid),
            sign=_sign(act.amo_paid),
            act=act.act,
            act_complement=act.complement,
            quantity=act.quantity,
            coefficient=act.coefficient_hundredths,
            count=1,
            fee=act.fee,
            amc_amount=act.amc_amount,
        )

    def lump(self, lump):
        self.add("261", pay_code=lump.code if lump.code.isdigit() else "", amount=lump.amount)
        self.add(
            "262",
            code=lump.code,
            label=self.text("262", "label", lump.label),
            period="P",
            amount=lump.amount,
        )

    def movement(self, number, movement):
        self.add(
            "250",
            line_no=number % 100,
            debt_ref=movement.debt_ref,
            debt_date=movement.debt_date,
            debt_kind=movement.debt_kind,
            operation=movement.operation,
            amount=abs(movement.amount),
            sign=_sign(movement.amount),
            balance=movement.balance,
        )

    def control(self, code, start, total):
        level = self.layout[code].by_key["depth"].default
        self.add(
            "990",
            closes=f"{code}{level}",
            count=len(self.body) - start - 1,
            sum=abs(total),
            sign=_sign(total),
        )

    def finish(self, file, framing):
        header = self.layout["000"].encode(
            {
                "sender_type": file.sender_type,
                "sender_no": file.sender_no,
                "dest_type": file.dest_type,
                "dest_no": file.dest_no,
                "file_id": file.file_id,
                "created_on": file.created_on,
                "reference": file.reference,
            }
        )
        size = len(header)
        body = "".join(self.body)
        blocks = []
        if framing == "wrapped":
            chunks = [body[at : at + size - 1] for at in range(0, len(body), size - 1)] or [""]
            blocks = [
                ("1" if number == len(chunks) else "0") + chunk.ljust(size - 1)
                for number, chunk in enumerate(chunks, 1)
            ]
        elif framing != "flat":
            raise ValueError(f"unknown framing: {framing}")
        lots = {
            (invoice.lot_no, invoice.lot_date)
            for settlement in file.settlements
            for invoice in settlement.invoices
        }
        total = file.expected
        trailer = self.layout["999"].encode(
            {
                "sender_type": file.sender_type,
                "sender_no": file.sender_no,
                "dest_type": file.dest_type,
                "dest_no": file.dest_no,
                "file_id": file.file_id,
                "records": len(blocks or self.body) + 2,
                "lots": min(len(lots), 999),
                "total": abs(total),
                "sign": _sign(total),
            }
        )
        return header + ("".join(blocks) or body) + trailer


def _sign(amount):
    return "N" if amount < 0 else "P"
