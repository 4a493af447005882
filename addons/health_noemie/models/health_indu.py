from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.health_billing.ngap import add_months
from odoo.addons.health_billing.tools import cents, euros, format_cents

#: who may see which care is in question; the accountant sees the amounts
CARE = "health_billing.group_biller,health_billing.group_practitioner"
#: what a person still has to do something about
LIVE = ("open", "observations", "contested", "accepted", "handed_over")


class HealthIndu(models.Model):
    """An overpayment that a payer claims back, from its notification or first retention to the end.

    Facts are entered or arrive (letters sent, money withheld, answers received); state, amounts left and
    deadlines follow from them. The last day of a delay in months bears the number of the day it started
    from; where that month is shorter, it is its last day. No delay is put off to a working day.
    """

    _name = "health.indu"
    _description = "Overpayment Claimed Back"
    _order = "deadline, id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        required=True,
        index=True,
        default=lambda self: self.env["health.fse"]._default_practitioner(),
    )
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    payer_id = fields.Many2one(
        "res.partner", index="btree_not_null", domain=[("health_kind", "in", ("amo", "amc"))]
    )
    payer_text = fields.Char("Payer as announced", readonly=True)
    reference = fields.Char("Reference of the payer", help="As the letter writes it.")
    debt_ref = fields.Char("Debt reference", help="As the returns of the payer write it.")
    debt_key = fields.Char(
        readonly=True, copy=False, help="What makes two retentions one debt: reference, no blanks."
    )
    kind_id = fields.Many2one("health.indu.kind", string="Nature")
    responsible_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, domain=[("share", "=", False)]
    )
    note = fields.Text("Ground given by the payer", groups=CARE)
    period_from = fields.Date("Care from")
    period_to = fields.Date("to")

    # -- facts of the procedure
    notified_on = fields.Date("Dated", help="Date written on the notification.")
    received_on = fields.Date(
        "Received on", help="The delays run from here: keep the envelope, it proves the day."
    )
    answer_by = fields.Date("Answer asked by", help="When the letter itself gives a last day.")
    contest_received_on = fields.Date(
        "Contestation received on",
        help="Day of the acknowledgement; the payer's silence runs from it.",
    )
    decision = fields.Selection(
        [("upheld", "Claim upheld"), ("partial", "Claim reduced"), ("cancelled", "Claim dropped")],
        string="Answer of the payer",
    )
    decision_on = fields.Date("Answer received on")
    amount_cancelled = fields.Monetary("Dropped by the payer")
    formal_notice_on = fields.Date("Formal notice received on")
    constraint_on = fields.Date("Writ served on")
    handed_on = fields.Date("Handed over on", readonly=True, copy=False)
    lawyer = fields.Char(help="Who defends the practitioner on the substance.", copy=False)
    closed_on = fields.Date(readonly=True, copy=False)
    closing_reason = fields.Char(readonly=True, copy=False)

    # -- what it is made of
    movement_ids = fields.One2many("health.settlement.movement", "indu_id", string="Retentions")
    item_ids = fields.One2many(
        "account.move.line",
        "health_indu_id",
        string="Journal items",
        groups="account.group_account_readonly",
    )
    line_ids = fields.One2many("health.indu.line", "indu_id", string="Claims", groups=CARE)
    proof_ids = fields.One2many("health.indu.proof", "indu_id", string="Proofs", groups=CARE)
    letter_ids = fields.One2many("health.indu.letter", "indu_id", string="Letters", groups=CARE)

    # -- letters sent
    details_on = fields.Date("Details asked on", compute="_compute_sent", store=True)
    observations_on = fields.Date("Observations sent on", compute="_compute_sent", store=True)
    contested_on = fields.Date("Contested on", compute="_compute_sent", store=True)
    accepted_on = fields.Date("Accepted on", compute="_compute_sent", store=True)

    # -- money
    amount_notified = fields.Monetary("Amount of the letter")
    amount_claimed = fields.Monetary("Claimed", compute="_compute_withheld", store=True)
    amount_withheld = fields.Monetary("Withheld", compute="_compute_withheld", store=True)
    payer_balance = fields.Monetary("Left, says the payer", compute="_compute_withheld", store=True)
    amount_repaid = fields.Monetary("Repaid", compute="_compute_amount_repaid", store=True)
    amount_due = fields.Monetary("Due", compute="_compute_balance", store=True)
    balance = fields.Monetary(
        "Left to pay back",
        compute="_compute_balance",
        store=True,
        help="Negative: the payer owes it.",
    )
    amount_accepted = fields.Monetary("Accepted", compute="_compute_lines", store=True)
    amount_contested = fields.Monetary("Contested", compute="_compute_lines", store=True)
    amount_to_prove = fields.Monetary("To prove", compute="_compute_lines", store=True)
    amount_undecided = fields.Monetary("To decide", compute="_compute_lines", store=True)
    amount_unlisted = fields.Monetary(
        "On no line",
        compute="_compute_lines",
        store=True,
        help="Claimed, and explained by no line.",
    )
    line_count = fields.Integer("Claims concerned", compute="_compute_lines", store=True)
    completeness = fields.Integer("Proofs found (%)", compute="_compute_lines", store=True)
    amount_provisioned = fields.Monetary(
        "Provision booked", compute="_compute_booked", compute_sudo=True
    )
    amount_acknowledged = fields.Monetary(
        "Debt booked", compute="_compute_booked", compute_sudo=True
    )
    is_to_book = fields.Boolean("To book", compute="_compute_booked", compute_sudo=True)

    # -- clocks
    contest_deadline = fields.Date("Last day to contest", compute="_compute_clocks", store=True)
    answer_due_on = fields.Date(
        "Answer of the payer due",
        compute="_compute_clocks",
        store=True,
        help="Silence until this day is a refusal.",
    )
    court_deadline = fields.Date("Last day for the court", compute="_compute_clocks", store=True)
    deadline = fields.Date("Next deadline", compute="_compute_clocks", store=True, index=True)
    days_left = fields.Integer(compute="_compute_next_step", compute_sudo=True)
    is_unnotified = fields.Boolean(
        "No notification",
        compute="_compute_unnotified",
        store=True,
        help="Money was withheld, and no notification is recorded: the payer notifies first.",
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("observations", "Observations sent"),
            ("contested", "Contested"),
            ("accepted", "Accepted"),
            ("repaid", "Repaid"),
            ("handed_over", "With the lawyer"),
            ("closed", "Closed"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
        group_expand=True,
    )
    step = fields.Selection(
        [
            ("notification", "Ask for the notification"),
            ("lines", "List the claims"),
            ("decide", "Decide line by line"),
            ("prove", "Gather the proofs"),
            ("contest", "Send the contestation"),
            ("accept", "Send the acceptance"),
            ("wait", "Wait for the answer"),
            ("silence", "Silence: hand over"),
            ("court", "Refused: hand over or accept"),
            ("lawyer", "Follow with the lawyer"),
            ("repay", "Pay back"),
            ("refund", "Claim back what was withheld"),
            ("finish", "Close the file"),
            ("none", "Nothing"),
        ],
        string="Next step",
        compute="_compute_next_step",
        compute_sudo=True,
    )
    step_why = fields.Char("Why", compute="_compute_next_step", compute_sudo=True)
    warning = fields.Text(compute="_compute_warning", compute_sudo=True)
    chronology = fields.Html(compute="_compute_chronology", groups=CARE)

    _debt_uniq = models.UniqueIndex(
        "(company_id, COALESCE(payer_id, 0), debt_key) WHERE debt_key IS NOT NULL",
        "This debt has a file already: complete that one.",
    )

    # -- computed ------------------------------------------------------------------------------------

    @api.depends("reference", "debt_ref", "payer_id.name", "payer_text", "received_on")
    def _compute_name(self):
        for indu in self:
            payer = indu.payer_id.name or indu.payer_text
            number = indu.reference or indu.debt_ref
            day = indu.received_on and indu.received_on.strftime("%d/%m/%Y")
            indu.name = " · ".join(filter(None, [self.env._("Indu"), number or day, payer]))

    @api.depends("letter_ids.kind", "letter_ids.sent_on")
    def _compute_sent(self):
        names = {
            "details": "details_on",
            "observations": "observations_on",
            "contest": "contested_on",
            "accept": "accepted_on",
        }
        for indu in self:
            for kind, name in names.items():
                days = indu.letter_ids.filtered(lambda one, kind=kind: one.kind == kind)
                indu[name] = min(filter(None, days.mapped("sent_on")), default=False)

    @api.depends(
        "amount_notified",
        "movement_ids.amount",
        "movement_ids.balance",
        "movement_ids.is_withheld",
        "movement_ids.transfer_date",
        "line_ids.amount",
        "line_ids.settlement_line_id",
    )
    def _compute_withheld(self):
        """Withheld: retentions, and parts taken back on a transfer. Claimed: the letter, else what they tell."""
        for indu in self:
            withheld = told = 0
            balance = False
            for movement in indu.movement_ids.sorted(lambda one: (one.transfer_date, one.id)):
                amount, balance = cents(movement.amount), cents(movement.balance)
                if movement.is_withheld:
                    withheld += amount
                told = max(told, withheld + balance, amount)
            taken = sum(cents(line.amount) for line in indu.line_ids if line.settlement_line_id)
            indu.amount_withheld = euros(withheld + taken)
            indu.payer_balance = euros(balance or 0)
            indu.amount_claimed = indu.amount_notified or euros(told + taken)

    @api.depends("item_ids.balance", "item_ids.parent_state")
    def _compute_amount_repaid(self):
        for indu in self:
            paid = indu.item_ids.filtered(
                lambda item: item.move_id.statement_line_id and item.parent_state == "posted"
            )
            indu.amount_repaid = euros(sum(cents(item.balance) for item in paid))

    @api.depends("amount_claimed", "amount_cancelled", "amount_withheld", "amount_repaid")
    def _compute_balance(self):
        for indu in self:
            due = cents(indu.amount_claimed) - cents(indu.amount_cancelled)
            indu.amount_due = euros(due)
            indu.balance = euros(due - cents(indu.amount_withheld) - cents(indu.amount_repaid))

    @api.depends("amount_claimed", "line_ids.amount", "line_ids.decision", "line_ids.completeness")
    def _compute_lines(self):
        for indu in self:
            sums = defaultdict(int)
            for line in indu.line_ids:
                sums[line.decision] += cents(line.amount)
            indu.amount_accepted = euros(sums["accept"])
            indu.amount_contested = euros(sums["contest"])
            indu.amount_to_prove = euros(sums["prove"])
            indu.amount_undecided = euros(sums["todo"])
            indu.amount_unlisted = euros(cents(indu.amount_claimed) - sum(sums.values()))
            indu.line_count = len(indu.line_ids)
            wanted = indu.line_ids.filtered(lambda line: line.decision != "accept")
            indu.completeness = sum(wanted.mapped("completeness")) // len(wanted) if wanted else 100

    @api.depends("movement_ids", "notified_on", "received_on", "line_ids.settlement_line_id")
    def _compute_unnotified(self):
        for indu in self:
            taken = indu.movement_ids or indu.line_ids.settlement_line_id
            indu.is_unnotified = bool(taken) and not (indu.notified_on or indu.received_on)

    @api.depends(
        "received_on",
        "notified_on",
        "answer_by",
        "payer_id.health_kind",
        "contested_on",
        "contest_received_on",
        "decision",
        "decision_on",
        "formal_notice_on",
        "constraint_on",
        "state",
    )
    def _compute_clocks(self):
        value_of = self.env["health.parameter"].value_of
        contest, silence = value_of("indu_contest_months"), value_of("indu_silence_months")
        court, notice = value_of("indu_court_months"), value_of("indu_notice_months")
        opposition = value_of("indu_opposition_days")
        for indu in self:
            # without the day of receipt the date of the letter counts: the earlier of the two
            start = indu.received_on or indu.notified_on
            by_law = indu.payer_id.health_kind != "amc"
            sent = indu.contested_on and (indu.contest_received_on or indu.contested_on)
            indu.contest_deadline = by_law and start and add_months(start, contest)
            indu.answer_due_on = by_law and sent and add_months(sent, silence)
            refused = indu.decision_on if indu.decision else indu.answer_due_on
            indu.court_deadline = (
                by_law and sent and refused and add_months(refused, court)
                if indu.decision != "cancelled"
                else False
            )
            days = [
                indu.formal_notice_on and add_months(indu.formal_notice_on, notice),
                indu.constraint_on and indu.constraint_on + timedelta(days=opposition),
            ]
            if indu.state in ("open", "observations"):
                days += [indu.contest_deadline, indu.answer_by]
            elif indu.state in ("contested", "handed_over"):
                days.append(indu.court_deadline or (not sent and indu.contest_deadline))
            days = [day for day in days if day]
            indu.deadline = min(days) if days and indu.state in LIVE else False

    @api.depends(
        "closed_on",
        "handed_on",
        "contested_on",
        "decision",
        "accepted_on",
        "observations_on",
        "amount_claimed",
        "balance",
        "amount_accepted",
        "amount_contested",
        "amount_to_prove",
        "amount_due",
    )
    def _compute_state(self):
        for indu in self:
            indu.state = indu._state_from_facts()

    def _state_from_facts(self):
        self.ensure_one()
        disputed = self.contested_on and not self.decision
        if self.closed_on:
            return "closed"
        if self.handed_on:
            return "handed_over"
        if disputed:
            return "contested"
        settled = cents(self.balance) <= 0 and cents(self.amount_claimed) > 0
        # money withheld against their will settles nothing for who contests
        held = cents(self.amount_contested) + cents(self.amount_to_prove)
        if settled and (self.accepted_on or self.decision or not held) and self._is_agreed():
            return "repaid"
        if self.accepted_on:
            return "accepted"
        if self.contested_on:
            return "contested"
        return "observations" if self.observations_on else "open"

    def _is_agreed(self):
        """Whether somebody said yes: the acceptance left, the payer answered, or all lines are accepted."""
        accepted = cents(self.amount_accepted)
        return bool(self.accepted_on or self.decision) or (
            accepted > 0 and accepted >= cents(self.amount_due)
        )

    @api.depends("state", "deadline", "is_unnotified", "completeness", "balance")
    def _compute_next_step(self):
        today = fields.Date.context_today(self)
        texts = self._step_texts()
        for indu in self:
            indu.step = indu._next_step(today)
            indu.step_why = texts[indu.step]
            indu.days_left = (indu.deadline - today).days if indu.deadline else 0

    def _next_step(self, today):
        """What a person does next; the first that applies."""
        self.ensure_one()
        if self.state == "closed":
            return "none"
        if self.state == "handed_over":
            return "lawyer"
        if self.state == "contested":
            if self.decision in ("upheld", "partial"):
                return "court"
            late = self.answer_due_on and self.answer_due_on < today
            return "silence" if late else "wait"
        if cents(self.balance) < 0:
            return "refund"
        if self.state == "repaid":
            return "finish"
        if self.is_unnotified and not self.details_on:
            return "notification"
        if self.state == "accepted":
            return "repay"
        if not self.line_count:
            return "lines"
        if cents(self.amount_undecided):
            return "decide"
        if cents(self.amount_to_prove) and self.completeness < 100:
            return "prove"
        if cents(self.amount_contested) + cents(self.amount_to_prove):
            return "contest"
        return "accept"

    def _step_texts(self):
        return {
            "notification": self.env._(
                "Money was withheld without a notification: ask the payer for it, with its calculation."
            ),
            "lines": self.env._("Copy the table of the letter: which claims, which amounts."),
            "decide": self.env._("For each claim: accept, contest or prove."),
            "prove": self.env._("Gather the proofs; what is missing is asked of the practitioner."),
            "contest": self.env._("Nothing stops the deadline but the contestation itself."),
            "accept": self.env._("All is accepted: say so, and pay back or ask for instalments."),
            "wait": self.env._("Contested: the payer's answer is awaited."),
            "silence": self.env._("The payer's silence is a refusal: the court's deadline runs."),
            "court": self.env._("The payer refused: the court's deadline runs."),
            "lawyer": self.env._("Handed over: note the end when it is known."),
            "repay": self.env._(
                "Choose the bank movement that paid it back, or wait for retentions."
            ),
            "refund": self.env._("More was withheld than is due: claim the difference."),
            "finish": self.env._("Everything is paid back: book it and close."),
            "none": "",
        }

    @api.depends(
        "amount_claimed",
        "amount_withheld",
        "payer_balance",
        "received_on",
        "notified_on",
        "amount_unlisted",
        "line_count",
        "state",
    )
    def _compute_warning(self):
        for indu in self:
            indu.warning = "\n".join(indu._warnings()) or False

    def _warnings(self):
        found = []
        if self.is_unnotified:
            found.append(
                self.env._(
                    "No notification is recorded for this debt: the payer must notify it before it withholds. "
                    "Without the letter no delay is known."
                )
            )
        elif self.notified_on and not self.received_on:
            found.append(
                self.env._(
                    "The day of receipt is not known: the delays are counted from the date of the letter."
                )
            )
        if self.received_on and self.notified_on and self.received_on < self.notified_on:
            found.append(self.env._("The letter was received before its date: check both."))
        withheld, claimed = cents(self.amount_withheld), cents(self.amount_claimed)
        if withheld > claimed - cents(self.amount_cancelled):
            found.append(
                self.env._(
                    "%(withheld)s were withheld for a debt of %(due)s.",
                    withheld=format_cents(withheld),
                    due=format_cents(claimed - cents(self.amount_cancelled)),
                )
            )
        if withheld and self.state == "contested":
            found.append(
                self.env._(
                    "Money was withheld although the claim is contested: say so to the payer."
                )
            )
        if self.movement_ids and self.amount_notified:
            told = cents(self.payer_balance)
            if told and told != claimed - withheld:
                found.append(
                    self.env._(
                        "The payer says %(told)s are left, the letter less the retentions makes %(ours)s.",
                        told=format_cents(told),
                        ours=format_cents(claimed - withheld),
                    )
                )
        if self.line_count and cents(self.amount_unlisted):
            found.append(
                self.env._(
                    "The lines make %(lines)s, the claim is %(claimed)s.",
                    lines=format_cents(claimed - cents(self.amount_unlisted)),
                    claimed=format_cents(claimed),
                )
            )
        return found

    @api.constrains("period_from", "period_to", "amount_notified", "amount_cancelled")
    def _check_values(self):
        for indu in self:
            if indu.period_from and indu.period_to and indu.period_to < indu.period_from:
                raise ValidationError(
                    self.env._("The care ends before it starts: check the period.")
                )
            if cents(indu.amount_notified) < 0 or cents(indu.amount_cancelled) < 0:
                raise ValidationError(self.env._("The amounts of an indu are positive."))

    @api.constrains("decision", "decision_on")
    def _check_decision(self):
        for indu in self:
            if indu.decision and not indu.decision_on:
                raise ValidationError(
                    self.env._(
                        "Give the day on which the answer was received: the court's delay runs from it."
                    )
                )

    @api.depends("item_ids.balance", "amount_accepted", "amount_contested", "amount_to_prove")
    def _compute_booked(self):
        Booking = self.env["health.indu.booking"]
        booked = Booking._booked(self)
        # a file that is being typed may have no practice yet, or one whose books are not ready
        ready = self.filtered(lambda one: one.company_id.chart_template == "fr_health")
        (self - ready).update(
            {"amount_provisioned": 0.0, "amount_acknowledged": 0.0, "is_to_book": False}
        )
        practices = {company: Booking._accounts(company) for company in ready.company_id}
        for indu in ready:
            accounts = practices[indu.company_id]
            own, wanted = booked[indu.id], Booking._targets(indu, accounts)
            provision, loss = accounts["indu_provision"], accounts["indu_loss"]
            indu.amount_provisioned = euros(own[provision])
            indu.amount_acknowledged = euros(-own[loss])
            debts = sum(amount for account, amount in wanted.items() if account != provision)
            indu.is_to_book = own[provision] != wanted[provision] or -own[loss] != debts

    # -- opening -------------------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: the debt reference of a letter finds the retentions that name it."""
        indus = super().create(
            [
                {**vals, "debt_key": vals.get("debt_key") or self._debt_key(vals.get("debt_ref"))}
                for vals in vals_list
            ]
        )
        indus._take_retentions()
        return indus

    def write(self, vals):
        if "debt_ref" in vals and "debt_key" not in vals:
            vals = {**vals, "debt_key": self._debt_key(vals["debt_ref"])}
        return super().write(vals)

    @api.model
    def _debt_key(self, text):
        """A debt reference is compared without blanks, leading zeros nor case."""
        return "".join((text or "").split()).lstrip("0").upper() or False

    def _take_retentions(self):
        """Retentions that have no file and name the reference of one of these."""
        found = self.filtered("debt_key")
        if not found:
            return
        loose = self.env["health.settlement.movement"].search(
            [
                ("company_id", "in", found.company_id.ids),
                ("kind", "=", "retention"),
                ("indu_id", "=", False),
            ]
        )
        by_key = found.grouped(lambda indu: (indu.company_id, indu.debt_key))
        wanted = defaultdict(loose.browse)
        for movement in loose:
            for indu in by_key.get((movement.company_id, self._debt_key(movement.debt_ref)), ()):
                if not movement.payer_id or indu.payer_id in (
                    movement.payer_id,
                    indu.payer_id.browse(),
                ):
                    wanted[indu] |= movement
        for indu, movements in wanted.items():
            movements.indu_id = indu

    @api.model
    def _from_settlements(self, settlements):
        """Open or complete the files of what these settlements withhold or take back; safe to run again.

        Retentions that name one debt feed one file, whatever settlement they came with. Parts taken back
        make one file per settlement, unless the same settlement pays them again.

        :return: the files made or completed
        """
        # a return may come from whoever takes files in; the file of the debt belongs to the practice
        settlements = settlements.sudo()
        movements = settlements.movement_ids.filtered(
            lambda one: one.kind == "retention" and not one.indu_id
        )
        taken = self._taken_back(settlements)
        if not movements and not taken:
            return self.browse()
        Indu = self.sudo()
        known = Indu.search(
            [("company_id", "in", settlements.company_id.ids), ("debt_key", "!=", False)]
        )
        index = defaultdict(Indu.browse)
        for indu in known:
            index[indu.company_id, indu.debt_key] |= indu
        groups = defaultdict(lambda: [[], []])
        for movement in movements:
            settlement = movement.settlement_id
            key = self._debt_key(movement.debt_ref) or f"VIR-{settlement.id}"
            groups[settlement.company_id, settlement.payer_id, key][0].append(movement)
        for line in taken:
            settlement = line.settlement_id
            key = f"VIR-{settlement.id}"
            groups[settlement.company_id, settlement.payer_id, key][1].append(line)
        fresh, indus = [], {}
        for company, payer, key in groups:
            alike = index[company, key]
            same = alike.filtered(lambda one, payer=payer: one.payer_id == payer)
            # a payer that is not known on one side is taken for the other one, when only one file bears the number
            if not same and len(alike) == 1 and not (alike.payer_id and payer):
                same = alike
            if same:
                indus[company, payer, key] = same[0]
            else:
                fresh.append((company, payer, key))
        kinds = {kind.code: kind for kind in self.env["health.indu.kind"].sudo().search([])}
        made = Indu.create([self._prepare(key, *groups[key], kinds) for key in fresh])
        indus.update(zip(fresh, made, strict=True))
        line_vals = []
        for key, (own, lines) in groups.items():
            self.env["health.settlement.movement"].sudo().union(*own).indu_id = indus[key]
            line_vals += [self._prepare_taken(indus[key], line) for line in lines]
        self.env["health.indu.line"].sudo().create(line_vals)
        touched = Indu.union(*indus.values())
        touched.filtered(lambda one: one.closed_on).write({"closed_on": False})
        return touched.with_env(self.env)

    @api.model
    def _taken_back(self, settlements):
        """Parts with a negative payment that their settlement does not pay again, in no file yet."""
        lines = settlements.line_ids.filtered(lambda line: line.state == "P" and line.in_transfer)
        negative = lines.filtered(lambda line: cents(line.paid) < 0)
        if not negative:
            return negative
        net = defaultdict(int)
        for line in lines:
            net[line.settlement_id, line._bare(line.invoice_no), line.part] += cents(line.paid)
        held = (
            self.env["health.indu.line"]
            .sudo()
            .search([("settlement_line_id", "in", negative.ids)])
            .settlement_line_id
        )
        return (negative - held).filtered(
            lambda line: net[line.settlement_id, line._bare(line.invoice_no), line.part] < 0
        )

    @api.model
    def _prepare(self, key, movements, lines, kinds):
        company, payer, debt_key = key
        settlement = (movements or lines)[0].settlement_id
        first = movements[0] if movements else None
        kind = kinds.get((first.debt_kind or "").strip()) if first else None
        return {
            "company_id": company.id,
            "payer_id": payer.id,
            "payer_text": settlement.payer_text,
            "debt_ref": (first.debt_ref or "").strip() if first else False,
            "debt_key": debt_key,
            "kind_id": kind.id if kind else False,
            "responsible_id": False,
        }

    @api.model
    def _prepare_taken(self, indu, line):
        return {
            "indu_id": indu.id,
            "settlement_line_id": line.id,
            "fse_number": line.invoice_no.strip(),
            "part": line.part,
            "fse_id": line.fse_id.id,
            "share_id": line.share_id.id,
            "amount": -line.paid,
            "reason": line.info,
        }

    # -- actions -------------------------------------------------------------------------------------

    def action_merge(self):
        """One debt, two files (the letter bears another number than the retentions): make them one.

        The file with the notification stays and takes everything of the others.
        """
        self.check_access("write")
        if len(self) < 2 or len(self.company_id) > 1 or len(self.payer_id) > 1:
            raise UserError(
                self.env._("Choose the files of one debt: same practitioner, same payer.")
            )
        lettered = self.filtered(lambda one: one.received_on or one.notified_on)
        if len(lettered) > 1:
            raise UserError(
                self.env._(
                    "Two of these files have a notification of their own: they are two debts."
                )
            )
        if self.filtered("item_ids"):
            raise UserError(self.env._("One of these files is booked: undo its entries first."))
        keep = lettered or self.sorted("id")[0]
        others = self - keep
        for name in ("movement_ids", "line_ids", "proof_ids", "letter_ids"):
            others[name].sudo().write({"indu_id": keep.id})
        first = others.filtered("debt_key")[:1]
        vals = {
            "payer_id": keep.payer_id.id or self.payer_id.id,
            "kind_id": keep.kind_id.id or others.kind_id[:1].id,
        }
        if not keep.debt_key and first:
            vals |= {"debt_ref": first.debt_ref, "debt_key": first.debt_key}
        others.sudo().unlink()
        keep.write(vals)
        return keep._action_form()

    def _action_form(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_link_lines(self):
        """Find again the claims that the lines name."""
        self.line_ids._link()

    def action_gather(self):
        """Gather the proofs that the product holds and ask for what is missing."""
        self.check_access("write")
        found, asked = self.env["health.indu.proof"]._gather(self)
        return self._notify(
            self.env._(
                "%(found)s proof(s) in the file, %(asked)s request(s) to the practitioner.",
                found=found,
                asked=asked,
            )
        )

    def action_book(self):
        """Book provision, debt and release as the files stand; running it again changes nothing."""
        self.check_access("write")
        moves = self.env["health.indu.booking"]._book(self)
        message = (
            self.env._("%s entry(ies) posted.", len(moves))
            if moves
            else self.env._("The books say already what the files say.")
        )
        return self._notify(message)

    def action_unbook(self):
        """Reverse the entries of these files."""
        self.check_access("write")
        moves = self.env["health.indu.booking"]._unbook(self)
        return self._notify(self.env._("%s entry(ies) reversed.", len(moves)))

    def action_open_entries(self):
        """The entries of the file."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Entries"),
            "res_model": "account.move.line",
            "view_mode": "list",
            "domain": [("health_indu_id", "in", self.ids)],
        }

    def _notify(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_close(self):
        return self._wizard("health.indu.close", self.env._("Close the file"))

    def action_hand_over(self):
        return self._wizard(
            "health.indu.close", self.env._("Hand over to a lawyer"), default_kind="hand_over"
        )

    def action_reopen(self):
        self.write({"closed_on": False, "closing_reason": False, "handed_on": False})

    def action_paste(self):
        return self._wizard("health.indu.paste", self.env._("Lines of the letter"))

    def action_repay(self):
        return self._wizard("health.indu.repay", self.env._("Paid back by"))

    def action_write_letter(self):
        return self._wizard("health.indu.letter.write", self.env._("Write a letter"))

    def action_proofs_zip(self):
        return self._download("preuves.zip")

    def action_proofs_pdf(self):
        return self._download("preuves.pdf")

    def action_pack(self):
        return self._download("dossier.zip")

    def _download(self, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/facturiere/indu/{self.id}/{name}",
            "target": "download",
        }

    def _wizard(self, model, name, **context):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_indu_id": self.id, **context},
        }

    # -- chronology ----------------------------------------------------------------------------------

    def _events(self):
        """dict of indu id → list of dict(day, kind, text), oldest first, derived from the facts."""
        value = {
            kind: label for kind, label in self._fields["decision"]._description_selection(self.env)
        }
        kinds = dict(
            self.env["health.indu.letter"]._fields["kind"]._description_selection(self.env)
        )
        found = {}
        for indu in self.sudo():
            rows = [
                (indu.notified_on, "payer", self.env._("Notification dated")),
                (indu.received_on, "payer", self.env._("Notification received")),
                (
                    indu.contest_received_on,
                    "payer",
                    self.env._("Contestation received by the payer"),
                ),
                (
                    indu.decision and indu.decision_on,
                    "payer",
                    self.env._("Answer of the payer: %s", value.get(indu.decision, "")),
                ),
                (indu.formal_notice_on, "payer", self.env._("Formal notice received")),
                (indu.constraint_on, "payer", self.env._("Writ served")),
                (indu.handed_on, "agency", self.env._("Handed over to %s", indu.lawyer or "")),
                (indu.closed_on, "agency", self.env._("Closed: %s", indu.closing_reason or "")),
            ]
            rows += [
                (
                    movement.transfer_date,
                    "money",
                    self.env._("Withheld: %s", format_cents(cents(movement.amount)))
                    if movement.is_withheld
                    else self.env._("Debt stated: %s", format_cents(cents(movement.amount))),
                )
                for movement in indu.movement_ids
            ]
            rows += [
                (
                    line.settlement_line_id.settlement_id.transfer_date,
                    "money",
                    self.env._(
                        "Taken back on FSE %(fse)s: %(amount)s",
                        fse=line.fse_number or "",
                        amount=format_cents(cents(line.amount)),
                    ),
                )
                for line in indu.line_ids
                if line.settlement_line_id
            ]
            rows += [
                (letter.sent_on, "agency", self.env._("Sent: %s", kinds[letter.kind]))
                for letter in indu.letter_ids
            ]
            rows += [
                (
                    item.date,
                    "money",
                    self.env._("Paid back: %s", format_cents(cents(item.balance))),
                )
                for item in indu.item_ids
                if item.move_id.statement_line_id
            ]
            found[indu.id] = [
                {"day": day, "kind": kind, "text": text}
                for day, kind, text in sorted(
                    (row for row in rows if row[0]), key=lambda row: row[0]
                )
            ]
        return found

    @api.depends("letter_ids.sent_on", "movement_ids", "decision_on", "closed_on", "handed_on")
    def _compute_chronology(self):
        events = self._events()
        row = Markup("<tr><td class='text-nowrap pe-4'>%s</td><td>%s</td></tr>")
        for indu in self:
            rows = [
                row % (event["day"].strftime("%d/%m/%Y"), event["text"])
                for event in events.get(indu.id, ())
            ]
            indu.chronology = rows and Markup(
                "<table class='table table-sm'><tbody>%s</tbody></table>"
            ) % Markup("").join(rows)

    # -- cockpit -------------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """One card per next step and practitioner, with the first clock and the euros at stake."""
        if lane != "indus" or not self.has_access("read"):
            return []
        live = self.search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "in", (*LIVE, "repaid")),
            ]
        )
        margin = self.env["health.parameter"].value_of("indu_proof_margin_days")
        labels = dict(self._fields["step"]._description_selection(self.env))
        texts = self._step_texts()
        Cockpit = self.env["health.cockpit"]
        by_step = live.grouped(lambda one: (one.company_id, one.sudo()._next_step(day)))
        cards = []
        for (company, step), indus in by_step.items():
            deadline = min(filter(None, indus.mapped("deadline")), default=False)
            soon = deadline and deadline <= day + timedelta(days=margin)
            if step == "none" or (step in ("wait", "lawyer") and not soon):
                continue
            action = Cockpit._act_window(labels[step], self._name, [("id", "in", indus.ids)])
            if len(indus) == 1:
                action |= {"res_id": indus.id, "views": [[False, "form"]]}
            cards.append(
                Cockpit._card(
                    f"indu-{step}-{company.id}",
                    labels[step] if len(indus) > 1 else f"{labels[step]} · {indus.name}",
                    texts[step],
                    company,
                    len(indus),
                    action,
                    self.env._("Open the file") if len(indus) == 1 else self.env._("See the files"),
                    amount=sum(abs(one.balance) or one.amount_claimed for one in indus),
                    deadline=deadline,
                )
            )
        return cards
