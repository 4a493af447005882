"""Values of the key letters, by zone and period, and the price of an act."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

#: zone whose values stand in where another zone has none
MAINLAND = "metropole"


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
