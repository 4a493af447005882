from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from odoo.addons.health_billing.models.health_share_closing import PLAIN
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning.allocation import share_out


class HealthAgreement(models.Model):
    """What was settled with a debtor otherwise than by the full payment: a part forgiven, a conciliator.

    A part forgiven needs approval. It is booked as a loss at once, or when the rest was paid as agreed; until then
    a plan holds the reminders. What was booked can be undone: the opposite entry is booked and the debt stands.
    """

    _name = "health.agreement"
    _description = "Agreement with a Debtor"
    _inherit = ["health.told"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="With", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("reduction", "Part forgiven"), ("mediation", "Conciliator or mediator")],
        required=True,
        readonly=True,
        index=True,
    )
    state = fields.Selection(
        [
            ("asked", "To approve"),
            ("open", "Under way"),
            ("done", "Done"),
            ("failed", "Not kept"),
            ("refused", "Refused"),
            ("undone", "Undone"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    line_ids = fields.One2many("health.agreement.line", "agreement_id", "Shares", readonly=True)
    share_ids = fields.Many2many(
        "health.share", string="Shares concerned", compute="_compute_share_ids"
    )
    owed = fields.Monetary("Owed at the start", readonly=True)
    reduction = fields.Monetary("Forgiven", readonly=True)
    to_pay = fields.Monetary("Stays to be paid", compute="_compute_to_pay", store=True)
    when = fields.Selection(
        [("once_paid", "Once the rest is paid"), ("at_once", "At once")],
        string="The loss is booked",
        readonly=True,
    )
    count = fields.Integer("Instalments", readonly=True, default=1)
    first_date = fields.Date("To be paid from", readonly=True)
    plan_id = fields.Many2one("health.plan", readonly=True)
    reason = fields.Char(required=True, readonly=True)
    consent = fields.Char(
        "Consent of the practitioner", readonly=True, help="When and how the practitioner agreed."
    )
    with_whom = fields.Char("Conciliator or mediator", readonly=True)
    asked_on = fields.Date(required=True, readonly=True)
    asked_by_id = fields.Many2one("res.users", string="Asked by", readonly=True)
    decided_on = fields.Date(readonly=True)
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    ended_on = fields.Date(readonly=True)
    outcome = fields.Char(readonly=True)
    move_id = fields.Many2one("account.move", "Entry of the loss", readonly=True)
    undo_move_id = fields.Many2one("account.move", "Opposite entry", readonly=True)

    @api.depends("line_ids.share_id")
    def _compute_share_ids(self):
        for agreement in self:
            agreement.share_ids = agreement.line_ids.share_id

    @api.depends("owed", "reduction")
    def _compute_to_pay(self):
        for agreement in self:
            agreement.to_pay = euros(cents(agreement.owed) - cents(agreement.reduction))

    @api.constrains("owed", "reduction", "kind")
    def _check_reduction(self):
        for agreement in self.filtered(lambda one: one.kind == "reduction"):
            if not 0 < cents(agreement.reduction) < cents(agreement.owed):
                raise ValidationError(
                    self.env._(
                        "What is forgiven must be less than what is owed: to give up everything, write it off."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = (
                    self.env["ir.sequence"].sudo().next_by_code("health.agreement") or "/"
                )
        return super().create(vals_list)

    # -- making --------------------------------------------------------------------------------------

    @api.model
    def _check_shares(self, shares):
        """The open patient shares of one person and one practitioner.

        :raises UserError: they are not.
        """
        shares = self.env["health.plan"]._spreadable(shares)
        debtors = self.env["health.plan"]._debtors(shares)
        if len(debtors) != 1 or len(shares.company_id) != 1:
            raise UserError(
                self.env._(
                    "An agreement is with one person for one practitioner, over shares that are open and in no plan."
                )
            )
        if len(shares.try_lock_for_update()) != len(shares):
            raise UserError(self.env._("Somebody else is at these shares: try again in a moment."))
        if shares._shares_being_paid():
            raise UserError(
                self.env._("A payment is under way: wait for its outcome. Nothing was changed.")
            )
        taken = self.sudo().search(
            [("line_ids.share_id", "in", shares.ids), ("state", "in", ("asked", "open"))], limit=1
        )
        if taken:
            raise UserError(
                self.env._("%s stands over one of these shares already: end it first.", taken.name)
            )
        return self.env["health.plan"]._in_order(shares), debtors

    @api.model
    def _ask_reduction(self, shares, amount, reason, when, consent=False, count=1, first_date=None):
        """Ask for the approval of a part forgiven; whoever may approve approves at once.

        :param amount: cents forgiven, taken from the shares in proportion.
        :return: the agreement.
        """
        shares.check_access("write")
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the agreement."))
        day = fields.Date.context_today(self)
        if when == "once_paid" and (not first_date or first_date < day or count < 1):
            raise UserError(
                self.env._("Say by when the rest is to be paid, and in how many instalments.")
            )
        good, debtor = self._check_shares(shares)
        left = [cents(share.amount_residual) for share in good]
        if not 0 < amount < sum(left):
            raise UserError(
                self.env._(
                    "What is forgiven must be less than what is owed: to give up everything, write it off."
                )
            )
        agreement = self.sudo().create(
            {
                "company_id": good.company_id.id,
                "partner_id": debtor.id,
                "kind": "reduction",
                "state": "asked",
                "owed": euros(sum(left)),
                "reduction": euros(amount),
                "when": when,
                "count": count,
                "first_date": first_date if when == "once_paid" else False,
                "reason": reason.strip(),
                "consent": (consent or "").strip() or False,
                "asked_on": day,
                "asked_by_id": self.env.uid,
                "line_ids": [
                    fields.Command.create(
                        {"share_id": share.id, "owed": euros(owed), "reduction": euros(part)}
                    )
                    for share, owed, part in zip(good, left, share_out(amount, left), strict=True)
                ],
            }
        )
        # what waits to leave asks for a sum that may change
        self.env["health.contact"].sudo()._cancel(
            good, self.env._("An agreement waits for its approval or its outcome.")
        )
        good.sudo()._dunning_refresh(day)
        agreement = agreement.with_env(self.env)
        if agreement._may_approve():
            agreement.action_approve()
        return agreement

    def _may_approve(self):
        """Up to the limit of a write-off anybody who bills; above it a manager."""
        limit = self.env["health.parameter"].value_of("write_off_limit")
        return self.env.su or self.env.user.has_group(
            "health_billing.group_manager"
            if max(cents(one.reduction) for one in self.sudo()) > limit
            else "health_billing.group_biller"
        )

    # -- approval ------------------------------------------------------------------------------------

    def _check_person(self):
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only the billing agency works on agreements."))

    def _check_state(self, *states):
        wrong = self.filtered(lambda one: one.state not in states)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The agreement %(name)s is “%(state)s”: this can no longer be done.",
                    name=wrong[0].name,
                    state=labels[wrong[0].state],
                )
            )

    def action_approve(self):
        """Approve: the loss is booked, or a plan over the rest begins."""
        self._check_person()
        self._check_state("asked")
        if not self._may_approve():
            raise AccessError(
                self.env._(
                    "Only a manager of the agency approves more than %s.",
                    format_cents(self.env["health.parameter"].value_of("write_off_limit")),
                )
            )
        floor = self.env["health.parameter"].value_of("agreement_consent_from")
        for agreement in self.sudo():
            if cents(agreement.reduction) >= floor and not agreement.consent:
                raise UserError(
                    self.env._(
                        "From %s on, note when and how the practitioner agreed: it is their money.",
                        format_cents(floor),
                    )
                )
            changed = agreement.line_ids.filtered(
                lambda line: cents(line.share_id.amount_residual) != cents(line.owed)
            )
            if changed:
                raise UserError(
                    self.env._(
                        "%s was paid or changed since the agreement was asked for: refuse it and begin again.",
                        changed[0].share_id.name,
                    )
                )
        day = fields.Date.context_today(self)
        for agreement in self.sudo():
            agreement.write({"decided_on": day, "decided_by_id": self.env.uid, "state": "open"})
            if agreement.when == "at_once":
                agreement._book_loss(day)
                agreement.write({"state": "done", "ended_on": day})
            else:
                agreement._begin_plan(day)
        self._tell("agreement", "agreement", day)
        return True

    def _begin_plan(self, day):
        """The rest is paid in one or several instalments; what is forgiven is booked when they are."""
        self.ensure_one()
        if self.first_date < day:
            raise UserError(
                self.env._("The day to pay from is over: refuse the agreement and begin again.")
            )
        Plan = self.env["health.plan"].sudo()
        shares = Plan._in_order(self.line_ids.share_id)
        plan = Plan._make_plan(
            self.partner_id,
            self.company_id,
            shares,
            Plan._instalments(self.first_date, self.count, cents(self.to_pay)),
            day,
            agreed_by="phone",
            state="asked",
            agreement_id=self.id,
        )
        plan._start(day)
        self.plan_id = plan

    def action_refuse(self):
        self._check_person()
        self._check_state("asked")
        self.sudo().write(
            {
                "state": "refused",
                "decided_on": fields.Date.context_today(self),
                "decided_by_id": self.env.uid,
            }
        )
        return True

    # -- books ---------------------------------------------------------------------------------------

    def _book_loss(self, day):
        """Book what is forgiven as a loss, one entry, reconciled with each share for its part.

        Once paid: what is left on each share, which is what the agreement forgives or less.
        """
        self.ensure_one()
        shares = self.line_ids.share_id
        if len(shares.try_lock_for_update()) != len(shares):
            raise UserError(self.env._("Somebody else is at these shares: try again in a moment."))
        once_paid = self.when == "once_paid"
        rows = []
        for line in self.line_ids:
            left = cents(line.share_id.amount_residual)
            part = left if once_paid else min(cents(line.reduction), left)
            if part:
                rows.append((line, part, left))
        if not rows:
            return
        Share = self.env["health.share"]
        items = shares._receivable_items()
        account = self.company_id._health_account("write_off")
        values = []
        for line, part, _left in rows:
            values += Share._pair_values(
                self.env._("FSE %s", line.share_id.fse_id.name),
                items[line.share_id.id],
                account,
                -euros(part),
            )
        move = Share._post_entry(
            self.company_id, self.env._("Agreement %s", self.name), values, day
        )
        taken = move.line_ids.sorted("id")[::2]
        Share._reconcile_pairs(
            [
                items[line.share_id.id] + item
                for (line, _part, _left), item in zip(rows, taken, strict=True)
            ]
        )
        self.move_id = move
        for line, part, left in rows:
            line.booked = euros(part)
            if part == left:
                # nothing is left: the share is closed by this loss, not by a payment
                line.share_id.write(
                    line.share_id._closing_values("written_off", move, self.reason, day)
                )
        closed = Share.union(*[line.share_id for line, part, left in rows if part == left])
        closed._decide("written_off", f"{self.name} : {self.reason}")
        shares._dunning_refresh(day)

    def action_undo(self):
        """What was forgiven is owed again: a mistake, or the agreement falls."""
        self._check_person()
        self._check_state("done", "open")
        if not self._may_approve():
            raise AccessError(self.env._("Ask a manager to undo this agreement."))
        day = fields.Date.context_today(self)
        for agreement in self.sudo():
            if agreement.kind == "mediation":
                raise UserError(self.env._("A conciliation is ended, not undone."))
            if agreement.plan_id.state == "running":
                agreement.plan_id._end("cancelled", day, agreement.name)
            agreement._unbook_loss(day)
            agreement.write({"state": "undone", "ended_on": day})
        return True

    def _unbook_loss(self, day):
        self.ensure_one()
        if not self.move_id:
            return
        Share = self.env["health.share"]
        shares = self.line_ids.share_id
        items = shares._receivable_items()
        account = self.company_id._health_account("write_off")
        partials = self.env["account.partial.reconcile"].sudo()
        pairs, values = [], []
        for share in shares:
            partial = items[share.id].matched_credit_ids.filtered(
                lambda one: one.credit_move_id.move_id == self.move_id
            )
            if not partial:
                # somebody undid that write-off on the share itself
                continue
            item = partial.credit_move_id
            partials |= partial
            pairs.append(item)
            values += Share._pair_values(item.name, item, account, -item.balance)
        if not pairs:
            return
        partials.with_context(**PLAIN).unlink()
        move = Share._post_entry(
            self.company_id, self.env._("Agreement %s undone", self.name), values, day
        )
        Share._reconcile_pairs(
            [
                item + other
                for item, other in zip(pairs, move.line_ids.sorted("id")[::2], strict=True)
            ]
        )
        self.undo_move_id = move
        closed = shares.filtered(lambda share: share.closing_move_id == self.move_id)
        closed.write(
            {
                "closing": False,
                "closing_move_id": False,
                "closing_reason": False,
                "closed_on": False,
                "closed_by_id": False,
            }
        )
        closed._decide("write_off_undone", self.name)
        self.line_ids.write({"booked": 0})
        shares._dunning_refresh(day)

    # -- conciliator ---------------------------------------------------------------------------------

    @api.model
    def _open_mediation(self, shares, with_whom, reason, day=None):
        """A conciliator or mediator was called: the shares are in dispute until it ends, and their time limit
        stands still.
        """
        shares.check_access("write")
        if not (reason or "").strip() or not (with_whom or "").strip():
            raise UserError(self.env._("Say who was called, and what about."))
        day = day or fields.Date.context_today(self)
        good, debtor = self._check_shares(shares)
        agreement = self.sudo().create(
            {
                "company_id": good.company_id.id,
                "partner_id": debtor.id,
                "kind": "mediation",
                "state": "open",
                "owed": euros(sum(cents(share.amount_residual) for share in good)),
                "reason": reason.strip(),
                "with_whom": with_whom.strip(),
                "asked_on": day,
                "asked_by_id": self.env.uid,
                "line_ids": [
                    fields.Command.create({"share_id": share.id, "owed": share.amount_residual})
                    for share in good
                ],
            }
        )
        good.with_env(self.env)._dispute(f"{agreement.name} : {with_whom.strip()}")
        return agreement.with_env(self.env)

    def _end_mediation(self, settled, outcome):
        """The conciliation is over.

        :param settled: whether both sides agreed; what they agreed on is then booked by a plan or a part forgiven.
        :param outcome: what came out, in a few words.
        """
        self._check_person()
        self._check_state("open")
        if not (outcome or "").strip():
            raise UserError(self.env._("Say what came out of it."))
        day = fields.Date.context_today(self)
        for agreement in self.sudo():
            if agreement.kind != "mediation":
                raise UserError(self.env._("%s is no conciliation.", agreement.name))
            disputed = agreement.share_ids.filtered("disputed_on")
            if disputed:
                disputed.with_env(self.env).action_end_dispute()
            # the time limit stood still meanwhile (C. civ. 2238)
            agreement.share_ids._interrupt_prescription(
                agreement.asked_on,
                "suspension",
                note=agreement.name,
                until=day + timedelta(days=1),
            )
            agreement.share_ids._dunning_refresh(day)
        self.sudo().write(
            {
                "state": "done" if settled else "failed",
                "outcome": outcome.strip(),
                "ended_on": day,
                "decided_by_id": self.env.uid,
            }
        )
        return True

    def action_end(self):
        self._check_person()
        self._check_state("open")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("End the conciliation"),
            "res_model": "health.agreement.end",
            "view_mode": "form",
            "target": "new",
            "context": {"default_agreement_ids": [fields.Command.set(self.ids)]},
        }

    # -- night ---------------------------------------------------------------------------------------

    @api.model
    def _run(self, day):
        """Book what is forgiven where the rest was paid as agreed; end what was not kept.

        :return: dict of done, failed (numbers).
        """
        kept = self.sudo().search(
            [("state", "=", "open"), ("kind", "=", "reduction"), ("plan_id.state", "=", "done")]
        )
        for agreement in kept:
            agreement._book_loss(day)
        kept.write({"state": "done", "ended_on": day})
        failed = self.sudo().search(
            [
                ("state", "=", "open"),
                ("kind", "=", "reduction"),
                ("plan_id.state", "in", ("broken", "cancelled")),
            ]
        )
        failed.write(
            {
                "state": "failed",
                "ended_on": day,
                "outcome": self.env._("The rest was not paid: the whole is owed."),
            }
        )
        return {"done": len(kept), "failed": len(failed)}

    # -- messages ------------------------------------------------------------------------------------

    def _told_amount(self):
        self.ensure_one()
        return self.to_pay

    def _told_report(self):
        return "health_collections.action_report_agreement"

    def _amount_text(self, amount):
        return self.env["health.payment.link"]._money(cents(amount))

    def _day_text(self, day):
        return format_date(self.with_context(lang="fr_FR").env, day, date_format="d MMMM yyyy")

    def action_print(self):
        self.check_access("read")
        return self.env.ref("health_collections.action_report_agreement").report_action(
            self, config=False
        )
