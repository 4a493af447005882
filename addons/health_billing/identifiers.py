"""Identifiers of the trade. python-stdnum where it has them, ours elsewhere, all in one place."""

import re

from stdnum import luhn
from stdnum.fr import siren

_CORSICA = {"2A": "19", "2B": "18"}


def nir_key(nir):
    """Two-digit key of a 13-character NIR, Corsica included (2A and 2B count as 19 and 18).

    :raises ValueError: when the NIR has not the right shape.
    """
    if not re.fullmatch(r"[1-9]\d{4}(\d\d|2[AB])\d{6}", nir or ""):
        raise ValueError(nir)
    digits = nir[:5] + _CORSICA.get(nir[5:7], nir[5:7]) + nir[7:]
    return f"{97 - int(digits) % 97:02d}"


def is_nir(nir):
    """Whether a 13-character NIR has the right shape (its key is not part of it)."""
    try:
        return bool(nir_key(nir))
    except ValueError:
        return False


def is_provider_no(number):
    """Billing number of a professional: 8 digits and a Luhn key."""
    return bool(re.fullmatch(r"\d{9}", number or "")) and luhn.is_valid(number)


def is_rpps(number):
    """RPPS number: 11 digits, the last one a Luhn key."""
    return bool(re.fullmatch(r"\d{11}", number or "")) and luhn.is_valid(number)


def is_siren(number):
    """SIREN of a company."""
    return siren.is_valid(number or "")
