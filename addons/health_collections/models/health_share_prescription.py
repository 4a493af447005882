from odoo import api, fields, models
from odoo.fields import Command

from odoo.addons.health_billing.models.health_share import CLOSED

from ..dunning.prescription import Event, alert_from, first_day_after


class HealthShare(models.Model):
    """Until when a patient may be asked in court for what they owe, read with care."""

    _inherit = "health.share"

    interruption_ids = fields.Many2many(
        "health.debt.interruption",
        "health_debt_interruption_share_rel",
        "share_id",
        "interruption_id",
        string="Prescription interrupted by",
        readonly=True,
        copy=False,
    )
    prescription_date = fields.Date(
        "Prescription",
        compute="_compute_prescription_date",
        store=True,
        index="btree_not_null",
        help="First day on which, read with care, the patient can no longer be made to pay. "
        "A letter, even registered, does not move it.",
    )

    @api.depends(
        "debtor_kind",
        "fse_id.fse_date",
        "fse_id.act_ids.act_date",
        "interruption_ids.day",
        "interruption_ids.until",
        "interruption_ids.kind",
    )
    def _compute_prescription_date(self):
        patients = self.filtered(lambda share: share.debtor_kind == "patient")
        (self - patients).prescription_date = False
        if not patients:
            return
        value_of = self.env["health.parameter"].value_of
        months = value_of("debt_limit_months")
        least = value_of("debt_suspension_months")
        for share in patients:
            events = [
                Event(act.day, act.until if act.kind == "suspension" else None)
                for act in share.interruption_ids
                # a suspension that still lasts gives nothing yet
                if act.day and (act.kind != "suspension" or act.until)
            ]
            days = [share.fse_id.fse_date, *share.fse_id.act_ids.mapped("act_date")]
            share.prescription_date = first_day_after(filter(None, days), events, months, least)

    @api.model
    def _prescription_recompute(self):
        """Count again what is still open, when the delay was changed."""
        shares = self.sudo().search([("debtor_kind", "=", "patient"), ("state", "not in", CLOSED)])
        self.env.add_to_compute(self._fields["prescription_date"], shares)

    @api.model
    def _prescription_domain(self, day):
        """Open shares of patients that reached the alert: a person decides what is done in time."""
        value_of = self.env["health.parameter"].value_of
        return [
            ("debtor_kind", "=", "patient"),
            ("state", "in", ("due", "partial", "disputed")),
            ("amount_residual", ">", 0),
            ("is_replaced", "=", False),
            (
                "prescription_date",
                "<",
                alert_from(day, value_of("debt_limit_months"), value_of("debt_alert_months")),
            ),
        ]

    def _interrupt_prescription(self, day, reason, note=False, until=False):
        """Note what moves the delay of these shares: the debtor acknowledged them, agreed to a plan, was sued.

        A reminder, a formal notice or any other letter is no such thing. Noted once per day and kind.

        :param date day: the day on which it happened.
        :param reason: kind of `health.debt.interruption` (acknowledgement, plan, court, suspension); any other
            text is taken for the words of an acknowledgement.
        :param note: what happened, in a few words.
        :param until: first day after a suspension.
        :return: the interruptions, one per debtor.
        """
        Interruption = self.env["health.debt.interruption"].sudo()
        kind = reason
        if reason not in dict(Interruption._fields["kind"].selection):
            kind, note = "acknowledgement", note or reason
        known = Interruption.search(
            [("share_ids", "in", self.ids), ("day", "=", day), ("kind", "=", kind)]
        )
        shares = self.sudo().filtered(lambda share: share.debtor_kind == "patient")
        made = Interruption.create(
            [
                {
                    "company_id": company.id,
                    "partner_id": partner.id,
                    "day": day,
                    "until": until,
                    "kind": kind,
                    "note": note,
                    "share_ids": [Command.set(group.ids)],
                    "user_id": self.env.uid,
                }
                for (company, partner), group in (shares - known.share_ids)
                .grouped(lambda share: (share.company_id, share._dunning_debtor()))
                .items()
            ]
        )
        return known | made

    def action_interrupt_prescription(self):
        """Open a form to note an acknowledgement, a claim in court or a suspension."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Note what interrupts prescription"),
            "res_model": "health.debt.interruption",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_share_ids": [Command.set(self.ids)],
                "default_company_id": self.company_id[:1].id,
                "default_partner_id": self[:1]._dunning_debtor().id if self else False,
            },
        }
