"""Late payment of a fund's share, counted in working days: since when, how many, and the penalty due.

The count starts on the day the fund acknowledged the file (or, failing that, the day it left); that day is day 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

SATURDAY = 6


@dataclass(frozen=True, slots=True)
class Terms:
    """The rule, as data.

    :param pay_days: working days that the fund has.
    :param flat_cents: due once that delay is over.
    :param rate_day: working day from which the flat amount gives way to a part of the share.
    :param rate_percent: that part.
    """

    pay_days: int
    flat_cents: int
    rate_day: int
    rate_percent: int


@dataclass(frozen=True, slots=True)
class Lateness:
    """What one late share comes to: last day to pay, working days it took, penalty in cents."""

    due_on: date
    days: int
    penalty: int


def is_working_day(day: date, is_holiday: Callable[[date], bool]) -> bool:
    """Monday to Friday, without the public holidays."""
    return day.isoweekday() < SATURDAY and not is_holiday(day)


def add_working_days(day: date, count: int, is_holiday: Callable[[date], bool]) -> date:
    """The ``count``-th working day after ``day``.

    >>> add_working_days(date(2026, 11, 9), 7, lambda day: day == date(2026, 11, 11))
    datetime.date(2026, 11, 19)
    """
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day, is_holiday)
    return day


def working_days(start: date, end: date, is_holiday: Callable[[date], bool]) -> int:
    """How many working days there are after ``start``, up to and including ``end``.

    >>> working_days(date(2026, 11, 6), date(2026, 11, 9), lambda day: False)
    1
    """
    return sum(
        is_working_day(start + timedelta(days=n), is_holiday)
        for n in range(1, (end - start).days + 1)
    )


def penalty(cents: int, days: int, terms: Terms) -> int:
    """What is due for a share of so many cents paid on its so-many-th working day.

    >>> terms = Terms(pay_days=7, flat_cents=100, rate_day=10, rate_percent=10)
    >>> [penalty(1_895, days, terms) for days in (7, 8, 9, 10, 40)]
    [0, 100, 100, 190, 190]
    """
    if days <= terms.pay_days or cents <= 0:
        return 0
    if days < terms.rate_day:
        return terms.flat_cents
    return (cents * terms.rate_percent + 50) // 100


def look(
    cents: int, start: date, end: date, terms: Terms, is_holiday: Callable[[date], bool]
) -> Lateness | None:
    """What a share owes for its lateness; ``None`` when it was paid in time (or may still be).

    :param end: day of the payment, or today for what is not paid.
    """
    # a week has five working days at most: most shares need no calendar
    if (end - start).days <= terms.pay_days:
        return None
    due_on = add_working_days(start, terms.pay_days, is_holiday)
    if end <= due_on:
        return None
    days = terms.pay_days + working_days(due_on, end, is_holiday)
    owed = penalty(cents, days, terms)
    return Lateness(due_on, days, owed) if owed else None


def half_year(day: date) -> str:
    """The half-year of a day.

    >>> half_year(date(2026, 6, 30)), half_year(date(2026, 7, 1))
    ('2026-S1', '2026-S2')
    """
    return f"{day.year}-S{1 if day.month <= 6 else 2}"


def half_year_end(code: str) -> date:
    """Last day of a half-year.

    >>> half_year_end("2026-S1"), half_year_end("2026-S2")
    (datetime.date(2026, 6, 30), datetime.date(2026, 12, 31))
    """
    year, half = int(code[:4]), code[-1]
    return date(year, 6, 30) if half == "1" else date(year, 12, 31)
