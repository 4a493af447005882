"""Bridge between Odoo's Monetary floats and the integer cents of the pure packages."""

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")

#: context of batch work: no chatter note per record, which costs more than the work itself
QUIET = {
    "tracking_disable": True,
    "mail_notrack": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
}


def cents(amount):
    """Cents of an amount that the ORM holds in euros, as an int.

    The shortest decimal form of the float is taken, so that 19.99 is 1999 whatever its binary value.
    """
    return int(Decimal(str(amount or 0)).quantize(_CENT, rounding=ROUND_HALF_UP) * 100)


def euros(amount_cents):
    """Euros, as the ORM wants them, of an amount in integer cents."""
    return amount_cents / 100


def format_cents(amount_cents):
    """The French writing of an amount in cents: ``1 234,50 €``."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole:,}".replace(",", " ") + f",{rest:02d} €"
