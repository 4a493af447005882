"""Sundays, French public holidays (overseas territories and Alsace-Moselle included), and months counted from a day."""

from calendar import monthrange
from datetime import date
from functools import lru_cache

from holidays import country_holidays

#: zone of the tariff → subdivision of the holidays library; the mainland has none
SUBDIVISIONS = {"metropole": None, "mayotte": "976"}


@lru_cache(maxsize=64)
def _holidays(subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(country_holidays("FR", subdiv=subdivision, years=year))


def is_holiday(day: date, zone: str = "metropole") -> bool:
    """Whether ``day`` is a public holiday where the practitioner works.

    ``zone`` is a tariff zone or a subdivision of the library (``971``, ``57`` …); a zone without holidays of
    its own has those of the mainland.

    >>> is_holiday(date(2026, 11, 11)), is_holiday(date(2026, 12, 26)), is_holiday(date(2026, 12, 26), "57")
    (True, False, True)
    """
    subdivision = SUBDIVISIONS.get(zone, zone)
    if subdivision not in country_subdivisions():
        subdivision = None
    return day in _holidays(subdivision, day.year)


@lru_cache(maxsize=1)
def country_subdivisions() -> frozenset[str | None]:
    return frozenset({None, *country_holidays("FR").subdivisions})


def is_sunday_or_holiday(day: date, zone: str = "metropole") -> bool:
    """Whether acts of that day may bear the Sunday and holiday surcharge.

    >>> is_sunday_or_holiday(date(2026, 11, 22)), is_sunday_or_holiday(date(2026, 11, 23))
    (True, False)
    """
    return day.isoweekday() == 7 or is_holiday(day, zone)


def add_months(day: date, months: int) -> date:
    """The same day ``months`` months later, or the last day of that month where it has no such day.

    >>> add_months(date(2024, 2, 29), 24), add_months(date(2026, 10, 31), 3)
    (datetime.date(2026, 2, 28), datetime.date(2027, 1, 31))
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
