"""Working days of the sickness funds: Monday to Friday without the French public holidays."""

from datetime import date, timedelta

# Day and month of the fixed holidays (Code du travail, L3133-1).
_FIXED = {(1, 1), (1, 5), (8, 5), (14, 7), (15, 8), (1, 11), (11, 11), (25, 12)}
# Days after Easter Sunday: Easter Monday, Ascension, Whit Monday.
_AFTER_EASTER = (1, 39, 50)


def easter(year):
    """Easter Sunday of the Gregorian calendar (Meeus' algorithm).

    >>> easter(2026)
    datetime.date(2026, 4, 5)
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def is_working_day(day):
    """Whether offices are open on ``day``."""
    if day.weekday() >= 5 or (day.day, day.month) in _FIXED:
        return False
    return (day - easter(day.year)).days not in _AFTER_EASTER


def add_working_days(day, count):
    """The day that comes ``count`` working days after ``day``."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day
