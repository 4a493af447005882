"""Plain values that pricing and rules speak of.

Amounts are integer cents, coefficients integer hundredths, distances integer hundredths of a kilometre, hours
minutes since midnight. ``None`` always means “not known”: a rule that needs what is not known says nothing.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

#: a reference of the caller's own (a database id, a name); never interpreted here
Key = Hashable


class Severity(IntEnum):
    """What a finding does: advice is shown, a warning passes with a reason, a blocking one must be mended."""

    ADVICE = 1
    WARNING = 2
    BLOCKING = 3


#: severity of a rule by the proof grade of its source
SEVERITY_BY_GRADE = {"A": Severity.BLOCKING, "B": Severity.WARNING, "C": Severity.ADVICE}


@dataclass(frozen=True, slots=True)
class ActType:
    """An act of the catalogue. ``code`` is ours and stays the same; a coefficient alone names no act.

    :param tags: families that the rules speak of (``pansement_lourd``, ``bsi_forfait`` …), see ``data/ngap``.
    :param agreement_from: rank of the session from which prior agreement is needed (1: always), or ``None``.
    :param minutes: shortest duration of the session, in minutes.
    :param start: first day on which it may be billed, :param end: first day on which it no longer may.
    """

    code: str
    profession: str
    key_letter: str
    coefficient: int
    label: str
    reference: str = ""
    tags: frozenset[str] = frozenset()
    agreement_from: int | None = None
    minutes: int | None = None
    start: date | None = None
    end: date | None = None
    grade: str = "A"


@dataclass(frozen=True, slots=True)
class Line:
    """One act as entered or billed.

    :param act: the act of the catalogue, ``None`` where letter and coefficient name several.
    :param passage: rank of the visit within the day; lines of one passage are one session.
    :param minute: when it began, :param called_minute: when the call came.
    :param place: ``home``, ``office``, ``facility`` (care home, clinic), or "" where not known.
    :param complement: ``N`` night, ``F`` Sunday or holiday: its surcharge is part of ``amount``.
    :param factor: percentage of the full price billed (100, 50), ``None`` where the amount tells.
    :param amount: cents as billed, surcharge in, overrun out; ``None`` when it is still to be priced.
    :param project: what tells two treatments apart (body area, speech project), "" where not known.
    :param reason: why a limit is passed, as the practitioner stated it.
    """

    key: Key
    key_letter: str
    coefficient: int
    day: date
    act: ActType | None = None
    quantity: int = 1
    passage: int = 1
    minute: int | None = None
    duration: int | None = None
    called_minute: int | None = None
    place: str = ""
    complement: str = ""
    factor: int | None = None
    amount: int | None = None
    overrun: int = 0
    overrun_qualifier: str = ""
    prescription: Key | None = None
    project: str = ""
    is_emergency: bool = False
    is_renewal: bool = False
    group_size: int = 1
    reason: str = ""

    def has(self, *tags: str) -> bool:
        """Whether the act is known and bears one of the tags."""
        return self.act is not None and not self.act.tags.isdisjoint(tags)


@dataclass(frozen=True, slots=True)
class Stay:
    """A period in which another pays for care: kind ``hospital``, ``had``, ``ssiad``, ``ehpad_global``; half-open."""

    kind: str
    start: date
    end: date | None = None

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Patient:
    """Who is cared for. ``flags``: ``palliative``, ``ald``, ``ald_bpco``, ``c2s``, ``ame``, ``caregiver`` …

    :param home: key of the address (patients of one residence share it), "" where not known.
    :param discharged_on: last day of discharge after an operation, where known.
    """

    key: Key
    birth_date: date | None = None
    flags: frozenset[str] = frozenset()
    home: str = ""
    stays: tuple[Stay, ...] = ()
    discharged_on: date | None = None

    def age(self, day: date) -> int | None:
        """Whole years on that day."""
        born = self.birth_date
        if born is None:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Prescription:
    """A prescription, valid from ``start`` (at the earliest its own day) to ``end`` (half-open, ``None``: no limit).

    :param acts: codes of the acts it orders; empty where it was not detailed (then it covers any act).
    :param sessions: number of sessions it orders, renewals included, or ``None``.
    :param mentions: ``night``, ``daily``, ``home``, ``until_healed``, ``emergency``.
    """

    key: Key
    day: date
    prescriber: str = ""
    start: date | None = None
    end: date | None = None
    acts: frozenset[str] = frozenset()
    sessions: int | None = None
    renewals: int = 0
    mentions: frozenset[str] = frozenset()
    is_hospital: bool = False

    def covers(self, line: Line) -> bool:
        """Whether the act may be done under it, as far as day and kind of act tell."""
        start = max(self.start, self.day) if self.start else self.day
        if not start <= line.day or (self.end is not None and line.day >= self.end):
            return False
        return not self.acts or line.act is None or line.act.code in self.acts


@dataclass(frozen=True, slots=True)
class Agreement:
    """A request for prior agreement and its answer; ``answer``: "", ``granted``, ``refused``, ``incomplete``.

    :param acts: codes of the acts asked for; empty: any act of the prescription.
    :param start: first day it is good for, :param end: first day it no longer is.
    """

    key: Key
    received_on: date | None
    answer: str = ""
    answered_on: date | None = None
    acts: frozenset[str] = frozenset()
    prescription: Key | None = None
    sessions: int | None = None
    is_emergency: bool = False
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim (FSE): the acts of one practitioner for one patient.

    :param is_billed: signed elsewhere already: prices are facts, not ours to choose.
    """

    key: Key
    practitioner: Key
    profession: str
    zone: str
    patient: Key
    lines: tuple[Line, ...]
    is_billed: bool = False
    overrun_total: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One passage to price: the acts, and what decides travel and surcharges.

    :param acts: the acts done, without travel nor supplements (pricing adds those).
    :param distance: one way between practice and patient, in hundredths of a kilometre.
    :param terrain: ``plain``, ``mountain``, ``foot`` (on foot or skis).
    :param same_town: practice and patient are in the same built-up area: no distance allowance.
    :param mentions: of the prescription (``night``, ``daily``, ``home``).
    """

    key: Key
    practitioner: Key
    profession: str
    zone: str
    patient: Patient
    day: date
    acts: tuple[Line, ...]
    passage: int = 1
    minute: int | None = None
    called_minute: int | None = None
    place: str = "office"
    distance: int = 0
    terrain: str = "plain"
    same_town: bool = True
    mentions: frozenset[str] = frozenset()
    is_emergency: bool = False


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What to bill for one act, travel or supplement.

    :param line: with quantity, coefficient, complement and factor filled in; ``line.key`` is ``None`` when added.
    :param unit: value of the key letter in cents, :param surcharge: night or Sunday, in ``amount`` too.
    :param why: in French, one sentence a biller can say on the phone; :param rule: id that decided.
    :param grade: weakest proof grade of the values used.
    """

    line: Line
    unit: int
    amount: int
    surcharge: int = 0
    why: str = ""
    rule: str = ""
    grade: str = "A"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A legal, better-paid or safer coding, applied in one click.

    :param kind: ``replace`` (the line becomes ``act``/``coefficient``/``factor``; ``value`` ``renewal`` makes it a
        renewal), ``add``, ``remove``, ``complement`` (``value`` is the letter or "").
    :param label: in French, e.g. “AMI 2 → AMI 2,02”.
    :param gain: cents more (or less) than now, where known.
    """

    kind: str
    label: str
    line: Key | None = None
    act: str = ""
    key_letter: str = ""
    coefficient: int | None = None
    factor: int | None = None
    value: str = ""
    gain: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection or advice about a claim, complete for the screen (texts in French)."""

    rule: str
    severity: Severity
    claim: Key
    message: str
    reference: str
    line: Key | None = None
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class PricedSession:
    """A session with all it is billed, in the order of the FSE; ``findings`` bear the session's key as claim."""

    session: Session
    lines: tuple[PricedLine, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def total(self) -> int:
        return sum(priced.amount for priced in self.lines)
