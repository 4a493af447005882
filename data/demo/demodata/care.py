"""Patients, FSE and lots of the demo, from the plans of ``world``."""

import csv
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from . import world

SEED = 20261120
VALUES_FILE = Path(__file__).resolve().parents[2] / "ngap" / "ngap_values.csv"
PROFESSION_SUFFIX = {"kinesitherapeute": "kine", "orthophoniste": "ortho"}
AMO_RATES = {"60": 60, "direct": 60, "ald": 100, "c2s": 100, "mat": 100, "at": 100, "am": 90}
NATURES = {"mat": "30", "at": "41", "am": "13"}


def half_up(value):
    """A Decimal number of cents as an int, halves upwards."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Values:
    """Value of a key letter at a date, from the dated table ``data/ngap/ngap_values.csv``."""

    def __init__(self, path=VALUES_FILE):
        self.rows = {}
        with open(path, encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["zone"] == "metropole":
                    self.rows.setdefault(row["key_letter"], []).append(row)

    def cents(self, letter, profession, day):
        """The value in cents (Decimal). Travel letters have one value per profession."""
        name = f"{letter}_{PROFESSION_SUFFIX.get(profession, profession)}"
        day = day.isoformat()
        found = [
            row["value_eur"]
            for row in self.rows.get(name) or self.rows[letter]
            if (row["valid_from"] or "") <= day <= (row["valid_to"] or "9999")
        ]
        if len(found) != 1:
            raise LookupError(f"{letter} on {day}: {len(found)} values")
        return Decimal(found[0]) * 100


class Dice:
    """Chance with a fixed seed. Only ``random()`` is used: Python promises its sequence."""

    def __init__(self, seed=SEED):
        self._random = random.Random(seed).random

    def below(self, limit):
        return int(self._random() * limit)

    def pick(self, values):
        return values[self.below(len(values))]


@dataclass(eq=False)
class Patient:
    provider: world.Practitioner
    last_name: str
    first_name: str
    birth_date: date
    nir: str
    birth_rank: int = 1
    email: str = ""
    phone: str = ""
    member: str = ""  # number at the complementary insurer


@dataclass(eq=False)
class Act:
    day: date
    letter: str
    coefficient: int  # hundredths
    quantity: int
    amount: int
    amo: int
    amc: int
    patient: int


@dataclass(eq=False)
class Fse:
    provider: world.Practitioner
    plan: world.Plan
    patient: Patient
    fse_date: date
    acts: list
    prescriber_no: str
    prescription_date: date | None
    no: str = ""
    lot_no: str = ""
    sent_on: date | None = None
    broken: int = 0  # cents by which the written patient part is wrong
    copy_of: "Fse | None" = field(default=None, repr=False)

    @property
    def fund(self):
        return world.FUNDS[self.plan.fund]

    @property
    def insurer(self):
        return world.INSURERS.get(self.plan.amc)

    @property
    def rate(self):
        return AMO_RATES[self.plan.cover]

    @property
    def nature(self):
        return NATURES.get(self.plan.cover, "10")

    @property
    def exemption(self):
        return "4" if self.plan.cover == "ald" else "0"

    def total(self, part="amount"):
        return sum(getattr(act, part) for act in self.acts)

    @property
    def due_date(self):
        return self.fse_date + timedelta(days=30)


def _birth_date(dice, care):
    if care in world.CHILD_CARE:
        youngest, oldest = world.CHILD_CARE[care]
    elif care in world.OLD_CARE:
        youngest, oldest = 68, 93
    else:
        youngest, oldest = 24, 79
    year = 2026 - youngest - dice.below(oldest - youngest + 1)
    # before September, so that the age at the care is the one asked for
    return date(year, 1 + dice.below(8), 1 + dice.below(28))


def fake_nir(sex, born, order):
    """A 13-character NIR of a birthplace that does not exist (commune 999)."""
    place = {9: "2A999", 31: "2B999"}.get(order, "99999")
    return f"{sex}{born:%y%m}{place}{order:03d}"


def _patients(dice):
    """One patient per plan, in the order of the plans, with distinct names and NIR."""
    last_names = sorted(world.LAST_NAMES)
    order = 0
    result = []
    for provider in world.PRACTITIONERS:
        names = list(last_names)
        for plan in world.PLANS[provider.key]:
            order += 1
            last_name = names.pop(dice.below(len(names)))
            sex = 1 + dice.below(2)
            first_name = dice.pick(world.MEN if sex == 1 else world.WOMEN)
            born = _birth_date(dice, plan.care)
            rank = 1
            if plan.care in world.CHILD_CARE:  # a child is covered under a parent's number
                parent_sex = 1 + dice.below(2)
                parent_born = date(born.year - 26 - dice.below(9), 1 + dice.below(12), 1)
                nir = fake_nir(parent_sex, parent_born, order)
            else:
                nir = fake_nir(sex, born, order)
            result.append(
                (
                    plan,
                    Patient(
                        provider,
                        last_name,
                        first_name,
                        born,
                        nir,
                        rank,
                        email=f"patient{order:03d}@example.org" if plan.email else "",
                        phone=f"06 39 98 {order // 100:02d} {order % 100:02d}",
                        member=f"{40000000 + order * 7919:08d}" if plan.amc else "",
                    ),
                )
            )
    return result


def _acts(values, provider, plan, days):
    """The rows of one FSE with their shares."""
    rate = AMO_RATES[plan.cover]
    acts = []
    for day in days:
        for letter, coefficient in world.RECIPES[plan.care]:
            value = values.cents(letter, provider.profession, day)
            amount = half_up(value * coefficient / 100)
            amo = 0 if plan.cover == "direct" else half_up(Decimal(amount * rate) / 100)
            rest = amount - amo
            amc, patient = (rest, 0) if plan.amc else (0, rest)
            acts.append(Act(day, letter, coefficient, 1, amount, amo, amc, patient))
    return acts


def _prescription(dice, plan, first_day):
    if plan.care == "vaccination":
        return "", None
    return dice.pick(world.PRESCRIBERS)[1], first_day - timedelta(days=3 + dice.below(18))


def _copies(fses):
    """The FSE that was sent twice by mistake: same care, a new number, a fortnight later."""
    original = next(
        fse for fse in fses if fse.provider.key == "kinesitherapeute" and fse.plan.cover == "at"
    )
    later = original.fse_date + timedelta(days=14)
    return [
        Fse(
            original.provider,
            original.plan,
            original.patient,
            later,
            original.acts,
            original.prescriber_no,
            original.prescription_date,
            copy_of=original,
        )
    ]


def _break_rows(fses):
    """Unsent FSE of one row whose written shares do not add up to the fee."""
    broken = [fse for fse in fses if fse.plan.tag == "broken"]
    for fse, difference in zip(broken, (-100, 50, 5), strict=True):
        fse.broken = difference


def build():
    """All FSE of the demo, numbered and sent, by practitioner then number."""
    dice, values = Dice(), Values()
    fses = []
    for plan, patient in _patients(dice):
        provider = patient.provider
        for week in range(plan.week, plan.week + plan.weeks):
            monday = world.FIRST_DAY + timedelta(weeks=week)
            days = [monday + timedelta(days=int(day)) for day in plan.days]
            days = [day for day in days if day <= world.LAST_DAY and day not in world.HOLIDAYS]
            if days:
                number, prescribed = _prescription(dice, plan, days[0])
                acts = _acts(values, provider, plan, days)
                fses.append(Fse(provider, plan, patient, days[-1], acts, number, prescribed))
    fses += _copies(fses)
    result = []
    for provider in world.PRACTITIONERS:
        own = [fse for fse in fses if fse.provider is provider]
        own.sort(key=lambda fse: fse.fse_date)  # stable: the order of the plans within a day
        for rank, fse in enumerate(own):
            fse.no = str(provider.first_fse + rank)
        _send(provider, own)
        result += own
    _break_rows(result)
    return result


def _send(provider, fses):
    """Lots: one per day of sending and fund. Numbers increase."""
    lot_no = provider.first_lot
    waiting = list(fses)
    for day in world.SEND_DAYS:
        leaving = [fse for fse in waiting if fse.fse_date <= day]
        waiting = [fse for fse in waiting if fse.fse_date > day]
        for fund in world.FUNDS.values():
            lot = [fse for fse in leaving if fse.fund is fund]
            for fse in lot:
                fse.sent_on, fse.lot_no = day, f"{lot_no:03d}"
            if lot:
                lot_no += 1
