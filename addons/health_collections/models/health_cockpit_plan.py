from odoo import api, models
from odoo.fields import Domain


class HealthCockpit(models.AbstractModel):
    """Plans, agreements and payments of patients that somebody must look at."""

    _inherit = "health.cockpit"

    @api.model
    def _cards_patients(self, day):
        """Override of `health_billing`: plans to answer, agreements to approve, cheques, what is too much."""
        return [
            *super()._cards_patients(day),
            *self._cards_of(
                "plans-asked",
                "health.plan",
                [("state", "=", "asked")],
                "amount",
                self.env._("Instalments asked for"),
                self.env._("The patient waits for an answer; no reminder leaves meanwhile."),
                self.env._("Answer"),
            ),
            *self._cards_of(
                "plans-late",
                "health.plan",
                [("state", "=", "running"), ("notice_on", "!=", False)],
                "left",
                self.env._("Instalment missed"),
                self.env._("The patient was told; a call may save the plan."),
                self.env._("See the plans"),
            ),
            *self._cards_of(
                "agreements-asked",
                "health.agreement",
                [("state", "=", "asked")],
                "reduction",
                self.env._("Agreements to approve"),
                self.env._("A part is to be forgiven: a manager decides."),
                self.env._("Decide"),
            ),
            *self._cards_of(
                "cheques",
                "health.receipt",
                [("mode", "=", "cheque"), ("state", "=", "booked"), ("deposit_id", "=", False)],
                "amount",
                self.env._("Cheques to bring to the bank"),
                self.env._("Received from patients and on no slip yet."),
                self.env._("Prepare the slip"),
            ),
            *self._cards_of(
                "receipts-too-much",
                "health.receipt",
                [("excess", ">", 0)],
                "excess",
                self.env._("Patients who paid too much"),
                self.env._("Give it back, or use it for what they owe."),
                self.env._("See the payments"),
            ),
        ]

    @api.model
    def _cards_of(self, key, model, domain, amount, title, why, button):
        """One card per practitioner over the records of a model."""
        Model = self.env[model]
        if not Model.has_access("read"):
            return []
        domain = Domain("company_id", "in", self.env.companies.ids) & Domain(domain)
        return [
            self._patient_card(
                key,
                company,
                title=title,
                why=why,
                count=count,
                amount=total,
                action=self._act_window(
                    title, model, list(domain & Domain("company_id", "=", company.id))
                ),
                button=button,
            )
            for company, count, total in Model._read_group(
                domain, ["company_id"], ["__count", f"{amount}:sum"]
            )
        ]
