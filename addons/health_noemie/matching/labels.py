"""Reading bank labels: what they name, what they quote, and what they may have meant to quote."""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import date

#: from this length a reference is taken for unique; a shorter one needs the payer's name beside it
STRONG = 8
#: shorter runs of digits are years, departments, counters: no reference
WEAK = 6
#: a name cut by the end of the label counts from this many letters, and this share of the name
CUT_NAME, CUT_NAME_PERCENT = 10, 60
#: a number cut by the end of the label says something from this many digits
CUT_NUMBER = 6
#: the differing digits of a neighbour number are among its last ones
COUNTER = 4

_WORD = re.compile(r"[A-Z0-9]+")
_DIGITS = re.compile(r"\d+")
#: letters that people and scanners write for digits
_LIKE = str.maketrans("OQDILSBZG", "000115826")
_LIKE_WORD = re.compile(r"([0-9OQDILSBZG]{4,})|[A-Z]*?(\d[0-9OQDILSBZG]{5,})")


def words(text: str) -> tuple[str, ...]:
    """Words in capitals without accents; everything else only separates.

    >>> words("Vir. CPAM de l'Isère n°262520005600")
    ('VIR', 'CPAM', 'DE', 'L', 'ISERE', 'NO262520005600')
    """
    text = text or ""
    if not text.isascii():
        flat = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in flat if not unicodedata.combining(c))
    return tuple(_WORD.findall(text.upper()))


def phrase(text: str) -> str:
    """Words of the text, each between blanks, so that `" NAME " in phrase` tests whole words."""
    return f" {' '.join(words(text))} "


class Names:
    """Names of payers, found on labels as whole words, however blanks fall inside them."""

    def __init__(self, pairs: Iterable[tuple[Hashable, str]]):
        self._keys = defaultdict(dict)
        for key, name in pairs:
            joined = "".join(words(name))
            if len(joined) > 2:
                kept = self._keys[joined].get(key, name)
                self._keys[joined][key] = min(kept, name)
        self._sorted = sorted(self._keys)
        self._starts = {name[:end] for name in self._sorted for end in range(1, len(name) + 1)}

    def find(self, label: tuple[str, ...], more: tuple[str, ...] = ()) -> dict:
        """Keys that a label names, each with the names it shows, the longest first.

        A name inside a longer one of somebody else is not meant. The last name of a label may be cut by
        its end, if that leaves one body only.

        :param label: words of the label
        :param more: words beside it (counterparty)
        """
        spans = []
        for part in (label, more):
            for start in range(len(part)):
                joined = ""
                for end in range(start, len(part)):
                    joined += part[end]
                    if joined not in self._starts:
                        break
                    if joined in self._keys:
                        spans.append((id(part), start, end, self._keys[joined]))
                else:
                    if part is label and joined not in self._keys:
                        spans += self._cut(label, start, joined)
        if len(spans) == 1:
            return {key: (name,) for key, name in spans[0][3].items()}
        found = defaultdict(set)
        for span in spans:
            part, start, end, keys = span
            for key, name in keys.items():
                if not any(
                    other[0] == part
                    and other[1] <= start
                    and end <= other[2]
                    and (other[1], other[2]) != (start, end)
                    and key not in other[3]
                    for other in spans
                ):
                    found[key].add(name)
        return {
            key: tuple(sorted(names, key=lambda n: (-len(n), n))) for key, names in found.items()
        }

    def _cut(self, label, start, joined):
        """The name that the end of the label cuts, if only one body bears such a one."""
        if len(joined) < CUT_NAME:
            return
        at, meant = bisect_left(self._sorted, joined), []
        while at < len(self._sorted) and self._sorted[at].startswith(joined):
            meant.append(self._sorted[at])
            at += 1
        if not meant or CUT_NAME_PERCENT * len(meant[0]) > 100 * len(joined):
            return
        if len({key for name in meant for key in self._keys[name] if key is not None}) == 1:
            named = {}
            for name in meant:
                named.update(self._keys[name])
            yield id(label), start, len(label) - 1, named


def date_runs(*days: date) -> frozenset[str]:
    """The ways in which labels write a day without separators: no references."""
    found = set()
    for day in days:
        dd, mm, yyyy = f"{day.day:02d}", f"{day.month:02d}", f"{day.year:04d}"
        yy = yyyy[2:]
        found |= {dd + mm + yy, dd + mm + yyyy, yy + mm + dd, yyyy + mm + dd, mm + yyyy, yyyy + mm}
    return frozenset(found)


def runs(text: str) -> frozenset[str]:
    """Numbers a label holds: runs of digits, and numbers written in blocks (`2625 2000 5600`)."""
    return _runs(words(text))


def _runs(pieces: Iterable[str]) -> frozenset[str]:
    found, block, blocks = set(), "", 0
    for piece in (*pieces, ""):
        if piece.isdigit():
            found.add(piece)
            block += piece
            blocks += 1
        else:
            if blocks > 1:
                found.add(block)
            block, blocks = "", 0
            if piece and not piece.isalpha():
                found.update(_DIGITS.findall(piece))
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


def _bare(numbers: Iterable[str]) -> frozenset[str]:
    return frozenset(b for b in (number.lstrip("0") for number in numbers) if len(b) >= WEAK)


def quoted(text: str) -> frozenset[str]:
    """The numbers a bank label quotes, comparable with `references`."""
    return _bare(runs(text))


def pieces(run: str, lengths: frozenset[int]) -> frozenset[str]:
    """The parts of a long run as long as a strong reference: banks join numbers without a blank."""
    return frozenset(
        run[start : start + length]
        for length in lengths
        if STRONG <= length < len(run)
        for start in range(len(run) - length + 1)
    )


class Label:
    """The texts of one movement, read once."""

    __slots__ = ("_joined", "counter", "groups", "label", "numbers", "other")

    def __init__(self, label: str, counterparty: str = "", reference: str = ""):
        self.label = words(label)
        self.counter = words(counterparty)
        both = (*self.label, "-", *self.counter)
        #: numbers that the payer wrote; they also speak against a settlement that bears another
        self.numbers = _bare(_runs(both))
        #: numbers of the operation: they only speak for
        self.other = _bare(runs(reference)) - self.numbers if reference else frozenset()
        #: numbers as they follow each other, letters that stand for digits repaired
        self.groups = _groups(both)
        self._joined = None

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.label, *self.counter)

    @property
    def phrase(self) -> str:
        return f" {' '.join(self.words)} "

    @property
    def joined(self) -> frozenset[str]:
        """Every number that neighbouring digits make, blanks left out."""
        if self._joined is None:
            found = set()
            for group in self.groups:
                for start in range(len(group)):
                    number = ""
                    for piece in group[start : start + 6]:
                        number += piece
                        if CUT_NUMBER <= len(number) <= 40:
                            found.add(number)
            self._joined = frozenset(found)
        return self._joined

    @property
    def said(self) -> frozenset[str]:
        """Numbers that mean one thing each: long runs as they are, short ones put together."""
        found = set()
        for group in self.groups:
            long = [piece for piece in group if len(piece) >= CUT_NUMBER]
            found.update(long or ["".join(group)])
        return frozenset(number for number in found if len(number) >= CUT_NUMBER)


def _groups(pieces):
    groups, group = [], []
    for piece in (*pieces, ""):
        piece = _repair(piece)
        if piece.isdigit():
            group.append(piece)
            continue
        if group:
            groups.append(tuple(group))
            group = []
        if not piece.isalpha():
            inside = _DIGITS.findall(piece)
            if inside and piece.endswith(inside[-1]):
                group = [inside.pop()]
            groups += [(run,) for run in inside]
    if group:
        groups.append(tuple(group))
    return tuple(groups)


def is_date(number: str, day: date) -> bool:
    """Whether a run of digits reads as a day within a year or so of another."""
    forms = {6: ((0, 2, 4, 6), (4, 6, 0, 2)), 8: ((0, 2, 4, 8), (6, 8, 0, 4))}.get(len(number), ())
    for first, second, third, last in forms:
        if first == 0:
            dd, mm, yy = number[0:2], number[second : second + 2], number[third:last]
        else:
            dd, mm, yy = number[first:second], number[-4:-2], number[third:last]
        year = int(yy) + 2000 if len(yy) == 2 else int(yy)
        if abs(year - day.year) <= 1 and 1 <= int(mm) <= 12 and 1 <= int(dd) <= 31:
            return True
    return False


def _repair(word: str) -> str:
    """A number with letters for digits, as it was meant; other words as they are."""
    if word.isalpha() or word.isdigit() or not (found := _LIKE_WORD.fullmatch(word)):
        return word
    number = found[1] or found[2]
    if 2 * sum(c.isdigit() for c in number) < len(number):
        return word
    return word.removesuffix(number) + number.translate(_LIKE)


def distance(one: str, other: str, limit: int) -> int:
    """Characters changed, dropped, added or swapped between two numbers; `limit` + 1 if more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before, row = [], list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def neighbours(number: str) -> Iterable[str]:
    """Every number that one character changed, dropped, added or swapped makes of another."""
    for at in range(len(number)):
        yield number[:at] + number[at + 1 :]
        if at and number[at] != number[at - 1]:
            yield number[: at - 1] + number[at] + number[at - 1] + number[at + 1 :]
        for digit in "0123456789":
            if digit != number[at]:
                yield number[:at] + digit + number[at + 1 :]
    for at in range(len(number) + 1):
        for digit in "0123456789":
            yield number[:at] + digit + number[at:]


def may_be_next(one: str, other: str) -> bool:
    """Whether two numbers of one length differ in their last digits only: maybe two transfers."""
    return len(one) == len(other) and one[:-COUNTER] == other[:-COUNTER]


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


def gap(days_: int) -> str:
    """Days between announce and bank, in words."""
    if not days_:
        return "le même jour"
    return f"{abs(days_)} jour{'s' if abs(days_) > 1 else ''} {'après' if days_ > 0 else 'avant'}"


def listed(items: Iterable[str]) -> str:
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} et {items[-1]}"
