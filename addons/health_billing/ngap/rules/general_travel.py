"""Rules of every trade about what is added to care: travel (general provisions art. 13), night, Sunday (art. 14)."""

from collections.abc import Iterator

from ..calendar import country_subdivisions, is_holiday, is_sunday_or_holiday
from ..control import Book, Hit, rule
from ..extras import is_night, is_night_call
from ..limits import limit
from ..model import Claim, Line, Proposal, Severity
from .common import (
    ADVICE,
    clock,
    family,
    is_travel,
    kind,
    name,
    remove,
    say_day,
    trip_of,
    unit_cents,
)

# --- travel


@rule("GEN-07")
def distance_only_on_the_way_to_a_patient(claim: Claim, book: Book) -> Iterator[Hit]:
    """Travel billed for care at the practice, or kilometres without the lump sum they come with.

    Distance and abatement are applied when the session is priced; a claim no longer holds them.
    """
    for entries in book.sessions(claim):
        travel = [entry for entry in entries if is_travel(entry.claim, entry.line)]
        if not travel:
            continue
        at_office = any(
            entry.line.place == "office"
            for entry in entries
            if not is_travel(entry.claim, entry.line)
        )
        lump = any(kind(entry.claim, entry.line) == "travel" for entry in travel)
        for entry in travel:
            if entry.claim is not claim:
                continue
            if at_office:
                yield Hit(
                    entry.line.key,
                    f"{entry.line.key_letter} du {say_day(entry.line.day)} : soin fait au cabinet, "
                    "aucun déplacement n'est dû.",
                    remove(entry.line),
                )
            elif not lump and kind(claim, entry.line) == "distance":
                yield Hit(
                    entry.line.key,
                    f"{entry.line.key_letter} du {say_day(entry.line.day)} sans indemnité forfaitaire de "
                    "déplacement dans la séance : vérifiez le déplacement.",
                    severity=ADVICE,
                )


def borne_by_another(claim: Claim, book: Book, line: Line) -> bool:
    """Whether another patient of the address bears travel of that kind already on that trip."""
    trip = trip_of(claim, book, line, (kind(claim, line),))
    return bool(trip) and trip[0].claim.patient != claim.patient


@rule("GEN-09")
def one_travel_per_trip_to_an_establishment(claim: Claim, book: Book) -> Iterator[Hit]:
    """One lump sum and one distance per trip to an establishment, however many patients."""
    for line in claim.lines:
        if line.place != "facility" or not is_travel(claim, line):
            continue
        if borne_by_another(claim, book, line):
            yield Hit(
                line.key,
                f"{line.key_letter} du {say_day(line.day)} : le déplacement dans cet établissement est déjà "
                "facturé pour un autre patient de ce passage.",
                remove(line),
            )


@rule("GEN-10", "infirmier")
def one_distance_per_address(claim: Claim, book: Book) -> Iterator[Hit]:
    """One distance for the patients of one address on one trip; the lump sum at home is INF-16's."""
    for line in claim.lines:
        if line.place != "home" or kind(claim, line) != "distance":
            continue
        if borne_by_another(claim, book, line):
            yield Hit(
                line.key,
                f"{line.key_letter} du {say_day(line.day)} : un autre patient de cette adresse les porte déjà "
                "pour ce passage.",
                remove(line),
            )


# --- night, Sunday, holidays


def _mentions(line: Line, book: Book) -> frozenset[str] | None:
    """Mentions of the prescription, ``None`` where it is not known."""
    prescription = book.prescription(line)
    return None if prescription is None else prescription.mentions


def _without_surcharge(line: Line) -> Proposal:
    return Proposal("complement", f"Retirer la majoration {line.complement}", line.key, value="")


@rule("GEN-11")
def surcharge_at_its_hours(claim: Claim, book: Book) -> Iterator[Hit]:
    """Night between 20 and 8, call between 19 and 7 unless ordered at night; F on a Sunday or holiday."""
    for line in claim.lines:
        if line.complement == "F":
            problem, severity = _no_holiday(claim, line)
        elif line.complement == "N":
            problem, severity = _no_night(line, book), None
        else:
            continue
        if problem:
            yield Hit(
                line.key,
                f"{name(line)} {line.complement} : {problem}",
                _without_surcharge(line),
                severity,
            )


def _no_holiday(claim: Claim, line: Line) -> tuple[str, Severity | None]:
    """A holiday of Alsace-Moselle or of a territory may be one where the practitioner works: only advice."""
    if is_sunday_or_holiday(line.day, claim.zone):
        return "", None
    if any(is_holiday(line.day, place) for place in country_subdivisions() if place):
        if claim.is_billed:
            return "", None
        return f"le {say_day(line.day)} n'est férié que dans certains territoires.", ADVICE
    return f"le {say_day(line.day)} n'est ni un dimanche ni un jour férié.", None


def _no_night(line: Line, book: Book) -> str:
    start, end = limit("GEN-11-nuit-debut"), limit("GEN-11-nuit-fin")
    called_from, called_to = limit("GEN-11-appel-debut"), limit("GEN-11-appel-fin")
    if line.minute is not None and not is_night(line.minute):
        return f"soin à {clock(line.minute)}, hors de la nuit ({clock(start)} à {clock(end)})."
    if (
        line.called_minute is not None
        and "night" not in (_mentions(line, book) or ())
        and not is_night_call(line.called_minute)
    ):
        return f"appel à {clock(line.called_minute)}, hors de {clock(called_from)} à {clock(called_to)}."
    return ""


def _repeated_without_order(claim: Claim, book: Book) -> Iterator[Hit]:
    """A surcharge on an act repeated on other days, and a prescription that does not say so."""
    timeline = book.timeline(claim)
    days = timeline.memo.get("days_of_act")
    if days is None:
        days = timeline.memo["days_of_act"] = {}
        for entry in timeline:
            if entry.line.act is not None:
                key = (family(entry.line.act), entry.line.prescription)
                days.setdefault(key, set()).add(entry.line.day)
    for line in claim.lines:
        if not line.complement or line.act is None or line.is_emergency:
            continue
        mentions = _mentions(line, book)
        repeated = len(days.get((family(line.act), line.prescription), ())) > 1
        needed = {"N": {"night"}, "F": {"daily"}}.get(line.complement, {"night", "daily"})
        if mentions is not None and repeated and needed.isdisjoint(mentions):
            words = "une exécution de nuit" if line.complement == "N" else "un soin quotidien"
            yield Hit(
                line.key,
                f"{name(line)} {line.complement} du {say_day(line.day)} : acte répété, l'ordonnance ne dit pas "
                f"qu'{words} est nécessaire.",
                _without_surcharge(line),
            )


@rule("GEN-12", "infirmier", "kinesitherapeute")
def surcharge_is_ordered(claim: Claim, book: Book) -> Iterator[Hit]:
    """A repeated surcharge needs the word of the prescriber; an ordered one that is missing is proposed."""
    yield from _repeated_without_order(claim, book)
    if claim.profession == "kinesitherapeute":  # of nurses INF-40 speaks
        yield from _ordered_and_missing(claim, book)


def _ordered_and_missing(claim: Claim, book: Book) -> Iterator[Hit]:
    """Daily care ordered, done on a Sunday or holiday, no surcharge in the session."""
    for entries in book.sessions(claim):
        cared = [
            entry.line
            for entry in entries
            if entry.claim is claim and entry.line.has("reeducation") and entry.line.factor != 0
        ]
        if not cared or any(entry.line.complement for entry in entries):
            continue
        line = max(cared, key=lambda one: one.coefficient)
        if "daily" not in (_mentions(line, book) or ()):
            continue
        if is_sunday_or_holiday(line.day, claim.zone):
            cents = unit_cents(claim, book, "F", line.day)
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)}, dimanche ou jour férié, soins quotidiens prescrits : la "
                "majoration F est due.",
                Proposal("complement", "Ajouter la majoration F", line.key, value="F", gain=cents),
                ADVICE,
            )


@rule("GEN-13", "infirmier")
def one_surcharge_per_session(claim: Claim, book: Book) -> Iterator[Hit]:
    """Night and Sunday do not add up, and a session bears one surcharge; passages of imported claims are not known."""
    if claim.is_billed:
        return
    for entries in book.sessions(claim):
        surcharged = [entry for entry in entries if entry.line.complement]
        for entry in surcharged[1:]:
            if entry.claim is claim:
                yield Hit(
                    entry.line.key,
                    f"{name(entry.line)} du {say_day(entry.line.day)} : la séance porte déjà la majoration "
                    f"{surcharged[0].line.complement}. Gardez la plus favorable seule.",
                    _without_surcharge(entry.line),
                )
