"""Rules of physiotherapists (NGAP title XIV).

Two sessions of one day on an imported claim stand in one passage, as its journal knows no hour: rules that need
passages speak of days there, and are softer.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta

from ..calendar import add_months
from ..control import Book, Entry, Hit, Timeline, rule
from ..limits import limit, limit_day
from ..model import Claim, Line, Proposal
from .common import (
    ADVICE,
    WARNING,
    acts,
    agreement_state,
    count,
    euros,
    is_last_of_its_act,
    missing_agreements,
    moment,
    name,
    of_day,
    price,
    rank,
    remove,
    say_day,
    soften,
    swap_act,
    swap_letter,
)

KINE = "kinesitherapeute"
CODING = ("reeducation", "bilan_isole")


def article(line: Line) -> str:
    """The article of chapter II, “art1” … “art11”.

    Sub-articles 1 A to 1 F are one article here.
    """
    return next((tag for tag in line.act.tags if tag[3:].isdigit()), "") if line.act else ""


def lump_sums(entries: list[Entry], *letters: str) -> list[Entry]:
    return [entry for entry in entries if entry.line.key_letter in letters]


# --- one coding per session


@rule("MK-01", KINE)
def one_coding_per_session(claim: Claim, book: Book) -> Iterator[Hit]:
    """One act of rehabilitation per session; a supplement goes with the act it completes."""
    for entries in book.sessions(claim):
        coded = [entry for entry in entries if entry.line.has(*CODING)]
        palliative = any(entry.line.has("palliatif") for entry in coded)  # MK-08 speaks
        if not claim.is_billed and len(coded) > 1 and not palliative:
            best = max(coded, key=lambda entry: entry.line.coefficient)
            for entry in coded:
                if entry is not best and entry.claim is claim:
                    yield Hit(
                        entry.line.key,
                        f"{name(entry.line)} et {name(best.line)} dans la même séance du "
                        f"{say_day(entry.line.day)} : une seule cotation par séance.",
                        remove(entry.line),
                    )
        for entry in entries:
            if entry.claim is not claim or not entry.line.has("supplement"):
                continue
            problem = _supplement_problem(entry.line, entries)
            if problem:
                yield Hit(entry.line.key, problem, remove(entry.line), soften(claim, WARNING))


def _supplement_problem(line: Line, entries: list[Entry]) -> str:
    """What is wrong with a supplement in its session; unknown acts may be the one it completes."""
    if any(entry.line.act is None and entry.line.key_letter.startswith("RA") for entry in entries):
        return ""
    what = f"{name(line)} du {say_day(line.day)} : "
    if line.has("supplement_bandage") and not any(e.line.has("lymphoedeme") for e in entries):
        return what + "le supplément pour bandage ne s'ajoute qu'au drainage d'un lymphœdème."
    if line.has("supplement_balneo") and not any(e.line.has("reeducation") for e in entries):
        return what + "la balnéothérapie est le supplément d'une séance de rééducation."
    return ""


# --- two sessions on one day


def sessions_of_day(claim: Claim, book: Book, day) -> list[Entry]:
    """The rehabilitation of the day, one entry per passage (on imported claims: per line)."""
    seen, result = set(), []
    for entry in of_day(claim, book, day):
        if not entry.line.has("reeducation"):
            continue
        key = (entry.claim.key, entry.line.key) if entry.claim.is_billed else entry.line.passage
        if key not in seen:
            seen.add(key)
            result.append(entry)
    return result


def _days(claim: Claim) -> list:
    return sorted({line.day for line in claim.lines})


def _own(entries: list[Entry], claim: Claim) -> list[Entry]:
    return [entry for entry in entries if entry.claim is claim]


@rule("MK-02", KINE)
def two_sessions_are_two_treatments(claim: Claim, book: Book) -> Iterator[Hit]:
    """A second session of the day has its own prescription, article and region."""
    for day in _days(claim):
        entries = sessions_of_day(claim, book, day)
        if len(entries) < 2 or any(e.line.has("deux_par_jour", "palliatif") for e in entries):
            continue
        for position, entry in enumerate(entries):
            if position == 0 or entry.claim is not claim:
                continue
            first = entries[0].line
            problems = _same_treatment(first, entry.line)
            if problems:
                severity = None if _is_certain(claim, first, entry.line) else WARNING
                yield Hit(
                    entry.line.key,
                    f"Deuxième séance du {say_day(day)} ({name(entry.line)} après {name(first)}) : "
                    f"{' et '.join(problems)}.",
                    remove(entry.line),
                    severity,
                )


def _is_certain(claim: Claim, first: Line, second: Line) -> bool:
    """Whether no reading of the text allows both: 1 A and 1 C may pass for two articles, an hour may be missing."""
    if first.prescription is not None and first.prescription == second.prescription:
        return True
    same_part = {tag for tag in first.act.tags if tag.startswith("art")} == {
        tag for tag in second.act.tags if tag.startswith("art")
    }
    return same_part and not claim.is_billed


def _same_treatment(first: Line, second: Line) -> list[str]:
    problems = []
    if first.prescription is not None and first.prescription == second.prescription:
        problems.append("même ordonnance")
    if article(first) and article(first) == article(second):
        problems.append("même article de la NGAP")
    if first.project and first.project == second.project:
        problems.append("même région")
    return problems


@rule("MK-08", KINE)
def palliative_care_is_a_daily_sum(claim: Claim, book: Book) -> Iterator[Hit]:
    """PLL once a day, whatever the number of visits; it holds the care of the day."""
    for day in _days(claim):
        entries = sessions_of_day(claim, book, day)
        first = next((entry for entry in entries if entry.line.has("palliatif")), None)
        if first is None:
            continue
        for entry in entries:
            if entry is first or entry.claim is not claim:
                continue
            again = entry.line.has("palliatif")
            yield Hit(
                entry.line.key,
                f"{name(entry.line)} du {say_day(day)} : "
                + (
                    "le forfait de soins palliatifs est déjà facturé ce jour."
                    if again
                    else "le forfait palliatif du jour comprend ces soins."
                ),
                remove(entry.line),
                None if again else WARNING,
            )


@rule("MK-09", KINE)
def at_most_two_sessions_a_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """Urgent clearing of the airways, burns, cystic fibrosis: two sessions a day."""
    for day in _days(claim):
        entries = [e for e in sessions_of_day(claim, book, day) if e.line.has("deux_par_jour")]
        for entry in _own(entries[limit("MK-09-jour") :], claim):
            yield Hit(
                entry.line.key,
                f"{name(entry.line)} du {say_day(day)} : {entries.index(entry) + 1}e séance du jour, "
                f"le texte en admet {limit('MK-09-jour')}.",
                remove(entry.line),
            )


# --- assessments


def bdk_state(timeline: Timeline) -> dict[tuple, tuple[int, int | None, bool]]:
    """Per rehabilitation session and assessment (BDK): rank in its treatment, sessions since the last BDK, neuro.

    A treatment is what one prescription orders, or sessions without a long interruption where it is not known.
    The second figure is ``None`` before the first assessment.
    """
    known = timeline.memo.get("bdk")
    if known is not None:
        return known
    result: dict = {}
    ranks: dict = {}
    since: dict = {}
    last: dict = {}
    neuro: dict = {}
    gap = timedelta(days=limit("GEN-03-interruption"))
    for entry in timeline:
        line = entry.line
        is_bdk = line.has("bilan_diagnostic")
        if not is_bdk and not line.has("reeducation"):
            continue
        series = line.prescription
        before = last.get(series)
        if before is None or (series is None and line.day - before[0] > gap):
            ranks[series], since[series] = 0, None
        if not is_bdk:
            if before != moment(line):
                ranks[series] += 1
                if since[series] is not None:
                    since[series] += 1
            last[series] = moment(line)
            neuro[series] = line.has("neuro")
        else:
            last.setdefault(series, (line.day, -1))
        is_neuro = line.has("bilan_neuro") if is_bdk else neuro[series]
        result[entry.claim.key, line.key] = (ranks[series], since[series], is_neuro)
        if is_bdk:
            since[series] = 0
    timeline.memo["bdk"] = result
    return result


def rhythm(is_neuro: bool) -> tuple[int, int]:
    """Session of the second assessment, and the step from there."""
    if is_neuro:
        return limit("MK-03-bilan-neuro-premier"), limit("MK-03-bilan-neuro-suivants")
    return limit("MK-03-bilan-premier"), limit("MK-03-bilan-suivants")


@rule("MK-03", KINE)
def assessments_keep_their_rhythm(claim: Claim, book: Book) -> Iterator[Hit]:
    """An assessment too early is refused; at the session where one is due, it is proposed."""
    state = bdk_state(book.timeline(claim))
    start = limit("MK-03-debut")
    for line in acts(claim):
        known = state.get((claim.key, line.key))
        if known is None:
            continue
        done, since, is_neuro = known
        second, step = rhythm(is_neuro)
        if line.has("bilan_diagnostic"):
            if since is None:
                if start < done < second - 1:
                    yield Hit(
                        line.key,
                        f"{name(line)} du {say_day(line.day)} : premier bilan-diagnostic après {done} séances, "
                        f"il se fait entre la 1re et la {start}e.",
                        severity=soften(claim) or WARNING,
                    )
            elif _milestones(done, second, step) <= _milestones(done - since, second, step):
                yield Hit(
                    line.key,
                    f"{name(line)} du {say_day(line.day)} : {count(since, 'séance')} depuis le dernier "
                    f"bilan-diagnostic. Le suivant se fait à la {second}e séance, puis toutes les {step}.",
                    remove(line),
                    soften(claim) if line.prescription is None else None,
                )
            continue
        due = since is None or (
            _milestones(done, second, step) > _milestones(done - since, second, step)
        )
        first = done == start and since is None and not claim.is_billed
        at_milestone = done >= second and (done - second) % step == 0 and due
        if (
            (first or at_milestone)
            and is_last_of_its_act(claim, book, line)
            and not any(e.line.has("bilan_diagnostic") for e in book.timeline(claim).on(line.day))
        ):
            yield Hit(
                line.key,
                f"{done}e séance le {say_day(line.day)} : un bilan-diagnostic peut être fait et facturé"
                + (", le premier se fait au plus tard à cette séance." if first else "."),
                _add_bdk(claim, book, line, is_neuro),
                ADVICE,
            )


def _milestones(done: int, second: int, step: int) -> int:
    """Assessments due after the first, counting one made just before the session of its number.

    >>> [_milestones(done, 30, 20) for done in (12, 28, 29, 30, 48, 49)]
    [0, 0, 1, 1, 1, 2]
    """
    return 0 if done + 1 < second else (done + 1 - second) // step + 1


def _add_bdk(claim: Claim, book: Book, line: Line, is_neuro: bool) -> Proposal | None:
    act = bdk_act(book, is_neuro)
    if act is None:
        return None
    cents = price(claim, book, act.key_letter, act.coefficient, line.day)
    return Proposal(
        "add",
        f"Ajouter {name(act)}" + (f" ({euros(cents)})" if cents is not None else ""),
        line.key,
        act=act.code,
        key_letter=act.key_letter,
        coefficient=act.coefficient,
        gain=cents,
    )


def bdk_act(book: Book, is_neuro: bool):
    """The assessment of that rhythm in the catalogue."""
    known = book.memo.get("bdk_acts")
    if known is None:
        known = book.memo["bdk_acts"] = {
            "bilan_neuro" in act.tags: act
            for act in book.acts.values()
            if "bilan_diagnostic" in act.tags
        }
    return known.get(is_neuro)


@rule("MK-04", KINE)
def isolated_assessment_outside_a_treatment(claim: Claim, book: Book) -> Iterator[Hit]:
    """An assessment of section 1 is not billed while a treatment runs or is ordered with it."""
    around = timedelta(days=limit("MK-04-serie"))
    ordered = timedelta(days=limit("MK-04-ordonnance"))
    for line in acts(claim):
        if not line.has("bilan_isole"):
            continue
        sessions = book.timeline(claim).tagged("reeducation")
        same = line.prescription is not None and any(
            entry.line.prescription == line.prescription
            for entry in sessions.between(line.day - ordered, line.day + ordered)
        )
        running = sessions.between(line.day - around, line.day + timedelta(days=1))
        if same or running:
            why = (
                "l'ordonnance prescrit aussi la rééducation"
                if same
                else "un traitement est en cours"
            )
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : bilan isolé impossible, {why}. "
                "Facturez le bilan-diagnostic s'il est dû.",
                remove(line),
                None if same else WARNING,
            )


# --- prior agreement


@rule("MK-05", KINE)
def agreement_past_the_usual_number(claim: Claim, book: Book) -> Iterator[Hit]:
    """Acts with a usual number of sessions: agreement to go on, and thirty in twelve months for the spine."""
    lines = [line for line in acts(claim) if line.has("referentiel")]
    told = set()
    for hit in missing_agreements(claim, book, lines):
        told.add(hit.line)
        yield hit
    for line in lines:
        if line.key in told:
            continue
        if line.has("referentiel_12_mois") and not told:
            before = _sessions_of_a_year(claim, book, line)
            if (
                before >= limit("MK-05-annuel")
                and agreement_state(claim, book, line, line.act.agreement_from)[0] == "missing"
            ):
                told.add(line.key)
                yield Hit(
                    line.key,
                    f"{name(line)} du {say_day(line.day)} : {before} séances déjà facturées en 12 mois, accord "
                    "préalable nécessaire dès maintenant. Saisissez la demande.",
                    severity=soften(claim),
                )
        if (
            line.has("cervicalgie_traumatique")
            and rank(claim, book, line, "row") == limit("MK-05-cervicalgie")
            and is_last_of_its_act(claim, book, line)
        ):
            yield Hit(
                line.key,
                f"{name(line)} : {limit('MK-05-cervicalgie')}e séance, le traitement habituel en compte "
                f"{limit('MK-05-cervicalgie') - 1}. L'accord préalable est nécessaire dès la "
                f"{line.act.agreement_from}e.",
                severity=ADVICE,
            )


def _sessions_of_a_year(claim: Claim, book: Book, line: Line) -> int:
    """Sessions of the act in the twelve months before that day, the day itself out."""
    ranks = book.timeline(claim).memo.setdefault("days_of", {})
    if line.act.code not in ranks:
        ranks[line.act.code] = [
            entry.line.day
            for entry in book.timeline(claim).tagged("referentiel_12_mois")
            if entry.line.act.code == line.act.code
        ]
    start = add_months(line.day, -limit("MK-05-annee"))
    days = ranks[line.act.code]
    return bisect_left(days, line.day) - bisect_left(days, start)


@rule("MK-06", KINE)
def agreement_before_carpal_tunnel(claim: Claim, book: Book) -> Iterator[Hit]:
    """After carpal tunnel surgery agreement comes before the first session."""
    yield from missing_agreements(
        claim, book, (line for line in acts(claim) if line.has("canal_carpien"))
    )


# --- groups


@rule("MK-07", KINE)
def groups_are_small(claim: Claim, book: Book) -> Iterator[Hit]:
    """At most three patients, articles 1 to 4, half an hour per patient."""
    for line in acts(claim):
        if line.group_size < 2 or line.act is None or line.has("bpco"):
            continue
        what = f"{name(line)} du {say_day(line.day)} : "
        most, each = limit("MK-07-patients"), limit("MK-07-duree")
        if not line.has("groupe_possible"):
            if line.has("reeducation"):
                yield Hit(
                    line.key, what + "cet acte se fait seul à seul (groupe : articles 1 à 4)."
                )
        elif line.group_size > most:
            yield Hit(line.key, what + f"{line.group_size} patients, {most} au plus.")
        elif line.duration is not None and line.duration < each * line.group_size:
            yield Hit(
                line.key,
                what + f"{line.duration} min pour {line.group_size} patients, il faut "
                f"{each * line.group_size} min.",
            )


# --- travel


@rule("MK-10", KINE)
def specific_travel_sum(claim: Claim, book: Book) -> Iterator[Hit]:
    """IFS instead of IFD for the acts listed; for those of article 1 until the 35th day after discharge."""
    last = timedelta(days=limit("MK-10-jours"))
    discharged = book.patient(claim).discharged_on
    for entries in book.sessions(claim):
        care = [entry.line for entry in entries if entry.line.has("ifs", "ifs_35j", "ifd")]
        if not care:
            continue
        always = any(line.has("ifs") for line in care)
        conditional = any(line.has("ifs_35j") for line in care)
        in_time = None if discharged is None else discharged <= care[0].day <= discharged + last
        for entry in _own(lump_sums(entries, "IFD", "IFS"), claim):
            line = entry.line
            if line.key_letter == "IFD" and (always or (conditional and in_time)):
                yield Hit(
                    line.key,
                    f"IFD du {say_day(line.day)} : l'IFS est due pour {name(care[0])}.",
                    swap_letter(claim, book, line, "IFS"),
                    ADVICE,
                )
            elif line.key_letter == "IFS" and not always and not (conditional and in_time):
                if conditional and in_time is None:
                    continue  # the day of discharge is not known
                why = (
                    f"plus de {limit('MK-10-jours')} jours après la sortie"
                    if conditional
                    else "cet acte n'y ouvre pas droit"
                )
                yield Hit(
                    line.key,
                    f"IFS du {say_day(line.day)} non due pour {name(care[0])} : {why}. Facturez l'IFD.",
                    swap_letter(claim, book, line, "IFD"),
                )


# --- single acts


@rule("MK-11", KINE)
def respiratory_rehabilitation(claim: Claim, book: Book) -> Iterator[Hit]:
    """COPD: long-term illness, twenty sessions, an hour and a half, groups of two to four."""
    flags = book.patient(claim).flags
    told = set()
    for line in acts(claim):
        if not line.has("bpco"):
            continue
        what = f"{name(line)} du {say_day(line.day)} : "
        if "ald_bpco" not in flags and "ald" not in told:
            told.add("ald")
            yield Hit(
                line.key,
                what
                + "réservé à l'ALD pour BPCO, qui n'est pas notée pour ce patient. Vérifiez ses droits.",
                severity=soften(claim) or WARNING,
            )
        position, most = rank(claim, book, line), limit("MK-11-seances")
        if position > most:
            yield Hit(line.key, what + f"{position}e séance, {most} au plus.", None, soften(claim))
        if line.duration is not None and line.act.minutes and line.duration < line.act.minutes:
            yield Hit(
                line.key,
                what + f"{line.duration} min, il faut {line.act.minutes} min.",
                None,
                WARNING,
            )
        low, high = limit("MK-11-groupe-min"), limit("MK-11-groupe-max")
        if line.has("bpco_groupe"):
            if line.group_size > high:
                yield Hit(line.key, what + f"{line.group_size} patients, {high} au plus.")
        elif line.group_size >= low:
            group = next((act for act in book.acts.values() if "bpco_groupe" in act.tags), None)
            yield Hit(
                line.key,
                what + f"séance de {line.group_size} patients, cotez le groupe.",
                swap_act(claim, book, line, group) if group else None,
            )


@rule("MK-12", KINE)
def lymphoedema_with_shoulder(claim: Claim, book: Book) -> Iterator[Hit]:
    """RAV 15,5 holds the bandage; ten sessions, then an assessment."""
    for entries in book.sessions(claim):
        if not any(entry.line.has("lymphoedeme_epaule") for entry in entries):
            continue
        for entry in _own(entries, claim):
            line = entry.line
            if line.has("supplement_bandage"):
                yield Hit(
                    line.key,
                    f"{name(line)} du {say_day(line.day)} : la séance à 15,5 comprend déjà le bandage.",
                    remove(line),
                )
    state = bdk_state(book.timeline(claim))
    most = limit("MK-12-seances")
    for line in acts(claim):
        if not line.has("lymphoedeme_epaule"):
            continue
        done, since, _neuro = state[claim.key, line.key]
        position = rank(claim, book, line)
        if position > most and (since is None or since >= most):
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : {position}e séance, un bilan-diagnostic est nécessaire "
                f"pour continuer après {most}.",
                severity=soften(claim),
            )
            break


@rule("MK-13", KINE)
def ended_elderly_act(claim: Claim, book: Book) -> Iterator[Hit]:
    """RPE 6 ended; the other act of article 9 goes on."""
    for line in acts(claim):
        if (
            line.key_letter == "RPE"
            and line.coefficient == 100 * limit("MK-13-coefficient")
            and line.day >= limit_day("MK-13-fin")
        ):
            other = next(
                (act for act in book.acts.values() if act.key_letter == "RPE" and act.end is None),
                None,
            )
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : supprimé depuis le {say_day(limit_day('MK-13-fin'))}.",
                swap_act(claim, book, line, other) if other else None,
            )
