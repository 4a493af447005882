from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthQuestion(models.Model):
    _inherit = "health.question"

    lot_id = fields.Many2one(
        "health.lot", index="btree_not_null", ondelete="cascade", check_company=True
    )
    fills = fields.Selection(
        selection_add=[("lot", "Sending of the lot")], ondelete={"lot": "set null"}
    )

    @api.model
    def _missing(self, day):
        """Override of `health_billing`: lots that wait for the signature of the practitioner."""
        asked = self.search([("lot_id", "!=", False)]).lot_id
        ready = self.env["health.lot"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "=", "ready"),
                ("id", "not in", asked.ids),
            ]
        )
        return super()._missing(day) + [
            {**vals, "is_automatic": True} for vals in self._lot_vals(ready)
        ]

    @api.model
    def _lot_vals(self, lots):
        return [
            {
                "company_id": lot.company_id.id,
                "kind": "sign",
                "expects": "sent",
                "fills": "lot",
                "text": self.env._(
                    "Lot %(lot)s, %(payer)s: sign and send these %(count)s claims in your software.",
                    lot=lot.name,
                    payer=lot.payer_id.name or "",
                    count=lot.fse_count,
                ),
                "lot_id": lot.id,
                "fse_ids": lot.fse_ids.ids,
                "key": f"lot-{lot.id}",
            }
            for lot in lots
        ]

    def _fill_lot(self, data):
        """The practitioner says that the whole lot is signed and sent: it is marked so."""
        lot = self.lot_id
        if not lot or lot.sent_on:
            return self.env._("The lot was marked as sent already.")
        if lot.fse_ids - data["sent"]:
            raise UserError(self.env._("The lot holds other FSE than those asked about."))
        lot.action_mark_sent()
        return self.env._("Lot %s marked as sent.", lot.name)
