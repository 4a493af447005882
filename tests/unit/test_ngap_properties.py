"""What holds for any combination of acts: pricing never raises, sums are exact, the order never matters."""

from collections import Counter
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from test_ngap_vignettes import catalogue, key_letters, tariff, to_claim_lines

from ngap import Book, Claim, Line, Patient, Session, control, price_day, price_session
from ngap.cumulation import EXCLUSIONS
from ngap.rules.rates import PROFESSIONS, WITH_MORE, differences
from ngap.tariff import act_price
from ngap.travel import billable_distance

DAY = date(2026, 10, 5)
SUNDAY = date(2026, 10, 4)
BY_PROFESSION: dict[str, list] = {}
for _act in sorted(catalogue().values(), key=lambda act: act.code):
    BY_PROFESSION.setdefault(_act.profession, []).append(_act)
NURSE_ACTS = [
    act for act in BY_PROFESSION["infirmier"] if not act.tags & {"majoration", "deplacement", "ais"}
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


def care_total(priced):
    """What the acts pay, without travel, supplements and surcharges."""
    return sum(
        one.amount - one.surcharge
        for one in priced.lines
        if (priced.session.profession, one.line.key_letter) not in key_letters()
    )


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
    done = Counter({x.key: x.quantity for x in one.acts})
    kept = Counter()
    for x in priced.lines:
        if (one.profession, x.line.key_letter) not in key_letters() or x.line.key:
            kept["all"] += x.line.quantity
    assert kept["all"] == sum(done.values())  # no act is lost, none is made up


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


def book_of(priced_sessions, **values):
    claims = [
        Claim(
            f"c {one.session.key}",
            "P",
            one.session.profession,
            one.session.zone,
            one.session.patient.key,
            to_claim_lines(one),
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
