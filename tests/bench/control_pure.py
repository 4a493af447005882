"""Seconds to control 1,000 and 10,000 claims with the pure package: ``python tests/bench/control_pure.py``.

2,000 patients of four practitioners over four months, each claim a week of three sessions with travel; the claims
are ours in one half (hours, places, prescriptions) and imported in the other.
"""

import sys
import time
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "health_billing"))

from ngap import (
    Book,
    Claim,
    Line,
    Patient,
    Prescription,
    Tariff,
    act_types,
    by_code,
    control,
)
from ngap.update import load_values

PATIENTS = 2_000
FIRST_DAY = date(2026, 6, 22)
SESSIONS = 3
#: profession → acts done in turn, and the travel letter
CARE = {
    "infirmier": (("INF-AMI4-02", "INF-AMI1,5-01", "INF-AMI1-01"), "IFD"),
    "kinesitherapeute": (("MK-RAM8,09-01", "MK-NMI9-01", "MK-RIC8,12-01"), "IFS"),
    "orthophoniste": (("ORT-AMO12,1-01", "ORT-AMO15,6-01", "ORT-AMO13,8-01"), "IFN"),
    "orthoptiste": (("OPT-AMY7,7-01", "OPT-AMY15-01", "OPT-AMY12,3-01"), ""),
}


def claims(acts, prices):
    """Claims without end: each patient in turn, then everyone again two weeks later."""
    trades = list(CARE)
    number = 0
    while True:
        visit, patient = divmod(number, PATIENTS)
        profession = trades[patient % len(trades)]
        codes, travel = CARE[profession]
        act = acts[codes[patient // len(trades) % len(codes)]]
        billed = patient % 2 == 0
        lines = []
        for rank in range(SESSIONS):
            day = FIRST_DAY + timedelta(weeks=2 * visit, days=2 * rank + patient % 2)
            shared = {
                "day": day,
                "minute": None if billed else 480 + patient // 4 * 7 % 600,
                "duration": None if billed else 7,
                "place": "" if billed else "home",
                "prescription": None if billed else f"rx{patient}",
            }
            lines.append(
                Line(
                    f"{number}/{rank}",
                    act.key_letter,
                    act.coefficient,
                    act=act,
                    factor=None if billed else 100,
                    amount=prices[act.code],
                    **shared,
                )
            )
            if travel:
                lines.append(Line(f"{number}/{rank}t", travel, 100, factor=100, **shared))
        yield Claim(
            number,
            f"P{patient % len(trades)}/{patient // 80}",  # twenty patients each
            profession,
            "metropole",
            patient,
            tuple(lines),
            is_billed=billed,
        )
        number += 1


def book(count, acts, tariff):
    prices = {}
    for codes, _travel in CARE.values():
        for code in codes:
            act = acts[code]
            unit = tariff.value(act.key_letter, "metropole", date(2026, 10, 1)).cents
            prices[code] = (unit * act.coefficient + 50) // 100
    patients = {
        number: Patient(number, date(1950, 1, 1) + timedelta(days=number), home=f"home {number}")
        for number in range(PATIENTS)
    }
    prescriptions = {
        f"rx{number}": Prescription(f"rx{number}", FIRST_DAY, "Dr Martin", sessions=30)
        for number in range(PATIENTS)
    }
    return Book(
        list(islice(claims(acts, prices), count)),
        tariff,
        patients=patients,
        prescriptions=prescriptions,
        acts=acts,
        today=date(2026, 11, 22),
    )


def main():
    acts, tariff = by_code(act_types()), Tariff(load_values())
    for count in (1_000, 10_000):
        one = book(count, acts, tariff)
        start, cpu = time.perf_counter(), time.process_time()
        findings = control(one)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        told = sum(map(len, findings.values()))
        sys.stdout.write(
            f"{count:>6} claims  {seconds:6.2f} s  {cpu:6.2f} s of CPU  "
            f"{cpu * 1e6 / count:6.0f} µs each  {told} findings\n"
        )


if __name__ == "__main__":
    main()
