"""Days in words, for letters that are in French whatever the language of the user."""

from datetime import date

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def day_text(day: date) -> str:
    """``1er décembre 2026``, with spaces that do not break."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number}\N{NO-BREAK SPACE}{MONTHS[day.month - 1]}\N{NO-BREAK SPACE}{day.year}"
