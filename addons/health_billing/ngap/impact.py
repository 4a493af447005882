"""What a change of the catalogue does to acts that are planned or not sent yet: how many, and how many euros."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from .catalogue import Letter
from .tariff import act_price
from .update import ActRow, Change, ValueRow, count_weekdays, successors


@dataclass(frozen=True, slots=True)
class Use:
    """Acts of one kind on one day, or on weekdays of a half-open period.

    :param owner: the practitioner; :param code: code of the act, "" where not known.
    :param quantity: acts a day; negative takes days out of a recurring use.
    :param weekdays: of a recurring use (Monday is 0), ``None``: every day of the period.
    :param factor: percentage of the full price.
    """

    owner: Hashable
    profession: str
    zone: str
    code: str
    key_letter: str
    coefficient: int
    start: date
    quantity: int
    end: date | None = None
    weekdays: frozenset[int] | None = None
    factor: int = 100
    is_planned: bool = False
    ref: Hashable = None

    @classmethod
    def once(cls, day: date, **values: object) -> "Use":
        return cls(start=day, end=day + timedelta(days=1), **values)  # type: ignore[arg-type]


@dataclass(slots=True)
class Count:
    """Acts touched, those of them that are planned only, and the difference in cents."""

    acts: int = 0
    planned: int = 0
    cents: int = 0

    def add(self, acts: int, cents: int, is_planned: bool) -> None:
        self.acts += acts
        self.cents += cents
        if is_planned:
            self.planned += acts


@dataclass(slots=True)
class Impact:
    """Totals, by owner, and by changed act (code) or value (letter, zone, start)."""

    total: Count = field(default_factory=Count)
    owners: dict[Hashable, Count] = field(default_factory=lambda: defaultdict(Count))
    changes: dict[Hashable, Count] = field(default_factory=lambda: defaultdict(Count))
    refs: set[Hashable] = field(default_factory=set)


Values = Mapping[tuple[str, str, date], ValueRow]


class _Side:
    """Values of one side of the update, looked up by letter, zone and day."""

    def __init__(self, values: Values) -> None:
        self._rows: dict[tuple[str, str], list[ValueRow]] = defaultdict(list)
        for row in values.values():
            self._rows[row.key_letter, row.zone].append(row)
        for rows in self._rows.values():
            rows.sort(key=lambda row: row.start, reverse=True)

    def at(self, key_letter: str, zone: str, day: date) -> ValueRow | None:
        for row in self._rows.get((key_letter, zone), ()):
            if row.start <= day and (row.end is None or day < row.end):
                return row
        return None


def _is_billable(row: ActRow | None, day: date) -> bool:
    return row is not None and (
        (row.start is None or row.start <= day) and (row.end is None or day < row.end)
    )


def measure(
    uses: Iterable[Use],
    acts: Sequence[Change[str, ActRow]],
    values: Sequence[Change[tuple[str, str, date], ValueRow]],
    old: Values,
    new: Values,
    letters: Mapping[tuple[str, str], Letter],
) -> Impact:
    """What the changes do to the uses, at full tariff (or at the factor of the use), travel of plans left out.

    An act that ends counts with its whole price, or with the difference to the act that follows it.
    """
    before, after = _Side(old), _Side(new)
    act_changes = {change.key: change for change in acts if change.old is not None}
    value_changes = {change.key for change in values}
    follow = successors(acts)
    rows = [row for change in (*acts, *values) for row in (change.old, change.new) if row]
    cuts = sorted({day for row in rows for day in (row.start, row.end) if day})
    impact = Impact()
    known: dict[tuple[object, ...], tuple[frozenset[Hashable], int]] = {}

    def effect(use: Use, day: date) -> tuple[frozenset[Hashable], int]:
        """Keys of the changes that touch the act on that day, and the cents for one act."""
        known_as = letters.get((use.profession, use.key_letter))
        letter = known_as.tariff_letter if known_as else use.key_letter
        was, now = before.at(letter, use.zone, day), after.at(letter, use.zone, day)
        keys: set[Hashable] = set()
        if (was and was.cents) != (now and now.cents):
            keys |= {row.key for row in (now, was) if row and row.key in value_changes} and (
                {now.key} if now and now.key in value_changes else {was.key} if was else set()
            )
        coefficient: int | None = use.coefficient
        change = act_changes.get(use.code)
        if change:
            if _is_billable(change.old, day) and not _is_billable(change.new, day):
                following = follow.get(use.code)
                coefficient = following.coefficient if following else None
                keys.add(change.key)
            elif change.kind == "changed":
                keys.add(change.key)
        if not keys or was is None or (now is None and coefficient is not None):
            return frozenset(keys), 0
        price = act_price(was.cents, use.coefficient)
        then = act_price(now.cents, coefficient) if now and coefficient is not None else 0
        return frozenset(keys), (then * use.factor + 50) // 100 - (price * use.factor + 50) // 100

    for use in uses:
        end = use.end or use.start + timedelta(days=1)
        marks = [use.start, *(day for day in cuts if use.start < day < end), end]
        for first, last in zip(marks, marks[1:], strict=False):
            cut = max((day for day in cuts if day <= first), default=date.min)
            key = (
                use.profession,
                use.zone,
                use.code,
                use.key_letter,
                use.coefficient,
                use.factor,
                cut,
            )
            if key not in known:
                known[key] = effect(use, first)
            touched, cents = known[key]
            if not touched:
                continue
            days = (
                (last - first).days
                if use.weekdays is None
                else count_weekdays(first, last, use.weekdays)
            )
            number = days * use.quantity
            if not number:
                continue
            for count in (
                impact.total,
                impact.owners[use.owner],
                *(impact.changes[one] for one in touched),
            ):
                count.add(number, number * cents, use.is_planned)
            if use.ref is not None:
                impact.refs.add(use.ref)
    return impact
