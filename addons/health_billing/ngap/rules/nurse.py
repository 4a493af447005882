"""Rules of nurses (NGAP title XVI and general provisions).

Rates (article 11 B, its derogations, dependence packages) are compared in :mod:`.rates`; here are limits, quotas,
supplements and travel. Of imported claims only what letter, coefficient and day tell for certain is used.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from ..calendar import is_sunday_or_holiday
from ..control import Book, Entry, Hit, Timeline, rule
from ..extras import (
    deserves_child,
    deserves_coordination,
    is_deep_night,
    is_night,
    is_single_act,
)
from ..forclusion import add_months
from ..limits import limit, limit_day
from ..model import Claim, Line, Proposal
from ..tariff import act_price
from ..travel import is_dependent
from .common import (
    ADVICE,
    WARNING,
    agreement_state,
    count,
    euros,
    kind,
    name,
    remove,
    say_day,
    soften,
    swap_act,
    swap_letter,
    trips,
    unit_cents,
)
from .rates import BY_RATES

NURSE = "infirmier"
PACKAGES = ("BSA", "BSB", "BSC")


# --- looking back


def upto(claim: Claim, line: Line, entries: Iterable[Entry]) -> list[Entry]:
    """The entries up to and with the line itself."""
    result = []
    for entry in entries:
        result.append(entry)
        if entry.claim is claim and entry.line is line:
            break
    return result


def rank_of(claim: Claim, book: Book, line: Line, tag: str, start: date | None = None) -> int:
    """How many acts of the family were done since ``start``, the line itself included."""
    end = line.day + timedelta(days=1)
    known = book.timeline(claim).tagged(tag).between(start, end)
    return sum(entry.line.quantity for entry in upto(claim, line, known))


def of_day(claim: Claim, book: Book, line: Line) -> list[Entry]:
    return book.timeline(claim).on(line.day)


def has_package(entries: Iterable[Entry]) -> bool:
    """Whether a dependence package is billed among the entries; its letters are certain by themselves."""
    return any(entry.line.key_letter in PACKAGES for entry in entries)


def session_lines(claim: Claim, book: Book) -> Iterator[list[Line]]:
    """Lines of each session of the claim; nothing of imported claims, whose sessions are not known."""
    if claim.is_billed:
        return
    for entries in book.sessions(claim):
        yield [entry.line for entry in entries]


def cares(claim: Claim, lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if kind(claim, line) == "act"]


def all_known(lines: Iterable[Line]) -> bool:
    return all(line.act is not None for line in lines)


def tagged(claim: Claim, *tags: str) -> Iterator[Line]:
    return (line for line in claim.lines if line.has(*tags))


def what(line: Line) -> str:
    return f"{name(line)} du {say_day(line.day)}"


def over_quota(
    claim: Claim, book: Book, tag: str, most: int, start: date | None, say: str
) -> Iterator[Hit]:
    """Acts of a family beyond a number since a day."""
    for line in tagged(claim, tag):
        position = rank_of(claim, book, line, tag, start)
        if position > most:
            yield Hit(line.key, f"{what(line)} : {position}e, {say}", remove(line))


def supplement(claim: Claim, book: Book, line: Line, letter: str, words: str) -> Hit:
    """Advice to add a supplement that is due."""
    cents = unit_cents(claim, book, letter, line.day)
    worth = f" ({euros(cents)})" if cents is not None else ""
    return Hit(
        line.key,
        f"{what(line)} : {words} La majoration {letter}{worth} est due et n'est pas facturée.",
        Proposal(
            "add", f"Ajouter {letter}", line.key, key_letter=letter, coefficient=100, gain=cents
        ),
        ADVICE,
    )


# --- rates with something more


@rule("INF-04", NURSE)
def topical_analgesia(claim: Claim, book: Book) -> Iterator[Hit]:
    """Full rate beside a dressing; eight per episode of healing, renewable once; two months end an episode."""
    yield from BY_RATES["INF-04"](claim, book)
    timeline = book.timeline(claim).tagged("analgesie")
    most = limit("INF-04-episode")
    for line in tagged(claim, "analgesie"):
        position = len(upto(claim, line, _episode(timeline, line.day)))
        if position > most * (1 + limit("INF-04-renouvellements")):
            yield Hit(line.key, f"{what(line)} : {position}e analgésie de l'épisode.", remove(line))
        elif position > most and not line.is_renewal:
            yield Hit(
                line.key,
                f"{what(line)} : {position}e analgésie de l'épisode, {most} sauf renouvellement. "
                "Notez le renouvellement de l'ordonnance ou retirez l'acte.",
                severity=WARNING,
            )


def _episode(timeline: Timeline, day: date) -> list[Entry]:
    """Acts of the family since the last interruption of more than two months."""
    entries = timeline.between(None, day + timedelta(days=1))
    start = 0
    for index in range(1, len(entries)):
        if entries[index - 1].day < add_months(entries[index].day, -limit("INF-04-rupture")):
            start = index
    return entries[start:]


@rule("INF-06", NURSE)
def after_an_operation(claim: Claim, book: Book) -> Iterator[Hit]:
    """Numbers and days of the care after an operation."""
    if not any(tagged(claim, "postoperatoire")):
        return
    patient = book.patient(claim)
    window = timedelta(days=limit("INF-06-fenetre"))
    for line in tagged(claim, "postoperatoire"):
        out = patient.discharged_on
        if out is not None and line.day >= out and line.day - out > window:
            yield Hit(
                line.key,
                f"{what(line)} : plus de {limit('INF-06-fenetre')} jours après l'opération "
                f"({say_day(out)}).",
                remove(line),
            )
    for tag, most in (
        ("postop_accompagnement", limit("INF-06-accompagnement")),
        ("postop_drain", limit("INF-06-drain")),
    ):
        for line in tagged(claim, tag):
            position = rank_of(claim, book, line, tag, line.day - window)
            if position > most:
                yield Hit(
                    line.key, f"{what(line)} : {position}e séance, {most} au plus.", remove(line)
                )
    yield from _nerve_catheter(claim, book, "caregiver" in patient.flags)


def _nerve_catheter(claim: Claim, book: Book, with_caregiver: bool) -> Iterator[Hit]:
    most = limit("INF-06-catheter-aidant" if with_caregiver else "INF-06-catheter-seul")
    timeline = book.timeline(claim).tagged("postop_catheter")
    for line in tagged(claim, "postop_catheter"):
        position = rank_of(claim, book, line, "postop_catheter", line.day)
        since = line.day - timedelta(days=limit("INF-06-fenetre"))
        days = {entry.day for entry in timeline.between(since, line.day + timedelta(days=1))}
        if position > most:
            yield Hit(
                line.key, f"{what(line)} : {position}e du jour, {most} au plus.", remove(line)
            )
        elif len(days) > limit("INF-06-catheter-jours"):
            yield Hit(
                line.key,
                f"{what(line)} : {len(days)}e jour, {limit('INF-06-catheter-jours')} jours au plus.",
                remove(line),
            )


@rule("INF-08", NURSE)
def one_package_a_day_after_an_assessment(claim: Claim, book: Book) -> Iterator[Hit]:
    """One dependence package per patient and day, and an assessment (BSI) less than a year old."""
    yield from BY_RATES["INF-08"](claim, book)
    packages = [line for line in claim.lines if line.key_letter in PACKAGES]
    for line in packages:
        same = [e for e in of_day(claim, book, line) if e.line.key_letter in PACKAGES]
        first = same[0]
        if len(same) > 1 and first.line is not line and (claim.is_billed or first.claim.is_billed):
            yield Hit(
                line.key, f"{what(line)} : un forfait est déjà facturé ce jour.", remove(line)
            )
    if packages:
        yield from _assessment_is_valid(claim, book, packages[0])


def _assessment_is_valid(claim: Claim, book: Book, line: Line) -> Iterator[Hit]:
    assessments = _assessments(book.timeline(claim)).between(None, _after(line.day))
    validity = limit("INF-08-validite")
    if not assessments:
        if not claim.is_billed:
            yield Hit(
                line.key,
                f"{what(line)} : aucun BSI connu pour ce patient. Vérifiez qu'un BSI de moins d'un an "
                "existe (fait par un confrère, ou avant notre suivi).",
                severity=ADVICE,
            )
    elif assessments[-1].day < add_months(line.day, -validity):
        yield Hit(
            line.key,
            f"{what(line)} : le dernier BSI connu date du {say_day(assessments[-1].day)}, il valait "
            f"{validity} mois. Faites le renouvellement (DI 1,2) avant de facturer le forfait.",
            severity=soften(claim, ADVICE) or WARNING,
        )


def _assessments(timeline: Timeline) -> Timeline:
    """Initial and renewed assessments; of an imported one the letter is enough."""
    if "assessments" not in timeline.memo:
        timeline.memo["assessments"] = Timeline(
            entry
            for entry in timeline
            if entry.line.key_letter == "DI" and not entry.line.has("bsi_intermediaire")
        )
    return timeline.memo["assessments"]


@rule("INF-09", NURSE)
def package_takes_amx(claim: Claim, book: Book) -> Iterator[Hit]:
    """On a day with a package the technical act is an AMX, at its rate; without one it is an AMI."""
    yield from BY_RATES["INF-09"](claim, book)
    for line in claim.lines:
        if line.key_letter not in ("AMI", "AMX"):
            continue
        package = has_package(of_day(claim, book, line))
        if line.key_letter == "AMI" and package:
            yield _to_amx(claim, book, line)
        elif line.key_letter == "AMX" and not package and not claim.is_billed:
            twin = line.act and book.acts.get(line.act.code.replace("-AMX", "-AMI", 1))
            yield Hit(
                line.key,
                f"{what(line)} : aucun forfait de dépendance ce jour, la lettre est AMI.",
                swap_act(claim, book, line, twin) if twin else None,
                WARNING,
            )


def _to_amx(claim: Claim, book: Book, line: Line) -> Hit:
    twin = line.act and book.acts.get(line.act.code.replace("-AMI", "-AMX", 1))
    if line.act is not None and (twin is None or twin is line.act):
        return Hit(
            line.key,
            f"{what(line)} : cet acte n'existe pas en AMX, il est compris dans le forfait du jour.",
            remove(line),
            soften(claim, WARNING),
        )
    return Hit(
        line.key,
        f"{what(line)} : avec un forfait de dépendance le même jour, la lettre est AMX.",
        Proposal(
            "replace",
            f"{name(line)} → AMX {name(line).split()[1]}",
            line.key,
            act=twin.code if twin else "",
            key_letter="AMX",
            coefficient=line.coefficient,
            factor=line.factor,
        ),
    )


@rule("INF-12", NURSE)
def assessments_of_dependence(claim: Claim, book: Book) -> Iterator[Hit]:
    """Initial assessment once, renewal after twelve months, two between at most."""
    most, window = limit("INF-12-intermediaires"), limit("INF-12-fenetre")
    for line in tagged(claim, "bsi_intermediaire"):
        start = add_months(line.day, -window) + timedelta(days=1)
        position = rank_of(claim, book, line, "bsi_intermediaire", start)
        if position > most:
            yield Hit(
                line.key,
                f"{what(line)} : {position}e BSI intermédiaire en {window} mois, {most} au plus.",
                remove(line),
            )
    main = book.timeline(claim).tagged("bsi_initial", "bsi_renouvellement")
    for line in tagged(claim, "bsi_initial", "bsi_renouvellement"):
        before = [
            e.day for e in upto(claim, line, main.between(None, line.day + timedelta(days=1)))
        ]
        last = before[-2] if len(before) > 1 else None
        if last is not None and last > add_months(line.day, -window):
            yield Hit(
                line.key,
                f"{what(line)} : le BSI du {say_day(last)} vaut encore ; renouvellement à {window} mois, "
                "sinon BSI intermédiaire.",
                severity=soften(claim),
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
        single = all_known(care) and is_single_act(_place(care), care, bool(letters & {"IFI"}))
        billed = [line for line in lines if line.key_letter == "MAU" and line in claim.lines]
        if has_package_letter(book, claim, lines):
            continue
        if billed and _place(care) and all_known(care) and (not single or "MCI" in letters):
            yield Hit(billed[0].key, "", remove(billed[0]))
        elif single and not letters & {"MAU", "MCI"} and care[0] in claim.lines:
            if not deserves_coordination(book.patient(claim), _place(care), care):
                yield supplement(claim, book, care[0], "MAU", "acte unique dans le passage.")


def has_package_letter(book: Book, claim: Claim, lines: list[Line]) -> bool:
    return bool(lines) and has_package(of_day(claim, book, lines[0]))


def _place(lines: list[Line]) -> str:
    return next((line.place for line in lines if line.place), "")


@rule("INF-14", NURSE)
def coordination(claim: Claim, book: Book) -> Iterator[Hit]:
    """MCI: at home with a heavy dressing or in palliative care, once, not with MAU nor wound assessment."""
    patient = book.patient(claim)
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        if not all_known(care) or not _place(care):
            continue
        billed = [line for line in lines if line.key_letter == "MCI"]
        due = deserves_coordination(patient, _place(care), care)
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
    for day in {line.day for line in claim.lines if line.key_letter == "IFI"}:
        for trip in trips(claim, book, day, ("travel",)):
            for entry in [one for one in trip if one.line.key_letter == "IFI"][1:]:
                if entry.claim is claim and entry.line.coefficient == 100:
                    yield Hit(
                        entry.line.key,
                        f"{what(entry.line)} : patient suivant au même domicile, l'IFI est à 0,01.",
                        Proposal(
                            "replace",
                            "IFI → IFI 0,01",
                            entry.line.key,
                            key_letter="IFI",
                            coefficient=limit("INF-17-suivants"),
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


# --- perfusions


@rule("INF-19", NURSE)
def one_long_perfusion_a_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """One long perfusion per patient and day; the second is coded 4,1."""
    most = limit("INF-19-jour")
    for line in tagged(claim, "perfusion_longue"):
        if rank_of(claim, book, line, "perfusion_longue", line.day) <= most:
            continue
        immuno = line.has("immunodeprime")
        code = f"INF-{line.key_letter}4,1-{'02' if immuno else '01'}"
        act = book.acts.get(code)
        yield Hit(line.key, "", swap_act(claim, book, line, act) if act else None)


@rule("INF-20", NURSE)
def removal_of_a_perfusion(claim: Claim, book: Book) -> Iterator[Hit]:
    """Removal: not with a perfusion under surveillance, and no perfusion in the following day."""
    yield from BY_RATES["INF-20"](claim, book)
    timeline = book.timeline(claim).tagged("perfusion_longue", "perfusion_courte")
    for line in tagged(claim, "perfusion_retrait"):
        end = line.day + timedelta(days=1 + limit("INF-20-interruption") // 24)
        later = [e for e in timeline.between(line.day, end) if _within_a_day(line, e.line)]
        if later:
            yield Hit(
                line.key,
                f"{what(line)} : perfusion reposée le {say_day(later[0].day)}, moins de "
                f"{limit('INF-20-interruption')} h après.",
                remove(line),
            )


def _within_a_day(removal: Line, later: Line) -> bool:
    """Whether the perfusion starts after the removal and less than a day later, as far as is known."""
    days = (later.day - removal.day).days
    if days == 0:
        return later.passage > removal.passage
    if later.minute is None or removal.minute is None:
        return False
    hours = limit("INF-20-interruption")
    return days * 24 * 60 + later.minute - removal.minute < hours * 60


@rule("INF-21", NURSE)
def organising_surveillance(claim: Claim, book: Book) -> Iterator[Hit]:
    """Once a day, not on the day of setting or removal; without travel nor surcharge."""
    yield from BY_RATES["INF-21"](claim, book)
    for line in tagged(claim, "perfusion_surveillance"):
        if rank_of(claim, book, line, "perfusion_surveillance", line.day) > limit("INF-21-jour"):
            yield Hit(line.key, f"{what(line)} : déjà facturée ce jour.", remove(line))
        if line.complement:
            yield Hit(
                line.key,
                f"{what(line)} : pas de majoration {line.complement} sur cet acte.",
                Proposal(
                    "complement", f"Retirer la majoration {line.complement}", line.key, value=""
                ),
            )
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        if care and all(line.has("perfusion_surveillance") for line in care):
            for line in lines:
                if kind(claim, line) in ("travel", "distance") and line in claim.lines:
                    yield Hit(
                        line.key,
                        f"{what(line)} : pas de déplacement pour la seule organisation de la surveillance.",
                        remove(line),
                    )


@rule("INF-22", NURSE)
def hours_of_surveillance(claim: Claim, book: Book) -> Iterator[Hit]:
    """Five hours beyond the first at most."""
    most = limit("INF-22-heures")
    for lines in session_lines(claim, book):
        extra = [line for line in lines if line.has("perfusion_supplement")]
        hours = sum(line.quantity for line in extra)
        if hours > most and extra[-1] in claim.lines:
            yield Hit(
                extra[-1].key, f"{what(extra[-1])} : {hours} heures de supplément, {most} au plus."
            )


# --- series


@rule("INF-24", NURSE)
def after_a_stay_in_hospital(claim: Claim, book: Book) -> Iterator[Hit]:
    """Fifteen sessions 5,8, the first within seven days of discharge, without surcharge."""
    yield from BY_RATES["INF-24"](claim, book)
    out = book.patient(claim).discharged_on
    most, tag = limit("INF-24-seances"), "surveillance_post_hospitalisation"
    for line in tagged(claim, tag):
        position = rank_of(claim, book, line, tag, out)
        if position > most:
            yield Hit(line.key, f"{what(line)} : {position}e séance, {most} au plus.", remove(line))
        late = out is not None and (line.day - out).days > limit("INF-24-premiere")
        if position == 1 and late:
            yield Hit(
                line.key,
                f"{what(line)} : première visite plus de {limit('INF-24-premiere')} jours après la sortie "
                f"({say_day(out)}).",
                severity=WARNING,
            )
        if line.complement:
            yield Hit(
                line.key,
                f"{what(line)} : ni majoration de nuit ni de dimanche avec cette séance.",
                Proposal(
                    "complement", f"Retirer la majoration {line.complement}", line.key, value=""
                ),
            )


@rule("INF-25", NURSE)
def weekly_session_of_diabetes(claim: Claim, book: Book) -> Iterator[Hit]:
    """Over 75 years, once a week, not with a package."""
    yield from BY_RATES["INF-25"](claim, book)
    for line in tagged(claim, "seance_hebdo_diabete"):
        age = book.patient(claim).age(line.day)
        if age is not None and age <= limit("INF-25-age"):
            yield Hit(line.key, f"{what(line)} : le patient a {age} ans.", remove(line))
        monday = line.day - timedelta(days=line.day.weekday())
        position = rank_of(claim, book, line, "seance_hebdo_diabete", monday)
        if position > limit("INF-25-semaine"):
            yield Hit(line.key, f"{what(line)} : déjà faite cette semaine.", remove(line))


@rule("INF-26", NURSE)
def learning_self_catheterism(claim: Claim, book: Book) -> Iterator[Hit]:
    """Ten sessions, not with a catheterism."""
    yield from BY_RATES["INF-26"](claim, book)
    most = limit("INF-26-seances")
    yield from over_quota(claim, book, "autosondage", most, None, f"{most} séances au plus.")


@rule("INF-27", NURSE)
def assessment_of_a_wound(claim: Claim, book: Book) -> Iterator[Hit]:
    """A new assessment after a year, or after two months without care of the wound."""
    timeline = book.timeline(claim)
    for line in tagged(claim, "bilan_plaie"):
        known = upto(claim, line, timeline.tagged("bilan_plaie").between(None, _after(line.day)))
        if len(known) < 2:
            continue
        last = known[-2].day
        if last <= add_months(line.day, -limit("INF-27-annee")):
            continue
        dressings = timeline.tagged("pansement").between(last, line.day)
        seen = max((entry.day for entry in dressings), default=last)
        if seen > add_months(line.day, -limit("INF-27-interruption")):
            yield Hit(
                line.key,
                f"{what(line)} : bilan déjà fait le {say_day(last)}, et les pansements n'ont pas cessé "
                f"{limit('INF-27-interruption')} mois (dernier le {say_day(seen)}).",
                remove(line),
            )


def _after(day: date) -> date:
    return day + timedelta(days=1)


@rule("INF-28", NURSE)
def negative_pressure(claim: Claim, book: Book) -> Iterator[Hit]:
    """Ordered by a hospital for thirty days, renewed once; a new device after seven days or when full."""
    timeline = book.timeline(claim).tagged("pression_negative")
    for line in tagged(claim, "pression_negative"):
        prescription = book.prescription(line)
        if prescription is not None:
            most = limit("INF-28-renouvellements")
            last = limit("INF-28-ordonnance") * (1 + min(prescription.renewals, most))
            if not prescription.is_hospital:
                yield Hit(
                    line.key, f"{what(line)} : l'ordonnance initiale doit venir d'un hôpital."
                )
            elif (line.day - prescription.day).days >= last:
                yield Hit(
                    line.key, f"{what(line)} : l'ordonnance ne vaut que {count(last, 'jour')}."
                )
        last_day = timeline.last_day(line.day)
        recent = last_day is not None and (line.day - last_day).days < limit("INF-28-delai")
        if recent and not line.reason:
            yield Hit(
                line.key,
                f"{what(line)} : dispositif posé le {say_day(last_day)}, il y a moins de "
                f"{limit('INF-28-delai')} jours. Notez en motif s'il était saturé.",
                severity=WARNING,
            )


@rule("INF-29", NURSE)
def surveillance_of_medication(claim: Claim, book: Book) -> Iterator[Hit]:
    """One act of article 10 per session; agreement after the first month."""
    yield from BY_RATES["INF-29"](claim, book)
    timeline = book.timeline(claim).tagged("administration_medicament")
    for line in tagged(claim, "administration_medicament"):
        if line.has("administration_longue"):
            continue  # the act after the first month asks for agreement by itself (GEN-03)
        first = _episode(timeline, line.day)[0].day
        if (
            first >= add_months(line.day, -limit("INF-29-mois"))
            or agreement_state(claim, book, line, 1)[0] == ""
        ):
            continue
        yield Hit(
            line.key,
            f"{what(line)} : soin commencé le {say_day(first)}, accord préalable nécessaire après le premier "
            "mois. Saisissez la demande envoyée, puis cotez l'acte « au-delà du premier mois ».",
            severity=WARNING,
        )
        return


@rule("INF-30", NURSE)
def starting_a_treatment(claim: Claim, book: Book) -> Iterator[Hit]:
    """Fifteen visits per treatment started or changed; three sessions of accompaniment, renewable once."""
    most = limit("INF-30-surveillance")
    for line in tagged(claim, "surveillance_traitement"):
        known = book.timeline(claim).tagged("surveillance_traitement")
        same = [
            entry
            for entry in upto(claim, line, known.between(None, _after(line.day)))
            if entry.line.prescription == line.prescription
        ]
        if len(same) > most:
            yield Hit(
                line.key,
                f"{what(line)} : {len(same)}e passage, {most} au plus par traitement.",
                remove(line),
            )
    series = limit("INF-30-accompagnement") * limit("INF-30-series")
    for line in tagged(claim, "accompagnement_medicament"):
        start = add_months(line.day, -limit("INF-30-fenetre"))
        position = rank_of(claim, book, line, "accompagnement_medicament", start)
        if position > series:
            yield Hit(
                line.key,
                f"{what(line)} : {position}e séance en {limit('INF-30-fenetre')} mois, {series} au plus.",
                remove(line),
            )


@rule("INF-31", NURSE)
def until_healed(claim: Claim, book: Book) -> Iterator[Hit]:
    """“Until healed” is good for three months; a duration written by the doctor goes first."""
    for line in tagged(claim, "cicatrisation"):
        prescription = book.prescription(line)
        if prescription is None or prescription.end is not None:
            continue
        start = add_months(line.day, -limit("INF-31-mois"))
        if "until_healed" in prescription.mentions and prescription.day < start:
            yield Hit(
                line.key,
                f"{what(line)} : ordonnance « jusqu'à cicatrisation » du {say_day(prescription.day)}, "
                f"valable {limit('INF-31-mois')} mois. Demandez une nouvelle ordonnance.",
            )


@rule("INF-32", NURSE)
def remote_dressing(claim: Claim, book: Book) -> Iterator[Hit]:
    """Four a month, after a dressing on site, not on the day of one."""
    yield from BY_RATES["INF-32"](claim, book)
    most = limit("INF-32-mois")
    dressings = book.timeline(claim).tagged("pansement")
    for line in tagged(claim, "telesoin_pansement"):
        position = rank_of(claim, book, line, "telesoin_pansement", line.day.replace(day=1))
        if position > most:
            yield Hit(
                line.key, f"{what(line)} : {position}e du mois, {most} au plus.", remove(line)
            )
        if not claim.is_billed and not dressings.between(None, _after(line.day)):
            yield Hit(
                line.key,
                f"{what(line)} : aucun pansement en présence connu avant.",
                severity=WARNING,
            )


@rule("INF-33", NURSE)
def dressing_of_varices(claim: Claim, book: Book) -> Iterator[Hit]:
    """Two acts in a session, wherever they are; the same for both breasts."""
    most = limit("INF-33-varices")
    for lines in session_lines(claim, book):
        for tag in ("pansement_varices", "pansement_sein"):
            same = [line for line in lines if line.has(tag)]
            total = sum(line.quantity for line in same)
            if total > most and same[-1] in claim.lines:
                yield Hit(
                    same[-1].key,
                    f"{what(same[-1])} : {total} actes, {most} au plus.",
                    remove(same[-1]),
                )


@rule("INF-34", NURSE)
def quotas_of_some_acts(claim: Claim, book: Book) -> Iterator[Hit]:
    """Penile sheath once a day, twenty colic irrigations, four dialyses a day."""
    most = limit("INF-34-irrigation")
    yield from over_quota(claim, book, "irrigation_colique", most, None, f"{most} séances au plus.")
    for tag, code in (("etui_penien", "INF-34-etui"), ("dialyse", "INF-34-dialyse")):
        for line in tagged(claim, tag):
            position = rank_of(claim, book, line, tag, line.day)
            if position > limit(code):
                yield Hit(
                    line.key,
                    f"{what(line)} : {position}e du jour, {limit(code)} au plus.",
                    remove(line),
                )


@rule("INF-35", NURSE)
def teleconsultation(claim: Claim, book: Book) -> Iterator[Hit]:
    """TLS only after care in the session; two trips a day for TLL."""
    for lines in session_lines(claim, book):
        care = [line for line in cares(claim, lines) if line.key_letter not in TELECONSULTATIONS]
        for line in lines:
            if line.key_letter == "TLS" and not care and line in claim.lines:
                yield Hit(line.key, f"{what(line)} : aucun soin dans la même séance.", remove(line))
    for line in claim.lines:
        if line.key_letter != "TLL" or not line.place == "facility":
            continue
        trips = _places(book, claim, line)
        if len(trips) > limit("INF-35-jour"):
            yield Hit(line.key, f"{what(line)} : {len(trips)}e déplacement du jour.", remove(line))


TELECONSULTATIONS = ("TLS", "TLL", "TLD")


def _places(book: Book, claim: Claim, line: Line) -> list[tuple]:
    """The places the practitioner went to for TLL that day, up to the line, each passage once."""
    day = book.round_of(claim, line.day)
    known = upto(claim, line, (entry for entry in day if entry.line.key_letter == "TLL"))
    homes = {(book.patient(e.claim).home or e.claim.patient, e.line.passage): 1 for e in known}
    return list(homes)


# --- letters and coefficients that ended


@rule("INF-36", NURSE)
def ais_is_abolished(claim: Claim, book: Book) -> Iterator[Hit]:
    """No AIS from the day of its abolition."""
    for line in claim.lines:
        if line.key_letter == "AIS" and line.day >= limit_day("INF-36-fin"):
            yield Hit(
                line.key,
                f"{what(line)} : lettre AIS abrogée depuis le {say_day(limit_day('INF-36-fin'))}. "
                "La dépendance passe par le BSI (forfaits BSA, BSB, BSC).",
                remove(line),
            )


@rule("INF-37", NURSE)
def other_dressing(claim: Claim, book: Book) -> Iterator[Hit]:
    """“Other dressing” AMI 2 has become AMI 2,02."""
    for line in tagged(claim, "autre_pansement"):
        if line.day < limit_day("INF-37-debut"):
            continue
        act = book.acts.get("INF-AMI2,02-01")
        yield Hit(
            line.key,
            f"{what(line)} : « autre pansement » est au coefficient 2,02 depuis le "
            f"{say_day(limit_day('INF-37-debut'))}.",
            swap_act(claim, book, line, act) if act else None,
        )


@rule("INF-38", NURSE)
def requests_for_teleexpertise(claim: Claim, book: Book) -> Iterator[Hit]:
    """Four a year and patient."""
    most = limit("INF-38-annee")
    for line in claim.lines:
        if line.key_letter != "RQD":
            continue
        year = book.timeline(claim).between(date(line.day.year, 1, 1), _after(line.day))
        known = upto(claim, line, (entry for entry in year if entry.line.key_letter == "RQD"))
        if len(known) > most:
            yield Hit(
                line.key, f"{what(line)} : {len(known)}e de l'année, {most} au plus.", remove(line)
            )


@rule("INF-39", NURSE)
def former_sessions_of_care(claim: Claim, book: Book) -> Iterator[Hit]:
    """AIS 3 before its abolition: four half hours a day at most."""
    most = limit("INF-39-jour")
    for line in claim.lines:
        if line.key_letter != "AIS" or line.day >= limit_day("INF-36-fin"):
            continue
        day = upto(
            claim, line, (e for e in of_day(claim, book, line) if e.line.key_letter == "AIS")
        )
        position = sum(entry.line.quantity for entry in day)
        if position > most:
            yield Hit(
                line.key,
                f"{what(line)} : {position} AIS dans la journée, {most} au plus.",
                remove(line),
                WARNING,
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
