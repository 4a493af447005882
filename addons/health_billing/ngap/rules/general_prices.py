"""Rules of every trade about prices: article 11 B, one line per act, the value of the day, overruns."""

from collections.abc import Iterator
from datetime import timedelta

from ..control import Book, Entry, Hit, rule
from ..cumulation import Coded, rates
from ..limits import limit, limit_day
from ..model import Claim, Line, Proposal
from ..tariff import LetterValue, UnknownValue, act_price
from .common import (
    ADVICE,
    WARNING,
    acts,
    euros,
    kind,
    letter_of,
    name,
    remove,
    say_day,
    soften,
    unit_cents,
)
from .rates import BY_RATES, around

# --- several acts of one session


@rule("GEN-04", "infirmier", "orthophoniste", "orthoptiste")
def acts_after_the_first_are_reduced(claim: Claim, book: Book) -> Iterator[Hit]:
    """Full, half, then nothing, with the derogations that pricing knows; silent where an act is not known.

    The day of an imported claim may hold several sessions: there it is advice, and silent if travel shows them.
    """
    if not claim.is_billed:
        yield from BY_RATES["GEN-04"](claim, book)
        return
    for entries in book.sessions(claim):
        entries = [entry for entry in entries if entry.claim is claim]
        cared = [entry for entry in entries if kind(claim, entry.line) == "act"]
        known = all(e.line.act is not None and e.line.quantity == 1 for e in cared)
        if len(cared) > 1 and known and not _many_visits(claim, entries):
            yield from _wrong_rates(claim, book, cared)


def _many_visits(claim: Claim, entries: list[Entry]) -> bool:
    visits = sum(e.line.quantity for e in entries if kind(claim, e.line) == "travel")
    codes = [e.line.act.code for e in entries if e.line.act and kind(claim, e.line) == "act"]
    return visits > 1 or len(set(codes)) < len(codes)


def _wrong_rates(claim: Claim, book: Book, entries: list[Entry]) -> Iterator[Hit]:
    """Compare what is billed with what pricing would; sums, so that equal acts may change places."""
    lines = [entry.line for entry in entries]
    day = lines[0].day
    units = {line.key: unit_cents(claim, book, line.key_letter, day) for line in lines}
    billed = {line.key: _billed(claim, book, line, units[line.key]) for line in lines}
    if None in units.values() or None in billed.values():
        return
    coded = [Coded(line, act_price(units[line.key], line.coefficient)) for line in lines]
    expected = rates(claim.profession, coded, around(claim, book, entries))
    if not any(one.rule == "GEN-04" for one in expected):
        return
    due = {
        one.line.key: act_price(units[one.line.key], one.line.coefficient, 1, one.rate)
        for one in expected
    }
    difference = sum(due.values()) - sum(billed.values())
    if abs(difference) <= len(lines):
        return
    for one in expected:
        line, more = one.line, due[one.line.key] - billed[one.line.key]
        if abs(more) > 1 and (more > 0) == (difference > 0):
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(day)} : {one.why or 'plein tarif.'} {euros(billed[line.key])} facturés, "
                f"{euros(due[line.key])} dus si ces soins sont d'un même passage.",
                _at_rate(line, one.rate, more),
                ADVICE,
            )


def _billed(claim: Claim, book: Book, line: Line, unit: int | None) -> int | None:
    """What is billed for the act itself, surcharge out; ``None`` when that is not known."""
    if line.amount is None:
        return None if unit is None else act_price(unit, line.coefficient)
    extra = surcharges(claim, book, line)
    return line.amount - extra[0] if extra and len(extra) == 1 else None


def _at_rate(line: Line, rate: int, more: int) -> Proposal:
    if not rate:
        return remove(line)
    return Proposal(
        "replace",
        f"{name(line)} à {rate} %",
        line.key,
        act=line.act.code if line.act else "",
        key_letter=line.key_letter,
        coefficient=line.coefficient,
        factor=rate,
        gain=more,
    )


# --- one line, one act


def coefficients(book: Book) -> dict[str, tuple[frozenset[int], frozenset[int]]]:
    """By key letter: the coefficients of the catalogue, and the sums of two, at full or half rate."""
    known = book.memo.get("coefficients")
    if known is None:
        found: dict[str, set[int]] = {}
        for act in book.acts.values():
            found.setdefault(act.key_letter, set()).add(act.coefficient)
        known = {}
        for letter, values in found.items():
            second = limit("GEN-04-second")
            halves = {value * second // 100 for value in values}
            sums = {one + other for one in values for other in values | halves}
            renewed = {(value * limit("ORT-02-taux") + 50) // 100 for value in values}
            known[letter] = (frozenset(values | halves | renewed), frozenset(sums))
        book.memo["coefficients"] = known
    return known


@rule("GEN-05")
def coefficients_are_not_added_up(claim: Claim, book: Book) -> Iterator[Hit]:
    """A coefficient that no act has and that is the sum of two."""
    start = limit_day("GEN-05-catalogue")
    for line in acts(claim):
        if line.act is not None or line.day < start or line.key_letter not in coefficients(book):
            continue
        own, sums = coefficients(book)[line.key_letter]
        if line.coefficient not in own and line.coefficient in sums:
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : aucun acte n'a ce coefficient, il semble "
                "additionner deux actes. Écrivez une ligne par acte.",
                severity=soften(claim, WARNING),
            )


# --- value of the day


def surcharges(claim: Claim, book: Book, line: Line) -> list[int] | None:
    """What the complement may be worth, ``None`` when that is not known."""
    if not line.complement:
        return [0]
    letters = {"N": ("N", "NN"), "F": ("F",)}.get(line.complement, ())
    found = [
        cents
        for letter in letters
        if letter_of(claim, letter)
        and (cents := unit_cents(claim, book, letter, line.day)) is not None
    ]
    return found or None


def factors(claim: Claim, line: Line) -> tuple[int, ...]:
    """Percentages at which the line may be billed; whether that one is right is GEN-04's and ORT-02's."""
    if line.factor is not None and not claim.is_billed:
        return (line.factor,)
    usual = (100, limit("GEN-04-second"))
    return (*usual, limit("ORT-02-taux")) if claim.profession == "orthophoniste" else usual


def prices(claim: Claim, line: Line, unit: int, extra: list[int]) -> list[int]:
    return [
        act_price(unit, line.coefficient, line.quantity, factor) + more
        for factor in factors(claim, line)
        for more in extra
    ]


@rule("GEN-14")
def value_of_the_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """The amount is that of the values in force on the day of care; silent where a value is not known."""
    for line in claim.lines:
        if line.act is not None:
            problem = _period_problem(line)
            if problem:
                yield Hit(line.key, f"{name(line)} du {say_day(line.day)} : {problem}")
                continue
        if line.amount is None or kind(claim, line) == "distance":
            continue
        letter = letter_of(claim, line.key_letter)
        filed = letter.tariff_letter if letter else line.key_letter
        try:
            value = book.tariff.value(filed, claim.zone, line.day)
        except UnknownValue:
            continue
        extra = surcharges(claim, book, line)
        if extra is None:
            continue
        right = prices(claim, line, value.cents, extra)
        if any(abs(line.amount - price) <= line.quantity for price in right):
            continue  # a cent per act: halves are rounded in more than one way
        yield from _wrong_amount(claim, book, line, filed, value, right, extra)


def _period_problem(line: Line) -> str:
    if line.has("non_confirme"):
        return (
            "coefficient annoncé dont l'application n'est pas confirmée : vérifiez avant d'envoyer."
        )
    if line.act.start is not None and line.day < line.act.start:
        return f"ce coefficient ne vaut qu'à partir du {say_day(line.act.start)}."
    if line.act.end is not None and line.day >= line.act.end:
        return f"ce coefficient ne vaut plus depuis le {say_day(line.act.end)}."
    return ""


def _wrong_amount(
    claim: Claim,
    book: Book,
    line: Line,
    filed: str,
    value: LetterValue,
    right: list[int],
    extra: list[int],
) -> Iterator[Hit]:
    """What to say of an amount that is none of the right ones."""
    expected = max(right)
    period = ""
    neighbours = [value.start - timedelta(days=1)] + ([value.end] if value.end else [])
    for day in neighbours:
        try:
            other = book.tariff.value(filed, claim.zone, day)
        except UnknownValue:
            continue
        others = prices(claim, line, other.cents, extra)
        if line.amount in others:
            expected = right[others.index(line.amount)]
            period = (
                f"valeur d'avant le {say_day(value.start)}"
                if other.start < value.start
                else f"valeur d'après le {say_day(value.end)}"
            )
            break
    if not period and line.amount < expected and len(right) > 1:
        return  # neither full nor reduced, and no other period: nothing certain
    difference = expected - line.amount
    text = (
        f"{name(line)} du {say_day(line.day)} : {euros(line.amount)} facturés, {euros(expected)} au tarif "
        f"du jour{f' ({period})' if period else ''}. "
    )
    text += (
        f"Il manque {euros(difference)}." if difference > 0 else "La caisse refusera le surplus."
    )
    yield Hit(
        line.key,
        text,
        Proposal(
            "replace",
            f"{euros(line.amount)} → {euros(expected)}",
            line.key,
            act=line.act.code if line.act else "",
            key_letter=line.key_letter,
            coefficient=line.coefficient,
            factor=line.factor,
            gain=difference,
        ),
        ADVICE if difference > 0 else None,
    )


# --- overruns


@rule("GEN-15")
def overrun_only_on_demand(claim: Claim, book: Book) -> Iterator[Hit]:
    """An overrun needs the qualifier DE and a reason, and none is due from a patient under C2S or AME."""
    over = [line for line in claim.lines if line.overrun > 0]
    flags = book.patient(claim).flags & {"c2s", "ame"}
    if not over and claim.overrun_total > 0 and flags:
        yield Hit(None, f"Dépassement de {euros(claim.overrun_total)} : {_no_overrun(flags)}")
    for line in over:
        what = f"Dépassement de {euros(line.overrun)} le {say_day(line.day)} : "
        if flags:
            yield Hit(
                line.key,
                what + _no_overrun(flags),
                severity=ADVICE if line.overrun_qualifier == "DE" and line.reason else None,
            )
        elif line.overrun_qualifier != "DE":
            yield Hit(
                line.key,
                what
                + "le qualifiant DE manque. Ajoutez-le avec le motif, ou retirez le dépassement.",
                severity=soften(claim) if not line.overrun_qualifier else None,
            )
        elif not line.reason and not claim.is_billed:
            yield Hit(
                line.key,
                what + "notez l'exigence du patient (heure, lieu) qui le justifie.",
                severity=ADVICE,
            )


def _no_overrun(flags: frozenset[str]) -> str:
    whose = "de la C2S" if "c2s" in flags else "de l'AME"
    return f"interdit, le patient bénéficie {whose}. Retirez-le."
