"""What the payers answered: acknowledgements of the lots, settlements, rejections.

The cases of the demo are placed here. Each is chosen by what it needs (practitioner, fund, day of
sending, cover), so that a change of the plans moves the case instead of breaking it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from . import world

SENT_AMC_DAYS = 10  # an insurer pays what reached it at least ten days before
AMC_TRANSFERS = [date(2026, 10, 13), date(2026, 10, 27), date(2026, 11, 10), date(2026, 11, 17)]


@dataclass
class Reason:
    code: str
    label: str
    info: str = ""


# Codes read in a public source (norms.md 6.2) where there is one; the codes beginning with X are
# the demo's own, because no public list gives them. The labels are ours.
REASONS = {
    "rights_closed": Reason("X101", "DROITS DE L ASSURE FERMES A LA DATE DES SOINS"),
    "exemption_unknown": Reason("0450", "EXONERATION (ETM) NON CONNUE EN BASE DES DROITS"),
    "already_paid": Reason("2900", "FACTURE DEJA PAYEE"),
    "prescriber": Reason("0460", "ETABLISSEMENT PRESCRIPTEUR INCONNU DU FICHIER NATIONAL"),
    "wrong_fund": Reason("0250", "ASSURE ABSENT DU FICHIER DE L ORGANISME"),
    "amc_member": Reason("X201", "ADHERENT INCONNU DE L ORGANISME COMPLEMENTAIRE"),
}


@dataclass
class Answer:
    """What a payer says of one share."""

    fse: object
    part: str  # amo or amc
    asked: int
    state: str = "P"
    paid: int = 0
    reason: Reason | None = None
    comment: str = ""
    settlement: object = field(default=None, repr=False)


@dataclass(eq=False)
class Settlement:
    """One bank transfer announced by a payer."""

    provider: world.Practitioner
    payer: world.Payer
    transfer_date: date
    reference: str
    answers: list = field(default_factory=list)
    retention: int = 0
    retention_balance: int = 0
    retention_ref: str = ""
    lump_sum: int = 0
    lump_label: str = ""
    credit: object = field(default=None, repr=False)  # bank.Entry that pays it
    filename: str = ""

    @property
    def amount(self):
        return sum(answer.paid for answer in self.answers) + self.lump_sum - self.retention

    @property
    def label1(self):
        return f"{self.payer.short} {self.provider.provider_no:0>15}"


@dataclass
class Story:
    """The FSE, lots and settlements that carry the cases, by case key."""

    fses: list
    answers: list = field(default_factory=list)
    settlements: list = field(default_factory=list)
    acknowledgements: list = field(default_factory=list)
    negative_lots: set = field(default_factory=set)
    missing_lots: set = field(default_factory=set)
    no_return: list = field(default_factory=list)  # settlements whose file never came
    announced_only: list = field(default_factory=list)  # settlements that the bank never saw
    together: list = field(default_factory=list)  # pairs of settlements paid by one transfer
    no_reference: list = field(default_factory=list)  # paid, but the bank line has no reference
    cases: dict = field(default_factory=dict)  # case key -> list of FSE


def working_day(day):
    while day.weekday() > 4 or day in world.HOLIDAYS:
        day += timedelta(days=1)
    return day


class Chooser:
    """Picks the FSE of a case, each FSE for one case only."""

    def __init__(self, fses):
        self.fses = fses
        self.used = set()

    def __call__(self, provider, count=1, **wanted):
        found = []
        for fse in self.fses:
            values = {
                "care": fse.plan.care,
                "cover": fse.plan.cover,
                "fund": fse.plan.fund,
                "amc": fse.plan.amc,
                "tag": fse.plan.tag,
                "sent": fse.sent_on,
                "copy": fse.copy_of is not None,
            }
            if (
                fse.provider.key == provider
                and id(fse) not in self.used
                and all(
                    values[key] in (want if isinstance(want, tuple) else (want,))
                    for key, want in wanted.items()
                )
            ):
                found.append(fse)
            if len(found) == count:
                break
        if len(found) < count:
            raise LookupError(f"no FSE for a case: {provider} {wanted}")
        self.used.update(id(fse) for fse in found)
        return found


def _lot(story, provider_key, fund, sent_on):
    """The lot number of a practitioner's sending to a fund."""
    return next(
        (fse.provider.provider_no, fse.lot_no)
        for fse in story.fses
        if (fse.provider.key, fse.plan.fund, fse.sent_on) == (provider_key, fund, sent_on)
    )


def _place_cases(story):
    """Chooses the cases; returns the answers that differ from "paid as asked"."""
    choose = Chooser(story.fses)
    # late patients' own FSE are left alone, so that their reminder stays certain
    choose.used = {
        id(fse)
        for fse in story.fses
        if fse.plan.tag in ("late", "late_no_email", "late_direct", "pays", "broken")
    }
    special, cases = {}, story.cases

    def reject(key, fses, parts=("amo", "amc")):
        cases.setdefault(f"reject_{key}", []).extend(fses)
        for fse in fses:
            for part in parts:
                special[id(fse), part] = {"state": "R", "paid": 0, "reason": REASONS[key]}

    def pay_less(key, fse, part, missing, comment):
        cases[key] = [fse]
        special[id(fse), part] = {"paid": fse.total(part) - missing, "comment": comment}

    # Rejections. Three FSE of one patient fall for the same cause: one fix serves all three.
    reject("exemption_unknown", choose("infirmiere", 3, tag="exemption"))
    reject("rights_closed", choose("infirmiere", tag="guard"))
    reject("rights_closed", choose("orthophoniste", amc="tilleuls", sent=date(2026, 10, 23)))
    reject("already_paid", choose("kinesitherapeute", copy=True))
    reject("prescriber", choose("kinesitherapeute", care="hemiplegie", sent=date(2026, 10, 9)))
    reject("wrong_fund", choose("orthoptiste", fund="cpam75", cover="ald"))
    reject("amc_member", choose("orthophoniste", amc="heron", sent=date(2026, 10, 2)), ("amc",))
    reject(
        "amc_member",
        choose("kinesitherapeute", amc="tilleuls", fund="cpam75", sent=date(2026, 10, 16)),
        ("amc",),
    )

    fse = choose("infirmiere", care="dependance", sent=date(2026, 10, 16))[0]
    pay_less("partial_amo", fse, "amo", fse.acts[-1].amo, "INDEMNITE DE DEPLACEMENT NON DUE")
    fse = choose("kinesitherapeute", amc="heron", care="genou", sent=date(2026, 10, 9))[0]
    pay_less("partial_amc", fse, "amc", 500, "PLAFOND DE GARANTIE ATTEINT")
    fse = choose("orthoptiste", amc="tilleuls", care="amblyopie", sent=date(2026, 10, 16))[0]
    pay_less("partial_amc_with_fund", fse, "amc", 200, "TAUX DE GARANTIE INFERIEUR")
    fse = choose("orthophoniste", care="handicap", sent=date(2026, 11, 6))[0]
    cases["notice"] = [fse]
    special[id(fse), "amo"] = {"comment": "CARTE VITALE A METTRE A JOUR"}

    # Silence: a fund that says nothing of one lot, an insurer that answers nothing at all.
    silent = choose("kinesitherapeute", 1, care="respiratoire", sent=date(2026, 10, 16))
    silent += choose(
        "orthoptiste",
        1,
        fund="msa",
        sent=(date(2026, 10, 2), date(2026, 10, 9), date(2026, 10, 16), date(2026, 10, 23)),
    )
    cases["silence_amo"] = silent
    for fse in silent:
        special[id(fse), "amo"] = special[id(fse), "amc"] = None
    cases["silence_amc"] = [
        fse
        for fse in story.fses
        if fse.provider.key == "orthophoniste"
        and fse.plan.amc == "horizon"
        and fse.sent_on
        and fse.sent_on <= date(2026, 10, 16)
    ]
    for fse in cases["silence_amc"]:
        special[id(fse), "amc"] = None

    # Acknowledgements: one lot refused, one never acknowledged. Neither gets an answer.
    story.negative_lots = {_lot(story, "infirmiere", "cpam69", date(2026, 11, 13))}
    story.missing_lots = {_lot(story, "orthophoniste", "cpam69", date(2026, 11, 6))}
    lots = story.negative_lots | story.missing_lots
    for fse in story.fses:
        if (fse.provider.provider_no, fse.lot_no) in lots:
            key = "arl_negative" if fse.sent_on == date(2026, 11, 13) else "arl_missing"
            cases.setdefault(key, []).append(fse)
            special[id(fse), "amo"] = special[id(fse), "amc"] = None
    return special


class _References:
    """References as banks show them: YY, day of the year, seven digits (norms.md 3.7)."""

    def __init__(self):
        self.rank = 0

    def amo(self, day):
        self.rank += 1
        return f"{day:%y%j}{1000000 + self.rank * 30103 % 8999999:07d}"

    def amc(self, day):
        self.rank += 1
        return f"TP{day:%y%m}{100000 + self.rank * 7013 % 899999:06d}"


def _answer(fse, part, special):
    asked = fse.total(part)
    change = special.get((id(fse), part), {})
    if not asked or change is None:
        return None
    return Answer(fse, part, asked, **{"paid": asked, **change})


def _parts_with_fund(fse, special):
    """The fund's answers: its own part, and the insurer's when it pays for the insurer."""
    parts = ["amo"]
    if fse.insurer and fse.insurer.with_fund:
        parts.append("amc")
    return [answer for part in parts if (answer := _answer(fse, part, special))]


def _fund_settlements(story, special, references):
    for provider in world.PRACTITIONERS:
        for sent_on in world.SEND_DAYS:
            for fund in world.FUNDS.values():
                lot = [
                    fse
                    for fse in story.fses
                    if fse.provider is provider and fse.fund is fund and fse.sent_on == sent_on
                ]
                groups = [_parts_with_fund(fse, special) for fse in lot]
                groups = [group for group in groups if group]
                delay = 5 if fund.sender_type == "CT" else 6
                transfer = working_day(sent_on + timedelta(days=delay))
                if not groups or transfer >= world.DEMO_DATE:
                    continue
                # the physiotherapist's fund splits one week in two settlements, paid at once
                split = provider.key == "kinesitherapeute" and fund.key == "cpam75"
                split = split and sent_on == date(2026, 10, 23)
                middle = len(groups) // 2 if split else 0
                made = []
                for part in (groups[:middle], groups[middle:]) if middle else (groups,):
                    answers = [answer for group in part for answer in group]
                    made.append(
                        Settlement(provider, fund, transfer, references.amo(transfer), answers)
                    )
                if split:
                    story.together.append(made)
                story.settlements += made


def _insurer_settlements(story, special, references):
    for provider in world.PRACTITIONERS:
        for insurer in world.INSURERS.values():
            if insurer.with_fund:
                continue
            waiting = [
                fse
                for fse in story.fses
                if fse.provider is provider and fse.insurer is insurer and fse.sent_on
            ]
            for transfer in AMC_TRANSFERS:
                limit = transfer - timedelta(days=SENT_AMC_DAYS)
                ready = [fse for fse in waiting if fse.sent_on <= limit]
                waiting = [fse for fse in waiting if fse.sent_on > limit]
                answers = [
                    answer
                    for fse in ready
                    # an insurer does not pay before the fund has accepted
                    if special.get((id(fse), "amo"), {}) is not None
                    and special.get((id(fse), "amo"), {}).get("state") != "R"
                    and (answer := _answer(fse, "amc", special))
                ]
                if not answers:
                    continue
                settlement = Settlement(
                    provider, insurer, transfer, references.amc(transfer), answers
                )
                case = (provider.key, insurer.key, transfer)
                if case == ("kinesitherapeute", "heron", date(2026, 11, 10)):
                    story.no_return.append(settlement)  # the money came, the file did not
                    story.cases["credit_without_return"] = [a.fse for a in answers]
                else:
                    story.settlements.append(settlement)


def _find(story, provider, payer, transfer):
    return next(
        s
        for s in story.settlements
        if (s.provider.key, s.payer.key, s.transfer_date) == (provider, payer, transfer)
    )


def _special_settlements(story, references):
    """Retention, lump sum, announced and never received, no reference on the bank line."""
    with_retention = _find(story, "infirmiere", "cpam75", date(2026, 10, 7))
    with_retention.retention = 2640
    with_retention.retention_balance = 1320
    with_retention.retention_ref = "IND2600731"
    nurse = with_retention.provider
    day = date(2026, 10, 30)
    story.settlements.append(
        Settlement(
            nurse,
            world.FUNDS["cpam75"],
            day,
            references.amo(day),
            lump_sum=49000,
            lump_label="AIDE A LA TELETRANSMISSION",
        )
    )
    story.announced_only.append(_find(story, "orthophoniste", "cpam75", date(2026, 10, 28)))
    story.announced_only.append(_find(story, "orthoptiste", "heron", date(2026, 10, 27)))
    story.no_reference.append(_find(story, "kinesitherapeute", "cnmss", date(2026, 10, 8)))


def _acknowledge(story):
    lots = {}
    for fse in story.fses:
        if fse.lot_no:
            lots[fse.provider.provider_no, fse.lot_no] = fse.sent_on
    for (provider_no, lot_no), sent_on in lots.items():
        day = sent_on + timedelta(days=1 if sent_on.weekday() < 4 else 3)
        if (provider_no, lot_no) in story.missing_lots:
            continue
        row = [provider_no, lot_no, sent_on, "positif", working_day(day), "", "Lot accepté"]
        if (provider_no, lot_no) in story.negative_lots:
            row[3], row[5] = "negatif", "4015"
            row[6] = "Clés de chiffrement du poste périmées : lot à transmettre de nouveau"
        story.acknowledgements.append(row)


def build(fses):
    story = Story(fses)
    special = _place_cases(story)
    references = _References()
    _fund_settlements(story, special, references)
    _insurer_settlements(story, special, references)
    _special_settlements(story, references)
    for settlement in story.settlements:
        for answer in settlement.answers:
            answer.settlement = settlement
            story.answers.append(answer)
    _acknowledge(story)
    return story
