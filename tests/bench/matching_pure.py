"""Seconds and memory to match 10,000 and 100,000 settlements, credits and open shares with the pure package.

``python tests/bench/matching_pure.py [lines …]``; each size runs in a process of its own, so that the peak of memory
is its own. 100 transfers per practitioner over a quarter, twelve payers; labels quote the number whole (78 %), cut,
garbled or not at all (12 %), some transfers come together or in pieces, some are missing, and amounts repeat. As many
open shares as transfers stand beside them, of the same payers.
"""

import random
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "health_noemie"))

from matching import Credit, OpenShare, Settlement, match
from matching.solve import Solver

SIZES = (10_000, 100_000)
PER_PAYEE = 100
FIRST_DAY = date(2026, 1, 5)
DAYS = 90
PAYERS = [(f"p{n}", (f"CAISSE {name} DU SUD", f"CAISSE {name}")) for n, name in enumerate(
    "ABRICOT BRUYERE CERFEUIL DAHLIA EGLANTINE FENOUIL GENET HYSOPE IRIS JASMIN LAVANDE MYRTE".split()
)]  # fmt: skip
#: amounts that come back, in cents
USUAL = [838, 1613, 2254, 4840]


def world(lines, seed=1):
    """Settlements, movements and open shares, and how many of the movements tell what they pay."""
    draw = random.Random(seed)
    settlements, credits, shares = [], [], []
    told = 0
    while len(settlements) < lines:
        payee = f"payee {len(settlements) // PER_PAYEE}"
        held = None
        for _rank in range(PER_PAYEE):
            number = len(settlements)
            key, names = draw.choice(PAYERS)
            day = FIRST_DAY + timedelta(days=draw.randrange(DAYS))
            usual = draw.random() < 0.05
            cents = draw.choice(USUAL) if usual else draw.randrange(900, 250_000)
            ref = f"{day:%y%j}{draw.randrange(10**7):07d}"
            settlements.append(
                Settlement(
                    number, payee, key, names, day, (f"{names[1]} {number % 999}", ref), cents
                )
            )
            shares.append(
                OpenShare(
                    number,
                    payee,
                    key,
                    names,
                    (f"{number:09d}", f"LOT {number % 40}"),
                    draw.randrange(300, 9000),
                    day - timedelta(days=draw.randrange(3, 60)),
                    draw.choice(("amo", "amc")),
                )
            )
            chance = draw.random()
            if chance < 0.02:
                continue  # never received
            if chance < 0.04 and held is None:
                held = settlements[-1]  # comes with the next of the same payer
                continue
            shown = ref
            if chance > 0.88:
                shown = ""
            elif chance > 0.85:
                shown = ref[5:]
            elif chance > 0.82:
                at = draw.randrange(6, 11)
                shown = ref[:at] + ref[at + 1 :]
            quoting = [shown]
            if held and held.payer_key == key and abs(held.date - day) <= timedelta(days=3):
                cents += held.expected_cents
                quoting.append(held.labels[1])
                held = None
            label = f"VIR SEPA {names[draw.randrange(2)]} {' '.join(quoting)}".strip()
            told += bool(shown)
            reached = day + timedelta(days=draw.choice((0, 1, 1, 2, 4)))
            pieces = [cents]
            if chance > 0.87 and cents > 2_000:
                pieces = [cents // 3, cents - cents // 3]
            for piece in pieces:
                credits.append(
                    Credit(len(credits), payee, reached, piece, label, "", f"OP{number}")
                )
    return settlements, credits, shares, told


def measure(lines):
    settlements, credits, shares, told = world(lines)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    solver = Solver()
    started = time.process_time_ns()
    result = match(
        settlements, credits, [n for _k, names in PAYERS for n in names], shares, (), solver
    )
    spent = time.process_time_ns() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    decided = sum(len(decision.credit_ids) for decision in result.decisions)
    highs = 100 * solver.highs_nanoseconds // spent
    print(
        f"{lines:9,d} {len(credits):9,d} {spent // 10**7 / 100:9.2f} {spent // len(credits) // 1000:9d} "
        f"{peak // 1024:9d} {highs:8d} {solver.highs_calls:7d} {solver.components:9,d} "
        f"{100 * decided // len(credits):8d}",
        flush=True,
    )


def main(sizes):
    print(
        "    lines   credits   seconds µs/credit  more MiB  HiGHS %   calls  components decided %"
    )
    for size in sizes:
        subprocess.run([sys.executable, __file__, "--one", str(size)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
