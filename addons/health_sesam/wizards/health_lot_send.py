from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros


class HealthLotSend(models.TransientModel):
    """What a person confirms before lots leave: the signature, and files that left already."""

    _name = "health.lot.send"
    _description = "Send Lots"

    lot_ids = fields.Many2many("health.lot", string="Lots", required=True)
    lot_count = fields.Integer("Lots to send", compute="_compute_summary")
    fse_count = fields.Integer("FSE", compute="_compute_summary")
    currency_id = fields.Many2one("res.currency", compute="_compute_summary")
    amount_total = fields.Monetary("Total", compute="_compute_summary")
    roads = fields.Text("By", compute="_compute_summary")
    obstacles = fields.Text(compute="_compute_summary")
    unsigned_count = fields.Integer(compute="_compute_summary")
    sent_count = fields.Integer(compute="_compute_summary")
    is_signed = fields.Boolean("The practitioner signed the list of these FSE")
    is_again = fields.Boolean("Send again what left already")

    @api.depends("lot_ids", "is_again")
    def _compute_summary(self):
        for wizard in self:
            lots = wizard.lot_ids._origin or wizard.lot_ids
            roads = self.env["health.transport"]._for_lots(lots)
            gone = lots._was_transmitted()
            wizard.lot_count = len(lots)
            wizard.fse_count = sum(lots.mapped("fse_count"))
            wizard.currency_id = lots[:1].currency_id
            wizard.amount_total = euros(sum(cents(lot.amount_total) for lot in lots))
            wizard.roads = "\n".join(sorted({road.name for road in roads.values() if road}))
            wizard.obstacles = "\n".join(
                self.env._("Lot %(lot)s: %(reason)s", lot=lot.display_name, reason=reason)
                for lot, reason in lots._may_not_leave(again=True).items()
            )
            wizard.unsigned_count = len(lots.filtered(lambda lot: not lot.signed_on))
            wizard.sent_count = len(gone)

    def action_send(self):
        """Send; each lot tells what became of it."""
        self.ensure_one()
        lots = self.lot_ids
        if lots.filtered(lambda lot: not lot.signed_on):
            if not self.is_signed:
                raise UserError(
                    self.env._(
                        "The practitioner signs before anything leaves: have the list signed, then "
                        "tick that it is."
                    )
                )
            lots.action_mark_signed()
        sent, failures = lots._transmit(again=self.is_again)
        text = self.env._("%s lot(s) sent.", len(sent))
        action = self.env["health.transport"]._tell(
            "\n".join([text, *failures]), "warning" if failures else "success"
        )
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action
