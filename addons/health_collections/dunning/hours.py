"""When a message may leave for a person: by daylight, on working days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

SUNDAY = 7
#: no run of closed days is longer than that
FAR = 31


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``first`` o'clock to ``last`` o'clock (excluded); what waits for a day leaves at ``usual`` o'clock."""

    first: int
    last: int
    usual: int


def is_open(moment: datetime, hours: Hours, closed: Callable[[date], bool]) -> bool:
    """Whether a message may leave at that moment (local time).

    >>> noon, night = datetime(2026, 11, 21, 12), datetime(2026, 11, 21, 20)
    >>> [is_open(moment, Hours(8, 20, 9), lambda day: False) for moment in (noon, night)]
    [True, False]
    """
    return not _is_shut(moment.date(), closed) and hours.first <= moment.hour < hours.last


def next_moment(moment: datetime, hours: Hours, closed: Callable[[date], bool]) -> datetime:
    """The first moment from ``moment`` on at which a message may leave.

    >>> next_moment(datetime(2026, 11, 21, 20, 5), Hours(8, 20, 9), lambda day: False)
    datetime.datetime(2026, 11, 23, 9, 0)
    """
    if is_open(moment, hours, closed):
        return moment
    day = moment.date()
    if moment.hour >= hours.last:
        day += timedelta(days=1)
    for _step in range(FAR):
        if not _is_shut(day, closed):
            break
        day += timedelta(days=1)
    return datetime.combine(day, time(hours.usual), moment.tzinfo)


def _is_shut(day, closed):
    return day.isoweekday() == SUNDAY or closed(day)
