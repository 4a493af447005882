from odoo import models

from odoo.addons.health_billing.tools import cents, format_cents


class HealthFse(models.Model):
    _inherit = "health.fse"

    def _events(self):
        """Override of `health_billing`: what the payers said; why they refused, to who may know of care."""
        events = super()._events()
        may_tell = self._may_tell_care()
        for line in (
            self.env["health.settlement.line"]
            .sudo()
            .search([("share_id", "in", self.sudo().share_ids.ids)], order="id")
        ):
            settlement = line.settlement_id
            kind, text = "announced", self.env._("Announced: %s", format_cents(cents(line.paid)))
            if line.state == "R":
                kind, text = "rejected", self.env._("Rejected")
                why = [" ".join(filter(None, (one.code, one.label))) for one in line.rejection_ids]
                if may_tell and any(why):
                    text = f"{text} · {', '.join(filter(None, why))}"
            elif line.state != "P":
                kind, text = "deferred", self.env._("Put off: the payer is still at work")
            events.setdefault(line.share_id.fse_id.id, []).append(
                self._event(
                    settlement.transfer_date,
                    kind,
                    text,
                    line,
                    settlement.payer_id.name or line.share_id.partner_id.name,
                    line.share_id.debtor_kind,
                )
            )
        return events
