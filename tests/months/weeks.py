"""A month as it comes: what is known at the end of each week, and a matcher that is asked every week."""

from collections import Counter
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
