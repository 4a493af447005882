"""Reading bank labels: what they name, what they quote."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

#: from this length a reference is taken for unique; a shorter one needs the payer's name beside it
STRONG = 8
#: shorter runs of digits are years, departments, counters: no reference
WEAK = 6

_WORD = re.compile(r"[A-Z0-9]+")
_DIGITS = re.compile(r"\d+")


def words(text: str) -> tuple[str, ...]:
    """Words in capitals without accents; everything else only separates.

    >>> words("Vir. CPAM de l'Isère n°262520005600")
    ('VIR', 'CPAM', 'DE', 'L', 'ISERE', 'NO262520005600')
    """
    flat = unicodedata.normalize("NFKD", text or "")
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return tuple(_WORD.findall(flat.upper()))


def phrase(text: str) -> str:
    """Words of the text, each between blanks, so that `" NAME " in phrase` tests whole words."""
    return f" {' '.join(words(text))} "


def name_phrases(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Names with the phrase by which a label is searched for them, the longest first."""
    found = {(phrase(name), name) for name in names}
    return tuple(sorted((p for p in found if len(p[0]) > 4), key=lambda p: (-len(p[0]), p)))


def named(name_phrases_: tuple[tuple[str, str], ...], text_phrase: str) -> tuple[str, ...]:
    """The names that a text holds as whole words, the longest first."""
    return tuple(name for wanted, name in name_phrases_ if wanted in text_phrase)


def date_runs(*days: date) -> frozenset[str]:
    """The ways in which labels write a day without separators: no references."""
    formats = ("%d%m%y", "%d%m%Y", "%y%m%d", "%Y%m%d", "%m%Y", "%Y%m")
    return frozenset(day.strftime(form) for day in days for form in formats)


def runs(text: str) -> frozenset[str]:
    """Numbers a label holds: runs of digits, and numbers written in blocks (`2625 2000 5600`)."""
    pieces = words(text)
    found = {run for piece in pieces for run in _DIGITS.findall(piece)}
    block = ""
    for piece in (*pieces, ""):
        if piece.isdigit():
            block += piece
        else:
            if block:
                found.add(block)
            block = ""
    return frozenset(run for run in found if len(run) >= WEAK)


def references(labels: tuple[str, ...], ignored: tuple[str, ...], day: date) -> frozenset[str]:
    """The numbers by which a settlement can be recognised on a bank label.

    Left out: dates, and runs that hold (or are held by) a number of the payee or payer.
    """
    dates = date_runs(day)
    known = tuple(number.lstrip("0") for number in ignored if len(number.lstrip("0")) >= 3)
    found = set()
    for label in labels:
        for run in runs(label):
            bare = run.lstrip("0")
            if (
                run in dates
                or len(bare) < WEAK
                or any(
                    number in bare if len(number) >= WEAK else number == bare for number in known
                )
            ):
                continue
            found.add(bare)
    return frozenset(found)


def quoted(text: str) -> frozenset[str]:
    """The numbers a bank label quotes, comparable with `references`."""
    return frozenset(run.lstrip("0") for run in runs(text) if len(run.lstrip("0")) >= WEAK)


def pieces(run: str, lengths: frozenset[int]) -> frozenset[str]:
    """The parts of a long run as long as a strong reference: banks join numbers without a blank."""
    return frozenset(
        run[start : start + length]
        for length in lengths
        if STRONG <= length < len(run)
        for start in range(len(run) - length + 1)
    )


def euros(cents: int) -> str:
    """Amount as a French reader writes it.

    >>> euros(-123456)
    '-1 234,56 €'
    """
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", " ") + f",{rest:02d} €"


def days(day: date) -> str:
    return day.strftime("%d/%m/%Y")
