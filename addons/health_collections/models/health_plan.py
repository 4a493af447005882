from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from odoo.addons.health_billing.ngap.calendar import add_months
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning import plan as plans

#: states in which a plan holds its shares
ALIVE = ("asked", "running")
#: ways in which the debtor owned up to the debt that can be shown later (C. civ. 2240)
WRITTEN = ("page", "signed", "email")


class HealthPlan(models.Model):
    """Instalments agreed with a debtor over what they owe one practitioner.

    While it runs, the due date of each share, in the books too, is that of the instalment that settles it, and
    no reminder leaves. A plan that is not kept gives the old dates back, after a notice.
    """

    _name = "health.plan"
    _description = "Payment Plan"
    _inherit = ["health.told"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Paid by", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [
            ("asked", "To answer"),
            ("running", "Running"),
            ("done", "Paid"),
            ("broken", "Not kept"),
            ("refused", "Refused"),
            ("cancelled", "Ended by a person"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    agreed_by = fields.Selection(
        [
            ("page", "Patient's page"),
            ("signed", "Signed paper"),
            ("email", "E-mail"),
            ("phone", "Phone"),
        ],
        string="Agreed by",
        required=True,
        readonly=True,
        help="In writing, the debtor owns up to the debt: its time limit starts anew. By phone it does not.",
    )
    asked_on = fields.Date(required=True, readonly=True)
    started_on = fields.Date(readonly=True)
    ended_on = fields.Date(readonly=True)
    notice_on = fields.Date(
        "Notice since", readonly=True, help="An instalment is late and the debtor was told so."
    )
    reason = fields.Char(
        readonly=True, help="Why a person must answer, or why it was refused or ended."
    )
    user_id = fields.Many2one("res.users", string="By", readonly=True)
    link_id = fields.Many2one("health.payment.link", readonly=True, ondelete="set null")
    agreement_id = fields.Many2one(
        "health.agreement", readonly=True, index="btree_not_null", ondelete="set null"
    )
    line_ids = fields.One2many("health.plan.line", "plan_id", "Instalments", readonly=True)
    part_ids = fields.One2many("health.plan.part", "plan_id", "Parts", readonly=True)
    share_ids = fields.Many2many("health.share", string="Shares", compute="_compute_share_ids")
    amount = fields.Monetary("In all", compute="_compute_amount", store=True)
    settled = fields.Monetary("Paid", compute="_compute_amount", store=True)
    left = fields.Monetary("Left to pay", compute="_compute_amount", store=True)
    count = fields.Integer("In how many", compute="_compute_amount", store=True)
    next_date = fields.Date("Next instalment", compute="_compute_next")
    next_amount = fields.Monetary("Next amount", compute="_compute_next")
    is_late = fields.Boolean("Late", compute="_compute_next")

    @api.depends("part_ids.share_id")
    def _compute_share_ids(self):
        for plan in self:
            plan.share_ids = plan.part_ids.share_id

    @api.depends("line_ids.amount", "line_ids.settled")
    def _compute_amount(self):
        for plan in self:
            plan.amount = euros(sum(cents(line.amount) for line in plan.line_ids))
            plan.settled = euros(sum(cents(line.settled) for line in plan.line_ids))
            plan.left = euros(cents(plan.amount) - cents(plan.settled))
            plan.count = len(plan.line_ids)

    @api.depends("state", "line_ids.left", "line_ids.due_date")
    def _compute_next(self):
        today = fields.Date.context_today(self)
        for plan in self:
            line = plan._next_line() if plan.state in ALIVE else plan.line_ids.browse()
            plan.next_date = line.due_date
            plan.next_amount = line.left
            plan.is_late = bool(line) and plan.state == "running" and line.due_date < today

    def _next_line(self):
        self.ensure_one()
        return self.line_ids.filtered(lambda line: cents(line.left)).sorted("due_date")[:1]

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].sudo().next_by_code("health.plan") or "/"
        return super().create(vals_list)

    # -- what may be offered -------------------------------------------------------------------------

    @api.model
    def _bounds(self, company):
        """What this practitioner grants without being asked."""
        value_of = self.env["health.parameter"].value_of
        policy = self._policy(company)
        return plans.Bounds(
            most=0
            if policy.health_plan_refused
            else policy.health_plan_most or value_of("plan_most"),
            least=cents(policy.health_plan_least) or value_of("plan_least"),
            least_total=value_of("plan_least_total"),
            first_days=value_of("plan_first_days"),
        )

    @api.model
    def _policy(self, company):
        return company.sudo()._health_policy("patient")

    @api.model
    def _spreadable(self, shares):
        """Those of these shares that may be paid in instalments: owed by a patient, and in no plan yet."""
        return shares.sudo().filtered(
            lambda share: (
                share.debtor_kind == "patient"
                and share.state in ("due", "partial")
                and cents(share.amount_residual) > 0
                and not share.is_replaced
                and share.plan_id.state not in ALIVE
            )
        )

    @api.model
    def _in_order(self, shares):
        """Shares in the order in which payments settle them: what was due first, then the oldest."""
        return shares.sorted(lambda share: (share.due_date, share.fse_date, share.id))

    @api.model
    def _has_broken_one(self, partners, company, day):
        """Whether one of them did not keep a plan with this practitioner lately."""
        months = self.env["health.parameter"].value_of("plan_again_months")
        return bool(
            self.sudo().search_count(
                [
                    ("partner_id", "in", partners.ids),
                    ("company_id", "=", company.id),
                    ("state", "=", "broken"),
                    ("ended_on", ">", add_months(day, -months)),
                ],
                limit=1,
            )
        )

    @api.model
    def _offers(self, shares, day):
        """What a debtor may choose, and is granted at once.

        :param shares: open shares of one practitioner and one debtor; those in a plan are left out.
        :return: list of dicts: count, amounts (cents) and dates of the instalments; empty when none is granted.
        """
        shares = self._spreadable(shares)
        company = shares.company_id
        if len(company) != 1 or self._has_broken_one(self._payers(shares), company, day):
            return []
        total = sum(cents(share.amount_residual) for share in shares)
        return plans.offers(total, day, self._bounds(company))

    @api.model
    def _payers(self, shares):
        """The patients of these shares and whoever settles for them."""
        patients = shares.partner_id
        return patients | patients.health_debtor_id

    # -- making --------------------------------------------------------------------------------------

    @api.model
    def _ask(self, partner, company, shares, count, day, link=None):
        """A debtor asks, from their page, to pay in instalments; by asking they own up to the debt.

        :return: the plan: running at once within the bounds of the policy, else waiting for a person.
        :raises UserError: in the reader's language, when it cannot be asked; nothing is then written.
        """
        most = self.env["health.parameter"].value_of("plan_most_ever")
        if not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= most:
            raise UserError(
                self.env._("Choose between 2 and %s instalments. Nothing was changed.", most)
            )
        shares = shares.sudo()
        if len(shares.try_lock_for_update()) != len(shares):
            raise UserError(
                self.env._("Your request is being dealt with: load the page again in a moment.")
            )
        shares = self._check_shares(partner, company, shares)
        total = sum(cents(share.amount_residual) for share in shares)
        if total < count:
            raise UserError(
                self.env._(
                    "%(amount)s cannot be spread over %(count)s instalments. Nothing was changed.",
                    amount=format_cents(total),
                    count=count,
                )
            )
        bounds = self._bounds(company)
        reason = False
        if not bounds.holds(total, count):
            reason = self.env._("Asked for more than is granted at once.")
        elif self._has_broken_one(self._payers(shares) | partner, company, day):
            reason = self.env._("A former plan was not kept.")
        first = day + timedelta(days=bounds.first_days)
        plan = self._make_plan(
            partner,
            company,
            shares,
            self._instalments(first, count, total),
            day,
            agreed_by="page",
            state="asked",
            reason=reason,
            link_id=link.id if link else False,
        )
        if reason:
            # whoever asks to pay in instalments owns up to the debt, granted or not
            plan.share_ids._interrupt_prescription(day, "acknowledgement", note=plan.name)
            plan.share_ids._dunning_refresh(day)
        else:
            plan._start(day)
        plan._tell("plan_asked" if reason else "plan_started", "plan", day)
        return plan

    @api.model
    def _check_shares(self, partner, company, shares):
        """The shares that may go into a plan of that person with that practitioner, in their order.

        :raises UserError: none may, or one belongs to somebody else.
        """
        if shares.company_id - company or any(
            partner not in (share.partner_id, share.partner_id.health_debtor_id) for share in shares
        ):
            raise UserError(
                self.env._("These shares are not all owed by %s: choose again.", partner.name)
            )
        good = self._spreadable(shares)
        if not good:
            raise UserError(
                self.env._("Nothing is left that could be spread. Nothing was changed.")
            )
        if good._shares_being_paid():
            raise UserError(
                self.env._("A payment is under way: wait for its outcome. Nothing was changed.")
            )
        return self._in_order(good)

    @api.model
    def _debtors(self, shares):
        return self.env["res.partner"].union(*shares.partner_id._health_debtor().values())

    @api.model
    def _make_plan(self, partner, company, shares, instalments, day, **values):
        """Write a plan down, without starting it.

        :param shares: in the order in which they are settled.
        :param instalments: (date, cents), in their order.
        """
        return (
            self.sudo()
            .create(
                {
                    "company_id": company.id,
                    "partner_id": partner.id,
                    "asked_on": day,
                    "user_id": self.env.uid,
                    "line_ids": [
                        fields.Command.create({"due_date": due, "amount": euros(amount)})
                        for due, amount in instalments
                    ],
                    "part_ids": [
                        fields.Command.create(
                            {
                                "share_id": share.id,
                                "sequence": rank,
                                "amount": share.amount_residual,
                                "original_due": share.due_date,
                            }
                        )
                        for rank, share in enumerate(shares)
                    ],
                    **values,
                }
            )
            ._hold_shares()
        )

    @api.model
    def _instalments(self, first, count, total):
        """(date, cents) of so many equal instalments."""
        if not 1 <= count <= total:
            raise UserError(self.env._("Say in how many instalments the rest is paid."))
        return list(zip(plans.dates(first, count), plans.amounts(total, count), strict=True))

    def _hold_shares(self):
        for plan in self:
            plan.part_ids.share_id.write({"plan_id": plan.id})
        return self

    def _start(self, day):
        """The instalments count from now on: the shares fall due with them."""
        days = {}
        for plan in self:
            lines = plan.line_ids.sorted(lambda line: (line.due_date, line.id))
            parts = plan.part_ids.sorted(lambda part: (part.sequence, part.id))
            ranks = plans.settling(
                [cents(part.amount) for part in parts], [cents(line.amount) for line in lines]
            )
            for part, rank in zip(parts, ranks, strict=True):
                part.line_id = lines[rank]
                days[part.share_id] = lines[rank].due_date
        self.env["health.share"]._put_off(days)
        self.write({"state": "running", "started_on": day})
        for plan in self.filtered(lambda plan: plan.agreed_by in WRITTEN):
            plan.share_ids._interrupt_prescription(day, "plan", note=plan.name)
        self._stop_reminders(self.env._("A payment plan runs."))
        self.share_ids._dunning_refresh(day)

    def _stop_reminders(self, reason):
        """What waits to leave for these shares does not leave."""
        self.env["health.contact"].sudo()._cancel(self.share_ids, reason)

    def _end(self, state, day, reason=False):
        """The plan is over: what is still owed falls due as it did before."""
        back = {
            part.share_id: part.original_due
            for part in self.part_ids
            if part.share_id.plan_id == part.plan_id
            and part.share_id.due_date != part.original_due
            and cents(part.share_id.amount_residual)
        }
        self.env["health.share"]._put_off(back)
        shares = self.share_ids.filtered(lambda share: share.plan_id in self)
        shares.write({"plan_id": False})
        self.write(
            {
                "state": state,
                "ended_on": day,
                "notice_on": False,
                **({"reason": reason} if reason else {}),
            }
        )
        shares._dunning_refresh(day)

    # -- messages ------------------------------------------------------------------------------------

    def _told_amount(self):
        self.ensure_one()
        return self.left

    def _told_report(self):
        return "health_collections.action_report_plan"

    def _letter_state(self):
        """Which letter the plan is told by."""
        self.ensure_one()
        return "late" if self.state == "running" and self.notice_on else self.state

    def _letter_subject(self):
        return {
            "running": "votre paiement en plusieurs fois",
            "late": "une échéance n'a pas été réglée",
            "asked": "votre demande de paiement en plusieurs fois",
            "refused": "votre demande de paiement en plusieurs fois",
        }.get(self._letter_state(), "fin de votre paiement en plusieurs fois")

    def _amount_text(self, amount):
        return self.env["health.payment.link"]._money(cents(amount))

    def _day_text(self, day):
        return format_date(self.with_context(lang="fr_FR").env, day, date_format="d MMMM yyyy")

    def _late_text(self):
        """What is late of this plan, as a French amount."""
        today = fields.Date.context_today(self)
        return self._amount_text(sum(line.left for line in self.line_ids if line.due_date <= today))

    def _notice_text(self):
        """Last day to pay what is late before the plan ends."""
        patience = timedelta(days=self.env["health.parameter"].value_of("plan_notice_days"))
        return self._day_text((self.notice_on or fields.Date.context_today(self)) + patience)

    def _html_lines(self):
        """The instalments as an HTML table, for messages and letters."""
        self.ensure_one()
        rows = Markup().join(
            Markup(
                '<tr><td style="padding: 6px 12px 6px 0;">%s</td>'
                '<td style="padding: 6px 0; text-align: right; white-space: nowrap;">%s</td>'
                '<td style="padding: 6px 0 6px 16px;">%s</td></tr>'
            )
            % (
                self._day_text(line.due_date),
                self._amount_text(line.amount),
                "réglé" if not cents(line.left) else "",
            )
            for line in self.line_ids
        )
        return (
            Markup('<table style="border-collapse: collapse; margin: 0 0 24px;">%s</table>') % rows
        )

    def _due_now(self, day):
        """Cents that the debtor should pay now: what is late or due, else the next instalment."""
        self.ensure_one()
        due = sum(cents(line.left) for line in self.line_ids if line.due_date <= day)
        return due or cents(self._next_line().left)

    def _page_values(self):
        """What the patient's page shows of a plan, as plain texts."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        return {
            "number": self.name,
            "state": self.state,
            "left": self._amount_text(self.left),
            "next_date": self._day_text(self.next_date) if self.next_date else "",
            "next_amount": self._amount_text(self.next_amount),
            "due_cents": self._due_now(today),
            "lines": [
                {
                    "date": self._day_text(line.due_date),
                    "amount": self._amount_text(line.amount),
                    "left": self._amount_text(line.left),
                    "state": line.state,
                }
                for line in self.line_ids
            ],
        }

    # -- night ---------------------------------------------------------------------------------------

    @api.model
    def _run(self, day):
        """See what became of the running plans; safe to run again.

        :return: dict of done, announced, missed, broken (numbers of plans).
        """
        running = self.sudo().search([("state", "=", "running")])
        done = running.filtered(lambda plan: not cents(plan.left))
        done._finish(day)
        running -= done
        broken = running._run_broken(day)
        missed = (running - broken)._run_missed(day)
        announced = (running - broken - missed)._run_announced(day)
        return {
            "done": len(done),
            "broken": len(broken),
            "missed": len(missed),
            "announced": len(announced),
        }

    def _finish(self, day):
        """Everything is paid: the shares keep the plan in their history."""
        if self:
            self.write({"state": "done", "ended_on": day, "notice_on": False})

    def _run_broken(self, day):
        """The notice went unheard."""
        patience = timedelta(days=self.env["health.parameter"].value_of("plan_notice_days"))
        late = self.env["health.plan.line"]._late_domain(day)
        plans_late = (
            self.env["health.plan.line"].search([*late, ("plan_id", "in", self.ids)]).plan_id
        )
        heard = self.filtered(lambda plan: plan.notice_on and plan not in plans_late)
        if heard:
            heard.write({"notice_on": False})
        broken = plans_late.filtered(
            lambda plan: plan.notice_on and day > plan.notice_on + patience
        )
        if broken:
            broken._end("broken", day)
            broken._tell("plan_broken", "plan", day)
        return broken

    def _run_missed(self, day):
        """An instalment is late: the debtor is told, and what happens if nothing comes."""
        lines = self.env["health.plan.line"].search(
            [
                *self.env["health.plan.line"]._late_domain(day),
                ("plan_id", "in", self.ids),
                ("missed_on", "=", False),
            ]
        )
        missed = lines.plan_id
        if not missed:
            return missed
        lines.write({"missed_on": day})
        missed.filtered(lambda plan: not plan.notice_on).write({"notice_on": day})
        missed._tell("plan_missed", "plan", day)
        return missed

    def _run_announced(self, day):
        """An instalment falls due soon: a word with the link, nothing more."""
        ahead = day + timedelta(days=self.env["health.parameter"].value_of("plan_announce_days"))
        lines = self.env["health.plan.line"].search(
            [
                ("plan_id", "in", self.ids),
                ("plan_id.started_on", "<", day),
                ("due_date", ">=", day),
                ("due_date", "<=", ahead),
                ("left", ">", 0),
                ("announced_on", "=", False),
            ]
        )
        if lines:
            lines.write({"announced_on": day})
            # nobody needs a letter a month to pay what they agreed to
            lines.plan_id.filtered(lambda plan: plan._told_channel() == "email")._tell(
                "plan_announced", "plan", day
            )
        return lines.plan_id

    def _forget_told(self, day):
        """What was said on that day of instalments did not leave: the next night looks at them again."""
        lines = self.line_ids.filtered(lambda line: cents(line.left))
        lines.filtered(lambda line: line.announced_on == day).write({"announced_on": False})
        missed = lines.filtered(lambda line: line.missed_on == day)
        missed.write({"missed_on": False})
        missed.plan_id.filtered(lambda plan: plan.notice_on == day).write({"notice_on": False})

    # -- actions -------------------------------------------------------------------------------------

    def _check_person(self):
        """:raises AccessError: whoever asks does not work the patients' accounts."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only the billing agency answers for payment plans."))

    def _check_state(self, *states):
        wrong = self.filtered(lambda plan: plan.state not in states)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The plan %(name)s is “%(state)s”: this can no longer be done.",
                    name=wrong[0].name,
                    state=labels[wrong[0].state],
                )
            )

    def action_accept(self):
        """The agency grants what was asked."""
        self._check_person()
        self._check_state("asked")
        day = fields.Date.context_today(self)
        for plan in self.sudo():
            owed = sum(cents(part.left) for part in plan.part_ids)
            if owed != sum(cents(part.amount) for part in plan.part_ids):
                raise UserError(
                    self.env._(
                        "Something was paid or changed since %s was asked: refuse it and make a new plan.",
                        plan.name,
                    )
                )
        late = self.line_ids.filtered(lambda line: line.due_date < day)
        if late:
            raise UserError(
                self.env._(
                    "The first instalment of %s is over: refuse it and make a new plan.",
                    late[0].plan_id.name,
                )
            )
        plans_ = self.sudo()
        plans_._start(day)
        plans_.write({"user_id": self.env.uid})
        plans_._tell("plan_started", "plan", day)
        return True

    def action_refuse(self):
        """The agency does not grant it: the patient is told and may choose what is granted."""
        return self._open_end(self.env._("Refuse the plan"), "asked")

    def action_cancel(self):
        """The plan ends before its time."""
        return self._open_end(self.env._("End the plan"), "running")

    def _open_end(self, title, state):
        self._check_person()
        self._check_state(state)
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "health.plan.end",
            "view_mode": "form",
            "target": "new",
            "context": {"default_plan_ids": [fields.Command.set(self.ids)]},
        }

    def _close_by_person(self, reason):
        """Refuse what was asked, end what runs; the reason stays."""
        self._check_person()
        self._check_state(*ALIVE)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the plan."))
        day = fields.Date.context_today(self)
        asked = self.sudo().filtered(lambda plan: plan.state == "asked")
        running = self.sudo() - asked
        if asked:
            asked._end("refused", day, reason.strip())
            asked._tell("plan_refused", "plan", day)
        if running:
            running._end("cancelled", day, reason.strip())
        self.sudo().write({"user_id": self.env.uid})
        return True

    def action_open_shares(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Shares"),
            "res_model": "health.share",
            "view_mode": "list,form",
            "domain": [("id", "in", self.share_ids.ids)],
        }
