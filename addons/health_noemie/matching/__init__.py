"""Who paid what, with the reason: a settlement announced by a payer meets the credit of the bank.

Pure Python: plain values in, decisions out; no Odoo, no database, no clock. Amounts are integer
cents, dates are `datetime.date`, messages are French because a biller reads them.
"""

from .dues import match_dues
from .engine import match
from .model import (
    Candidate,
    Credit,
    Decision,
    Due,
    Duplicate,
    OpenShare,
    Result,
    Reversal,
    Settled,
    Settlement,
    Unmatched,
)

__all__ = [
    "Candidate",
    "Credit",
    "Decision",
    "Due",
    "Duplicate",
    "OpenShare",
    "Result",
    "Reversal",
    "Settled",
    "Settlement",
    "Unmatched",
    "match",
    "match_dues",
]
