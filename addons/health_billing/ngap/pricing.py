"""Price of sessions and of a practitioner's whole day."""

from collections.abc import Mapping, Sequence

from .catalogue import Letter
from .model import ActType, PricedLine, PricedSession, Session
from .tariff import Tariff, act_price


def price_session(
    session: Session,
    tariff: Tariff,
    acts: Mapping[str, ActType],
    letters: Mapping[tuple[str, str], Letter],
) -> PricedSession:
    """What one session is billed."""
    return price_day([session], tariff, acts, letters)[0]


def price_day(
    sessions: Sequence[Session],
    tariff: Tariff,
    acts: Mapping[str, ActType],
    letters: Mapping[tuple[str, str], Letter],
) -> list[PricedSession]:
    """What the sessions of one practitioner's day are billed, in the order given."""
    result = []
    for session in sessions:
        lines = []
        for line in session.acts:
            value = tariff.value(line.key_letter, session.zone, line.day)
            amount = act_price(value.cents, line.coefficient, line.quantity)
            lines.append(PricedLine(line, value.cents, amount, grade=value.grade))
        result.append(PricedSession(session, tuple(lines)))
    return result
