"""Price of sessions and of a practitioner's whole day: from the acts done to complete, legal lines.

Four steps: the rates of the acts (:mod:`.cumulation`), the surcharge and the supplements of each session
(:mod:`.extras`), the travel of the day (:mod:`.travel`), and the amounts. None depends on the order of entry.

Travel, surcharges and the supplements that the text decides (MAU, MCI, MIE, MEO) are worked out here, so entering
one as an act neither doubles it nor makes it due: the entered line stays, at 0 %, with its reason. A package that
only the practitioner can decide on (FOH, FTD, FPH) keeps its plain price and no rank.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from .catalogue import Letter
from .control import rule_texts
from .cumulation import Around, Coded, name_of, rates, set_letters
from .extras import ADDED_SUPPLEMENTS, bearer, supplements, surcharges
from .model import ActType, Finding, Line, PricedLine, PricedSession, Session, Severity
from .tariff import LetterValue, Tariff, UnknownValue, act_price
from .travel import Due, Visit, is_dependent, needs_coming, travel
from .words import euros, number

Letters = Mapping[tuple[str, str], Letter]


def price_session(
    session: Session,
    tariff: Tariff,
    acts: Mapping[str, ActType],
    letters: Letters,
) -> PricedSession:
    """What one session is billed, looked at alone."""
    return price_day([session], tariff, acts, letters)[0]


def price_day(
    sessions: Sequence[Session],
    tariff: Tariff,
    acts: Mapping[str, ActType],
    letters: Letters,
    distance_before: int = 0,
) -> list[PricedSession]:
    """What the sessions of one practitioner's day are billed, in the order given.

    A line with factor 0 is not billed: it is there with its reason, and stays out of the claim.

    :param distance_before: billable hundredths of a kilometre of that day that were priced already.
    """
    patients = _by_patient(sessions)
    drafts = [_draft(session, patients, tariff, acts, letters) for session in sessions]
    dependents = {draft.patient_day for draft in drafts if draft.is_dependent}
    for draft in drafts:
        draft.dependent = draft.patient_day in dependents
    roads: dict[int, list[Due]] = {}
    for profession in {session.profession for session in sessions}:
        visits = [draft.visit for draft in drafts if draft.session.profession == profession]
        roads |= travel(profession, visits, distance_before)
    return [draft.priced(roads.get(id(draft.session), ())) for draft in drafts]


def _by_patient(sessions: Iterable[Session]) -> dict[tuple, list[Line]]:
    """The lines of each patient's day."""
    days: dict[tuple, list[Line]] = {}
    for session in sessions:
        days.setdefault((session.patient.key, session.day), []).extend(session.acts)
    return days


@dataclass
class Prices:
    """Values of the letters for one session, and the findings about those that are missing or doubtful."""

    session: Session
    tariff: Tariff
    letters: Letters
    findings: list[Finding] = field(default_factory=list)

    def value(self, letter: str) -> LetterValue | None:
        """The value on the day of the act, ``None`` where none is known (which is a finding)."""
        session = self.session
        known = self.letters.get((session.profession, letter))
        filed = known.tariff_letter if known else letter
        try:
            value = self.tariff.effective(filed, session.zone, session.day)
        except UnknownValue as error:
            self._say(Severity.BLOCKING, str(error))
            return None
        doubt = doubt_about(value, letter, session.zone, session.day)
        if doubt:
            self._say(Severity.WARNING, doubt)
        return value

    def _say(self, severity: Severity, message: str) -> None:
        """A finding about a value, once per session."""
        text = rule_texts()["GEN-14"]
        finding = Finding(text.code, severity, self.session.key, message, text.reference)
        if finding not in self.findings:
            self.findings.append(finding)

    def has(self, letter: str) -> bool:
        return (self.session.profession, letter) in self.letters

    def cents(self, letter: str) -> int:
        value = self.value(letter)
        return value.cents if value else 0


def doubt_about(value: LetterValue, letter: str, zone: str, day: date) -> str:
    """Why a price made of this value is not certain, in French; empty when it is."""
    if value.zone != zone:
        return (
            f"{letter} : aucune valeur connue en zone {zone} au {day:%d/%m/%Y}, celle de la métropole "
            f"({euros(value.cents)}) est employée. Saisissez la valeur de la zone au catalogue."
        )
    if value.grade == "C" and not value.is_confirmed:
        return (
            f"{letter} : la valeur {euros(value.cents)} ({zone}, au {day:%d/%m/%Y}) n'est pas confirmée. "
            "Vérifiez-la et confirmez-la au catalogue."
        )
    return ""


def grade_of(value: LetterValue | None) -> str:
    """Proof grade of a price: what the agency confirmed is as good as a secondary source."""
    if value is None:
        return "C"
    return "B" if value.grade == "C" and value.is_confirmed else value.grade


@dataclass
class Draft:
    """A session while it is being priced."""

    session: Session
    acts: list[Coded]
    beside: list[Coded]  # entered, and no acts
    prices: Prices
    catalogue: Mapping[str, ActType]
    dependent: bool = False

    @property
    def patient_day(self) -> tuple:
        return (self.session.patient.key, self.session.day)

    @property
    def is_dependent(self) -> bool:
        """Whether a dependence package or assessment is billed in this session."""
        lines = [one.line for one in self.acts if one.rate]
        return self.session.profession == "infirmier" and is_dependent(lines)

    @property
    def main(self) -> Coded | None:
        billed = [one for one in self.acts if one.rate]
        return max(billed, key=lambda one: one.rate * one.price * one.line.quantity, default=None)

    @property
    def visit(self) -> Visit:
        lines = [one.line for one in self.acts]
        billed = tuple(one.line for one in self.acts if one.rate)
        return Visit(self.session, self.dependent, needs_coming(lines), billed)

    def priced(self, road: Iterable[Due]) -> PricedSession:
        """All lines of the session: acts, supplements, travel."""
        session = self.session
        lines = self._with_surcharge([self._act_line(one) for one in self.acts])
        lines += [self._act_line(one) for one in self.beside]
        added = (*supplements(session, self.acts, self.dependent), *road)
        lines += [self._added(due) for due in added]
        return PricedSession(session, tuple(lines), tuple(self.prices.findings))

    def _act_line(self, one: Coded) -> PricedLine:
        line, session = one.line, self.session
        line = replace(
            line,
            factor=one.rate,
            amount=None,
            complement="",
            day=session.day,
            passage=session.passage,
            minute=session.minute if line.minute is None else line.minute,
            called_minute=(
                session.called_minute if line.called_minute is None else line.called_minute
            ),
            place=line.place or session.place,
            is_emergency=line.is_emergency or session.is_emergency,
        )
        value = self.prices.value(line.key_letter)
        return self._line(line, value, one.why, one.rule)

    def _line(
        self, line: Line, value: LetterValue | None, why: str, rule: str, surcharge: int = 0
    ) -> PricedLine:
        unit = value.cents if value else 0
        amount = act_price(unit, line.coefficient, line.quantity, line.factor or 0) + surcharge
        line = replace(line, amount=amount)
        return PricedLine(line, unit, amount, surcharge, why, rule, grade_of(value))

    def _with_surcharge(self, lines: list[PricedLine]) -> list[PricedLine]:
        """The lines, the best surcharge the session may bear on its main act."""
        act = bearer(self.acts)
        may = [
            (self.prices.cents(letter), complement, letter, why)
            for complement, letter, why in surcharges(self.session, self.prices.has("NN"))
            if self.prices.has(letter)
        ]
        if act is None or not may:
            return lines
        cents, complement, letter, why = max(may)
        index = self.acts.index(act)
        bearing = lines[index]
        grades = (bearing.grade, grade_of(self.prices.value(letter)))
        lines[index] = replace(
            bearing,
            line=replace(bearing.line, complement=complement, amount=bearing.amount + cents),
            amount=bearing.amount + cents,
            surcharge=cents,
            why=f"{bearing.why} {why}".strip(),
            grade=max(grades),
        )
        return lines

    def _added(self, due: Due) -> PricedLine:
        like = self.main.line if self.main else self.session.acts[0]
        session = self.session
        line = Line(
            None,
            due.letter,
            due.coefficient,
            session.day,
            act=_act_of(session.profession, due, self.catalogue),
            passage=session.passage,
            minute=session.minute,
            called_minute=session.called_minute,
            place=session.place,
            factor=due.rate,
            prescription=like.prescription,
        )
        return self._line(line, self.prices.value(due.letter), due.why, due.rule)


def _act_of(profession: str, due: Due, acts: Mapping[str, ActType]) -> ActType | None:
    """The travel and supplements of nurses are acts of the catalogue too, named by letter and coefficient."""
    code = f"INF-{due.letter}{number(due.coefficient)}-01"
    return acts.get(code) if profession == "infirmier" else None


def _draft(
    session: Session, patients: dict, tariff: Tariff, acts: Mapping[str, ActType], letters: Letters
) -> Draft:
    lines = patients[session.patient.key, session.day]
    tags = frozenset(tag for line in lines if line.act for tag in line.act.tags)
    prices = Prices(session, tariff, letters)
    around = Around(
        package="bsi_forfait" in tags,
        holder=_holder(lines, prices),
        tags=tags,
        is_home=session.place in ("home", "facility"),
    )
    entered = [(line, _kind(session, line, letters)) for line in session.acts]
    cared: Sequence[Line] = [line for line, kind in entered if kind == "act"]
    if session.profession == "infirmier":
        cared = set_letters(cared, around.package, acts)
    coded = [
        Coded(line, act_price(prices.cents(line.key_letter), line.coefficient)) for line in cared
    ]
    coded = sorted(
        rates(session.profession, coded, around),
        key=lambda one: (-one.rate * one.price, -one.price, *name_of(one)),
    )
    beside = [_beside(line, kind) for line, kind in entered if kind != "act"]
    return Draft(session, coded, beside, prices, acts)


def _kind(session: Session, line: Line, letters: Letters) -> str:
    letter = letters.get((session.profession, line.key_letter))
    return letter.kind if letter else "act"


def _beside(line: Line, kind: str) -> Coded:
    """A line that was entered and is no act: added by itself where it is due, else for the practitioner to decide."""
    if kind == "supplement" and line.key_letter not in ADDED_SUPPLEMENTS:
        return Coded(line, 0)
    return Coded(
        line,
        0,
        0,
        f"{line.key_letter} est ajoutée d'elle-même quand elle est due : ligne saisie non facturée.",
    )


def _holder(lines: Sequence[Line], prices: Prices) -> object:
    """Key of the line that bears the dependence package of the day: the best, then the earliest."""
    packages = [line for line in lines if line.has("bsi_forfait")]
    best = min(
        packages,
        key=lambda line: (-prices.cents(line.key_letter), line.passage, str(line.key)),
        default=None,
    )
    return best.key if best else None
