import binascii

from odoo import fields
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request, route

from odoo.addons.sale.controllers.portal import CustomerPortal

REPORT = "health_billing.action_report_quote"


class QuotePortal(CustomerPortal):
    """A quote for care on the portal: our own document, and a signature that mails its lines to nobody."""

    def _care_quote(self, order_id, access_token):
        """The quote for care behind a valid link, ``None`` for anything else (then `sale` answers)."""
        try:
            order = self._document_check_access("sale.order", order_id, access_token=access_token)
        except (AccessError, MissingError):
            return None
        return order if order.health_patient_id else None

    @route()
    def portal_order_page(
        self, order_id, report_type=None, access_token=None, message=False, download=False, **kw
    ):
        """Override of `sale`: the printed quote for care is ours."""
        order = report_type and self._care_quote(order_id, access_token)
        if order:
            if not self._may_print_pdf():
                report_type = "html"
            return self._show_report(
                model=order, report_type=report_type, report_ref=REPORT, download=download
            )
        return super().portal_order_page(
            order_id,
            report_type=report_type,
            access_token=access_token,
            message=message,
            download=download,
            **kw,
        )

    @route()
    def portal_quote_accept(self, order_id, access_token=None, name=None, signature=None):
        """Override of `sale`: the signed quote for care is kept with the quote, and sent to nobody by e-mail."""
        access_token = access_token or request.httprequest.args.get("access_token")
        order = self._care_quote(order_id, access_token)
        if not order:
            return super().portal_quote_accept(
                order_id, access_token=access_token, name=name, signature=signature
            )
        # two tabs signing at once: the second finds it signed
        order.lock_for_update()
        order.invalidate_recordset(["state", "signature"])
        if not order._has_to_be_signed():
            return {"error": request.env._("This quote is no longer to be signed.")}
        if not signature or not (name or "").strip():
            return {"error": request.env._("Name and signature are needed.")}
        try:
            order.write(
                {
                    "signed_by": name.strip(),
                    "signed_on": fields.Datetime.now(),
                    "signature": signature,
                }
            )
            order.flush_recordset()
        except (TypeError, binascii.Error, UserError):
            request.env.cr.rollback()
            return {"error": request.env._("The signature could not be read: sign again.")}
        order.action_confirm()
        self._keep_proof(order)
        return {
            "force_refresh": True,
            "redirect_url": order.get_portal_url(query_string="&message=sign_ok"),
        }

    def _keep_proof(self, order):
        """Keep the document as it was signed, as an internal note."""
        Report = request.env["ir.actions.report"].sudo().with_company(order.company_id)
        if self._may_print_pdf():
            content, suffix = Report._render_qweb_pdf(REPORT, [order.id])[0], "pdf"
        else:
            content, suffix = Report._render_qweb_html(REPORT, [order.id])[0], "html"
        order.message_post(
            body=request.env._("Quote signed by %s", order.signed_by),
            attachments=[(f"{order.name}.{suffix}", content)],
            author_id=order.partner_id.id,
            message_type="notification",
            subtype_xmlid="mail.mt_note",
        )

    def _may_print_pdf(self):
        return request.env["ir.actions.report"].sudo().get_wkhtmltopdf_state() == "ok"
