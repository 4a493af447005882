"""The scale of reminders: which step comes next for a debt, from which day, and what one message gathers."""

import calendar
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

Key = TypeVar("Key")
Debtor = TypeVar("Debtor", bound=Hashable)
MODES = ("net_days", "end_of_month", "previous_date")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scale.

    :param rank: place in the scale; ranks may have gaps.
    :param delay: days after the due date (or after the step before, mode ``previous_date``).
    :param pause: fewest days after the step before, however late the debt is.
    :param least: total owed by the debtor (cents) below which the step is not taken.
    :param alone: the message speaks of what has reached this very step only (a firm letter must not
        tell of former reminders to whom had none).
    """

    rank: int
    delay: int
    mode: str = "net_days"
    pause: int = 0
    least: int = 0
    alone: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"unknown mode: {self.mode}")
        if self.delay < 0 or self.pause < 0 or self.least < 0:
            raise ValueError("delay, pause and least amount cannot be negative")

    def first_day(self, due: date, last: date | None) -> date:
        """First day on which a debt due on `due` may be at this step; `last`: day of the step before."""
        base = last if self.mode == "previous_date" and last else due
        day = base + timedelta(days=self.delay)
        if self.mode == "end_of_month":
            day = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return max(day, last + timedelta(days=self.pause)) if last else day


def next_step(
    steps: Sequence[Step], due: date, last_rank: int | None, last: date | None
) -> tuple[Step, date] | None:
    """Step after the last one taken and the first day for it; None when the scale is at its end.

    :param steps: in any order.
    :param last_rank: rank of the last step taken, None for none; it need not be a step of the scale any more.
    """
    rest = [step for step in steps if last_rank is None or step.rank > last_rank]
    if not rest:
        return None
    step = min(rest, key=lambda one: one.rank)
    return step, step.first_day(due, last)


def bundle(
    reached: Iterable[tuple[Key, Debtor, Step]],
    owed: Mapping[Debtor, int] | Callable[[Debtor], int],
) -> dict[Debtor, tuple[Step, list[Key]]]:
    """One message per debtor: the highest step that any of their debts has reached, and what it speaks of.

    What is not taken up waits: it comes back another day by itself.

    :param reached: (key of a debt, its debtor, the step it has reached today).
    :param owed: cents that a debtor owes in all of what may be asked.
    :return: dict of debtor → (step of the message, keys of the debts in it), nobody twice.
    """
    total = owed if callable(owed) else owed.__getitem__
    by_debtor: dict[Debtor, list[tuple[Key, Step]]] = {}
    for key, debtor, step in reached:
        if total(debtor) >= step.least:
            by_debtor.setdefault(debtor, []).append((key, step))
    messages = {}
    for debtor, debts in by_debtor.items():
        top = max((step for _key, step in debts), key=lambda step: step.rank)
        messages[debtor] = (
            top,
            [key for key, step in debts if not top.alone or step.rank == top.rank],
        )
    return messages
