"""A proposal cures: applied, its finding is gone and nothing worse has come; for every rule that proposes."""

import inspect
from dataclasses import replace

import pytest
from test_ngap_vignettes import Story, _stories, book_of, catalogue, key_letters, price, tariff

from ngap import RULES, Book, Claim, Line, Proposal, control
from ngap.tariff import UnknownValue, act_price

#: how a rule may make a proposal, in the source of its function
MAKERS = ("Proposal(", "remove(", "swap_act(", "swap_letter(", "supplement(", "_proposal(")


def cents(claim: Claim, letter: str, line: Line) -> int | None:
    known = key_letters().get((claim.profession, letter))
    try:
        return (
            tariff().effective(known.tariff_letter if known else letter, claim.zone, line.day).cents
        )
    except UnknownValue:
        return None


def surcharge(claim: Claim, line: Line) -> int:
    """What the complement of the line is worth at its hour."""
    if not line.complement:
        return 0
    deep = line.minute is not None and (line.minute >= 1380 or line.minute < 300)
    has_deep = (claim.profession, "NN") in key_letters()
    letter = "NN" if line.complement == "N" and deep and has_deep else line.complement
    return cents(claim, letter, line) or 0


def valued(claim: Claim, line: Line) -> Line:
    """The line at the value of its day, as our own pricing bills it."""
    unit = cents(claim, line.key_letter, line)
    if unit is None:
        return replace(line, amount=None)
    factor = 100 if line.factor is None else line.factor
    amount = act_price(unit, line.coefficient, line.quantity, factor)
    return replace(line, amount=amount + surcharge(claim, line))


def applied(claim: Claim, proposal: Proposal) -> Claim:
    """The claim once the biller has taken the proposal."""
    changes = {}
    if proposal.act:
        changes["act"] = catalogue()[proposal.act]
    if proposal.key_letter:
        changes["key_letter"] = proposal.key_letter
        if not proposal.act:
            changes["act"] = None if proposal.kind == "add" else changes.get("act")
    if proposal.coefficient is not None:
        changes["coefficient"] = proposal.coefficient
    lines = []
    for line in claim.lines:
        if line.key != proposal.line:
            lines.append(line)
        elif proposal.kind == "complement":
            lines.append(valued(claim, replace(line, complement=proposal.value)))
        elif proposal.kind == "replace":
            factor = line.factor if proposal.factor is None else proposal.factor
            renewal = line.is_renewal or proposal.value == "renewal"
            changed = replace(line, factor=factor, is_renewal=renewal, **changes)
            lines.append(valued(claim, changed))
        elif proposal.kind == "add":
            more = replace(
                line, key=f"{line.key}+", quantity=1, factor=100, complement="", **changes
            )
            lines += [line, valued(claim, more)]
    return replace(claim, lines=tuple(lines))


def with_claim(book: Book, claim: Claim) -> Book:
    return Book(
        [claim if one.key == claim.key else one for one in book.claims],
        book.tariff,
        patients=book.patients,
        prescriptions=book.prescriptions,
        agreements=book.agreements,
        history=book.history,
        acts=book.acts,
        today=book.today,
    )


def cases():
    """Every finding with a proposal in every vignette."""
    for param in _stories():
        story = Story(param.values[0])
        book = book_of(story, price(story))
        for key, findings in control(book).items():
            for finding in findings:
                if finding.proposal:
                    yield pytest.param(
                        book, key, findings, finding, id=f"{finding.rule} {param.id}"
                    )


CASES = list(cases())


@pytest.mark.parametrize(("book", "key", "before", "finding"), CASES)
def test_a_proposal_cures(book, key, before, finding):
    claim = next(one for one in book.claims if one.key == key)
    after = control(with_claim(book, applied(claim, finding.proposal)))[key]
    known = {(one.rule, one.line) for one in before}
    assert (finding.rule, finding.line) not in {(one.rule, one.line) for one in after}
    assert not [
        f"{one.rule} {one.severity.name} {one.message}"
        for one in after
        if (one.rule, one.line) not in known and one.severity >= finding.severity
    ]


def test_every_rule_that_proposes_is_tried():
    proposing = {
        code
        for code, rule in RULES.items()
        if any(maker in inspect.getsource(rule.check) for maker in MAKERS)
    }
    assert proposing - {param.values[3].rule for param in CASES} == set()
