"""A patient's own transfer: the label quotes the FSE or the invoice, the amount is the one owed."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from . import labels as text
from .model import RULE_PATIENT, Credit, Decision, Due

#: a bare number must be at least that long; a shorter one needs a word like FSE before it
BARE = 5
_WORDS = ("FSE", "FACTURE", "FACT", "FAC", "REF", "REFERENCE", "NO", "N")
_SPLIT = re.compile(r"(?<=\D)(?=\d)")


def _keys(reference: str) -> frozenset[str]:
    """The phrases that quote a reference: as it is, and a number without its leading zeros."""
    phrase = text.phrase(reference)
    if not phrase.strip().isdigit():
        return frozenset([phrase]) if phrase.strip() else frozenset()
    bare = phrase.strip().lstrip("0")
    if not bare:
        return frozenset()
    found = {f" {word} {bare} " for word in _WORDS}
    found |= {f" {word} {phrase.strip()} " for word in _WORDS}
    if len(bare) >= BARE:
        found.add(f" {bare} ")
        found.add(phrase)
    return frozenset(found)


def _grams(phrase: str, longest: int) -> set[str]:
    """All runs of whole words of a label, up to `longest` words."""
    pieces = phrase.split()
    return {
        f" {' '.join(pieces[start:end])} "
        for start in range(len(pieces))
        for end in range(start + 1, min(start + longest, len(pieces)) + 1)
    }


def match_dues(
    dues: Iterable[Due], credits: Iterable[Credit], payer_names: Iterable[str] = ()
) -> tuple[Decision, ...]:
    """Credits by which a patient paid one share.

    A decision needs the number of the FSE or of the invoice in the label as a whole word, the exact
    amount owed, one due for the credit and one credit for the due. A credit that names a payer is
    never a patient's.

    :param payer_names: bank names of funds and complementary insurers
    """
    by_key, payers = defaultdict(set), text.name_phrases(payer_names)
    dues = {due.id: due for due in dues}
    longest = 1
    for due in dues.values():
        for reference in due.references:
            for key in _keys(reference):
                by_key[due.payee, key].add(due.id)
                longest = max(longest, len(key.split()))
    readings = {}
    for credit in credits:
        # "FSE12345" is read like "FSE 12345", and the other way round nothing is lost
        phrase = text.phrase(credit.text)
        grams = _grams(phrase, longest) | _grams(_SPLIT.sub(" ", phrase), longest)
        cited = {due for gram in grams for due in by_key.get((credit.payee, gram), ())}
        exact = {due for due in cited if dues[due].amount_cents == credit.amount_cents}
        if len(cited) == 1 and exact and not text.named(payers, phrase):
            readings[credit.id] = credit, dues[exact.pop()]
    claims = Counter(due.id for _credit, due in readings.values())
    return tuple(
        Decision(
            (credit.id,),
            (due.id,),
            RULE_PATIENT,
            f"Le libellé cite {due.references[0]} et le montant est celui que le patient doit : "
            f"{text.euros(credit.amount_cents)}.",
        )
        for _id, (credit, due) in sorted(readings.items())
        if claims[due.id] == 1
    )
