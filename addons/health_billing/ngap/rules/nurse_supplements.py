"""Rules of nurses about what is added to care: MAU, MCI, MIE (general provisions, art. 23), travel (art. 13), and the
surcharge of night and Sunday (art. 14). They ask the same functions as pricing, so that both always agree.
"""

from collections.abc import Iterator

from ..calendar import is_sunday_or_holiday
from ..control import Book, Hit, rule
from ..extras import (
    deserves_child,
    deserves_coordination,
    is_deep_night,
    is_night,
    is_single_act,
)
from ..limits import limit
from ..model import Claim, Line, Proposal
from ..tariff import act_price
from ..travel import is_dependent
from .common import (
    ADVICE,
    euros,
    kind,
    number,
    remove,
    say_day,
    soften,
    swap_letter,
    trips,
    unit_cents,
)
from .nursing import (
    NURSE,
    all_known,
    cares,
    has_package,
    has_package_letter,
    of_day,
    place_of,
    session_lines,
    supplement,
    upto,
    what,
)

# --- supplements


@rule("INF-13", NURSE)
def single_act(claim: Claim, book: Book) -> Iterator[Hit]:
    """MAU: one AMI of 1,5 at most; not with a package, AMX, IFI or MCI. Advice where it is due."""
    for line in claim.lines:
        if line.key_letter == "MAU" and has_package(of_day(claim, book, line)):
            yield Hit(
                line.key, f"{what(line)} : pas de MAU le jour d'un forfait BSI.", remove(line)
            )
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        letters = {line.key_letter for line in lines}
        single = all_known(care) and is_single_act(place_of(care), care, bool(letters & {"IFI"}))
        billed = [line for line in lines if line.key_letter == "MAU" and line in claim.lines]
        if has_package_letter(book, claim, lines):
            continue
        if billed and place_of(care) and all_known(care) and (not single or "MCI" in letters):
            yield Hit(billed[0].key, "", remove(billed[0]))
        elif single and not letters & {"MAU", "MCI"} and care[0] in claim.lines:
            if not deserves_coordination(book.patient(claim), place_of(care), care):
                yield supplement(claim, book, care[0], "MAU", "acte unique dans le passage.")


@rule("INF-14", NURSE)
def coordination(claim: Claim, book: Book) -> Iterator[Hit]:
    """MCI: at home with a heavy dressing or in palliative care, once, not with MAU nor wound assessment."""
    patient = book.patient(claim)
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        if not all_known(care) or not place_of(care):
            continue
        billed = [line for line in lines if line.key_letter == "MCI"]
        due = deserves_coordination(patient, place_of(care), care)
        for position, line in enumerate(billed):
            if line not in claim.lines:
                continue
            if not due:
                yield Hit(line.key, "", remove(line))
            elif position or line.quantity > 1:
                yield Hit(line.key, f"{what(line)} : une seule par intervention.", remove(line))
        if due and not billed and care[0] in claim.lines:
            yield supplement(
                claim, book, care[0], "MCI", "pansement lourd ou soins palliatifs à domicile."
            )


@rule("INF-15", NURSE)
def young_child(claim: Claim, book: Book) -> Iterator[Hit]:
    """MIE: under seven years only; advice where it is due."""
    patient = book.patient(claim)
    for line in claim.lines:
        age = patient.age(line.day)
        if line.key_letter == "MIE" and age is not None and age >= limit("INF-15-age"):
            yield Hit(line.key, f"{what(line)} : le patient a {age} ans.", remove(line))
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        missing = not any(line.key_letter == "MIE" for line in lines)
        if missing and care and care[0] in claim.lines:
            if deserves_child(patient, care[0].day, care):
                words = f"enfant de moins de {limit('INF-15-age')} ans."
                yield supplement(claim, book, care[0], "MIE", words)


# --- travel


@rule("INF-16", NURSE)
def lump_sum_at_home(claim: Claim, book: Book) -> Iterator[Hit]:
    """One IFD per passage at a home, and an IFI instead where a patient of the home has a package."""
    told = set()
    for line in claim.lines:
        if line.key_letter == "IFD" and has_package(of_day(claim, book, line)):
            told.add(line.key)
            yield Hit(line.key, "", swap_letter(claim, book, line, "IFI"))
    for day in {line.day for line in claim.lines if line.key_letter == "IFD"}:
        for trip in trips(claim, book, day, ("travel",)):
            dependent = any(entry.line.key_letter == "IFI" for entry in trip)
            ifd = [entry for entry in trip if entry.line.key_letter == "IFD"]
            for entry in ifd if dependent else ifd[1:]:
                if entry.claim is claim and entry.line.key not in told:
                    yield Hit(
                        entry.line.key,
                        f"{what(entry.line)} : le déplacement à ce domicile est déjà facturé pour ce passage.",
                        remove(entry.line),
                    )


@rule("INF-17", NURSE)
def lump_sum_for_dependent_patients(claim: Claim, book: Book) -> Iterator[Hit]:
    """IFI: four a day, with a package or assessment that day, 1 then 0,01 at one home and passage."""
    for line in claim.lines:
        if line.key_letter != "IFI":
            continue
        day = of_day(claim, book, line)
        ifis = upto(claim, line, (e for e in day if e.line.key_letter == "IFI"))
        if len(ifis) > limit("INF-17-jour"):
            yield Hit(line.key, f"{what(line)} : {len(ifis)}e IFI du jour.", remove(line))
        if not has_package(day) and not is_dependent(e.line for e in day):
            if not any(e.line.key_letter == "DI" for e in day):
                yield Hit(
                    line.key,
                    f"{what(line)} : ni forfait de dépendance ni BSI ce jour.",
                    swap_letter(claim, book, line, "IFD"),
                    soften(claim, ADVICE),
                )
    following = limit("INF-17-suivants")
    for day in {line.day for line in claim.lines if line.key_letter == "IFI"}:
        for trip in trips(claim, book, day, ("travel",)):
            for entry in [one for one in trip if one.line.key_letter == "IFI"][1:]:
                if entry.claim is claim and entry.line.coefficient == 100:
                    yield Hit(
                        entry.line.key,
                        f"{what(entry.line)} : patient suivant au même domicile, l'IFI est à {number(following)}.",
                        Proposal(
                            "replace",
                            f"IFI → IFI {number(following)}",
                            entry.line.key,
                            key_letter="IFI",
                            coefficient=following,
                        ),
                    )


@rule("INF-18", NURSE)
def distance_of_the_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """Kilometres of the practitioner's day: full, then half, then nothing (general provisions, art. 13 C 2°)."""
    full_limit, last_limit = limit("INF-18-plein"), limit("INF-18-demi")
    for day in {line.day for line in claim.lines if kind(claim, line) == "distance"}:
        full = done = 0
        for entry in book.round_of(claim, day):
            line = entry.line
            if kind(entry.claim, line) != "distance":
                continue
            is_full = line.factor is None or line.factor > limit("INF-18-taux")
            distance = line.coefficient * line.quantity
            full, done = full + distance * is_full, done + distance
            allowed = 0 if done > last_limit else limit("INF-18-taux")
            too_much = done > last_limit or (is_full and full > full_limit)
            if entry.claim is claim and too_much and not claim.is_billed:
                yield Hit(
                    line.key,
                    f"{line.key_letter} du {say_day(day)} : {done // 100} km facturés ce jour "
                    f"({(done - distance) // 100} km avant ce trajet), au-delà du palier : {allowed} %.",
                )


# --- night and Sunday


@rule("INF-40", NURSE)
def surcharge_and_hour(claim: Claim, book: Book) -> Iterator[Hit]:
    """Night needs its hour and has two values; advice where a night or Sunday surcharge is due."""
    if claim.is_billed:
        return
    for line in claim.lines:
        if line.complement == "N":
            yield from _night_value(claim, book, line)
    for lines in session_lines(claim, book):
        yield from _missing_surcharge(claim, book, lines)


def _night_value(claim: Claim, book: Book, line: Line) -> Iterator[Hit]:
    if line.minute is None:
        yield Hit(
            line.key,
            f"{what(line)} : heure d'exécution absente, la majoration de nuit ne peut être prouvée. "
            "Saisissez l'heure du soin.",
        )
        return
    letter = "NN" if is_deep_night(line.minute) else "N"
    surcharge = unit_cents(claim, book, letter, line.day)
    unit = unit_cents(claim, book, line.key_letter, line.day)
    if line.amount is None or surcharge is None or unit is None or not is_night(line.minute):
        return
    care = act_price(unit, line.coefficient, line.quantity, line.factor or 100)
    gain = care + surcharge - line.amount
    if abs(gain) <= line.quantity:
        return
    yield Hit(
        line.key,
        f"{what(line)} : majoration de nuit de {euros(max(0, line.amount - care))}, "
        f"{euros(surcharge)} à cette heure.",
        Proposal("complement", "Corriger la majoration de nuit", line.key, value="N", gain=gain),
        ADVICE if gain > 0 else None,
    )


def _missing_surcharge(claim: Claim, book: Book, lines: list[Line]) -> Iterator[Hit]:
    care = cares(claim, lines)
    if not care or any(line.complement for line in care):
        return
    may = [line for line in care if not line.has("sans_majoration")]
    if not may or not all_known(care) or any(line.has("seance_sans_majoration") for line in care):
        return
    best = max(may, key=lambda line: (line.amount or 0, str(line.key)))
    prescription = book.prescription(best)
    mentions = prescription.mentions if prescription else frozenset()
    if best not in claim.lines:
        return
    for letter, value, due in (
        (
            "NN" if is_deep_night(best.minute) else "N",
            "N",
            is_night(best.minute) and "night" in mentions,
        ),
        ("F", "F", is_sunday_or_holiday(best.day, claim.zone) and "daily" in mentions),
    ):
        cents = unit_cents(claim, book, letter, best.day)
        if due and cents is not None:
            yield Hit(
                best.key,
                f"{what(best)} : l'ordonnance permet la majoration {value} ({euros(cents)}), non facturée.",
                Proposal(
                    "complement",
                    f"Ajouter la majoration {value}",
                    best.key,
                    value=value,
                    gain=cents,
                ),
                ADVICE,
            )
            return
