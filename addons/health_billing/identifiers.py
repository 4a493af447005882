"""Identifiers of the trade. python-stdnum where it has them, ours elsewhere, all in one place.

Each ``is_…`` answers about a number without blanks; :func:`plain` takes those away first.
"""

import csv
import re
from functools import cache
from pathlib import Path

from stdnum import luhn
from stdnum.fr import nir as stdnum_nir
from stdnum.fr import siren, siret
from stdnum.iso7064 import mod_97_10

_DATA = Path(__file__).resolve().parent / "data" / "ngap"
#: what the B2 norm writes for the two letters of a Corsican establishment
_CORSICAN_FINESS = {"2A": "2001", "2B": "2002"}


@cache
def _labels(name):
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["label"] for row in csv.DictReader(file)}


def regimes():
    """Regimes of the sickness funds (first two digits of a fund's number) and their French labels."""
    return _labels("regimes.csv")


def exemptions():
    """Exemption codes of the B2 norm and their French labels."""
    return _labels("exemptions.csv")


def plain(number):
    """A number without blanks, dots nor dashes, in capitals."""
    return re.sub(r"[\s.\-]", "", number or "").upper()


def nir_key(nir):
    """Two-digit key of a 13-character NIR, Corsica included (2A and 2B count as 19 and 18).

    Temporary numbers (first digit 3 to 8) and AME numbers follow the same rule.

    :raises ValueError: when the NIR has not the right shape.
    """
    if not re.fullmatch(r"[1-9]\d{4}(\d\d|2[AB])\d{6}", nir or ""):
        raise ValueError(nir)
    return stdnum_nir.calc_check_digits(nir)


def is_nir(nir):
    """Whether a 13-character NIR has the right shape (its key is not part of it)."""
    try:
        return bool(nir_key(nir))
    except ValueError:
        return False


def is_nir_with_key(number):
    """Whether the 15 characters of a NIR and its key agree."""
    number = plain(number)
    return len(number) == 15 and is_nir(number[:13]) and nir_key(number[:13]) == number[13:]


def is_temporary_nir(nir):
    """A number given while the real one is awaited (first digit 3 to 8): it will change."""
    return is_nir(nir) and nir[0] in "345678"


def is_provider_no(number):
    """Billing number of a professional (the “AM” number, shaped like ADELI): 8 digits and a Luhn key."""
    return bool(re.fullmatch(r"\d{9}", number or "")) and luhn.is_valid(number)


def is_adeli(number):
    """ADELI number: department (2, Corsica in digits or letters), profession, order, Luhn key; 9 characters."""
    if not re.fullmatch(r"(\d\d|2[AB])\d{7}", number or ""):
        return False
    return luhn.is_valid(re.sub("[AB]", "0", number))


def is_rpps(number):
    """RPPS number: 11 digits, the last one a Luhn key."""
    return bool(re.fullmatch(r"\d{11}", number or "")) and luhn.is_valid(number)


def is_finess(number):
    """FINESS number of an establishment: 9 characters, Luhn key; Corsica as 2A, 2B or in its numeric form."""
    number = number or ""
    if re.fullmatch(r"2[AB]\d{7}", number):
        # the letters and the two characters after them become 2001 or 2002
        number = _CORSICAN_FINESS[number[:2]] + number[4:]
    return bool(re.fullmatch(r"\d{9}", number)) and luhn.is_valid(number)


def is_prescriber_no(number):
    """Number that names a prescriber or their establishment: RPPS (11), else ADELI, AM or FINESS (9)."""
    return is_rpps(number) or is_provider_no(number) or is_adeli(number) or is_finess(number)


def is_siren(number):
    """SIREN of a company."""
    return siren.is_valid(number or "")


def is_siret(number):
    """SIRET of an establishment."""
    return siret.is_valid(number or "")


def is_iban(number):
    """Whether the key of an IBAN holds, and its length where it is a French one."""
    number = plain(number)
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", number):
        return False
    if number[:2] == "FR" and len(number) != 27:
        return False
    return mod_97_10.is_valid(number[4:] + number[:4])


def is_fund_no(number):
    """Regime (2 digits, a known one), fund (3) and, where it is known, centre (4)."""
    return bool(re.fullmatch(r"\d{5}(\d{4})?", number or "")) and number[:2] in regimes()


def is_amc_no(number):
    """Number of a complementary insurer: 8 to 10 digits (B2 takes it right-aligned in 10)."""
    return bool(re.fullmatch(r"\d{8,10}", number or ""))
