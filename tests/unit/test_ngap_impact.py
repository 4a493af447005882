"""Impact of a catalogue update on acts planned or not sent."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ngap.catalogue import Letter
from ngap.impact import Use, measure
from ngap.update import ActRow, Change, ValueRow, difference

JAN = date(2027, 1, 1)
OLD = {one.key: one for one in (ValueRow("AMI", "metropole", date(2026, 1, 1), 335),)}
NEW = {
    one.key: one
    for one in (
        ValueRow("AMI", "metropole", date(2026, 1, 1), 335, JAN),
        ValueRow("AMI", "metropole", JAN, 355),
    )
}
VALUES = difference(OLD, NEW)
COMMON = {
    "owner": "a",
    "profession": "infirmier",
    "zone": "metropole",
    "code": "INF-AMI4-01",
    "key_letter": "AMI",
    "coefficient": 400,
}


def use(day, quantity=1, **values):
    return Use.once(day, quantity=quantity, **(COMMON | values))


def test_only_acts_from_the_day_of_the_new_value_are_touched():
    impact = measure([use(JAN), use(JAN - timedelta(days=1))], [], VALUES, OLD, NEW, {})
    assert (impact.total.acts, impact.total.cents) == (1, 80)
    assert impact.changes["AMI", "metropole", JAN].acts == 1
    assert ("AMI", "metropole", date(2026, 1, 1)) not in impact.changes


def test_other_zone_letter_or_half_price():
    uses = [use(JAN, zone="dom"), use(JAN, key_letter="AMX"), use(JAN, factor=50, ref=7)]
    impact = measure(uses, [], VALUES, OLD, NEW, {})
    assert (impact.total.acts, impact.total.cents, impact.refs) == (1, 40, {7})


def test_letter_filed_under_another_name_is_found():
    old = {one.key: one for one in (ValueRow("IFD_kine", "metropole", date(2020, 1, 1), 250),)}
    new = {one.key: one for one in (ValueRow("IFD_kine", "metropole", date(2020, 1, 1), 400),)}
    letters = {
        ("kinesitherapeute", "IFD"): Letter("kinesitherapeute", "IFD", "IFD_kine", "travel", "")
    }
    travel = use(JAN, profession="kinesitherapeute", key_letter="IFD", coefficient=100)
    assert measure([travel], [], difference(old, new), old, new, letters).total.cents == 150


def test_act_that_ends_costs_its_price_or_the_difference_to_the_one_that_follows():
    old = ActRow("infirmier", "AMI", 400, "Pansement", "INF-AMI4-01")
    ended = Change("ended", old.code, old, ActRow(*old.identity, code=old.code, end=JAN))
    follows = ActRow("infirmier", "AMI", 410, "Pansement", "INF-AMI4,1-01", start=JAN)
    uses = [use(JAN), use(JAN - timedelta(days=1))]
    alone = measure(uses, [ended], [], OLD, OLD, {})
    assert (alone.total.acts, alone.total.cents) == (1, -1340)
    followed = measure(
        uses, [ended, Change("added", follows.code, None, follows)], [], OLD, OLD, {}
    )
    # 3,35 × 4,1 = 13,74 instead of 13,40
    assert (followed.total.acts, followed.total.cents) == (1, 34)


def test_value_that_was_unknown_counts_acts_but_no_euros():
    impact = measure([use(JAN, zone="dom")], [], difference({}, NEW), {}, NEW, {})
    assert impact.total.acts == 0, "no value of that zone is in the update"
    impact = measure([use(JAN)], [], difference({}, NEW), {}, NEW, {})
    assert (impact.total.acts, impact.total.cents) == (1, 0)


@given(
    st.dates(date(2026, 11, 1), date(2027, 2, 1)),
    st.integers(0, 120),
    st.frozensets(st.integers(0, 6)),
    st.integers(1, 3),
)
def test_recurring_use_is_the_sum_of_its_days(start, span, weekdays, quantity):
    days = [start + timedelta(days=n) for n in range(span)]
    single = [use(day, quantity, is_planned=True) for day in days if day.weekday() in weekdays]
    recurring = Use(
        start=start,
        end=start + timedelta(days=span),
        weekdays=weekdays,
        quantity=quantity,
        is_planned=True,
        **COMMON,
    )
    one = measure([recurring], [], VALUES, OLD, NEW, {}).total
    assert one == measure(single, [], VALUES, OLD, NEW, {}).total
    assert one.planned == one.acts


@given(st.lists(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=20))
def test_no_change_touches_nothing(days):
    assert measure([use(day) for day in days], [], [], OLD, OLD, {}).total.acts == 0
