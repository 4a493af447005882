"""Rules of orthoptists (NGAP title III)."""

from collections.abc import Iterator
from datetime import date, timedelta

from ..control import Book, Entry, Hit, rule
from ..limits import limit
from ..model import Claim, Line
from .common import (
    WARNING,
    acts,
    agreement_state,
    missing_agreements,
    name,
    remove,
    say_day,
    soften,
)

ORTHOPTIST = "orthoptiste"


@rule("OPT-01", ORTHOPTIST)
def first_article_stands_alone(claim: Claim, book: Book) -> Iterator[Hit]:
    """An act of article 1 goes with no other of article 1, nor with one of article 3."""
    for entries in book.sessions(claim):
        first = [entry for entry in entries if entry.line.has("art1")]
        third = [entry for entry in entries if entry.line.has("art3")]
        together = first + third
        if not first or len(together) < 2:
            continue
        best = max(together, key=lambda entry: entry.line.coefficient)
        kept = {id(best)} if best in first else {id(entry) for entry in third}
        for entry in together:
            if id(entry) in kept or entry.claim is not claim:
                continue
            yield Hit(
                entry.line.key,
                f"{name(entry.line)} et {name(best.line)} du {say_day(entry.line.day)} ne se facturent pas "
                "dans la même séance.",
                remove(entry.line),
                soften(claim, WARNING),
            )


@rule("OPT-02", ORTHOPTIST)
def assessments_of_a_year(claim: Claim, book: Book) -> Iterator[Hit]:
    """Two assessments of a kind a year, some more with agreement; series of twenty, then agreement."""
    timeline = book.timeline(claim)
    most = limit("OPT-02-annuel")
    for line in acts(claim):
        if not line.has("bilan"):
            continue
        window = timeline.tagged("bilan").between(
            line.day - timedelta(days=limit("OPT-02-fenetre") - 1), line.day + timedelta(days=1)
        )
        same = [entry for entry in window if entry.line.act is line.act]
        position = next((n for n, entry in enumerate(same, 1) if entry.line is line), len(same))
        if position <= most:
            continue
        what = f"{name(line)} du {say_day(line.day)} : {position}e bilan en un an, "
        if line.has("bilan_deux_par_an"):
            yield Hit(line.key, what + f"{most} au plus.", remove(line))
            continue
        state, why = agreement_state(claim, book, line, most + 1)
        if state == "missing":
            yield Hit(
                line.key,
                what + f"accord préalable nécessaire au-delà de {most}. Saisissez la demande.",
                severity=soften(claim),
            )
        elif state:
            yield Hit(line.key, what + why)
    yield from missing_agreements(claim, book, acts(claim))


def months(born: date, day: date) -> int:
    """Whole months of age.

    >>> months(date(2025, 1, 31), date(2026, 1, 30)), months(date(2025, 1, 31), date(2026, 1, 31))
    (11, 12)
    """
    return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)


#: family of the screening → name of its ages in the limits
AGES = {"depistage_9_15_mois": "OPT-04-9-15", "depistage_30_mois_5_ans": "OPT-04-30-60"}


@rule("OPT-04", ORTHOPTIST)
def screening_once_and_alone(claim: Claim, book: Book) -> Iterator[Hit]:
    """A screening is made once, at its age, with no other act that day."""
    timeline = book.timeline(claim)
    for line in acts(claim):
        if not line.has("depistage"):
            continue
        what = f"{name(line)} du {say_day(line.day)} : "
        earlier = next((e for e in timeline.tagged("depistage") if e.line.act is line.act), None)
        if earlier is not None and earlier.line is not line:
            yield Hit(
                line.key, what + f"dépistage déjà fait le {say_day(earlier.day)}.", remove(line)
            )
        others = [
            e for e in timeline.on(line.day) if e.line is not line and e.line.act is not line.act
        ]
        if any(_is_care(e) for e in others):
            yield Hit(line.key, what + "ne se cumule avec aucun autre acte du jour.", remove(line))
        yield from _at_its_age(claim, book, line, what)


def _is_care(entry: Entry) -> bool:
    return entry.line.key_letter == "AMY" or entry.line.act is not None


def _at_its_age(claim: Claim, book: Book, line: Line, what: str) -> Iterator[Hit]:
    born = book.patient(claim).birth_date
    if born is None:
        return
    age = months(born, line.day)
    for tag, code in AGES.items():
        if line.has(tag) and not limit(f"{code}-debut") <= age < limit(f"{code}-fin"):
            yield Hit(line.key, what + f"hors de l'âge du dépistage ({age} mois).", remove(line))
