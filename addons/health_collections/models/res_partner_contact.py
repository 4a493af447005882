from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    health_contact_ids = fields.One2many(
        "health.contact",
        "partner_id",
        string="Contacts",
        groups="health_billing.group_biller,health_billing.group_practitioner",
    )

    def _compute_health_contact_count(self):
        """Replace: every exchange counts, not the reminders alone."""
        counts = {}
        if self.env["health.contact"].has_access("read"):
            counts = dict(
                self.env["health.contact"]._read_group(
                    [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
                )
            )
        for partner in self:
            partner.health_contact_count = counts.get(partner, 0)

    def action_health_contacts(self):
        """Replace: the history of all exchanges with this person."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("health_collections.action_contact")
        return {
            **action,
            "domain": [("partner_id", "=", self.id)],
            "context": {"search_default_current": 0},
        }
