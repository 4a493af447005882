from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: what an invoice says of an act: it stays once it is booked
BOOKED_FIELDS = frozenset(
    {
        "fse_id",
        "act_date",
        "key_letter",
        "coefficient_hundredths",
        "quantity",
        "complement",
        "product_id",
        "amount",
        "amo_amount",
        "amc_amount",
        "patient_amount",
    }
)


class HealthFseAct(models.Model):
    """One act of an FSE. Care is only shown here and to those who bill it, never in the ledger."""

    _name = "health.fse.act"
    _description = "FSE Act"
    _order = "fse_id, act_date, passage, sequence, id"

    fse_id = fields.Many2one("health.fse", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="fse_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="fse_id.currency_id")
    sequence = fields.Integer(default=10)
    act_date = fields.Date("Date of the act", required=True)
    key_letter = fields.Char(
        compute="_compute_from_product", store=True, readonly=False, precompute=True, required=True
    )
    coefficient_hundredths = fields.Integer(
        "Coefficient (hundredths)",
        compute="_compute_from_product",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    coefficient = fields.Char(compute="_compute_coefficient")
    quantity = fields.Integer(default=1, required=True)
    complement = fields.Selection([("N", "Night"), ("F", "Sunday or holiday"), ("U", "Emergency")])
    product_id = fields.Many2one("product.product", string="NGAP act", ondelete="restrict")
    amount = fields.Monetary("Fee")
    act_time = fields.Char("Hour", size=5, help="HH:MM")
    called_time = fields.Char("Call at", size=5, help="HH:MM")
    passage = fields.Integer(default=1)
    place = fields.Selection(selection="_places")
    factor = fields.Integer("Taken at (%)", default=100, help="100, 50 (second act of a session) …")
    surcharge = fields.Monetary(help="Night or Sunday, part of the fee.")
    overrun = fields.Monetary(help="Beyond the tariff, part of the fee.")
    prescription_id = fields.Many2one("health.prescription", index="btree_not_null")
    visit_id = fields.Many2one("health.visit", index="btree_not_null")
    project = fields.Char("Body area or project")
    is_emergency = fields.Boolean("Emergency")
    duration = fields.Integer("Minutes", help="How long it lasted; 0: not noted.")
    group_size = fields.Integer("Patients at once", default=1)
    is_renewal = fields.Boolean("Renewal assessment")
    reason = fields.Char(help="Why a limit is passed.")
    is_added = fields.Boolean(
        "Added by pricing",
        readonly=True,
        help="Travel, supplements: pricing makes them, and takes them away.",
    )
    why = fields.Char("Why this price", readonly=True)
    amo_rate = fields.Integer("AMO rate (%)")
    amo_amount = fields.Monetary("AMO")
    amc_amount = fields.Monetary("AMC")
    patient_amount = fields.Monetary("Patient")

    #: the practitioner's whole days are read at every pricing and control
    _day_idx = models.Index("(company_id, act_date)")

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "The quantity is 1 or more.")

    @api.constrains("overrun")
    def _check_overrun(self):
        for act in self:
            if act.overrun < 0:
                raise ValidationError(
                    self.env._(
                        "An overrun is what is asked beyond the tariff: it cannot be below zero (FSE %s).",
                        act.fse_id.name,
                    )
                )

    @api.constrains("prescription_id")
    def _check_prescription(self):
        self.prescription_id._check_patients(
            (act.prescription_id, act.fse_id.patient_id) for act in self
        )

    @api.model
    def _places(self):
        return [
            ("office", self.env._("At the practice")),
            ("home", self.env._("At home")),
            ("facility", self.env._("In an establishment")),
        ]

    @api.depends("coefficient_hundredths")
    def _compute_coefficient(self):
        for act in self:
            whole, rest = divmod(act.coefficient_hundredths, 100)
            act.coefficient = f"{whole},{rest:02d}".rstrip("0").rstrip(",") if rest else str(whole)

    @api.depends("product_id")
    def _compute_from_product(self):
        for act in self:
            if act.product_id.health_key_letter:
                act.key_letter = act.product_id.health_key_letter
                act.coefficient_hundredths = act.product_id.health_coefficient_hundredths
            else:
                act.key_letter = act.key_letter or False
                act.coefficient_hundredths = act.coefficient_hundredths or 0

    # -- a validated FSE is a fact -----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        acts = super().create(vals_list)
        acts.fse_id._check_open()
        acts.fse_id._check_not_booked()
        return acts

    def write(self, vals):
        self.fse_id._check_open()
        if BOOKED_FIELDS & vals.keys():
            self.fse_id._check_not_booked()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_open(self):
        self.fse_id._check_open()
        self.fse_id._check_not_booked()
