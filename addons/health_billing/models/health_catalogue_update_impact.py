from odoo import fields, models

from ..tools import cents, format_cents


class HealthCatalogueUpdateImpact(models.Model):
    """What a catalogue update means for one practitioner; the news is sent from here."""

    _name = "health.catalogue.update.impact"
    _description = "NGAP Catalogue Impact"
    _order = "update_id, act_count desc, id"

    update_id = fields.Many2one(
        "health.catalogue.update", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, ondelete="cascade"
    )
    open_count = fields.Integer("Acts not sent")
    planned_count = fields.Integer("Acts planned")
    act_count = fields.Integer("Acts touched")
    amount = fields.Monetary("Difference")
    currency_id = fields.Many2one(related="update_id.currency_id")
    news = fields.Text(help="What changes for this practitioner, one change per line.")
    is_told = fields.Boolean("Told", readonly=True)

    def _news_lines(self):
        """For the mail: what changes, line by line."""
        self.ensure_one()
        return (self.news or "").split("\n")

    def _amount_text(self):
        self.ensure_one()
        amount = cents(self.amount)
        return f"{'+' if amount >= 0 else ''}{format_cents(amount)}"

    def _sender(self):
        """Address the news comes from: the agency's, else that of who applied the update."""
        self.ensure_one()
        user = self.update_id.applied_by_id or self.env.user
        return user.company_id.email_formatted or user.email_formatted

    def _tell(self):
        """Tell the practitioners: an activity for each of their users, and a mail to the practice.

        Nothing in it about any patient. Mails go out with the mail queue.
        """
        template = self.env.ref("health_billing.mail_template_catalogue_news")
        self._make_activities()
        reachable = self.filtered(lambda impact: impact.company_id.email)
        if reachable:
            template.sudo().send_mail_batch(reachable.ids, force_send=False)
        self.is_told = True

    def _make_activities(self):
        users = (
            self.env.ref("health_billing.group_practitioner")
            .sudo()
            .all_user_ids.filtered(lambda user: user.active and not user.share)
        )
        model_id = self.env["ir.model"]._get_id("res.partner")
        kind = self.env.ref("mail.mail_activity_data_todo")
        self.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True).create(
            [
                {
                    "res_model_id": model_id,
                    "res_id": impact.company_id.partner_id.id,
                    "activity_type_id": kind.id,
                    "summary": impact.update_id._headline(),
                    "note": impact._note(),
                    "user_id": user.id,
                    # of today, so that the clock menu counts it at the next login
                    "date_deadline": fields.Date.context_today(self),
                }
                for impact in self
                for user in users
                if impact.company_id in user.company_ids
            ]
        )

    def _note(self):
        return self.env["ir.qweb"]._render(
            "health_billing.catalogue_news_note", {"impact": self, "lines": self._news_lines()}
        )
