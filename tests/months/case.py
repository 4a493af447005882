"""A month as plain values of the matcher, and the verdict on what it answers."""

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from . import world

PAYER_IDS = {payer.key: rank for rank, payer in enumerate(world.PAYERS, 1)}


def matching_model():
    """The module of the matcher's dataclasses, with Odoo or without."""
    if "odoo.addons.health_noemie" in sys.modules:
        from odoo.addons.health_noemie.matching import model
    else:
        path = str(Path(__file__).parents[2] / "addons" / "health_noemie")
        if path not in sys.path:
            sys.path.insert(0, path)
        from matching import model
    return model


@dataclass
class Truth:
    """What the matcher must find.

    :param links: (credit ids, settlement ids, share ids) that are one and the same money, by credit id. Credits
        of one movement told twice (another statement, other numbers) stand for one another.
    :param matchable: credits that a careful person with all the files could explain with certainty
    :param same: credit id → key shared by the credits that tell the same movement (or cannot be told apart)
    :param copies: key → how many real movements it has; more credits than that are duplicates
    :param reversals: debit id → id of the credit it undoes: that credit is explained by its debit, never by a
        settlement
    :param certain_reversals: those that a careful person sees
    :param cases: credit id → what is special about it, to read a failure
    """

    links: dict = field(default_factory=dict)
    matchable: set = field(default_factory=set)
    same: dict = field(default_factory=dict)
    copies: Counter = field(default_factory=Counter)
    reversals: dict = field(default_factory=dict)
    certain_reversals: set = field(default_factory=set)
    cases: dict = field(default_factory=dict)


@dataclass
class Verdict:
    wrong: list = field(default_factory=list)
    missed: list = field(default_factory=list)
    matchable: int = 0
    matched: int = 0
    decided: int = 0
    unexplained: list = field(default_factory=list)
    duplicates_missed: list = field(default_factory=list)
    reversals_missed: list = field(default_factory=list)

    def __iadd__(self, other):
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def rate(self):
        return self.matched / self.matchable if self.matchable else 1


def settlement_value(model, settlement):
    payer, provider = settlement.payer, settlement.provider
    return model.Settlement(
        id=settlement.id,
        payee=provider.rank,
        payer_key=PAYER_IDS[payer.key],
        payer_names=(payer.name, *payer.bank_names),
        date=settlement.day,
        labels=settlement.labels,
        expected_cents=settlement.amount,
        ignored=tuple(filter(None, (provider.provider_no, payer.org_no, payer.sender_no))),
    )


def matching_case(month):
    """(settlements, credits, shares, truth) of a month: `match(settlements, credits, month.payer_names(), shares)`."""
    model = matching_model()
    settlements = [
        settlement_value(model, s) for s in month.settlements if s.announced and s.amount
    ]
    truth, credits, ids = Truth(), [], defaultdict(list)
    extra = "source" in {f for f in model.Credit.__dataclass_fields__}
    for movement in month.movements:
        for rank, (statement, number) in enumerate(movement.statements):
            if movement.amount < 0 and not movement.payer:
                continue  # fees: never the matcher's business
            credit_id = movement.id * 10 + rank
            ids[movement].append(credit_id)
            credits.append(
                model.Credit(
                    id=credit_id,
                    payee=movement.provider.rank,
                    date=movement.day,
                    amount_cents=movement.amount,
                    label=movement.label,
                    counterparty=movement.counterparty,
                    reference=f"{number} {movement.end_to_end}",
                    **({"source": statement.name} if extra else {}),
                )
            )
    for movement, own in ids.items():
        key = (
            movement.provider.rank,
            movement.day,
            movement.amount,
            movement.label,
            movement.end_to_end,
        )
        truth.copies[key] += 1
        for credit_id in own:
            truth.same[credit_id] = key
            truth.cases[credit_id] = movement.case or movement.kind
        link = month.links.get(movement)
        if link:
            truth.links[own[0]] = (
                frozenset(ids[m][0] for m in link.movements),
                frozenset(s.id for s in link.settlements),
                frozenset(fse.share_id(part) for fse, part in link.shares),
            )
        if movement in month.matchable:
            truth.matchable.add(own[0])
        if movement.undoes:
            truth.reversals[own[0]] = ids[movement.undoes][0]
            if movement in month.seen_reversals:
                truth.certain_reversals.add(own[0])
    return settlements, credits, share_values(model, month.open_shares), truth


def share_values(model, shares):
    """Open shares as the matcher takes them; none as long as it has no `OpenShare`."""
    if not hasattr(model, "OpenShare"):
        return []
    values = []
    for fse, part in shares:
        patient = fse.patient
        payer = {"amo": patient.fund, "amc": patient.insurer, "patient": None}[part]
        names = (
            (payer.name, *payer.bank_names)
            if payer
            else (f"{patient.last_name} {patient.first_name}",)
        )
        values.append(
            model.OpenShare(
                id=fse.share_id(part),
                payee=fse.provider.rank,
                payer_key=PAYER_IDS[payer.key] if payer else f"patient {patient.nir}",
                payer_names=names,
                references=(fse.no, *([f"LOT {fse.lot_no}"] if fse.lot_no else [])),
                amount_cents=fse.total(part),
                date=fse.sent_on or fse.day,
                kind=part,
            )
        )
    return values


def assess(result, credits, truth):
    """Compare a `Result` with the truth: see `Verdict`."""
    verdict = Verdict()
    same = truth.same

    def shape(credit_ids, settlement_ids, share_ids):
        keys = tuple(sorted(Counter(same[i] for i in credit_ids).items(), key=str))
        return keys, frozenset(settlement_ids), frozenset(share_ids)

    expected = {}
    for credit_id, link in truth.links.items():
        expected.setdefault(shape(*link), set()).add(credit_id)
    decided, told = set(), set()
    for decision in result.decisions:
        verdict.decided += 1
        told |= set(decision.credit_ids)
        found = shape(
            decision.credit_ids, decision.settlement_ids, getattr(decision, "share_ids", ())
        )
        if found not in expected and not getattr(decision, "share_ids", ()):
            # the patient's shares were once told as settlements
            found = shape(decision.credit_ids, (), decision.settlement_ids)
        if found not in expected or found in decided:
            cases = {truth.cases[i] for i in decision.credit_ids}
            verdict.wrong.append((sorted(cases), decision))
            continue
        decided.add(found)
    for found, credit_ids in expected.items():
        wanted = credit_ids & truth.matchable
        if wanted:
            verdict.matchable += len(wanted)
            if found in decided:
                verdict.matched += len(wanted)
            else:
                verdict.missed += [(truth.cases[i], i) for i in wanted]
    _judge_rest(verdict, result, credits, truth, told)
    return verdict


def _judge_rest(verdict, result, credits, truth, told):
    duplicates = {d.credit_id: d.of_credit_id for d in getattr(result, "duplicates", ())}
    for one, other in duplicates.items():
        if truth.same[one] != truth.same[other]:
            verdict.wrong.append((["no duplicate"], (one, other)))
    reversals = {r.debit_id: r.credit_id for r in getattr(result, "reversals", ())}
    for debit, credit in reversals.items():
        wanted = {
            truth.same[c] for d, c in truth.reversals.items() if truth.same[d] == truth.same[debit]
        }
        if truth.same[credit] not in wanted:
            verdict.wrong.append((["no reversal"], (debit, credit)))
    seen = {truth.same[d] for d in reversals}
    verdict.reversals_missed += [d for d in truth.certain_reversals if truth.same[d] not in seen]
    told |= set(duplicates) | set(reversals) | set(reversals.values())
    told |= {left.id for left in result.unmatched_credits if left.reason}
    verdict.unexplained += [c.id for c in credits if c.id not in told]
    if hasattr(result, "duplicates"):
        for key, count in Counter(truth.same.values()).items():
            told_twice = sum(truth.same[d] == key for d in duplicates)
            if count - truth.copies[key] > told_twice:
                verdict.duplicates_missed.append(key)
