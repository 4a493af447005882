"""A month as it comes: what is known at the end of each week, or at every file, and a matcher that is asked then."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from .case import Verdict, matching_case, matching_model, settlement_value, share_values


class Knowledge:
    """What files have told by a day."""

    def __init__(self, month, day):
        self.settlements = [
            s for s in month.settlements if s.announced and s.amount and s.file_day <= day
        ]
        self.movements = [
            m for m in month.movements if any(s.last < day for s, _number in m.statements)
        ]
        answered = {
            (a.fse, a.part)
            for s in month.settlements
            if s.announced and s.file_day <= day
            for a in s.answers
        }
        self.shares = [
            (fse, part)
            for fse in month.fses
            if not fse.broken and (fse.sent_on or fse.day) < day
            for part in ("amo", "amc", "patient")
            if fse.total(part) and (fse, part) not in answered
        ]


def sundays(month):
    day = month.size.first_day + timedelta(days=7)
    while day <= month.today:
        yield day
        day += timedelta(days=7)
    yield month.today + timedelta(days=30)


def play_weeks(month, match):
    """Ask the matcher every week with what is known by then; the verdict is on what stands at the end."""
    model = matching_model()
    month.arrivals()
    _settlements, credits, _shares, truth = matching_case(month)
    by_id = {credit.id: credit for credit in credits}
    statement_of = {
        m.id * 10 + rank: statement
        for m in month.movements
        for rank, (statement, _number) in enumerate(m.statements)
    }
    standing, closed = {}, set()  # credit id → decision; credits out of the game
    verdict, undone_pairs = Verdict(), set()
    for day in sundays(month):
        known = Knowledge(month, day)
        taken_settlements = {i for d in standing.values() for i in d.settlement_ids}
        taken_shares = {i for d in standing.values() for i in d.share_ids}
        open_credits = [
            c
            for c in credits
            if statement_of[c.id].last < day and c.id not in standing and c.id not in closed
        ]
        settled = [
            model.Settled(
                **{name: getattr(by_id[i], name) for name in model.Credit.__dataclass_fields__},
                references=tuple(
                    s.reference for s in month.settlements if s.id in decision.settlement_ids
                ),
                announced=bool(decision.settlement_ids),
            )
            for i, decision in standing.items()
        ]
        # what a reversal closed is explained too: its copy in the next statement is a duplicate
        settled += [by_id[i] for i in undone_pairs]
        result = match(
            [
                settlement_value(model, s)
                for s in known.settlements
                if s.id not in taken_settlements
            ],
            open_credits,
            month.payer_names(),
            [share for share in share_values(model, known.shares) if share.id not in taken_shares],
            settled,
        )
        for decision in result.decisions:
            standing.update(dict.fromkeys(decision.credit_ids, decision))
        for duplicate in result.duplicates:
            closed.add(duplicate.credit_id)
            if truth.same[duplicate.credit_id] != truth.same[duplicate.of_credit_id]:
                verdict.wrong.append(("no duplicate", duplicate))
        for reversal in result.reversals:
            undone = standing.get(reversal.credit_id)
            for credit_id in undone.credit_ids if undone else ():
                standing.pop(credit_id)
            closed |= {reversal.debit_id, reversal.credit_id}
            undone_pairs |= {reversal.debit_id, reversal.credit_id}
            wanted = {
                truth.same[c]
                for d, c in truth.reversals.items()
                if truth.same[d] == truth.same[reversal.debit_id]
            }
            if truth.same[reversal.credit_id] not in wanted:
                verdict.wrong.append(("no reversal", reversal))
    links = Counter(_shape(truth, *link) for link in set(truth.links.values()))
    for decision in set(standing.values()):
        verdict.decided += 1
        found = _shape(truth, decision.credit_ids, decision.settlement_ids, decision.share_ids)
        if links[found] < 1:
            cases = sorted({truth.cases[i] for i in decision.credit_ids})
            verdict.wrong.append((cases, decision))
        links[found] -= 1
    return verdict


def _shape(truth, credit_ids, settlement_ids, share_ids):
    keys = tuple(sorted(Counter(truth.same[i] for i in credit_ids).items(), key=str))
    return keys, frozenset(settlement_ids), frozenset(share_ids)


# -- as the product is asked: at every file -----------------------------------------------------------


def play_arrivals(month, match, by_hand=False):
    """Ask the matcher at every return and statement, as the product does, with what is explained as context.

    What is explained shows every number of its settlements' labels, the payee's own too. A settlement of which
    some credits came stays open for the rest.

    :param by_hand: a person books the first credit of a split transfer as soon as it quotes the whole number,
        so that the rest is to be found by the matcher
    :return: the verdict on what stands at the end; `missed` holds the reason given last
    """
    model = matching_model()
    month.arrivals()
    _settlements, credits, _shares, truth = matching_case(month)
    at_the_bank = {
        m.id * 10 + rank: (m, statement, number)
        for m in month.movements
        for rank, (statement, number) in enumerate(m.statements)
    }
    play = _Arrivals(month, model, truth, match, by_hand)
    events = {(s.file_day, 0, s.provider.rank) for s in month.settlements if s.announced}
    events |= {(s.last + timedelta(days=1), 1, s.provider.rank) for s in month.statements}
    events |= {(month.today, 2, provider.rank) for provider in month.practitioners}
    for day, kind, payee in sorted(events):
        known = [
            c
            for c in credits
            if c.payee == payee
            and (at_the_bank[c.id][1].last < day - timedelta(days=kind == 0) or kind == 2)
        ]
        play.ask(day, payee, _once(known, at_the_bank))
    return play.verdict()


def _once(credits, at_the_bank):
    """A movement that another statement brings with the same number is not recorded again."""
    seen, kept = set(), []
    for credit in credits:
        movement, _statement, number = at_the_bank[credit.id]
        if (movement, number) not in seen:
            kept.append(credit)
        seen.add((movement, number))
    return kept


class _Arrivals:
    def __init__(self, month, model, truth, match, by_hand):
        self.month, self.model, self.truth, self.match = month, model, truth, match
        self.by_hand = by_hand
        self.values = {
            s.id: settlement_value(model, s) for s in month.settlements if s.announced and s.amount
        }
        self.movements = {
            m.id * 10 + rank: m for m in month.movements for rank, _s in enumerate(m.statements)
        }
        self.standing, self.undone, self.twice, self.reasons = {}, {}, set(), {}
        self.found = Verdict()

    def left(self, settlement_id):
        """Cents of a settlement that no credit brought yet."""
        rest = self.values[settlement_id].expected_cents
        for decision in {id(d): d for d in self.standing.values()}.values():
            if settlement_id in decision.settlement_ids:
                if len(decision.settlement_ids) > 1:
                    return 0
                rest -= sum(self.amounts[i] for i in decision.credit_ids)
        return rest

    def ask(self, day, payee, credits):
        model, month = self.model, self.month
        self.amounts = getattr(self, "amounts", {}) | {c.id: c.amount_cents for c in credits}
        known = Knowledge(month, day)
        settlements = []
        for settlement in known.settlements:
            if settlement.provider.rank == payee and (left := self.left(settlement.id)):
                settlements.append(replace(self.values[settlement.id], expected_cents=left))
        taken = {i for d in self.standing.values() for i in d.share_ids}
        shares = [s for s in share_values(model, known.shares) if s.id not in taken]
        result = self.match(
            settlements,
            [
                c
                for c in credits
                if c.id not in self.standing and c.id not in self.twice and c.id not in self.undone
            ],
            month.payer_names(),
            [s for s in shares if s.payee == payee and s.kind != model.AMO],
            [self.settled(c) for c in credits if c.id in self.standing or c.id in self.undone],
        )
        self.take(result)
        if self.by_hand:
            self.book_first_pieces(credits, {s.id for s in settlements})

    def settled(self, credit):
        decision = self.standing.get(credit.id)
        numbers = {
            run
            for i in (decision.settlement_ids if decision else ())
            for label in self.values[i].labels
            for run in re.findall(r"\d{6,}", label)
        }
        return self.model.Settled(
            **vars(credit),
            references=tuple(sorted(numbers)),
            announced=bool(decision and decision.settlement_ids),
        )

    def take(self, result):
        same = self.truth.same
        self.reasons |= {left.id: left.reason for left in result.unmatched_credits}
        for decision in result.decisions:
            self.standing.update(dict.fromkeys(decision.credit_ids, decision))
        for duplicate in result.duplicates:
            # nothing is put away: a person decides, and the matcher says it again every time
            if same[duplicate.credit_id] != same[duplicate.of_credit_id]:
                self.found.wrong.append(("no duplicate", duplicate))
        for reversal in result.reversals:
            undone = self.standing.get(reversal.credit_id)
            for credit_id in undone.credit_ids if undone else ():
                self.standing.pop(credit_id)
            self.undone |= dict.fromkeys((reversal.debit_id, reversal.credit_id))
            wanted = {
                same[c]
                for d, c in self.truth.reversals.items()
                if same[d] == same[reversal.debit_id]
            }
            if same[reversal.credit_id] not in wanted:
                self.found.wrong.append(("no reversal", reversal))

    def book_first_pieces(self, credits, open_ids):
        for credit in credits:
            movement = self.movements[credit.id]
            if (
                credit.id not in self.standing
                and movement.pieces
                and movement is min(movement.pieces, key=lambda m: (m.day, m.id))
                and movement.settlements[0].id in open_ids
                and movement.printed == (movement.settlements[0].reference,)
                and not any(self.movements[i] is movement for i in self.standing)
                and movement in self.month.links
            ):
                self.standing[credit.id] = self.model.Decision(
                    (credit.id,), (movement.settlements[0].id,), "person", "à la main"
                )

    def verdict(self):
        """What stands: credits of one settlement decided one after the other count as one answer."""
        found, links = self.found, Counter()
        for link in set(self.truth.links.values()):
            links[_shape(self.truth, *link)] += 1
        right = set()
        for decision in {id(d): d for d in self.standing.values()}.values():
            if decision.rule == "person":
                continue
            found.decided += 1
            ids = set(decision.credit_ids)
            if len(decision.settlement_ids) == 1:
                ids |= {
                    i
                    for i, other in self.standing.items()
                    if other.settlement_ids == decision.settlement_ids
                }
            shape = _shape(self.truth, ids, decision.settlement_ids, decision.share_ids)
            if shape in links:
                right |= ids
            else:
                cases = sorted({self.truth.cases[i] for i in ids})
                found.wrong.append((cases, decision))
        told = Counter(self.movements[i] for i in right)
        found.wrong += [("twice", m.label) for m, count in told.items() if count > 1]
        for movement in self.month.matchable:
            if movement.amount < 0:
                continue
            found.matchable += 1
            if told[movement]:
                found.matched += 1
            else:
                own = [i for i, m in self.movements.items() if m is movement]
                if any(i in self.standing for i in own):
                    found.matched += 1
                    continue
                found.missed.append(
                    (movement.case, movement.label, *(self.reasons.get(i) for i in own))
                )
        return found
