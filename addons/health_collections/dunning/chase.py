"""When a payer is asked next, and how firmly: every claim climbs the scale by itself, all are asked in one go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the scale.

    :param delay_days: days after the due date from which it may be taken.
    :param pause_days: fewest days since the claim was last asked for.
    :param least_cents: what the payer owes in all for it to be worth while; below, the scale stops there.
    """

    rank: int
    delay_days: int
    pause_days: int = 0
    least_cents: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One share asked for: when it was due, the last step taken for it and when, the day until which it rests."""

    key: int
    due_on: date
    rank: int = 0
    rests_until: date | None = None
    asked_on: date | None = None
    cents: int = 0


@dataclass(frozen=True, slots=True)
class Next:
    """The next contact: the day, the firmest step reached, and the step of each claim asked for then."""

    on: date
    rank: int
    ranks: dict[int, int]


def next_step(
    claims: Iterable[Claim],
    scale: Sequence[Step],
    day: date,
    last_contact: date | None = None,
    gap_days: int = 0,
) -> Next | None:
    """The next contact with a payer, today or later; ``None`` when every claim was asked at every step.

    No step is skipped, however old a claim is. Between two contacts at least ``gap_days`` go by.
    """
    scale = sorted(scale, key=lambda step: step.rank)
    earliest = last_contact + timedelta(days=gap_days) if last_contact else None
    claims = list(claims)
    owed = sum(claim.cents for claim in claims)
    found: dict[int, tuple[date, int]] = {}
    for claim in claims:
        step = next((one for one in scale if one.rank > claim.rank), None)
        if step is None or owed < step.least_cents:
            continue
        on = claim.due_on + timedelta(days=step.delay_days)
        if claim.asked_on:
            on = max(on, claim.asked_on + timedelta(days=step.pause_days))
        if claim.rests_until:
            on = max(on, claim.rests_until + timedelta(days=1))
        if earliest:
            on = max(on, earliest)
        found[claim.key] = (on, step.rank)
    if not found:
        return None
    first = min(on for on, _rank in found.values())
    by = max(first, day)
    ranks = {key: rank for key, (on, rank) in found.items() if on <= by}
    return Next(first, max(ranks.values()), ranks)
