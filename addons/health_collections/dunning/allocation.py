"""Which debts a payment settles (C. civ. 1342-10 and 1343-1), and how an amount is shared out to the cent."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Debt:
    """One debt of a debtor towards one creditor.

    :param left: principal still owed, in cents.
    :param since: day on which it was born (the oldest is paid first).
    :param due: its due date.
    :param weight: how much the debtor gains by settling it first (a formal notice, interest that runs).
    :param interest: interest owed, in cents: paid before the principal of the same debt.
    """

    key: Hashable
    left: int
    since: date
    due: date
    weight: int = 0
    interest: int = 0

    @property
    def whole(self) -> int:
        return self.left + self.interest


@dataclass(frozen=True, slots=True)
class Part:
    """What a debt receives of a payment, in cents."""

    key: Hashable
    principal: int
    interest: int = 0


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount shared out in proportion, to the cent: the largest remainders take the cents that are over.

    No part is larger than its weight as long as the amount is no larger than their sum.

    >>> share_out(100, [1, 1, 1]), share_out(50, [100, 0, 100])
    ([34, 33, 33], [25, 0, 25])
    """
    total = sum(weights)
    if amount < 0 or min(weights, default=0) < 0 or (amount and not total):
        raise ValueError("nothing can be shared out so")
    if not total:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    over = amount - sum(parts)
    ranked = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for index in ranked[:over]:
        parts[index] += 1
    return parts


def allocate(
    amount: int, debts: Iterable[Debt], day: date, chosen: Sequence[Hashable] = ()
) -> tuple[list[Part], int]:
    """What each debt receives of a payment.

    The debtor's own choice comes first, in their order. Then what is due, then what they gain most by
    settling, then the oldest; what is alike in everything is paid in proportion. Within one debt the interest
    is paid before the principal.

    :return: (parts of the debts that receive something, cents that found nothing to pay)

    >>> old = Debt("old", 500, date(2026, 1, 5), date(2026, 2, 4))
    >>> new = Debt("new", 500, date(2026, 3, 5), date(2026, 4, 4))
    >>> parts, over = allocate(700, [new, old], date(2026, 5, 1))
    >>> [(part.key, part.principal) for part in parts], over
    ([('old', 500), ('new', 200)], 0)
    >>> [part.key for part in allocate(300, [new, old], date(2026, 5, 1), chosen=["new"])[0]]
    ['new']
    """
    if amount < 0:
        raise ValueError("a payment cannot be negative")
    wish = {key: rank for rank, key in enumerate(chosen)}

    def order(debt: Debt) -> tuple:
        if debt.key in wish:
            return (0, wish[debt.key])
        return (1, debt.due > day, -debt.weight, debt.since, debt.due)

    groups: dict[tuple, list[Debt]] = {}
    for debt in debts:
        if debt.whole > 0:
            groups.setdefault(order(debt), []).append(debt)
    parts, left = [], amount
    for rank in sorted(groups):
        group = groups[rank]
        taken = min(left, sum(debt.whole for debt in group))
        if not taken:
            break
        left -= taken
        for debt, cents in zip(
            group, share_out(taken, [debt.whole for debt in group]), strict=True
        ):
            if cents:
                interest = min(cents, debt.interest)
                parts.append(Part(debt.key, cents - interest, interest))
    return parts, left
