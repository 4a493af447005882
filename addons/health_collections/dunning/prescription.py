"""Until when a debt may be asked for in court: the careful reading of the delay, and what begins it anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something that moves the delay: an interruption, or a suspension that lasted from ``day`` to ``until``.

    :param day: the day on which the debtor acknowledged the debt, agreed to a plan, was sued …
    :param until: first day after a suspension; ``None``: an interruption, after which the whole delay runs again.
    """

    day: date
    until: date | None = None


def first_day_after(
    care_days: Iterable[date], events: Iterable[Event], months: int, least_months: int = 0
) -> date | None:
    """First day on which the debt can no longer be asked for safely, ``None`` without any day of care.

    The careful reading at each fork: the delay runs from the first care, whose day counts; an event after the end
    of the delay revives nothing; after a suspension, the delay that was left runs on, ``least_months`` at least.

    >>> first_day_after([date(2024, 10, 5)], [], 24)
    datetime.date(2026, 10, 5)
    >>> first_day_after([date(2024, 10, 5)], [Event(date(2025, 3, 1))], 24)
    datetime.date(2027, 3, 1)
    >>> first_day_after([date(2024, 10, 5)], [Event(date(2026, 10, 5))], 24)
    datetime.date(2026, 10, 5)
    """
    start = min(care_days, default=None)
    if start is None:
        return None
    limit = start + relativedelta(months=months)
    for event in sorted(events, key=lambda one: (one.day, one.until or one.day)):
        if not start <= event.day < limit:
            continue
        if event.until is None:
            # several on one day, or an earlier one inside a longer suspension, never shorten the delay
            limit = max(limit, event.day + relativedelta(months=months))
        elif event.until > event.day:
            limit = max(
                limit + (event.until - event.day), event.until + relativedelta(months=least_months)
            )
    return limit


def alert_from(day: date, months: int, alert_months: int) -> date:
    """A debt whose first day after is before this one has reached its alert on ``day``.

    >>> [alert_from(date(2026, 6, day), 24, 20) > date(2026, 10, 5) for day in (4, 5)]
    [False, True]
    """
    return day + relativedelta(months=months - alert_months, days=1)
