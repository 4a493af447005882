from odoo import api, models

#: what the acknowledgement (of the lot, or of this FSE alone) makes of a share of which the payer said nothing
STATE_BY_ARL = {
    "refused": "arl_refused",
    "missing": "arl_missing",
    "ok": "acknowledged",
}


class HealthShare(models.Model):
    _inherit = "health.share"

    @api.depends("fse_id.arl_state")
    def _compute_state(self):
        """Override of `health_billing`: the acknowledgement counts too."""
        return super()._compute_state()

    def _state_of_sending(self):
        """Override of `health_billing`: what was sent was acknowledged, refused as a lot, or not answered for."""
        state = super()._state_of_sending()
        if state != "sent":
            return state
        return STATE_BY_ARL.get(self.fse_id.arl_state, state)

    def _resend_refusals(self):
        """Override of `health_billing`: what waits in a lot to be signed has not left yet."""
        found = super()._resend_refusals()
        for share in self:
            lot = share.fse_id.lot_id
            if share.id not in found and lot and not lot.sent_on:
                found[share.id] = self.env._(
                    "waits in lot %s to be signed: take the FSE out of it first", lot.display_name
                )
        return found
