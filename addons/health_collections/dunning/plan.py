"""Payment in instalments: what may be offered, which instalment settles which debt, what is late."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is granted without asking anybody.

    :param most: most instalments.
    :param least: least amount of one instalment, in cents.
    :param least_total: total in cents below which nothing is spread.
    :param first_days: days from the agreement to the first instalment.
    """

    most: int
    least: int
    least_total: int = 0
    first_days: int = 0

    def __post_init__(self) -> None:
        if self.most < 0 or self.least < 1 or self.least_total < 0 or self.first_days < 0:
            raise ValueError("bounds cannot be negative, and an instalment is at least one cent")

    def counts(self, total: int) -> range:
        """Numbers of instalments that may be chosen, from two on.

        >>> list(Bounds(most=4, least=2000).counts(7000)), list(Bounds(4, 2000, 9000).counts(7000))
        ([2, 3], [])
        """
        if total < self.least_total:
            return range(2, 2)
        return range(2, min(self.most, total // self.least) + 1)

    def holds(self, total: int, count: int) -> bool:
        """Whether so many instalments are granted at once.

        >>> Bounds(4, 2000).holds(7000, 3), Bounds(4, 2000).holds(7000, 4)
        (True, False)
        """
        return count in self.counts(total)


def amounts(total: int, count: int) -> list[int]:
    """Instalments as equal as cents allow: the first ones take the cents that are over.

    >>> amounts(10000, 3)
    [3334, 3333, 3333]
    """
    if count < 1 or total < count:
        raise ValueError("every instalment is at least one cent")
    each, over = divmod(total, count)
    return [each + 1] * over + [each] * (count - over)


def dates(first: date, count: int) -> list[date]:
    """One day a month from ``first`` on; a month too short gives its last day, the next ones not.

    >>> [day.isoformat() for day in dates(date(2027, 1, 31), 3)]
    ['2027-01-31', '2027-02-28', '2027-03-31']
    """
    found = []
    for months in range(count):
        index = first.year * 12 + first.month - 1 + months
        year, month = index // 12, index % 12 + 1
        found.append(date(year, month, min(first.day, monthrange(year, month)[1])))
    return found


def offers(total: int, day: date, bounds: Bounds) -> list[dict]:
    """Everything that may be chosen on that day: number, amounts and dates of the instalments.

    >>> [offer["count"] for offer in offers(7000, date(2026, 11, 14), Bounds(4, 2000))]
    [2, 3]
    """
    first = day + timedelta(days=bounds.first_days)
    return [
        {"count": count, "amounts": amounts(total, count), "dates": dates(first, count)}
        for count in bounds.counts(total)
    ]


def settling(debts: Iterable[int], instalments: Sequence[int]) -> list[int]:
    """Rank of the instalment that settles each debt, debts being paid in the order given.

    What the instalments do not cover (the rest is forgiven once they are paid) is settled by the last one.

    >>> settling([3000, 1000, 6000], [5000, 5000]), settling([5000, 5000], [4000, 4000])
    ([0, 0, 1], [1, 1])
    """
    if not instalments:
        raise ValueError("no instalment")
    ranks, rank, reached, covered = [], 0, instalments[0], 0
    for debt in debts:
        covered += debt
        while covered > reached and rank < len(instalments) - 1:
            rank += 1
            reached += instalments[rank]
        ranks.append(rank)
    return ranks


def settled(paid: int, instalments: Iterable[int]) -> Iterator[int]:
    """Cents of each instalment that what was paid so far covers, in their order.

    >>> list(settled(6000, [5000, 5000])), list(settled(-5, [100]))
    ([5000, 1000], [0])
    """
    left = max(paid, 0)
    for amount in instalments:
        part = min(left, amount)
        left -= part
        yield part
