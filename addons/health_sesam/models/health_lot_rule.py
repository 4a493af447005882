from odoo import api, fields, models, tools

from odoo.addons.health_billing.tools import cents


class HealthLotRule(models.Model):
    """How large a lot may be, and whether an ARL is expected, by kind and payer: data, never code.

    What a row leaves empty is that of the agency (*Delays and thresholds*). The most precise row
    counts: its payer, then its scheme, then its kind.
    """

    _name = "health.lot.rule"
    _description = "Ceilings of Lots"
    _order = "kind, regime, payer_id, id"

    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("F", "FSE"), ("B", "Degraded or plain B2"), ("D", "DRE")], help="Empty: every kind."
    )
    regime = fields.Char("Scheme", size=2, help="First two digits of the fund. Empty: every one.")
    payer_id = fields.Many2one(
        "res.partner", domain=[("health_kind", "in", ("amo", "amc"))], ondelete="cascade"
    )
    max_fse = fields.Integer("FSE at most", help="0: that of the agency.")
    max_records = fields.Integer("Records at most", help="0: that of the agency.")
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.ref("base.EUR"), required=True
    )
    max_amount = fields.Monetary("Amount at most", help="0: none.")
    is_arl_expected = fields.Boolean("ARL expected", default=True)
    source = fields.Char(required=True, help="Who says so.")
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        string="Proof",
        required=True,
        default="C",
    )

    _rule_uniq = models.UniqueIndex(
        "(COALESCE(kind, ''), COALESCE(regime, ''), COALESCE(payer_id, 0)) WHERE active",
        "A row for this kind, scheme and payer exists already.",
    )

    @api.model
    @tools.ormcache()
    def _rows(self):
        """All rows as (kind, scheme, payer id, id), read once."""
        rows = self.sudo().search([("active", "=", True)])
        return [(row.kind, row.regime, row.payer_id.id, row.id) for row in rows]

    @api.model
    def _of(self, kind, payer):
        """The most precise row for lots of ``kind`` to ``payer``; a neutral one when none fits."""
        regime = (payer.health_org_no or "")[:2]
        fitting = [
            ((row_payer or 0) != 0, bool(row_regime), bool(row_kind), row_id)
            for row_kind, row_regime, row_payer, row_id in self._rows()
            if row_kind in (False, kind)
            and row_regime in (False, regime)
            and row_payer in (False, payer.id)
        ]
        if fitting:
            return self.sudo().browse(max(fitting)[-1])
        return self.new({"is_arl_expected": True})

    @api.model
    def _ceilings(self, kind, payer):
        """(FSE, records, cents) that a lot holds at most; 0 cents: any amount."""
        rule = self._of(kind, payer)
        value_of = self.env["health.parameter"].value_of
        return (
            rule.max_fse or value_of("lot_max_fse"),
            rule.max_records or value_of("lot_max_records"),
            cents(rule.max_amount),
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Override: the rows are read once."""
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        """Override: the rows are read once."""
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        """Override: the rows are read once."""
        self.env.registry.clear_cache()
        return super().unlink()
