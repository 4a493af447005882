"""What the bank received: one statement per practitioner."""

import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta

from . import world
from .returns import working_day


def ascii_upper(text):
    """Bank and payer files know capitals without accents only."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.upper()


@dataclass(eq=False)
class Entry:
    """One line of a bank statement; ``amount`` in cents, negative for a debit."""

    provider: world.Practitioner
    day: date
    amount: int
    label: str
    name: str
    settlements: list = field(default_factory=list)
    fse: object = None  # the patient's payment of this FSE
    evidence: str = ""  # reference, payer_amount_date, fse_number
    queue: str = ""  # why a person must look: nobody, no_return, bank_fee
    servicer_ref: str = ""


def _transfer_day(settlement):
    return working_day(settlement.transfer_date + timedelta(days=1))


def _settlement_entries(story):
    entries = []
    done = set()
    pairs = {id(settlement): pair for pair in story.together for settlement in pair}
    for settlement in story.settlements:
        if id(settlement) in done or settlement in story.announced_only:
            continue
        group = pairs.get(id(settlement), [settlement])
        done.update(id(member) for member in group)
        day = _transfer_day(settlement)
        amount = sum(member.amount for member in group)
        if day > world.LAST_DAY or not amount:
            continue
        payer = settlement.payer
        if settlement in story.no_reference:
            label = f"VIR {ascii_upper(payer.short)} REMBOURSEMENT TIERS PAYANT"
        else:
            label = payer.bank_label.format(ref=" ".join(member.reference for member in group))
        entry = Entry(
            settlement.provider,
            day,
            amount,
            label,
            payer.bank_name,
            group,
            evidence="payer_amount_date" if settlement in story.no_reference else "reference",
        )
        for member in group:
            member.credit = entry
        entries.append(entry)
    for settlement in story.no_return:
        label = settlement.payer.bank_label.format(ref=settlement.reference)
        entries.append(
            Entry(
                settlement.provider,
                _transfer_day(settlement),
                settlement.amount,
                label,
                settlement.payer.bank_name,
                queue="no_return",
            )
        )
    return entries


def _patient_entries(story):
    for fse in story.fses:
        if fse.plan.tag == "pays" and fse.total("patient"):
            name = ascii_upper(f"{fse.patient.first_name} {fse.patient.last_name}")
            yield Entry(
                fse.provider,
                working_day(fse.fse_date + timedelta(days=12)),
                fse.total("patient"),
                f"VIR INST DE {name} FSE {fse.no}",
                name,
                fse=fse,
                evidence="fse_number",
            )


def _other_entries():
    by_key = {provider.key: provider for provider in world.PRACTITIONERS}
    for key, day, amount, label, name, queue in [
        (
            "kinesitherapeute",
            date(2026, 10, 6),
            35000,
            "VIR SEPA SCM LES GLYCINES SOLDE CHARGES T3",
            "SCM LES GLYCINES",
            "nobody",
        ),
        (
            "orthophoniste",
            date(2026, 11, 5),
            12000,
            "VIR MAIRIE DE MONTCLAR LE VIEUX ATELIER LECTURE",
            "MAIRIE DE MONTCLAR LE VIEUX",
            "nobody",
        ),
        (
            "infirmiere",
            date(2026, 10, 5),
            -750,
            "FRAIS TENUE DE COMPTE T3 2026",
            "BANQUE FICTIVE DE DEMONSTRATION",
            "bank_fee",
        ),
        (
            "kinesitherapeute",
            date(2026, 11, 2),
            -1180,
            "COTISATION TERMINAL DE PAIEMENT",
            "BANQUE FICTIVE DE DEMONSTRATION",
            "bank_fee",
        ),
    ]:
        yield Entry(by_key[key], day, amount, label, name, queue=queue)


def build(story):
    """All entries, by practitioner then day, each with its own bank reference."""
    entries = [*_settlement_entries(story), *_patient_entries(story), *_other_entries()]
    entries = [entry for entry in entries if entry.day <= world.LAST_DAY]
    order = {provider.key: rank for rank, provider in enumerate(world.PRACTITIONERS, 1)}
    entries.sort(key=lambda entry: (order[entry.provider.key], entry.day, entry.label))
    for rank, entry in enumerate(entries, 1):
        entry.servicer_ref = f"BF{order[entry.provider.key]}{entry.day:%y%m%d}{rank:05d}"
    return entries
