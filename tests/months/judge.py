"""What a careful person with all the files could know of each credit.

Written apart from the product: every reading of every credit is listed by brute force, and a credit is *matchable*
when its true reading exists and nothing as good speaks against it, neither for the credit nor for what it pays.
A person reads a reference that is cut, that lacks a digit or has two swapped, blanks inside or O for 0; a person
does not decide on an amount alone.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

NEAR = (timedelta(days=-3), timedelta(days=8))
FAR = (timedelta(days=-10), timedelta(days=60))
REVERSED_WITHIN = timedelta(days=15)


def bare(text):
    """Digits of a number as shown: blanks left out, O read as zero."""
    return "".join(c for c in text.upper().replace("O", "0") if c.isdigit())


def _one_slip(shown, number):
    """Two neighbours swapped, or one digit lost; with its last two swapped a counter is another one."""
    if len(shown) == len(number):
        differ = [p for p in range(len(number)) if shown[p] != number[p]]
        if len(differ) != 2 or differ[1] != differ[0] + 1 or differ[1] == len(number) - 1:
            return False
        a, b = differ
        return shown[a] == number[b] and shown[b] == number[a]
    if len(shown) + 1 == len(number):
        return any(number[:p] + number[p + 1 :] == shown for p in range(len(number)))
    return False


def likeness(shown, reference):
    """2 for the whole reference, 1 for one cut or slipped, 0 for another."""
    shown, number = bare(shown), bare(reference)
    if shown == number:
        return 2
    if len(shown) >= 5 and (number.startswith(shown) or number.endswith(shown)):
        return 1
    return 1 if _one_slip(shown, number) else 0


@dataclass(frozen=True)
class Reading:
    tier: int
    movements: frozenset
    settlements: frozenset
    shares: frozenset = frozenset()


def _within(settlement, movement, window):
    return window[0] <= movement.day - settlement.day <= window[1]


class Judge:
    """One practitioner's account.

    :param settled: movements explained before; only a debit may still undo them
    """

    def __init__(self, movements, settlements, open_shares, settled=()):
        self.movements = [*movements, *settled]
        self.settlements = [s for s in settlements if s.announced and s.amount]
        self.open_shares = open_shares  # (fse, part) no file speaks of
        self.reversed = self._reversals()
        gone = {m for pair in self.reversed.items() for m in pair}
        self.left = [m for m in movements if m not in gone]
        self.cites = {
            m: {
                s: max(like)
                for s in self.settlements
                if _within(s, m, FAR) and any(like := [likeness(p, s.reference) for p in m.printed])
            }
            for m in self.left
        }
        self.readings = {m: self._read(m) for m in self.left}

    def _reversals(self):
        """Debits that undo the only credit they can undo."""
        found = {}
        for debit in self.movements:
            if debit.amount >= 0 or debit.payer is None or not debit.named:
                continue
            if debit.kind == "settlement":  # a negative transfer, told by a file
                continue
            credits = [
                m
                for m in self.movements
                if m.amount == -debit.amount
                and m.payer is debit.payer
                and timedelta(0) <= debit.day - m.day <= REVERSED_WITHIN
            ]
            same = [m for m in credits if debit.printed and m.printed == debit.printed]
            if len(same or credits) == 1:
                found[debit] = (same or credits)[0]
        return found

    def _read(self, movement):
        readings = set()
        cited = self.cites[movement]
        own = frozenset([movement])
        for settlement, like in cited.items():
            if settlement.amount == movement.amount:
                readings.add(Reading(3 if like == 2 else 2, own, frozenset([settlement])))
        if movement.amount > 0:
            readings |= self._groups(movement, cited, own)
            readings |= self._pieces(movement, cited)
        if not movement.printed and movement.named and movement.payer:
            for settlement in self._near(movement):
                if settlement.amount == movement.amount:
                    readings.add(Reading(0, own, frozenset([settlement])))
        readings |= self._shares(movement, own)
        return {r for r in readings if self._covers(r)}

    @staticmethod
    def _covers(reading):
        """Every reference that the labels show belongs to what the reading names: another one waits for its file."""
        return not reading.settlements or all(
            any(likeness(shown, s.reference) for s in reading.settlements)
            for movement in reading.movements
            for shown in movement.printed
        )

    def _near(self, movement):
        return [
            s
            for s in self.settlements
            if s.payer is movement.payer
            and _within(s, movement, NEAR)
            and s.amount * movement.amount > 0
        ]

    def _groups(self, movement, cited, own):
        found = set()
        positive = [s for s in cited if s.amount > 0]
        for size in (2, 3):
            for group in combinations(positive, size):
                if (
                    sum(s.amount for s in group) == movement.amount
                    and len({s.payer for s in group}) == 1
                ):
                    exact = all(cited[s] == 2 for s in group)
                    found.add(Reading(3 if exact else 2, own, frozenset(group)))
        if movement.payer is None or not (movement.named or cited):
            return found
        near = self._near(movement)
        for size in (2, 3, 4):
            if len(near) > 18 and size > 2:
                break
            for group in combinations(near, size):
                if sum(s.amount for s in group) != movement.amount:
                    continue
                some = [cited.get(s, 0) for s in group]
                if movement.printed and not any(some):
                    continue
                if all(some):
                    continue
                tier = 2 if 2 in some else 1 if any(some) else 0
                found.add(Reading(tier, own, frozenset(group)))
        return found

    def _pieces(self, movement, cited):
        """Other credits that make one settlement together with this one."""
        found = set()
        targets = dict(cited)
        if not movement.printed and movement.named and movement.payer:
            targets |= {s: 0 for s in self._near(movement)}
        for settlement, like in targets.items():
            if settlement.amount <= movement.amount:
                continue
            others = [
                m
                for m in self.left
                if m is not movement
                and 0 < m.amount < settlement.amount
                and m.payer is settlement.payer
                and abs((m.day - movement.day).days) <= 5
                and (settlement in self.cites[m] if like else m.named and not m.printed)
            ][:12]
            for size in (1, 2):
                for group in combinations(others, size):
                    if movement.amount + sum(m.amount for m in group) != settlement.amount:
                        continue
                    both = [like, *(self.cites[m].get(settlement, 0) for m in group)]
                    tier = 2 if all(b == 2 for b in both) else 1 if all(both) else 0
                    found.add(Reading(tier, frozenset([movement, *group]), frozenset([settlement])))
        return found

    def _shares(self, movement, own):
        """Shares whose FSE the label quotes, number by number."""
        if not movement.quoted or movement.amount <= 0:
            return set()
        wanted = set(movement.quoted)
        part = "patient" if movement.payer is None else "amc"
        shares = frozenset(
            (fse, p)
            for fse, p in self.open_shares
            if fse.no in wanted
            and p == part
            and (movement.payer is None or fse.patient.insurer is movement.payer)
        )
        if len(shares) == len(wanted) and sum(f.total(p) for f, p in shares) == movement.amount:
            return {Reading(3, own, frozenset(), shares)}
        return set()

    # -- what follows ---------------------------------------------------------------------------------

    def decide(self, truth):
        """Readings a person may trust, and those that would lead them astray.

        :param truth: dict of movement → Link
        :return: set of matchable movements, set of movements whose label misleads, the readings trusted
        """
        matchable, misled, readings_trusted = set(), set(), []
        gone_movements, gone_settlements, gone_shares = set(), set(), set()
        for tier in (3, 2, 1, 0):
            trusted = []
            open_readings = {
                m: [
                    r
                    for r in readings
                    if r.tier >= tier
                    and not r.movements & gone_movements
                    and not r.settlements & gone_settlements
                    and not r.shares & gone_shares
                ]
                for m, readings in self.readings.items()
                if m not in gone_movements
            }
            claims = defaultdict(set)
            for readings in open_readings.values():
                for reading in readings:
                    for thing in (*reading.settlements, *reading.shares, *reading.movements):
                        claims[thing].add(reading)
            for movement, readings in open_readings.items():
                if len(readings) != 1:
                    continue
                [reading] = readings
                things = (*reading.settlements, *reading.shares, *reading.movements)
                if any(claims[thing] != {reading} for thing in things):
                    continue
                if not self._sober(reading):
                    continue
                trusted.append((movement, reading))
            for movement, reading in trusted:
                readings_trusted.append(reading)
                link = truth.get(movement)
                right = link is not None and (
                    (link.movements, link.settlements, link.shares)
                    == (reading.movements, reading.settlements, reading.shares)
                )
                (matchable if right else misled).update(reading.movements)
                gone_movements |= reading.movements
                gone_settlements |= reading.settlements
                gone_shares |= reading.shares
        return matchable, misled, readings_trusted

    @staticmethod
    def _sober(reading):
        """A payer must be named, unless the number is whole; without any number, a sum convinces only for two
        transfers of one day, or two credits of one day."""
        if not all(m.named or m.payer is None for m in reading.movements):
            return reading.tier == 3 and not reading.shares
        if reading.tier:
            return True
        if len(reading.settlements) > 1:
            return len(reading.settlements) == 2 and len({s.day for s in reading.settlements}) == 1
        if len(reading.movements) > 1:
            return len(reading.movements) == 2 and len({m.day for m in reading.movements}) == 1
        return True
