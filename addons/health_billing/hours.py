"""Hours of the day as people type them; no odoo here."""

import re

_HOUR = re.compile(r"(\d{1,2})(?:\s*[hH:.,]\s*(\d{1,2})?|(\d\d))?")


def read_hour(text):
    """``HH:MM`` of an hour as it was typed, ``""`` for nothing, ``None`` where it is no hour.

    >>> [read_hour(text) for text in ("730", "7h30", "7", "19:05", "1930", " ")]
    ['07:30', '07:30', '07:00', '19:05', '19:30', '']
    >>> [read_hour(text) for text in ("2460", "24:00", "matin", "7:5:3", "73")]
    [None, None, None, None, None]
    """
    text = (text or "").strip()
    if not text:
        return ""
    found = _HOUR.fullmatch(text)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or found[3] or 0)
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None
