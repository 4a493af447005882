"""Throughput of the codec beside bare slicing of the same bytes (a plain script, no Odoo needed).

Bare slicing cuts every field of every record out of the text by its position and does nothing else
(no check, no record choice beyond a dict, no object): the floor for any fixed-width reader in Python.
"""

import argparse
import sys
import time
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "health_sesam"))

from norms import b2, codec, noemie

DAY = date(2026, 3, 2)


def claims(count):
    """A B2 file of ``count`` invoices of two acts, in lots of 300."""
    invoices = [
        b2.B2Invoice(
            nir="1550199999999",
            invoice_no=f"{number:09d}",
            invoice_date=DAY,
            regime="01",
            caisse="131",
            centre="0000",
            birth_date=date(1955, 1, 2),
            amc_no="0012345678",
            payee_mode="15",
            invoice_kind="F",
            acts=[
                b2.B2Act(DAY, "AMI", "", 410, 1, 315, 1290, 60, 774, 1290, 516),
                b2.B2Act(DAY, "IFA", "", 100, 1, 275, 275, 60, 165, 275, 110),
            ],
        )
        for number in range(1, count + 1)
    ]
    lots = [
        b2.B2Lot("756123456", "131", f"{at // 300 % 999 + 1:03d}", DAY, "CABINET", "S", part)
        for at in range(0, count, 300)
        if (part := invoices[at : at + 300])
    ]
    return b2.write(b2.B2File("756123456", "CT", "1131000", "A1", DAY, lots[:999]))


def returns(count, framing):
    """A NOEMIE file of ``count`` invoices, 200 per transfer, some refused."""
    settlements = []
    for at in range(0, count, 200):
        invoices = []
        for number in range(at + 1, min(count, at + 200) + 1):
            refused = number % 25 == 0
            invoices.append(
                noemie.InvoiceReturn(
                    f"{number:09d}",
                    "012",
                    DAY,
                    "F",
                    DAY,
                    "C",
                    "1550199999999",
                    "DUPONT",
                    "JEAN",
                    date(1955, 1, 2),
                    parts=[
                        noemie.Part("amo", 939, "R" if refused else "P", 0 if refused else 939),
                        noemie.Part("amc", 626, "P", 626, "0012345678", "AB12"),
                    ],
                    reasons=[noemie.Reason("0450", "ETM non connue", "F")] if refused else [],
                )
            )
        settlements.append(
            noemie.Settlement("756123456", DAY + timedelta(at // 200 % 28), "VIR", "", "01131")
        )
        settlements[-1].invoices = invoices
    file = noemie.NoemieFile(framing, "580", "CP", "1131000", "756123456", "A1", DAY, settlements)
    return noemie.write(file)


def slice_b2(text):
    """Every field of every record, by position alone."""
    table = codec.layout("b2")
    cuts = {
        code[0]: [(field.start - 1, field.end) for field in table[name].fields]
        for code, name in {
            "0": "B2.000",
            "1": "B2.1",
            "2": "B2.2.PS",
            "4": "B2.4.PS",
            "5": "B2.5.PS",
            "6": "B2.6",
            "9": "B2.999",
        }.items()
    }
    size = table["B2.000"].length
    return [
        [raw[start:end] for start, end in cuts[raw[0]]]
        for raw in (text[at : at + size] for at in range(0, len(text), size))
    ]


def slice_noemie(text):
    """Every field of every entity, by position alone (flat framing)."""
    table = codec.layout("noemie")
    cuts = {
        record.code: (record.length, [(field.start - 1, field.end) for field in record.fields])
        for record in table
    }
    found, position = [], 0
    while position < len(text):
        length, fields = cuts[text[position : position + 3]]
        raw = text[position : position + length]
        found.append([raw[start:end] for start, end in fields])
        position += length
    return found


def best(function, *args, turns=3):
    """Seconds of the quickest of some turns."""
    times = []
    for _turn in range(turns):
        start = time.perf_counter()
        function(*args)
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--slowest", type=float, default=0, help="fail below this many MB/s")
    options = parser.parse_args()
    print(
        f"{'codec':<22}{'MB':>7}{'read MB/s':>11}{'write MB/s':>12}{'slicing MB/s':>14}{'ratio':>7}"
    )
    speeds = []
    for name, make, read, bare in (
        ("B2 (professionals)", claims, b2.read, slice_b2),
        ("NOEMIE flat", lambda count: returns(count, "flat"), noemie.read, slice_noemie),
        ("NOEMIE wrapped", lambda count: returns(count, "wrapped"), noemie.read, None),
    ):
        raw = make(options.invoices)
        size = len(raw) / 1e6
        text = raw.decode("latin-1")
        reading = size / best(read, raw)
        parsed = read(raw)
        writing = size / best(
            *((b2.write, parsed) if name.startswith("B2") else (noemie.write, *parsed))
        )
        slicing = size / best(bare, text) if bare else None
        shown = (
            (f"{slicing:>14.1f}", f"{slicing / reading:>7.1f}") if slicing else (f"{'':>14}", "")
        )
        print(f"{name:<22}{size:>7.1f}{reading:>11.1f}{writing:>12.1f}{''.join(shown)}")
        speeds.append(reading)
    if min(speeds) < options.slowest:
        sys.exit(f"slower than {options.slowest} MB/s")


if __name__ == "__main__":
    main()
