"""Rules of speech therapists (NGAP title IV)."""

from collections.abc import Iterator
from datetime import timedelta

from ..control import Book, Entry, Hit, Timeline, rule
from ..limits import limit
from ..model import Claim, Line, Proposal
from ..tariff import act_price
from .common import (
    ADVICE,
    WARNING,
    acts,
    count,
    euros,
    is_last_of_its_act,
    moment,
    name,
    number,
    of_day,
    price,
    remove,
    say_day,
    soften,
    swap_act,
    swap_letter,
    unit_cents,
)

SPEECH = "orthophoniste"
SERIES = ("serie_50", "serie_100")


def _days(claim: Claim) -> list:
    return sorted({line.day for line in claim.lines})


# --- one act a day


@rule("ORT-01", SPEECH)
def one_act_a_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """One act a day, or two different individual sessions of two projects (prescriptions or assessments)."""
    for day in _days(claim):
        entries = [
            entry
            for entry in of_day(claim, book, day)
            if entry.line.has("bilan", "bilan_prevention", "reeducation")
        ]
        for position, entry in enumerate(entries):
            if position == 0 or entry.claim is not claim:
                continue
            yield from _second_act(claim, entries[0].line, entry.line, position)


def _second_act(claim: Claim, first: Line, second: Line, position: int) -> Iterator[Hit]:
    what = f"{name(second)} du {say_day(second.day)}, après {name(first)} : "
    if position >= limit("ORT-01-jour"):
        yield Hit(second.key, what + f"{position + 1}e acte du jour.", remove(second))
        return
    if not (first.has("individuelle") and second.has("individuelle")):
        yield Hit(
            second.key,
            what + "un seul acte par jour, sauf deux rééducations individuelles différentes.",
            remove(second),
            soften(claim, WARNING),
        )
        return
    projects = {first.project, second.project} - {""}
    prescriptions = {first.prescription, second.prescription} - {None}
    if first.act is not second.act and (len(projects) == 2 or len(prescriptions) == 2):
        return
    same = first.act is second.act
    unknown = not same and not projects and (claim.is_billed or not prescriptions)
    yield Hit(
        second.key,
        what
        + (
            "la même rééducation deux fois le même jour."
            if same
            else "deux projets distincts (ordonnances ou bilans) sont nécessaires. Notez le projet de chacune."
        ),
        remove(second) if same else None,
        ADVICE if unknown else soften(claim, WARNING),
    )


# --- assessments and series


def renewed(coefficient: int) -> int:
    """Coefficient of a renewal assessment, to the hundredth.

    >>> renewed(3401)
    2381
    """
    return (coefficient * limit("ORT-02-taux") + 50) // 100


def _is_reduced(line: Line) -> bool:
    return line.factor == limit("ORT-02-taux") or (
        line.act is not None and line.coefficient <= renewed(line.act.coefficient)
    )


@rule("ORT-02", SPEECH)
def renewal_assessment_is_reduced(claim: Claim, book: Book) -> Iterator[Hit]:
    """A renewal assessment at full price; one that looks like a renewal is only advised on."""
    rate = limit("ORT-02-taux")
    for line in acts(claim):
        if not line.has("bilan") or _is_reduced(line):
            continue
        earlier = [
            entry
            for entry in book.timeline(claim).tagged("bilan").before(line.day)
            if entry.line.act is line.act
        ]
        if not line.is_renewal and not earlier:
            continue
        if line.is_renewal:
            text, severity = f"bilan de renouvellement à {rate} % du coefficient.", None
        else:
            text = (
                f"même bilan le {say_day(earlier[-1].day)} : s'il s'agit d'un renouvellement, "
                f"il se cote à {rate} %."
            )
            severity = ADVICE
        yield Hit(
            line.key,
            f"{name(line)} du {say_day(line.day)} : {text}",
            _renewal(claim, book, line),
            severity,
        )


def _renewal(claim: Claim, book: Book, line: Line) -> Proposal:
    reduced, rate = renewed(line.act.coefficient), limit("ORT-02-taux")
    unit = unit_cents(claim, book, line.key_letter, line.day)
    gain = None
    if unit is not None:
        full = act_price(unit, line.act.coefficient)
        now = line.amount if line.amount is not None else full
        gain = act_price(unit, line.act.coefficient, 1, rate) - now
    return Proposal(
        "replace",
        f"{name(line)} → {line.key_letter} {number(reduced)} ({rate} %)",
        line.key,
        act=line.act.code,
        key_letter=line.key_letter,
        coefficient=line.act.coefficient,
        factor=rate,
        value="renewal",
        gain=gain,
    )


def since_assessment(timeline: Timeline) -> dict[tuple, tuple[int, int]]:
    """For each session: its rank since the last assessment, and the number after which a new one is needed.

    Series of two projects or acts run side by side; an assessment starts them all anew.
    """
    known = timeline.memo.get("since_assessment")
    if known is not None:
        return known
    result: dict = {}
    counts: dict = {}
    last: dict = {}
    for entry in timeline:
        line = entry.line
        if line.has("bilan"):
            counts.clear()
            last.clear()
        elif line.has(*SERIES):
            series = (line.act.code, line.project)
            if last.get(series) != moment(line):
                counts[series] = counts.get(series, 0) + 1
                last[series] = moment(line)
            most = next(limit(f"ORT-03-{tag}") for tag in SERIES if tag in line.act.tags)
            result[entry.claim.key, line.key] = (counts[series], most)
    timeline.memo["since_assessment"] = result
    return result


@rule("ORT-03", SPEECH)
def new_assessment_after_a_series(claim: Claim, book: Book) -> Iterator[Hit]:
    """Fifty (a hundred) sessions, then a renewal assessment; announced a few sessions before."""
    state = since_assessment(book.timeline(claim))
    told = set()
    for line in acts(claim):
        known = state.get((claim.key, line.key))
        if known is None or line.act.code in told:
            continue
        done, most = known
        if done > most:
            told.add(line.act.code)
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : {done}e séance depuis le bilan, un bilan de "
                f"renouvellement est nécessaire après {most}.",
                severity=soften(claim, WARNING),
            )
        elif most - done < limit("ORT-03-rappel") and is_last_of_its_act(claim, book, line):
            left = most - done
            rest = f"il reste {count(left, 'séance')}" if left else "c'était la dernière séance"
            yield Hit(
                line.key,
                f"{name(line)} : {rest} avant le bilan de renouvellement.",
                severity=ADVICE,
            )


@rule("ORT-05", SPEECH)
def no_session_after_prevention(claim: Claim, book: Book) -> Iterator[Hit]:
    """A prevention assessment stands alone: no assessment with it, no session after it without a full one."""
    timeline = book.timeline(claim)
    state = timeline.memo.get("prevention")
    if state is None:
        state, current = {}, None
        for entry in timeline:
            if entry.line.has("bilan_prevention"):
                current = entry
            elif entry.line.has("bilan"):
                if current is None or current.day != entry.day:
                    current = None
            elif entry.line.has("reeducation") and current is not None:
                state[entry.claim.key, entry.line.key] = current.day
        timeline.memo["prevention"] = state
    for line in acts(claim):
        if line.has("bilan_prevention") and any(e.line.has("bilan") for e in timeline.on(line.day)):
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : le bilan de prévention ne s'ajoute pas à un bilan.",
                remove(line),
            )
    for line in acts(claim):
        prevented = state.get((claim.key, line.key))
        if prevented is not None:
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : séance après le bilan de prévention du "
                f"{say_day(prevented)}, sans bilan orthophonique entre les deux.",
                severity=soften(claim, WARNING),
            )
            break


# --- durations and groups


@rule("ORT-04", SPEECH)
def sessions_are_long_enough(claim: Claim, book: Book) -> Iterator[Hit]:
    """Shortest duration of each act; groups of two to four, coded as such."""
    low, high = limit("ORT-04-groupe-min"), limit("ORT-04-groupe-max")
    for line in acts(claim):
        if line.act is None or not line.has("reeducation"):
            continue
        what = f"{name(line)} du {say_day(line.day)} : "
        if line.duration is not None and line.act.minutes and line.duration < line.act.minutes:
            yield Hit(
                line.key,
                what + f"{line.duration} min, la séance dure au moins {line.act.minutes} min. "
                "Corrigez la durée ou l'acte.",
            )
        if line.has("individuelle") and line.group_size >= low:
            group = group_act(book)
            yield Hit(
                line.key,
                what + f"séance de {line.group_size} patients, cotez la rééducation de groupe.",
                swap_act(claim, book, line, group) if group else None,
            )
        elif line.has("groupe") and line.group_size > high:
            yield Hit(line.key, what + f"{line.group_size} patients, {high} au plus.")


def group_act(book: Book):
    known = book.memo.get("speech_group")
    if known is None:
        known = book.memo["speech_group"] = next(
            (
                act
                for act in book.acts.values()
                if act.profession == SPEECH and "groupe" in act.tags
            ),
            None,
        )
    return known


# --- supplements and travel


@rule("ORT-06", SPEECH)
def supplements_of_children(claim: Claim, book: Book) -> Iterator[Hit]:
    """MEO up to three years of age, FOH once a year, FTD up to twelve; a missing MEO is proposed."""
    patient = book.patient(claim)
    for entries in book.sessions(claim):
        care = [e for e in entries if e.line.has("bilan", "reeducation")]
        own = [entry.line for entry in entries if entry.claim is claim]
        has_meo = any(entry.line.key_letter == "MEO" for entry in entries)
        for line in own:
            age = patient.age(line.day)
            what = f"{line.key_letter} du {say_day(line.day)} : "
            if line.key_letter == "MEO" and age is not None and age > limit("ORT-06-meo-age"):
                most = limit("ORT-06-meo-age")
                yield Hit(line.key, what + f"l'enfant a {age} ans, {most} au plus.", remove(line))
            elif line.key_letter == "FTD" and age is not None and age > limit("ORT-06-ftd-age"):
                most = limit("ORT-06-ftd-age")
                yield Hit(line.key, what + f"l'enfant a {age} ans, {most} au plus.", remove(line))
            elif line.key_letter == "FOH":
                if any(entry.line.key_letter == "TMO" for entry in entries):
                    yield Hit(line.key, what + "pas de forfait handicap en télésoin.", remove(line))
                before = _forfaits_of_year(book.timeline(claim), line)
                if before >= limit("ORT-06-foh-annuel"):
                    yield Hit(
                        line.key,
                        what
                        + f"{count(before, 'forfait')} handicap déjà cette année ; un second demande "
                        "une aggravation, à noter.",
                        remove(line),
                        ADVICE if line.reason else None,
                    )
        if own and care and care[0].claim is claim and not has_meo:
            line = care[0].line
            age = patient.age(line.day)
            if age is not None and age <= limit("ORT-06-meo-age"):
                yield _missing_meo(claim, book, line, age)


def _missing_meo(claim: Claim, book: Book, line: Line, age: int) -> Hit:
    cents = price(claim, book, "MEO", 100, line.day)
    return Hit(
        line.key,
        f"Séance du {say_day(line.day)} : la majoration MEO est due, l'enfant a {count(age, 'an')}.",
        Proposal(
            "add",
            "Ajouter MEO" + (f" ({euros(cents)})" if cents is not None else ""),
            line.key,
            key_letter="MEO",
            coefficient=100,
            gain=cents,
        ),
        ADVICE,
    )


def _forfaits_of_year(timeline: Timeline, line: Line) -> int:
    """FOH of the calendar year before this one."""
    days = timeline.memo.get("foh")
    if days is None:
        days = timeline.memo["foh"] = [e.line for e in timeline if e.line.key_letter == "FOH"]
    before = 0
    for other in days:
        if other is line:
            break
        before += other.day.year == line.day.year
    return before


@rule("ORT-07", SPEECH)
def one_travel_sum(claim: Claim, book: Book) -> Iterator[Hit]:
    """IFN for the acts of neurology, IFS until the 35th day after discharge, else IFD; one of the three."""
    after = timedelta(days=limit("ORT-07-jours"))
    discharged = book.patient(claim).discharged_on
    for entries in book.sessions(claim):
        sums = [entry for entry in entries if entry.line.key_letter in ("IFD", "IFN", "IFS")]
        care = [entry.line for entry in entries if entry.line.has("bilan", "reeducation")]
        if not sums:
            continue
        if len({entry.line.key_letter for entry in sums}) > 1:
            if (
                len(sums) > len(care) or not claim.is_billed
            ):  # imported: two visits of the day stand here
                yield from _too_many_sums(sums, claim)
            continue
        if not care:
            continue
        neuro = any(line.has("ifn") for line in care)
        for entry in sums:
            if entry.claim is claim:
                in_time = (
                    None
                    if discharged is None
                    else (discharged <= entry.line.day <= discharged + after)
                )
                yield from _other_sum(claim, book, entry.line, neuro, in_time)


def _too_many_sums(sums: list[Entry], claim: Claim) -> Iterator[Hit]:
    """All but the best stay out; the specific sums are worth more than IFD."""
    best = max(sums, key=lambda entry: (entry.line.amount or 0, entry.line.key_letter != "IFD"))
    for entry in sums:
        if entry is not best and entry.claim is claim:
            yield Hit(
                entry.line.key,
                f"{entry.line.key_letter} et {best.line.key_letter} le {say_day(entry.line.day)} : une seule "
                "indemnité de déplacement par séance.",
                remove(entry.line),
            )


def _other_sum(
    claim: Claim, book: Book, line: Line, neuro: bool, in_time: bool | None
) -> Iterator[Hit]:
    when = f"du {say_day(line.day)}"
    if line.key_letter == "IFD":
        better = "IFN" if neuro else "IFS" if in_time else ""
        if better:
            yield Hit(
                line.key,
                f"IFD {when} : l'{better} est due"
                + (
                    " pour cet acte."
                    if neuro
                    else f" jusqu'au {limit('ORT-07-jours')}e jour après la sortie."
                ),
                swap_letter(claim, book, line, better),
                ADVICE,
            )
    elif line.key_letter == "IFN" and not neuro:
        yield Hit(
            line.key,
            f"IFN {when} : réservée aux pathologies neurologiques à domicile. Facturez l'IFD.",
            swap_letter(claim, book, line, "IFD"),
        )
    elif line.key_letter == "IFS" and in_time is False:
        yield Hit(
            line.key,
            f"IFS {when} : plus de {limit('ORT-07-jours')} jours après la sortie. Facturez l'IFD.",
            swap_letter(claim, book, line, "IFD"),
        )
