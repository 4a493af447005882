from odoo import models


class HealthFse(models.Model):
    """What an FSE has to do with quotes."""

    _inherit = "health.fse"

    def action_health_quote(self):
        """Open the quote of this FSE, or make it of its acts."""
        self.ensure_one()
        if self.quote_id:
            return self.quote_id._action_health_open()
        outside = self.env.ref("health_billing.product_outside")
        lines = []
        for act in self.act_ids:
            quantity = act.quantity or 1
            overrun = act.overrun / quantity
            line = {
                "product_id": act.product_id.id or outside.id,
                "product_uom_qty": quantity,
                "health_tariff": act.amount / quantity - overrun,
                "health_overrun": overrun,
            }
            if not act.product_id:
                line.update(name=f"{act.key_letter} {act.coefficient}", health_is_covered=True)
            lines.append(line)
        Order = self.env["sale.order"]
        action = Order._health_make(
            self.patient_id,
            lines,
            health_prescription_id=self.prescription_id.id,
            health_care_date=self.fse_date,
        )
        self.quote_id = Order.browse(action["res_id"])
        return action
