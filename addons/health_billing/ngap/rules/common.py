"""What several rules need: kinds of lines, ranks of sessions, state of prior agreement, French words."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from ..catalogue import Letter, letters
from ..control import Book, Entry, Hit, Timeline
from ..limits import limit
from ..model import ActType, Agreement, Claim, Line, Proposal, Severity
from ..tariff import UnknownValue, act_price
from ..travel import AWAY, needs_coming, same_trip
from ..words import clock, count, euros, number, say_day

__all__ = ["clock", "count", "euros", "number", "say_day"]  # rules take their words from here
ADVICE, WARNING = Severity.ADVICE, Severity.WARNING


# --- words


def name(line: Line | ActType) -> str:
    """Letter and coefficient, as billers say them."""
    return f"{line.key_letter} {number(line.coefficient)}"


# --- lines


@lru_cache(maxsize=1)
def _letters() -> dict[tuple[str, str], Letter]:
    return letters()


def letter_of(claim: Claim, key_letter: str) -> Letter | None:
    return _letters().get((claim.profession, key_letter))


def kind(claim: Claim, line: Line) -> str:
    """``act``, ``travel``, ``distance``, ``surcharge`` or ``supplement``."""
    return _kinds().get((claim.profession, line.key_letter), "act")


@lru_cache(maxsize=1)
def _kinds() -> dict[tuple[str, str], str]:
    return {key: letter.kind for key, letter in _letters().items()}


def acts(claim: Claim) -> list[Line]:
    """The lines that are care, not travel nor supplements."""
    kinds, profession = _kinds(), claim.profession
    return [
        line for line in claim.lines if kinds.get((profession, line.key_letter), "act") == "act"
    ]


def of_day(claim: Claim, book: Book, day: date) -> list[Entry]:
    """The patient's day with this practitioner: what is in the history first, as it can no longer be changed."""
    controlled = book.memo.get("controlled")
    if controlled is None:
        controlled = book.memo["controlled"] = {one.key for one in book.claims}
    return sorted(book.timeline(claim).on(day), key=lambda entry: entry.claim.key in controlled)


def unit_cents(claim: Claim, book: Book, key_letter: str, day: date) -> int | None:
    """Value of a key letter that day for this claim, ``None`` when it is not known."""
    letter = letter_of(claim, key_letter)
    try:
        return book.tariff.value(
            letter.tariff_letter if letter else key_letter, claim.zone, day
        ).cents
    except UnknownValue:
        return None


def price(claim: Claim, book: Book, key_letter: str, coefficient: int, day: date) -> int | None:
    unit = unit_cents(claim, book, key_letter, day)
    return None if unit is None else act_price(unit, coefficient)


def gain(claim: Claim, book: Book, line: Line, key_letter: str, coefficient: int) -> int | None:
    """What the line would be worth more under another letter and coefficient."""
    other = price(claim, book, key_letter, coefficient, line.day)
    now = line.amount
    if now is None:
        now = price(claim, book, line.key_letter, line.coefficient, line.day)
        now = None if now is None else now * line.quantity
    return None if other is None or now is None else other * line.quantity - now


def remove(line: Line) -> Proposal:
    return Proposal(
        "remove",
        f"Retirer {name(line)} du {say_day(line.day)}",
        line.key,
        gain=None if line.amount is None else -line.amount,
    )


def swap_letter(claim: Claim, book: Book, line: Line, key_letter: str) -> Proposal:
    """Another lump sum for the same travel."""
    return Proposal(
        "replace",
        f"{line.key_letter} → {key_letter}",
        line.key,
        key_letter=key_letter,
        coefficient=line.coefficient,
        gain=gain(claim, book, line, key_letter, line.coefficient),
    )


def swap_act(claim: Claim, book: Book, line: Line, act: ActType) -> Proposal:
    return Proposal(
        "replace",
        f"{name(line)} → {name(act)}",
        line.key,
        act=act.code,
        key_letter=act.key_letter,
        coefficient=act.coefficient,
        gain=gain(claim, book, line, act.key_letter, act.coefficient),
    )


def soften(claim: Claim, severity: Severity = ADVICE) -> Severity | None:
    """Little is known of an imported claim: what may have an explanation there is only advice."""
    return severity if claim.is_billed else None


# --- trips of a round


def is_travel(claim: Claim, line: Line) -> bool:
    return kind(claim, line) in ("travel", "distance")


def trips(claim: Claim, book: Book, day: date, kinds: tuple[str, ...]) -> list[list[Entry]]:
    """Travel lines of the practitioner's day by the trip that they are for, in the order of time.

    A trip is made of visits, those without travel of their own included, as pricing groups them. Silent where the
    address is not known, and on imported claims, whose hours are not.
    """
    key = ("trips", claim.practitioner, day)
    if key not in book.memo:
        book.memo[key] = _trips(claim, book, day)
    if (*key, kinds) not in book.memo:
        lines = (
            [one for one in trip if kind(one.claim, one.line) in kinds] for trip in book.memo[key]
        )
        book.memo[*key, kinds] = [trip for trip in lines if trip]
    return book.memo[*key, kinds]


def _trips(claim: Claim, book: Book, day: date) -> list[list[Entry]]:
    result: list[list[Entry]] = []
    at_home: dict[str, list[list[Entry]]] = {}
    for entry in book.round_of(claim, day):
        home = book.patient(entry.claim).home
        if not home or entry.claim.is_billed or not _is_of_a_trip(entry):
            continue
        known = at_home.setdefault(home, [])
        trip = next((one for one in known if _is_one_trip(one, entry)), None)
        if trip is None:
            trip = []
            known.append(trip)
            result.append(trip)
        trip.append(entry)
    return result


def _is_of_a_trip(entry: Entry) -> bool:
    line = entry.line
    if is_travel(entry.claim, line):
        return True
    return line.place in AWAY and kind(entry.claim, line) == "act" and needs_coming([line])


def _is_one_trip(trip: list[Entry], entry: Entry) -> bool:
    line, last = entry.line, trip[-1].line
    own = [one.line for one in trip if one.claim.patient == entry.claim.patient]
    return same_trip(
        [one.passage for one in own], last.minute, last.passage, line.minute, line.passage
    )


def trip_of(claim: Claim, book: Book, line: Line, kinds: tuple[str, ...]) -> list[Entry]:
    """The trip the travel line belongs to, empty where that is not known."""
    key = ("trip of", claim.practitioner, line.day, kinds)
    if key not in book.memo:
        book.memo[key] = {
            (entry.claim.key, entry.line.key): trip
            for trip in trips(claim, book, line.day, kinds)
            for entry in trip
        }
    return book.memo[key].get((claim.key, line.key), [])


# --- ranks of sessions


def moment(line: Line) -> tuple[date, int]:
    return (line.day, line.passage)


def family(act: ActType) -> str:
    """Code of the act whichever of its two key letters is billed.

    >>> family(ActType("INF-AMX4-07", "infirmier", "AMX", 400, ""))
    'INF-AMI4-07'
    """
    return act.code.replace("-AMX", "-AMI", 1)


def session_ranks(timeline: Timeline) -> dict[tuple, int]:
    """Rank of each session of an act: under its prescription, and in a row whichever the prescription.

    Keys are ``("rx", claim key, line key)`` and ``("row", claim key, line key)``; a row ends with an interruption.
    """
    known = timeline.memo.get("session_ranks")
    if known is not None:
        return known
    result: dict[tuple, int] = {}
    counts: dict[tuple, int] = {}
    last: dict[tuple, tuple[date, int]] = {}
    gap = timedelta(days=limit("GEN-03-interruption"))
    for entry in timeline:
        line = entry.line
        if line.act is None:
            continue
        act, own = (family(line.act), line.project), (entry.claim.key, line.key)
        for mode, series in (("row", ("row", *act)), ("rx", ("rx", *act, line.prescription))):
            before = last.get(series)
            if before is None or (
                line.day - before[0] > gap and (mode == "row" or line.prescription is None)
            ):
                counts[series] = 1
            elif before != moment(line):
                counts[series] += 1
            last[series] = moment(line)
            result[mode, *own] = counts[series]
    timeline.memo["session_ranks"] = result
    return result


def rank(claim: Claim, book: Book, line: Line, mode: str = "rx") -> int:
    """Rank of the line's session, see :func:`session_ranks`."""
    return session_ranks(book.timeline(claim)).get((mode, claim.key, line.key), 1)


def is_last_of_its_act(claim: Claim, book: Book, line: Line) -> bool:
    """Whether no later session of the act is known."""
    timeline = book.timeline(claim)
    last = timeline.memo.get("last_of_act")
    if last is None:
        last = timeline.memo["last_of_act"] = {}
        for entry in timeline:
            if entry.line.act is not None:
                last[family(entry.line.act)] = (entry.claim.key, entry.line.key)
    return line.act is not None and last.get(family(line.act)) == (claim.key, line.key)


# --- prior agreement


def requests(claim: Claim, book: Book, line: Line) -> list[Agreement]:
    """The requests for agreement that speak of this act on this day."""
    return [
        one
        for one in book.agreements.get(claim.patient, ())
        if (not one.acts or line.act is None or not one.acts.isdisjoint(_codes(line.act)))
        and (
            one.prescription is None
            or line.prescription is None
            or one.prescription == line.prescription
        )
        and (one.start is None or one.start <= line.day)
        and (one.end is None or line.day < one.end)
    ]


def _codes(act: ActType) -> set[str]:
    return {act.code, family(act)}


def agreement_problem(one: Agreement, line: Line) -> str:
    """Why the act is not covered by this request, in French; empty when it is."""
    if one.is_emergency or line.is_emergency:
        return ""
    silence = timedelta(days=limit("GEN-03-silence"))
    if one.answer == "granted":
        if one.received_on is not None and one.received_on > line.day:
            return (
                f"la demande n'a été reçue que le {say_day(one.received_on)}, après le soin : "
                "elle doit partir avant."
            )
        return ""
    if one.received_on is None:
        return "la demande n'a pas de date de réception : complétez-la."
    if one.answer == "incomplete":
        return "la demande est incomplète : envoyez la pièce, le délai repart à sa réception."
    if one.answer == "refused" and (
        one.answered_on is None or one.answered_on - one.received_on <= silence
    ):
        return "l'accord a été refusé : ces séances restent à la charge du patient."
    first = one.received_on + silence + timedelta(days=1)
    if line.day < first:
        return (
            f"demande reçue le {say_day(one.received_on)}, sans réponse : "
            f"le silence ne vaut accord qu'à partir du {say_day(first)}."
        )
    return ""


def agreement_state(claim: Claim, book: Book, line: Line, from_rank: int) -> tuple[str, str]:
    """``("", "")`` when the act may be done, else ``("missing", "")`` or ``("invalid", why)``."""
    known = requests(claim, book, line)
    if not known:
        return ("missing", "")
    problems = [agreement_problem(one, line) for one in known]
    good = [one for one, problem in zip(known, problems, strict=True) if not problem]
    if not good:
        return ("invalid", problems[-1])
    if all(one.sessions is not None for one in good):
        granted = sum(one.sessions or 0 for one in good)
        used = rank(claim, book, line, "row") - from_rank + 1
        if used > granted:
            return (
                "invalid",
                f"l'accord portait sur {count(granted, 'séance')}, celle-ci est la {used}e : "
                "demandez un nouvel accord.",
            )
    return ("", "")


def missing_agreements(claim: Claim, book: Book, lines: Iterable[Line]) -> Iterator[Hit]:
    """Acts past their threshold without any request, once per act; and the reminder before the threshold."""
    told = set()
    for line in lines:
        if line.act is None or line.act.agreement_from is None or line.act.code in told:
            continue
        threshold = line.act.agreement_from
        under_rx, in_row = rank(claim, book, line), rank(claim, book, line, "row")
        if max(under_rx, in_row) >= threshold:
            if agreement_state(claim, book, line, threshold)[0] == "missing":
                told.add(line.act.code)
                severity = soften(claim) or (None if under_rx >= threshold else WARNING)
                yield Hit(
                    line.key, missing_text(line, max(under_rx, in_row), threshold), None, severity
                )
        elif (
            threshold - in_row <= limit("GEN-03-rappel")
            and is_last_of_its_act(claim, book, line)
            and not requests(claim, book, line)
        ):
            told.add(line.act.code)
            left = threshold - in_row - 1
            rest = f"il reste {count(left, 'séance')}" if left else "c'est la prochaine"
            yield Hit(
                line.key,
                f"{name(line)} : demandez l'accord préalable avant la {threshold}e séance : {rest}.",
                None,
                ADVICE,
            )


def missing_text(line: Line, rank_: int, threshold: int) -> str:
    if threshold == 1:
        return (
            f"{name(line)} du {say_day(line.day)} : accord préalable nécessaire avant de commencer, "
            "aucune demande connue. Saisissez la demande envoyée ou retirez l'acte."
        )
    return (
        f"{name(line)} du {say_day(line.day)} : {rank_}e séance, accord préalable nécessaire dès la "
        f"{threshold}e, aucune demande connue. Saisissez la demande envoyée ou arrêtez la série."
    )
