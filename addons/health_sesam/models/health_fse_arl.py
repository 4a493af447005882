from odoo import api, fields, models


class HealthFse(models.Model):
    _inherit = "health.fse"

    arl_ids = fields.One2many("health.arl", "fse_id", string="ARL of this FSE")
    arl_state = fields.Selection(
        [
            ("waiting", "Expected"),
            ("ok", "Received"),
            ("refused", "Refused"),
            ("not_needed", "Not needed"),
            ("missing", "Missing"),
        ],
        string="ARL",
        compute="_compute_arl_state",
        store=True,
        help="That of its lot, unless the front end refused this very FSE.",
    )

    @api.depends("lot_id.arl_state", "arl_ids.result", "arl_ids.is_superseded")
    def _compute_arl_state(self):
        for fse in self:
            refused = fse.arl_ids.filtered(
                lambda arl: arl.result == "negative" and not arl.is_superseded
            )
            fse.arl_state = "refused" if refused else fse.lot_id.arl_state
