from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_patients(self, day):
        """Override of `health_collections`: patients who asked something and wait for an answer come first."""
        return [*self._cards_patients_requests(), *super()._cards_patients(day)]

    @api.model
    def _cards_patients_requests(self):
        Request = self.env["health.debtor.request"]
        if not Request.has_access("read"):
            return []
        domain = Domain("company_id", "in", self.env.companies.ids) & Domain("state", "=", "open")
        labels = dict(Request._fields["kind"]._description_selection(self.env))
        found = {}
        for company, kind, count, oldest in Request._read_group(
            domain, ["company_id", "kind"], ["__count", "date:min"]
        ):
            found.setdefault(company, []).append((count, labels[kind], oldest))
        return [
            self._patient_card(
                "patients-requests",
                company,
                title=self.env._("Patients wait for your answer"),
                why=self.env._(
                    "Since %(day)s: %(kinds)s. Their reminders wait too.",
                    day=format_date(self.env, min(oldest for _count, _label, oldest in kinds)),
                    kinds=", ".join(f"{count} × {label}" for count, label, _oldest in kinds),
                ),
                count=sum(count for count, _label, _oldest in kinds),
                amount=0,
                action=self._act_window(
                    self.env._("Requests of patients"),
                    "health.debtor.request",
                    list(domain & Domain("company_id", "=", company.id)),
                ),
                button=self.env._("See the requests"),
            )
            for company, kinds in found.items()
        ]
