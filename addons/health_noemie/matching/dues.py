"""A patient's own transfer: the label quotes the FSE or the invoice, the amount is the one owed."""

from collections.abc import Iterable

from .engine import match
from .model import PATIENT, Credit, Decision, Due, OpenShare


def match_dues(
    dues: Iterable[Due], credits: Iterable[Credit], payer_names: Iterable[str] = ()
) -> tuple[Decision, ...]:
    """Credits by which a patient paid one share.

    `match` does the same with `OpenShare` of kind "patient"; here the shares are in `settlement_ids`.

    :param payer_names: bank names of funds and complementary insurers
    """
    shares = [
        OpenShare(due.id, due.payee, None, (), due.references, due.amount_cents, kind=PATIENT)
        for due in dues
    ]
    incoming = [credit for credit in credits if credit.amount_cents > 0]
    return tuple(
        Decision(decision.credit_ids, decision.share_ids, decision.rule, decision.evidence)
        for decision in match([], incoming, payer_names, shares).decisions
    )
