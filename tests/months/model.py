"""What a generated month is made of. Amounts are integer cents, positive on the practitioner's side."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Size:
    practitioners: int = 2
    fse: int = 60
    days: int = 28
    first_day: date = date(2026, 6, 8)
    #: days from the last care to the day on which the month is looked at
    wait: int = 75


@dataclass(frozen=True)
class Payer:
    key: str
    kind: str  # amo or amc
    name: str
    org_no: str
    short: str
    bank_names: tuple
    motif: str  # what it writes beside the reference
    centre: str = ""
    sender_type: str = ""
    sender_no: str = ""
    with_fund: bool = False


@dataclass(frozen=True)
class Practitioner:
    rank: int
    first_name: str
    last_name: str
    profession: str
    provider_no: str
    rpps: str
    siren: str
    iban: str
    bank: str
    near_references: bool
    opening: int

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True)
class Patient:
    nir: str
    last_name: str
    first_name: str
    birth_date: date
    fund: Payer
    insurer: Payer | None
    member: str
    rate: int


@dataclass(eq=False)
class Fse:
    id: int
    provider: Practitioner
    patient: Patient
    no: str
    day: date
    acts: list  # (letter, hundredths of a coefficient, quantity, amount, amo, amc, patient)
    sent_on: date | None = None
    lot_no: str = ""
    lot_result: str = "positif"  # negatif, or empty when no ARL came
    broken: bool = False
    late_journal: bool = False

    def total(self, part):
        column = {"amo": 4, "amc": 5, "patient": 6, "fee": 3}[part]
        return sum(act[column] for act in self.acts)

    def share_id(self, part):
        return self.id * 10 + ("amo", "amc", "patient").index(part)


@dataclass(eq=False)
class Answer:
    """What a payer says of one share in one settlement."""

    fse: Fse
    part: str
    asked: int
    paid: int
    state: str = "P"
    code: str = ""
    label: str = ""


@dataclass(eq=False)
class Settlement:
    """One transfer of a payer."""

    id: int
    provider: Practitioner
    payer: Payer
    day: date
    reference: str
    answers: list = field(default_factory=list)
    retention: int = 0
    lump_sum: int = 0
    announced: bool = True  # a file tells of it
    paid: bool = True  # the bank receives it
    file_day: date | None = None

    @property
    def amount(self):
        return sum(answer.paid for answer in self.answers) + self.lump_sum - self.retention

    @property
    def labels(self):
        return (
            f"{self.payer.short} {self.provider.provider_no:0>15}",
            self.reference,
        )


@dataclass(eq=False)
class Movement:
    """One movement of a bank account, and what the bank shows of it."""

    id: int
    provider: Practitioner
    day: date
    amount: int
    kind: str  # settlement, shares, patient, other, reversal
    payer: Payer | None = None
    settlements: tuple = ()
    shares: tuple = ()  # (fse, part) paid without any return
    named: bool = True
    printed: tuple = ()  # references as the label shows them
    quoted: tuple = ()  # numbers of FSE as the label shows them
    label: str = ""
    counterparty: str = ""
    number: str = ""  # given by the bank
    end_to_end: str = ""
    undoes: "Movement | None" = None
    undone_by: "Movement | None" = None
    pieces: tuple = ()  # all the movements that bring one settlement
    case: str = ""
    statements: list = field(default_factory=list)  # (statement, number given by the bank there)


@dataclass(frozen=True)
class Link:
    """Credits and what they pay: the truth about one group."""

    movements: frozenset
    settlements: frozenset
    shares: frozenset


@dataclass(frozen=True)
class Arrival:
    """One file, as it reaches the agency."""

    day: date
    kind: str  # fse, arl, noemie, bank
    name: str
    content: bytes
    #: what the inbox must answer: done, review, duplicate (or empty: any of done and review)
    expected: str = ""
