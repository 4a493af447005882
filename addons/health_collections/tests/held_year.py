"""A generated year of people who owe something and must not always be written to; nothing here knows Odoo.

The oracle is the generator's own knowledge: each hold lasts from a day to a day, whatever the product makes of it.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

START = date(2025, 10, 1)
DAYS = 365
#: days between two nights worked: every day of the week comes by
STEP = 17

#: what may befall anybody, alone or together with another
PASSING = (
    "amo_pending",
    "amc_pending",
    "amo_rejected",
    "blocked",
    "do_nothing",
    "dispute",
    "quote",
    "question",
    "request",
    "coverage_c2s",
    "coverage_ame",
    "hospital",
    "guardianship",
    "palliative",
    "fragile",
    "credit_name",
    "credit_number",
    "credit_amount",
    "transaction",
    "contact",
    "parent_deceased",
)
#: what ends the story, or needs one of its own
FINAL = ("deceased", "paid", "small", "old", "plan", "replaced", "ill_small_sum", "written_off")


@dataclass(frozen=True)
class Hold:
    """Half-open; ``end`` None: for good."""

    kind: str
    start: date
    end: date | None

    def lasts(self, day):
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True)
class Person:
    """Somebody who owes one sum for one care."""

    rank: int
    care: date
    cents: int
    holds: tuple[Hold, ...]

    @property
    def kinds(self):
        return {hold.kind for hold in self.holds}

    def held(self, day):
        return any(hold.lasts(day) for hold in self.holds)


def nights():
    return [START + timedelta(days=offset) for offset in range(0, DAYS, STEP)]


def year(seed):
    """People with every kind of hold alone, in pairs drawn by chance, and some whom nothing protects."""
    chance = random.Random(seed)
    sets = [(kind,) for kind in PASSING + FINAL]
    sets += [tuple(chance.sample(PASSING, 2)) for _rank in range(15)]
    sets += [()] * 4
    return [_person(chance, rank, kinds) for rank, kinds in enumerate(sets)]


def _person(chance, rank, kinds):
    # the care was two or three months before the year, so that all are late from its first night on
    care = START - timedelta(days=chance.randrange(60, 100))
    cents = 6000 + rank * 37
    if "small" in kinds:
        cents = 250
    if "ill_small_sum" in kinds:
        cents = 1200
    if "old" in kinds:
        # too old from the first night on: what was asked before tempts nobody
        care = START.replace(year=START.year - 2) - timedelta(days=chance.randrange(30))
    return Person(rank, care, cents, tuple(_hold(chance, kind, care) for kind in kinds))


def _hold(chance, kind, care):
    # two in three from the first night on: what follows is the only reminder that could slip through
    start = START + timedelta(days=chance.choice((0, 0, chance.randrange(0, 120))))
    end = start + timedelta(days=chance.randrange(20, 150))
    if kind in ("small", "ill_small_sum"):
        return Hold(kind, START, None)
    if kind == "old":
        # two years after the care, day for day
        return Hold(kind, date(care.year + 2, care.month, care.day), None)
    if kind == "contact":
        return Hold(kind, start, start + timedelta(days=7))
    if kind.endswith(("_pending", "_rejected")):
        # a payer owes from the care on
        return Hold(kind, care, end)
    return Hold(kind, start, None if kind in FINAL else end)
