"""When a claim can no longer be presented, by kind of debtor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from .calendar import add_months

#: days before the last useful day at which a person is told, nearest first
HORIZONS = (30, 60, 90)


def first_forfeited_day(care_day: date, months: int) -> date:
    """First day on which care given on ``care_day`` can no longer be claimed.

    The delay of ``months`` months runs from the first day of the quarter after the care (two years for
    the sickness funds: CSS L160-11 and L332-1, read in secondary sources). The last useful day is the
    day before.

    >>> first_forfeited_day(date(2025, 1, 1), 24), first_forfeited_day(date(2025, 3, 31), 24)
    (datetime.date(2027, 4, 1), datetime.date(2027, 4, 1))
    """
    quarter_start_month = (care_day.month - 1) // 3 * 3 + 4
    month_index = care_day.year * 12 + quarter_start_month - 1 + months
    return date(month_index // 12, month_index % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Clock:
    """How long one debtor may be asked for money.

    :param months: the delay.
    :param from_quarter: it runs from the first day of the quarter after the care, else from the care itself
        (then the day of the care counts: the anniversary is already too late, which is the careful reading).
    """

    months: int
    from_quarter: bool = True

    def first_forfeited(self, care_days: Iterable[date]) -> date | None:
        """First day on which one of the acts is lost, ``None`` without acts.

        >>> Clock(24, from_quarter=False).first_forfeited([date(2026, 11, 2), date(2026, 10, 5)])
        datetime.date(2028, 10, 5)
        """
        first = min(care_days, default=None)
        if first is None:
            return None
        if self.from_quarter:
            return first_forfeited_day(first, self.months)
        return add_months(first, self.months)


def horizon(forfeited_from: date, day: date) -> int | None:
    """The shortest of the horizons within which the last useful day falls, 0 when it is over, ``None`` if far.

    >>> [horizon(date(2028, 1, 1), date(2027, *md)) for md in ((12, 31), (12, 1), (11, 30), (10, 2), (10, 1))]
    [30, 30, 60, 90, None]
    >>> horizon(date(2028, 1, 1), date(2028, 1, 1))
    0
    """
    days_left = (forfeited_from - timedelta(days=1) - day).days
    if days_left < 0:
        return 0
    return next((limit for limit in HORIZONS if days_left <= limit), None)


def windows(day: date) -> Iterator[tuple[int, date | None, date]]:
    """The same cut as :func:`horizon`, as half-open ranges of the forfeited day: (horizon, from, to).

    >>> next(windows(date(2028, 1, 1)))
    (0, None, datetime.date(2028, 1, 2))
    """
    start: date | None = None
    end = day + timedelta(days=1)
    yield 0, start, end
    for limit in HORIZONS:
        start, end = end, day + timedelta(days=limit + 2)
        yield limit, start, end
