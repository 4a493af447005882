from odoo import api, models
from odoo.exceptions import UserError


class CreditControlRun(models.Model):
    _inherit = "credit.control.run"

    @api.model
    def _check_run_date(self, controlling_date):
        """Replace `account_credit_control`: one practitioner's run must not stand in the way of
        another's.
        """
        company = self.company_id or self.env.company
        later = [("date", ">", controlling_date), ("company_id", "=", company.id)]
        newest = self.search([*later, ("state", "=", "done")], order="date DESC", limit=1)
        newest = newest or self.env["credit.control.line"].search(later, order="date DESC", limit=1)
        if newest:
            raise UserError(
                self.env._(
                    "Reminders of %(company)s were already run at a later date (%(date)s): "
                    "choose that date or a newer one.",
                    company=company.name,
                    date=newest.date,
                )
            )

    def generate_credit_lines(self):
        """Override of `account_credit_control`: two programs must not write to the same people."""
        if self.policy_ids.filtered("health_debtor_kind"):
            problem = self.env["res.company"]._health_other_followup()
            if problem:
                raise UserError(problem)
        return super().generate_credit_lines()

    def run_channel_action(self):
        """Override of `account_credit_control`: patients get our message, without a PDF."""
        self.ensure_one()
        patients = self.line_ids.filtered(
            lambda line: line.policy_id.health_debtor_kind == "patient"
        )
        if not patients:
            return super().run_channel_action()
        return self._health_process_lines()

    def _health_process_lines(self):
        """Send or prepare everything that is ready in this run.

        E-mails go to the mail queue; letters stay to be done and show as a card in the cockpit.
        """
        self.ensure_one()
        Communication = self.env["credit.control.communication"]
        lines = self.line_ids.filtered(
            lambda line: line.state == "to_be_sent" and not line.communication_id
        )
        Communication._generate_comm_from_credit_lines(lines)._health_bring_out()
        return True
