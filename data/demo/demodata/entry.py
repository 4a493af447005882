"""What the agency enters by itself: the round of a nurse without software, three single cases, and a quote.

None of it is billed when the demo opens: the visits wait for a biller. So the truth about shares and money
(``truth``) does not know these patients.
"""

import json
from datetime import date, timedelta

from . import care, world
from .keys import french_iban, luhn

#: first order number of these patients' NIR, beyond those of the journals
FIRST_ORDER = 301
MONDAY = date(2026, 11, 16)
PRESCRIBED = date(2026, 11, 3)

NURSE = {
    "name": "Élodie Marchand",
    "first_name": "Élodie",
    "last_name": "Marchand",
    "profession": "infirmier",
    "provider_no": luhn("99600505"),
    "rpps": luhn("9900000005"),
    "siren": luhn("00000205"),
    "iban": french_iban("99999", "00005", "00000005005"),
    "zone": "metropole",
    "street": "21 route du Moulin",
    "zip": "99004",
    "city": "Aubrives-la-Combe",
    "email": "soignante@example.org",
    "phone": "01 99 00 20 05",
}

INSULIN = ["INF-AMI1-09", "INF-AMI1-10"]
#: care → (passages as (hour, weekdays 1 to 7, acts), mentions of the prescription)
ROUNDS = {
    "insulin": ([("07:00", "1234567", INSULIN), ("18:30", "1234567", INSULIN)], ["daily"]),
    "insulin_morning": ([("07:40", "1234567", INSULIN)], ["daily"]),
    "dependence": ([("08:10", "1234567", ["INF-BSB1-01"])], ["daily"]),
    "dependence_injection": (
        [("08:40", "1234567", ["INF-BSC1-01", "INF-AMI1-03"])],
        ["daily"],
    ),
    "ulcer": ([("09:30", "135", ["INF-AMI4-04"])], []),
    "wound": ([("10:15", "1246", ["INF-AMI2,02-01"])], []),
    "sample": ([("06:40", "2", ["INF-AMI1,5-01"])], []),
    "injection": ([("11:00", "1234567", ["INF-AMI1-03"])], ["daily"]),
    "infusion": ([("13:30", "12345", ["INF-AMI14-01"])], []),
}
#: care, coverage case, fund, insurer, kilometres one way (0: same town)
ROUND = [
    ("insulin", "ald", "cpam75", "", "3.5"),
    ("insulin", "ald", "cpam69", "", "0"),
    ("insulin", "ald", "cpam75", "", "6"),
    ("insulin_morning", "ald", "cpam75", "", "0"),
    ("insulin_morning", "ald", "msa", "", "9.2"),
    ("insulin_morning", "common", "cpam75", "tilleuls", "0"),
    ("dependence", "ald", "cpam75", "", "0"),
    ("dependence", "ald", "cpam69", "", "4"),
    ("dependence_injection", "ald", "cpam75", "", "0"),
    ("dependence_injection", "ald", "msa", "", "7.5"),
    ("dependence", "ald", "cpam75", "", "2.4"),
    ("ulcer", "common", "cpam75", "heron", "5"),
    ("ulcer", "ald", "cpam69", "", "0"),
    ("ulcer", "c2s", "cpam75", "", "3"),
    ("wound", "common", "cpam75", "tilleuls", "0"),
    ("wound", "local", "cpam67", "heron", "4.5"),
    ("wound", "common", "msa", "belle_rive", "0"),
    ("injection", "common", "cpam75", "horizon", "0"),
    ("injection", "ald", "cpam75", "", "8"),
    ("injection", "common", "cpam69", "tilleuls", "0"),
    ("infusion", "ald", "cpam75", "", "3.8"),
    ("injection", "common", "cpam75", "heron", "0"),
    ("sample", "common", "cpam75", "heron", "0"),
    ("sample", "maternity", "cpam75", "", "0"),
    ("sample", "common", "cnmss", "belle_rive", "2.8"),
]
#: one patient each at three practices: assessment and series as they are entered
CASES = [
    {
        "case": "physio",
        "practitioner": "kinesitherapeute",
        "born": "1974-05-12",
        "coverage": ("common", "cpam75", "tilleuls"),
        "acts": ["MK-RSC8,09-01"],
        "sessions": 10,
        # the fund kept silent: agreed fifteen days after it received the request
        "agreement": {"sent_on": "2026-10-19", "received_on": "2026-10-21", "sessions": 10},
        "prescribed_on": "2026-10-16",
        "visits": [
            (day, "09:00", "MK-RSC8,09-01")
            for day in ("2026-11-09", "2026-11-12", "2026-11-16", "2026-11-19")
        ],
    },
    {
        "case": "speech",
        "practitioner": "orthophoniste",
        "born": "2019-03-04",
        "coverage": ("common", "cpam75", "heron"),
        "acts": ["ORT-AMO34,01-01", "ORT-AMO12,1-01"],
        "sessions": 31,
        "agreement": None,
        "prescribed_on": "2026-10-26",
        "visits": [
            ("2026-11-03", "10:30", "ORT-AMO34,01-01"),
            ("2026-11-10", "10:30", "ORT-AMO12,1-01"),
            ("2026-11-13", "10:30", "ORT-AMO12,1-01"),
            ("2026-11-17", "10:30", "ORT-AMO12,1-01"),
        ],
    },
    {
        "case": "orthoptics",
        "practitioner": "orthoptiste",
        "born": "2016-09-21",
        "coverage": ("common", "cpam75", "tilleuls"),
        "acts": ["OPT-AMY15-01", "OPT-AMY7,7-01"],
        "sessions": 21,
        "agreement": None,
        "prescribed_on": "2026-10-30",
        "visits": [
            ("2026-11-05", "14:00", "OPT-AMY15-01"),
            ("2026-11-12", "14:00", "OPT-AMY7,7-01"),
            ("2026-11-19", "14:00", "OPT-AMY7,7-01"),
        ],
    },
]
#: the quote: a speech therapist's act outside the nomenclature, above the threshold
QUOTE = {"case": "speech", "label": "Bilan complémentaire hors nomenclature", "cents": 9500}


def build():
    """Everything the loader enters, as plain values."""
    dice = care.Dice(world_seed())
    people = _people(dice)
    return {
        "practitioner": NURSE,
        "week": MONDAY.isoformat(),
        "round": [_round_patient(dice, people, *row) for row in ROUND],
        "cases": [_case(dice, people, case) for case in CASES],
        "quote": QUOTE,
    }


def world_seed():
    return care.SEED + 3


def write():
    """The file, by its name."""
    content = json.dumps(build(), ensure_ascii=False, indent=1) + "\n"
    return {"entry.json": content.encode()}


def _people(dice):
    """Endless distinct patients: (last name, first name, sex, order of birth in the register)."""
    names = sorted(world.LAST_NAMES)
    order = FIRST_ORDER
    while True:
        sex = 1 + dice.below(2)
        first = dice.pick(world.MEN if sex == 1 else world.WOMEN)
        yield names.pop(dice.below(len(names))), first, sex, order
        order += 1


def _patient(dice, people, born, coverage, distance="0"):
    last, first, sex, order = next(people)
    case, fund, insurer = coverage
    if born.year > 2008:  # a child is covered under a parent's number
        nir = care.fake_nir(2, date(born.year - 31, born.month, 1), order)
    else:
        nir = care.fake_nir(sex, born, order)
    return {
        "last_name": last,
        "first_name": first,
        "nir": nir,
        "birth_date": born.isoformat(),
        "email": f"patient{order}@example.org",
        "phone": f"06 39 98 {order // 100:02d} {order % 100:02d}",
        "distance": distance,
        "coverage": {
            "case": case,
            "fund": world.FUNDS[fund].org_no,
            "centre": world.FUNDS[fund].centre,
            "insurer": world.INSURERS[insurer].org_no if insurer else "",
            "member": f"{40000000 + order * 7919:08d}" if insurer else "",
        },
    }


def _round_patient(dice, people, kind, case, fund, insurer, distance):
    passages, mentions = ROUNDS[kind]
    old = kind.startswith(("insulin", "dependence", "ulcer"))
    year = 1934 + dice.below(18) if old else 1955 + dice.below(40)
    born = date(year, 1 + dice.below(12), 1 + dice.below(28))
    patient = _patient(dice, people, born, (case, fund, insurer), distance)
    patient["prescription"] = {
        "date": (PRESCRIBED - timedelta(days=dice.below(20))).isoformat(),
        "prescriber": dice.pick(world.PRESCRIBERS)[1],
        "acts": sorted({act for _hour, _days, acts in passages for act in acts}),
        "mentions": mentions,
        "sessions": 0,
    }
    patient["plans"] = [
        # patients of one kind follow one another, ten minutes apart
        {"time": _shift(hour, dice), "passage": rank, "days": days, "acts": acts}
        for rank, (hour, days, acts) in enumerate(passages, start=1)
    ]
    return patient


def _shift(hour, dice):
    minutes = int(hour[:2]) * 60 + int(hour[3:]) + 10 * dice.below(5)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _case(dice, people, case):
    patient = _patient(dice, people, date.fromisoformat(case["born"]), case["coverage"])
    provider = next(p for p in world.PRACTITIONERS if p.key == case["practitioner"])
    return {
        "case": case["case"],
        "provider_no": provider.provider_no,
        "patient": patient,
        "prescription": {
            "date": case["prescribed_on"],
            "prescriber": dice.pick(world.PRESCRIBERS)[1],
            "acts": case["acts"],
            "mentions": [],
            "sessions": case["sessions"],
        },
        "agreement": case["agreement"],
        "visits": [{"day": day, "time": hour, "act": act} for day, hour, act in case["visits"]],
    }
