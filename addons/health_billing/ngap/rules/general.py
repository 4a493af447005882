"""Rules that hold for several professions."""

from collections.abc import Iterator
from datetime import timedelta

from ..calendar import country_subdivisions, is_holiday, is_sunday_or_holiday
from ..control import Book, Entry, Hit, rule
from ..cumulation import Coded, rates
from ..extras import is_night, is_night_call
from ..limits import limit, limit_day
from ..model import Claim, Line, Prescription, Proposal, Severity
from ..tariff import UnknownValue, act_price
from .common import (
    ADVICE,
    WARNING,
    acts,
    agreement_state,
    clock,
    euros,
    family,
    is_travel,
    kind,
    letter_of,
    missing_agreements,
    moment,
    name,
    of_day,
    rank,
    remove,
    say_day,
    soften,
    trip_of,
    unit_cents,
)
from .rates import BY_RATES, around

#: trades whose own rules ask for the agreement (MK-05, MK-06, OPT-02)
AGREEMENT_ELSEWHERE = ("kinesitherapeute", "orthoptiste")
#: acts the practitioner decides on: no prescription names them
NOT_NAMED = ("bilan_diagnostic", "supplement", "acces_direct", "bsi", "bsi_forfait")
#: care of which one act ordered carries the others (monitoring, change of the bag, removal)
ORDERED_AS_ONE = ("perfusion",)


# --- prescriptions


def prescribed_moments(claim: Claim, book: Book) -> dict:
    """Rank of each session under each prescription; assessments are no session of a series."""
    timeline = book.timeline(claim)
    known = timeline.memo.get("prescribed")
    if known is None:
        known = timeline.memo["prescribed"] = {}
        counts: dict = {}
        for entry in timeline:
            line = entry.line
            if line.prescription is None or line.has("bilan", "supplement"):
                continue
            if kind(entry.claim, line) != "act":
                continue
            key = (line.prescription, *moment(line))
            if key not in known:
                known[key] = counts[line.prescription] = counts.get(line.prescription, 0) + 1
    return known


def orders(prescription: Prescription, line: Line, book: Book, claim: Claim) -> bool:
    """Whether the kind of act was ordered; an ordered speech assessment carries the sessions it finds needed."""
    if not prescription.acts or line.act is None or line.has(*NOT_NAMED):
        return True
    ordered = {code.replace("-AMX", "-AMI", 1) for code in prescription.acts}
    if family(line.act) in ordered:
        return True
    for tag in ORDERED_AS_ONE:
        if line.has(tag) and any(
            code in book.acts and tag in book.acts[code].tags for code in ordered
        ):
            return True
    if claim.profession != "orthophoniste" or not line.has("reeducation"):
        return False
    return any(code in book.acts and "bilan" in book.acts[code].tags for code in ordered)


def prescription_problem(prescription: Prescription, line: Line, claim: Claim, book: Book) -> str:
    """Why the act is not covered, in French; empty when it is, as far as is known."""
    what = f"{name(line)} du {say_day(line.day)}"
    first = max(prescription.start or prescription.day, prescription.day)
    if line.day < first:
        return (
            f"{what} : l'ordonnance ne vaut qu'à partir du {say_day(first)}. "
            "Corrigez la date ou demandez l'ordonnance d'alors."
        )
    if prescription.end is not None and line.day >= prescription.end:
        last = prescription.end - timedelta(days=1)
        return f"{what} : l'ordonnance était valable jusqu'au {say_day(last)}. Demandez son renouvellement."
    if not orders(prescription, line, book, claim):
        return f"{what} : l'ordonnance du {say_day(prescription.day)} ne prescrit pas cet acte."
    if prescription.sessions is not None:
        at = prescribed_moments(claim, book).get((prescription.key, *moment(line)))
        if at is not None and at > prescription.sessions and not line.has("bilan", "supplement"):
            return (
                f"{what} : {at}e séance alors que l'ordonnance en prescrit {prescription.sessions}. "
                "Demandez une nouvelle ordonnance."
            )
    return ""


@rule("GEN-01")
def prescription_covers_the_act(claim: Claim, book: Book) -> Iterator[Hit]:
    """Each act is ordered, in kind and number, before it is done. Nothing is said of imported claims without one."""
    for line in acts(claim):
        if line.has("acces_direct"):
            continue
        if line.prescription is None:
            if not claim.is_billed:
                yield Hit(
                    line.key,
                    f"{name(line)} du {say_day(line.day)} : aucune ordonnance n'est rattachée. "
                    "Rattachez l'ordonnance ou dites le motif (accès direct).",
                    severity=ADVICE if line.reason or line.has("vaccination") else None,
                )
            continue
        prescription = book.prescription(line)
        if prescription is None:
            continue
        problem = prescription_problem(prescription, line, claim, book)
        if problem:
            yield Hit(line.key, problem)


# --- presence


def overlaps(claim: Claim, book: Book, day) -> dict:
    """Lines of the practitioner's day that begin before the session before them is over, with that session."""
    memo = book.memo
    key = ("overlaps", claim.practitioner, day)
    if key in memo:
        return memo[key]
    timed = [
        entry
        for entry in book.round_of(claim, day)
        if entry.line.minute is not None and kind(entry.claim, entry.line) == "act"
    ]
    timed.sort(key=lambda entry: entry.line.minute)
    result: dict = {}
    running: Entry | None = None  # the session that ends last so far
    for entry in timed:
        line = entry.line
        if (
            running is not None
            and line.minute < running.line.minute + running.line.duration
            and (entry.claim.patient, line.passage) != (running.claim.patient, running.line.passage)
            and not _together(entry.line, running.line)
        ):
            result[entry.claim.key, line.key] = running
        if line.duration and (
            running is None
            or line.minute + line.duration > running.line.minute + running.line.duration
        ):
            running = entry
    memo[key] = result
    return result


def _together(one: Line, other: Line) -> bool:
    """Whether both are care of a group or side by side, which the text allows (numbers: MK-07, MK-11, ORT-04)."""
    allowed = ("groupe_possible", "groupe", "bpco_groupe")
    return (one.has(*allowed) and other.has(*allowed)) or (
        one.group_size > 1 and other.group_size > 1
    )


@rule("GEN-02")
def one_patient_at_a_time(claim: Claim, book: Book) -> Iterator[Hit]:
    """No session begins while another patient's is going on; silent where hour or duration is not known."""
    told = set()
    for line in acts(claim):
        other = overlaps(claim, book, line.day).get((claim.key, line.key))
        if other is None or moment(line) in told:
            continue
        told.add(moment(line))
        ends = other.line.minute + other.line.duration
        yield Hit(
            line.key,
            f"Le {say_day(line.day)} à {clock(line.minute)} : la séance d'un autre patient dure jusqu'à "
            f"{clock(ends)}. Corrigez l'heure ou la durée.",
        )


# --- prior agreement


@rule("GEN-03")
def agreement_in_force(claim: Claim, book: Book) -> Iterator[Hit]:
    """A request refused, incomplete, too young or used up; and none at all where no rule of the trade speaks."""
    told = set()
    for line in acts(claim):
        if line.act is None or line.act.agreement_from is None or line.act.code in told:
            continue
        if rank(claim, book, line, "row") < line.act.agreement_from:
            continue
        state, why = agreement_state(claim, book, line, line.act.agreement_from)
        if state == "invalid":
            told.add(line.act.code)
            yield Hit(line.key, f"{name(line)} du {say_day(line.day)} : {why}")
    if claim.profession not in AGREEMENT_ELSEWHERE:
        yield from missing_agreements(claim, book, acts(claim))


# --- several acts of one session


@rule("GEN-04", "infirmier", "orthophoniste", "orthoptiste")
def acts_after_the_first_are_reduced(claim: Claim, book: Book) -> Iterator[Hit]:
    """Full, half, then nothing, with the derogations that pricing knows; silent where an act is not known.

    The day of an imported claim may hold several sessions: there it is advice, and silent if travel shows them.
    """
    if not claim.is_billed:
        yield from BY_RATES["GEN-04"](claim, book)
        return
    for entries in book.sessions(claim):
        entries = [entry for entry in entries if entry.claim is claim]
        cared = [entry for entry in entries if kind(claim, entry.line) == "act"]
        known = all(e.line.act is not None and e.line.quantity == 1 for e in cared)
        if len(cared) > 1 and known and not _many_visits(claim, entries):
            yield from _wrong_rates(claim, book, cared)


def _many_visits(claim: Claim, entries: list[Entry]) -> bool:
    visits = sum(e.line.quantity for e in entries if kind(claim, e.line) == "travel")
    codes = [e.line.act.code for e in entries if e.line.act and kind(claim, e.line) == "act"]
    return visits > 1 or len(set(codes)) < len(codes)


def _wrong_rates(claim: Claim, book: Book, entries: list[Entry]) -> Iterator[Hit]:
    """Compare what is billed with what pricing would; sums, so that equal acts may change places."""
    lines = [entry.line for entry in entries]
    day = lines[0].day
    units = {line.key: unit_cents(claim, book, line.key_letter, day) for line in lines}
    billed = {line.key: _billed(claim, book, line, units[line.key]) for line in lines}
    if None in units.values() or None in billed.values():
        return
    coded = [Coded(line, act_price(units[line.key], line.coefficient)) for line in lines]
    expected = rates(claim.profession, coded, around(claim, book, entries))
    if not any(one.rule == "GEN-04" for one in expected):
        return
    due = {
        one.line.key: act_price(units[one.line.key], one.line.coefficient, 1, one.rate)
        for one in expected
    }
    difference = sum(due.values()) - sum(billed.values())
    if abs(difference) <= len(lines):
        return
    for one in expected:
        line, more = one.line, due[one.line.key] - billed[one.line.key]
        if abs(more) > 1 and (more > 0) == (difference > 0):
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(day)} : {one.why or 'plein tarif.'} {euros(billed[line.key])} facturés, "
                f"{euros(due[line.key])} dus si ces soins sont d'un même passage.",
                _at_rate(line, one.rate, more),
                ADVICE,
            )


def _billed(claim: Claim, book: Book, line: Line, unit: int | None) -> int | None:
    """What is billed for the act itself, surcharge out; ``None`` when that is not known."""
    if line.amount is None:
        return None if unit is None else act_price(unit, line.coefficient)
    extra = surcharges(claim, book, line)
    return line.amount - extra[0] if extra and len(extra) == 1 else None


def _at_rate(line: Line, rate: int, more: int) -> Proposal:
    if not rate:
        return remove(line)
    return Proposal(
        "replace",
        f"{name(line)} à {rate} %",
        line.key,
        act=line.act.code if line.act else "",
        key_letter=line.key_letter,
        coefficient=line.coefficient,
        factor=rate,
        gain=more,
    )


# --- one line, one act


def coefficients(book: Book) -> dict[str, tuple[frozenset[int], frozenset[int]]]:
    """By key letter: the coefficients of the catalogue, and the sums of two, at full or half rate."""
    known = book.memo.get("coefficients")
    if known is None:
        found: dict[str, set[int]] = {}
        for act in book.acts.values():
            found.setdefault(act.key_letter, set()).add(act.coefficient)
        known = {}
        for letter, values in found.items():
            sums = {a + b for a in values for b in values} | {
                a + b // 2 for a in values for b in values
            }
            halves = {value // 2 for value in values}
            renewed = {(value * limit("ORT-02-taux") + 50) // 100 for value in values}
            known[letter] = (frozenset(values | halves | renewed), frozenset(sums))
        book.memo["coefficients"] = known
    return known


@rule("GEN-05")
def coefficients_are_not_added_up(claim: Claim, book: Book) -> Iterator[Hit]:
    """A coefficient that no act has and that is the sum of two."""
    start = limit_day("GEN-05-catalogue")
    for line in acts(claim):
        if line.act is not None or line.day < start or line.key_letter not in coefficients(book):
            continue
        own, sums = coefficients(book)[line.key_letter]
        if line.coefficient not in own and line.coefficient in sums:
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)} : aucun acte n'a ce coefficient, il semble "
                "additionner deux actes. Écrivez une ligne par acte.",
                severity=soften(claim, WARNING),
            )


# --- two practitioners


@rule("GEN-06")
def one_practitioner_of_a_trade_per_session(claim: Claim, book: Book) -> Iterator[Hit]:
    """Two practitioners of one trade with the same patient at the same hour."""
    index = book.memo.get("same_hour")
    if index is None:
        index = book.memo["same_hour"] = {}
        for other in (*book.history, *book.claims):
            for line in other.lines:
                if line.minute is not None:
                    key = (other.patient, other.profession, line.day, line.minute)
                    index.setdefault(key, set()).add(other.practitioner)
    told = set()
    for line in acts(claim):
        key = (claim.patient, claim.profession, line.day, line.minute)
        if line.minute is None or key in told or len(index.get(key, ())) < 2:
            continue
        told.add(key)
        yield Hit(
            line.key,
            f"Le {say_day(line.day)} à {clock(line.minute)}, un autre praticien de la même profession "
            "facture ce patient. Une seule des deux séances est due.",
        )


# --- travel


@rule("GEN-07")
def distance_only_on_the_way_to_a_patient(claim: Claim, book: Book) -> Iterator[Hit]:
    """Travel billed for care at the practice, or kilometres without the lump sum they come with.

    Distance and abatement are applied when the session is priced; a claim no longer holds them.
    """
    for entries in book.sessions(claim):
        travel = [entry for entry in entries if is_travel(entry.claim, entry.line)]
        if not travel:
            continue
        at_office = any(
            entry.line.place == "office"
            for entry in entries
            if not is_travel(entry.claim, entry.line)
        )
        lump = any(kind(entry.claim, entry.line) == "travel" for entry in travel)
        for entry in travel:
            if entry.claim is not claim:
                continue
            if at_office:
                yield Hit(
                    entry.line.key,
                    f"{entry.line.key_letter} du {say_day(entry.line.day)} : soin fait au cabinet, "
                    "aucun déplacement n'est dû.",
                    remove(entry.line),
                )
            elif not lump and kind(claim, entry.line) == "distance":
                yield Hit(
                    entry.line.key,
                    f"{entry.line.key_letter} du {say_day(entry.line.day)} sans indemnité forfaitaire de "
                    "déplacement dans la séance : vérifiez le déplacement.",
                    severity=ADVICE,
                )


def borne_by_another(claim: Claim, book: Book, line: Line) -> bool:
    """Whether another patient of the address bears travel of that kind already on that trip."""
    trip = trip_of(claim, book, line, (kind(claim, line),))
    return bool(trip) and trip[0].claim.patient != claim.patient


@rule("GEN-09")
def one_travel_per_trip_to_an_establishment(claim: Claim, book: Book) -> Iterator[Hit]:
    """One lump sum and one distance per trip to an establishment, however many patients."""
    for line in claim.lines:
        if line.place != "facility" or not is_travel(claim, line):
            continue
        if borne_by_another(claim, book, line):
            yield Hit(
                line.key,
                f"{line.key_letter} du {say_day(line.day)} : le déplacement dans cet établissement est déjà "
                "facturé pour un autre patient de ce passage.",
                remove(line),
            )


@rule("GEN-10", "infirmier")
def one_distance_per_address(claim: Claim, book: Book) -> Iterator[Hit]:
    """One distance for the patients of one address on one trip; the lump sum at home is INF-16's."""
    for line in claim.lines:
        if line.place != "home" or kind(claim, line) != "distance":
            continue
        if borne_by_another(claim, book, line):
            yield Hit(
                line.key,
                f"{line.key_letter} du {say_day(line.day)} : un autre patient de cette adresse les porte déjà "
                "pour ce passage.",
                remove(line),
            )


# --- night, Sunday, holidays


def _mentions(line: Line, book: Book) -> frozenset[str] | None:
    """Mentions of the prescription, ``None`` where it is not known."""
    prescription = book.prescription(line)
    return None if prescription is None else prescription.mentions


def _without_surcharge(line: Line) -> Proposal:
    return Proposal("complement", f"Retirer la majoration {line.complement}", line.key, value="")


@rule("GEN-11")
def surcharge_at_its_hours(claim: Claim, book: Book) -> Iterator[Hit]:
    """Night between 20 and 8, call between 19 and 7 unless ordered at night; F on a Sunday or holiday."""
    for line in claim.lines:
        if line.complement == "F":
            problem, severity = _no_holiday(claim, line)
        elif line.complement == "N":
            problem, severity = _no_night(line, book), None
        else:
            continue
        if problem:
            yield Hit(
                line.key,
                f"{name(line)} {line.complement} : {problem}",
                _without_surcharge(line),
                severity,
            )


def _no_holiday(claim: Claim, line: Line) -> tuple[str, Severity | None]:
    """A holiday of Alsace-Moselle or of a territory may be one where the practitioner works: only advice."""
    if is_sunday_or_holiday(line.day, claim.zone):
        return "", None
    if any(is_holiday(line.day, place) for place in country_subdivisions() if place):
        if claim.is_billed:
            return "", None
        return f"le {say_day(line.day)} n'est férié que dans certains territoires.", ADVICE
    return f"le {say_day(line.day)} n'est ni un dimanche ni un jour férié.", None


def _no_night(line: Line, book: Book) -> str:
    start, end = limit("GEN-11-nuit-debut"), limit("GEN-11-nuit-fin")
    called_from, called_to = limit("GEN-11-appel-debut"), limit("GEN-11-appel-fin")
    if line.minute is not None and not is_night(line.minute):
        return f"soin à {clock(line.minute)}, hors de la nuit ({clock(start)} à {clock(end)})."
    if (
        line.called_minute is not None
        and "night" not in (_mentions(line, book) or ())
        and not is_night_call(line.called_minute)
    ):
        return f"appel à {clock(line.called_minute)}, hors de {clock(called_from)} à {clock(called_to)}."
    return ""


def _repeated_without_order(claim: Claim, book: Book) -> Iterator[Hit]:
    """A surcharge on an act repeated on other days, and a prescription that does not say so."""
    timeline = book.timeline(claim)
    days = timeline.memo.get("days_of_act")
    if days is None:
        days = timeline.memo["days_of_act"] = {}
        for entry in timeline:
            if entry.line.act is not None:
                key = (family(entry.line.act), entry.line.prescription)
                days.setdefault(key, set()).add(entry.line.day)
    for line in claim.lines:
        if not line.complement or line.act is None or line.is_emergency:
            continue
        mentions = _mentions(line, book)
        repeated = len(days.get((family(line.act), line.prescription), ())) > 1
        needed = {"N": {"night"}, "F": {"daily"}}.get(line.complement, {"night", "daily"})
        if mentions is not None and repeated and needed.isdisjoint(mentions):
            words = "une exécution de nuit" if line.complement == "N" else "un soin quotidien"
            yield Hit(
                line.key,
                f"{name(line)} {line.complement} du {say_day(line.day)} : acte répété, l'ordonnance ne dit pas "
                f"qu'{words} est nécessaire.",
                _without_surcharge(line),
            )


@rule("GEN-12", "infirmier", "kinesitherapeute")
def surcharge_is_ordered(claim: Claim, book: Book) -> Iterator[Hit]:
    """A repeated surcharge needs the word of the prescriber; an ordered one that is missing is proposed."""
    yield from _repeated_without_order(claim, book)
    if claim.profession == "kinesitherapeute":  # of nurses INF-40 speaks
        yield from _ordered_and_missing(claim, book)


def _ordered_and_missing(claim: Claim, book: Book) -> Iterator[Hit]:
    """Daily care ordered, done on a Sunday or holiday, no surcharge in the session."""
    for entries in book.sessions(claim):
        cared = [
            entry.line
            for entry in entries
            if entry.claim is claim and entry.line.has("reeducation") and entry.line.factor != 0
        ]
        if not cared or any(entry.line.complement for entry in entries):
            continue
        line = max(cared, key=lambda one: one.coefficient)
        if "daily" not in (_mentions(line, book) or ()):
            continue
        if is_sunday_or_holiday(line.day, claim.zone):
            cents = unit_cents(claim, book, "F", line.day)
            yield Hit(
                line.key,
                f"{name(line)} du {say_day(line.day)}, dimanche ou jour férié, soins quotidiens prescrits : la "
                "majoration F est due.",
                Proposal("complement", "Ajouter la majoration F", line.key, value="F", gain=cents),
                ADVICE,
            )


@rule("GEN-13", "infirmier")
def one_surcharge_per_session(claim: Claim, book: Book) -> Iterator[Hit]:
    """Night and Sunday do not add up, and a session bears one surcharge; passages of imported claims are not known."""
    if claim.is_billed:
        return
    for entries in book.sessions(claim):
        surcharged = [entry for entry in entries if entry.line.complement]
        for entry in surcharged[1:]:
            if entry.claim is claim:
                yield Hit(
                    entry.line.key,
                    f"{name(entry.line)} du {say_day(entry.line.day)} : la séance porte déjà la majoration "
                    f"{surcharged[0].line.complement}. Gardez la plus favorable seule.",
                    _without_surcharge(entry.line),
                )


# --- value of the day


def surcharges(claim: Claim, book: Book, line: Line) -> list[int] | None:
    """What the complement may be worth, ``None`` when that is not known."""
    if not line.complement:
        return [0]
    letters = {"N": ("N", "NN"), "F": ("F",)}.get(line.complement, ())
    found = [
        cents
        for letter in letters
        if letter_of(claim, letter)
        and (cents := unit_cents(claim, book, letter, line.day)) is not None
    ]
    return found or None


def factors(claim: Claim, line: Line) -> tuple[int, ...]:
    """Percentages at which the line may be billed; whether that one is right is GEN-04's and ORT-02's."""
    if line.factor is not None and not claim.is_billed:
        return (line.factor,)
    return (100, 50, limit("ORT-02-taux")) if claim.profession == "orthophoniste" else (100, 50)


def prices(claim: Claim, line: Line, unit: int, extra: list[int]) -> list[int]:
    return [
        act_price(unit, line.coefficient, line.quantity, factor) + more
        for factor in factors(claim, line)
        for more in extra
    ]


@rule("GEN-14")
def value_of_the_day(claim: Claim, book: Book) -> Iterator[Hit]:
    """The amount is that of the values in force on the day of care; silent where a value is not known."""
    for line in claim.lines:
        if line.act is not None:
            problem = _period_problem(line)
            if problem:
                yield Hit(line.key, f"{name(line)} du {say_day(line.day)} : {problem}")
                continue
        if line.amount is None or kind(claim, line) == "distance":
            continue
        letter = letter_of(claim, line.key_letter)
        filed = letter.tariff_letter if letter else line.key_letter
        try:
            value = book.tariff.value(filed, claim.zone, line.day)
        except UnknownValue:
            continue
        extra = surcharges(claim, book, line)
        if extra is None:
            continue
        right = prices(claim, line, value.cents, extra)
        if any(abs(line.amount - price) <= line.quantity for price in right):
            continue  # a cent per act: halves are rounded in more than one way
        yield from _wrong_amount(claim, book, line, filed, value, right, extra)


def _period_problem(line: Line) -> str:
    if line.has("non_confirme"):
        return (
            "coefficient annoncé dont l'application n'est pas confirmée : vérifiez avant d'envoyer."
        )
    if line.act.start is not None and line.day < line.act.start:
        return f"ce coefficient ne vaut qu'à partir du {say_day(line.act.start)}."
    if line.act.end is not None and line.day >= line.act.end:
        return f"ce coefficient ne vaut plus depuis le {say_day(line.act.end)}."
    return ""


def _wrong_amount(claim, book, line, filed, value, right, extra) -> Iterator[Hit]:
    """What to say of an amount that is none of the right ones."""
    expected = max(right)
    period = ""
    neighbours = [value.start - timedelta(days=1)] + ([value.end] if value.end else [])
    for day in neighbours:
        try:
            other = book.tariff.value(filed, claim.zone, day)
        except UnknownValue:
            continue
        others = prices(claim, line, other.cents, extra)
        if line.amount in others:
            expected = right[others.index(line.amount)]
            period = (
                f"valeur d'avant le {say_day(value.start)}"
                if other.start < value.start
                else f"valeur d'après le {say_day(value.end)}"
            )
            break
    if not period and line.amount < expected and len(right) > 1:
        return  # neither full nor reduced, and no other period: nothing certain
    difference = expected - line.amount
    text = (
        f"{name(line)} du {say_day(line.day)} : {euros(line.amount)} facturés, {euros(expected)} au tarif "
        f"du jour{f' ({period})' if period else ''}. "
    )
    text += (
        f"Il manque {euros(difference)}." if difference > 0 else "La caisse refusera le surplus."
    )
    yield Hit(
        line.key,
        text,
        Proposal(
            "replace",
            f"{euros(line.amount)} → {euros(expected)}",
            line.key,
            act=line.act.code if line.act else "",
            key_letter=line.key_letter,
            coefficient=line.coefficient,
            factor=line.factor,
            gain=difference,
        ),
        ADVICE if difference > 0 else None,
    )


# --- overruns


@rule("GEN-15")
def overrun_only_on_demand(claim: Claim, book: Book) -> Iterator[Hit]:
    """An overrun needs the qualifier DE and a reason, and none is due from a patient under C2S or AME."""
    over = [line for line in claim.lines if line.overrun > 0]
    flags = book.patient(claim).flags & {"c2s", "ame"}
    if not over and claim.overrun_total > 0 and flags:
        yield Hit(None, f"Dépassement de {euros(claim.overrun_total)} : {_no_overrun(flags)}")
    for line in over:
        what = f"Dépassement de {euros(line.overrun)} le {say_day(line.day)} : "
        if flags:
            yield Hit(
                line.key,
                what + _no_overrun(flags),
                severity=ADVICE if line.overrun_qualifier == "DE" and line.reason else None,
            )
        elif line.overrun_qualifier != "DE":
            yield Hit(
                line.key,
                what
                + "le qualifiant DE manque. Ajoutez-le avec le motif, ou retirez le dépassement.",
                severity=soften(claim) if not line.overrun_qualifier else None,
            )
        elif not line.reason and not claim.is_billed:
            yield Hit(
                line.key,
                what + "notez l'exigence du patient (heure, lieu) qui le justifie.",
                severity=ADVICE,
            )


def _no_overrun(flags: frozenset[str]) -> str:
    whose = "de la C2S" if "c2s" in flags else "de l'AME"
    return f"interdit, le patient bénéficie {whose}. Retirez-le."


# --- duplicates


def same_act(line: Line) -> tuple:
    return (line.key_letter, line.coefficient, line.passage, line.act.code if line.act else None)


@rule("GEN-16")
def same_act_twice(claim: Claim, book: Book) -> Iterator[Hit]:
    """The same act, day and passage on two claims, or twice on one; the first keeps its place."""
    for day in {line.day for line in claim.lines}:
        for earlier, later in _repeats(of_day(claim, book, day)):
            if later.claim is not claim or later.line.has("deux_par_jour", "palliatif"):
                continue
            where = "sur une autre facture" if earlier.claim is not claim else "sur cette facture"
            yield Hit(
                later.line.key,
                f"{name(later.line)} du {say_day(day)} est déjà {where} pour le même passage : "
                "doublon probable.",
                remove(later.line),
            )


def _repeats(entries: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    first: dict[tuple, Entry] = {}
    for entry in entries:
        key = same_act(entry.line)
        if key not in first:
            first[key] = entry
        elif not _is_second_of_session(first[key], entry):
            yield first[key], entry


def _is_second_of_session(one: Entry, other: Entry) -> bool:
    """On one claim: two wounds at two rates, two lines of kilometres; when imported, two visits of the day."""
    return one.claim is other.claim and (
        one.claim.is_billed
        or one.line.factor != other.line.factor
        or one.line.amount != other.line.amount
    )


# --- stays


@rule("GEN-17")
def another_pays_during_a_stay(claim: Claim, book: Book) -> Iterator[Hit]:
    """Care during a stay is paid by the establishment; a nursing service (SSIAD) pays nurses only."""
    told = set()
    for line in acts(claim):
        for stay in book.patient(claim).stays:
            if not stay.covers(line.day) or (line.day, stay.kind) in told:
                continue
            if stay.kind == "ssiad" and claim.profession != "infirmier":
                continue
            told.add((line.day, stay.kind))
            first_day = " (jour d'entrée : dû si fait avant)" if line.day == stay.start else ""
            yield Hit(
                line.key,
                f"Le {say_day(line.day)}, le patient est {STAYS.get(stay.kind, 'en établissement')}"
                f"{first_day} : facturez la structure, pas la caisse.",
            )


STAYS = {
    "hospital": "hospitalisé",
    "had": "en hospitalisation à domicile",
    "ssiad": "pris en charge par un SSIAD",
    "ehpad_global": "en EHPAD à tarif global",
}
