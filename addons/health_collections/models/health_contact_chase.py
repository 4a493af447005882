from odoo import fields, models
from odoo.tools import html_sanitize


class HealthContact(models.Model):
    # a concern of its own, in a file of its own
    _inherit = "health.contact"  # pylint: disable=consider-merging-classes-inherited

    chase_id = fields.Many2one(
        "health.chase",
        string="Chase",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )
    lateness_claim_id = fields.Many2one(
        "health.lateness.claim",
        string="Claim of penalties",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )

    def _letter_body(self):
        """The letter word for word as it was written."""
        self.ensure_one()
        return html_sanitize(self.body or "", sanitize_style=False, sanitize_attributes=False)

    def _letter_place_day(self):
        """Place and day of the letter, e.g. « Lyon, le 22 novembre 2026 »."""
        self.ensure_one()
        place = self.company_id.city
        day = self.env["res.partner"]._health_day_text(self.day)
        return f"{place}, le {day}" if place else f"Le {day}"

    def _letter_reference(self):
        """What the payer finds the practitioner by, and its own file number."""
        self.ensure_one()
        parts = [f"N° {self.company_id.health_provider_no}"]
        if self.chase_id.dossier_no:
            parts.append(f"votre dossier n° {self.chase_id.dossier_no}")
        return ", ".join(parts)
