from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents


class PaymentReceipt(models.AbstractModel):
    """Receipt for a payment of a patient, on paper: what was received, for which sheets, what is left."""

    _name = "report.health_collections.payment_receipt"
    _description = "Receipt of a Payment"

    @api.model
    def _get_report_values(self, docids, data=None):
        payments = self.env["account.payment"].browse(docids)
        payments.check_access("read")
        payments = payments.sudo()
        wrong = payments.filtered(
            lambda one: (
                one.state not in ("in_process", "paid")
                or one.payment_type != "inbound"
                or not self._shares(one)
                and one.partner_id.health_kind != "patient"
            )
        )
        if wrong:
            raise UserError(
                self.env._(
                    "A receipt is for money that a patient has paid. These are not such payments: %s. "
                    "Choose booked payments of patients.",
                    ", ".join(one.name or self.env._("draft") for one in wrong),
                )
            )
        return {
            "doc_ids": docids,
            "doc_model": "account.payment",
            "docs": payments,
            "letters": {payment.id: self._letter(payment) for payment in payments},
        }

    @api.model
    def _parts(self, payment):
        """What the payment settled, by share: dict of share → cents."""
        parts = {}
        # the money's own entries: matched with what was owed
        lines = payment.move_id.line_ids
        for match in lines.matched_debit_ids:
            share = match.debit_move_id.move_id.health_share_id
            if share:
                parts[share] = parts.get(share, 0) + cents(match.amount)
        return parts

    @api.model
    def _shares(self, payment):
        return self.env["health.share"].browse([share.id for share in self._parts(payment)])

    @api.model
    def _letter(self, payment):
        Partner, money = self.env["res.partner"], self.env["health.payment.link"]._money
        parts = self._parts(payment)
        shares = self.env["health.share"].union(*parts)
        received = cents(payment.amount)
        shares = shares.sorted(lambda share: (share.fse_date, share.id))
        kept = received - sum(parts.values())
        return {
            "sender": payment.company_id._health_sender(),
            "day": f"Le {Partner._health_day_text(fields.Date.context_today(self))}",
            "reference": payment.partner_id.ref or "",
            "payer": payment.partner_id.name,
            "received_on": Partner._health_day_text(payment.date),
            "amount": money(received),
            "means": self._means(payment),
            "number": payment.name or "",
            "for_several": bool(shares) and shares.patient_id != payment.partner_id,
            "rows": [
                {
                    "number": share.fse_id.name,
                    "day": share.fse_date.strftime("%d/%m/%Y") if share.fse_date else "",
                    "patient": share.patient_id.name,
                    "received": money(parts[share]),
                    "left": money(cents(share.amount_residual)),
                }
                for share in shares
            ],
            "settled": money(sum(parts.values())),
            "left": sum(cents(share.amount_residual) for share in shares),
            "left_text": money(sum(cents(share.amount_residual) for share in shares)),
            "kept": money(kept) if kept > 0 else "",
            "is_test": payment.payment_transaction_id.provider_id.state == "test",
        }

    @api.model
    def _means(self, payment):
        """How the money came, in words; empty when nobody said."""
        if payment.payment_transaction_id:
            return "en ligne"
        if payment.journal_id.type == "cash":
            return "en espèces"
        if payment.payment_method_code == "manual":
            return ""
        return f"par {payment.payment_method_line_id.name.lower()}"
