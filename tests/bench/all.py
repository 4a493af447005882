"""Every benchmark of this folder, one after the other, and one table: ``bin/bench all [--small]``.

A benchmark prints what belongs in the table as lines of ``= benchmark | what | value | target`` and ends with 1 when
a target is missed; whatever else it prints is its own report. Those named ``*_odoo.py`` get a database of their own.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: arguments of a small run, where ``--small`` is not the word
SMALL = {
    "control_pure": ["200", "1000"],
    "codec_pure": ["--invoices=1000"],
    "matching_pure": ["2000"],
}


def database(*arguments):
    subprocess.run(
        [sys.executable, str(ROOT / "bin" / "lib" / "database.py"), *arguments], check=True
    )


def run(path, small, template):
    """(rows of the table, whether every target was met)."""
    name = path.stem
    arguments = SMALL.get(name, ["--small"]) if small else []
    own = f"{template}_{name}"
    if name.endswith("_odoo"):
        database("copy", template, own)
        arguments = [f"--database={own}", *arguments]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        if name.endswith("_odoo"):
            database("drop", own)
    print(f"\n== {name} {' '.join(arguments)}\n{done.stdout}", flush=True)
    rows = [
        [cell.strip() for cell in f"{line[1:]}|||".split("|")[:4]]
        for line in done.stdout.splitlines()
        if line.startswith("= ")
    ]
    state = "met" if done.returncode == 0 else "MISSED"
    rows.append([name, "seconds in all, targets", f"{time.perf_counter() - start:.1f}", state])
    return rows, done.returncode == 0


def main():
    small, template = "--small" in sys.argv, os.environ["FACTURIERE_BENCH_TEMPLATE"]
    rows, good = [["benchmark", "what", "found", "target"]], True
    for path in sorted(HERE.glob("*_pure.py")) + sorted(HERE.glob("*_odoo.py")):
        found, well = run(path, small, template)
        rows += found
        good = good and well
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    print("\nAll benchmarks" + (" (small)" if small else ""))
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
