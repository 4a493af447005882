"""Whose money an unexplained bank credit could be: by a name, a number or the exact amount.

The question is not who paid (that needs proofs) but who must not be reminded as long as nobody knows.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date

#: shorter words are particles and initials: they name nobody
NAME = 3
#: shorter numbers are counters, days and departments
NUMBER = 4

_WORD = re.compile(r"[A-Z0-9]+")
_DIGITS = re.compile(r"\d+")


def _words(text):
    flat = unicodedata.normalize("NFKD", text or "")
    return _WORD.findall("".join(c for c in flat if not unicodedata.combining(c)).upper())


def words(text: str) -> frozenset[str]:
    """Words in capitals without accents.

    >>> sorted(words("VIR. Hélène D'Arc-Petit"))
    ['ARC', 'D', 'HELENE', 'PETIT', 'VIR']
    """
    return frozenset(_words(text))


def phrase(text: str) -> str:
    """Words of the text in their order, between blanks, so that one phrase is found in another by whole words.

    >>> phrase("CPAM de l'Isère") in phrase("VIR SEPA CPAM DE L ISERE 2625")
    True
    """
    return f" {' '.join(_words(text))} "


def numbers(text: str) -> frozenset[str]:
    """Numbers of a text without their leading zeros, those cut by blanks put together.

    >>> sorted(numbers("VIR FSE 000 123 456 / note 7"))
    ['123', '123456', '456']
    """
    found = set()
    text = text or ""
    for run in (*_DIGITS.findall(text), *re.findall(r"\d[\d ]*\d", text)):
        bare = run.replace(" ", "").lstrip("0")
        if len(bare) >= NAME:
            found.add(bare)
    return frozenset(found)


def family(name: str) -> tuple[str, ...]:
    """The words of a name that a transfer of the household would bear, the longest first.

    The family name is in capitals where the first name is not; else every word may be it.

    >>> family("LE GOFF-PETIT Anne"), family("Anne Durand"), family("Li Na")
    (('PETIT', 'GOFF'), ('DURAND', 'ANNE'), ())
    """
    pieces = (name or "").replace("-", " ").split()
    capitals = [piece for piece in pieces if piece.isupper() and len(piece) > 1]
    kept = _naming(capitals) if len(capitals) < len(pieces) else ()
    # a family name too short to be told from other words leaves the whole name
    return kept or _naming(pieces)


def _naming(pieces):
    return tuple(
        sorted(
            (word for word in words(" ".join(pieces)) if len(word) >= NAME and not word.isdigit()),
            key=lambda word: (-len(word), word),
        )
    )


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that came in and that nothing explains yet."""

    id: int
    payee: Hashable
    day: date
    cents: int
    text: str


@dataclass(frozen=True, slots=True)
class Owing:
    """What one debtor owes one payee.

    :param names: names of the debtor and of those they settle for.
    :param references: numbers and references that they may quote.
    :param amounts: cents they may pay at once: each note, each person's total, the household's total.
    :param since: day of the oldest care: an amount that came before it is not for it.
    """

    key: Hashable
    payee: Hashable
    names: tuple[str, ...]
    references: tuple[str, ...]
    amounts: frozenset[int]
    since: date


def could_be(credits: Iterable[Credit], owing: Iterable[Owing]) -> dict[Hashable, tuple[int, str]]:
    """For each debtor whose money is perhaps there: (id of the credit, "name", "number" or "amount").

    A family name alone is enough, as a person's transfer seldom says more. The surest sign wins.
    """
    by_word, by_number, by_amount = defaultdict(list), defaultdict(list), defaultdict(list)
    for credit in credits:
        for word in words(credit.text):
            by_word[credit.payee, word].append(credit)
        for number in numbers(credit.text):
            by_number[credit.payee, number].append(credit)
        by_amount[credit.payee, credit.cents].append(credit)
    found = {}
    for debtor in owing:
        payee = debtor.payee
        hits = [
            ("number", hit)
            for reference in debtor.references
            for hit in _quoted(payee, reference, by_word, by_number)
        ]
        hits = hits or [
            ("name", hit)
            for name in debtor.names
            for word in family(name)
            for hit in by_word.get((payee, word), ())
        ]
        hits = hits or [
            ("amount", hit)
            for amount in sorted(debtor.amounts, reverse=True)
            for hit in by_amount.get((payee, amount), ())
            if hit.day >= debtor.since
        ]
        if hits:
            sign, credit = hits[0]
            found[debtor.key] = (credit.id, sign)
    return found


def _quoted(payee, reference, by_word, by_number):
    """Credits whose text quotes a number or a reference made of several words."""
    bare = reference.lstrip("0")
    if len(bare) >= NUMBER and bare.isdigit():
        return by_number.get((payee, bare), ())
    if len(reference) < NUMBER:
        return ()
    # a short number says something only when it is written as it stands on the note
    lists = [by_word.get((payee, word), []) for word in sorted(words(reference))]
    if not lists:
        return ()
    return [credit for credit in lists[0] if all(credit in other for other in lists[1:])]
