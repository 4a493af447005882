"""What the matcher takes and gives. All immutable, all hashable."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

RULE_REFERENCE = "reference"
RULE_GROUP = "group"
RULE_PAYER = "payer"
RULE_PATIENT = "patient"


@dataclass(frozen=True)
class Settlement:
    """One transfer announced by a payer to one payee (entity 071 of a NOEMIE return).

    :param payee: whose money it is; a credit of another payee is never looked at
    :param payer_key: identity of the paying body, equal for all its settlements
    :param payer_names: names under which the bank may show that body
    :param labels: transfer labels as the payer announced them
    :param expected_cents: amount that should reach the bank
    :param ignored: digit runs of the labels that say nothing of this very transfer (numbers of the
        payee or of the payer, the same every time)
    """

    id: int
    payee: Hashable
    payer_key: Hashable
    payer_names: tuple[str, ...]
    date: date
    labels: tuple[str, ...]
    expected_cents: int
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Credit:
    """One credit on the bank account of a payee.

    :param label: what the payer wrote, as the bank shows it
    :param reference: other numbers of the operation (end-to-end, bank's own): may quote a settlement,
        but say nothing against one
    """

    id: int
    payee: Hashable
    date: date
    amount_cents: int
    label: str
    counterparty: str = ""
    reference: str = ""

    @property
    def text(self) -> str:
        return f"{self.label} {self.counterparty}"

    @property
    def all_text(self) -> str:
        return f"{self.text} {self.reference}"


@dataclass(frozen=True)
class Due:
    """What a patient still owes on one share.

    :param references: numbers that name it without doubt (FSE number, invoice number)
    """

    id: int
    payee: Hashable
    references: tuple[str, ...]
    amount_cents: int


@dataclass(frozen=True)
class Decision:
    """Credits and settlements (or dues) that are one and the same money, and why.

    :param evidence: French sentence, what was seen
    :param runner_up: French sentence on the best reading set aside, empty if there was none
    """

    credit_ids: tuple[int, ...]
    settlement_ids: tuple[int, ...]
    rule: str
    evidence: str
    runner_up: str = ""


@dataclass(frozen=True)
class Unmatched:
    """What waits for a person: why, and what might have been meant."""

    id: int
    reason: str
    candidate_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """Decisions sorted by credit; what is left, sorted by id."""

    decisions: tuple[Decision, ...] = ()
    unmatched_credits: tuple[Unmatched, ...] = ()
    unmatched_settlements: tuple[Unmatched, ...] = ()
