"""Every way to read the movements of one payee: what may be decided, and what contests it."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from . import labels as text
from .model import AMC, PATIENT, Credit, OpenShare, Settlement
from .shares import Shares, names_agree

#: days from the announced transfer to the bank, without a reference (-1 to +5 working days)
NEAR = (timedelta(days=-3), timedelta(days=8))
#: the same when the label quotes a number that belongs to that settlement alone, garbled or cut too
WIDE = (timedelta(days=-10), timedelta(days=60))
#: the same for a second reading without number: far, but possible enough to contest another
FAR = (timedelta(days=-10), timedelta(days=30))
#: settlements in one credit, at most, when no reference names them
GROUP_SIZE = 4
#: without any reference a sum decides only for that few settlements, announced that close together;
#: more would be chance: with ten open settlements one amount in three hundred is some sum of four
GROUP_UNQUOTED = 3
GROUP_DAYS = timedelta(days=3)
#: one settlement in several credits: how many, and how close to each other when one quotes nothing
SPLIT_SIZE = 4
SPLIT_DAYS = timedelta(days=5)
#: a sum of lines without a reference must have that many cents for each sum that was tried
CHANCE = 200
#: a payer that announced nothing that long after its credit will not announce it any more
LATE_RETURN = timedelta(days=30)
#: … and one that may be announced yet contests what has no number, for that long
FRESH = timedelta(days=14)
#: letters and digits that begin a number, cut before its counter: a year and a month at most
BEGUN = re.compile(r"[A-Z]+\d{2,4}")
#: more open settlements than that around one credit: uniqueness costs too much to prove
BLOCK_LIMIT = 60
#: numbers of transfers that differ by less are a counter's; none that differ by less: no counter
SIDE_BY_SIDE, FAR_APART = 100, 1_000
#: the digits of a number that count: those before are often a day
COUNTING = 10**7
#: two numbers of a counter that differ by less may be two transfers of one week
BESIDE = 90
#: sums tried for one credit, at most
BUDGET = 4000

#: how much a reading says. Far apart on purpose: weaker ones never outvote a stronger one
QUOTED, CITED, CUT, SHORT, HINTED, NAMED = 100_000, 30_000, 20_000, 8_000, 2_000, 1_000
QUOTED_SPLIT, PART_QUOTED = 90_000, 15_000
SUM, DOUBTFUL_SUM, FAR_OFF, EARLY, OPEN_SHARES, PIECES = 700, 400, 600, 300, 600, 450

#: how sure a number on a label is: whole; wrong in a character; short; the beginning only
WHOLE, GUESS, WEAK, HINT = 4, 3, 2, 1


class Quote(NamedTuple):
    """A settlement's number on a label: the number, what the label shows of it, and how."""

    number: str
    shown: str
    how: str  # whole, garbled, cut
    level: int


@dataclass(eq=False)
class Reading:
    """One way to explain movements: what they pay, and what supports it."""

    kind: str  # single, far, group, split, shares, patient
    weight: int
    credits: tuple[Credit, ...]
    settlements: tuple[Settlement, ...] = ()
    shares: tuple[OpenShare, ...] = ()
    quotes: dict = field(default_factory=dict)  # (credit id, settlement or share id) → Quote
    names: tuple[str, ...] = ()
    #: French: why it may not decide by itself; empty when it may
    unsound: str = ""
    lot: str = ""

    def __post_init__(self):
        credits = tuple(credit.id for credit in self.credits)
        settlements = tuple(settlement.id for settlement in self.settlements)
        shares = tuple(share.id for share in self.shares)
        #: all that it takes
        self.items = (
            *(("credit", i) for i in credits),
            *(("settlement", i) for i in settlements),
            *(("share", i) for i in shares),
        )
        self.key = (credits, settlements, shares, self.kind)

    @property
    def quoting(self) -> bool:
        """Whether a number on the label carries it."""
        return self.weight >= SHORT

    @property
    def late(self) -> bool:
        return any(c.date > s.date for c in self.credits for s in self.settlements)

    @property
    def gap(self) -> int:
        """Received minus announced (or owed)."""
        return (
            sum(credit.amount_cents for credit in self.credits)
            - sum(settlement.expected_cents for settlement in self.settlements)
            - sum(share.amount_cents for share in self.shares)
        )


def within(settlement: Settlement, credit: Credit, window) -> bool:
    return window[0] <= credit.date - settlement.date <= window[1]


def subsets(candidates: list, target: int, largest: int, amount, budget: int = BUDGET):
    """Sets of at most `largest` candidates whose sum is the target; three are enough to doubt.

    :return: the sets, or nothing if there is too much to try
    """
    ordered = sorted(
        (c for c in candidates if amount(c) <= target), key=lambda c: (-amount(c), c.id)
    )
    found = []
    tails = [0] * (len(ordered) + 1)
    for position in range(len(ordered) - 1, -1, -1):
        tails[position] = tails[position + 1] + amount(ordered[position])

    def grow(position, rest, chosen):
        nonlocal budget
        if not rest:
            found.append(tuple(sorted(chosen, key=lambda c: c.id)))
            return
        if len(chosen) == largest:
            return
        for at in range(position, len(ordered)):
            budget -= 1
            if len(found) > 2 or tails[at] < rest or budget < 0:
                return
            # the largest left must reach the rest in the pieces that may still be taken
            if amount(ordered[at]) * (largest - len(chosen)) < rest:
                return
            if amount(ordered[at]) <= rest:
                grow(at + 1, rest - amount(ordered[at]), (*chosen, ordered[at]))

    grow(0, target, ())
    return None if budget < 0 and len(found) <= 1 else found


def _expected(settlement):
    return settlement.expected_cents


def _received(credit):
    return credit.amount_cents


class Account:
    """The open settlements, credits and shares of one payee, indexed, and their readings."""

    def __init__(self, settlements, credits, shares: Shares, names: text.Names, more_refs=()):
        settlements = sorted(settlements, key=lambda s: (s.date, s.id))
        self.settlements = settlements
        self.credits = sorted(credits, key=lambda c: (c.date, c.id))
        self.shares = shares
        self.by_id = {settlement.id: settlement for settlement in settlements}
        self.refs, self.strong = {}, {}
        self.by_ref = defaultdict(list)
        self.by_payer = defaultdict(list)
        self.by_amount = defaultdict(list)
        for settlement in settlements:
            refs = text.references(settlement.labels, settlement.ignored, settlement.date)
            self.refs[settlement.id] = refs
            self.strong[settlement.id] = frozenset(r for r in refs if len(r) >= text.STRONG)
            for ref in refs:
                self.by_ref[ref].append(settlement)
            self.by_payer[settlement.payer_key].append(settlement)
            self.by_amount[settlement.expected_cents].append(settlement)
        self.dates = {key: [s.date for s in found] for key, found in self.by_payer.items()}
        self.lengths = frozenset(len(ref) for ref in self.by_ref)
        self.longest = max(self.lengths, default=0)
        self.ignored = {
            bare
            for settlement in settlements
            for number in settlement.ignored
            if len(bare := number.lstrip("0")) >= text.WEAK
        }
        self.settled_refs = frozenset(more_refs)
        keys = self.by_payer.keys() | shares.by_payer.keys()
        self.labels, self.named, self.all_named, self.quotes = {}, {}, {}, {}
        for credit in self.credits:
            label = text.Label(credit.label, credit.counterparty, credit.reference)
            named = names.find(label.label, label.counter)
            self.labels[credit.id] = label
            self.all_named[credit.id] = named
            self.named[credit.id] = {key: named[key] for key in named if key in keys}
        for credit in self.credits:
            self.quotes[credit.id] = self._quotes(credit)
        #: the last day that anything tells of; set by whoever knows more than this account
        self.today = date.min
        #: lengths of the numbers that this bank prints on labels besides references
        self.noise = frozenset()
        self.constant = frozenset()

    # -- what a label says -------------------------------------------------------------------------

    def near(self, payer_key, day, window=NEAR) -> list[Settlement]:
        """Settlements of a payer whose transfer may have reached the bank that day."""
        dates = self.dates.get(payer_key)
        if not dates:
            return []
        first = bisect_left(dates, day - window[1])
        last = bisect_right(dates, day - window[0])
        return self.by_payer[payer_key][first:last]

    def same_amount(self, credit: Credit, window) -> list[Settlement]:
        found = self.by_amount.get(credit.amount_cents, ())
        if len(found) > 8:
            first = bisect_left(found, credit.date - window[1], key=lambda s: s.date)
            last = bisect_right(found, credit.date - window[0], key=lambda s: s.date)
            return found[first:last]
        return [s for s in found if within(s, credit, window)]

    def _numbers(self, label):
        numbers = set(label.numbers | label.other)
        for number in tuple(numbers):
            if len(number) > text.STRONG:
                numbers |= text.pieces(number, self.lengths)
        return numbers

    def _quotes(self, credit: Credit) -> dict[int, Quote]:
        """Settlements whose number the label quotes: whole, else garbled or cut."""
        label, named, found = self.labels[credit.id], self.named[credit.id], {}
        numbers = self._numbers(label)
        for number in sorted(numbers, key=lambda n: (-len(n), n)):
            owners = self.by_ref.get(number, ())
            sole = len(owners) == 1 and len(number) >= text.STRONG
            for settlement in owners:
                if not within(settlement, credit, WIDE if sole else NEAR):
                    continue
                if len(number) < text.STRONG and settlement.payer_key not in named:
                    continue
                found.setdefault(
                    settlement.id, Quote(number, number, "whole", WHOLE if sole else WEAK)
                )
        if any(quote.level == WHOLE for quote in found.values()) and len(label.joined) < 2:
            return found
        for settlement in self._likely(credit):
            if settlement.id not in found and (quote := self._guess(credit, settlement)):
                found[settlement.id] = quote
        return found

    def _likely(self, credit: Credit) -> list[Settlement]:
        """Settlements that a number on the label may have meant."""
        label = self.labels[credit.id]
        unknown = {
            bare
            for number in label.joined
            if (bare := number.lstrip("0")) not in label.numbers or bare not in self.by_ref
        }
        unknown = {n for n in unknown if len(n) <= self.longest + 2}
        if not unknown:
            return []
        likely = {s.id: s for s in self.same_amount(credit, WIDE)}
        for key in self.named[credit.id]:
            near = self.near(key, credit.date)
            if len(near) <= BLOCK_LIMIT:
                likely.update((s.id, s) for s in near)
        for number in unknown:
            refs = [number] if number in self.by_ref else []
            if len(number) > text.STRONG:
                refs += [ref for ref in text.neighbours(number) if ref in self.by_ref]
            if len(number) >= text.CUT_NUMBER:
                refs += self._beginning(self._sorted_refs, number, 4)
                refs += [ref[::-1] for ref in self._beginning(self._sorted_ends, number[::-1], 4)]
            likely.update(
                (s.id, s) for ref in refs for s in self.by_ref[ref] if within(s, credit, WIDE)
            )
        return [likely[i] for i in sorted(likely)]

    @staticmethod
    def _beginning(refs: list[str], part: str, most: int) -> list[str]:
        at = bisect_left(refs, part)
        found = []
        while at < len(refs) and refs[at].startswith(part) and len(found) < most:
            found.append(refs[at])
            at += 1
        return found

    def _guess(self, credit: Credit, settlement: Settlement) -> Quote | None:
        """A settlement's number on a label, with a character or two wrong, or cut."""
        label, best = self.labels[credit.id], None
        named = settlement.payer_key in self.named[credit.id]
        close = within(settlement, credit, NEAR)
        for ref in sorted(self.strong[settlement.id]):
            for shown in sorted(label.joined, key=lambda n: (-len(n), n)):
                bare = shown.lstrip("0")
                if bare in self.by_ref and ref != bare:
                    continue  # another settlement's own
                level = self._garbled(bare, ref, named, close)
                how = "garbled"
                if level == GUESS and bare != ref and self._cut_beside(label, shown, ref):
                    level = 0
                if not level and len(shown) < len(ref):
                    level, how = self._cut(shown, ref, settlement, credit, named, close), "cut"
                if level and (best is None or level > best.level):
                    best = Quote(ref, shown, how, level)
        return best

    @staticmethod
    def _cut_beside(label: text.Label, shown: str, ref: str) -> bool:
        """Whether a number only comes near a reference with what stands beside it: a cut one, and a day."""
        return any(
            piece != shown
            and len(piece) >= text.CUT_NUMBER
            and piece in shown
            and (ref.startswith(piece) or ref.endswith(piece))
            for group in label.groups
            for piece in group
        )

    def _garbled(self, shown: str, ref: str, named: bool, close: bool) -> int:
        if shown == ref:
            return GUESS  # letters written for digits, blanks inside
        if abs(len(shown) - len(ref)) > 2 or len(shown) < text.WEAK:
            return 0
        sparse = self._sparse(ref)
        limit = 2 if named and close and sparse else 1
        differ = text.distance(shown, ref, limit)
        if differ > limit or not (named or close or len(ref) >= 10):
            return 0
        if ref.startswith(shown):
            return HINT  # the last digit is missing: it may be the next transfer's number
        if len(shown) == len(ref) and text.may_be_next(shown, ref) and not sparse:
            swapped = sorted(shown) == sorted(ref)
            near = abs(int(shown) - int(ref)) < BESIDE
            if not swapped or (near and self._counted(ref)):
                return 0  # it may be the number of another transfer
        if differ == 2 and any(other in self.by_ref for other in text.neighbours(shown)):
            return 0  # closer to another settlement
        return GUESS

    def _sparse(self, ref: str) -> bool:
        """Whether the numbers known of that shape are far from each other: no counter."""
        known = self._numbers_by_length.get(len(ref), ())
        return len(known) >= 4 and self._least_step[len(ref)] >= FAR_APART

    def _counted(self, ref: str) -> bool:
        """Whether the numbers known of that shape are close to each other: a counter."""
        known = self._numbers_by_length.get(len(ref), ())
        return len(known) >= 2 and self._least_step[len(ref)] < SIDE_BY_SIDE

    @cached_property
    def _numbers_by_length(self):
        found = defaultdict(list)
        for ref in sorted(self.by_ref):
            if len(ref) >= text.STRONG:
                found[len(ref)].append(int(ref) % COUNTING)
        return {length: sorted(numbers) for length, numbers in found.items()}

    @cached_property
    def _least_step(self):
        return {
            length: min((b - a for a, b in zip(found, found[1:], strict=False)), default=0)
            for length, found in self._numbers_by_length.items()
        }

    @cached_property
    def _sorted_refs(self):
        return sorted(ref for ref in self.by_ref if len(ref) >= text.STRONG)

    @cached_property
    def _sorted_ends(self):
        return sorted(ref[::-1] for ref in self.by_ref if len(ref) >= text.STRONG)

    def _cut(self, shown, ref, settlement, credit, named, close) -> int:
        """Whether a number is the beginning or the end of a reference, and of which others."""
        if ref.startswith(shown):
            refs, part, turn = self._sorted_refs, shown, 1
        elif ref.endswith(shown):
            refs, part, turn = self._sorted_ends, shown[::-1], -1
        else:
            return 0
        owners = {
            s.id
            for found in self._beginning(refs, part, 20)
            for s in self.by_ref[found[::turn]]
            if within(s, credit, WIDE)
        }
        sole = owners <= {settlement.id}
        if turn > 0:
            # the first digits are a day, and the next transfer shares them: little more than a name
            return HINT if named or close or (sole and len(shown) >= text.STRONG) else 0
        if sole:
            return GUESS if len(shown) >= text.STRONG else WEAK
        return WEAK if named else HINT if close else 0

    def owners(self, credit: Credit) -> bool:
        """Whether the label quotes some settlement's own long number, whatever the days."""
        return any(
            len(number) >= text.STRONG and number in self.by_ref
            for number in self._numbers(self.labels[credit.id])
        )

    def learn_noise(self, decided) -> None:
        """Which numbers on this bank's labels are no references: what sure matches show besides."""
        lengths, shown = Counter(), Counter()
        for credit in self.credits:
            shown.update(self.labels[credit.id].said)
        for reading in decided:
            refs = {n for quote in reading.quotes.values() for n in (quote.number, quote.shown)}
            for credit in reading.credits:
                for number in self.labels[credit.id].said:
                    if not self._explained(number, refs, credit):
                        lengths[len(number)] += 1
        self.constant = frozenset(number for number, count in shown.items() if count > 2)
        self.noise = frozenset(length for length, count in lengths.items() if count > 1)

    def _explained(self, number, refs, credit):
        bare = number.lstrip("0")
        return (
            text.is_date(number, credit.date)
            or any(known in number or bare in known for known in self.ignored)
            or any(ref in number or number in ref or bare in ref for ref in refs)
        )

    def contradiction(self, settlement: Settlement, credit: Credit) -> str:
        """A number on the label that another transfer must bear, not this one."""
        own = self.strong[settlement.id]
        label = self.labels[credit.id]
        if not own or own & label.numbers or settlement.id in self.quotes[credit.id]:
            return ""
        longest = max(map(len, own))
        quotes = self.quotes[credit.id].values()
        cited = own | {n for quote in quotes for n in (quote.number, quote.shown)}
        known = [n.lstrip("0") for n in settlement.ignored if len(n.lstrip("0")) >= text.WEAK]
        for number in sorted(label.said | label.numbers):
            bare = number.lstrip("0")
            if (
                text.CUT_NUMBER <= len(bare) <= longest + 1
                and number not in self.constant
                and len(number) not in self.noise
                and not any(k in number for k in known)
                and not self._explained(number, cited, credit)
            ):
                return bare
        return ""

    def guessed(self, reading: Reading, credit: Credit) -> bool:
        """Whether a return that has not come yet may well explain a credit better.

        True of what no number carries when it was received before it is announced, when it is a sum of several
        days, or when the label shows the first letters and digits of a number, too few to tell whose.
        """
        late = credit.date + LATE_RETURN > self.today
        if not late or not reading.settlements:
            return False
        days = {s.date for s in reading.settlements}
        if len(days) > 1 or (credit.date < min(days) and credit.date + FRESH > self.today):
            return True
        begun = {word for word in self.labels[credit.id].label if BEGUN.fullmatch(word)}
        return any(
            whole != word and whole.startswith(word)
            for s in (reading.settlements if begun else ())
            for label in s.labels
            for whole in text.words(label)
            for word in begun
        )

    # -- readings ----------------------------------------------------------------------------------

    def quoted_readings(self, credit: Credit) -> list[Reading]:
        """Readings made only of settlements that the label quotes."""
        quotes = self.quotes[credit.id]
        cited = [self.by_id[i] for i in quotes]
        if not cited or len(cited) > BLOCK_LIMIT:
            return []
        found = subsets(cited, credit.amount_cents, len(cited), _expected) or []
        return [self._reading(credit, chosen) for chosen in found]

    def _reading(self, credit, chosen):
        reading = self._plain_reading(credit, chosen)
        shown = {quote.shown for quote in reading.quotes.values()}
        left = sorted(
            quote.shown
            for quote in self.quotes[credit.id].values()
            if quote.level >= GUESS and not any(quote.shown in s or s in quote.shown for s in shown)
        )
        if left:
            reading.unsound = f"le libellé cite aussi {left[0]}"
        return reading

    def _plain_reading(self, credit, chosen):
        quotes = self.quotes[credit.id]
        cited = {(credit.id, s.id): quotes[s.id] for s in chosen if s.id in quotes}
        names = self.named[credit.id].get(chosen[0].payer_key, ())
        single = len(chosen) == 1
        if len(cited) == len(chosen):
            # two beginnings that agree with their sum say as much as one short number
            level = min(quote.level for quote in cited.values())
            weight = self._weight(level if single else max(level, WEAK))
            kind = "single" if single else "group"
            return Reading(kind, weight, (credit,), chosen, quotes=cited, names=names)
        if cited:
            level = max(quote.level for quote in cited.values())
            weight = PART_QUOTED if level >= GUESS else self._weight(level)
            return Reading("group", weight, (credit,), chosen, quotes=cited, names=names)
        kind = "single" if single else "group"
        weight = NAMED if single else SUM
        return Reading(kind, weight, (credit,), chosen, names=names)

    @staticmethod
    def _weight(level):
        return {WHOLE: QUOTED, GUESS: CUT, WEAK: SHORT, HINT: HINTED}[level]

    def payer_readings(self, credit: Credit, gone: set) -> tuple[list[Reading], str]:
        """Readings by payer, days and amount; with the settlements the label quotes among them.

        :return: readings, and a reason in French if not all of them could be listed
        """
        quotes, named = self.quotes[credit.id], self.named[credit.id]
        about = bool(quotes) or self.owners(credit)
        found, blocked = [], ""
        keys = set(named) | {self.by_id[i].payer_key for i in quotes}
        for key in sorted(keys, key=repr):
            near = [
                s
                for s in self.near(key, credit.date)
                if s.id not in gone and (s.id in quotes or not self.contradiction(s, credit))
            ]
            if not about:
                singles = [s for s in near if s.expected_cents == credit.amount_cents]
                found += [self._reading(credit, (s,)) for s in singles]
                found += [
                    Reading(
                        "far",
                        FAR_OFF if credit.date > s.date else EARLY,
                        (credit,),
                        (s,),
                        names=named.get(key, ()),
                        unsound="les jours sont trop éloignés pour décider sans référence",
                    )
                    for s in self.same_amount(credit, FAR)
                    if s.payer_key == key
                    and s.id not in gone
                    and not within(s, credit, NEAR)
                    and not self.contradiction(s, credit)
                ]
            if len(near) > BLOCK_LIMIT and not all(s.id in quotes for s in near):
                blocked = (
                    f"{len(near)} virements annoncés du même payeur autour de cette date : "
                    "trop de lectures possibles, indiquez le bon."
                )
                continue
            rest = [s for s in near if s.expected_cents < credit.amount_cents]
            if len(rest) < 2:
                continue
            chosen = subsets(rest, credit.amount_cents, GROUP_SIZE, _expected)
            if chosen is None:
                blocked = (
                    f"{len(near)} virements annoncés du même payeur autour de cette date font trop de "
                    "sommes possibles : indiquez lesquels."
                )
                continue
            for members in chosen:
                if about and not any(s.id in quotes for s in members):
                    continue
                reading = self._reading(credit, members)
                if not reading.quotes:
                    reading.unsound = self._doubtful_sum(members, rest, credit.amount_cents)
                    if reading.unsound:
                        reading.weight = DOUBTFUL_SUM
                found.append(reading)
        return found, blocked

    @staticmethod
    def _doubtful_sum(members, rest, amount):
        """Why a sum that no reference supports may be chance."""
        dates = [s.date for s in members]
        if len(dates) > GROUP_UNQUOTED or max(dates) - min(dates) > GROUP_DAYS:
            return "leurs dates sont éloignées et aucune référence n'est citée"
        tried = 0
        days = sorted(s.date for s in rest)
        for at, day in enumerate(days):
            after = bisect_right(days, day + GROUP_DAYS) - at - 1
            tried += after + after * (after - 1) // 2
        if tried * CHANCE > amount:
            return "trop de sommes étaient possibles pour un si petit montant"
        return ""

    def split_readings(self, gone_settlements: set, gone_credits: set) -> list[Reading]:
        """One settlement in several credits."""
        quoting, naming = defaultdict(list), defaultdict(list)
        for credit in self.credits:
            if credit.id in gone_credits:
                continue
            for settlement_id in self.quotes[credit.id]:
                quoting[settlement_id].append(credit)
            if not self.quotes[credit.id] and not self.owners(credit):
                for key in self.named[credit.id]:
                    naming[key].append(credit)
        days = {key: [c.date for c in found] for key, found in naming.items()}
        found = []
        for settlement in self.settlements:
            if settlement.id in gone_settlements:
                continue
            total = settlement.expected_cents
            cited = [c for c in quoting[settlement.id] if c.amount_cents < total]
            dates = days.get(settlement.payer_key, [])
            first = bisect_left(dates, settlement.date + NEAR[0])
            last = bisect_right(dates, settlement.date + NEAR[1])
            plain = naming[settlement.payer_key][first:last] if dates else []
            if len(cited) + len(plain) < 2:
                continue
            plain = [
                c for c in plain if c.amount_cents < total and not self.contradiction(settlement, c)
            ]
            if len(cited) > BLOCK_LIMIT or len(plain) > BLOCK_LIMIT:
                continue
            found += self._pieces(settlement, cited, plain)
        return found

    def _pieces(self, settlement, cited, plain):
        total, found = settlement.expected_cents, []
        for chosen in subsets(cited, total, SPLIT_SIZE, _received) or ():
            level = min(self.quotes[c.id][settlement.id].level for c in chosen)
            weight = QUOTED_SPLIT if level == WHOLE else self._weight(level)
            found.append(self._split(settlement, chosen, weight))
        by_amount = defaultdict(list)
        for credit in plain:
            by_amount[credit.amount_cents].append(credit)
        for size in (1, 2):
            for known in combinations(cited, size) if len(cited) <= 8 else ():
                missing = total - sum(c.amount_cents for c in known)
                for credit in by_amount.get(missing, ()):
                    days = [c.date for c in (*known, credit)]
                    weight = PART_QUOTED if max(days) - min(days) <= SPLIT_DAYS else DOUBTFUL_SUM
                    found.append(self._split(settlement, (*known, credit), weight))
        if not cited:
            pairs = [
                (one, other)
                for one, other in combinations(plain, 2)
                if abs(one.date - other.date) <= GROUP_DAYS
            ]
            for pair in pairs:
                if sum(c.amount_cents for c in pair) == total:
                    reading = self._split(settlement, pair, PIECES)
                    if len(pairs) * CHANCE > total:
                        reading.unsound = (
                            "trop de sommes étaient possibles pour un si petit montant"
                        )
                    found.append(reading)
        return found

    def _split(self, settlement, chosen, weight):
        chosen = tuple(sorted(chosen, key=lambda c: (c.date, c.id)))
        quotes = {
            (c.id, settlement.id): self.quotes[c.id][settlement.id]
            for c in chosen
            if settlement.id in self.quotes[c.id]
        }
        names = tuple(
            dict.fromkeys(
                name for c in chosen for name in self.named[c.id].get(settlement.payer_key, ())
            )
        )
        unsound = ""
        if weight == DOUBTFUL_SUM:
            unsound = "un des crédits ne cite pas la référence et ses jours sont éloignés"
        return Reading(
            "split", weight, chosen, (settlement,), quotes=quotes, names=names, unsound=unsound
        )

    def share_readings(self, credit: Credit, sound: bool) -> list[Reading]:
        """Readings against open shares, without any return.

        :param sound: whether no settlement may be meant
        """
        shares, label = self.shares, self.labels[credit.id]
        if not shares.by_id:
            return []
        named, found = self.named[credit.id], []
        cited = shares.cited(label)
        if cited:
            found += self._cited(credit, cited, named)
        if found:
            return found
        for key in sorted(named, key=repr):
            whole = None
            if sound and not cited and credit.date + LATE_RETURN <= self.today:
                whole = self._whole(key, credit)
            ids = {share.id for share in whole[1]} if whole else set()
            if whole:
                found.append(self._unannounced(credit, whole, named[key], ""))
            # a return may still come that announces them
            late = credit.date + FRESH > self.today
            found += [
                self._unannounced(
                    credit,
                    alike,
                    named[key],
                    "aucun numéro n'est cité et d'autres parts ouvertes peuvent faire ce montant",
                )
                for alike in (shares.alike(key, credit)[:6] if late else ())
                if {share.id for share in alike[1]} != ids
            ]
        return found

    def _whole(self, key, credit):
        """All that an insurer owes, or a whole lot, when it never announces and cites no number."""
        if key in self.by_payer or any(
            not text.is_date(number, credit.date) for number in self.labels[credit.id].said
        ):
            return None
        whole = self.shares.whole(key, credit)
        if not whole or len(whole[1]) < 2 or any(share.kind != AMC for share in whole[1]):
            return None
        return whole

    @staticmethod
    def _unannounced(credit, alike, names, unsound):
        lot, members = alike
        return Reading(
            "shares",
            OPEN_SHARES,
            (credit,),
            shares=members,
            names=names,
            unsound=unsound,
            lot=lot,
        )

    def _cited(self, credit, cited, named):
        label, by_id = self.labels[credit.id], self.shares.by_id
        found = []
        if self.all_named[credit.id]:
            for key in sorted(named, key=repr):
                own = [i for i in cited if by_id[i].kind != PATIENT and by_id[i].payer_key == key]
                if own:
                    found.append((tuple(sorted(own)), "shares", ""))
        else:
            own = [i for i in cited if by_id[i].kind == PATIENT]
            if own:
                agree = all(names_agree(by_id[i], label) for i in own)
                why = "" if agree else "le libellé porte un autre nom que celui du patient"
                found.append((tuple(sorted(own)), "patient", why))
            by_payer = defaultdict(list)
            for i in cited:
                if by_id[i].kind != PATIENT:
                    by_payer[by_id[i].payer_key].append(i)
            found += [
                (
                    tuple(sorted(ids)),
                    "shares",
                    "" if len(ids) > 1 else "le libellé ne nomme pas le payeur de cette part",
                )
                for _key, ids in sorted(by_payer.items(), key=repr)
            ]
        readings = []
        for ids, kind, unsound in found:
            members = tuple(by_id[i] for i in ids)
            if sum(share.amount_cents for share in members) != credit.amount_cents:
                continue
            quotes = {
                (credit.id, share.id): Quote(share.references[0], cited[share.id], "whole", WEAK)
                for share in members
            }
            names = named.get(members[0].payer_key, ()) if kind == "shares" else ()
            weight = OPEN_SHARES if unsound and kind == "shares" else CITED
            readings.append(
                Reading(
                    kind,
                    weight,
                    (credit,),
                    shares=members,
                    quotes=quotes,
                    names=names,
                    unsound=unsound,
                )
            )
        return readings
