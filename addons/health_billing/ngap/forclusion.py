"""When a claim can no longer be presented."""

from datetime import date


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
