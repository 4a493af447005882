"""Whether two records speak of one and the same person: for showing them one page, so only when it is certain."""

import re
import unicodedata

#: forms of address, which are no part of a name
TITLES = frozenset({"M", "MR", "MME", "MLLE", "MADAME", "MONSIEUR", "DR", "ENFANT"})
#: digits of a French number without its prefix, and what a mobile one begins with
NATIONAL, MOBILE = 9, ("6", "7")


def name_words(name: str) -> frozenset[str]:
    """Words of a name, without case, accents, punctuation and forms of address."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return frozenset(re.findall(r"[A-Z]+", plain)) - TITLES


def same_name(one: str, other: str) -> bool:
    """Whether both names are made of the same words, at least two of them, in any order."""
    words = name_words(one)
    return len(words) > 1 and words == name_words(other)


def mobile(phone: str) -> str:
    """The nine digits of a French mobile number however it is written; empty when it is none."""
    digits = re.sub(r"\D", "", phone.replace("(0)", ""))
    for prefix in ("0033", "33", "0"):
        if digits.startswith(prefix) and len(digits) == len(prefix) + NATIONAL:
            digits = digits[len(prefix) :]
            break
    return digits if len(digits) == NATIONAL and digits.startswith(MOBILE) else ""


def same_contact(email: str, phone: str, other_email: str, other_phone: str) -> bool:
    """Whether a message to one reaches the other: same e-mail address or same mobile number."""
    first, second = email.strip().casefold(), other_email.strip().casefold()
    if first and first == second:
        return True
    return bool(mobile(phone)) and mobile(phone) == mobile(other_phone)
