"""What the rules of nurses share: looking back, the lines of a session, words.

Of imported claims only what letter, coefficient and day tell for certain is used: their hours and passages are not
known, so that :func:`session_lines` has none of them.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from ..calendar import add_months
from ..control import Book, Entry, Hit, Timeline
from ..limits import limit
from ..model import Claim, Line, Proposal
from .common import (
    ADVICE,
    euros,
    kind,
    name,
    remove,
    say_day,
    unit_cents,
)

NURSE = "infirmier"
PACKAGES = ("BSA", "BSB", "BSC")


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


def has_package_letter(book: Book, claim: Claim, lines: list[Line]) -> bool:
    return bool(lines) and has_package(of_day(claim, book, lines[0]))


def place_of(lines: list[Line]) -> str:
    return next((line.place for line in lines if line.place), "")


def episode(timeline: Timeline, day: date) -> list[Entry]:
    """Acts of the family since the last interruption of more than two months."""
    entries = timeline.between(None, day + timedelta(days=1))
    start = 0
    for index in range(1, len(entries)):
        if entries[index - 1].day < add_months(entries[index].day, -limit("INF-04-rupture")):
            start = index
    return entries[start:]


def day_after(day: date) -> date:
    return day + timedelta(days=1)
