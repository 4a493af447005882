"""Rates of the acts of a session: what pricing would bill, compared with what is billed.

One comparison per session serves many rules: each speaks of the differences that it decided. Acts that are not
known, and imported claims (whose passages are not known), are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..control import Book, Entry, Hit, rule, rule_texts
from ..cumulation import Around, Coded, rates
from ..model import Claim, Line, Proposal
from ..tariff import UnknownValue, act_price
from ..travel import AWAY
from .common import ADVICE, euros, kind, letter_of, name, remove, say_day

#: rules that derogate upwards: a lower rate is only advised against
PROFESSIONS = {
    "GEN-04": ("infirmier", "orthophoniste", "orthoptiste"),
    **dict.fromkeys(
        (
            *("INF-01", "INF-02", "INF-03", "INF-04", "INF-05", "INF-07", "INF-08", "INF-09"),
            *("INF-10", "INF-11", "INF-20", "INF-21", "INF-23", "INF-24", "INF-25", "INF-26"),
            *("INF-29", "INF-32"),
        ),
        ("infirmier",),
    ),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A line billed at another rate than it should be."""

    entry: Entry
    rule: str
    why: str
    rate: int
    billed: int
    gain: int


def differences(claim: Claim, book: Book) -> list[Difference]:
    """Differences in the sessions of the claim, worked out once."""
    key = ("rates", claim.key)
    if key not in book.memo:
        found: list[Difference] = []
        if not claim.is_billed:
            for entries in book.sessions(claim):
                found += _compare(claim, book, entries)
        book.memo[key] = found
    return book.memo[key]


def around(claim: Claim, book: Book, entries: list[Entry]) -> Around:
    """What of the patient's day decides about a session, as pricing sees it."""
    line = entries[0].line
    day = book.timeline(claim).on(line.day)
    tags = frozenset(tag for entry in day if entry.line.act for tag in entry.line.act.tags)
    packages = [entry for entry in day if entry.line.has("bsi_forfait")]
    holder = min(
        packages,
        key=lambda e: (-(_full(e.claim, book, e.line) or 0), e.line.passage, str(e.line.key)),
        default=None,
    )
    return Around(
        package="bsi_forfait" in tags,
        holder=holder and (holder.claim.key, holder.line.key),
        tags=tags,
        is_home=any(entry.line.place in AWAY for entry in entries),
    )


def _full(claim: Claim, book: Book, line: Line) -> int | None:
    letter = letter_of(claim, line.key_letter)
    try:
        value = book.tariff.effective(
            letter.tariff_letter if letter else line.key_letter, claim.zone, line.day
        )
    except UnknownValue:
        return None
    return act_price(value.cents, line.coefficient)


def _compare(claim: Claim, book: Book, entries: list[Entry]) -> list[Difference]:
    entries = [entry for entry in entries if kind(entry.claim, entry.line) == "act"]
    if not entries or any(e.line.act is None or e.line.factor is None for e in entries):
        return []
    if _is_plain(book, entries):
        return []
    by_key = {(entry.claim.key, entry.line.key): entry for entry in entries}
    coded = []
    for key, entry in by_key.items():
        full = _full(entry.claim, book, entry.line)
        if full is None:
            return []
        coded.append(Coded(_keyed(entry.line, key), full))
    expected = rates(claim.profession, coded, around(claim, book, entries))
    result = []
    for group in _by_act(expected).values():
        result += _pair(group, by_key)
    return [one for one in result if one.entry.claim is claim]


def _is_plain(book: Book, entries: list[Entry]) -> bool:
    """One act at full rate, alone that day: no rule of rates can speak, and most days are so."""
    entry, line = entries[0], entries[0].line
    if len(entries) > 1 or line.factor != 100 or line.quantity > 1 or line.is_renewal:
        return False
    day = book.timeline(entry.claim).on(line.day)
    return not line.has("bsi_forfait") and all(
        other is entry or kind(other.claim, other.line) != "act" for other in day
    )


def _keyed(line: Line, key: tuple) -> Line:
    """The line under the key it has in the whole book."""
    return replace(line, key=key)


def _by_act(coded: list[Coded]) -> dict[str, list[Coded]]:
    groups: dict[str, list[Coded]] = {}
    for one in coded:
        groups.setdefault(one.line.act.code, []).append(one)
    return groups


def _pair(group: list[Coded], by_key: dict) -> Iterator[Difference]:
    """Compare the lines of one act, best billed first, with its rates, best first."""
    right = sorted(
        (
            (one.rate, one.rule, one.why, one.price)
            for one in group
            for _ in range(one.line.quantity)
        ),
        reverse=True,
    )
    keys = {one.line.key for one in group if one.line.key is not None}
    billed = sorted(
        (by_key[key] for key in keys),
        key=lambda entry: (-(entry.line.factor or 0), str(entry.line.key)),
    )
    place = 0
    for entry in billed:
        share = right[place : place + entry.line.quantity]
        place += entry.line.quantity
        wrong = [one for one in share if one[0] != entry.line.factor]
        if not wrong:
            continue
        rate, code, why, full = wrong[-1]
        gain = sum(
            act_price(one[3], 100, factor=one[0])
            - act_price(one[3], 100, factor=entry.line.factor or 0)
            for one in wrong
        )
        yield Difference(entry, code or "GEN-04", why, rate, entry.line.factor or 0, gain)


def _hit(one: Difference) -> Hit:
    line = one.entry.line
    what = f"{name(line)} du {say_day(line.day)}"
    if one.rate == 0:
        return Hit(
            line.key, f"{what} : {one.why} Retirez la ligne ou séparez la séance.", remove(line)
        )
    proposal = Proposal(
        "replace",
        f"{name(line)} à {one.billed} % → {one.rate} %",
        line.key,
        act=line.act.code if line.act else "",
        key_letter=line.key_letter,
        coefficient=line.coefficient,
        factor=one.rate,
        gain=one.gain,
    )
    why = one.why or "Acte le mieux payé de la séance : taux plein (art. 11 B)."
    if one.gain > 0:
        return Hit(
            line.key,
            f"{what} facturé à {one.billed} %. {why} Il manque {euros(one.gain)}.",
            proposal,
            ADVICE,
        )
    return Hit(line.key, f"{what} facturé à {one.billed} %. {why}", proposal)


def _register(code: str, professions: tuple[str, ...]) -> None:
    def check(claim: Claim, book: Book) -> Iterator[Hit]:
        for one in differences(claim, book):
            if one.rule == code:
                yield _hit(one)

    check.__name__ = "rates_" + code.lower().replace("-", "_")
    check.__doc__ = rule_texts()[code].statement
    BY_RATES[code] = check
    if code not in WITH_MORE:
        rule(code, *professions)(check)


#: rules that check more than rates: their own module registers them and asks here first
WITH_MORE = frozenset(
    {
        *("INF-04", "INF-08", "INF-09", "INF-20", "INF-21", "INF-24", "INF-25", "INF-26"),
        *("INF-29", "INF-32", "GEN-04"),
    }
)
BY_RATES: dict = {}
for _code, _professions in PROFESSIONS.items():
    _register(_code, _professions)
