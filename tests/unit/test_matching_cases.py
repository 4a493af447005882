"""Every case that payers and banks make, one by one: what is decided, what is left, and what is said of it."""

import random
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "health_noemie"))

from matching import Credit, OpenShare, Settled, Settlement, match
from matching.solve import SMALL, Solver, _by_hand, _groups

DAY = date(2026, 3, 16)
CPAM = ("cpam131", ("CPAM 131 MARSEILLE", "CPAM BOUCHES DU RHONE"))
MUTUELLE = ("amc1", ("MUTUELLE DU SUD",))
NAMED = "VIR SEPA CPAM 131 MARSEILLE"
REF = "262520005600"


def settlement(number, cents, ref="", payer=CPAM, day=0, **values):
    labels = (payer[1][0], f"VIR {ref}" if ref else "REMBOURSEMENT SOINS")
    return Settlement(
        number, "nurse", payer[0], payer[1], DAY + timedelta(days=day), labels, cents, **values
    )


def credit(number, cents, label=NAMED, day=1, **values):
    return Credit(number, "nurse", DAY + timedelta(days=day), cents, label, **values)


def share(number, cents, *references, payer=MUTUELLE, kind="amc", day=-10, names=None):
    return OpenShare(
        number,
        "nurse",
        payer[0] if kind != "patient" else f"patient {number}",
        payer[1] if names is None else names,
        references,
        cents,
        DAY + timedelta(days=day),
        kind,
    )


def told(result):
    return [(d.rule, d.credit_ids, d.settlement_ids or d.share_ids) for d in result.decisions]


def left(result, number):
    return next(u for u in result.unmatched_credits if u.id == number)


# -- the number on the label -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        (f"{NAMED} {REF}", "reference"),
        (f"{NAMED} 2625 2000 5600", "reference"),
        (f"{NAMED} 2625-2000.5600", "reference"),
        (f"{NAMED} 000000136012345 {REF} 0316", "reference"),
        (f"{NAMED} {REF}{REF}", "reference"),
        (f"{NAMED} 26252OOO56OO", "garbled"),  # letters for digits
        (f"{NAMED} TP26252OOO56OO", "garbled"),
        (f"{NAMED} 26252000560O", "garbled"),
        (f"{NAMED} 26520005600", "garbled"),  # a digit dropped
        (f"{NAMED} 2625200005600", "garbled"),  # one too many
        (f"{NAMED} 265220005600", "garbled"),  # two swapped
        (f"{NAMED} 292520005600", "garbled"),  # one changed, not among the last
        (f"{NAMED} 520005600", "garbled"),  # the beginning is missing
        ("VIR SEPA CPAM 131 MARSEIL", "payer"),  # the name is cut by the end of the label
        ("VIR SEPA CPAM131MARSEILLE", "payer"),
        (f"{NAMED} 2625200", "garbled"),  # cut by the end of the label
    ],
)
def test_the_number_in_every_state(label, rule):
    result = match(
        [settlement(1, 12345, REF), settlement(2, 999, "262590119900")], [credit(7, 12345, label)]
    )
    assert told(result) == [(rule, (7,), (1,))]
    assert "123,45 €" in result.decisions[0].evidence


def test_evidence_of_a_garbled_number_shows_both():
    result = match([settlement(1, 12345, REF)], [credit(7, 12345, f"{NAMED} 26520005600")])
    assert "26520005600" in result.decisions[0].evidence and REF in result.decisions[0].evidence


@pytest.mark.parametrize(
    "number",
    [
        "262520005601",  # maybe the next transfer
        "262520005700",
        "262530005601",  # the next day's
        "262520991234",
        "26253119",  # the beginning of another day's
    ],
)
def test_another_transfers_number_is_not_taken_for_a_slip(number):
    """The file of that other transfer may still be missing, and amounts repeat."""
    result = match([settlement(1, 12345, REF)], [credit(7, 12345, f"{NAMED} {number}")])
    assert not result.decisions
    assert 1 in left(result, 7).candidate_ids


def test_a_slip_goes_to_the_settlement_it_is_closest_to():
    two = [settlement(1, 500, "262520005600"), settlement(2, 500, "262559990000")]
    result = match(two, [credit(7, 500, f"{NAMED} 26559990000"), credit(8, 500)])
    assert told(result) == [("garbled", (7,), (2,)), ("payer", (8,), (1,))]


def test_a_reading_covers_all_that_the_label_quotes():
    two = [
        settlement(1, 500, "262520005600"),
        settlement(2, 700, "262559990000"),
        settlement(3, 300),
    ]
    result = match(two, [credit(7, 800, f"{NAMED} 262520005600 262559990000")])
    assert not result.decisions


def test_numbers_that_a_bank_prints_on_every_label_say_nothing_against():
    announced = [settlement(n, 1000 + n, f"26252{n}00{n}5600"[:12], day=n) for n in range(1, 5)]
    received = [
        credit(n, 1000 + n, f"{NAMED} {f'26252{n}00{n}5600'[:12]} OP 77{n}1{n}3", day=n)
        for n in (1, 2, 3)
    ]
    received.append(credit(4, 1004, f"{NAMED} OP 774149", day=5))
    assert ("payer", (4,), (4,)) in told(match(announced, received))


def test_a_name_inside_a_longer_one_is_not_meant():
    result = match(
        [settlement(1, 500, payer=MUTUELLE)],
        [credit(7, 500, "VIR MUTUELLE DU SUD EST")],
        ["Mutuelle du Sud-Est"],
    )
    assert not result.decisions


# -- sums and pieces -------------------------------------------------------------------------------


def test_one_settlement_in_several_credits():
    result = match(
        [settlement(1, 10000, REF)],
        [
            credit(7, 6000, f"{NAMED} {REF}"),
            credit(8, 2500, f"{NAMED} {REF}", day=2),
            credit(9, 1500, f"{NAMED} {REF}", day=3),
        ],
    )
    assert told(result) == [("split", (7, 8, 9), (1,))]
    assert "60,00 € + 25,00 € + 15,00 €" in result.decisions[0].evidence


def test_pieces_of_which_one_quotes_nothing_and_pieces_without_any_number():
    one = match(
        [settlement(1, 10000, REF)], [credit(7, 6000, f"{NAMED} {REF}"), credit(8, 4000, day=2)]
    )
    assert told(one) == [("split", (7, 8), (1,))]
    none = match([settlement(1, 10000)], [credit(7, 6000), credit(8, 4000, day=2)])
    assert told(none) == [("split", (7, 8), (1,))]
    far = match([settlement(1, 10000)], [credit(7, 6000), credit(8, 4000, day=7)])
    assert not far.decisions


def test_pieces_with_a_second_reading_wait():
    result = match(
        [settlement(1, 10000)], [credit(7, 6000), credit(8, 4000), credit(9, 4000, day=2)]
    )
    assert not result.decisions
    candidates = left(result, 7).candidates
    assert {c.credit_ids for c in candidates if not c.gap_cents} == {(8,), (9,)}


def test_amc_with_the_amo_or_apart():
    together = match(
        [settlement(1, 7000, REF), settlement(2, 3000, "9912345678", MUTUELLE)],
        [credit(7, 7000, f"{NAMED} {REF}"), credit(8, 3000, "VIR MUTUELLE DU SUD 9912345678")],
    )
    assert told(together) == [("reference", (7,), (1,)), ("reference", (8,), (2,))]


def test_an_unannounced_lump_sum_is_proposed_with_the_difference():
    result = match([settlement(1, 12345, REF)], [credit(7, 47345, f"{NAMED} {REF}")])
    assert not result.decisions
    first = left(result, 7).candidates[0]
    assert (first.settlement_ids, first.gap_cents) == ((1,), 35000)
    assert any("350,00 € de plus" in sentence for sentence in first.against)


def test_an_announced_retention_that_was_not_taken_is_named():
    result = match(
        [settlement(1, 10000, REF, retained_cents=1500)], [credit(7, 11500, f"{NAMED} {REF}")]
    )
    assert any("retenue annoncée" in sentence for sentence in left(result, 7).candidates[0].against)


def test_equal_amounts_in_the_only_possible_order():
    """Each credit may be either transfer, but only one order explains both within the usual days."""
    two = [settlement(1, 500), settlement(2, 500, day=5)]
    result = match(two, [credit(7, 500, day=1), credit(8, 500, day=6)])
    assert told(result) == [("payer", (7,), (1,)), ("payer", (8,), (2,))]
    assert "seul ordre" in result.decisions[0].evidence
    assert "Écarté" in result.decisions[1].runner_up
    # with one of the two missing, nothing is certain any more; nor when one may be the other, late
    assert not match(two, [credit(8, 500, day=6)]).decisions
    assert not match(two[:1], [credit(7, 500, day=1), credit(8, 500, day=7)]).decisions
    two = [settlement(1, 500), settlement(2, 500, day=9)]
    assert not match(two, [credit(7, 500, day=1), credit(8, 500, day=10)]).decisions


def test_a_stronger_reading_frees_the_weaker_one():
    three = [settlement(1, 500, REF), settlement(2, 500), settlement(3, 500, payer=MUTUELLE)]
    result = match(
        three,
        [credit(7, 500, f"{NAMED} {REF}"), credit(8, 500), credit(9, 500, "VIR MUTUELLE DU SUD")],
    )
    assert [d.rule for d in result.decisions] == ["reference", "payer", "payer"]
    assert result.decisions[1].settlement_ids == (2,)


# -- without any return ----------------------------------------------------------------------------


def test_an_insurer_without_return_that_cites_the_fse():
    shares = [
        share(11, 800, "000012345"),
        share(12, 450, "000012346"),
        share(13, 2000, "000012345", payer=CPAM, kind="amo"),
    ]
    result = match([], [credit(7, 1250, "VIR MUTUELLE DU SUD FSE 12345 FSE 000012346")], (), shares)
    assert told(result) == [("unannounced", (7,), (11, 12))]
    assert "8,00 € + 4,50 €" in result.decisions[0].evidence


def test_an_insurer_without_return_that_cites_the_lot():
    shares = [
        share(11, 800, "000012345", "LOT 012"),
        share(12, 450, "000012346", "LOT 012"),
        share(13, 700, "000012347", "LOT 013"),
    ]
    result = match([], [credit(7, 1250, "VIR MUTUELLE DU SUD LOT 12")], (), shares)
    assert told(result) == [("unannounced", (7,), (11, 12))]


def test_an_insurer_without_return_nor_number_is_a_candidate():
    shares = [share(11, 800, "000012345"), share(12, 450, "000012346")]
    result = match([], [credit(7, 800, "VIR MUTUELLE DU SUD")], (), shares)
    assert not result.decisions
    assert left(result, 7).candidates[0].share_ids == (11,)
    assert "sans" in left(result, 7).reason or "confirmez" in left(result, 7).reason


def test_all_that_an_insurer_owes_decides_once_no_return_can_come():
    shares = [share(11, 800, "000012345"), share(12, 450, "000012346")]
    paid = credit(7, 1250, "VIR MUTUELLE DU SUD")
    assert not match([], [paid], (), shares).decisions
    later = credit(8, 99, "VIR AUTRE", day=45)
    assert told(match([], [paid, later], (), shares)) == [("unannounced", (7,), (11, 12))]


def test_a_share_that_may_have_been_paid_contests_a_settlement_without_number():
    result = match(
        [settlement(1, 800, payer=MUTUELLE)],
        [credit(7, 800, "VIR MUTUELLE DU SUD")],
        (),
        [share(11, 800, "000012345")],
    )
    assert not result.decisions
    assert left(result, 7).candidates[0].settlement_ids == (1,)


def test_a_late_return_finds_the_credit_that_was_booked_without_it():
    known = Settled(5, "nurse", DAY, 1250, "VIR MUTUELLE DU SUD", announced=False)
    result = match([settlement(1, 1250, payer=MUTUELLE)], [], (), (), [known])
    only = result.unmatched_settlements[0]
    assert only.candidate_ids == (5,) and "reçu avant ce retour" in only.reason


# -- patients --------------------------------------------------------------------------------------


def test_a_patient_pays_two_fse_at_once_and_a_slip_meets_another_patient():
    shares = [
        share(11, 1520, "000012345", kind="patient", names=("DURAND Anne",)),
        share(12, 800, "000012346", kind="patient", names=("DURAND Anne",)),
        share(13, 1520, "000012399", kind="patient", names=("MARTIN Luc",)),
    ]
    both = match([], [credit(7, 2320, "VIR MME DURAND FSE 12345 12346")], (), shares)
    assert told(both) == [("patient", (7,), (11, 12))]
    slip = match([], [credit(7, 1520, "VIR MME DURAND FSE 12399")], (), shares)
    assert not slip.decisions
    assert "un autre nom" in left(slip, 7).reason


# -- the bank itself -------------------------------------------------------------------------------


def test_a_line_imported_from_two_statements_is_matched_once():
    twice = [
        credit(7, 500, f"{NAMED} {REF}", source="A"),
        credit(8, 500, f"{NAMED.lower()}  {REF}", source="B"),
    ]
    result = match([settlement(1, 500, REF)], twice)
    assert told(result) == [("reference", (7,), (1,))]
    assert [(d.credit_id, d.of_credit_id) for d in result.duplicates] == [(8, 7)]
    assert "importé deux fois" in result.duplicates[0].evidence


def test_two_equal_lines_of_one_statement_are_two_movements():
    lines = [
        credit(n, 500, source=source)
        for n, source in ((1, "A"), (2, "A"), (3, "B"), (4, "B"), (5, "B"))
    ]
    result = match([], lines)
    assert len(result.duplicates) == 2 and len(result.unmatched_credits) == 3


def test_a_line_that_is_explained_already_comes_again():
    known = Settled(5, "nurse", DAY, 500, f"{NAMED} {REF}", source="A", references=(REF,))
    result = match(
        [settlement(1, 500)], [credit(7, 500, f"{NAMED} {REF}", day=0, source="B")], (), (), [known]
    )
    assert not result.decisions
    assert (result.duplicates[0].credit_id, result.duplicates[0].of_credit_id) == (7, 5)


def test_a_number_received_already_is_not_received_again():
    known = Settled(5, "nurse", DAY, 500, f"{NAMED} {REF}", source="A", references=(REF,))
    result = match(
        [settlement(1, 500)], [credit(7, 500, f"{NAMED} {REF}", source="B")], (), (), [known]
    )
    assert not result.decisions


def test_the_payees_number_was_never_received():
    """Payers print the billing number on every label: it is on what was received, too."""
    own = "000000996000014"
    known = Settled(5, "nurse", DAY, 900, f"{NAMED} {own} {REF}", references=(own, REF))
    cut = f"{NAMED} {own} 2618044 0629"
    transfer = settlement(1, 500, "261804400123", ignored=("996000014",))
    result = match([transfer], [credit(7, 500, cut)], (), (), [known])
    assert told(result) == [("garbled", (7,), (1,))]


def test_the_rest_of_a_transfer_that_came_in_part():
    """Its number was received already, and still waits: the label quotes it whole, or only begins it."""
    known = Settled(5, "nurse", DAY, 900, f"{NAMED} {REF}", references=(REF,))
    rest = settlement(1, 500, REF)
    result = match([rest], [credit(7, 500, f"{NAMED} {REF}")], (), (), [known])
    assert told(result) == [("reference", (7,), (1,))]
    pieces = [credit(7, 200, f"{NAMED} {REF}"), credit(8, 300, f"{NAMED} {REF}", day=2)]
    assert told(match([rest], pieces, (), (), [known])) == [("split", (7, 8), (1,))]
    # another amount is no rest
    assert not match([rest], [credit(7, 501, f"{NAMED} {REF}")], (), (), [known]).decisions


def test_what_comes_before_it_is_announced_waits_for_other_returns():
    early = [credit(7, 500, day=-2)]
    assert not match([settlement(1, 500)], early).decisions
    known = Settled(5, "nurse", DAY + timedelta(days=20), 900, NAMED, references=(REF,))
    result = match([settlement(1, 500)], early, (), (), [known])
    assert told(result) == [("payer", (7,), (1,))]


def test_the_beginning_of_a_number_says_that_there_is_one():
    transfer = settlement(1, 500, "TP2607838787")
    waiting = match([transfer], [credit(7, 500, f"{NAMED} TP2607 TIERS PAYANT")])
    assert not waiting.decisions
    assert "peut encore venir" in left(waiting, 7).reason
    assert match([transfer], [credit(7, 500, f"{NAMED} TIERS PAYANT")]).decisions


def test_a_cut_number_and_a_day_make_no_faulty_number():
    twins = [settlement(1, 500, "261731480727"), settlement(2, 500, "261731480728")]
    result = match(twins, [credit(7, 500, f"{NAMED} 261731480 0727")])
    assert not result.decisions


def test_the_debit_takes_back_the_credit_of_its_very_number():
    known = [
        Settled(5, "nurse", DAY, 500, "VIR TP2607196260", references=("2607196260",)),
        Settled(6, "nurse", DAY, 500, "VIR TP26071962", references=("2607196261",)),
    ]
    result = match([], [credit(8, -500, "ANNULATION VIR TP26071962", day=4)], (), (), known)
    assert [(r.debit_id, r.credit_id) for r in result.reversals] == [(8, 6)]


def test_a_credit_taken_back_pays_nothing_and_its_repeat_does():
    result = match(
        [settlement(1, 500, REF)],
        [
            credit(7, 500, f"{NAMED} {REF}"),
            credit(8, -500, f"REJET {NAMED} {REF}", day=3),
            credit(9, 500, f"{NAMED} {REF}", day=6),
        ],
    )
    assert told(result) == [("reference", (9,), (1,))]
    assert [(r.debit_id, r.credit_id) for r in result.reversals] == [(8, 7)]
    assert REF in result.reversals[0].evidence


def test_a_credit_explained_already_is_taken_back():
    known = Settled(5, "nurse", DAY, 500, f"{NAMED} {REF}", references=(REF,))
    result = match([], [credit(8, -500, f"ANNULATION VIREMENT {REF}", day=4)], (), (), [known])
    assert [(r.debit_id, r.credit_id) for r in result.reversals] == [(8, 5)]


def test_which_of_two_credits_is_taken_back_is_a_persons_choice():
    result = match(
        [settlement(1, 500), settlement(2, 500, payer=MUTUELLE)],
        [
            credit(7, 500),
            credit(8, 500, "VIR MUTUELLE DU SUD"),
            credit(9, -500, "ANNULATION VIREMENT", day=3),
        ],
    )
    assert not result.decisions and not result.reversals
    assert {i for c in left(result, 9).candidates for i in c.credit_ids} == {7, 8}


def test_an_ordinary_debit_takes_nothing_back():
    result = match(
        [settlement(1, 500)], [credit(7, 500), credit(8, -500, "PRLV LOYER CABINET", day=2)]
    )
    assert told(result) == [("payer", (7,), (1,))] and not result.reversals


def test_a_negative_transfer_is_a_debit_of_the_bank():
    result = match([settlement(1, -500, REF)], [credit(7, -500, f"VIR {REF}")])
    assert told(result) == [("negative", (7,), (1,))]
    named = match([settlement(1, -500)], [credit(7, -500)])
    assert told(named) == [("negative", (7,), (1,))]
    assert "reprend 5,00 €" in named.decisions[0].evidence


def test_late_early_and_out_of_order():
    late = match([settlement(1, 500, REF)], [credit(7, 500, f"VIR {REF}", day=55)])
    assert told(late) == [("reference", (7,), (1,))]
    early = match([settlement(1, 500, REF)], [credit(7, 500, f"VIR {REF}", day=-8)])
    assert told(early) == [("reference", (7,), (1,))]
    assert not match([settlement(1, 500, REF)], [credit(7, 500, f"VIR {REF}", day=90)]).decisions


# -- the solver ------------------------------------------------------------------------------------


class Thing:
    def __init__(self, key, weight, *items):
        self.key, self.weight, self.items = key, weight, items


def test_by_hand_and_by_highs_agree():
    draw = random.Random(4)
    for _world in range(40):
        things = [
            Thing(
                (n,),
                draw.choice((1000, 700, 8000)),
                ("c", draw.randrange(6)),
                ("s", draw.randrange(6)),
            )
            for n in range(14)
        ]
        weights, groups = [t.weight for t in things], _groups(things)
        for without in (None, 3):
            by_hand = _by_hand(weights, groups, without)[0]
            assert by_hand == Solver._by_highs(weights, groups, without)[0]


def test_a_large_component_is_solved_exactly_and_a_huge_one_left():
    """Ten credits for ten settlements in a chain: one order only explains all of them."""
    chain = [Thing((n, n), 1000, ("c", n), ("s", n)) for n in range(12)]
    chain += [Thing((n, n + 1), 600, ("c", n + 1), ("s", n)) for n in range(11)]
    assert len(chain) > SMALL
    solver = Solver()
    sure, best = solver.sure(chain)
    assert [t.key for t in best] == [(n, n) for n in range(12)]
    assert solver.highs_calls and not solver.given_up
    huge = [Thing((n, m), 1000, ("c", n), ("s", m)) for n in range(40) for m in range(40)]
    assert solver.sure(huge) == ([], []) and solver.given_up == 1


def test_many_equal_amounts_without_number_stay_open():
    """A component that no reference splits goes to HiGHS, and proves that nothing is sure."""
    announced = [settlement(n, 500, day=n % 3) for n in range(6)]
    solver = Solver()
    result = match(announced, [credit(n, 500, day=1 + n % 3) for n in range(6)], solver=solver)
    assert not result.decisions and solver.highs_calls
    assert all(len(u.candidates) >= 2 for u in result.unmatched_credits)


def test_a_wrong_settlement_id_twice_is_refused():
    with pytest.raises(ValueError, match="share"):
        match([], [], (), [share(1, 5, "000012345"), replace(share(1, 6, "000012346"))])
