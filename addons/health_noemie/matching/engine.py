"""Settlements announced, open shares and movements of the bank: what is one and the same money.

For every movement all readings are listed before anything is decided (`readings`): its label quotes the
number of an announced transfer, whole, garbled or cut; it is the sum of several, or one of several pieces;
it names the payer, and amount and days agree; it cites open shares. Work is blocked by payee, then by
reference, payer and amount, days, so the cost grows with the number of lines and not with its square.

Readings that contradict each other are weighed together (`solve`), and one is decided only if every good
way to explain the whole does without its rivals. So the answer does not depend on the order of the input,
and two equal amounts side by side stay open until a reference tells them apart. What is left waits for a
person, with the readings ranked (`explain`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from . import bank, explain
from . import labels as text
from .model import PATIENT, Credit, OpenShare, Result, Settled, Settlement
from .readings import FAR, HINTED, NAMED, QUOTED, Account, Reading, within
from .shares import Shares
from .solve import Solver, components


def match(
    settlements: Iterable[Settlement],
    credits: Iterable[Credit],
    payer_names: Iterable[str] = (),
    shares: Iterable[OpenShare] = (),
    settled: Iterable[Credit] = (),
    solver: Solver | None = None,
) -> Result:
    """Explain the movements by the settlements, then by the shares.

    :param settlements: announced and not yet received; ids are unique
    :param credits: on the bank and not yet explained, debits too; ids are unique
    :param payer_names: every payer known, also those that announced nothing: a credit that names one is
        no patient's, and is told as such
    :param shares: what payers and patients still owe, and no settlement announced
    :param settled: movements explained already: `Settled`, or `Credit` where nothing more is known
    :param solver: to read its counters afterwards
    :raises ValueError: if an id comes twice
    """
    settlements, credits = list(settlements), list(credits)
    shares, settled = list(shares), list(settled)
    _check(settlement=settlements, movement=[*credits, *settled], share=shares)
    solver = solver or Solver()
    names = _names(settlements, shares, payer_names)
    by_payee = defaultdict(lambda: ([], [], [], []))
    for at, records in enumerate((settlements, credits, shares, settled)):
        for record in records:
            by_payee[record.payee][at].append(record)
    parts = [_Payee(*own, names, solver).result() for own in by_payee.values() if own[0] or own[1]]
    return Result(
        tuple(sorted((d for p in parts for d in p.decisions), key=lambda d: d.credit_ids)),
        tuple(sorted((u for p in parts for u in p.unmatched_credits), key=lambda u: u.id)),
        tuple(sorted((u for p in parts for u in p.unmatched_settlements), key=lambda u: u.id)),
        tuple(sorted((d for p in parts for d in p.duplicates), key=lambda d: d.credit_id)),
        tuple(sorted((r for p in parts for r in p.reversals), key=lambda r: r.debit_id)),
    )


def _check(**records):
    for what, found in records.items():
        if len({record.id for record in found}) != len(found):
            raise ValueError(f"a {what} id comes twice")


def _names(settlements, shares, payer_names):
    seen = {(s.payer_key, s.payer_names) for s in settlements}
    seen |= {(s.payer_key, s.payer_names) for s in shares if s.kind != PATIENT}
    pairs = {(key, name) for key, names in seen for name in names}
    return text.Names([*pairs, *((None, name) for name in payer_names)])


class _Payee:
    """All that concerns one payee."""

    def __init__(self, settlements, movements, shares, settled, names, solver):
        self.settlements = settlements
        self.solver = solver
        ignored = {
            bare
            for settlement in settlements
            for number in settlement.ignored
            if len(bare := number.lstrip("0")) >= text.WEAK
        }
        negative = [s for s in settlements if s.expected_cents < 0]
        self.bank = bank.sort_out(movements, settled, ignored, names, negative)
        received = {
            bare
            for movement in settled
            for number in getattr(movement, "references", ())
            if len(bare := number.lstrip("0")) >= text.STRONG
            # the payee's own number stands on every label, and says nothing of this very transfer
            and not any(known in bare for known in ignored)
        }
        self.account = Account(
            [s for s in settlements if s.expected_cents > 0],
            self.bank.incoming,
            Shares(shares),
            names,
            received,
        )
        #: numbers of what is received already; one that still waits for its rest is none of them
        self.refs = received - self.account.by_ref.keys()
        # a debit that a payer announced is read like a credit, turned round
        self.back = Account(
            [replace(s, expected_cents=-s.expected_cents) for s in negative],
            [
                replace(m, amount_cents=-m.amount_cents)
                for m in self.bank.outgoing
                if m.amount_cents
            ],
            Shares(()),
            names,
        )
        #: the last day that anything tells of
        self.today = max((r.date for r in (*settlements, *movements, *settled)), default=date.min)
        self.account.today = self.today
        self.blocked = {}
        self.unannounced = defaultdict(list)
        for movement in settled:
            if isinstance(movement, Settled) and not movement.announced:
                self.unannounced[movement.amount_cents].append(movement)

    def result(self) -> Result:
        turned, back_readings = self._decide(self.back, pieces=False)
        self.bank.release(c.id for r in turned for c in r.credits)
        decided, readings = self._decide(self.account)
        decisions = explain.decisions(self.account, decided, readings)
        decisions += [explain.negative(r) for r in turned]
        done = {i for d in decisions for i in d.credit_ids}
        gone = {i for d in decisions for i in d.settlement_ids}
        by_credit, by_settlement = defaultdict(list), defaultdict(list)
        for reading in (*readings, *back_readings):
            for credit in reading.credits:
                by_credit[credit.id].append(reading)
            for settlement in reading.settlements:
                by_settlement[settlement.id].append(reading)
        left = [
            explain.credit(self, c, by_credit, by_settlement, done, gone)
            for c in self.bank.incoming
            if c.id not in done
        ]
        left += [explain.debit(self, m, by_credit) for m in self.bank.outgoing if m.id not in done]
        left_settlements = [
            explain.settlement(s, by_settlement.get(s.id, ()), self._already(s))
            for s in self.settlements
            if s.id not in gone
        ]
        return Result(
            tuple(decisions),
            tuple(left),
            tuple(left_settlements),
            tuple(self.bank.duplicates),
            tuple(self.bank.reversals),
        )

    def _already(self, settlement: Settlement) -> list[Credit]:
        """Credits booked on shares alone that this late return may announce."""
        refs = self.account.strong.get(settlement.id, frozenset())
        found = []
        for movement in self.unannounced.get(settlement.expected_cents, ()):
            quoted = refs & text.Label(movement.label, "", movement.reference).numbers
            if quoted or within(settlement, movement, FAR):
                found.append(movement)
        return sorted(found, key=lambda m: m.id)

    # -- deciding ----------------------------------------------------------------------------------

    def _decide(self, account: Account, pieces=True) -> tuple[list[Reading], list[Reading]]:
        """What is sure, and all readings of what is not decided at first sight."""
        quoted = {c.id: account.quoted_readings(c) for c in account.credits}
        decided = self._plain(account, quoted, self.bank.barred)
        done = {c.id for r in decided for c in r.credits}
        gone = {s.id for r in decided for s in r.settlements}
        account.learn_noise(decided)
        readings = []
        for credit in account.credits:
            if credit.id in done:
                continue
            own = [r for r in quoted[credit.id] if gone.isdisjoint(s.id for s in r.settlements)]
            if not own:
                own, blocked = account.payer_readings(credit, gone)
                if not pieces:
                    own = [r for r in own if r.kind != "group"]
                if blocked:
                    self.blocked[credit.id] = blocked
            sound = not own and not account.quotes[credit.id] and credit.id not in self.blocked
            own += account.share_readings(credit, sound)
            readings += own
        if pieces:
            readings += account.split_readings(gone, done)
        for reading in readings:
            self._hold(account, reading)
        for component in components(readings):
            sure, _best = self.solver.sure(component)
            decided += _uncontested(sure, component)
        return decided, readings

    @staticmethod
    def _plain(account: Account, quoted, barred) -> list[Reading]:
        """Readings that nothing of any weight contradicts: the solver would say the same."""
        claims = defaultdict(int)
        for readings in quoted.values():
            for settlement in {s.id for r in readings for s in r.settlements}:
                claims[settlement] += 1
        citing = defaultdict(int)
        for credit in account.credits:
            for settlement in account.quotes[credit.id]:
                citing[settlement] += 1
        return [
            readings[0]
            for readings in quoted.values()
            if len(readings) == 1
            and readings[0].weight == QUOTED
            and not readings[0].unsound
            and readings[0].credits[0].id not in barred
            and all(claims[s.id] == 1 and citing[s.id] < 3 for s in readings[0].settlements)
        ]

    def _hold(self, account, reading):
        """What may not decide by itself for a reason that lies outside the reading."""
        if reading.unsound:
            return
        for credit in reading.credits:
            if credit.id in self.bank.barred:
                reading.unsound = "un débit qui dit annuler un virement a le même montant"
            elif reading.quoting:
                continue
            elif credit.id in self.bank.held:
                reading.unsound = "un débit du même montant peut l'avoir annulé"
            elif credit.id in self.bank.doubtful:
                reading.unsound = "ce débit peut aussi annuler un crédit reçu"
            elif self.blocked.get(credit.id):
                reading.unsound = self.blocked[credit.id]
            elif self.refs & account.labels[credit.id].numbers:
                reading.unsound = "le libellé cite un virement reçu déjà"
            elif account.guessed(reading, credit):
                reading.unsound = "un autre retour peut encore venir qui l'explique mieux"


def _uncontested(sure: list[Reading], component: list[Reading]) -> list[Reading]:
    """Of the sure readings, those that may decide.

    A number on the label decides. Payer, amount and days decide only if every other reading is excluded by
    what is decided besides: by a number, or, for single transfers, by the only consistent order of all.
    """
    sure = {reading.key: reading for reading in sure if not reading.unsound}
    takes = defaultdict(list)
    for reading in component:
        for item in reading.items:
            takes[item].append(reading)
    while True:
        by_item = {item: reading for reading in sure.values() for item in reading.items}
        dropped = [
            reading
            for reading in sure.values()
            if not reading.quoting
            and any(
                rival is not reading and not _excluded(rival, reading, by_item)
                for item in reading.items
                for rival in takes[item]
            )
        ]
        if not dropped:
            return list(sure.values())
        for reading in dropped:
            del sure[reading.key]


def _excluded(rival: Reading, reading: Reading, by_item) -> bool:
    """Whether what is decided besides leaves no room for a rival."""
    others = {by_item[item].key: by_item[item] for item in rival.items if item in by_item}
    others.pop(reading.key, None)
    if any(other.quoting for other in others.values()):
        return True
    # money comes late more often than long before it is announced: a late rival stays one
    return (
        NAMED <= reading.weight <= HINTED
        and not (rival.kind == "far" and rival.late)
        and any(NAMED <= other.weight for other in others.values())
    )
