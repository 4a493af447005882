"""Rules of nurses about single acts: perfusions, series and their quotas, letters that ended (NGAP title XVI)."""

from collections.abc import Iterator
from datetime import date, timedelta

from ..calendar import add_months
from ..control import Book, Hit, rule
from ..limits import limit, limit_day
from ..model import Claim, Line, Proposal
from .common import (
    WARNING,
    agreement_state,
    count,
    kind,
    number,
    remove,
    say_day,
    swap_act,
)
from .nursing import (
    NURSE,
    cares,
    day_after,
    episode,
    of_day,
    over_quota,
    rank_of,
    session_lines,
    tagged,
    upto,
    what,
)
from .rates import BY_RATES

# --- perfusions


@rule("INF-19", NURSE)
def one_long_perfusion_a_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """One long perfusion per patient and day; the second is coded 4,1."""
    most = limit("INF-19-jour")
    for line in tagged(claim, "perfusion_longue"):
        if rank_of(claim, book, line, "perfusion_longue", line.day) <= most:
            continue
        immuno = line.has("immunodeprime")
        code = f"INF-{line.key_letter}4,1-{'02' if immuno else '01'}"
        act = book.acts.get(code)
        yield Hit(line.key, "", swap_act(claim, book, line, act) if act else None)


@rule("INF-20", NURSE)
def removal_of_a_perfusion(claim: Claim, book: Book) -> Iterator[Hit]:
    """Removal: not with a perfusion under surveillance, and no perfusion in the following day."""
    yield from BY_RATES["INF-20"](claim, book)
    timeline = book.timeline(claim).tagged("perfusion_longue", "perfusion_courte")
    for line in tagged(claim, "perfusion_retrait"):
        end = line.day + timedelta(days=1 + limit("INF-20-interruption") // 24)
        later = [e for e in timeline.between(line.day, end) if _within_a_day(line, e.line)]
        if later:
            yield Hit(
                line.key,
                f"{what(line)} : perfusion reposée le {say_day(later[0].day)}, moins de "
                f"{limit('INF-20-interruption')} h après.",
                remove(line),
            )


def _within_a_day(removal: Line, later: Line) -> bool:
    """Whether the perfusion starts after the removal and less than a day later, as far as is known."""
    days = (later.day - removal.day).days
    if days == 0:
        return later.passage > removal.passage
    if later.minute is None or removal.minute is None:
        return False
    hours = limit("INF-20-interruption")
    return days * 24 * 60 + later.minute - removal.minute < hours * 60


@rule("INF-21", NURSE)
def organising_surveillance(claim: Claim, book: Book) -> Iterator[Hit]:
    """Once a day, not on the day of setting or removal; without travel nor surcharge."""
    yield from BY_RATES["INF-21"](claim, book)
    for line in tagged(claim, "perfusion_surveillance"):
        if rank_of(claim, book, line, "perfusion_surveillance", line.day) > limit("INF-21-jour"):
            yield Hit(line.key, f"{what(line)} : déjà facturée ce jour.", remove(line))
        if line.complement:
            yield Hit(
                line.key,
                f"{what(line)} : pas de majoration {line.complement} sur cet acte.",
                Proposal(
                    "complement", f"Retirer la majoration {line.complement}", line.key, value=""
                ),
            )
    for lines in session_lines(claim, book):
        care = cares(claim, lines)
        if care and all(line.has("perfusion_surveillance") for line in care):
            for line in lines:
                if kind(claim, line) in ("travel", "distance") and line in claim.lines:
                    yield Hit(
                        line.key,
                        f"{what(line)} : pas de déplacement pour la seule organisation de la surveillance.",
                        remove(line),
                    )


@rule("INF-22", NURSE)
def hours_of_surveillance(claim: Claim, book: Book) -> Iterator[Hit]:
    """Five hours beyond the first at most."""
    most = limit("INF-22-heures")
    for lines in session_lines(claim, book):
        extra = [line for line in lines if line.has("perfusion_supplement")]
        hours = sum(line.quantity for line in extra)
        if hours > most and extra[-1] in claim.lines:
            yield Hit(
                extra[-1].key, f"{what(extra[-1])} : {hours} heures de supplément, {most} au plus."
            )


# --- series


@rule("INF-24", NURSE)
def after_a_stay_in_hospital(claim: Claim, book: Book) -> Iterator[Hit]:
    """Fifteen sessions 5,8, the first within seven days of discharge, without surcharge."""
    yield from BY_RATES["INF-24"](claim, book)
    out = book.patient(claim).discharged_on
    most, tag = limit("INF-24-seances"), "surveillance_post_hospitalisation"
    for line in tagged(claim, tag):
        position = rank_of(claim, book, line, tag, out)
        if position > most:
            yield Hit(line.key, f"{what(line)} : {position}e séance, {most} au plus.", remove(line))
        late = out is not None and (line.day - out).days > limit("INF-24-premiere")
        if position == 1 and late:
            yield Hit(
                line.key,
                f"{what(line)} : première visite plus de {limit('INF-24-premiere')} jours après la sortie "
                f"({say_day(out)}).",
                severity=WARNING,
            )
        if line.complement:
            yield Hit(
                line.key,
                f"{what(line)} : ni majoration de nuit ni de dimanche avec cette séance.",
                Proposal(
                    "complement", f"Retirer la majoration {line.complement}", line.key, value=""
                ),
            )


@rule("INF-25", NURSE)
def weekly_session_of_diabetes(claim: Claim, book: Book) -> Iterator[Hit]:
    """Over 75 years, once a week, not with a package."""
    yield from BY_RATES["INF-25"](claim, book)
    for line in tagged(claim, "seance_hebdo_diabete"):
        age = book.patient(claim).age(line.day)
        if age is not None and age <= limit("INF-25-age"):
            yield Hit(line.key, f"{what(line)} : le patient a {age} ans.", remove(line))
        monday = line.day - timedelta(days=line.day.weekday())
        position = rank_of(claim, book, line, "seance_hebdo_diabete", monday)
        if position > limit("INF-25-semaine"):
            yield Hit(line.key, f"{what(line)} : déjà faite cette semaine.", remove(line))


@rule("INF-26", NURSE)
def learning_self_catheterism(claim: Claim, book: Book) -> Iterator[Hit]:
    """Ten sessions, not with a catheterism."""
    yield from BY_RATES["INF-26"](claim, book)
    most = limit("INF-26-seances")
    yield from over_quota(claim, book, "autosondage", most, None, f"{most} séances au plus.")


@rule("INF-27", NURSE)
def assessment_of_a_wound(claim: Claim, book: Book) -> Iterator[Hit]:
    """A new assessment after a year, or after two months without care of the wound."""
    timeline = book.timeline(claim)
    for line in tagged(claim, "bilan_plaie"):
        known = upto(claim, line, timeline.tagged("bilan_plaie").between(None, day_after(line.day)))
        if len(known) < 2:
            continue
        last = known[-2].day
        if last <= add_months(line.day, -limit("INF-27-annee")):
            continue
        dressings = timeline.tagged("pansement").between(last, line.day)
        seen = max((entry.day for entry in dressings), default=last)
        if seen > add_months(line.day, -limit("INF-27-interruption")):
            yield Hit(
                line.key,
                f"{what(line)} : bilan déjà fait le {say_day(last)}, et les pansements n'ont pas cessé "
                f"{limit('INF-27-interruption')} mois (dernier le {say_day(seen)}).",
                remove(line),
            )


@rule("INF-28", NURSE)
def negative_pressure(claim: Claim, book: Book) -> Iterator[Hit]:
    """Ordered by a hospital for thirty days, renewed once; a new device after seven days or when full."""
    timeline = book.timeline(claim).tagged("pression_negative")
    for line in tagged(claim, "pression_negative"):
        prescription = book.prescription(line)
        if prescription is not None:
            most = limit("INF-28-renouvellements")
            last = limit("INF-28-ordonnance") * (1 + min(prescription.renewals, most))
            if not prescription.is_hospital:
                yield Hit(
                    line.key, f"{what(line)} : l'ordonnance initiale doit venir d'un hôpital."
                )
            elif (line.day - prescription.day).days >= last:
                yield Hit(
                    line.key, f"{what(line)} : l'ordonnance ne vaut que {count(last, 'jour')}."
                )
        last_day = timeline.last_day(line.day)
        recent = last_day is not None and (line.day - last_day).days < limit("INF-28-delai")
        if recent and not line.reason:
            yield Hit(
                line.key,
                f"{what(line)} : dispositif posé le {say_day(last_day)}, il y a moins de "
                f"{limit('INF-28-delai')} jours. Notez en motif s'il était saturé.",
                severity=WARNING,
            )


@rule("INF-29", NURSE)
def surveillance_of_medication(claim: Claim, book: Book) -> Iterator[Hit]:
    """One act of article 10 per session; agreement after the first month."""
    yield from BY_RATES["INF-29"](claim, book)
    timeline = book.timeline(claim).tagged("administration_medicament")
    for line in tagged(claim, "administration_medicament"):
        if line.has("administration_longue"):
            continue  # the act after the first month asks for agreement by itself (GEN-03)
        first = episode(timeline, line.day)[0].day
        if (
            first >= add_months(line.day, -limit("INF-29-mois"))
            or agreement_state(claim, book, line, 1)[0] == ""
        ):
            continue
        yield Hit(
            line.key,
            f"{what(line)} : soin commencé le {say_day(first)}, accord préalable nécessaire après le premier "
            "mois. Saisissez la demande envoyée, puis cotez l'acte « au-delà du premier mois ».",
            severity=WARNING,
        )
        return


@rule("INF-30", NURSE)
def starting_a_treatment(claim: Claim, book: Book) -> Iterator[Hit]:
    """Fifteen visits per treatment started or changed; three sessions of accompaniment, renewable once."""
    most = limit("INF-30-surveillance")
    for line in tagged(claim, "surveillance_traitement"):
        known = book.timeline(claim).tagged("surveillance_traitement")
        same = [
            entry
            for entry in upto(claim, line, known.between(None, day_after(line.day)))
            if entry.line.prescription == line.prescription
        ]
        if len(same) > most:
            yield Hit(
                line.key,
                f"{what(line)} : {len(same)}e passage, {most} au plus par traitement.",
                remove(line),
            )
    series = limit("INF-30-accompagnement") * limit("INF-30-series")
    for line in tagged(claim, "accompagnement_medicament"):
        start = add_months(line.day, -limit("INF-30-fenetre"))
        position = rank_of(claim, book, line, "accompagnement_medicament", start)
        if position > series:
            yield Hit(
                line.key,
                f"{what(line)} : {position}e séance en {limit('INF-30-fenetre')} mois, {series} au plus.",
                remove(line),
            )


@rule("INF-31", NURSE)
def until_healed(claim: Claim, book: Book) -> Iterator[Hit]:
    """“Until healed” is good for three months; a duration written by the doctor goes first."""
    for line in tagged(claim, "cicatrisation"):
        prescription = book.prescription(line)
        if prescription is None or prescription.end is not None:
            continue
        start = add_months(line.day, -limit("INF-31-mois"))
        if "until_healed" in prescription.mentions and prescription.day < start:
            yield Hit(
                line.key,
                f"{what(line)} : ordonnance « jusqu'à cicatrisation » du {say_day(prescription.day)}, "
                f"valable {limit('INF-31-mois')} mois. Demandez une nouvelle ordonnance.",
            )


@rule("INF-32", NURSE)
def remote_dressing(claim: Claim, book: Book) -> Iterator[Hit]:
    """Four a month, after a dressing on site, not on the day of one."""
    yield from BY_RATES["INF-32"](claim, book)
    most = limit("INF-32-mois")
    dressings = book.timeline(claim).tagged("pansement")
    for line in tagged(claim, "telesoin_pansement"):
        position = rank_of(claim, book, line, "telesoin_pansement", line.day.replace(day=1))
        if position > most:
            yield Hit(
                line.key, f"{what(line)} : {position}e du mois, {most} au plus.", remove(line)
            )
        if not claim.is_billed and not dressings.between(None, day_after(line.day)):
            yield Hit(
                line.key,
                f"{what(line)} : aucun pansement en présence connu avant.",
                severity=WARNING,
            )


@rule("INF-33", NURSE)
def dressing_of_varices(claim: Claim, book: Book) -> Iterator[Hit]:
    """Two acts in a session, wherever they are; the same for both breasts."""
    most = limit("INF-33-varices")
    for lines in session_lines(claim, book):
        for tag in ("pansement_varices", "pansement_sein"):
            same = [line for line in lines if line.has(tag)]
            total = sum(line.quantity for line in same)
            if total > most and same[-1] in claim.lines:
                yield Hit(
                    same[-1].key,
                    f"{what(same[-1])} : {total} actes, {most} au plus.",
                    remove(same[-1]),
                )


@rule("INF-34", NURSE)
def quotas_of_some_acts(claim: Claim, book: Book) -> Iterator[Hit]:
    """Penile sheath once a day, twenty colic irrigations, four dialyses a day."""
    most = limit("INF-34-irrigation")
    yield from over_quota(claim, book, "irrigation_colique", most, None, f"{most} séances au plus.")
    for tag, code in (("etui_penien", "INF-34-etui"), ("dialyse", "INF-34-dialyse")):
        for line in tagged(claim, tag):
            position = rank_of(claim, book, line, tag, line.day)
            if position > limit(code):
                yield Hit(
                    line.key,
                    f"{what(line)} : {position}e du jour, {limit(code)} au plus.",
                    remove(line),
                )


@rule("INF-35", NURSE)
def teleconsultation(claim: Claim, book: Book) -> Iterator[Hit]:
    """TLS only after care in the session; two trips a day for TLL."""
    for lines in session_lines(claim, book):
        care = [line for line in cares(claim, lines) if line.key_letter not in TELECONSULTATIONS]
        for line in lines:
            if line.key_letter == "TLS" and not care and line in claim.lines:
                yield Hit(line.key, f"{what(line)} : aucun soin dans la même séance.", remove(line))
    for line in claim.lines:
        if line.key_letter != "TLL" or not line.place == "facility":
            continue
        trips = _places(book, claim, line)
        if len(trips) > limit("INF-35-jour"):
            yield Hit(line.key, f"{what(line)} : {len(trips)}e déplacement du jour.", remove(line))


TELECONSULTATIONS = ("TLS", "TLL", "TLD")


def _places(book: Book, claim: Claim, line: Line) -> list[tuple]:
    """The places the practitioner went to for TLL that day, up to the line, each passage once."""
    day = book.round_of(claim, line.day)
    known = upto(claim, line, (entry for entry in day if entry.line.key_letter == "TLL"))
    homes = {(book.patient(e.claim).home or e.claim.patient, e.line.passage): 1 for e in known}
    return list(homes)


# --- letters and coefficients that ended


@rule("INF-36", NURSE)
def ais_is_abolished(claim: Claim, book: Book) -> Iterator[Hit]:
    """No AIS from the day of its abolition."""
    for line in claim.lines:
        if line.key_letter == "AIS" and line.day >= limit_day("INF-36-fin"):
            yield Hit(
                line.key,
                f"{what(line)} : lettre AIS abrogée depuis le {say_day(limit_day('INF-36-fin'))}. "
                "La dépendance passe par le BSI (forfaits BSA, BSB, BSC).",
                remove(line),
            )


@rule("INF-37", NURSE)
def other_dressing(claim: Claim, book: Book) -> Iterator[Hit]:
    """“Other dressing” AMI 2 has become AMI 2,02."""
    for line in tagged(claim, "autre_pansement"):
        if line.day < limit_day("INF-37-debut"):
            continue
        act = next((one for one in book.acts.values() if "pansement_simple" in one.tags), None)
        yield Hit(
            line.key,
            f"{what(line)} : « autre pansement » a un nouveau coefficient depuis le "
            f"{say_day(limit_day('INF-37-debut'))}{f' ({number(act.coefficient)})' if act else ''}.",
            swap_act(claim, book, line, act) if act else None,
        )


@rule("INF-38", NURSE)
def requests_for_teleexpertise(claim: Claim, book: Book) -> Iterator[Hit]:
    """Four a year and patient."""
    most = limit("INF-38-annee")
    for line in claim.lines:
        if line.key_letter != "RQD":
            continue
        year = book.timeline(claim).between(date(line.day.year, 1, 1), day_after(line.day))
        known = upto(claim, line, (entry for entry in year if entry.line.key_letter == "RQD"))
        if len(known) > most:
            yield Hit(
                line.key, f"{what(line)} : {len(known)}e de l'année, {most} au plus.", remove(line)
            )


@rule("INF-39", NURSE)
def former_sessions_of_care(claim: Claim, book: Book) -> Iterator[Hit]:
    """AIS 3 before its abolition: four half hours a day at most."""
    most = limit("INF-39-jour")
    for line in claim.lines:
        if line.key_letter != "AIS" or line.day >= limit_day("INF-36-fin"):
            continue
        day = upto(
            claim, line, (e for e in of_day(claim, book, line) if e.line.key_letter == "AIS")
        )
        position = sum(entry.line.quantity for entry in day)
        if position > most:
            yield Hit(
                line.key,
                f"{what(line)} : {position} AIS dans la journée, {most} au plus.",
                remove(line),
                WARNING,
            )
