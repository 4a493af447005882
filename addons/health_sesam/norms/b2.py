"""B2 claims: what a care provider sends to a payer.

The professional family (PS: nurses, physiotherapists, speech therapists, orthoptists) and the
structure family (CP: health centres, hospitals) are both written and read. The header tells the
family. Amounts are integer cents, coefficients hundredths.

Money is strict: the totals of types 5, 6 and 999 must agree with what was read.
"""

from dataclasses import dataclass, field
from datetime import date

from . import codec, envelope
from .codec import codes, layout, to_birth_date, to_date, to_int
from .errors import NormError

_FILLING = " \t\x00\x1a"
# Ceiling of memory: above this size, lines are on average at least so many characters long.
_SMALL = 1_000_000
_LINE_AT_LEAST = 8


@dataclass(slots=True)
class B2Act:
    """One act line of type 4; with ``hospital``, one of type 3 (structure family only)."""

    act_date: date | None = None
    key_letter: str = ""
    complement: str = ""
    coefficient_hundredths: int = 100
    quantity: int = 1
    unit_price: int = 0
    base: int = 0
    rate: int = 0
    amo_amount: int = 0
    fee: int = 0
    amc_amount: int = 0
    place: str = "0"
    exemption: str = ""
    performer_id: str = ""
    performer_spec: str = ""
    tariff_zone: str = ""
    hospital: bool = False
    to_date: date | None = None


@dataclass(slots=True)
class B2Invoice:
    """One invoice (types 2 to 5).

    In the structure family ``invoice_date`` is the entry date; the prescriber and the date of the
    prescription stand on the hospital lines, the number of the AMC member nowhere.
    """

    nir: str = ""
    invoice_no: str = ""
    invoice_date: date | None = None
    regime: str = ""
    caisse: str = ""
    centre: str = ""
    prescriber_id: str = ""
    prescription_date: date | None = None
    insurance_nature: str = "10"
    exemption: str = "0"
    birth_date: date | None = None
    birth_rank: int = 1
    amc_no: str = ""
    amc_member: str = ""
    payee_mode: str = "00"
    contract: str = ""
    split_flag: str = ""
    invoice_kind: str = ""
    prescriber_rpps: str = ""
    acts: list[B2Act] = field(default_factory=list)
    ben_rank: str = ""
    entry_no: str = ""
    exit_date: date | None = None

    @property
    def total_fee(self):
        return sum(act.fee for act in self.acts)

    @property
    def total_amo(self):
        return sum(act.amo_amount for act in self.acts)

    @property
    def total_amc(self):
        return sum(act.amc_amount for act in self.acts)


@dataclass(slots=True)
class B2Lot:
    """One lot (types 1 to 6)."""

    provider_id: str = ""
    dest_org: str = ""
    lot_no: str = ""
    lot_date: date | None = None
    name: str = ""
    certification: str = ""
    invoices: list[B2Invoice] = field(default_factory=list)

    @property
    def total_fee(self):
        return sum(invoice.total_fee for invoice in self.invoices)

    @property
    def total_amo(self):
        return sum(invoice.total_amo for invoice in self.invoices)

    @property
    def total_amc(self):
        return sum(invoice.total_amc for invoice in self.invoices)


@dataclass(slots=True)
class B2File:
    """One file, from its header 000 to its trailer 999; ``norm`` is "CP" for structures."""

    sender_no: str = ""
    dest_type: str = "CT"
    dest_no: str = ""
    file_id: str = ""
    created_on: date | None = None
    lots: list[B2Lot] = field(default_factory=list)
    sender_type: str = "TP"
    norm: str = ""
    unknown: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list, compare=False)

    @property
    def family(self):
        return "CP" if self.norm == codes()["structure_norm"]["value"] else "PS"


@dataclass(slots=True)
class RawRecord:
    """One record for a readable dump; ``code`` is None when the layout does not know it."""

    number: int
    code: str | None
    label: str
    raw: str
    values: dict


# ---------------------------------------------------------------------------------------------
# Reading


def read(content, layouts=None):
    """The one file in ``content`` (bytes).

    :raises NormError: unreadable, truncated, several files, or totals that disagree
    """
    files = read_all(content, layouts)
    if len(files) > 1:
        raise NormError(f"{len(files)} fichiers B2 collés ensemble", advice="Donnez-les un par un.")
    return files[0]


def read_all(content, layouts=None):
    """All the files in ``content``, out of any envelope and glued together or not."""
    files = []
    with codec.using(layouts):
        for part in envelope.unwrap(content):
            reader = _Reader()
            for record in lines(part):
                reader.record(*record)
            files += reader.finish()
    if not files:
        raise NormError("Le fichier est vide")
    return files


def records(content, layouts=None):
    """Records of ``content`` with their French label, for a screen; totals are not checked."""
    with codec.using(layouts):
        return _raw_records(content)


def _raw_records(content):
    found = []
    for part in envelope.unwrap(content):
        family = "PS"
        for number, _byte, raw in lines(part):
            record = layout("b2").pick(raw, 0, family)
            if record is None:
                found.append(RawRecord(number, None, "Enregistrement inconnu", raw, {}))
                continue
            values = record.decode(raw, 0, number)
            if "norm" in values:
                family = B2File(norm=values["norm"]).family
            found.append(RawRecord(number, record.code, record.label, raw, values))
    return found


def lines(content):
    """(number, byte, text) of each record: one per line, or one after the other.

    :raises NormError: the last record is cut
    """
    size = layout("b2")["B2.000"].length
    text = content.decode("latin-1")
    start = envelope.leading_blanks(text)
    if "\n" in text or "\r" in text:
        if len(text) > _SMALL and len(text) < _LINE_AT_LEAST * (
            text.count("\n") + text.count("\r")
        ):
            raise NormError("Lignes trop courtes : ce n'est pas un fichier B2")
        found = text[start:].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if len(found) > 1 and all(len(line) <= size for line in found):
            position = start
            for number, line in enumerate((x for x in found if x.strip(_FILLING)), 1):
                # An editor may have cut the blanks at the end of a line.
                yield number, position + 1, line.ljust(size)
                position += len(line) + 1
            return
        text = "".join(found)
    elif start:
        text = text[start:]
    text = text.rstrip("\t\x00\x1a")
    for number, position in enumerate(range(0, len(text), size), 1):
        raw = text[position : position + size]
        if len(raw) < size:
            raise NormError(
                f"Fichier tronqué : le dernier enregistrement a {len(raw)} caractères "
                f"au lieu de {size}",
                number,
                start + position + 1,
            )
        yield number, start + position + 1, raw


class _Reader:
    """Records in, files out; checks the order of records and every total."""

    def __init__(self):
        self.table = layout("b2")
        self.header = self.table["B2.000"]
        self.readers = {
            record.code: getattr(self, "_read_" + record.code.replace(".", "_").lower(), None)
            for record in self.table
        }
        self.family = ""
        self.files = []
        self.file = None
        self.lot = None
        self.invoice = None
        self.count = 0
        self.lines = 0
        self.details = 0
        self.lot_type2 = 0
        self.lot_subs = 0
        self.lot_lines = 0
        self.hospital = []

    def record(self, number, byte, raw):
        if self.file is None:
            record = self.header
            if not record.matches(raw):
                raise NormError("Ce n'est pas un fichier B2 : l'en-tête 000 manque", number, byte)
        else:
            record = self.table.pick(raw, 0, self.family)
        self.count += 1
        if record is None:
            self.file.unknown.append(raw)
            if self.invoice is not None and raw[0] in "34":
                self.details += 1
            elif self.invoice is not None and raw[0] == "2":
                self.lot_subs += 1
            return
        try:
            self.readers[record.code](record.decode(raw, 0, number))
        except NormError as error:
            place = byte + (error.byte - 1 if error.byte else 0)
            raise NormError(error.what, number, place, error.advice) from None

    def finish(self):
        if self.file is not None:
            raise NormError("Fichier tronqué : l'enregistrement de fin 999 manque", self.count)
        return self.files

    def _read_b2_000(self, values):
        self._refuse_if(self.file is not None, "En-tête 000 avant la fin du fichier précédent")
        created = to_date(values["created_on"])
        self._refuse_if(created is None, "Date de création du fichier absente ou impossible")
        self.count = 1
        self.file = B2File(
            sender_no=values["sender_no"],
            dest_type=values["dest_type"],
            dest_no=values["dest_no"],
            file_id=values["file_id"],
            created_on=created,
            sender_type=values["sender_type"],
            norm=values["norm"],
        )
        self.family = self.file.family

    def _read_b2_1(self, values):
        self._refuse_if(self.lot is not None, "Nouveau lot avant la fin du précédent")
        self.lot = B2Lot(
            provider_id=values["provider_id"],
            dest_org=values["dest_org"],
            lot_no=values["lot_no"],
            lot_date=to_date(values["lot_date"]),
            name=values["name"],
            certification=values["certification"],
        )
        self.lot_type2 = self.lot_subs = self.lot_lines = 0
        self.file.lots.append(self.lot)

    def _start_invoice(self, values, **extra):
        self._refuse_if(self.lot is None, "Facture hors d'un lot")
        self._refuse_if(
            self.invoice is not None, "Nouvelle facture avant le total de la précédente"
        )
        self.invoice = B2Invoice(
            nir=values["nir"],
            invoice_no=values["invoice_no"],
            regime=values["regime"],
            caisse=values["caisse"],
            centre=values["centre"],
            insurance_nature=values["insurance_nature"],
            exemption=values["exemption"],
            birth_date=to_birth_date(values["birth_date"], self.file.created_on),
            birth_rank=to_int(values["birth_rank"]),
            amc_no=values["amc_no"],
            contract=values["contract"],
            split_flag=values["split_flag"],
            **extra,
        )
        self.lot.invoices.append(self.invoice)
        self.lot_type2 += 1
        self.lines = self.details = 0
        self.hospital = []

    def _read_b2_2_ps(self, values):
        self._start_invoice(
            values,
            invoice_date=to_date(values["invoice_date"]),
            prescriber_id=values["prescriber_id"],
            prescription_date=to_date(values["prescription_date"]),
            amc_member=values["amc_member"],
            payee_mode=values["payee_mode"],
            invoice_kind=values["invoice_kind"],
        )

    def _read_b2_2_cp(self, values):
        self._start_invoice(
            values,
            invoice_date=to_date(values["entry_date"]),
            exit_date=to_date(values["exit_date"]),
            entry_no=values["entry_no"],
            ben_rank=values["ben_rank"],
        )

    def _sub_invoice(self, _values):
        self._refuse_if(self.invoice is None, "Suite de facture sans facture")
        self.lot_subs += 1

    _read_b2_2s_ps = _read_b2_2p_ps = _read_b2_2b_ps = _read_b2_2c_ps = _sub_invoice

    def _read_b2_2m_ps(self, values):
        self._sub_invoice(values)
        self.invoice.amc_member = values["amc_member"] or self.invoice.amc_member

    def _read_b2_2s_cp(self, values):
        self._sub_invoice(values)
        self.invoice.payee_mode = values["payee_mode"]

    def _sub_line(self, _values):
        self._refuse_if(self.invoice is None or not self.lines, "Suite d'acte sans acte")
        self.details += 1

    _read_b2_4s = _sub_line

    def _read_b2_3s_cp(self, values):
        self._sub_line(values)
        invoice = self.invoice
        invoice.prescriber_id = invoice.prescriber_id or _number(values["prescriber_id"])
        invoice.prescription_date = invoice.prescription_date or to_date(
            values["prescription_date"]
        )

    def _read_b2_4e(self, values):
        self._sub_line(values)
        self.invoice.prescriber_rpps = _number(values["prescriber_rpps"])

    _read_b2_3e_cp = _read_b2_4e

    def _line(self, values, **extra):
        self._refuse_if(self.invoice is None, "Ligne d'acte hors d'une facture")
        code = values["act_code"].ljust(5)
        act = B2Act(
            key_letter=code[:4].rstrip(),
            complement=code[4:].strip(),
            coefficient_hundredths=to_int(values["coefficient"]),
            quantity=to_int(values["quantity"]),
            unit_price=to_int(values["unit_price"]),
            base=to_int(values["base"]),
            rate=to_int(values["rate"]),
            amo_amount=to_int(values["amo_amount"]),
            fee=to_int(values["fee"]),
            amc_amount=to_int(values["amc_amount"]),
            exemption=values["exemption_act"],
            **extra,
        )
        self.invoice.acts.append(act)
        self.lines += 1
        self.lot_lines += 1
        return act

    def _read_b2_4_ps(self, values):
        self._line(
            values,
            act_date=to_date(values["act_date"]),
            place=values["place"],
            performer_id=values["performer_id"],
            performer_spec=values["performer_spec"],
            tariff_zone=values["tariff_zone"],
        )

    def _read_b2_4_cp(self, values):
        self._line(
            values,
            act_date=to_date(values["act_date"]),
            performer_id=values["performer_id"],
            performer_spec=values["performer_spec"],
            tariff_zone=values["tariff_zone"],
        )
        self.invoice.prescriber_id = self.invoice.prescriber_id or _number(values["prescriber_id"])

    def _read_b2_3_cp(self, values):
        act = self._line(
            values,
            act_date=to_date(values["from"]),
            to_date=to_date(values["to"]),
            hospital=True,
        )
        self.hospital.append(act)

    def _read_b2_5_ps(self, values):
        invoice = self._close_invoice()
        self._same("nombre d'actes", values["act_records"], self.lines, self.lines + self.details)
        self._same_money("honoraires", values["total_fee"], invoice.total_fee)
        self._same_money("part AMO", values["total_amo"], invoice.total_amo)
        self._same_money(
            "part assuré avant AMC", values["total_insured"], invoice.total_fee - invoice.total_amo
        )
        self._same_money("part AMC", values["total_amc"], invoice.total_amc)

    def _read_b2_5_cp(self, values):
        hospital = self.hospital
        invoice = self._close_invoice()
        stay = {
            "base": sum(act.base for act in hospital),
            "amo": sum(act.amo_amount for act in hospital),
            "amc": sum(act.amc_amount for act in hospital),
            "fee": sum(act.fee for act in hospital),
        }
        self._same(
            "nombre de lignes", values["line_records"], self.lines + self.details, self.lines
        )
        self._same_money("base hospitalière", values["hosp_base"], stay["base"])
        self._same_money("part AMO hospitalière", values["hosp_amo"], stay["amo"])
        self._same_money("honoraires", values["fee_total"], invoice.total_fee - stay["fee"])
        self._same_money("part AMO", values["fee_amo"], invoice.total_amo - stay["amo"])
        self._same_money(
            "part assuré", values["insured_share"], invoice.total_fee - invoice.total_amo
        )
        self._same_money("part AMC hospitalière", values["hosp_amc"], stay["amc"])
        self._same_money("part AMC", values["fee_amc"], invoice.total_amc - stay["amc"])
        self._same_money("montant hospitalier", values["hosp_fee"], stay["fee"])

    def _close_invoice(self):
        self._refuse_if(self.invoice is None, "Total de facture sans facture")
        invoice, self.invoice = self.invoice, None
        return invoice

    def _read_b2_6(self, values):
        self._refuse_if(self.invoice is not None, "Fin de lot avant le total de la facture")
        self._refuse_if(self.lot is None, "Fin de lot sans lot")
        lot, self.lot = self.lot, None
        self._refuse_if(
            values["lot_no"] != lot.lot_no,
            f"Le lot {lot.lot_no} se ferme sous le numéro {values['lot_no']}",
        )
        # Whether sub-records count among the records of type 2 is not known: accept both.
        self._same("nombre de factures", values["invoices"], len(lot.invoices))
        self._same("nombre d'actes", values["act_lines"], self.lot_lines)
        self._same(
            "enregistrements de type 2",
            values["type2"],
            self.lot_type2,
            self.lot_type2 + self.lot_subs,
        )
        self._same("enregistrements de type 5", values["type5"], len(lot.invoices))
        self._same_money("total du lot", values["total"], lot.total_fee)
        self._same_money("total AMO du lot", values["total_amo"], lot.total_amo)
        self._same_money("total AMC du lot", values["total_amc"], lot.total_amc)

    def _read_b2_999(self, values):
        self._refuse_if(self.lot is not None, "Fin de fichier avant la fin du lot")
        self._same("nombre d'enregistrements", values["records"], self.count)
        self._same("nombre de lots", values["lots"], len(self.file.lots))
        self.files.append(self.file)
        self.file = None

    @staticmethod
    def _refuse_if(wrong, what):
        if wrong:
            raise NormError(what)

    @staticmethod
    def _same(what, declared, *accepted):
        if to_int(declared) not in accepted:
            raise NormError(f"Total faux, {what} : {to_int(declared)} annoncé, {accepted[0]} lu")

    @staticmethod
    def _same_money(what, declared, found):
        if to_int(declared) != found:
            raise NormError(
                f"Total faux, {what} : {codec.euros(to_int(declared))} annoncé, "
                f"{codec.euros(found)} lu"
            )


def _number(raw):
    """A number that may be left out: zeros and blanks are none."""
    return raw if raw.strip("0 ") else ""


# ---------------------------------------------------------------------------------------------
# Writing


def write(file, layouts=None):
    """Bytes of a ``B2File`` of either family; totals are computed.

    Records follow each other without line break, as the norm has it.

    :raises NormError: a value that does not fit its field
    """
    with codec.using(layouts):
        return _write(file)


def _write(file):
    out = []
    table = layout("b2")
    ends = {
        "sender_type": file.sender_type,
        "sender_no": file.sender_no,
        "dest_type": file.dest_type,
        "dest_no": str(file.dest_no).zfill(table["B2.999"].by_key["dest_no"].length),
        "file_id": file.file_id,
    }
    out.append(
        table["B2.000"].encode(
            {**ends, "created_on": _required(file.created_on), "norm": file.norm}
        )
    )
    for lot in file.lots:
        _write_lot(out, table, lot, file.family)
    out.append(table["B2.999"].encode({**ends, "records": len(out) + 1, "lots": len(file.lots)}))
    return "".join(out).encode("latin-1")


def records_needed(invoice, family="PS"):
    """Number of records that an invoice takes, for ceilings."""
    return len(_invoice_records(layout("b2"), B2Lot(), invoice, family, dry=True))


def check_invoice(invoice, provider_id, family="PS"):
    """Whether an invoice can be written: raises what ``write`` would, for this invoice alone.

    :raises NormError: a value that does not fit its field, no act, or no NIR
    """
    if not invoice.acts:
        raise NormError("Aucun acte", advice=codec.WRITE_ADVICE)
    if not codec.nir_key(invoice.nir):
        raise NormError("NIR absent ou illisible", advice=codec.WRITE_ADVICE)
    if not invoice.invoice_no:
        raise NormError("Numéro de facture absent", advice=codec.WRITE_ADVICE)
    _invoice_records(layout("b2"), B2Lot(provider_id=provider_id), invoice, family)


def _required(day):
    if day is None:
        raise NormError("Date de création absente", advice=codec.WRITE_ADVICE)
    return day


def _write_lot(out, table, lot, family):
    structure = family == "CP"
    out.append(
        table["B2.1"].encode(
            {
                "provider_id": lot.provider_id,
                "dest_org": lot.dest_org,
                "lot_no": lot.lot_no,
                "name": codec.fold(lot.name, table["B2.1"].by_key["name"].length),
                "lot_date": _required(lot.lot_date),
                "certification": lot.certification,
                "norm_code": codes()["structure_norm"]["value"] if structure else None,
            }
        )
    )
    type2 = 0
    for invoice in lot.invoices:
        try:
            written = _invoice_records(table, lot, invoice, family)
        except NormError as error:
            raise NormError(
                f"Facture {invoice.invoice_no} : {error.what}", advice=error.advice
            ) from None
        # Sub-records of type 2 are counted among the records of type 2.
        type2 += sum(record.startswith("2") for record in written)
        out += written
    out.append(
        table["B2.6"].encode(
            {
                "provider_id": lot.provider_id,
                "invoices": len(lot.invoices),
                "act_lines": sum(len(invoice.acts) for invoice in lot.invoices),
                "type2": type2,
                "type5": len(lot.invoices),
                "total": lot.total_fee,
                "total_amo": lot.total_amo,
                "total_amc": lot.total_amc,
                "lot_no": lot.lot_no,
                "invoice_kind": lot.invoices[0].invoice_kind if lot.invoices else "",
            }
        )
    )


def _invoice_records(table, lot, invoice, family, dry=False):
    """Texts of the records of one invoice; with ``dry`` only as many empty ones."""
    describe = _describe_structure if family == "CP" else _describe_professional
    described = describe(table, invoice)
    if dry:
        return [""] * len(described)
    key = {
        "provider_id": lot.provider_id,
        "nir": invoice.nir,
        "nir_key": codec.nir_key(invoice.nir),
        "invoice_no": invoice.invoice_no,
    }
    out = []
    for code, values in described:
        record = table[code]
        if invoice.ben_rank and "ben_rank" in record.by_key and family == "CP":
            values["ben_rank"] = invoice.ben_rank
        out.append(record.encode(key | values))
    return out


def _describe_professional(table, invoice):
    """(record, values) of an invoice of the professional family, without its key."""
    long_member = len(invoice.amc_member) > table["B2.2.PS"].by_key["amc_member"].length
    found = [
        (
            "B2.2.PS",
            {
                **_header_values(invoice),
                "invoice_date": invoice.invoice_date,
                "invoice_kind": invoice.invoice_kind,
                "prescriber_id": invoice.prescriber_id,
                "prescription_date": invoice.prescription_date,
                "amc_member": "" if long_member else invoice.amc_member,
                "payee_mode": invoice.payee_mode,
            },
        )
    ]
    if long_member:
        values = {"amc_no": invoice.amc_no, "amc_member": invoice.amc_member}
        found.append(("B2.2M.PS", values))
    for act in invoice.acts:
        found.append(("B2.4.PS", {**_act_values(act), "place": act.place}))
        found += _rpps("B2.4E", invoice)
    totals = {
        "act_records": len(invoice.acts),
        "total_fee": invoice.total_fee,
        "total_amo": invoice.total_amo,
        "total_insured": invoice.total_fee - invoice.total_amo,
        "total_amc": invoice.total_amc,
    }
    return [*found, ("B2.5.PS", totals)]


def _describe_structure(table, invoice):
    """(record, values) of an invoice of the structure family, without its key."""
    found = [
        (
            "B2.2.CP",
            {
                **_header_values(invoice),
                "entry_no": invoice.entry_no,
                "entry_date": invoice.invoice_date,
                "exit_date": invoice.exit_date,
            },
        )
    ]
    if invoice.payee_mode.strip("0 "):
        found.append(("B2.2S.CP", {"sequence": "01", "payee_mode": invoice.payee_mode}))
    for act in invoice.acts:
        found += _structure_lines(invoice, act)
    hospital = [act for act in invoice.acts if act.hospital]
    stay = {
        key: sum(getattr(act, name) for act in hospital)
        for key, name in (
            ("hosp_base", "base"),
            ("hosp_amo", "amo_amount"),
            ("hosp_amc", "amc_amount"),
            ("hosp_fee", "fee"),
        )
    }
    totals = {
        **stay,
        "line_records": sum(code.startswith(("B2.3", "B2.4")) for code, _values in found),
        "fee_total": invoice.total_fee - stay["hosp_fee"],
        "fee_amo": invoice.total_amo - stay["hosp_amo"],
        "fee_amc": invoice.total_amc - stay["hosp_amc"],
        "insured_share": invoice.total_fee - invoice.total_amo,
    }
    return [*found, ("B2.5.CP", totals)]


def _structure_lines(invoice, act):
    if not act.hospital:
        values = {**_act_values(act), "prescriber_id": invoice.prescriber_id}
        return [("B2.4.CP", values), *_rpps("B2.4E", invoice)]
    values = {**_act_values(act), "from": act.act_date, "to": act.to_date}
    for key in ("act_date", "performer_id", "performer_spec", "tariff_zone"):
        del values[key]
    lines = [("B2.3.CP", values)]
    if invoice.prescriber_id or invoice.prescription_date:
        more = {
            "prescriber_id": invoice.prescriber_id,
            "prescription_date": invoice.prescription_date,
        }
        lines.append(("B2.3S.CP", more))
    return lines + _rpps("B2.3E.CP", invoice)


def _rpps(code, invoice):
    rpps = invoice.prescriber_rpps
    return [(code, {"sequence": 1 if code == "B2.4E" else "01", "prescriber_rpps": rpps})] * bool(
        rpps
    )


def _header_values(invoice):
    """What the header of an invoice holds in both families."""
    return {
        "split_flag": invoice.split_flag,
        "regime": invoice.regime,
        "caisse": invoice.caisse,
        "centre": invoice.centre,
        "insurance_nature": invoice.insurance_nature,
        "exemption": invoice.exemption,
        "birth_date": invoice.birth_date.strftime("%y%m%d") if invoice.birth_date else "000000",
        "birth_rank": invoice.birth_rank,
        "contract": invoice.contract,
        "amc_no": invoice.amc_no,
    }


def _act_values(act):
    """What an act line holds in both families."""
    return {
        "exemption_act": act.exemption,
        "performer_id": act.performer_id,
        "tariff_zone": act.tariff_zone,
        "performer_spec": act.performer_spec,
        "act_date": act.act_date,
        "act_code": act.key_letter.ljust(4) + act.complement,
        "quantity": act.quantity,
        "coefficient": act.coefficient_hundredths,
        "unit_price": act.unit_price,
        "base": act.base,
        "rate": act.rate,
        "amo_amount": act.amo_amount,
        "fee": act.fee,
        "amc_amount": act.amc_amount,
    }
