"""Practitioners, payers and patients of a generated month, all invented.

Numbers begin with the department 99, patients are born in a commune 999, the bank is 99999; public funds bear their
real names because bank labels must look real.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "data" / "demo"))

from demodata.keys import french_iban, luhn

from .model import Patient, Payer, Practitioner

FUNDS = (
    Payer(
        "cpam75",
        "amo",
        "CPAM de Paris",
        "01751",
        "CPAM PARIS",
        ("CPAM DE PARIS", "C.P.A.M. DE PARIS", "CPAM 751 PARIS"),
        "{ref}",
        "0001",
        "CT",
        "00000001751751",
    ),
    Payer(
        "cpam67",
        "amo",
        "CPAM du Bas-Rhin",
        "01671",
        "CPAM BAS RHIN",
        ("CPAM DU BAS-RHIN", "CPAM DU BAS RHIN", "CPAM 671 STRASBOURG"),
        "STRASBOURG {ref} {ref}",
        "0001",
        "CT",
        "00000001671671",
    ),
    Payer(
        "cpam13",
        "amo",
        "CPAM des Bouches-du-Rhône",
        "01131",
        "CPAM MARSEILLE",
        ("CPAM DES BOUCHES DU RHONE", "CPAM 131 MARSEILLE"),
        "{payee} {ref} {day}",
        "0001",
        "CT",
        "00000001131131",
    ),
    Payer(
        "msa",
        "amo",
        "MSA Île-de-France",
        "02750",
        "MSA IDF",
        ("MSA ILE DE FRANCE", "MSA IDF", "MUTUALITE SOCIALE AGRICOLE IDF"),
        "{ref} PRESTATIONS",
        "0000",
        "MA",
        "00000002750750",
    ),
)
INSURERS = (
    Payer(
        "tilleuls",
        "amc",
        "Mutuelle des Tilleuls",
        "0099000011",
        "MUT TILLEULS",
        ("MUTUELLE DES TILLEULS", "MUT TILLEULS"),
        "{ref}",
        with_fund=True,
    ),
    Payer(
        "heron",
        "amc",
        "Mutuelle du Grand Héron",
        "0099000029",
        "MUT GRAND HERON",
        ("MUTUELLE DU GRAND HERON", "MUT GRAND HERON"),
        "{ref} TIERS PAYANT",
        sender_type="OC",
        sender_no="00000099000029",
    ),
    Payer(
        "belle_rive",
        "amc",
        "Prévoyance Belle Rive",
        "0099000037",
        "PREV BELLE RIVE",
        ("PREVOYANCE BELLE RIVE", "PREV BELLE RIVE"),
        "/{ref}/",
        sender_type="OC",
        sender_no="00000099000037",
    ),
    Payer(
        "horizon",
        "amc",
        "Horizon Clair Assurances",
        "0099000045",
        "HORIZON CLAIR",
        ("HORIZON CLAIR ASSURANCES", "HORIZON CLAIR"),
        "REGLEMENT {ref}",
        sender_type="OC",
        sender_no="00000099000045",
    ),
)
PAYERS = FUNDS + INSURERS
TRADES = {
    "infirmier": [
        [("AMI", 400, 1260), ("MCI", 100, 500), ("IFD", 100, 275)],
        [("AMI", 100, 315), ("AMI", 100, 315), ("IFD", 100, 275)],
        [("AMI", 410, 1292), ("IFD", 100, 275)],
        [("AMI", 150, 473), ("MAU", 100, 135), ("IFD", 100, 275)],
        [("AMI", 240, 756)],
        [("BSB", 100, 1820), ("IFI", 100, 275)],
    ],
    "kinesitherapeute": [
        [("RAM", 809, 1788)], [("RSM", 809, 1788)], [("RIC", 812, 1795)],
        [("NMI", 900, 1989), ("IFD", 100, 250)], [("ARL", 850, 1879)], [("AMK", 1080, 2387)],
    ],
    "orthophoniste": [
        [("AMO", 1160, 3016)], [("AMO", 1210, 3146)], [("AMO", 970, 2522)],
        [("AMO", 1380, 3588)], [("AMO", 1570, 4082), ("IFD", 100, 250)],
    ],
    "orthoptiste": [
        [("AMY", 1450, 3770)], [("AMY", 700, 1820)], [("AMY", 870, 2262)], [("AMY", 670, 1742)],
    ],
}  # fmt: skip
LAST_NAMES = (
    "ABELIN BARDOUX CASTERA DELORME ESNAULT FAUVEL GARRIGUE HAMELIN IMBERT JOUBERT KERVEL LAMOTHE "
    "MARCHAL NADAUD OLLIVIER PERROT QUESNEL RIVOIRE SAVARY TOURNIER URBAIN VASSEUR WALTER YVARS"
).split()
FIRST_NAMES = "Anne Bruno Chloé Denis Élise Fabien Gaëlle Hugo Inès Jules Karine Louis Maud".split()
HOLIDAYS = {date(2026, 7, 14), date(2026, 11, 11), date(2026, 12, 25), date(2027, 1, 1)}


def working_day(day):
    while day.weekday() > 4 or day in HOLIDAYS:
        day += timedelta(days=1)
    return day


def practitioners(draw, count, habits):
    trades = list(TRADES)
    made = []
    for rank in range(1, count + 1):
        made.append(
            Practitioner(
                rank=rank,
                first_name=draw.choice(FIRST_NAMES),
                last_name=f"{draw.choice(LAST_NAMES).title()}{chr(64 + rank % 26)}",
                profession=trades[(rank - 1) % len(trades)],
                provider_no=luhn(f"996{rank:05d}"),
                rpps=luhn(f"99{rank:08d}"),
                siren=luhn(f"0009{rank:04d}"),
                iban=french_iban("99999", f"{rank:05d}", f"{rank:08d}001"),
                bank=habits.banks[(rank - 1) % len(habits.banks)],
                near_references=draw.random() < habits.near_references,
                opening=draw.randrange(50_000, 500_000),
            )
        )
    return made


def patients(draw, count):
    made = []
    for rank in range(count):
        birth = date(1935, 1, 1) + timedelta(days=draw.randrange(28_000))
        insurer = draw.choice((*INSURERS, *INSURERS, None, None))
        long_term = draw.random() < 0.25
        if long_term:
            insurer = None
        made.append(
            Patient(
                nir=f"{draw.choice('12')}{birth:%y%m}99{900 + rank // 1000 % 100}{rank % 1000:03d}",
                last_name=draw.choice(LAST_NAMES),
                first_name=draw.choice(FIRST_NAMES),
                birth_date=birth,
                fund=draw.choice((*FUNDS[:2], *FUNDS)),
                insurer=insurer,
                member=f"M{rank:06d}" if insurer else "",
                rate=100 if long_term else 60,
            )
        )
    return made
