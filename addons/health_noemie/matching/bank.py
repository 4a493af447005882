"""What the bank says of itself: movements brought twice, credits taken back."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

from . import labels as text
from .model import Credit, Duplicate, Reversal, Settled

#: a credit is taken back within that many days, when both quote a number
BACK_QUOTED = timedelta(days=60)
#: … and when only the label is the same
BACK = timedelta(days=15)
#: a label cut shorter by one of two statements is still the same from this many letters
SAME_LABEL = 10
#: words by which a bank says that it takes a credit back
BACK_WORDS = frozenset(
    "ANNULATION ANNUL ANNULE ANN REJET REJETE RETOUR EXTOURNE CONTREPASSATION CONTREPASSE IMPAYE "
    "REGULARISATION REGUL RAPPEL RECALL RESTITUTION REMISE CORRECTION ERREUR".split()
)
_NOISE = BACK_WORDS | frozenset("VIR VIREMENT VRT SEPA RECU EMIS INST DE DU D LE LA SUR".split())
#: a number shown by more movements than that is the payee's or the payer's own
RARE = 4


@dataclass
class Sorted:
    """The movements of one payee, sorted out."""

    incoming: list
    outgoing: list
    duplicates: list
    reversals: list
    #: debit id → credits that it may take back, when no single one stands out
    doubtful: dict
    #: credits that may have been taken back: they decide nothing without a reference
    held: set
    #: … and not even with one, because the debit says that it takes something back
    barred: set

    def release(self, debits) -> None:
        """Debits that are explained take nothing back."""
        for debit in debits:
            self.doubtful.pop(debit, None)
        self.held = {credit for credits in self.doubtful.values() for credit in credits}
        taking = {debit.id for debit in self.outgoing if BACK_WORDS & set(text.words(debit.label))}
        self.barred = {
            credit
            for debit, credits in self.doubtful.items()
            if debit in taking
            for credit in credits
        }


def _compact(movement: Credit) -> str:
    return "".join(text.words(movement.label))


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= SAME_LABEL and long.startswith(short))


def duplicates(movements: list[Credit], settled: list[Settled]) -> list[Duplicate]:
    """Movements of one day, amount and label that two statements brought: all but one statement's."""
    blocks = defaultdict(list)
    for movement in movements:
        blocks[movement.date, movement.amount_cents].append((1, movement))
    if not any(len({m.source for _o, m in block}) > 1 for block in blocks.values()) and not settled:
        return []
    for movement in settled:
        if (block := blocks.get((movement.date, movement.amount_cents))) is not None:
            block.append((0, movement))
    found = []
    for block in blocks.values():
        if len(block) < 2 or len({m.source for _o, m in block}) < 2:
            continue
        # the longest label leads: it says the most; what is explained already never moves
        ordered = sorted(
            ((is_open, -len(_compact(m)), m.id, m, _compact(m)) for is_open, m in block),
            key=lambda row: row[:3],
        )
        classes = []
        for is_open, _length, _id, movement, label in ordered:
            for members in classes:
                if _same(members[0][2], label):
                    members.append((is_open, movement, label))
                    break
            else:
                classes.append([(is_open, movement, label)])
        for members in classes:
            found += _twice(members)
    return found


def _twice(members):
    by_source = defaultdict(list)
    for is_open, movement, label in members:
        by_source[movement.source].append((is_open, -len(label), movement.id, movement))
    if len(by_source) < 2:
        return
    statements = sorted(
        (sorted(rows, key=lambda row: row[:3]) for rows in by_source.values()),
        key=lambda rows: (-len(rows), [row[:3] for row in rows]),
    )
    # as many movements as the statement that has most of them; explained ones first among equals
    most = len(statements[0])
    kept = sorted((row for rows in statements for row in rows), key=lambda row: row[0])
    first = [row for row in kept if not row[0]]
    for rows in statements:
        for row in rows:
            if len(first) < most and row not in first:
                first.append(row)
    of = first[:most] if len(first) > most else first
    for rows in statements:
        spare = [row for row in of if row[3].source != rows[0][3].source]
        for row in rows:
            if row in of or not row[0]:
                continue
            original = spare.pop(0)[3] if spare else of[0][3]
            movement = row[3]
            yield Duplicate(
                movement.id,
                original.id,
                f"Même jour ({text.days(movement.date)}), même montant "
                f"({text.euros(movement.amount_cents)}) et même libellé que le mouvement du relevé "
                f"« {original.source or 'saisi à la main'} » : importé deux fois, depuis "
                f"« {movement.source or 'une saisie à la main'} ».",
            )


def _part(one: str, other: str, least: int = text.STRONG) -> bool:
    """Whether one number is the beginning or the end of the other."""
    short, long = sorted((one, other), key=len)
    return len(short) >= least and (long.startswith(short) or long.endswith(short))


def _core(words: tuple[str, ...]) -> str:
    return "".join(word for word in words if word not in _NOISE)


def sort_out(
    movements: list[Credit], settled: list[Settled], ignored, names, negative=()
) -> Sorted:
    """Duplicates and reversals of one payee, and what remains to be explained.

    :param ignored: numbers of the payee and of its payers
    :param names: `labels.Names` of all payers
    :param negative: settlements by which a payer takes money back: a debit may be theirs
    """
    twice = duplicates(movements, settled)
    gone = {duplicate.credit_id for duplicate in twice}
    left = [m for m in movements if m.id not in gone]
    debits = [m for m in left if m.amount_cents < 0]
    incoming = [m for m in left if m.amount_cents > 0]
    other = [m for m in left if not m.amount_cents]
    sorted_ = Sorted(incoming, debits + other, twice, [], {}, set(), set())
    if not debits:
        return sorted_
    back, pairs = _claims(debits, incoming, settled, ignored, names)
    announced = defaultdict(list)
    for settlement in negative:
        announced[settlement.expected_cents].append(settlement.date)
    for debit in debits:
        days = announced.get(debit.amount_cents, ())
        if debit.id in pairs and any(abs(debit.date - day) <= BACK_QUOTED for day in days):
            # announced by a payer as well: only a number tells
            proven = [claim for claim in pairs[debit.id] if not claim[0]]
            if not proven:
                back[debit.id] = [credit.id for _s, credit, _w in pairs.pop(debit.id)]
    while pairs:
        # first what a number proves, then labels; among several credits nobody but a person chooses
        single = []
        for debit in debits:
            claims = pairs.get(debit.id)
            if not claims:
                continue
            best = min(strength for strength, _c, _why in claims)
            meant = [claim for claim in claims if claim[0] == best]
            if best == 0 and len(meant) > 1:
                last = max(claim[1].date for claim in meant)
                meant = [claim for claim in meant if claim[1].date == last]
            if len(meant) == 1:
                single.append((best, debit, *meant[0][1:]))
        claimed = Counter(credit.id for _b, _d, credit, _w in single)
        sure = [row for row in single if claimed[row[2].id] == 1]
        if not sure:
            break
        first = min(row[0] for row in sure)
        for strength, debit, credit, why in sure:
            if strength == first:
                sorted_.reversals.append(Reversal(debit.id, credit.id, why))
                del pairs[debit.id]
        taken = {reversal.credit_id for reversal in sorted_.reversals}
        pairs = {
            debit: kept
            for debit, claims in pairs.items()
            if (kept := [claim for claim in claims if claim[1].id not in taken])
        }
    out = {i for r in sorted_.reversals for i in (r.debit_id, r.credit_id)}
    sorted_.incoming = [m for m in incoming if m.id not in out]
    sorted_.outgoing = [m for m in sorted_.outgoing if m.id not in out]
    for debit, claims in pairs.items():
        sorted_.doubtful[debit] = tuple(sorted({c.id for _s, c, _w in claims}))
    for debit, credits in back.items():
        sorted_.doubtful.setdefault(debit, tuple(sorted(credits)))
    sorted_.release(())
    return sorted_


def _received(movement: Credit) -> set[str]:
    """Numbers of what an explained movement paid."""
    return {number.lstrip("0") for number in getattr(movement, "references", ())}


def _claims(debits, incoming, settled, ignored, names):
    """For each debit the credits that it may take back: (strength, credit, why), 0 the strongest."""
    by_amount = defaultdict(list)
    wanted = {-debit.amount_cents for debit in debits}
    for movement in sorted([*incoming, *settled], key=lambda m: (m.date, m.id)):
        if movement.amount_cents in wanted:
            by_amount[movement.amount_cents].append(movement)
    shown, read = Counter(), {}
    for movement in [*debits, *incoming, *settled]:
        label = text.Label(movement.label, movement.counterparty, movement.reference)
        read[movement.id] = label
        shown.update(label.numbers | label.other)
    held, pairs = {}, {}
    for debit in debits:
        same = by_amount.get(-debit.amount_cents, ())
        dates = [m.date for m in same]
        start, end = bisect_left(dates, debit.date - BACK_QUOTED), bisect_right(dates, debit.date)
        own = read[debit.id]
        rare = {
            number
            for number in own.numbers | own.other
            if shown[number] <= RARE and not any(known in number for known in ignored)
        }
        numbers = {number for number in rare if len(number) >= text.STRONG}
        short = {number for number in rare & own.numbers if not text.is_date(number, debit.date)}
        says = bool(BACK_WORDS & set(own.label))
        core = _core(own.words)
        claims, maybe, whole = [], [], set()
        for credit in same[start:end]:
            label = read[credit.id]
            theirs = label.numbers | label.other
            same_numbers = numbers & (theirs | _received(credit))
            whole |= {credit.id} if same_numbers else set()
            both = same_numbers or {n for n in numbers if any(_part(n, m) for m in theirs)}
            amount = text.euros(credit.amount_cents)
            if both:
                why = (
                    f"Le débit du {text.days(debit.date)} cite {text.listed(sorted(both))}, comme le "
                    f"crédit du {text.days(credit.date)} du même montant ({amount}) : il l'annule."
                )
                claims.append((0, credit, why))
                continue
            if debit.date - credit.date > BACK:
                continue
            mine = _core(label.words)
            ends = {n for n in short if any(_part(n, m, text.CUT_NUMBER) for m in label.numbers)}
            if says and ends:
                why = (
                    f"Le débit du {text.days(debit.date)} porte {text.listed(sorted(ends))}, une partie du "
                    f"numéro du crédit du {text.days(credit.date)} du même montant ({amount})."
                )
                claims.append((1, credit, why))
                continue
            if mine and core and _same(core, mine):
                why = (
                    f"Même libellé et même montant ({amount}) que le crédit du "
                    f"{text.days(credit.date)}, repris le {text.days(debit.date)}."
                )
                claims.append((1 if says else 2, credit, why))
                continue
            mine, theirs = (set(names.find(x.label, x.counter)) - {None} for x in (own, label))
            named = mine & theirs
            if says and (named or not (mine and theirs)):
                why = (
                    f"Le débit du {text.days(debit.date)} annule un virement "
                    f"{'du même payeur et ' if named else ''}du même montant ({amount}), reçu le "
                    f"{text.days(credit.date)}."
                )
                claims.append((3 if named else 4, credit, why))
            elif named:
                maybe.append(credit.id)
        if whole:
            # the same number beats one that only begins or ends alike
            claims = [claim for claim in claims if claim[0] or claim[1].id in whole]
        if claims:
            pairs[debit.id] = claims
        elif maybe:
            held[debit.id] = maybe
    return held, pairs
