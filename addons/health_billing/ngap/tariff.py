"""Values of the key letters, by zone and period, and the price of an act."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data" / "ngap"
GRADE_RE = re.compile(r"\[([ABC])")
#: zone whose values stand in where another zone has none
MAINLAND = "metropole"
#: start of the values of which the files do not know since when they apply
BEGINNING = date(2000, 1, 1)


class UnknownValue(LookupError):
    """No value of the key letter is known for that zone and day; the message is French."""


@dataclass(frozen=True)
class LetterValue:
    """One value of a key letter.

    :param cents: value of one unit of coefficient, in cents.
    :param start: first day on which it applies.
    :param end: first day on which it no longer applies, or ``None``.
    :param grade: proof grade of the source: A official text, B secondary, C unconfirmed.
    :param is_confirmed: the agency has confirmed a value graded C.
    """

    key_letter: str
    zone: str
    cents: int
    start: date
    end: date | None
    source: str
    grade: str
    is_confirmed: bool = False


class Tariff:
    """All known values, looked up by key letter, zone and day."""

    def __init__(self, values: Iterable[LetterValue]) -> None:
        self._values: dict[tuple[str, str], list[LetterValue]] = {}
        for value in values:
            self._values.setdefault((value.key_letter, value.zone), []).append(value)
        for known in self._values.values():
            known.sort(key=lambda value: value.start)

    def value(self, key_letter: str, zone: str, day: date) -> LetterValue:
        """The value in force on the day of the act (not the day of the claim).

        :raises UnknownValue: when no period covers that day.
        """
        for value in reversed(self._values.get((key_letter, zone), ())):
            if value.start <= day and (value.end is None or day < value.end):
                return value
        raise UnknownValue(
            f"Aucune valeur connue pour la lettre-clé {key_letter} (zone {zone}) au {day:%d/%m/%Y} : "
            "complétez le catalogue NGAP ou vérifiez la date de l'acte."
        )

    def effective(self, key_letter: str, zone: str, day: date) -> LetterValue:
        """The value of the zone, else the mainland's, which then is unconfirmed (grade C).

        :raises UnknownValue: when the mainland has none either.
        """
        try:
            return self.value(key_letter, zone, day)
        except UnknownValue:
            if zone == MAINLAND:
                raise
        return replace(self.value(key_letter, MAINLAND, day), grade="C", is_confirmed=False)


def act_price(
    value_cents: int, coefficient_hundredths: int, quantity: int = 1, factor: int = 100
) -> int:
    """Price in cents of ``quantity`` acts: value × coefficient × factor, rounded half up on each act.

    >>> act_price(315, 410)  # AMI 4,1 at 3.15 €: 12.915 €
    1292
    >>> act_price(221, 807, 2)
    3566
    >>> act_price(315, 100, factor=50)  # the second act: 1.575 €
    158
    """
    unit = (value_cents * coefficient_hundredths * factor + 5_000) // 10_000
    return unit * quantity


def load_values(folder: Path = DATA) -> Iterator[LetterValue]:
    """Every value of the data file, whose last days are included (ours are not).

    A period “until unknown” gives way where another value of the letter says nothing of its start: that one is today's.
    """
    with (folder / "ngap_values.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    undated = {(row["key_letter"], row["zone"]) for row in rows if not row["valid_from"]}
    for row in rows:
        if row["valid_to"] == "unknown" and (row["key_letter"], row["zone"]) in undated:
            continue
        grade = GRADE_RE.search(row["source"])
        end = row["valid_to"]
        yield LetterValue(
            row["key_letter"],
            row["zone"],
            int(Decimal(row["value_eur"]) * 100),
            date.fromisoformat(row["valid_from"]) if row["valid_from"] else BEGINNING,
            date.fromisoformat(end) + timedelta(days=1) if end[:1].isdigit() else None,
            row["source"],
            grade[1] if grade else "C",
        )
