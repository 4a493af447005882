"""Rules of every trade about who may do what and when: prescription, presence, agreement, duplicates, stays."""

from collections.abc import Iterator
from datetime import timedelta

from ..control import Book, Entry, Hit, rule
from ..model import Claim, Line, Prescription
from .common import (
    ADVICE,
    acts,
    agreement_state,
    clock,
    family,
    kind,
    missing_agreements,
    moment,
    name,
    of_day,
    rank,
    remove,
    say_day,
)

#: trades whose own rules ask for the agreement (MK-05, MK-06, OPT-02)
AGREEMENT_ELSEWHERE = ("kinesitherapeute", "orthoptiste")
#: acts the practitioner decides on: no prescription names them
NOT_NAMED = ("bilan_diagnostic", "supplement", "acces_direct", "bsi", "bsi_forfait")
#: care of which one act ordered carries the others (monitoring, change of the bag, removal)
ORDERED_AS_ONE = ("perfusion",)


# --- prescriptions


def prescribed_moments(claim: Claim, book: Book) -> dict:
    """Rank of each session under each prescription; assessments are no session of a series."""
    timeline = book.timeline(claim)
    known = timeline.memo.get("prescribed")
    if known is None:
        known = timeline.memo["prescribed"] = {}
        counts: dict = {}
        for entry in timeline:
            line = entry.line
            if line.prescription is None or line.has("bilan", "supplement"):
                continue
            if kind(entry.claim, line) != "act":
                continue
            key = (line.prescription, *moment(line))
            if key not in known:
                known[key] = counts[line.prescription] = counts.get(line.prescription, 0) + 1
    return known


def orders(prescription: Prescription, line: Line, book: Book, claim: Claim) -> bool:
    """Whether the kind of act was ordered; an ordered speech assessment carries the sessions it finds needed."""
    if not prescription.acts or line.act is None or line.has(*NOT_NAMED):
        return True
    ordered = {code.replace("-AMX", "-AMI", 1) for code in prescription.acts}
    if family(line.act) in ordered:
        return True
    for tag in ORDERED_AS_ONE:
        if line.has(tag) and any(
            code in book.acts and tag in book.acts[code].tags for code in ordered
        ):
            return True
    if claim.profession != "orthophoniste" or not line.has("reeducation"):
        return False
    return any(code in book.acts and "bilan" in book.acts[code].tags for code in ordered)


def prescription_problem(prescription: Prescription, line: Line, claim: Claim, book: Book) -> str:
    """Why the act is not covered, in French; empty when it is, as far as is known."""
    what = f"{name(line)} du {say_day(line.day)}"
    first = max(prescription.start or prescription.day, prescription.day)
    if line.day < first:
        return (
            f"{what} : l'ordonnance ne vaut qu'à partir du {say_day(first)}. "
            "Corrigez la date ou demandez l'ordonnance d'alors."
        )
    if prescription.end is not None and line.day >= prescription.end:
        last = prescription.end - timedelta(days=1)
        return f"{what} : l'ordonnance était valable jusqu'au {say_day(last)}. Demandez son renouvellement."
    if not orders(prescription, line, book, claim):
        return f"{what} : l'ordonnance du {say_day(prescription.day)} ne prescrit pas cet acte."
    if prescription.sessions is not None:
        at = prescribed_moments(claim, book).get((prescription.key, *moment(line)))
        if at is not None and at > prescription.sessions and not line.has("bilan", "supplement"):
            return (
                f"{what} : {at}e séance alors que l'ordonnance en prescrit {prescription.sessions}. "
                "Demandez une nouvelle ordonnance."
            )
    return ""


@rule("GEN-01")
def prescription_covers_the_act(claim: Claim, book: Book) -> Iterator[Hit]:
    """Each act is ordered, in kind and number, before it is done. Nothing is said of imported claims without one."""
    for line in acts(claim):
        if line.has("acces_direct"):
            continue
        if line.prescription is None:
            if not claim.is_billed:
                yield Hit(
                    line.key,
                    f"{name(line)} du {say_day(line.day)} : aucune ordonnance n'est rattachée. "
                    "Rattachez l'ordonnance ou dites le motif (accès direct).",
                    severity=ADVICE if line.reason or line.has("vaccination") else None,
                )
            continue
        prescription = book.prescription(line)
        if prescription is None:
            continue
        problem = prescription_problem(prescription, line, claim, book)
        if problem:
            yield Hit(line.key, problem)


# --- presence


def overlaps(claim: Claim, book: Book, day) -> dict:
    """Lines of the practitioner's day that begin before the session before them is over, with that session."""
    memo = book.memo
    key = ("overlaps", claim.practitioner, day)
    if key in memo:
        return memo[key]
    timed = [
        entry
        for entry in book.round_of(claim, day)
        if entry.line.minute is not None and kind(entry.claim, entry.line) == "act"
    ]
    timed.sort(key=lambda entry: entry.line.minute)
    result: dict = {}
    running: Entry | None = None  # the session that ends last so far
    for entry in timed:
        line = entry.line
        if (
            running is not None
            and line.minute < running.line.minute + running.line.duration
            and (entry.claim.patient, line.passage) != (running.claim.patient, running.line.passage)
            and not _together(entry.line, running.line)
        ):
            result[entry.claim.key, line.key] = running
        if line.duration and (
            running is None
            or line.minute + line.duration > running.line.minute + running.line.duration
        ):
            running = entry
    memo[key] = result
    return result


def _together(one: Line, other: Line) -> bool:
    """Whether both are care of a group or side by side, which the text allows (numbers: MK-07, MK-11, ORT-04)."""
    allowed = ("groupe_possible", "groupe", "bpco_groupe")
    return (one.has(*allowed) and other.has(*allowed)) or (
        one.group_size > 1 and other.group_size > 1
    )


@rule("GEN-02")
def one_patient_at_a_time(claim: Claim, book: Book) -> Iterator[Hit]:
    """No session begins while another patient's is going on; silent where hour or duration is not known."""
    told = set()
    for line in acts(claim):
        other = overlaps(claim, book, line.day).get((claim.key, line.key))
        if other is None or moment(line) in told:
            continue
        told.add(moment(line))
        ends = other.line.minute + other.line.duration
        yield Hit(
            line.key,
            f"Le {say_day(line.day)} à {clock(line.minute)} : la séance d'un autre patient dure jusqu'à "
            f"{clock(ends)}. Corrigez l'heure ou la durée.",
        )


# --- prior agreement


@rule("GEN-03")
def agreement_in_force(claim: Claim, book: Book) -> Iterator[Hit]:
    """A request refused, incomplete, too young or used up; and none at all where no rule of the trade speaks."""
    told = set()
    for line in acts(claim):
        if line.act is None or line.act.agreement_from is None or line.act.code in told:
            continue
        if rank(claim, book, line, "row") < line.act.agreement_from:
            continue
        state, why = agreement_state(claim, book, line, line.act.agreement_from)
        if state == "invalid":
            told.add(line.act.code)
            yield Hit(line.key, f"{name(line)} du {say_day(line.day)} : {why}")
    if claim.profession not in AGREEMENT_ELSEWHERE:
        yield from missing_agreements(claim, book, acts(claim))


# --- two practitioners


@rule("GEN-06")
def one_practitioner_of_a_trade_per_session(claim: Claim, book: Book) -> Iterator[Hit]:
    """Two practitioners of one trade with the same patient at the same hour."""
    index = book.memo.get("same_hour")
    if index is None:
        index = book.memo["same_hour"] = {}
        for other in (*book.history, *book.claims):
            for line in other.lines:
                if line.minute is not None:
                    key = (other.patient, other.profession, line.day, line.minute)
                    index.setdefault(key, set()).add(other.practitioner)
    told = set()
    for line in acts(claim):
        key = (claim.patient, claim.profession, line.day, line.minute)
        if line.minute is None or key in told or len(index.get(key, ())) < 2:
            continue
        told.add(key)
        yield Hit(
            line.key,
            f"Le {say_day(line.day)} à {clock(line.minute)}, un autre praticien de la même profession "
            "facture ce patient. Une seule des deux séances est due.",
        )


# --- duplicates


def same_act(line: Line) -> tuple:
    return (line.key_letter, line.coefficient, line.passage, line.act.code if line.act else None)


@rule("GEN-16")
def same_act_twice(claim: Claim, book: Book) -> Iterator[Hit]:
    """The same act, day and passage on two claims, or twice on one; the first keeps its place."""
    for day in {line.day for line in claim.lines}:
        for earlier, later in _repeats(of_day(claim, book, day)):
            if later.claim is not claim or later.line.has("deux_par_jour", "palliatif"):
                continue
            where = "sur une autre facture" if earlier.claim is not claim else "sur cette facture"
            yield Hit(
                later.line.key,
                f"{name(later.line)} du {say_day(day)} est déjà {where} pour le même passage : "
                "doublon probable.",
                remove(later.line),
            )


def _repeats(entries: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    first: dict[tuple, Entry] = {}
    for entry in entries:
        key = same_act(entry.line)
        if key not in first:
            first[key] = entry
        elif not _is_second_of_session(first[key], entry):
            yield first[key], entry


def _is_second_of_session(one: Entry, other: Entry) -> bool:
    """On one claim: two wounds at two rates, two lines of kilometres; when imported, two visits of the day."""
    return one.claim is other.claim and (
        one.claim.is_billed
        or one.line.factor != other.line.factor
        or one.line.amount != other.line.amount
    )


# --- stays


@rule("GEN-17")
def another_pays_during_a_stay(claim: Claim, book: Book) -> Iterator[Hit]:
    """Care during a stay is paid by the establishment; a nursing service (SSIAD) pays nurses only."""
    told = set()
    for line in acts(claim):
        for stay in book.patient(claim).stays:
            if not stay.covers(line.day) or (line.day, stay.kind) in told:
                continue
            if stay.kind == "ssiad" and claim.profession != "infirmier":
                continue
            told.add((line.day, stay.kind))
            first_day = " (jour d'entrée : dû si fait avant)" if line.day == stay.start else ""
            yield Hit(
                line.key,
                f"Le {say_day(line.day)}, le patient est {STAYS.get(stay.kind, 'en établissement')}"
                f"{first_day} : facturez la structure, pas la caisse.",
            )


STAYS = {
    "hospital": "hospitalisé",
    "had": "en hospitalisation à domicile",
    "ssiad": "pris en charge par un SSIAD",
    "ehpad_global": "en EHPAD à tarif global",
}
