from odoo import api, fields, models

from ..ngap import UnknownValue, act_price
from ..ngap.shares import split
from ..tools import cents, euros
from .health_ngap import OUTSIDE


class SaleOrderLine(models.Model):
    """A line of a quote for care: the tariff, what goes beyond it, and who is expected to bear it."""

    _inherit = "sale.order.line"

    health_is_covered = fields.Boolean(
        "In the nomenclature",
        compute="_compute_health_tariff",
        store=True,
        readonly=False,
        precompute=True,
    )
    health_tariff = fields.Monetary(
        "Tariff",
        compute="_compute_health_tariff",
        store=True,
        readonly=False,
        precompute=True,
        help="Of one act, before any overrun; outside the nomenclature: its price.",
    )
    health_overrun = fields.Monetary("Overrun", help="Of one act, beyond the tariff.")
    health_overrun_total = fields.Monetary(
        "Overrun of the line", compute="_compute_health_parts", store=True
    )
    health_amo = fields.Monetary(
        "AMO", compute="_compute_health_parts", store=True, readonly=False, help="Expected."
    )
    health_amc = fields.Monetary(
        "AMC", compute="_compute_health_parts", store=True, readonly=False, help="Expected."
    )

    @api.depends("product_id", "order_id.health_care_date", "order_id.health_patient_id")
    def _compute_health_tariff(self):
        tariff = None
        for line in self:
            order, product = line.order_id, line.product_id
            if not order.health_patient_id:
                line.health_is_covered = False
                line.health_tariff = 0
                continue
            line.health_is_covered = bool(product.health_key_letter)
            if not line.health_is_covered:
                # the price of free lines is typed
                line.health_tariff = line.health_tariff or 0
                continue
            tariff = tariff or self.env["health.ngap.value"]._tariff()
            day = order.health_care_date or fields.Date.context_today(line)
            try:
                value = tariff.effective(
                    product._health_tariff_letter(
                        product.health_profession, product.health_key_letter
                    ),
                    order.company_id.health_zone or "metropole",
                    day,
                )
            except UnknownValue:
                line.health_tariff = line.health_tariff or 0
                continue
            line.health_tariff = euros(
                act_price(value.cents, product.health_coefficient_hundredths)
            )

    @api.depends("health_tariff", "health_overrun", "order_id.health_patient_id")
    def _compute_price_unit(self):
        """Override of `sale`: the price of care is the tariff and what goes beyond it, no price list."""
        care = self.filtered("order_id.health_patient_id")
        for line in care:
            line.price_unit = line.technical_price_unit = line.health_tariff + line.health_overrun
        return super(SaleOrderLine, self - care)._compute_price_unit()

    @api.depends("order_id.health_patient_id")
    def _compute_tax_ids(self):
        """Override of `sale`: care bears no tax."""
        care = self.filtered("order_id.health_patient_id")
        care.tax_ids = False
        return super(SaleOrderLine, self - care)._compute_tax_ids()

    @api.depends(
        "product_uom_qty",
        "health_tariff",
        "health_overrun",
        "health_is_covered",
        "order_id.health_patient_id",
        "order_id.health_care_date",
    )
    def _compute_health_parts(self):
        """Who is expected to bear the line, after the rights known on the day of the care."""
        today = fields.Date.context_today(self)
        keys = {
            line: (line.order_id.health_patient_id.id, line.order_id.health_care_date or today)
            for line in self
            if line.order_id.health_patient_id
        }
        terms = self.env["health.coverage"]._terms_on({key for key in keys.values() if key[0]})
        for line in self:
            quantity = int(line.product_uom_qty)
            overrun = cents(line.health_overrun) * quantity
            line.health_overrun_total = euros(overrun)
            known = terms.get(keys.get(line))
            if not known:
                line.health_amo = line.health_amc = 0
                continue
            amount = cents(line.health_tariff) * quantity + overrun
            parts = split(amount, known, overrun, line.health_is_covered)
            # what the funds will pay, to the professional or back to the patient
            line.health_amo = euros(parts.amo + parts.refund_amo)
            line.health_amc = euros(parts.amc + parts.refund_amc)

    def _health_act_values(self, day, sequence, prescription):
        """Values of the FSE act that this line announced, for one session: the number is that of the sessions."""
        self.ensure_one()
        product = self.product_id
        return {
            "sequence": sequence,
            "act_date": day,
            "key_letter": product.health_key_letter or OUTSIDE,
            "coefficient_hundredths": product.health_coefficient_hundredths or 100,
            "product_id": product.id if product.health_key_letter else False,
            "quantity": 1,
            "amount": self.price_unit,
            "overrun": self.health_overrun,
            "prescription_id": prescription.id,
            "project": prescription.project,
        }
