"""NGAP without Odoo: dated values of key letters, price of an act, last day to claim.

Amounts are integer cents, coefficients integer hundredths (``AMI 4,1`` is 410).
"""

from .forclusion import first_forfeited_day
from .tariff import LetterValue, Tariff, UnknownValue, act_price

__all__ = ["LetterValue", "Tariff", "UnknownValue", "act_price", "first_forfeited_day"]
