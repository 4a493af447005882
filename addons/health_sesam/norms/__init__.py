"""Exchange norms of the French health insurance: B2 out, NOEMIE back. Pure Python, no Odoo."""

from .errors import NormError
from . import b2, codec, dump, envelope, noemie

__all__ = ["NormError", "b2", "codec", "dump", "envelope", "noemie"]
