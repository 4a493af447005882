"""French words for amounts, coefficients and days, as billers say them."""

from datetime import date


def say_day(day: date) -> str:
    """
    >>> say_day(date(2026, 11, 6))
    '06/11/2026'
    """
    return f"{day:%d/%m/%Y}"


def number(hundredths: int) -> str:
    """
    >>> number(809), number(1550), number(400)
    ('8,09', '15,5', '4')
    """
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}".rstrip("0").rstrip(",") if rest else str(whole)


def euros(cents: int) -> str:
    """
    >>> euros(1260)
    '12,60 €'
    """
    return f"{cents // 100},{cents % 100:02d} €"


def clock(minute: int) -> str:
    """
    >>> clock(605)
    '10 h 05'
    """
    return f"{minute // 60 % 24} h {minute % 60:02d}"


def count(amount: int, singular: str, plural: str = "") -> str:
    """
    >>> count(1, "séance"), count(2, "séance")
    ('1 séance', '2 séances')
    """
    return f"{amount} {singular if amount < 2 else plural or singular + 's'}"
