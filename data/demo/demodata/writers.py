"""The files of the demo, as name -> bytes."""

import csv
import gzip
import io
import json
from xml.sax.saxutils import escape

from . import world
from .bank import ascii_upper

FSE_COLUMNS = """provider_no fse_no lot_no kind fse_date sent_on nir birth_rank last_name first_name
birth_date insurance_nature exemption prescriber_no prescription_date act_date key_letter
coefficient quantity complement act_amount amo_org amo_rate amo_amount amc_org amc_member amc_amount
patient_amount""".split()
# Months that one NOEMIE file gathers: a mailbox hands over several transfers of a payer at once.
NOEMIE_WINDOWS = ["2026-10-15", "2026-11-05", "2026-11-20"]


def euros(cents):
    """Cents as "12.30"."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _iso(day):
    return day.isoformat() if day else ""


def _table(columns, rows):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue().encode()


def _json(value):
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _coefficient(hundredths):
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")


def fse_journals(fses):
    files = {}
    for provider in world.PRACTITIONERS:
        rows = []
        for fse in fses:
            if fse.provider is not provider:
                continue
            insurer = fse.insurer
            for act in fse.acts:
                rows.append(
                    [
                        provider.provider_no,
                        fse.no,
                        fse.lot_no,
                        fse.plan.kind,
                        _iso(fse.fse_date),
                        _iso(fse.sent_on),
                        fse.patient.nir,
                        fse.patient.birth_rank,
                        fse.patient.last_name,
                        fse.patient.first_name,
                        _iso(fse.patient.birth_date),
                        fse.nature,
                        fse.exemption,
                        fse.prescriber_no,
                        _iso(fse.prescription_date),
                        _iso(act.day),
                        act.letter,
                        _coefficient(act.coefficient),
                        act.quantity,
                        "",
                        euros(act.amount),
                        fse.fund.org_no + fse.fund.centre,
                        fse.rate,
                        euros(act.amo),
                        insurer.org_no if insurer else "",
                        fse.patient.member if insurer else "",
                        euros(act.amc),
                        euros(act.patient + fse.broken),
                    ]
                )
        files[f"fse/{provider.provider_no}.csv"] = _table(FSE_COLUMNS, rows)
    return files


def patients(fses):
    seen = {}
    for fse in fses:
        patient = fse.patient
        seen[id(patient)] = [
            patient.provider.provider_no,
            patient.nir,
            _iso(patient.birth_date),
            patient.email,
            patient.phone,
        ]
    return {
        "patients.csv": _table(
            ["provider_no", "nir", "birth_date", "email", "phone"], seen.values()
        )
    }


def acknowledgements(story):
    columns = ["provider_no", "lot_no", "lot_date", "result", "date", "code", "label"]
    files = {}
    for provider in world.PRACTITIONERS:
        rows = [
            [number, lot, _iso(sent_on), result, _iso(day), code, label]
            for number, lot, sent_on, result, day, code, label in story.acknowledgements
            if number == provider.provider_no
        ]
        files[f"arl/{provider.provider_no}.csv"] = _table(columns, rows)
    return files


def _invoice(noemie, answers):
    fse = answers[0].fse
    patient = fse.patient
    parts = {answer.part for answer in answers}
    own_kind = "D" if parts == {"amc"} else fse.plan.kind
    if parts == {"amo", "amc"}:
        processing = "C"  # coordinated: one payer for both parts
    elif parts == {"amo"} and fse.total("amc"):
        processing = "E"  # split at the desk: the insurer has its own request
    else:
        processing = ""
    return noemie.InvoiceReturn(
        invoice_no=fse.no,
        lot_no=fse.lot_no,
        lot_date=fse.sent_on,
        kind=own_kind,
        invoice_date=fse.fse_date,
        amc_processing=processing,
        nir=patient.nir,
        last_name=ascii_upper(patient.last_name),
        first_name=ascii_upper(patient.first_name),
        birth_date=patient.birth_date,
        parts=[
            noemie.Part(
                part=answer.part,
                asked=answer.asked,
                state=answer.state,
                paid=answer.paid,
                amc_no=fse.insurer.org_no if answer.part == "amc" else "",
                amc_member=patient.member if answer.part == "amc" else "",
            )
            for answer in answers
        ],
        reasons=[
            noemie.Reason(
                code=answer.reason.code, label=answer.reason.label, level="F", part=answer.part
            )
            for answer in answers
            if answer.reason
        ],
        comments=[answer.comment for answer in answers if answer.comment],
    )


def _noemie_settlement(noemie, settlement):
    groups = {}
    for answer in settlement.answers:
        groups.setdefault(answer.fse.no, []).append(answer)
    result = noemie.Settlement(
        payee_no=f"{settlement.provider.provider_no:0>15}",
        transfer_date=settlement.transfer_date,
        label1=settlement.label1,
        label2=settlement.reference,
        payer=settlement.payer.org_no,
        kind="03" if settlement.lump_sum else "01",
        invoices=[_invoice(noemie, answers) for answers in groups.values()],
    )
    if settlement.retention:
        result.movements.append(
            noemie.Movement(
                debt_ref=settlement.retention_ref,
                debt_date=settlement.transfer_date.replace(month=8, day=14),
                debt_kind="IND",
                operation="RPR",
                amount=settlement.retention,
                balance=settlement.retention_balance,
            )
        )
    if settlement.lump_sum:
        result.lumps.append(
            noemie.LumpSum(code="00731", label=settlement.lump_label, amount=settlement.lump_sum)
        )
    return result


def noemie_files(story, noemie):
    """One file per practitioner, payer and period; framings and compression take turns."""
    groups = {}
    for settlement in story.settlements:
        window = next(day for day in NOEMIE_WINDOWS if settlement.transfer_date.isoformat() <= day)
        key = (settlement.provider.provider_no, settlement.payer.key, window)
        groups.setdefault(key, []).append(settlement)
    files = {}
    for rank, ((provider_no, payer_key, _window), settlements) in enumerate(groups.items(), 1):
        payer = world.FUNDS.get(payer_key) or world.INSURERS[payer_key]
        settlements.sort(key=lambda s: (s.transfer_date, s.reference))
        created = settlements[-1].transfer_date
        content = noemie.write(
            noemie.NoemieFile(
                reference="578" if payer.centre else "580",
                sender_type=payer.sender_type,
                sender_no=payer.sender_no,
                dest_type="TP",
                dest_no=f"{provider_no:0>14}",
                file_id=f"D{rank:05d}",
                created_on=created,
                settlements=[_noemie_settlement(noemie, s) for s in settlements],
            ),
            framing="wrapped" if rank % 2 else "flat",
        )
        if rank % 5 == 0:
            content = gzip.compress(content, mtime=0)
        name = f"noemie/{created:%Y%m%d}-{provider_no}-{payer_key}.noe"
        for settlement in settlements:
            settlement.filename = name
        files[name] = content
    return files


def _camt_entry(entry):
    credit = entry.amount > 0
    domain = ("PMNT", "RCDT", "ESCT") if credit else ("ACMT", "MDOP", "CHRG")
    party = "Dbtr" if credit else "Cdtr"
    amount = f'<Amt Ccy="EUR">{euros(abs(entry.amount))}</Amt>'
    return f"""      <Ntry>
        {amount}
        <CdtDbtInd>{"CRDT" if credit else "DBIT"}</CdtDbtInd>
        <Sts>BOOK</Sts>
        <BookgDt><Dt>{entry.day}</Dt></BookgDt>
        <ValDt><Dt>{entry.day}</Dt></ValDt>
        <AcctSvcrRef>{entry.servicer_ref}</AcctSvcrRef>
        <BkTxCd><Domn><Cd>{domain[0]}</Cd><Fmly><Cd>{domain[1]}</Cd><SubFmlyCd>{domain[2]}</SubFmlyCd>\
</Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><AcctSvcrRef>{entry.servicer_ref}</AcctSvcrRef>\
<EndToEndId>E2E-{entry.servicer_ref}</EndToEndId></Refs>
            <RltdPties><{party}><Nm>{escape(entry.name)}</Nm></{party}></RltdPties>
            <RmtInf><Ustrd>{escape(entry.label)}</Ustrd></RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
"""


def _balance(code, cents, day):
    sign = "CRDT" if cents >= 0 else "DBIT"
    return (
        f"      <Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{euros(abs(cents))}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def bank_statements(entries):
    files = {}
    for provider in world.PRACTITIONERS:
        own = [entry for entry in entries if entry.provider is provider]
        closing = provider.opening_balance + sum(entry.amount for entry in own)
        name = f"RELEVE-{provider.provider_no}-{world.LAST_DAY:%Y%m%d}"
        text = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>{name}</MsgId><CreDtTm>{world.DEMO_DATE}T06:00:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>{name}</Id>
      <ElctrncSeqNb>1</ElctrncSeqNb>
      <CreDtTm>{world.DEMO_DATE}T06:00:00</CreDtTm>
      <FrToDt><FrDtTm>{world.FIRST_DAY}T00:00:00</FrDtTm>\
<ToDtTm>{world.LAST_DAY}T23:59:59</ToDtTm></FrToDt>
      <Acct><Id><IBAN>{provider.iban}</IBAN></Id><Ccy>EUR</Ccy>\
<Ownr><Nm>{escape(ascii_upper(provider.name))}</Nm></Ownr></Acct>
"""
        text += _balance("OPBD", provider.opening_balance, world.FIRST_DAY)
        text += _balance("CLBD", closing, world.LAST_DAY)
        text += "".join(_camt_entry(entry) for entry in own)
        text += "    </Stmt>\n  </BkToCstmrStmt>\n</Document>\n"
        files[f"bank/{provider.provider_no}.xml"] = text.encode()
    return files


def agency(files):
    """Who must exist before the files are read, and the files in the order of a real mailbox."""

    def names(folder):
        return sorted(name for name in files if name.startswith(folder + "/"))

    return {
        "agency.json": _json(
            {
                "demo_date": world.DEMO_DATE.isoformat(),
                "agency": world.AGENCY,
                "practitioners": [
                    {
                        "name": provider.name,
                        "first_name": provider.first_name,
                        "last_name": provider.last_name,
                        "profession": provider.profession,
                        "provider_no": provider.provider_no,
                        "rpps": provider.rpps,
                        "siren": provider.siren,
                        "iban": provider.iban,
                        "zone": "metropole",
                        "street": provider.street,
                        "zip": provider.zip,
                        "city": provider.city,
                        "email": provider.email,
                        "phone": provider.phone,
                    }
                    for provider in world.PRACTITIONERS
                ],
                "funds": [_payer(payer) for payer in world.FUNDS.values()],
                "insurers": [
                    {**_payer(payer), "paid_with_fund": payer.with_fund}
                    for payer in world.INSURERS.values()
                ],
                "prescribers": [
                    {"name": name, "prescriber_no": number} for name, number in world.PRESCRIBERS
                ],
                "users": [
                    {
                        **user,
                        "email": f"{user['login']}@example.org",
                        "password": "demo",
                    }
                    for user in world.USERS
                ],
                "files": {
                    "fse": names("fse"),
                    "arl": names("arl"),
                    "noemie": names("noemie"),
                    "bank": names("bank"),
                },
            }
        )
    }


def _payer(payer):
    return {
        "name": payer.name,
        "org_no": payer.org_no,
        "bank_names": list(payer.bank_names),
    }


def expected(truth):
    return {"expected.json": _json(truth)}


README = """# The demo agency

A fictitious billing agency, « {agency} », with four practitioners (one per trade) whose own
software bills, over two months:
care from {first} to {last}, seen on **{today}**. `bin/demo` loads these files through the entry
points a user has: `env["health.inbox"].ingest(name, content)`, file by file.

**Everybody here is invented.** Patients are born in a commune 999 that does not exist, billing
numbers begin with the department 99, SIREN with 000, the bank has the code 99999, addresses end in
`example.org`, telephone numbers come from the ranges kept for fiction; every check key is valid all
the same. Public funds bear their real names so that bank labels look like real ones; their numbers
and bank labels serve the demo only. Insurers are fictitious.

| file | what it holds |
|---|---|
| `agency.json` | practitioners, payers with the names the bank writes, users, files in order |
| `fse/<billing number>.csv` | FSE journals, {fse} FSE of which {broken} do not add up on purpose |
| `patients.csv` | e-mail and telephone, which the journal does not carry |
| `arl/<billing number>.csv` | acknowledgements of the lots |
| `noemie/<date>-<billing number>-<payer>.noe` | {noemie} returns, flat and wrapped, some gzip |
| `bank/<billing number>.xml` | one CAMT.053 per practitioner, {entries} entries |
| `entry.json` | what the agency enters itself, not billed yet: a fifth practitioner's round, cases, a quote |
| `debts.json` | written by hand: a sixth practitioner whose patients pay directly, and where each of them stands |
| `expected.json` | the truth in cents: what a correct product finds on {today} |

## How it is made

`python data/demo/generate.py` writes everything from a fixed seed; `--check` says whether the
committed files are still what it makes (compressed files are compared by what they hold). Values of
the key letters come from `data/ngap/ngap_values.csv`, NOEMIE is written by
`addons/health_sesam/norms`; `expected.json` is computed from the generator's own facts, never by
the product. Who and what stands in `demodata/world.py`, the cases in `demodata/returns.py`.

## What to know

- Shares are third-party payment only; a patient share is due 30 days after the FSE.
- An insurer « with fund » is paid by the fund in the same transfer (NOEMIE processing `C`); the
  others answer and pay apart. Processing `V` is not used.
- The bank line of a settlement quotes its whole reference (label 2), or nothing at all.
- C2S is billed at 100 % by the fund. Alsace-Moselle has the nature of insurance 13 (local scheme).
- Reject codes beginning with `X` are the demo's own: no public list gives the real ones.
- `lot_no` is one per sending day and fund; lots leave on Fridays.
- States in `expected.json`: to_send, sent, announced, paid, partial, rejected, due. « Silent » is a
  share sent more than {amo} days (AMO) or {amc} days (AMC) ago that no return mentions.
- Bank lines that a person must see: `nobody`, `no_return`, `bank_fee`.

## Recovery

`debts.json` is read by `bin/lib/demo_collections.py` and stands outside `expected.json`: Hélène Bastide's
patients settle everything themselves. The scale is worked on nine nights before {today}; then patients and
the agency answer, each in their own way (`does`). It also holds telephone numbers and addresses of the payers.

| who | where they stand on {today} |
|---|---|
| Aubry (a mother and two children) | one message for the household |
| Girard | a plan in three instalments runs |
| Lemoine, Morel, Pons | ask: my insurer should pay (photo of the card), call me back, I do not agree |
| Valette | no e-mail: her reminder is a letter |
| Roussel, Hamon, Teixeira | paid by cheque, by a cheque with 5 € too much, in cash |
| Faure, Royer | called and promised to pay; still to be called |
| Perrin, Gauthier | formal notice posted with its number and proof; still to be posted |
| Lenoir | a transfer « M OU MME LENOIR » without a number holds the reminders |
| Barbier | 60 € to be forgiven: a manager decides |
| Weber, Colin, Da Silva | guardianship, death, old debt of a fragile patient: no automatic message |
| Marchetti, Kessler, Delmas | scale at its end: file proposed, approved and asked of the practitioner, handed over |
| Tourette | known to two practitioners: one page shows both notes |

## Where each case is

| case | file | FSE |
|---|---|---|
{cases}
"""


def _short(values, limit):
    text = ", ".join(values[:limit])
    return f"{text}… ({len(values)})" if len(values) > limit else text


def readme(truth, files, entries):
    rows = [
        f"| {case['title']} | {_short([f'`{name}`' for name in case['files']], 2)} "
        f"| {_short(case['fse_no'], 4) or '—'} |"
        for case in truth["cases"]
    ]
    totals = truth["totals"]
    text = README.format(
        agency=world.AGENCY["name"],
        first=world.FIRST_DAY,
        last=world.LAST_DAY,
        today=world.DEMO_DATE,
        fse=totals["fse"] + totals["fse_to_review"],
        broken=totals["fse_to_review"],
        noemie=sum(name.startswith("noemie/") for name in files),
        entries=len(entries),
        amo=truth["rules"]["silent_amo_days"],
        amc=truth["rules"]["silent_amc_days"],
        cases="\n".join(rows),
    )
    return {"README.md": text.encode()}
