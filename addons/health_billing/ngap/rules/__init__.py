"""The rules, one or a few modules per profession; importing this package registers them all."""

from . import (
    general,
    general_prices,
    general_travel,
    nurse,
    nurse_care,
    nurse_supplements,
    orthoptics,
    physio,
    rates,
    speech,
)

__all__ = [
    "general",
    "general_prices",
    "general_travel",
    "nurse",
    "nurse_care",
    "nurse_supplements",
    "orthoptics",
    "physio",
    "rates",
    "speech",
]
