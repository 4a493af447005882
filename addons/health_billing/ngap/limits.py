"""Quotas, delays and other numbers of the rules, read from the data file; none is written in the code."""

from datetime import date
from functools import lru_cache
from pathlib import Path

from .catalogue import DATA, rows


@lru_cache(maxsize=4)
def limits(folder: Path = DATA) -> dict[str, str]:
    """Every number of ``limits.csv`` by its code, as written there."""
    return {row["code"]: row["value"] for row in rows("limits.csv", folder)}


@lru_cache(maxsize=256)
def limit(code: str) -> int:
    """A quota, a delay, an age.

    >>> limit("GEN-03-silence")
    15
    """
    return int(limits()[code])


@lru_cache(maxsize=32)
def limit_day(code: str) -> date:
    """A first day.

    >>> limit_day("MK-13-fin")
    datetime.date(2026, 1, 1)
    """
    return date.fromisoformat(limits()[code])
