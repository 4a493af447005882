"""Legal interest on a sum, by dated rates; never on a day whose rate is not known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction


class UnknownRate(ValueError):
    """No rate is known for ``day``."""

    def __init__(self, day: date):
        super().__init__(f"no rate of legal interest is known on {day}")
        self.day = day


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate of a half-year, half-open.

    :param basis_points: hundredths of a percent a year.
    """

    start: date
    end: date
    basis_points: int


def legal_interest(cents: int, start: date, end: date, rates: Iterable[Rate]) -> int:
    """Simple interest in cents on ``cents`` from ``start`` to ``end`` (excluded), half a cent counts as one.

    Each day bears its own rate, over the number of days of its year; nothing is rounded on the way.

    :raises UnknownRate: a day has no rate: what is not known is not guessed.

    >>> rates = [Rate(date(2026, 1, 1), date(2026, 7, 1), 262)]
    >>> legal_interest(100000, date(2026, 1, 1), date(2026, 3, 1), rates)
    424
    """
    total = Fraction(0)
    for first, after, basis_points in _pieces(start, end, rates):
        days_of_year = (date(first.year + 1, 1, 1) - date(first.year, 1, 1)).days
        total += Fraction(cents * basis_points * (after - first).days, 10000 * days_of_year)
    return (2 * total.numerator + total.denominator) // (2 * total.denominator)


def known_until(start: date, rates: Iterable[Rate]) -> date:
    """First day from ``start`` on whose rate is not known.

    >>> known_until(date(2026, 3, 1), [Rate(date(2026, 1, 1), date(2026, 7, 1), 262)])
    datetime.date(2026, 7, 1)
    """
    day = start
    for rate in sorted(rates, key=lambda one: one.start):
        if rate.start <= day < rate.end:
            day = rate.end
    return day


def _pieces(start, end, rates):
    """Stretches of one rate inside one year: (first day, first day after, basis points)."""
    by_start = sorted(rates, key=lambda one: one.start)
    day = start
    while day < end:
        rate = next((one for one in by_start if one.start <= day < one.end), None)
        if rate is None:
            raise UnknownRate(day)
        after = min(end, rate.end, date(day.year + 1, 1, 1))
        yield day, after, rate.basis_points
        day = after


def half_year(day: date) -> tuple[date, date]:
    """The half-year of a day, half-open: rates are published by half-year.

    >>> half_year(date(2026, 11, 22))
    (datetime.date(2026, 7, 1), datetime.date(2027, 1, 1))
    """
    if day.month < 7:
        return date(day.year, 1, 1), date(day.year, 7, 1)
    return date(day.year, 7, 1), date(day.year + 1, 1, 1)
