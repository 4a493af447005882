"""What payers, banks and mailboxes do: one probability per habit, and a few presets."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Habits:
    """Probabilities between 0 and 1; each is drawn once per thing it is about."""

    # -- the label of a transfer, as the bank shows it (weights)
    reference: tuple = (
        ("whole", 90),
        ("truncated", 2),
        ("garbled", 2),
        ("absent", 5),
        ("elsewhere", 1),  # only in the end-to-end number
    )
    unnamed: float = 0.0  # the label does not name the payer
    near_references: float = 0.1  # practitioners whose payers count their transfers one by one
    # -- transfers and settlements
    multi: float = 0.15  # a sending is paid by several transfers
    equal: float = 0.05  # two transfers of the same amount side by side
    grouped: float = 0.05  # two or three settlements in one credit
    first_only: float = 0.2  # … of which the label quotes the first only
    split: float = 0.02  # one settlement in two or three credits
    retention: float = 0.04
    hidden_retention: float = 0.0  # the bank receives less than the file says
    lump_sum: float = 0.03
    negative: float = 0.01  # the retention is larger than what is paid
    announced_only: float = 0.02  # announced, never received
    no_return: float = 0.02  # received, the file never comes
    quotes_fse: float = 0.5  # … and the label of an insurer quotes the FSE instead
    early_credit: float = 0.02
    late_credit: float = 0.02
    reversal: float = 0.01
    repaid: float = 0.5  # … and paid again afterwards
    # -- answers of the payers
    rejected: float = 0.04
    partial: float = 0.02
    deferred: float = 0.01
    paid_twice: float = 0.005
    silent: float = 0.02
    arl_refused: float = 0.02
    arl_missing: float = 0.02
    # -- patients and strangers
    patient_pays: float = 0.5
    patient_quotes: float = 0.8  # … with the number of the FSE
    patient_slips: float = 0.05  # … mistyped
    others: int = 2  # rent, taxes, insurance… per practitioner
    traps: float = 0.1  # … of an amount that a payer announced
    # -- files
    wrapped: float = 0.4
    gzip: float = 0.15
    mime: float = 0.1
    glued: float = 0.1
    early_file: float = 0.05
    late_file: float = 0.03
    same_file: float = 0.05  # the same bytes again
    resent: float = 0.03  # the same transfers in another file
    unknown_payee: float = 0.02
    late_journal: float = 0.0  # FSE that are known only after their return
    broken_rows: float = 0.01
    # -- bank statements
    overlap: float = 0.1  # statements that repeat the last days of the one before
    other_numbers: float = 0.0  # … with other numbers of the bank
    banks: tuple = field(default=("plain", "sepa"))


CALM = Habits()
MESSY = replace(
    CALM,
    reference=(
        ("whole", 62),
        ("truncated", 8),
        ("garbled", 8),
        ("absent", 17),
        ("elsewhere", 5),
    ),
    unnamed=0.02,
    near_references=0.3,
    multi=0.25,
    equal=0.12,
    grouped=0.1,
    first_only=0.3,
    split=0.05,
    retention=0.08,
    hidden_retention=0.02,
    lump_sum=0.05,
    negative=0.03,
    announced_only=0.05,
    no_return=0.06,
    early_credit=0.06,
    late_credit=0.06,
    reversal=0.03,
    rejected=0.08,
    partial=0.05,
    deferred=0.03,
    paid_twice=0.01,
    silent=0.04,
    patient_slips=0.15,
    others=4,
    traps=0.3,
    early_file=0.1,
    late_file=0.1,
    same_file=0.1,
    resent=0.1,
    glued=0.2,
    unknown_payee=0.05,
    late_journal=0.1,
    overlap=0.4,
    other_numbers=0.3,
    banks=("plain", "sepa", "wordy", "short"),
)
HOSTILE = replace(
    MESSY,
    reference=(
        ("whole", 35),
        ("truncated", 15),
        ("garbled", 15),
        ("absent", 30),
        ("elsewhere", 5),
    ),
    unnamed=0.06,
    near_references=0.7,
    multi=0.4,
    equal=0.3,
    grouped=0.2,
    first_only=0.5,
    split=0.12,
    retention=0.12,
    hidden_retention=0.05,
    negative=0.06,
    announced_only=0.1,
    no_return=0.12,
    early_credit=0.1,
    late_credit=0.12,
    reversal=0.08,
    rejected=0.1,
    partial=0.08,
    deferred=0.05,
    paid_twice=0.02,
    silent=0.06,
    patient_slips=0.3,
    others=8,
    traps=0.6,
    early_file=0.2,
    late_file=0.2,
    overlap=0.7,
    other_numbers=0.7,
)
PRESETS = {"calm": CALM, "messy": MESSY, "hostile": HOSTILE}
