"""Which acts of a session are billed, and at which rate (article 11 B of the general provisions).

The best-paid act has its full price, the second half of it, the following are not billed — with the derogations
of each profession. Nothing here depends on the order in which the acts were entered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .limits import limit
from .model import ActType, Line


@dataclass(frozen=True, slots=True)
class Coded:
    """An act of the session with its rate.

    :param price: of one act at full rate, in cents; :param rate: percentage of it that is billed, 0: not billed.
    :param why: in French, why the rate is what it is; :param rule: the rule that decided.
    """

    line: Line
    price: int
    rate: int = 100
    why: str = ""
    rule: str = ""

    def has(self, *tags: str) -> bool:
        return self.line.has(*tags)

    def at(self, rate: int, rule: str, why: str) -> "Coded":
        return replace(self, rate=rate, rule=rule, why=why)


@dataclass(frozen=True, slots=True)
class Around:
    """What else of the patient's day decides about a session.

    :param package: the patient is under a daily dependence package (BSA, BSB, BSC) that day.
    :param holder: key of the one line that bears the package of the day.
    :param tags: families of all acts of the patient's day.
    """

    package: bool = False
    holder: object = None
    tags: frozenset[str] = frozenset()
    is_home: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Two families that are not billed together: in one session the less paid side goes, within a day ``one``.

    A family that excludes itself keeps its best-paid act.
    """

    rule: str
    one: tuple[str, ...]
    other: tuple[str, ...]
    why: str
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Families that keep full rate among themselves, one act of each, and rank together as one act."""

    rule: str
    slots: tuple[str, ...]
    why: str


EXCLUSIONS: dict[str, tuple[Exclusion, ...]] = {
    "infirmier": (
        Exclusion(
            "INF-05",
            ("postop_accompagnement",),
            ("postop_catheter",),
            "L'accompagnement postopératoire et le cathéter périnerveux ne se cumulent pas.",
        ),
        Exclusion(
            "INF-20",
            ("perfusion_retrait",),
            ("perfusion_courte", "perfusion_antibiotique"),
            "Le retrait est compris dans une perfusion sous surveillance continue.",
        ),
        Exclusion(
            "INF-21",
            ("perfusion_surveillance",),
            ("perfusion_longue", "perfusion_retrait"),
            "L'organisation de la surveillance ne se facture ni le jour de la pose ni celui du retrait.",
            whole_day=True,
        ),
        Exclusion(
            "INF-23",
            ("perfusion_branchement",),
            ("perfusion_courte", "perfusion_longue", "perfusion_antibiotique"),
            "Le changement de flacon ou le branchement est compris dans la séance de pose ou de surveillance continue.",
        ),
        Exclusion(
            "INF-24",
            ("seance_hebdo_diabete",),
            ("surveillance_post_hospitalisation",),
            "La séance hebdomadaire ne se cumule pas avec la surveillance après hospitalisation.",
            whole_day=True,
        ),
        Exclusion(
            "INF-25",
            ("seance_hebdo_diabete",),
            ("bsi_forfait",),
            "La séance hebdomadaire ne se cumule pas avec un forfait journalier de dépendance.",
            whole_day=True,
        ),
        Exclusion(
            "INF-26",
            ("sondage",),
            ("autosondage", "readaptation_vesicale"),
            "Le sondage éventuel est compris dans l'éducation à l'autosondage ou la réadaptation de vessie.",
        ),
        Exclusion(
            "INF-29",
            ("article_10",),
            ("article_10",),
            "Les actes de surveillance de l'article 10 ne se cumulent pas dans une séance : le mieux payé reste.",
        ),
        Exclusion(
            "INF-32",
            ("telesoin_pansement",),
            ("pansement",),
            "Pas de télésoin de pansement le jour d'un pansement.",
            whole_day=True,
        ),
    ),
    "orthoptiste": (
        Exclusion(
            "OPT-01",
            ("art1",),
            ("art1",),
            "Les actes de l'article 1 ne s'associent pas entre eux : le mieux payé reste.",
        ),
        Exclusion(
            "OPT-01",
            ("art1",),
            ("art3",),
            "Un acte de l'article 1 ne s'associe pas à un acte de l'article 3 : le mieux payé reste.",
        ),
    ),
    "kinesitherapeute": (
        Exclusion(
            "MK-12",
            ("supplement_bandage",),
            ("lymphoedeme_epaule",),
            "Le bandage est compris dans la séance de lymphœdème avec rééducation de l'épaule.",
            whole_day=True,
        ),
    ),
}

BLOCKS = (
    Block(
        "INF-02",
        ("surveillance_diabete", "injection_insuline", "pansement_diabete"),
        "Patient insulino-traité : les actes de l'article 5 bis se cumulent entre eux à taux plein.",
    ),
    Block(
        "INF-03",
        ("perfusion_courte", "perfusion_longue", "perfusion_supplement"),
        "Perfusion sous surveillance continue et perfusion de plus d'une heure : deux forfaits à taux plein.",
    ),
    Block(
        "INF-05",
        ("postop_accompagnement", "postop_catheter", "postop_sonde", "postop_drain"),
        "Soins postopératoires à domicile : les actes associés gardent le taux plein.",
    ),
)

#: with a daily package: families at full rate, at half rate, and those that are no part of the package
PACKAGE_FULL = (
    *("perfusion", "article_3", "pansement_lourd", "surveillance_post_hospitalisation"),
    "prelevement_veineux",
)
PACKAGE_HALF = ("injection", "injection_insuline", "surveillance_diabete")
PACKAGE_ASIDE = (
    *("bsi", "teleconsultation", "telesoin_pansement", "consultation", "deplacement", "majoration"),
)
#: families whose quantity counts hours, not acts
BY_THE_HOUR = ("perfusion_supplement",)


def rates(profession: str, acts: Iterable[Coded], around: Around) -> list[Coded]:
    """The acts of a session with their rates; lines of several acts are split where their rates differ."""
    split = [piece for one in acts for piece in _pieces(one)]
    kept, lost = _exclude(profession, split, around)
    decided = (
        _with_package(kept, around)
        if profession == "infirmier" and around.package
        else RANKING[profession](kept, around)
    )
    return _merged(decided + lost)


def set_letters(lines: Sequence[Line], package: bool, acts: Mapping[str, ActType]) -> list[Line]:
    """AMI become AMX on a day with a package, and AMX become AMI without one, where the act exists under both."""
    wrong, right = ("-AMI", "-AMX") if package else ("-AMX", "-AMI")
    result = []
    for line in lines:
        twin = line.act and acts.get(line.act.code.replace(wrong, right, 1))
        if twin and twin is not line.act:
            line = replace(line, act=twin, key_letter=twin.key_letter)
        result.append(line)
    return result


def _pieces(one: Coded) -> list[Coded]:
    if one.line.quantity == 1 or one.has(*BY_THE_HOUR):
        return [one]
    return [replace(one, line=replace(one.line, quantity=1)) for _ in range(one.line.quantity)]


def _merged(pieces: Iterable[Coded]) -> list[Coded]:
    """Pieces of one line at one rate are one line again; the best rate keeps the key of the line."""
    groups: dict[tuple, list[Coded]] = {}
    for piece in sorted(pieces, key=_best_first):
        groups.setdefault((piece.line.key, piece.rate, piece.line.act), []).append(piece)
    result, seen = [], set()
    for (key, _rate, _act), group in groups.items():
        first = group[0]
        quantity = sum(piece.line.quantity for piece in group)
        line = replace(first.line, quantity=quantity, key=None if key in seen else key)
        seen.add(key)
        result.append(replace(first, line=line))
    return result


def _worth(coded: Coded) -> int:
    return coded.price * coded.line.quantity


def name_of(coded: Coded) -> tuple[str, str]:
    """What tells equal prices apart without looking at the order of entry."""
    line = coded.line
    return (line.act.code if line.act else line.key_letter, str(line.key))


def _best_first(coded: Coded) -> tuple:
    return (-coded.rate * _worth(coded), -_worth(coded), name_of(coded))


def _exclude(profession: str, acts: list[Coded], around: Around) -> tuple[list[Coded], list[Coded]]:
    """Acts that may stand together, and those that may not, at rate 0."""
    kept, lost = acts, []
    for exclusion in EXCLUSIONS.get(profession, ()):
        out = _losers(exclusion, kept, around)
        lost += [one.at(0, exclusion.rule, exclusion.why) for one in out]
        gone = {id(one) for one in out}
        kept = [one for one in kept if id(one) not in gone]
    return kept, lost


def _losers(exclusion: Exclusion, acts: list[Coded], around: Around) -> list[Coded]:
    one = sorted((a for a in acts if a.has(*exclusion.one)), key=_best_first)
    if exclusion.one == exclusion.other:
        return one[1:]
    if exclusion.whole_day:
        return one if around.tags.intersection(exclusion.other) else []
    other = [a for a in acts if a.has(*exclusion.other)]
    if not one or not other:
        return []
    return min(one, other, key=lambda side: sum(map(_worth, side)))


def _with_package(acts: list[Coded], around: Around) -> list[Coded]:
    """Rates on a day with a dependence package: no ranking, each act has its own rate."""
    dressing = any(one.has("pansement") and one.has(*PACKAGE_FULL) for one in acts)
    packages = [one for one in acts if one.has("bsi_forfait")]
    result = [_beside_package(one, around, dressing) for one in acts if one not in packages]
    holder = next((one for one in packages if one.line.key == around.holder), None)
    for one in packages:
        if one is holder:
            one = one.at(100, "INF-08", "Forfait journalier de dépendance : toujours à 100 %.")
        else:
            one = one.at(0, "INF-08", "Un seul forfait de dépendance par patient et par jour.")
        result.append(one)
    return result


def _beside_package(one: Coded, around: Around, dressing: bool) -> Coded:
    if one.has("vaccination") and around.is_home:
        return one.at(100, "INF-07", "Vaccination à domicile : hors article 11 B, taux plein.")
    if one.has(*PACKAGE_ASIDE):
        return one
    if one.has(*PACKAGE_FULL) or (one.has("analgesie") and dressing):
        return one.at(100, "INF-10", "Acte gardé à taux plein (AMX) avec le forfait de dépendance.")
    if one.has(*PACKAGE_HALF, "analgesie", "vaccination"):
        return one.at(
            limit("INF-09-taux"),
            "INF-09",
            f"Avec le forfait de dépendance, l'acte est à {limit('INF-09-taux')} % (AMX).",
        )
    return one.at(
        0, "INF-11", "Acte compris dans le forfait journalier de dépendance : il ne se facture pas."
    )


def _rank_nurse(acts: list[Coded], around: Around) -> list[Coded]:
    """Article 11 B with the derogations of nurses; what derogates by itself holds no rank."""
    aside, ranked = [], []
    for one in acts:
        reason = _out_of_rank(one, around) if len(acts) > 1 else None
        if reason:
            aside.append(one.at(100, *reason))
        else:
            ranked.append(one)
    return aside + _rank_with_analgesia(ranked)


def _out_of_rank(one: Coded, around: Around) -> tuple[str, str] | None:
    if one.has("prelevement_veineux"):
        return "INF-01", "Prélèvement par ponction veineuse directe : taux plein avec tout acte."
    if one.has("teleconsultation"):
        return "INF-07", "Accompagnement à la téléconsultation : hors article 11 B, taux plein."
    if one.has("vaccination") and around.is_home:
        return "INF-07", "Vaccination à domicile : hors article 11 B, taux plein."
    return None


def _rank_with_analgesia(acts: list[Coded]) -> list[Coded]:
    """Topical analgesia has full rate beside a dressing that is billed; without one it ranks as any act."""
    others = [one for one in acts if not one.has("analgesie")]
    result = _rank(_blocks(others))
    if len(others) == len(acts) or not any(one.has("pansement") and one.rate for one in result):
        return _rank(_blocks(acts))
    why = "Analgésie topique et pansement de la même séance : taux plein."
    return result + [one.at(100, "INF-04", why) for one in acts if one.has("analgesie")]


def _blocks(acts: list[Coded]) -> list[list[Coded]]:
    """The acts in units that rank: the members of a block together, every other act by itself."""
    left = sorted(acts, key=_best_first)
    units: list[list[Coded]] = []
    for block in BLOCKS:
        members = []
        for slot in block.slots:
            member = next((one for one in left if one.has(slot)), None)
            if member:
                left.remove(member)
                members.append(member)
        if len(members) > 1:
            members = [replace(one, rule=block.rule, why=block.why) for one in members]
        if members:
            units.append(members)
    return units + [[one] for one in left]


def _rank(units: list[list[Coded]]) -> list[Coded]:
    """Full rate for the best unit, half for the second, nothing for the others."""
    units = sorted(units, key=lambda unit: (-sum(map(_worth, unit)), min(map(name_of, unit))))
    result = list(units[0]) if units else []
    for one in units[1] if len(units) > 1 else ():
        result.append(_second(one))
    for unit in units[2:]:
        for one in unit:
            result.append(
                one.at(
                    0,
                    "GEN-04",
                    "Au-delà du deuxième acte de la séance, rien n'est dû (art. 11 B) : non facturé.",
                )
            )
    return result


def _second(one: Coded) -> Coded:
    rate = limit("GEN-04-second")
    return one.at(rate, "GEN-04", f"Deuxième acte de la séance : {rate} % (art. 11 B).")


def _rank_plain(acts: list[Coded], around: Around) -> list[Coded]:
    return _rank([[one] for one in acts])


def _rank_speech(acts: list[Coded], around: Around) -> list[Coded]:
    """One act, or two of different projects under article 11 B; a renewed assessment is paid in part."""
    acts = [_renewed(one) for one in acts]
    best, *others = sorted(acts, key=_best_first) if acts else (None,)
    if best is None:
        return []
    first, second = best.line.project, [one for one in others if one.line.project]
    different = next((one for one in second if first and one.line.project != first), None)
    result = [best]
    for one in others:
        if one is different:
            result.append(_second(one))
        else:
            result.append(
                one.at(0, "ORT-01", "Un seul acte par jour, sauf deux projets de soins distincts.")
            )
    return result


def _renewed(one: Coded) -> Coded:
    if not (one.has("bilan") and one.line.is_renewal):
        return one
    rate = limit("ORT-02-taux")
    return one.at(rate, "ORT-02", f"Bilan de renouvellement : {rate} % du coefficient.")


def _rank_physio(acts: list[Coded], around: Around) -> list[Coded]:
    """One coding per session, with the supplements and the assessment that may stand beside it."""
    beside = [one for one in acts if one.has("supplement", "bilan_diagnostic")]
    codings = sorted((one for one in acts if one not in beside), key=_best_first)
    result = codings[:1] + [
        one.at(0, "MK-01", "Une seule cotation par séance : la mieux payée reste.")
        for one in codings[1:]
    ]
    single: dict[str, Coded] = {}
    for one in sorted(beside, key=_best_first):
        family = next(tag for tag in BESIDE if one.has(tag))
        if family in single:
            one = one.at(0, "MK-01", "Ce supplément ou bilan ne se facture qu'une fois par séance.")
        else:
            single[family] = one
        result.append(one)
    return result


BESIDE = ("bilan_diagnostic", "supplement_bandage", "supplement_balneo", "supplement")
RANKING: dict[str, Callable[[list[Coded], Around], list[Coded]]] = {
    "infirmier": _rank_nurse,
    "kinesitherapeute": _rank_physio,
    "orthophoniste": _rank_speech,
    "orthoptiste": _rank_plain,
}
