"""What the matcher takes and gives. All immutable, all hashable."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

#: the label quotes the number of the announced transfer, whole
RULE_REFERENCE = "reference"
#: the label quotes it with a character changed, or cut by the length of the label
RULE_GARBLED = "garbled"
#: one credit for several announced transfers
RULE_GROUP = "group"
#: several credits for one announced transfer
RULE_SPLIT = "split"
#: payer, amount and days
RULE_PAYER = "payer"
#: a payer's credit without any return, against open shares
RULE_UNANNOUNCED = "unannounced"
#: a patient's own transfer
RULE_PATIENT = "patient"
#: a debit that takes a credit back (`Result.reversals`)
RULE_REVERSAL = "reversal"
#: a debit that a payer announced (negative transfer)
RULE_NEGATIVE = "negative"

#: kinds of `OpenShare`
AMO, AMC, PATIENT = "amo", "amc", "patient"


@dataclass(frozen=True)
class Settlement:
    """One transfer announced by a payer to one payee (entity 071 of a NOEMIE return).

    :param payee: whose money it is; a credit of another payee is never looked at
    :param payer_key: identity of the paying body, equal for all its settlements
    :param payer_names: names under which the bank may show that body
    :param labels: transfer labels as the payer announced them
    :param expected_cents: amount that should reach the bank, retentions and lump sums included;
        negative when the payer takes money back
    :param ignored: digit runs of the labels that say nothing of this very transfer (numbers of the
        payee or of the payer, the same every time)
    :param retained_cents: retentions that `expected_cents` leaves out already: only to explain a gap
    :param lump_cents: lump sums that `expected_cents` holds already: only to explain a gap
    """

    id: int
    payee: Hashable
    payer_key: Hashable
    payer_names: tuple[str, ...]
    date: date
    labels: tuple[str, ...]
    expected_cents: int
    ignored: tuple[str, ...] = ()
    retained_cents: int = 0
    lump_cents: int = 0


@dataclass(frozen=True)
class Credit:
    """One movement on the bank account of a payee; negative when it is a debit.

    :param label: what the payer wrote, as the bank shows it
    :param reference: other numbers of the operation (end-to-end, bank's own): may quote a settlement,
        but say nothing against one
    :param source: statement or file it came from: two sources may bring one movement twice, one
        source never does
    """

    id: int
    payee: Hashable
    date: date
    amount_cents: int
    label: str
    counterparty: str = ""
    reference: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        return f"{self.label} {self.counterparty}"

    @property
    def all_text(self) -> str:
        return f"{self.text} {self.reference}"


@dataclass(frozen=True)
class Settled(Credit):
    """A movement that is explained already: context for duplicates, reversals and late returns.

    :param references: numbers of what it paid (transfer numbers of its settlements)
    :param announced: whether settlements explain it; false when it was booked on shares alone, so
        that a return which comes later may be its own
    """

    references: tuple[str, ...] = ()
    announced: bool = True


@dataclass(frozen=True)
class OpenShare:
    """What a payer or a patient still owes on one FSE.

    :param payer_key: the same identity as in `Settlement.payer_key`
    :param payer_names: names under which the bank may show the payer (a patient's own names too)
    :param references: numbers that name it without doubt (FSE number, invoice number), and the lot
        it was sent in as `LOT 123`
    :param date: when it was sent (or the day of care); nothing is paid before
    :param kind: "amo", "amc" or "patient"
    """

    id: int
    payee: Hashable
    payer_key: Hashable
    payer_names: tuple[str, ...]
    references: tuple[str, ...]
    amount_cents: int
    date: "date | None" = None
    kind: str = AMC


@dataclass(frozen=True)
class Due:
    """What a patient still owes on one share (an `OpenShare` of a patient, in short).

    :param references: numbers that name it without doubt (FSE number, invoice number)
    """

    id: int
    payee: Hashable
    references: tuple[str, ...]
    amount_cents: int


@dataclass(frozen=True)
class Decision:
    """Movements and settlements (or shares) that are one and the same money, and why.

    :param evidence: French sentence, what was seen
    :param runner_up: French sentence on the best reading set aside, empty if there was none
    """

    credit_ids: tuple[int, ...]
    settlement_ids: tuple[int, ...]
    rule: str
    evidence: str
    runner_up: str = ""
    share_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One way to explain a movement, for a person to judge.

    :param credit_ids: for a settlement, the movements that may be it; for a movement, the others
        that belong to the same reading (one settlement in several credits)
    :param gap_cents: received minus announced (or owed); 0 when the amounts agree
    :param reasons: French, what speaks for it
    :param against: French, what speaks against it
    """

    settlement_ids: tuple[int, ...] = ()
    share_ids: tuple[int, ...] = ()
    credit_ids: tuple[int, ...] = ()
    gap_cents: int = 0
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unmatched:
    """What waits for a person: why, and what might have been meant, the likeliest first.

    :param what: "credit" or "settlement"
    """

    id: int
    reason: str
    candidates: tuple[Candidate, ...] = ()
    what: str = "credit"

    @property
    def candidate_ids(self) -> tuple[int, ...]:
        """Settlements that may explain the movement; of a settlement, the movements."""
        found = (
            candidate.settlement_ids if self.what == "credit" else candidate.credit_ids
            for candidate in self.candidates
        )
        return tuple(sorted({i for ids in found for i in ids}))


@dataclass(frozen=True)
class Duplicate:
    """A movement that another statement brought already; never matched."""

    credit_id: int
    of_credit_id: int
    evidence: str


@dataclass(frozen=True)
class Reversal:
    """A debit that takes back a credit (one of the input, or one explained already).

    Neither of the two explains anything: what the credit would have paid waits again.
    """

    debit_id: int
    credit_id: int
    evidence: str


@dataclass(frozen=True)
class Result:
    """Decisions sorted by movement; what is left, sorted by id.

    Every movement of the input is in exactly one of: a decision, `duplicates` (as `credit_id`),
    `reversals` (as either), `unmatched_credits`.
    """

    decisions: tuple[Decision, ...] = ()
    unmatched_credits: tuple[Unmatched, ...] = ()
    unmatched_settlements: tuple[Unmatched, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    reversals: tuple[Reversal, ...] = ()
