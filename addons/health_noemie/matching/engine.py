"""Settlements announced against credits received.

Three readings, from the strongest to the weakest:

* **reference**: the bank label quotes the number of the transfer, the amount is the one announced;
* **group**: one credit is the exact sum of several settlements of one payer, and of one set only;
* **payer**: the label names the payer, the amount is the one announced, the days agree, and no
  other reading exists, neither for the credit nor for the settlement.

Every reading of every credit is listed before anything is decided, and a reading is kept only if
nothing contradicts it; so the answer does not depend on the order of the input, and two equal
amounts side by side stay open until a reference tells them apart. Work is blocked by payee, then by
reference or payer and days, so the cost grows with the number of lines and not with its square.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from . import labels as text
from .model import (
    RULE_GROUP,
    RULE_PAYER,
    RULE_REFERENCE,
    Candidate,
    Credit,
    Decision,
    OpenShare,
    Result,
    Settlement,
    Unmatched,
)

#: days from the announced transfer to the bank, without a reference (-1 to +5 working days)
NEAR = (timedelta(days=-3), timedelta(days=8))
#: the same when the label quotes a number that belongs to that settlement alone
WIDE = (timedelta(days=-10), timedelta(days=60))
#: settlements in one credit, at most, when no reference names them
GROUP_SIZE = 4
#: without any reference a sum decides only for that few settlements, announced that close together;
#: more would be chance: with ten open settlements one amount in three hundred is some sum of four
GROUP_UNQUOTED = 3
GROUP_DAYS = timedelta(days=3)
#: more open settlements than that around one credit: uniqueness costs too much to prove
BLOCK_LIMIT = 24


@dataclass(frozen=True)
class _Reading:
    """One way to explain a credit: the settlements whose sum it is."""

    credit: Credit
    settlements: tuple[Settlement, ...]
    quoted: tuple[tuple[int, str], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(s.id for s in self.settlements)

    @property
    def sound(self) -> bool:
        """Whether it may decide: a sum that no reference supports needs neighbouring days."""
        if len(self.settlements) < 2 or self.quoted:
            return True
        dates = [s.date for s in self.settlements]
        return len(dates) <= GROUP_UNQUOTED and max(dates) - min(dates) <= GROUP_DAYS


@dataclass
class _Payee:
    """The open settlements of one payee, indexed."""

    by_id: dict[int, Settlement] = field(default_factory=dict)
    refs: dict[int, frozenset[str]] = field(default_factory=dict)
    by_ref: dict[str, list[Settlement]] = field(default_factory=lambda: defaultdict(list))
    by_payer: dict = field(default_factory=lambda: defaultdict(list))
    dates: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    lengths: frozenset[int] = frozenset()

    @classmethod
    def index(cls, settlements: list[Settlement]) -> "_Payee":
        settlements = sorted(settlements, key=lambda s: (s.date, s.id))
        this = cls(by_id={settlement.id: settlement for settlement in settlements})
        names = defaultdict(set)
        for settlement in settlements:
            refs = text.references(settlement.labels, settlement.ignored, settlement.date)
            this.refs[settlement.id] = refs
            for ref in refs:
                this.by_ref[ref].append(settlement)
            this.by_payer[settlement.payer_key].append(settlement)
            names[settlement.payer_key].update(settlement.payer_names)
        this.dates = {key: [s.date for s in found] for key, found in this.by_payer.items()}
        this.names = {key: text.name_phrases(found) for key, found in names.items()}
        this.lengths = frozenset(len(ref) for ref in this.by_ref)
        return this

    def near(self, payer_key, day: date) -> list[Settlement]:
        """Settlements of a payer whose transfer may have reached the bank that day."""
        dates = self.dates[payer_key]
        first = bisect_left(dates, day - NEAR[1])
        last = bisect_right(dates, day - NEAR[0])
        return self.by_payer[payer_key][first:last]

    def payers_named(self, phrase: str) -> dict:
        """Payers that a label names, with the names it shows."""
        named = {}
        for key, names in self.names.items():
            if found := text.named(names, phrase):
                named[key] = found
        return named

    def quotes(self, credit: Credit, named: dict) -> dict[int, str]:
        """Settlements whose number the label quotes, with that number."""
        found = {}
        for number in sorted(self.numbers(credit), key=lambda n: (-len(n), n)):
            owners = self.by_ref.get(number, ())
            for settlement in owners:
                window = WIDE if len(owners) == 1 and len(number) >= text.STRONG else NEAR
                if not _within(settlement, credit, window):
                    continue
                if len(number) < text.STRONG and settlement.payer_key not in named:
                    continue
                found.setdefault(settlement.id, number)
        return found

    def numbers(self, credit: Credit) -> set[str]:
        """Numbers of the label, and the parts of the long ones that may be a reference."""
        numbers = set(text.quoted(credit.all_text))
        for number in tuple(numbers):
            numbers |= text.pieces(number, self.lengths)
        return numbers

    def owners(self, credit: Credit) -> set[int]:
        """Settlements whose own long number the label quotes, whatever the days."""
        return {
            settlement.id
            for number in self.numbers(credit)
            if len(number) >= text.STRONG
            for settlement in self.by_ref.get(number, ())
        }

    def contradicts(self, settlement: Settlement, credit: Credit, numbers: frozenset[str]) -> bool:
        """Whether the label quotes another number of the same shape as the settlement's own."""
        own = {ref for ref in self.refs[settlement.id] if len(ref) >= text.STRONG}
        if not own or own & numbers:
            return False
        shapes = {len(ref) for ref in own}
        known = [n.lstrip("0") for n in settlement.ignored if len(n.lstrip("0")) >= text.WEAK]
        dates = text.date_runs(settlement.date, credit.date)
        return any(
            len(number) in shapes and number not in dates and not any(k in number for k in known)
            for number in numbers
        )


def match(
    settlements: Iterable[Settlement],
    credits: Iterable[Credit],
    payer_names: Iterable[str] = (),
    shares: Iterable[OpenShare] = (),
    settled: Iterable[Credit] = (),
) -> Result:
    """Explain the credits by the settlements.

    :param settlements: announced and not yet received; ids are unique
    :param credits: on the bank and not yet explained; ids are unique
    :param payer_names: every payer known, also those that announced nothing: only to tell what is
        missing
    :raises ValueError: if an id comes twice
    """
    settlements, credits = list(settlements), list(credits)
    for what, records in (("settlement", settlements), ("credit", credits)):
        if len({record.id for record in records}) != len(records):
            raise ValueError(f"a {what} id comes twice")
    by_payee = defaultdict(lambda: ([], []))
    for settlement in settlements:
        by_payee[settlement.payee][0].append(settlement)
    for credit in credits:
        by_payee[credit.payee][1].append(credit)
    known = text.name_phrases(payer_names)
    decisions, left_credits, left_settlements = [], [], []
    for own_settlements, own_credits in by_payee.values():
        made, open_credits, open_settlements = _match_payee(own_settlements, own_credits, known)
        decisions += made
        left_credits += open_credits
        left_settlements += open_settlements
    return Result(
        tuple(sorted(decisions, key=lambda decision: decision.credit_ids)),
        tuple(sorted(left_credits, key=lambda left: left.id)),
        tuple(sorted(left_settlements, key=lambda left: left.id)),
    )


def _match_payee(settlements, credits, known):
    payee = _Payee.index([s for s in settlements if s.expected_cents > 0])
    incoming = [c for c in credits if c.amount_cents > 0]
    phrases = {c.id: text.phrase(c.text) for c in incoming}
    named = {c.id: payee.payers_named(phrases[c.id]) for c in incoming}
    quotes = {c.id: payee.quotes(c, named[c.id]) for c in incoming}

    readings = {c.id: _by_reference(payee, c, named[c.id], quotes[c.id]) for c in incoming}
    kept = _uncontested(readings)
    gone = {settlement_id for reading in kept.values() for settlement_id in reading.ids}
    blocked = {}
    weak = {}
    for credit in incoming:
        if credit.id in kept or readings[credit.id]:
            continue
        weak[credit.id], blocked[credit.id] = _by_payer(
            payee, credit, named[credit.id], quotes[credit.id], gone
        )
    contested = [found for credit_id, found in readings.items() if credit_id not in kept]
    kept |= _uncontested(weak, contested)
    readings |= weak

    gone = {settlement_id for reading in kept.values() for settlement_id in reading.ids}
    decisions = [_decision(payee, reading, named) for reading in kept.values()]
    left_credits = [
        _why_credit(payee, credit, named, quotes, readings, gone, blocked, known)
        for credit in incoming
        if credit.id not in kept
    ]
    left_credits += [
        Unmatched(c.id, f"Ce mouvement de {text.euros(c.amount_cents)} n'est pas un crédit.")
        for c in credits
        if c.amount_cents <= 0
    ]
    claims = defaultdict(list)
    for credit_id, found in readings.items():
        if credit_id not in kept:
            for reading in found:
                for settlement_id in reading.ids:
                    claims[settlement_id].append(credit_id)
    left_settlements = [_why_settlement(s, claims) for s in settlements if s.id not in gone]
    return decisions, left_credits, left_settlements


def _within(settlement: Settlement, credit: Credit, window) -> bool:
    return window[0] <= credit.date - settlement.date <= window[1]


def _subsets(candidates: list[Settlement], target: int, largest: int) -> list[tuple]:
    """Sets of at most `largest` candidates whose sum is the target; three are enough to doubt."""
    ordered = sorted(
        (c for c in candidates if c.expected_cents <= target),
        key=lambda c: (-c.expected_cents, c.id),
    )
    found = []
    tails = [0] * (len(ordered) + 1)
    for position in range(len(ordered) - 1, -1, -1):
        tails[position] = tails[position + 1] + ordered[position].expected_cents

    def grow(position, rest, chosen):
        if not rest:
            found.append(tuple(sorted(chosen, key=lambda c: c.id)))
            return
        if len(chosen) == largest:
            return
        for at in range(position, len(ordered)):
            if len(found) > 2 or tails[at] < rest:
                return
            if ordered[at].expected_cents <= rest:
                grow(at + 1, rest - ordered[at].expected_cents, (*chosen, ordered[at]))

    grow(0, target, ())
    return found


def _by_reference(payee: _Payee, credit: Credit, named: dict, quotes: dict) -> list[_Reading]:
    """Readings made only of settlements that the label quotes."""
    cited = [payee.by_id[i] for i in quotes]
    if not cited or len(cited) > BLOCK_LIMIT:
        return []
    return [
        _Reading(
            credit,
            subset,
            tuple((s.id, quotes[s.id]) for s in subset),
            named.get(subset[0].payer_key, ()),
        )
        for subset in _subsets(cited, credit.amount_cents, len(cited))
    ]


def _by_payer(payee: _Payee, credit: Credit, named: dict, quotes: dict, gone: set):
    """Readings by payer, days and amount; with the settlements the label quotes among them.

    :return: readings, and a reason in French if the readings could not be listed
    """
    numbers = text.quoted(credit.text)
    owners = payee.owners(credit) | quotes.keys()
    keys = set(named)
    keys |= {payee.by_id[i].payer_key for i in quotes}
    found = []
    for key in keys:
        candidates = [
            s
            for s in payee.near(key, credit.date)
            if s.id not in gone and not payee.contradicts(s, credit, numbers)
        ]
        if len(candidates) > BLOCK_LIMIT:
            return [], (
                f"{len(candidates)} virements annoncés du même payeur autour de cette date : "
                "trop de lectures possibles, indiquez le bon."
            )
        for subset in _subsets(candidates, credit.amount_cents, GROUP_SIZE):
            ids = {s.id for s in subset}
            # a label that quotes a settlement is about that one: a reading without it is none
            if owners and not ids & owners:
                continue
            cited = tuple((s.id, quotes[s.id]) for s in subset if s.id in quotes)
            found.append(_Reading(credit, subset, cited, named.get(key, ())))
    return found, ""


def _uncontested(readings: dict[int, list[_Reading]], others=()) -> dict[int, _Reading]:
    """The readings that are the only one of their credit and share no settlement with any other.

    :param others: readings of credits that stay open: they contest, and are not decided here
    """
    claims = Counter(
        settlement_id
        for found in (*readings.values(), *others)
        for settlement_id in {i for reading in found for i in reading.ids}
    )
    return {
        credit_id: found[0]
        for credit_id, found in readings.items()
        if len(found) == 1 and found[0].sound and all(claims[i] == 1 for i in found[0].ids)
    }


def _decision(payee: _Payee, reading: _Reading, named: dict) -> Decision:
    credit, settlements = reading.credit, reading.settlements
    numbers = sorted({number for _id, number in reading.quoted})
    gaps = sorted({(credit.date - s.date).days for s in settlements})
    amount = text.euros(credit.amount_cents)
    if len(settlements) > 1:
        rule = RULE_GROUP
        total = " + ".join(text.euros(s.expected_cents) for s in settlements)
        evidence = (
            f"Un seul virement de {amount} pour {len(settlements)} règlements annoncés : {total}. "
            "Aucun autre ensemble ne donne cette somme."
        )
        if numbers:
            evidence += f" Le libellé cite {_and(numbers)}."
    elif reading.quoted:
        rule = RULE_REFERENCE
        evidence = (
            f"Le libellé de la banque cite la référence {_and(numbers)} du virement annoncé le "
            f"{text.days(settlements[0].date)}, et le montant est le même : {amount}."
        )
    else:
        rule = RULE_PAYER
        evidence = (
            f"Le libellé nomme {_and(reading.names[:1])}, le montant est celui du virement annoncé "
            f"le {text.days(settlements[0].date)} ({amount}, {_gap(gaps[0])}), et aucune autre "
            "lecture n'existe."
        )
    return Decision((credit.id,), reading.ids, rule, evidence, _runner_up(payee, reading, named))


def _runner_up(payee: _Payee, reading: _Reading, named: dict) -> str:
    """The nearest settlement of the same amount that was set aside, and why."""
    credit = reading.credit
    if not reading.quoted or len(reading.settlements) > 1:
        return ""
    keys = {reading.settlements[0].payer_key} | set(named[credit.id])
    others = [
        s
        for key in keys
        for s in payee.near(key, credit.date)
        if s.expected_cents == credit.amount_cents and s.id not in reading.ids
    ]
    if not others:
        return ""
    other = min(others, key=lambda s: (abs(credit.date - s.date), s.id))
    return (
        f"Écarté : le virement du même montant annoncé le {text.days(other.date)}, "
        "dont le libellé ne cite pas la référence."
    )


def _why_credit(payee, credit, named, quotes, readings, gone, blocked, known) -> Unmatched:
    """What is missing to explain the credit, in words that lead to the next step."""
    amount = text.euros(credit.amount_cents)
    found = readings.get(credit.id, [])
    names = [found_names[0] for found_names in named[credit.id].values()]
    if found:
        ids = tuple(sorted({i for reading in found for i in reading.ids}))
        if len(found) > 1:
            reason = (
                f"Plusieurs virements annoncés expliquent {amount} et rien dans le libellé ne les "
                "départage : choisissez le bon."
            )
        elif not found[0].sound:
            reason = (
                f"{amount} est la somme de {len(ids)} virements annoncés, mais leurs dates sont "
                "éloignées et aucune référence n'est citée : confirmez ou écartez."
            )
        else:
            reason = (
                f"Un autre crédit peut être le même virement annoncé de {amount}, et rien ne les "
                "départage : choisissez lequel."
            )
        return Unmatched(credit.id, reason, (Candidate(ids),))
    if blocked.get(credit.id):
        return Unmatched(credit.id, blocked[credit.id])
    open_quotes = {i: number for i, number in quotes[credit.id].items() if i not in gone}
    if open_quotes:
        cited = [payee.by_id[i] for i in sorted(open_quotes)]
        announced = " + ".join(text.euros(s.expected_cents) for s in cited)
        return Unmatched(
            credit.id,
            f"Le libellé cite {_and(sorted(set(open_quotes.values())))}, mais le payeur a annoncé "
            f"{announced} et la banque a reçu {amount} : vérifiez l'écart avec le payeur.",
            (Candidate(tuple(s.id for s in cited)),),
        )
    if quotes[credit.id]:
        return Unmatched(
            credit.id,
            f"Le libellé cite {_and(sorted(set(quotes[credit.id].values())))}, déjà reçu par un "
            "autre crédit : virement en double ou erreur de la banque, à vérifier.",
            (Candidate(tuple(sorted(quotes[credit.id]))),),
        )
    silent = text.named(known, text.phrase(credit.text))[:1]
    if not names and silent:
        return Unmatched(
            credit.id,
            f"{silent[0]} verse {amount} sans avoir rien annoncé : il manque son retour NOEMIE ; "
            "demandez-lui le détail de ce virement.",
        )
    if names:
        near = [
            s for key in named[credit.id] for s in payee.near(key, credit.date) if s.id not in gone
        ]
        reason = f"{_and(sorted(names))} n'a annoncé aucun virement de {amount} autour du "
        reason += f"{text.days(credit.date)} : le retour NOEMIE manque, ou le montant diffère."
        return Unmatched(credit.id, reason, tuple(Candidate((s.id,)) for s in near))
    return Unmatched(
        credit.id,
        "Le libellé ne nomme aucun payeur attendu et ne cite aucune référence annoncée : il manque "
        "le retour NOEMIE ou le nom sous lequel ce payeur verse.",
    )


def _why_settlement(settlement: Settlement, claims) -> Unmatched:
    amount = text.euros(settlement.expected_cents)
    if settlement.expected_cents <= 0:
        reason = f"Aucun virement n'est attendu ({amount})."
    elif settlement.id in claims:
        reason = f"Plusieurs lectures possibles pour {amount} : une personne doit choisir."
    else:
        reason = f"Aucun crédit de {amount} n'a encore été trouvé à la banque."
    found = sorted(set(claims.get(settlement.id, ())))
    return Unmatched(
        settlement.id, reason, tuple(Candidate(credit_ids=(i,)) for i in found), what="settlement"
    )


def _and(items) -> str:
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} et {items[-1]}"


def _gap(days: int) -> str:
    if not days:
        return "le même jour"
    return f"{abs(days)} jour{'s' if abs(days) > 1 else ''} {'après' if days > 0 else 'avant'}"
