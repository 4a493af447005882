"""What holds for any combination of acts: pricing never raises, sums are exact, the order never matters."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from test_ngap_vignettes import catalogue, key_letters, tariff, to_claim_lines

from ngap import Book, Claim, Line, Patient, Session, Severity, control, price_day, price_session
from ngap.cumulation import EXCLUSIONS
from ngap.rules.rates import PROFESSIONS, WITH_MORE, differences
from ngap.tariff import act_price
from ngap.travel import billable_distance

DAY = date(2026, 10, 5)
SUNDAY = date(2026, 10, 4)
BY_PROFESSION: dict[str, list] = {}
for _act in sorted(catalogue().values(), key=lambda act: act.code):
    BY_PROFESSION.setdefault(_act.profession, []).append(_act)
#: what pricing adds by itself stands in the catalogue of nurses too
ADDED = [act for act in BY_PROFESSION["infirmier"] if act.tags & {"majoration", "deplacement"}]
NURSE_ACTS = [
    act for act in BY_PROFESSION["infirmier"] if "ais" not in act.tags and act not in ADDED
]
#: rules of rates, supplements, travel and surcharges; those with quotas too are looked at by their differences
PRICE_RULES = (set(PROFESSIONS) - WITH_MORE) | {
    *("GEN-14", "INF-09", "INF-13", "INF-14", "INF-15", "INF-16", "INF-17", "INF-18", "INF-40"),
}
EXCLUDING = {
    tag for exclusion in EXCLUSIONS["infirmier"] for tag in (*exclusion.one, *exclusion.other)
}


def line(act, rank, quantity=1, day=DAY):
    return Line(f"l{rank}", act.key_letter, act.coefficient, day, act=act, quantity=quantity)


def session(acts, key="s", **values):
    patient = values.pop("patient", Patient("A", date(1950, 5, 1), home="A"))
    profession = values.pop("profession", acts[0].profession if acts else "infirmier")
    day = values.pop("day", DAY)
    lines = tuple(line(act, f"{key}{rank}", day=day) for rank, act in enumerate(acts))
    return Session(key, "P", profession, "metropole", patient, day, lines, **values)


def price(one):
    return price_session(one, tariff(), catalogue(), key_letters())


def billed(priced):
    """The lines as a biller compares them, whatever their order and keys."""
    return Counter(
        (
            one.line.key_letter,
            one.line.coefficient,
            one.line.act.code if one.line.act else "",
            one.line.quantity,
            one.line.factor,
            one.line.complement,
            one.amount,
        )
        for one in priced.lines
    )


def is_care(session, priced_line):
    letter = key_letters().get((session.profession, priced_line.line.key_letter))
    return letter is None or letter.kind == "act"


def is_added(line):
    return line.act in ADDED


def care_total(priced):
    """What the acts pay, without travel, supplements and surcharges."""
    return sum(one.amount - one.surcharge for one in priced.lines if is_care(priced.session, one))


nurse_acts = st.lists(st.sampled_from(NURSE_ACTS), max_size=6)
circumstances = st.fixed_dictionaries(
    {
        "place": st.sampled_from(["home", "office", "facility"]),
        "minute": st.none() | st.integers(0, 1439),
        "called_minute": st.none() | st.integers(0, 1439),
        "distance": st.integers(0, 8_000),
        "same_town": st.booleans(),
        "terrain": st.sampled_from(["plain", "mountain", "foot"]),
        "mentions": st.frozensets(st.sampled_from(["night", "daily", "home"])),
        "is_emergency": st.booleans(),
        "day": st.sampled_from([DAY, SUNDAY, date(2026, 6, 20), date(2026, 11, 6)]),
    }
)


@st.composite
def any_session(draw):
    profession = draw(st.sampled_from(sorted(BY_PROFESSION)))
    acts = draw(st.lists(st.sampled_from(BY_PROFESSION[profession]), min_size=1, max_size=6))
    one = session(acts, profession=profession, **draw(circumstances))
    quantities = draw(st.lists(st.integers(1, 3), min_size=len(acts), max_size=len(acts)))
    lines = [replace(x, quantity=n) for x, n in zip(one.acts, quantities, strict=True)]
    zone = draw(st.sampled_from(["metropole", "dom", "mayotte"]))
    return replace(one, acts=tuple(lines), zone=zone)


@settings(max_examples=400)
@given(any_session())
def test_pricing_never_raises_and_sums_are_exact(one):
    priced = price(one)
    assert priced.total == sum(x.amount for x in priced.lines)
    for x in priced.lines:
        assert isinstance(x.amount, int) and x.amount >= 0
        assert x.line.amount == x.amount
        assert x.amount - x.surcharge == act_price(
            x.unit, x.line.coefficient, x.line.quantity, x.line.factor
        )
        assert x.why or x.line.factor == 100
    care = {x.key: x.quantity for x in one.acts if not is_added(x)}
    kept = [x.line.quantity for x in priced.lines if is_care(one, x)]
    assert sum(kept) == sum(care.values())  # no act is lost, none is made up
    for x in one.acts:
        if is_added(x):
            (shown,) = [y for y in priced.lines if y.line.key == x.key]
            assert (shown.amount, shown.line.factor, shown.line.quantity) == (0, 0, x.quantity)


@given(any_session(), st.lists(st.sampled_from(ADDED), min_size=1, max_size=3))
def test_travel_and_supplements_entered_as_acts_change_nothing(one, entered):
    """They are worked out: entering them neither doubles them nor makes them due, nor takes an act's rank."""
    one = replace(one, profession="infirmier", acts=tuple(x for x in one.acts if not is_added(x)))
    if not one.acts or one.acts[0].act.profession != "infirmier":
        return
    more = tuple(line(act, f"+{rank}", day=one.day) for rank, act in enumerate(entered))
    priced = price(replace(one, acts=(*one.acts, *more)))
    shown = billed(replace(priced, lines=tuple(x for x in priced.lines if x.line.factor)))
    alone = price(one)
    assert shown == billed(replace(alone, lines=tuple(x for x in alone.lines if x.line.factor)))


@given(st.lists(any_session(), min_size=1, max_size=4))
def test_pricing_a_day_twice_gives_the_same(sessions):
    sessions = [replace(one, key=f"s{rank}") for rank, one in enumerate(sessions)]
    args = (tariff(), catalogue(), key_letters())
    once = price_day(sessions, *args)
    assert price_day(sessions, *args) == once
    again = [replace(one.session, acts=entered_again(one)) for one in once]
    assert [one.total for one in price_day(again, *args)] == [one.total for one in once]


def entered_again(priced):
    """The acts as a program keeps them: billed with their rates, and what was added left out."""
    return tuple(
        replace(x.line, key=x.line.key or f"{priced.session.key}/{rank}")
        for rank, x in enumerate(priced.lines)
        if is_care(priced.session, x)
    )


@given(any_session())
def test_a_price_says_where_it_is_not_certain(one):
    """Every line of a doubtful value has a finding that names its letter; one without value blocks."""
    priced = price(one)
    said = " ".join(finding.message for finding in priced.findings)
    for x in priced.lines:
        if x.grade == "C" and x.line.factor:
            assert x.line.key_letter in said or x.line.complement
            assert x.unit or any(f.severity == Severity.BLOCKING for f in priced.findings)


@given(any_session())
def test_never_more_than_the_full_price_of_all_lines(one):
    priced = price(one)
    for x in priced.lines:
        assert x.amount - x.surcharge <= act_price(x.unit, x.line.coefficient, x.line.quantity)
    assert sum(1 for x in priced.lines if x.line.complement) <= 1


def test_no_acts_cost_nothing():
    for profession in BY_PROFESSION:
        one = session([], profession=profession, place="home", distance=2_000, same_town=False)
        assert price(one).lines == ()


@given(any_session(), st.randoms())
def test_order_of_entry_does_not_matter(one, random):
    shuffled = list(one.acts)
    random.shuffle(shuffled)
    assert billed(price(one)) == billed(price(replace(one, acts=tuple(shuffled))))


@given(nurse_acts, st.sampled_from(NURSE_ACTS), st.sampled_from(["home", "office"]))
def test_one_more_act_never_pays_less_care(acts, more, place):
    """Packages and acts that exclude others apart: there the text itself takes something away."""
    if any(act.tags & (EXCLUDING | {"bsi_forfait"}) for act in (*acts, more)):
        acts = [act for act in acts if not act.tags & (EXCLUDING | {"bsi_forfait"})]
        if more.tags & (EXCLUDING | {"bsi_forfait"}):
            return
    before = care_total(price(session(acts, profession="infirmier", place=place)))
    after = care_total(price(session([*acts, more], profession="infirmier", place=place)))
    assert after >= before


rounds = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9_000), st.integers(360, 1260)),
    min_size=1,
    max_size=12,
)


def nurse_round(visits):
    insulin = catalogue()["INF-AMI1-10"]
    return [
        session(
            [insulin],
            key=f"s{rank}",
            patient=Patient(f"P{home}", date(1950, 1, 1), home=f"H{home}"),
            place="home",
            distance=distance,
            same_town=False,
            minute=minute,
            passage=rank + 1,
        )
        for rank, (home, distance, minute) in enumerate(visits)
    ]


def distances(priced):
    """Kilometres of a day at each rate."""
    result = Counter()
    for one in priced:
        for x in one.lines:
            if x.line.key_letter == "IK":
                result[x.line.factor] += x.line.coefficient
    return +result


@given(rounds, st.randoms())
def test_order_of_the_round_does_not_change_its_distance(visits, random):
    sessions = nurse_round(visits)
    shuffled = sessions[:]
    random.shuffle(shuffled)
    args = (tariff(), catalogue(), key_letters())
    one, other = price_day(sessions, *args), price_day(shuffled, *args)
    assert distances(one) == distances(other)
    assert sum(x.total for x in one) == sum(x.total for x in other)


@given(rounds, st.integers(360, 1260))
def test_morning_and_afternoon_priced_apart_have_the_distance_of_the_day(visits, noon):
    sessions = nurse_round(
        [(rank, distance, minute) for rank, (_home, distance, minute) in enumerate(visits)]
    )
    args = (tariff(), catalogue(), key_letters())
    morning = [one for one in sessions if one.minute < noon]
    afternoon = [one for one in sessions if one.minute >= noon]
    done = sum(map(billable_distance, morning))
    apart = price_day(morning, *args) + price_day(afternoon, *args, distance_before=done)
    assert distances(apart) == distances(price_day(sessions, *args))
    assert sum(distances(apart).values()) == sum(map(billable_distance, sessions))


def all_lines(priced):
    """The lines of the session with those that are not billed, as a program may keep them."""
    return tuple(
        replace(one.line, key=one.line.key or f"{priced.session.key}/+{rank}")
        for rank, one in enumerate(priced.lines)
    )


def book_of(priced_sessions, lines_of=to_claim_lines, **values):
    claims = [
        Claim(
            f"c {one.session.key}",
            "P",
            one.session.profession,
            one.session.zone,
            one.session.patient.key,
            lines_of(one),
        )
        for one in priced_sessions
    ]
    patients = {one.session.patient.key: one.session.patient for one in priced_sessions}
    return Book(claims, tariff(), patients=patients, acts=catalogue(), **values)


@settings(max_examples=300)
@given(nurse_acts.filter(bool), circumstances)
def test_control_of_what_was_priced_finds_nothing_about_prices(acts, around):
    valid = [
        act
        for act in acts
        if (not act.start or act.start <= around["day"])
        and (not act.end or around["day"] < act.end)
    ]
    if not valid:
        return
    priced = price(session(valid, **around))
    book = book_of([priced])
    findings = [one for found in control(book).values() for one in found]
    assert not [one for one in findings if one.rule in PRICE_RULES]
    assert not [one for claim in book.claims for one in differences(claim, book)]


@given(nurse_acts.filter(bool))
def test_lines_that_are_not_billed_change_nothing_for_control(acts):
    priced = [price(session(acts, place="home"))]
    assert control(book_of(priced)) == control(book_of(priced, lines_of=all_lines))


@given(st.lists(nurse_acts.filter(bool), min_size=2, max_size=5), st.randoms())
def test_control_does_not_depend_on_the_order_of_claims(sessions, random):
    priced = price_day(
        [
            session(
                acts,
                key=f"s{rank}",
                passage=rank % 2 + 1,
                place="home",
                minute=480 if rank % 2 else None,
            )
            for rank, acts in enumerate(sessions)
        ],
        tariff(),
        catalogue(),
        key_letters(),
    )
    shuffled = priced[:]
    random.shuffle(shuffled)
    assert control(book_of(priced)) == control(book_of(shuffled))


OTHERS = {
    profession: [act for act in acts if "non_confirme" not in act.tags]
    for profession, acts in BY_PROFESSION.items()
    if profession != "infirmier"
}


@st.composite
def session_of_another_trade(draw):
    acts = draw(
        st.lists(st.sampled_from(OTHERS[draw(st.sampled_from(sorted(OTHERS)))]), min_size=1)
    )
    return session(acts[:4], **draw(circumstances))


@given(session_of_another_trade())
def test_control_of_what_was_priced_for_other_trades_blocks_no_price(one):
    valid = [
        x
        for x in one.acts
        if (not x.act.start or x.act.start <= one.day) and (not x.act.end or one.day < x.act.end)
    ]
    if not valid:
        return
    book = book_of([price(replace(one, acts=tuple(valid)))])
    prices = {"GEN-04", "GEN-07", "GEN-09", "GEN-14", "MK-10", "ORT-02", "ORT-07"}
    findings = [one for found in control(book).values() for one in found]
    assert not [one for one in findings if one.rule in prices and one.severity > Severity.ADVICE]


homes = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["INF-BSA1-01", "INF-AMI1-10", "INF-DI2,5-01", "INF-AMI4-02"]),
        st.integers(360, 1260),
        st.integers(0, 9_000),
    ),
    min_size=2,
    max_size=6,
)


@given(homes, st.sampled_from(["home", "facility"]))
def test_control_of_a_round_that_was_priced_objects_to_no_travel(visits, place):
    """Patients of few addresses, some dependent, morning and evening: one travel per trip, and control agrees."""
    passages = Counter()
    sessions = []
    for rank, (home, code, minute, distance) in enumerate(sorted(visits, key=lambda v: v[2])):
        patient = Patient(f"P{rank % 3}/{home}", date(1950, 1, 1), home=f"H{home}")
        passages[patient.key] += 1
        sessions.append(
            session(
                [catalogue()[code]],
                key=f"s{rank}",
                patient=patient,
                place=place,
                minute=minute,
                distance=distance,
                same_town=False,
                passage=passages[patient.key],
            )
        )
    priced = price_day(sessions, tariff(), catalogue(), key_letters())
    travel = {"GEN-07", "GEN-09", "GEN-10", "INF-16", "INF-17", "INF-18"}
    findings = [one for found in control(book_of(priced)).values() for one in found]
    assert not [one for one in findings if one.rule in travel]


#: rules that count: what was done before can only add to the count
QUOTAS = (
    *("INF-04", "INF-06", "INF-12", "INF-19", "INF-24", "INF-25", "INF-26", "INF-30", "INF-32"),
    *("INF-34", "INF-38", "INF-39", "MK-09", "MK-11", "ORT-03", "ORT-06", "OPT-02", "OPT-04"),
)
COUNTED = sorted(
    code
    for code, act in catalogue().items()
    if act.tags
    & {
        *("analgesie", "postoperatoire", "bsi", "perfusion_longue", "seance_hebdo_diabete"),
        *("surveillance_post_hospitalisation", "autosondage", "surveillance_traitement"),
        *("accompagnement_medicament", "telesoin_pansement", "etui_penien", "irrigation_colique"),
        *("dialyse", "desencombrement", "mucoviscidose", "bpco", "serie_50", "serie_100"),
        *("bilan_deux_par_an", "bilan_accord", "depistage"),
    }
)
days_before = st.lists(st.integers(0, 400), max_size=30)


@given(st.sampled_from(COUNTED), days_before, days_before, st.integers(1, 3))
def test_more_history_never_takes_a_passed_quota_away(code, known, more, times):
    act = catalogue()[code]

    def passed(days):
        history = [
            claim_of(act, f"h{rank}", DAY - timedelta(days=n)) for rank, n in enumerate(days)
        ]
        claim = claim_of(act, "c", DAY, times)
        book = Book([claim], tariff(), history=history, acts=catalogue())
        return {f.rule for f in control(book)["c"] if f.rule in QUOTAS and f.severity > 1}

    assert passed(known) <= passed(known + more)


def claim_of(act, key, day, times=1):
    lines = tuple(
        replace(line(act, f"{key}{rank}", day=day), passage=rank + 1, factor=100)
        for rank in range(times)
    )
    return Claim(key, "P", act.profession, "metropole", "A", lines)


def imported(priced_sessions):
    """The day as a journal of another program brings it: letters, coefficients, days and amounts, no more."""
    names = Counter(
        (act.profession, act.key_letter, act.coefficient) for act in catalogue().values()
    )
    lines = []
    for one in priced_sessions:
        for x in one.lines:
            if x.line.factor == 0:
                continue
            known = names[one.session.profession, x.line.key_letter, x.line.coefficient] == 1
            lines.append(
                Line(
                    f"j{len(lines)}",
                    x.line.key_letter,
                    x.line.coefficient,
                    x.line.day,
                    act=x.line.act if known else None,
                    quantity=x.line.quantity,
                    complement=x.line.complement,
                    amount=x.amount,
                )
            )
    first = priced_sessions[0].session
    claim = Claim(
        "j", "P", first.profession, first.zone, first.patient.key, tuple(lines), is_billed=True
    )
    return Book([claim], tariff(), patients={first.patient.key: first.patient}, acts=catalogue())


#: rules about prices, supplements and travel, which pricing decided
SETTLED = PRICE_RULES | {
    *("GEN-04", "GEN-05", "GEN-07", "GEN-09", "GEN-10", "GEN-11", "GEN-12", "GEN-13"),
    *("MK-10", "ORT-02", "ORT-07"),
}


@given(st.lists(any_session(), min_size=1, max_size=3))
def test_a_good_day_that_comes_back_in_a_journal_is_left_alone(sessions):
    """Two passages stand in one there: what was right must not be called wrong."""
    first = sessions[0]
    day = [
        replace(
            one,
            key=f"s{rank}",
            day=first.day,
            zone="metropole",
            profession=first.profession,
            passage=rank + 1,
            acts=tuple(
                replace(x, day=first.day, key=f"s{rank}/{x.key}")
                for x in one.acts
                if "non_confirme" not in x.act.tags
                and (not x.act.start or x.act.start <= first.day)
                and (not x.act.end or first.day < x.act.end)
            ),
        )
        for rank, one in enumerate(one for one in sessions if one.profession == first.profession)
    ]
    day = [one for one in day if one.acts]
    if not day:
        return
    priced = price_day(day, tariff(), catalogue(), key_letters())
    findings = control(imported(priced))["j"]
    assert not [f for f in findings if f.rule in SETTLED and f.severity > Severity.ADVICE]
