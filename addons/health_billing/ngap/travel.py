"""Travel of a day: which visits share one trip, which indemnity each is due, and the distance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .limits import limit
from .model import Line, Patient, Session
from .words import number

#: places that are reached by travelling
AWAY = ("home", "facility")
#: letter of the distance allowance and limit of its abatement, by terrain
TERRAINS = {
    "plain": ("IK", "GEN-07-plaine"),
    "mountain": ("IKM", "GEN-07-montagne"),
    "foot": ("IKS", "GEN-07-pied"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """Something added to a session: a letter with its coefficient (kilometres are one) and rate."""

    letter: str
    coefficient: int
    rate: int
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A session as travel sees it.

    :param dependent: the patient has a dependence package or assessment that day.
    :param moves: an act of the session needs the practitioner to come.
    :param billed: the acts that are billed: one of them decides the indemnity of physio- and speech therapists.
    """

    session: Session
    dependent: bool
    moves: bool
    billed: tuple[Line, ...]


def in_time(session: Session) -> tuple:
    """Order of the day; a session whose hour is not known comes after those of its rank."""
    hour = (session.minute is None, session.minute or 0)
    return (hour, session.passage, str(session.patient.key), str(session.key))


def travel(
    profession: str, visits: Iterable[Visit], distance_before: int = 0
) -> dict[int, list[Due]]:
    """Travel due for each session of a practitioner's day, by ``id`` of the session.

    :param distance_before: billable hundredths of a kilometre of that day priced already.
    """
    visits = sorted((v for v in visits if _travels(v)), key=lambda visit: in_time(visit.session))
    road = Road(profession, distance_before)
    counts: dict[object, int] = {}
    result: dict[int, list[Due]] = {}
    for stop in _stops(visits):
        share = _nurse_stop if profession == "infirmier" else _stop
        for visit, dues in share(stop, road, counts):
            result[id(visit.session)] = dues
    return result


def _travels(visit: Visit) -> bool:
    return visit.session.place in AWAY and visit.moves


def _stops(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Visits that share one trip: same address, and the same passage or shortly one after the other."""
    homes: dict[object, list[list[Visit]]] = {}
    order = []
    for visit in visits:
        patient = visit.session.patient
        stops = homes.setdefault(patient.home or (patient.key,), [])
        stop = next((one for one in stops if _shares(one, visit)), None)
        if stop is None:
            stop = []
            stops.append(stop)
            order.append(stop)
        stop.append(visit)
    return order


def _shares(stop: list[Visit], visit: Visit) -> bool:
    session, last = visit.session, stop[-1].session
    patient = session.patient.key
    own = [one.session.passage for one in stop if one.session.patient.key == patient]
    return same_trip(own, last.minute, last.passage, session.minute, session.passage)


def same_trip(
    own_passages: Sequence[int],
    last_minute: int | None,
    last_passage: int,
    minute: int | None,
    passage: int,
) -> bool:
    """Whether a visit belongs to a trip that is under way to its address.

    :param own_passages: passages of that trip that are the same patient's: a second passage is a second trip.
    :param last_minute: hour of the last visit of the trip; without hours the rank of the passage tells.
    """
    if own_passages:
        return passage in own_passages
    if minute is None or last_minute is None:
        return passage == last_passage
    return abs(minute - last_minute) <= limit("GEN-10-passage")


def _nurse_stop(stop: list[Visit], road: "Road", counts: dict) -> Iterable[tuple[Visit, list[Due]]]:
    """IFI for dependent patients, and then nothing for the others; else one IFD for all.

    In an establishment one indemnity covers the trip whoever is seen there (general provisions, art. 13.1).
    """
    dependents = [visit for visit in stop if visit.dependent]
    if not dependents:
        why = "Déplacement au domicile : une indemnité par passage et par domicile."
        yield stop[0], [Due("IFD", 100, 100, "INF-16", why), *road.to(stop[0].session)]
        return
    is_first = True
    for visit in dependents:
        patient = visit.session.patient.key
        if not is_first and visit.session.place == "facility":
            break
        if counts.get(patient, 0) >= limit("INF-17-jour"):
            continue
        counts[patient] = counts.get(patient, 0) + 1
        if is_first:
            why = "Patient dépendant (BSI) : indemnité IFI au lieu de l'IFD."
            yield visit, [Due("IFI", 100, 100, "INF-17", why), *road.to(visit.session)]
            is_first = False
        else:
            following = limit("INF-17-suivants")
            why = "Patient dépendant suivant au même domicile et au même passage : "
            why += f"IFI {number(following)}."
            yield visit, [Due("IFI", following, 100, "INF-17", why)]


def _stop(stop: list[Visit], road: "Road", counts: dict) -> Iterable[tuple[Visit, list[Due]]]:
    """One indemnity and one distance for the stop."""
    visit = stop[0]
    indemnity = INDEMNITIES.get(visit.session.profession)
    if indemnity:
        yield visit, [indemnity(visit), *road.to(visit.session)]


def _physio(visit: Visit) -> Due:
    session = visit.session
    recent = _discharged_within(session.patient, session, limit("MK-10-jours"))
    opening = ("ifs", "ifs_35j") if recent else ("ifs",)
    if any(line.has(*opening) for line in visit.billed):
        return Due("IFS", 100, 100, "MK-10", "Acte ouvrant droit à l'indemnité spécifique (IFS).")
    return Due("IFD", 100, 100, "MK-10", "Déplacement au domicile : une indemnité par passage.")


def _speech(visit: Visit) -> Due:
    session = visit.session
    if any(line.has("ifn") for line in visit.billed):
        return Due("IFN", 100, 100, "ORT-07", "Pathologie neurologique à domicile : IFN.")
    if _discharged_within(session.patient, session, limit("ORT-07-jours")):
        return Due("IFS", 100, 100, "ORT-07", "Sortie d'hospitalisation récente : IFS.")
    return Due("IFD", 100, 100, "ORT-07", "Déplacement au domicile : une indemnité par passage.")


INDEMNITIES = {"kinesitherapeute": _physio, "orthophoniste": _speech}


def _discharged_within(patient: Patient, session: Session, days: int) -> bool:
    out = patient.discharged_on
    return out is not None and 0 <= (session.day - out).days <= days


def billable_distance(session: Session) -> int:
    """Hundredths of a kilometre there and back, each less the abatement; nothing within one town."""
    abatement = limit(TERRAINS[session.terrain][1])
    return 0 if session.same_town else 2 * max(0, session.distance - abatement)


class Road:
    """The kilometres of the day: a nurse's are paid less beyond a first limit, not at all beyond a second."""

    def __init__(self, profession: str, before: int = 0) -> None:
        self.is_capped = profession == "infirmier"
        self.done = before

    def to(self, session: Session) -> list[Due]:
        """Distance allowance for the way to this session and back, one line for each rate."""
        letter, _limit = TERRAINS[session.terrain]
        return [
            Due(letter, distance, rate, "INF-18" if rate < 100 else "GEN-07", _why_distance(rate))
            for distance, rate in self._take(billable_distance(session))
        ]

    def _take(self, distance: int) -> list[tuple[int, int]]:
        if not self.is_capped:
            return [(distance, 100)] if distance else []
        bounds = (
            (0, 100),
            (limit("INF-18-plein"), limit("INF-18-taux")),
            (limit("INF-18-demi"), 0),
        )
        start, self.done = self.done, self.done + distance
        result = []
        for (low, rate), (high, _rate) in zip(bounds, (*bounds[1:], (None, 0)), strict=True):
            top = self.done if high is None else min(self.done, high)
            part = top - max(start, low)
            if part > 0:
                result.append((part, rate))
        return result


def _why_distance(rate: int) -> str:
    if rate == 100:
        return "Distance aller et retour, après l'abattement légal."
    if rate:
        return f"Kilomètres du jour au-delà du premier palier : payés à {rate} %."
    return "Kilomètres du jour au-delà du second palier : ils ne sont plus payés."


def is_dependent(lines: Iterable[Line]) -> bool:
    """Whether the lines of a day make the nurse's patient a dependent one: package or assessment."""
    return any(line.has("bsi_forfait", "bsi") for line in lines)


def needs_coming(lines: Iterable[Line]) -> bool:
    """Whether an act needs the practitioner to come: remote and organising acts do not."""
    return any(not line.has("sans_deplacement") for line in lines)
