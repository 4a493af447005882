from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, format_cents

#: states of a payment transaction in which money may still arrive
TX_UNDER_WAY = ("pending", "authorized")


class HealthShare(models.Model):
    _inherit = "health.share"

    dunning_hold = fields.Selection(
        [
            ("blocked", "Reminders stopped by a person"),
            ("replaced", "FSE replaced by a corrected one"),
            ("amo_rejected", "AMO part rejected"),
            ("amc_rejected", "AMC part rejected"),
            ("amo_pending", "AMO part not settled"),
            ("amc_pending", "AMC part not settled"),
            ("payment_pending", "Payment under way"),
            ("recent_contact", "Contacted recently"),
            ("small_amount", "Below the least amount"),
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
        dict of share → (code of `dunning_hold`, reason told to a biller).
        """
        return [
            "_guard_blocked",
            "_guard_replaced",
            "_guard_payers",
            "_guard_payment_under_way",
            "_guard_recent_contact",
            "_guard_small_amount",
        ]

    def _dunning_guard(self, day):
        """Who may not be reminded on that day, and why.

        `self` must hold every overdue share of its patients: the least amount looks at their sum.

        :return: dict of held share → (code, reason).
        """
        held = {}
        for guard in self._dunning_guards():
            rest = self.filtered(lambda share: share not in held)
            if rest:
                held.update(getattr(rest, guard)(day))
        return held

    def _dunning_refresh(self, day):
        """Run the guard and note its answer on the shares.

        :return: dict of held share → (code, reason).
        """
        french = self.env["res.lang"]._get_data(code="fr_FR")
        shares = self.sudo().with_context(lang="fr_FR" if french else self.env.lang)
        held = shares._dunning_guard(day)
        free = (False, False)
        for (code, reason), group in shares.grouped(lambda share: held.get(share, free)).items():
            # only what changes is written: a daily run over many shares must stay light
            group.filtered(
                lambda share, code=code, reason=reason: (
                    (share.dunning_hold, share.dunning_hold_reason) != (code, reason)
                    or not share.dunning_since
                )
            ).write({"dunning_hold": code, "dunning_hold_reason": reason, "dunning_since": day})
        return {share.with_env(self.env): answer for share, answer in held.items()}

    def _guard_blocked(self, day):
        """A person stopped the reminders: on the invoice, or by a “do nothing” policy on the
        patient.
        """
        blocked = (
            "blocked",
            self.env._("Reminders were stopped by a person on this invoice or this patient."),
        )
        moves = self.move_id.sudo()
        stopped = moves.filtered(
            lambda move: (
                move.payment_state == "blocked"
                or move.credit_policy_id.do_nothing
                or any(
                    line.no_followup
                    for line in move.line_ids
                    if line.display_type == "payment_term"
                )
            )
        )
        return {
            share: blocked
            for share in self
            if share.move_id in stopped or share.partner_id.sudo().credit_policy_id.do_nothing
        }

    def _guard_replaced(self, day):
        """The refused FSE was sent again under a new number: the patient owes the new one, not
        both.
        """
        answer = (
            "replaced",
            self.env._("This FSE was corrected and sent again: the new one counts."),
        )
        return {share: answer for share in self if share.is_replaced}

    def _guard_payers(self, day):
        """A payer of the same FSE may still pay, or its refusal is being dealt with."""
        reasons = {
            "amo_rejected": self.env._(
                "The sickness fund's part is rejected: settle the rejection first."
            ),
            "amc_rejected": self.env._(
                "The complementary insurer's part is rejected: settle the rejection first."
            ),
            "amo_pending": self.env._("The sickness fund has not settled its part yet."),
            "amc_pending": self.env._("The complementary insurer has not settled its part yet."),
        }
        held = {}
        for share in self:
            codes = {
                f"{payer.debtor_kind}_{'rejected' if payer.is_rejected else 'pending'}"
                for payer in share.fse_id.share_ids
                if payer.debtor_kind in ("amo", "amc")
                and payer.state not in CLOSED
                and payer.currency_id.compare_amounts(payer.amount_residual, 0) > 0
            }
            code = next((code for code in reasons if code in codes), None)
            if code:
                held[share] = (code, reasons[code])
        return held

    def _guard_payment_under_way(self, day):
        answer = ("payment_pending", self.env._("A payment by the patient is under way."))
        return dict.fromkeys(self._shares_being_paid(), answer)

    def _shares_being_paid(self):
        """Those of these shares for which a payment was started and its outcome is not booked
        yet.
        """
        transactions = (
            self.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("invoice_ids", "in", self.move_id.ids),
                    "|",
                    ("state", "in", TX_UNDER_WAY),
                    "&",
                    ("state", "=", "done"),
                    ("is_post_processed", "=", False),
                ]
            )
        )
        moves = transactions.invoice_ids
        return self.filtered(lambda share: share.move_id in moves)

    def _dunning_last_contacts(self):
        """Last day on which each debtor of these shares was written to.

        :return: dict of (company id, partner id) → date.
        """
        domain = [
            ("partner_id", "in", self.partner_id.ids),
            ("company_id", "in", self.company_id.ids),
        ]
        contacts = {}
        for model, field, extra in (
            ("credit.control.line", "date", [("state", "in", ("to_be_sent", "queued", "sent"))]),
            ("health.payment.link", "sent_on", [("sent_on", "!=", False)]),
        ):
            for company, partner, last in (
                self.env[model]
                .sudo()
                ._read_group([*domain, *extra], ["company_id", "partner_id"], [f"{field}:max"])
            ):
                key = (company.id, partner.id)
                contacts[key] = max(last, contacts.get(key, last))
        return contacts

    def _guard_recent_contact(self, day):
        gap = timedelta(days=self.env["health.parameter"].value_of("reminder_gap_days"))
        contacts = self._dunning_last_contacts()
        held = {}
        for share in self:
            last = contacts.get((share.company_id.id, share.partner_id.id))
            if last and day < last + gap:
                held[share] = (
                    "recent_contact",
                    self.env._(
                        "Already written to on %(last)s: nothing before %(next)s.",
                        last=format_date(self.env, last),
                        next=format_date(self.env, last + gap),
                    ),
                )
        return held

    def _guard_small_amount(self, day):
        least = self.env["health.parameter"].value_of("reminder_least_amount")
        held = {}
        for shares in self.grouped(lambda share: (share.company_id, share.partner_id)).values():
            total = sum(cents(share.amount_residual) for share in shares)
            if total < least:
                answer = (
                    "small_amount",
                    self.env._(
                        "%(total)s due in all: below the least amount reminded (%(least)s).",
                        total=format_cents(total),
                        least=format_cents(least),
                    ),
                )
                held.update(dict.fromkeys(shares, answer))
        return held

    # -- payment link -----------------------------------------------------------------------------

    def action_payment_link(self):
        """Make a payment link for the patient of these shares and show it once."""
        patients = self.filtered(lambda share: share.debtor_kind == "patient").partner_id
        if len(patients) != 1:
            raise UserError(self.env._("Choose the share of one patient: a link is personal."))
        return patients.action_payment_link()
