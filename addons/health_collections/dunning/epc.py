"""What the QR code of a SEPA transfer says (EPC069-12, version 002): banking apps fill the order from it."""

import re
import unicodedata

#: longest name of a beneficiary and longest free reference, in characters
NAME, REFERENCE = 70, 140
#: characters that every bank carries
_OTHER = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


def sepa_text(text: str, longest: int) -> str:
    """A text in the letters that every bank carries, no longer than allowed."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(_OTHER.sub(" ", plain).split())[:longest].strip()


def epc_text(holder: str, iban: str, amount_cents: int, reference: str, bic: str = "") -> str:
    """Lines of the QR code of a transfer in euros.

    :raises ValueError: when the amount is none that a transfer can carry, or no account is named.
    """
    if not 0 < amount_cents < 10**11:
        raise ValueError(f"no transfer of {amount_cents} cents")
    iban = re.sub(r"\s", "", iban).upper()
    if not iban:
        raise ValueError("no account")
    amount = f"EUR{amount_cents // 100}.{amount_cents % 100:02d}"
    lines = (
        *("BCD", "002", "1", "SCT", bic.strip().upper()),
        *(sepa_text(holder, NAME), iban, amount),
        *("", "", sepa_text(reference, REFERENCE)),
    )
    return "\n".join(lines)


def transfer_reference(numbers: list[str], fallback: str = "") -> str:
    """What a patient writes on a transfer so that it finds its way: the numbers of what it pays, nothing else.

    Too many to write down: the patient's own number, which stands for all.
    """
    text = " ".join(numbers)
    return text if text and len(numbers) <= 6 and len(text) <= REFERENCE else fallback
