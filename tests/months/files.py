"""The files of a month, in the order in which they reach the agency."""

import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from types import SimpleNamespace
from xml.sax.saxutils import escape

from . import noemie, world
from .model import Arrival

ORDER = ("fse", "arl", "noemie", "bank")
COLUMNS = """provider_no fse_no lot_no kind fse_date sent_on nir birth_rank last_name first_name
birth_date insurance_nature exemption prescriber_no prescription_date act_date key_letter
coefficient quantity complement act_amount amo_org amo_rate amo_amount amc_org amc_member amc_amount
patient_amount""".split()


def euros(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def table(columns, rows):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue().encode()


def _saturday(day):
    return day + timedelta(days=(5 - day.weekday()) % 7)


# -- what was billed and sent ------------------------------------------------------------------------


def journals(draw, habits, month):
    weeks = defaultdict(list)
    for fse in month.fses:
        weeks[fse.provider, _saturday(fse.sent_on or fse.day)].append(fse)
    for (provider, saturday), fses in weeks.items():
        late = draw.random() < habits.late_journal
        day = saturday + timedelta(days=draw.randrange(12, 22) if late else 0)
        yield Arrival(
            day, "fse", f"journal-{provider.provider_no}-{saturday:%Y%m%d}.csv", journal(fses)
        )


def journal(fses):
    rows = []
    for fse in fses:
        patient = fse.patient
        for rank, (letter, coefficient, quantity, fee, amo, amc, own) in enumerate(fse.acts):
            wrong = 7 if fse.broken and not rank else 0
            rows.append(
                [
                    fse.provider.provider_no, fse.no, fse.lot_no, "F", fse.day, fse.sent_on or "",
                    patient.nir, 1, patient.last_name, patient.first_name, patient.birth_date, "10",
                    "4" if patient.rate == 100 else "0", "991000514", fse.day - timedelta(days=7), fse.day,
                    letter, f"{coefficient // 100}.{coefficient % 100:02d}", quantity, "", euros(fee),
                    patient.fund.org_no + patient.fund.centre, patient.rate, euros(amo),
                    patient.insurer.org_no if patient.insurer else "", patient.member, euros(amc),
                    euros(own + wrong),
                ]
            )  # fmt: skip
    return table(COLUMNS, rows)


def acknowledgements(month):
    weeks = defaultdict(dict)
    for fse in month.fses:
        if fse.sent_on and fse.lot_result:
            day = world.working_day(fse.sent_on + timedelta(days=1))
            bad = fse.lot_result == "negatif"
            weeks[fse.provider, _saturday(day)][fse.lot_no, fse.sent_on] = [
                fse.provider.provider_no, fse.lot_no, fse.sent_on, fse.lot_result, day,
                "4015" if bad else "", "Clés du poste périmées" if bad else "Lot accepté",
            ]  # fmt: skip
    for (provider, saturday), rows in weeks.items():
        columns = ["provider_no", "lot_no", "lot_date", "result", "date", "code", "label"]
        yield Arrival(
            saturday,
            "arl",
            f"arl-{provider.provider_no}-{saturday:%Y%m%d}.csv",
            table(columns, [rows[key] for key in sorted(rows)]),
        )


# -- what payers announce ----------------------------------------------------------------------------


def set_days(draw, habits, settlements):
    """The day on which the file of each settlement comes."""
    for settlement in settlements:
        shift, chance = draw.choice((0, 0, 1)), draw.random()
        if chance < habits.early_file:
            shift = -draw.choice((1, 2))
        elif chance < habits.early_file + habits.late_file:
            shift = draw.randrange(8, 25)
        settlement.file_day = settlement.day + timedelta(days=shift)


def returns(draw, habits, month):
    groups = defaultdict(list)
    for settlement in month.settlements:
        if settlement.announced:
            groups[settlement.file_day, settlement.provider, settlement.payer].append(settlement)
    files, number = [], 0
    for (day, provider, payer), settlements in sorted(
        groups.items(), key=lambda item: (item[0][0], item[0][1].rank, item[0][2].key)
    ):
        number += 1
        files.append(_Return(day, provider.provider_no, payer, settlements, number))
        if draw.random() < habits.resent:
            number += 1
            later = day + timedelta(days=draw.randrange(1, 9))
            files.append(_Return(later, provider.provider_no, payer, settlements, number))
    made = []
    waiting = sorted(files, key=lambda file: (file.day, file.number))
    while waiting:
        file = waiting.pop(0)
        together = [file]
        if waiting and waiting[0].day == file.day and draw.random() < habits.glued:
            together.append(waiting.pop(0))
        content = b"".join(one.content(draw.random() < habits.wrapped) for one in together)
        if draw.random() < habits.mime:
            content = noemie.mail(content, file.file_id, draw.random() < 0.5)
        elif draw.random() < habits.gzip:
            content = noemie.zipped(content)
        name = f"{file.file_id}-{file.provider_no}-{file.payer.key}.noe"
        made.append(Arrival(file.day, "noemie", name, content))
        if draw.random() < habits.same_file:
            later = file.day + timedelta(days=draw.randrange(0, 6))
            made.append(Arrival(later, "noemie", f"copie-{name}", content, "duplicate"))
        if draw.random() < habits.unknown_payee:
            number += 1
            model = SimpleNamespace(**vars(file.settlements[0]))
            model.answers, model.lump_sum, model.retention = [], 12_345, 0
            model.amount = model.lump_sum
            model.labels = (f"{file.payer.short} 000000999999999", f"99{file.day:%j}{number:07d}")
            stranger = _Return(file.day, "999999999", file.payer, [model], number)
            made.append(
                Arrival(
                    file.day, "noemie", f"inconnu-{number}.noe", stranger.content(False), "review"
                )
            )
    return made


class _Return:
    def __init__(self, day, provider_no, payer, settlements, number):
        self.day, self.provider_no, self.payer = day, provider_no, payer
        self.settlements, self.number = settlements, number
        self.file_id = f"M{number:05d}"

    def content(self, wrapped):
        return noemie.write(
            self.provider_no,
            self.payer,
            self.settlements,
            self.file_id,
            self.day,
            wrapped,
        )


# -- what the banks tell -----------------------------------------------------------------------------


def statement_file(statement):
    provider = statement.provider
    own = []
    for movement in statement.movements:
        number = dict((id(s), n) for s, n in movement.statements)[id(statement)]
        own.append(_entry(movement, number))
    closing = statement.opening + sum(m.amount for m in statement.movements)
    made = f"{statement.last}T22:00:00"
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>MSG-{statement.name}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>
<Stmt><Id>{statement.name}</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{made}</CreDtTm>
<FrToDt><FrDtTm>{statement.first}T00:00:00</FrDtTm><ToDtTm>{statement.last}T23:59:59</ToDtTm></FrToDt>
<Acct><Id><IBAN>{provider.iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>
{_balance("OPBD", statement.opening, statement.first)}{_balance("CLBD", closing, statement.last)}
{"".join(own)}</Stmt></BkToCstmrStmt></Document>
"""
    return text.encode()


def _balance(code, cents, day):
    side = "CRDT" if cents >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{euros(abs(cents))}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(movement, number):
    side, party = ("CRDT", "Dbtr") if movement.amount >= 0 else ("DBIT", "Cdtr")
    name = (
        f"<RltdPties><{party}><Nm>{escape(movement.counterparty)}</Nm></{party}></RltdPties>"
        if movement.counterparty
        else ""
    )
    return (
        f'<Ntry><Amt Ccy="EUR">{euros(abs(movement.amount))}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{movement.day}</Dt></BookgDt><ValDt><Dt>{movement.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{number}</AcctSvcrRef><NtryDtls><TxDtls><Refs><AcctSvcrRef>{number}</AcctSvcrRef>"
        f"<EndToEndId>{movement.end_to_end}</EndToEndId></Refs>{name}"
        f"<RmtInf><Ustrd>{escape(movement.label)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )


# -- all of it ---------------------------------------------------------------------------------------


def arrivals(draw, habits, month):
    made = list(journals(draw, habits, month))
    made += acknowledgements(month)
    made += returns(draw, habits, month)
    for statement in month.statements:
        day = statement.last + timedelta(days=1)
        made.append(Arrival(day, "bank", f"{statement.name}.xml", statement_file(statement)))
    return sorted(made, key=lambda a: (a.day, ORDER.index(a.kind), a.name))


def agency(month):
    """Who must exist before the files are read, in the shape of `data/demo/agency.json`."""

    def payers(kind):
        return [
            {"name": payer.name, "org_no": payer.org_no, "bank_names": list(payer.bank_names)}
            for payer in world.PAYERS
            if payer.kind == kind
        ]

    place = {
        "street": "1 rue Inventée",
        "zip": "99001",
        "city": "Valbrume",
        "phone": "01 99 00 10 10",
    }
    return {
        "agency": {"name": "Mois d'essai", "siren": "", "email": "mois@example.org", **place},
        "practitioners": [
            {
                "name": provider.name,
                "profession": provider.profession,
                "provider_no": provider.provider_no,
                "rpps": provider.rpps,
                "siren": provider.siren,
                "zone": "metropole",
                "iban": provider.iban,
                "email": f"pro{provider.rank}@example.org",
                **place,
            }
            for provider in month.practitioners
        ],
        "funds": payers("amo"),
        "insurers": payers("amc"),
        "last_day": date.isoformat(month.today),
    }
