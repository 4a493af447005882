"""Check keys of the identifiers used in the demo (norms.md 5.2). Pure functions."""


def luhn_digit(body):
    """The Luhn check digit (str) of ``body``, a string of digits."""
    total = 0
    for rank, char in enumerate(reversed(body)):
        digit = int(char)
        if rank % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return str(-total % 10)


def luhn(body):
    """``body`` followed by its Luhn check digit: SIREN, RPPS, billing numbers."""
    return body + luhn_digit(body)


def luhn_ok(number):
    return number.isdigit() and luhn(number[:-1]) == number


def nir_key(nir):
    """The two-digit key (01 to 97) of a 13-character NIR, Corsica included."""
    number = nir.replace("2A", "19").replace("2B", "18") if nir[5:7] in ("2A", "2B") else nir
    return f"{97 - int(number) % 97:02d}"


def _iban_number(text):
    return int("".join(str(int(char, 36)) for char in text))


def french_iban(bank, branch, account):
    """A French IBAN (27 characters) with valid RIB and IBAN keys.

    ``bank`` and ``branch`` have 5 digits, ``account`` 11 digits.
    """
    rib_key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    bban = f"{bank}{branch}{account}{rib_key:02d}"
    return f"FR{98 - _iban_number(bban + 'FR00') % 97:02d}{bban}"


def iban_ok(iban):
    return len(iban) == 27 and _iban_number(iban[4:] + iban[:4]) % 97 == 1
