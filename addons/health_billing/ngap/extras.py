"""What a session is due beside its acts: supplements, and the surcharge of night, Sunday or holiday."""

from collections.abc import Sequence
from datetime import date

from .calendar import is_sunday_or_holiday
from .cumulation import Coded
from .limits import limit
from .model import Line, Patient, Session
from .travel import Due
from .words import clock

NURSE_LETTERS = ("AMI", "AMX")
#: supplements that the text decides, so that pricing adds them
ADDED_SUPPLEMENTS = frozenset({"MAU", "MCI", "MIE", "MEO"})


def supplements(session: Session, acts: Sequence[Coded], dependent: bool) -> list[Due]:
    """Supplements of the session.

    :param acts: with their rates, those not billed too; :param dependent: the nurse's patient has a package that day.
    """
    billed = [one for one in acts if one.rate]
    if session.profession == "orthophoniste":
        return _child(session.patient, session.day, billed, "MEO", "ORT-06-meo-age")
    if session.profession != "infirmier":
        return []
    lines = [one.line for one in billed]
    result = []
    if deserves_coordination(session.patient, session.place, lines):
        result.append(
            Due("MCI", 100, 100, "INF-14", "Pansement lourd ou soins palliatifs à domicile : MCI.")
        )
    elif is_single_act(session.place, lines, dependent):
        result.append(
            Due(
                "MAU",
                100,
                100,
                "INF-13",
                "Un seul acte de petit coefficient dans le passage : MAU.",
            )
        )
    if deserves_child(session.patient, session.day, lines):
        age = limit("INF-15-age")
        result.append(Due("MIE", 100, 100, "INF-15", f"Enfant de moins de {age} ans : MIE."))
    return result


def deserves_coordination(patient: Patient, place: str, lines: Sequence[Line]) -> bool:
    """MCI: at home, a heavy dressing or palliative care, not with the first assessment of a wound."""
    visits = [line for line in lines if not line.has("sans_deplacement")]
    if place != "home" or any(line.has("bilan_plaie") for line in visits):
        return False
    heavy = any(line.has("pansement_lourd") for line in visits)
    return heavy or ("palliative" in patient.flags and bool(visits))


def is_single_act(place: str, lines: Sequence[Line], dependent: bool) -> bool:
    """MAU: one AMI of low coefficient, in the practice or at home, without package nor IFI."""
    return (
        len(lines) == 1
        and lines[0].key_letter == "AMI"
        and lines[0].quantity == 1
        and lines[0].coefficient <= limit("INF-13-coefficient")
        and place in ("home", "office")
        and not dependent
    )


def deserves_child(patient: Patient, day: date, lines: Sequence[Line]) -> bool:
    """MIE: a technical act for a child under the age."""
    age = patient.age(day)
    technical = any(line.key_letter in NURSE_LETTERS for line in lines)
    return age is not None and age < limit("INF-15-age") and technical


def _child(
    patient: Patient, day: date, acts: Sequence[Coded], letter: str, age_limit: str
) -> list[Due]:
    age = patient.age(day)
    if not acts or age is None or age > limit(age_limit):
        return []
    return [
        Due(letter, 100, 100, "ORT-06", f"Enfant de {limit(age_limit)} ans au plus : {letter}.")
    ]


def surcharges(session: Session, has_deep_night: bool) -> list[tuple[str, str, str]]:
    """Surcharges the session may bear: complement, key letter, reason. At most one is billed.

    :param has_deep_night: the profession has a value of its own for the middle of the night.
    """
    result = []
    if is_night(session.minute) and _night_is_justified(session):
        deep = has_deep_night and is_deep_night(session.minute)
        bounds = "INF-40-coeur" if deep else "GEN-11-nuit"
        start, end = (clock(limit(f"{bounds}-{side}")) for side in ("debut", "fin"))
        result.append(("N", "NN" if deep else "N", f"Acte de nuit, de {start} à {end}."))
    if is_sunday_or_holiday(session.day, session.zone) and _sunday_is_justified(session):
        result.append(("F", "F", "Acte du dimanche ou d'un jour férié."))
    return result


def is_night(minute: int | None) -> bool:
    """Whether the hour is one of the night.

    >>> [is_night(hour * 60) for hour in (7, 8, 19, 20)]
    [True, False, False, True]
    """
    if minute is None:
        return False
    return minute >= limit("GEN-11-nuit-debut") or minute < limit("GEN-11-nuit-fin")


def is_deep_night(minute: int | None) -> bool:
    if minute is None:
        return False
    return minute >= limit("INF-40-coeur-debut") or minute < limit("INF-40-coeur-fin")


def is_night_call(minute: int | None) -> bool:
    if minute is None:
        return False
    return minute >= limit("GEN-11-appel-debut") or minute < limit("GEN-11-appel-fin")


def _night_is_justified(session: Session) -> bool:
    if "night" in session.mentions:
        return True
    return session.is_emergency and is_night_call(session.called_minute)


def _sunday_is_justified(session: Session) -> bool:
    return session.is_emergency or "daily" in session.mentions


def bearer(acts: Sequence[Coded]) -> Coded | None:
    """The act that bears the surcharge: the best paid of those that may, if the session may at all."""
    billed = [one for one in acts if one.rate]
    if any(one.has("seance_sans_majoration") for one in billed):
        return None
    may = [one for one in billed if not one.has("sans_majoration")]
    return max(may, key=lambda one: one.rate * one.price * one.line.quantity, default=None)
