from odoo import models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_health_receive(self):
        """Book a payment of this patient, for all that they settle."""
        self.ensure_one()
        self.check_access("write")
        if self.health_kind != "patient":
            raise UserError(self.env._("Only a patient pays here."))
        payer = self.health_debtor_id or self
        return self.env["health.patient.payment"]._open(payer, payer.company_id or self.company_id)
