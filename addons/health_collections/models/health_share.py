from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthShare(models.Model):
    _inherit = "health.share"

    dunning_hold = fields.Selection(
        [
            ("blocked", "Reminders stopped by a person"),
            ("deceased", "Deceased"),
            ("protected", "Protected patient"),
            ("replaced", "FSE replaced by a corrected one"),
            ("handed_over", "Handed over"),
            ("disputed", "In dispute"),
            ("agreement", "Agreement under way"),
            ("request", "Request of the patient to answer"),
            ("promise", "Promised to pay"),
            ("plan", "Payment plan"),
            ("payment_pending", "Payment under way"),
            ("amo_rejected", "AMO part rejected"),
            ("amc_rejected", "AMC part rejected"),
            ("amo_disputed", "AMO part in dispute"),
            ("amc_disputed", "AMC part in dispute"),
            ("amo_pending", "AMO part not settled"),
            ("amc_pending", "AMC part not settled"),
            ("bank_credit", "Unexplained credit that may be theirs"),
            ("quote", "Quote not settled"),
            ("question", "Question not answered"),
            ("time_barred", "Too old to be asked by itself"),
            ("human_only", "By a person only"),
            ("recent_contact", "Contacted recently"),
            ("small_amount", "Below the least amount"),
            ("wrong_hour", "Not at this hour"),
        ],
        string="Held back",
        copy=False,
        readonly=True,
        index="btree_not_null",
    )
    dunning_hold_reason = fields.Char("Why no reminder", copy=False, readonly=True)
    dunning_since = fields.Date("Held or free since", copy=False, readonly=True)
    dunning_last_contact = fields.Date("Last contact", compute="_compute_dunning_last_contact")
    days_late = fields.Integer(compute="_compute_days_late")

    @api.depends("due_date", "amount_residual")
    def _compute_days_late(self):
        today = fields.Date.context_today(self)
        for share in self:
            late = share.due_date and not share.currency_id.is_zero(share.amount_residual)
            share.days_late = max((today - share.due_date).days, 0) if late else 0

    def _compute_dunning_last_contact(self):
        contacts = self._dunning_last_contacts()
        for share in self:
            share.dunning_last_contact = contacts.get(
                (share.company_id.id, share.partner_id.id), False
            )

    @api.model
    def _dunning_domain(self, day):
        """Shares that patients owe and that are past their due date on that day."""
        return [
            ("debtor_kind", "=", "patient"),
            ("state", "in", ("due", "partial")),
            ("due_date", "<", day),
            ("amount_residual", ">", 0),
            ("is_replaced", "=", False),
        ]

    @api.model
    def _dunning_count_text(self, counts):
        """Reasons with their numbers, the most frequent first, e.g. « 3 AMC part not settled, 1 …
        ».
        """
        labels = dict(self._fields["dunning_hold"]._description_selection(self.env))
        return ", ".join(
            f"{count} × {labels[code]}"
            for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )

    # -- the guard --------------------------------------------------------------------------------

    @api.model
    def _dunning_guards(self):
        """Names of the guards, in the order in which their reason is told.

        Each takes the day, is called on patient shares no former guard holds, and returns
        dict of share → (code of `dunning_hold`, reason told to a biller). The reason is read by accountants
        too: it says nothing of care, rights or health (see `dunning_hold_detail`).
        """
        return [
            "_guard_blocked",
            "_guard_deceased",
            "_guard_protected",
            "_guard_replaced",
            "_guard_dispute",
            "_guard_agreement",
            "_guard_request",
            "_guard_plan",
            "_guard_payment_under_way",
            "_guard_payers",
            "_guard_bank_credit",
            "_guard_quote",
            "_guard_question",
            "_guard_time_barred",
            "_guard_human_only",
            "_guard_recent_contact",
            "_guard_small_amount",
            "_guard_hour",
        ]

    def _dunning_guard(self, day, without=()):
        """Who may not be reminded on that day, and why.

        `self` must hold every overdue share of its patients: the least amount looks at their sum.
        Whoever looks at some of them only leaves that guard out.

        :param without: names of the guards left out.
        :return: dict of held share → (code, reason).
        """
        held = {}
        french = self.env["res.lang"]._get_data(code="fr_FR")
        shares = self.sudo().with_context(lang="fr_FR" if french else self.env.lang)
        shares._dunning_prefetch()
        for guard in self._dunning_guards():
            if guard in without:
                continue
            rest = shares.filtered(lambda share: share not in held)
            if rest:
                held.update(getattr(rest, guard)(day))
        return {share.with_env(self.env): answer for share, answer in held.items()}

    def _dunning_refresh(self, day):
        """Run the guard and note its answer on the shares.

        :return: dict of held share → (code, reason).
        """
        held = self._dunning_guard(day)
        free = (False, False)
        for (code, reason), group in (
            self.sudo().grouped(lambda share: held.get(share, free)).items()
        ):
            # only what changes is written: a daily run over many shares must stay light
            group.filtered(
                lambda share, code=code, reason=reason: (
                    (share.dunning_hold, share.dunning_hold_reason) != (code, reason)
                    or not share.dunning_since
                )
            ).write({"dunning_hold": code, "dunning_hold_reason": reason, "dunning_since": day})
        return held

    # -- payment link -----------------------------------------------------------------------------

    def action_payment_link(self):
        """Make a payment link for the patient of these shares and show it once."""
        patients = self.filtered(lambda share: share.debtor_kind == "patient").partner_id
        if len(patients) != 1:
            raise UserError(self.env._("Choose the share of one patient: a link is personal."))
        return patients.action_payment_link()
