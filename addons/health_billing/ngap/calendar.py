"""Sundays and French public holidays, those of the overseas territories and of Alsace-Moselle included."""

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
