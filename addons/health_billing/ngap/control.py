"""Control of claims: the registry of rules, what rules may look at, and the one call that runs them.

A rule is one small generator ``rule(claim, book)`` that yields :class:`Hit`; its texts, professions and severity
come with its number from ``data/ngap/cumul_rules.csv``. Rules never look anything up outside the :class:`Book`,
so that a call with ten thousand claims costs ten thousand times one claim.
"""

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from .model import (
    SEVERITY_BY_GRADE,
    ActType,
    Agreement,
    Claim,
    Finding,
    Key,
    Line,
    Patient,
    Prescription,
    Proposal,
    Severity,
)
from .tariff import Tariff

DATA = Path(__file__).resolve().parent.parent / "data" / "ngap"
ALL = ("infirmier", "kinesitherapeute", "orthophoniste", "orthoptiste")


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as the data file words it; ``why_unchecked`` tells why no function implements it."""

    code: str
    profession: str
    statement: str
    message: str
    reference: str
    grade: str
    why_unchecked: str = ""

    @property
    def severity(self) -> Severity:
        return SEVERITY_BY_GRADE[self.grade]


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule yields; empty texts are those of the data file, the severity may only be lowered."""

    line: Key | None = None
    message: str = ""
    proposal: Proposal | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    text: RuleText
    professions: frozenset[str]
    check: Callable[[Claim, "Book"], Iterator[Hit]]


RULES: dict[str, Rule] = {}


@lru_cache(maxsize=1)
def rule_texts() -> dict[str, RuleText]:
    """Every rule of the data file by its number, checked or not."""
    with (DATA / "cumul_rules.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: RuleText(
                row["id"],
                row["profession"],
                row["statement_fr"],
                row["error_message_fr"],
                row["legal_reference"],
                row["grade"],
                row["why_unchecked"],
            )
            for row in csv.DictReader(file)
        }


def rule(code: str, *professions: str):
    """Register a function as the rule ``code``, for the given professions (none: all).

    :raises KeyError: when the data file has no such rule.
    """

    def register(check):
        if code in RULES:
            raise ValueError(f"rule {code} is registered twice")
        RULES[code] = Rule(rule_texts()[code], frozenset(professions or ALL), check)
        return check

    return register


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with the claim it stands in."""

    line: Line
    claim: Claim

    @property
    def day(self) -> date:
        return self.line.day


def _moment(entry: Entry) -> tuple:
    """Order of time, and what makes it the same whatever the order of the claims."""
    line = entry.line
    minute = -1 if line.minute is None else line.minute
    return (line.day, line.passage, minute, str(entry.claim.key), str(line.key))


def _in_time(entry: Entry) -> tuple:
    """Order of a day over all patients: by the hour, what has none last."""
    line, claim = entry.line, entry.claim
    hour = (line.minute is None, line.minute or 0)
    return (hour, line.passage, str(claim.patient), str(claim.key), str(line.key))


class Timeline:
    """Entries in the order of time, with fast looks back by day. Periods are half-open."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = sorted(entries, key=_moment)
        self._days = [entry.day for entry in self.entries]
        self._tagged: dict[str, Timeline] = {}
        self.memo: dict = {}  # what rules work out once for the whole timeline

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def between(self, start: date | None, end: date | None) -> list[Entry]:
        """Entries from ``start`` to before ``end``; ``None`` leaves that side open."""
        low = bisect_left(self._days, start) if start else 0
        high = bisect_left(self._days, end) if end else len(self._days)
        return self.entries[low:high]

    def on(self, day: date) -> list[Entry]:
        return self.entries[bisect_left(self._days, day) : bisect_right(self._days, day)]

    def before(self, day: date) -> list[Entry]:
        return self.between(None, day)

    def last_day(self, before: date) -> date | None:
        """Latest day with an entry before ``before``."""
        index = bisect_left(self._days, before)
        return self._days[index - 1] if index else None

    def tagged(self, *tags: str) -> "Timeline":
        """The entries whose act bears one of the tags; kept, so asking again is free."""
        key = "|".join(tags)
        if key not in self._tagged:
            self._tagged[key] = Timeline(entry for entry in self.entries if entry.line.has(*tags))
        return self._tagged[key]


def _billed(claim: Claim) -> Claim:
    """The claim without lines at rate 0: they are shown to the biller and not billed, rules do not see them."""
    if all(line.factor != 0 for line in claim.lines):
        return claim
    return replace(claim, lines=tuple(line for line in claim.lines if line.factor != 0))


@dataclass
class Book:
    """Everything a control may look at, indexed once.

    :param claims: what is controlled; :param history: earlier claims of the same patients (and, for travel, of
        the same practitioners' days): looked at, never reported on.
    :param acts: the catalogue by code; :param agreements: by patient.
    """

    claims: Iterable[Claim]
    tariff: Tariff
    patients: Mapping[Key, Patient] = field(default_factory=dict)
    prescriptions: Mapping[Key, Prescription] = field(default_factory=dict)
    agreements: Mapping[Key, tuple[Agreement, ...]] = field(default_factory=dict)
    history: Iterable[Claim] = ()
    acts: Mapping[str, ActType] = field(default_factory=dict)  # by code
    today: date | None = None
    memo: dict = field(default_factory=dict, init=False, repr=False)  # what rules work out once

    def __post_init__(self) -> None:
        self.claims = tuple(map(_billed, self.claims))
        self.history = tuple(map(_billed, self.history))

    @cached_property
    def _by_patient(self) -> dict[tuple[Key, Key], list[Entry]]:
        groups: dict[tuple[Key, Key], list[Entry]] = {}
        for claim in (*self.history, *self.claims):
            group = groups.setdefault((claim.practitioner, claim.patient), [])
            group.extend(Entry(line, claim) for line in claim.lines)
        return groups

    @cached_property
    def _by_day(self) -> dict[tuple[Key, date], list[Entry]]:
        groups: dict[tuple[Key, date], list[Entry]] = {}
        for claim in (*self.history, *self.claims):
            for line in claim.lines:
                groups.setdefault((claim.practitioner, line.day), []).append(Entry(line, claim))
        return groups

    @cached_property
    def _timelines(self) -> dict[tuple[Key, Key], Timeline]:
        return {}

    def patient(self, claim: Claim) -> Patient:
        """The patient of the claim; an unknown one has nothing known about them."""
        return self.patients.get(claim.patient) or Patient(claim.patient)

    def timeline(self, claim: Claim) -> Timeline:
        """All that is known of this patient with this practitioner, before, in and after the claim."""
        key = (claim.practitioner, claim.patient)
        if key not in self._timelines:
            self._timelines[key] = Timeline(self._by_patient.get(key, ()))
        return self._timelines[key]

    def round_of(self, claim: Claim, day: date) -> list[Entry]:
        """Everything this practitioner did that day, all patients, in the order in which pricing takes them."""
        key = ("round", claim.practitioner, day)
        if key not in self.memo:
            self.memo[key] = sorted(self._by_day.get((claim.practitioner, day), ()), key=_in_time)
        return self.memo[key]

    def sessions(self, claim: Claim) -> list[list[Entry]]:
        """The sessions (same day, same passage) that hold a line of the claim, with lines of other claims too."""
        key = ("sessions", claim.key)
        if key not in self.memo:
            timeline = self.timeline(claim)
            moments = sorted({(line.day, line.passage) for line in claim.lines})
            self.memo[key] = [
                [entry for entry in timeline.on(day) if entry.line.passage == passage]
                for day, passage in moments
            ]
        return self.memo[key]

    def prescription(self, line: Line) -> Prescription | None:
        return None if line.prescription is None else self.prescriptions.get(line.prescription)


def control(book: Book, rules: Iterable[Rule] | None = None) -> dict[Key, list[Finding]]:
    """Run the rules over every claim of the book.

    :param rules: only these; default all that are registered.
    :return: findings by key of claim, worst first; a claim without objection has an empty list.
    """
    rules = list(RULES.values()) if rules is None else list(rules)
    by_profession: dict[str, list[Rule]] = {}
    result: dict[Key, list[Finding]] = {}
    for claim in book.claims:
        if claim.profession not in by_profession:
            by_profession[claim.profession] = [
                r for r in rules if claim.profession in r.professions
            ]
        own = {line.key for line in claim.lines}
        findings = [
            _finding(one, claim, hit)
            for one in by_profession[claim.profession]
            for hit in one.check(claim, book)
            if hit.line is None or hit.line in own
        ]
        findings.sort(key=lambda finding: (-finding.severity, finding.rule, str(finding.line)))
        result[claim.key] = findings
    return result


def _finding(one: Rule, claim: Claim, hit: Hit) -> Finding:
    severity = one.text.severity
    if hit.severity is not None:
        severity = min(severity, hit.severity)
    return Finding(
        one.text.code,
        severity,
        claim.key,
        hit.message or one.text.message,
        one.text.reference,
        hit.line,
        hit.proposal,
    )
