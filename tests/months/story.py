"""Care, sendings, and what the payers answered."""

from collections import defaultdict
from datetime import timedelta

from . import world
from .model import Answer, Fse, Settlement

REASONS = {
    "amo": (
        ("X101", "DROITS DE L ASSURE FERMES A LA DATE DES SOINS"),
        ("0450", "EXONERATION (ETM) NON CONNUE EN BASE DES DROITS"),
        ("0460", "ETABLISSEMENT PRESCRIPTEUR INCONNU DU FICHIER NATIONAL"),
        ("0250", "ASSURE ABSENT DU FICHIER DE L ORGANISME"),
    ),
    "amc": (("X201", "ADHERENT INCONNU DE L ORGANISME COMPLEMENTAIRE"),),
}


class References:
    """Numbers of transfers: year, day of the year and seven digits for funds, ten digits for insurers."""

    def __init__(self, draw):
        self.last = draw.randrange(1_000_000, 8_000_000)
        self.used = set()

    def __call__(self, provider, payer, day):
        step = 1 if provider.near_references else 30103
        while True:
            self.last = 1_000_000 + (self.last - 1_000_000 + step) % 8_999_999
            if payer.kind == "amo":
                made = f"{day:%y%j}{self.last:07d}"
            else:
                made = f"TP{day:%y%m}{self.last % 1_000_000:06d}"
            if made not in self.used:
                self.used.add(made)
                return made


def care(draw, habits, size, providers):
    """The FSE, a few days of one patient after another."""
    people = {
        provider.rank: world.patients(draw, max(3, size.fse // size.practitioners // 5))
        for provider in providers
    }
    names = defaultdict(int)
    fses = []
    for number in range(size.fse):
        provider = providers[number % len(providers)]
        patient = draw.choice(people[provider.rank])
        day = size.first_day + timedelta(days=draw.randrange(size.days))
        names[provider.rank] += 1
        no = f"{100 + provider.rank:03d}{names[provider.rank] * 7 + 10_000:06d}"
        visits = 1 if provider.profession == "orthoptiste" else draw.choice((1, 1, 2, 3, 5))
        fse = Fse(number + 1, provider, patient, no, day, [])
        for _visit in range(visits):
            fse.acts += acts(draw, patient, draw.choice(world.TRADES[provider.profession]))
        fse.broken = draw.random() < habits.broken_rows
        fses.append(fse)
    return sorted(fses, key=lambda fse: (fse.provider.rank, fse.day, fse.no))


def acts(draw, patient, recipe):
    rows = []
    for letter, coefficient, fee in recipe:
        amo = fee * patient.rate // 100
        rest = fee - amo
        amc, own = (rest, 0) if patient.insurer else (0, rest)
        rows.append((letter, coefficient, 1, fee, amo, amc, own))
    return rows


def send(draw, habits, fses):
    """Twice a week, one lot per fund; the ARL of each."""
    lots = {}
    counts = defaultdict(int)
    for fse in fses:
        if fse.broken:
            continue
        day = fse.day
        while day.weekday() not in (1, 4):
            day += timedelta(days=1)
        fse.sent_on = day
    for fse in sorted(fses, key=lambda f: (f.provider.rank, f.sent_on or f.day, f.no)):
        if not fse.sent_on:
            continue
        key = (fse.provider.rank, fse.patient.fund.key, fse.sent_on)
        if key not in lots:
            counts[fse.provider.rank] += 1
            chance = draw.random()
            result = "positif"
            if chance < habits.arl_refused:
                result = "negatif"
            elif chance < habits.arl_refused + habits.arl_missing:
                result = ""
            lots[key] = f"{counts[fse.provider.rank] % 999 + 1:03d}", result
        fse.lot_no, fse.lot_result = lots[key]
    return lots


def _answer(draw, habits, fse, part, answers_of):
    """What the payer says of one share now; None when it is silent."""
    asked = fse.total(part)
    if not asked:
        return None
    chance = draw.random()
    if chance < habits.silent:
        return None
    chance -= habits.silent
    if chance < habits.rejected:
        code, label = draw.choice(REASONS[part])
        return Answer(fse, part, asked, 0, "R", code, label)
    chance -= habits.rejected
    if chance < habits.partial and asked > 200:
        return Answer(fse, part, asked, asked - draw.randrange(50, asked // 2 + 50), "P")
    chance -= habits.partial
    if chance < habits.deferred:
        answers_of["later"].append((fse, part))
        return Answer(fse, part, asked, 0, "D")
    chance -= habits.deferred
    if chance < habits.paid_twice:
        answers_of["twice"].append((fse, part))
    return Answer(fse, part, asked, asked, "P")


class Payments:
    """Settlements made one after the other."""

    def __init__(self, draw, habits):
        self.draw = draw
        self.habits = habits
        self.references = References(draw)
        self.made = []

    def settlement(self, provider, payer, day, answers, **values):
        settlement = Settlement(
            len(self.made) + 1,
            provider,
            payer,
            day,
            self.references(provider, payer, day),
            answers,
            **values,
        )
        self.made.append(settlement)
        return settlement

    def pay(self, provider, payer, day, groups):
        """Transfers for the answers of one sending (a list per FSE)."""
        draw, habits = self.draw, self.habits
        if not groups:
            return
        if (
            len(groups) > 1
            and draw.random() < habits.equal
            and self._equal(provider, payer, day, groups)
        ):
            return
        pieces = [groups]
        if len(groups) > 3 and draw.random() < habits.multi:
            cut = sorted(draw.sample(range(1, len(groups)), draw.choice((1, 1, 2))))
            pieces = [groups[a:b] for a, b in zip([0, *cut], [*cut, len(groups)], strict=True)]
        for piece in pieces:
            later = world.working_day(day + timedelta(days=draw.choice((0, 0, 0, 1, 2))))
            made = self.settlement(provider, payer, later, [a for group in piece for a in group])
            self._extras(made)

    def _equal(self, provider, payer, day, groups):
        """Transfers of the same amount: the FSE of one amount, each in its own."""
        by_amount = defaultdict(list)
        for group in groups:
            amount = sum(answer.paid for answer in group)
            if amount:
                by_amount[amount].append(group)
        equal = max(by_amount.values(), key=len, default=[])
        if len(equal) < 2:
            return False
        rest = [group for group in groups if not any(group is other for other in equal[:3])]
        for group in equal[:3]:
            later = world.working_day(day + timedelta(days=self.draw.choice((0, 0, 1, 7))))
            self.settlement(provider, payer, later, group)
        if rest:
            self.settlement(provider, payer, day, [a for group in rest for a in group])
        return True

    def _extras(self, settlement):
        draw, habits = self.draw, self.habits
        paid = sum(answer.paid for answer in settlement.answers)
        if settlement.payer.kind != "amo" or paid < 100:
            return
        chance = draw.random()
        if chance < habits.negative:
            settlement.retention = paid + draw.randrange(100, 5000)
        elif chance < habits.negative + habits.retention:
            settlement.retention = draw.randrange(50, paid)
        elif chance < habits.negative + habits.retention + habits.lump_sum:
            settlement.lump_sum = draw.choice((28000, 35000, 49000))


def answer(draw, habits, size, fses):
    """All settlements of the month."""
    payments = Payments(draw, habits)
    again, insurers = defaultdict(list), defaultdict(list)
    batches = defaultdict(list)
    for fse in fses:
        if fse.sent_on and fse.lot_result != "negatif":
            batches[fse.provider, fse.patient.fund, fse.sent_on].append(fse)
    for (provider, fund, sent_on), batch in batches.items():
        day = world.working_day(sent_on + timedelta(days=draw.choice((4, 5, 5, 6, 8))))
        notes = {"later": [], "twice": []}
        groups = []
        for fse in batch:
            found = _fund_answers(draw, habits, fse, notes)
            if found:
                groups.append(found)
            insurer = fse.patient.insurer
            if insurer and not insurer.with_fund and found and found[0].state == "P":
                friday = sent_on + timedelta(days=3 if sent_on.weekday() == 1 else 0)
                insurers[provider, insurer, friday].append(fse)
        payments.pay(provider, fund, day, groups)
        _once_more(again, provider, fund, day, notes)
    for (provider, insurer, sent_on), batch in insurers.items():
        day = world.working_day(sent_on + timedelta(days=draw.choice((9, 11, 12, 15))))
        notes = {"later": [], "twice": []}
        groups = [[a] for fse in batch if (a := _answer(draw, habits, fse, "amc", notes))]
        payments.pay(provider, insurer, day, groups)
        _once_more(again, provider, insurer, day, notes)
    for (provider, payer, day), pairs in again.items():
        pairs.sort(key=lambda pair: (pair[0].id, pair[1]))
        answers = [Answer(fse, part, fse.total(part), fse.total(part)) for fse, part in pairs]
        payments.settlement(provider, payer, day, answers)
    for settlement in payments.made:
        _fate(draw, habits, settlement)
    return payments.made


def _fund_answers(draw, habits, fse, notes):
    """The fund's answer, and that of the insurer for whom it pays."""
    first = _answer(draw, habits, fse, "amo", notes)
    if not first:
        return []
    insurer = fse.patient.insurer
    if not (insurer and insurer.with_fund):
        return [first]
    if first.state == "P":
        second = _answer(draw, habits, fse, "amc", notes)
    else:  # an insurer paid through the fund is never ahead of it
        second = Answer(fse, "amc", fse.total("amc"), 0, first.state, first.code, first.label)
        if first.state == "D":
            notes["later"].append((fse, "amc"))
    return [first, second] if second else [first]


def _once_more(again, provider, payer, day, notes):
    """What was deferred is paid later; some is paid a second time."""
    for kind, delay in (("later", 10), ("twice", 14)):
        for pair in notes[kind]:
            again[provider, payer, world.working_day(day + timedelta(days=delay))].append(pair)


def _fate(draw, habits, settlement):
    """Whether its file and its money come."""
    chance = draw.random()
    worth = settlement.amount > 0 and any(a.paid for a in settlement.answers)
    plain = not settlement.retention and not settlement.lump_sum
    if worth and chance < habits.announced_only:
        settlement.paid = False
    elif worth and plain and chance < habits.announced_only + habits.no_return:
        settlement.announced = False
    elif settlement.amount < 0:
        settlement.paid = draw.random() < 0.5
    elif settlement.amount == 0:
        settlement.paid = False
