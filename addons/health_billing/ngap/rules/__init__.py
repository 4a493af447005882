"""The rules, one module per profession; importing this package registers them all."""

from . import general, nurse, orthoptics, physio, rates, speech

__all__ = ["general", "nurse", "orthoptics", "physio", "rates", "speech"]
