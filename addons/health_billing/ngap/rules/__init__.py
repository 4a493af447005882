"""The rules, one module per profession; importing this package registers them all."""

from . import general, nurse, nurse_care, nurse_supplements, orthoptics, physio, rates, speech

__all__ = [
    "general",
    "nurse",
    "nurse_care",
    "nurse_supplements",
    "orthoptics",
    "physio",
    "rates",
    "speech",
]
