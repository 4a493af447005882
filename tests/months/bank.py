"""What the banks received, and how they show it."""

import unicodedata
from datetime import timedelta

from . import world
from .model import Movement

STRANGERS = (
    ("LOYER CABINET SCI DES PEUPLIERS", "SCI DES PEUPLIERS", (45_000, 90_000)),
    ("DGFIP REMBOURSEMENT TROP PERCU IMPOT SUR LE REVENU", "DGFIP FINANCES PUBLIQUES", (3_000, 60_000)),
    ("SINISTRE 2026-884 INDEMNITE", "ASSURANCES DU LITTORAL", (10_000, 80_000)),
    ("REMBOURSEMENT AVOIR FACTURE 88412", "MATERIEL MEDICAL OUEST", (1_500, 20_000)),
    ("CAF PRESTATIONS FAMILIALES", "CAF 99", (8_000, 40_000)),
)  # fmt: skip
WAYS = {
    "plain": "VIR {name} {motif}",
    "sepa": "VIR SEPA RECU /DE {name} /MOTIF {motif}",
    "wordy": "VIREMENT EN VOTRE FAVEUR DE {name} REF {motif}",
    "short": "{motif} {name}",
}
#: banks that also give the other party in a field of its own
PARTIES = ("sepa", "short")


def ascii_upper(text):
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()


def weighted(draw, weights):
    return draw.choices([name for name, _w in weights], [weight for _n, weight in weights])[0]


def truncated(draw, reference):
    keep = draw.randrange(6, len(reference) - 1)
    return reference[:keep] if draw.random() < 0.6 else reference[-keep:]


def garbled(draw, reference):
    """One slip of the pen, of the machine or of the eye."""
    digits = [place for place, char in enumerate(reference) if char.isdigit()]
    way = draw.choice(("swap", "drop", "blanks", "letter"))
    if way == "swap":
        pairs = [p for p in digits[:-1] if reference[p] != reference[p + 1]]
        if pairs:
            p = draw.choice(pairs)
            return reference[:p] + reference[p + 1] + reference[p] + reference[p + 2 :]
    if way == "drop":
        p = draw.choice(digits)
        return reference[:p] + reference[p + 1 :]
    if way == "letter" and "0" in reference:
        return reference.replace("0", "O")
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


class Account:
    """Writes the movements of one practitioner."""

    def __init__(self, draw, habits, ids):
        self.draw = draw
        self.habits = habits
        self.ids = ids
        self.made = []

    def add(self, **values):
        movement = Movement(id=next(self.ids), **values)
        movement.end_to_end = f"E2E{movement.id:05d}"
        self.made.append(movement)
        return movement

    def from_payer(self, settlements, amount, day, references, **values):
        """A transfer of a payer, with what its label shows of its references."""
        draw, habits = self.draw, self.habits
        way = weighted(draw, habits.reference)
        payer = settlements[0].payer
        movement = self.add(
            provider=settlements[0].provider,
            day=day,
            amount=amount,
            kind="settlement",
            payer=payer,
            settlements=tuple(settlements),
            named=draw.random() >= habits.unnamed,
            **values,
        )
        if way == "whole":
            movement.printed = tuple(references)
        elif way == "elsewhere":
            movement.printed = tuple(references[:1])
            movement.end_to_end += f"-{references[0]}"
        elif way == "truncated":
            movement.printed = tuple(truncated(draw, reference) for reference in references)
        elif way == "garbled":
            movement.printed = tuple(garbled(draw, reference) for reference in references)
        self.show(movement, way)
        return movement

    def show(self, movement, way="whole"):
        """The label, as the bank of the practitioner writes it."""
        draw = self.draw
        payer, provider = movement.payer, movement.provider
        shown = " ".join(movement.printed) if way != "elsewhere" else ""
        if movement.quoted:
            motif = "TIERS PAYANT FSE " + " ".join(movement.quoted)
        elif shown:
            motif = payer.motif.format(
                ref=shown, payee=f"{provider.provider_no:0>15}", day=f"{movement.day:%m%d}"
            )
        else:
            motif = draw.choice(
                (
                    "REMBOURSEMENT TIERS PAYANT",
                    "PRESTATIONS SANTE",
                    f"REGLEMENT DU {movement.day:%d/%m}",
                )
            )
        name = (
            draw.choice(payer.bank_names)
            if movement.named
            else draw.choice(("TRESORERIE", "OCT SERVICES"))
        )
        self.dress(movement, name, motif)

    def tell(self, movement):
        """Show everything that identifies a movement."""
        movement.named, movement.quoted = True, ()
        if movement.undoes:
            movement.printed = tuple(s.reference for s in movement.undoes.settlements)
            movement.label = f"REJET {movement.undoes.label}"
        elif movement.settlements:
            movement.printed = tuple(s.reference for s in movement.settlements)
            self.show(movement)
        elif movement.shares:
            movement.quoted = tuple(fse.no for fse, _part in movement.shares)

    @staticmethod
    def dress(movement, name, motif, prefix=""):
        bank = movement.provider.bank
        movement.label = prefix + " ".join(WAYS[bank].format(name=name, motif=motif).split())
        movement.counterparty = name if bank in PARTIES else ""

    # -- settlements ---------------------------------------------------------------------------------

    def settle(self, settlements):
        draw, habits = self.draw, self.habits
        waiting = [s for s in settlements if s.paid and s.amount]
        while waiting:
            first = waiting.pop(0)
            day = world.working_day(first.day + timedelta(days=draw.choice((0, 1, 1, 2))))
            timely = True
            chance = draw.random()
            if chance < habits.early_credit:
                day = first.day - timedelta(days=draw.choice((1, 2, 3)))
            elif chance < habits.early_credit + habits.late_credit:
                day = world.working_day(first.day + timedelta(days=draw.randrange(9, 40)))
                timely = False
            if first.amount < 0:
                self.from_payer([first], first.amount, day, [first.reference], case="negative")
                continue
            if timely and draw.random() < habits.grouped:
                near = [
                    s
                    for s in waiting
                    if s.payer is first.payer
                    and s.amount > 0
                    and abs((s.day - first.day).days) <= 3
                    and s.announced == first.announced
                ][: draw.choice((1, 1, 2))]
                if near:
                    for other in near:
                        waiting.remove(other)
                    group = [first, *near]
                    day = max(day, world.working_day(max(s.day for s in group)))
                    cited = group[:1] if draw.random() < habits.first_only else group
                    self.from_payer(
                        group,
                        sum(s.amount for s in group),
                        day,
                        [s.reference for s in cited],
                        case="group",
                    )
                    continue
            if first.amount > 1000 and first.announced and draw.random() < habits.split:
                self.split(first, day)
                continue
            amount, case = first.amount, "" if timely else "late"
            if first.amount > 1000 and draw.random() < habits.hidden_retention:
                amount -= draw.randrange(100, first.amount // 2)
                case = "hidden_retention"
            movement = self.from_payer([first], amount, day, [first.reference], case=case)
            if draw.random() < habits.reversal:
                self.reverse(movement, first)

    def split(self, settlement, day):
        draw = self.draw
        count = draw.choice((2, 2, 3))
        cuts = sorted(draw.sample(range(100, settlement.amount - 100), count - 1))
        amounts = [b - a for a, b in zip([0, *cuts], [*cuts, settlement.amount], strict=True)]
        pieces = []
        for amount in amounts:
            pieces.append(
                self.from_payer([settlement], amount, day, [settlement.reference], case="split")
            )
            day = world.working_day(day + timedelta(days=draw.choice((0, 0, 1))))
        for piece in pieces:
            piece.pieces = tuple(pieces)

    def reverse(self, movement, settlement):
        draw = self.draw
        day = world.working_day(movement.day + timedelta(days=draw.randrange(1, 6)))
        back = self.add(
            provider=movement.provider,
            day=day,
            amount=-movement.amount,
            kind="reversal",
            payer=movement.payer,
            printed=movement.printed,
            undoes=movement,
            case="reversal",
        )
        back.named = movement.named
        back.label = draw.choice(("REJET ", "ANNULATION ", "RETOUR ")) + movement.label
        back.counterparty = movement.counterparty
        movement.undone_by = back
        if draw.random() < self.habits.repaid:
            again = world.working_day(day + timedelta(days=draw.randrange(1, 6)))
            self.from_payer(
                [settlement], movement.amount, again, [settlement.reference], case="repaid"
            )

    # -- the rest ------------------------------------------------------------------------------------

    def by_fse(self, settlements):
        """Insurers whose file never comes may quote the FSE instead of a reference."""
        for movement in self.made:
            if movement.kind != "settlement" or len(movement.settlements) > 1 or movement.undone_by:
                continue
            settlement = movement.settlements[0]
            if settlement.announced or settlement.payer.kind != "amc" or movement.pieces:
                continue
            paid = [a for a in settlement.answers if a.paid]
            whole = all(a.paid == a.asked for a in paid)
            if movement.amount == settlement.amount and whole and movement.case != "repaid":
                movement.shares = tuple((a.fse, a.part) for a in paid)
                movement.kind = "shares"
                movement.case = "no_return"
                if len(paid) <= 4 and self.draw.random() < self.habits.quotes_fse:
                    movement.quoted = tuple(a.fse.no for a in paid)
                    movement.printed = ()
                    self.show(movement)

    def patients(self, fses):
        draw, habits = self.draw, self.habits
        for fse in fses:
            owed = fse.total("patient")
            if fse.broken or not owed or draw.random() >= habits.patient_pays:
                continue
            patient = fse.patient
            name = ascii_upper(f"{patient.last_name} {patient.first_name}")
            number, motif = fse.no, draw.choice(("SOINS", "SEANCES", "HONORAIRES"))
            movement = self.add(
                provider=fse.provider,
                day=world.working_day(fse.day + timedelta(days=draw.randrange(3, 40))),
                amount=owed,
                kind="patient",
                shares=((fse, "patient"),),
                case="patient",
            )
            if draw.random() < habits.patient_quotes:
                if draw.random() < habits.patient_slips:
                    number = garbled(draw, number)
                movement.quoted = (number,)
                motif = draw.choice(("FSE {}", "FACTURE {}", "{}")).format(number)
            self.dress(movement, name, motif)

    def strangers(self, provider, days, announced):
        draw, habits = self.draw, self.habits
        for _number in range(habits.others):
            motif, name, (low, high) = draw.choice(STRANGERS)
            amount = draw.randrange(low, high)
            day = world.working_day(days[0] + timedelta(days=draw.randrange(days[1])))
            if announced and draw.random() < habits.traps:
                model = draw.choice(announced)
                amount, day = model.amount, world.working_day(model.day + timedelta(days=1))
            movement = self.add(
                provider=provider, day=day, amount=amount, kind="other", case="other", named=False
            )
            self.dress(movement, name, motif)
        for number in range(2):
            movement = self.add(
                provider=provider,
                day=world.working_day(days[0] + timedelta(days=14 + 28 * number)),
                amount=-draw.randrange(500, 2500),
                kind="other",
                case="fee",
                named=False,
            )
            movement.label = "COTISATION CARTE ET FRAIS DE TENUE DE COMPTE"


def movements(draw, habits, size, fses, settlements, providers, ids):
    """Everything that moves on the accounts, by day."""
    made = []
    for provider in providers:
        account = Account(draw, habits, ids)
        own = [s for s in settlements if s.provider is provider]
        account.settle(sorted(own, key=lambda s: (s.day, s.id)))
        account.by_fse(own)
        account.patients([fse for fse in fses if fse.provider is provider])
        announced = [s for s in own if s.announced and s.amount > 0]
        account.strangers(provider, (size.first_day, size.days + 30), announced)
        account.made.sort(key=lambda m: (m.day, m.id))
        for rank, movement in enumerate(account.made, 1):
            movement.number = f"OP{provider.rank:02d}{rank:06d}"
        made += account.made
    return made


class Statement:
    """Movements of one account over a period, as one file tells them."""

    def __init__(self, name, provider, first, last, movements, opening):
        self.name = name
        self.provider = provider
        self.first = first
        self.last = last
        self.movements = movements
        self.opening = opening


def statements(draw, habits, provider, movements, first_day, last_day):
    """A statement a week; some repeat the last days of the one before."""
    made, start = [], first_day
    while start <= last_day:
        end = min(start + timedelta(days=6), last_day)
        first = start
        if made and draw.random() < habits.overlap:
            first = start - timedelta(days=draw.randrange(2, 6))
        renamed = first < start and draw.random() < habits.other_numbers
        inside = [m for m in movements if first <= m.day <= end]
        if inside:
            before = sum(m.amount for m in movements if m.day < first)
            name = f"RELEVE-{provider.rank:02d}-{end:%Y%m%d}"
            statement = Statement(name, provider, first, end, inside, provider.opening + before)
            made.append(statement)
            for movement in inside:
                number = (
                    f"N{movement.number}" if renamed and movement.day < start else movement.number
                )
                movement.statements.append((statement, number))
        start = end + timedelta(days=1)
    return made
