"""Rules of nurses about the dependent patient: package of the day, its letter AMX, assessments (NGAP title XVI, ch. I
art. 12; general provisions, art. 11 B 5). What goes with an operation and topical analgesia stand here too, as their
rates have derogations; rates themselves are compared in :mod:`.rates`.
"""

from collections.abc import Iterator
from datetime import timedelta

from ..calendar import add_months
from ..control import Book, Hit, Timeline, rule
from ..limits import limit
from ..model import Claim, Line, Proposal
from .common import (
    ADVICE,
    WARNING,
    name,
    remove,
    say_day,
    soften,
    swap_act,
)
from .nursing import (
    NURSE,
    PACKAGES,
    day_after,
    episode,
    has_package,
    of_day,
    rank_of,
    tagged,
    upto,
    what,
)
from .rates import BY_RATES

# --- rates with something more


@rule("INF-04", NURSE)
def topical_analgesia(claim: Claim, book: Book) -> Iterator[Hit]:
    """Full rate beside a dressing; eight per episode of healing, renewable once; two months end an episode."""
    yield from BY_RATES["INF-04"](claim, book)
    timeline = book.timeline(claim).tagged("analgesie")
    most = limit("INF-04-episode")
    for line in tagged(claim, "analgesie"):
        position = len(upto(claim, line, episode(timeline, line.day)))
        if position > most * (1 + limit("INF-04-renouvellements")):
            yield Hit(line.key, f"{what(line)} : {position}e analgésie de l'épisode.", remove(line))
        elif position > most and not line.is_renewal:
            yield Hit(
                line.key,
                f"{what(line)} : {position}e analgésie de l'épisode, {most} sauf renouvellement. "
                "Notez le renouvellement de l'ordonnance ou retirez l'acte.",
                severity=WARNING,
            )


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
    assessments = _assessments(book.timeline(claim)).between(None, day_after(line.day))
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
            f"{validity} mois. Faites son renouvellement avant de facturer le forfait.",
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
