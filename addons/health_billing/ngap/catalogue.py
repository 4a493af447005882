"""The acts of the nomenclature and the key letters, read from the data files."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from .model import ActType

DATA = Path(__file__).resolve().parent.parent / "data" / "ngap"
#: professions as the data files write them → ours; the others of the file are not served
PROFESSIONS = {
    "infirmier": "infirmier",
    "masseur-kinésithérapeute": "kinesitherapeute",
    "orthophoniste": "orthophoniste",
    "orthoptiste": "orthoptiste",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A key letter as billed by a profession, and the name under which its values are filed.

    :param kind: ``act``, ``travel``, ``distance``, ``surcharge`` (a complement of the act) or ``supplement``.
    """

    profession: str
    letter: str
    tariff_letter: str
    kind: str
    label: str


def rows(name: str, folder: Path = DATA) -> list[dict[str, str]]:
    """Rows of a data file."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def coefficient(text: str) -> int:
    """Hundredths of a coefficient as the files write it.

    >>> coefficient("4,1"), coefficient("2,02"), coefficient("11")
    (410, 202, 1100)
    """
    return int(Decimal(text.replace(",", ".")) * 100)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def act_types(folder: Path = DATA) -> Iterator[ActType]:
    """Every act of the four professions; “AMI/AMX” is one act under two key letters, so two types."""
    facts = {
        (
            PROFESSIONS[row["profession"]],
            row["key_letter"],
            row["coefficient"],
            row["label_fr"],
        ): row
        for row in rows("ngap_acts.csv", folder)
        if row["profession"] in PROFESSIONS
    }
    for profession in PROFESSIONS.values():
        for row in rows(f"acts_{profession}.csv", folder):
            fact = facts[profession, row["key_letter"], row["coefficient"], row["label_fr"]]
            first, *others = re.findall(r"[A-Z]{2,4}", row["key_letter"].split("(")[0])
            for letter in (first, *others):
                yield ActType(
                    code=row["code"].replace(f"-{first}", f"-{letter}", 1),
                    profession=profession,
                    key_letter=letter,
                    coefficient=coefficient(row["coefficient"]),
                    label=row["label_fr"],
                    reference=fact["ngap_reference"],
                    tags=frozenset(row["tags"].split()),
                    agreement_from=int(row["agreement_from"]) if row["agreement_from"] else None,
                    minutes=int(row["minutes"]) if row["minutes"] else None,
                    start=_day(row["valid_from"]),
                    end=_day(row["valid_to"]),
                    grade="A" if "NGAP ameli" in fact["source"] else "C",
                )


@cache
def letters(folder: Path = DATA) -> dict[tuple[str, str], Letter]:
    """Key letters that are no plain act, by profession and letter."""
    return {
        (row["profession"], row["letter"]): Letter(
            row["profession"], row["letter"], row["tariff_letter"], row["kind"], row["label_fr"]
        )
        for row in rows("letters.csv", folder)
    }


def by_code(types: Iterable[ActType]) -> dict[str, ActType]:
    return {one.code: one for one in types}
