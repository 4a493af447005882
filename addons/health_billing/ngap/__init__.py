"""NGAP without Odoo: dated values, prices, rules, shares, last day to claim.

Amounts are integer cents, coefficients integer hundredths (``AMI 4,1`` is 410).
"""

from . import rules
from .calendar import add_months, is_holiday, is_sunday_or_holiday
from .catalogue import Letter, act_types, by_code, letters
from .control import RULES, Book, Hit, Rule, RuleText, control, rule, rule_texts
from .forclusion import Clock, first_forfeited_day
from .model import (
    ActType,
    Agreement,
    Claim,
    Finding,
    Line,
    Patient,
    PricedLine,
    PricedSession,
    Prescription,
    Proposal,
    Session,
    Severity,
    Stay,
)
from .pricing import doubt_about, price_day, price_session
from .shares import Franchise, Split, Terms, franchise, split
from .tariff import LetterValue, Tariff, UnknownValue, act_price

__all__ = [
    "RULES",
    "ActType",
    "Agreement",
    "Book",
    "Claim",
    "Clock",
    "Finding",
    "Franchise",
    "Hit",
    "Letter",
    "LetterValue",
    "Line",
    "Patient",
    "Prescription",
    "PricedLine",
    "PricedSession",
    "Proposal",
    "Rule",
    "RuleText",
    "Session",
    "Severity",
    "Split",
    "Stay",
    "Tariff",
    "Terms",
    "UnknownValue",
    "act_price",
    "act_types",
    "add_months",
    "by_code",
    "control",
    "doubt_about",
    "first_forfeited_day",
    "franchise",
    "is_holiday",
    "is_sunday_or_holiday",
    "letters",
    "price_day",
    "price_session",
    "rule",
    "rule_texts",
    "rules",
    "split",
]
