from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..ngap import letters
from ..tools import cents, format_cents
from .health_prescription import keep_with

#: what a policy parameter makes of a missing quote
SEVERITY_BY_POLICY = {1: "2", 2: "3"}
OVERRUN_ONLY, OVERRUN_OR_OUTSIDE, EVERYTHING = range(3)


class SaleOrder(models.Model):
    """A quote given to a patient before care, signed on the portal, linked to the FSE it announced.

    It never becomes an ordinary invoice: care is billed by FSE alone.
    """

    _inherit = "sale.order"

    health_patient_id = fields.Many2one(
        "res.partner",
        string="Patient",
        index="btree_not_null",
        check_company=True,
        domain=[("health_kind", "=", "patient")],
    )
    health_prescription_id = fields.Many2one(
        "health.prescription",
        string="Prescription",
        index="btree_not_null",
        check_company=True,
        domain="[('patient_id', '=', health_patient_id)]",
    )
    health_care_date = fields.Date("Care planned on")
    health_profession = fields.Selection(related="company_id.health_profession")
    health_fse_ids = fields.One2many("health.fse", "quote_id", string="FSE")
    health_fse_count = fields.Integer("FSE made", compute="_compute_health_fse_count")
    health_scan_ids = fields.Many2many(
        "ir.attachment", string="Signed copy", copy=False, help="Scan of a quote signed on paper."
    )
    health_is_signed = fields.Boolean("Signed", compute="_compute_health_is_signed", store=True)
    health_overrun = fields.Monetary("Overrun in total", compute="_compute_health_totals")
    health_amo = fields.Monetary("AMO in total", compute="_compute_health_totals")
    health_amc = fields.Monetary("AMC in total", compute="_compute_health_totals")
    health_rest = fields.Monetary("Left to the patient", compute="_compute_health_totals")
    health_has_rights = fields.Boolean("Rights known", compute="_compute_health_totals")

    health_state = fields.Selection(
        [
            ("draft", "Draft"),
            ("sent", "Sent"),
            ("signed", "Signed"),
            ("expired", "Expired"),
            ("cancel", "Cancelled"),
        ],
        string="Progress",
        compute="_compute_health_state",
    )

    @api.depends("state", "is_expired")
    def _compute_health_state(self):
        for order in self:
            state = "signed" if order.state == "sale" else order.state
            order.health_state = "expired" if order.is_expired else state

    @api.depends("health_fse_ids")
    def _compute_health_fse_count(self):
        for order in self:
            order.health_fse_count = len(order.health_fse_ids)

    @api.depends("signed_on", "state", "health_patient_id")
    def _compute_health_is_signed(self):
        for order in self:
            order.health_is_signed = bool(
                order.health_patient_id and order.signed_on and order.state == "sale"
            )

    @api.depends(
        "amount_total",
        "order_line.health_overrun_total",
        "order_line.health_amo",
        "order_line.health_amc",
    )
    def _compute_health_totals(self):
        for order in self:
            lines = order.order_line
            order.health_overrun = sum(lines.mapped("health_overrun_total"))
            order.health_amo = sum(lines.mapped("health_amo"))
            order.health_amc = sum(lines.mapped("health_amc"))
            order.health_rest = order.amount_total - order.health_amo - order.health_amc
            order.health_has_rights = bool(order.health_amo or order.health_amc)

    @api.depends("health_patient_id")
    def _compute_require_signature(self):
        """Override of `sale`: a quote for care is signed."""
        quotes = self.filtered("health_patient_id")
        quotes.require_signature = True
        return super(SaleOrder, self - quotes)._compute_require_signature()

    @api.depends("health_patient_id")
    def _compute_require_payment(self):
        """Override of `sale`: nothing is paid before care."""
        quotes = self.filtered("health_patient_id")
        quotes.require_payment = False
        return super(SaleOrder, self - quotes)._compute_require_payment()

    @api.depends("health_patient_id")
    def _compute_validity_date(self):
        """Override of `sale`: validity of quotes for care is a parameter."""
        quotes = self.filtered("health_patient_id")
        days = self.env["health.parameter"].value_of("quote_validity_days")
        quotes.validity_date = fields.Date.context_today(self) + timedelta(days=days)
        return super(SaleOrder, self - quotes)._compute_validity_date()

    @api.depends("health_patient_id")
    def _compute_invoice_status(self):
        """Override of `sale`: a quote for care is nothing to invoice."""
        quotes = self.filtered("health_patient_id")
        quotes.invoice_status = "no"
        return super(SaleOrder, self - quotes)._compute_invoice_status()

    @api.depends("health_patient_id")
    def _compute_user_id(self):
        """Override of `sale`: the patient's contact is the practice, no salesperson."""
        quotes = self.filtered("health_patient_id")
        quotes.user_id = False
        return super(SaleOrder, self - quotes)._compute_user_id()

    @api.onchange("health_patient_id")
    def _onchange_health_patient_id(self):
        for order in self.filtered("health_patient_id"):
            order.partner_id = order.health_patient_id
            order.company_id = order.health_patient_id.company_id
            if order.health_prescription_id.patient_id != order.health_patient_id:
                order.health_prescription_id = False

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `sale`: the customer of a quote for care is the patient, the company their practitioner."""
        ids = [vals["health_patient_id"] for vals in vals_list if vals.get("health_patient_id")]
        patients = {patient.id: patient for patient in self.env["res.partner"].browse(ids)}
        for vals in vals_list:
            patient = patients.get(vals.get("health_patient_id"))
            if patient:
                vals.update(partner_id=patient.id, company_id=patient.company_id.id)
        orders = super().create(vals_list)
        keep_with(orders, "health_scan_ids")
        return orders

    def write(self, vals):
        """Override of `sale`: a signed copy belongs to its quote."""
        result = super().write(vals)
        if "health_scan_ids" in vals:
            keep_with(self, "health_scan_ids")
        return result

    # -- no ordinary invoice ---------------------------------------------------------------------------

    def _check_no_care(self):
        quote = self.filtered("health_patient_id")[:1]
        if quote:
            raise UserError(
                self.env._(
                    "The quote %s is for care: it is billed by FSE, never by an ordinary invoice. "
                    "Use “Make the FSE”.",
                    quote.name,
                )
            )

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Override of `sale`: care is billed by FSE."""
        self._check_no_care()
        return super()._create_invoices(grouped=grouped, final=final, date=date)

    def _prepare_invoice(self):
        """Override of `sale`: care is billed by FSE, down payments included."""
        self._check_no_care()
        return super()._prepare_invoice()

    # -- sending and signing ---------------------------------------------------------------------------

    def _find_mail_template(self):
        """Override of `sale`: what is written to a patient names no care."""
        if self.health_patient_id:
            return self.env.ref("health_billing.mail_template_quote")
        return super()._find_mail_template()

    def _get_confirmation_template(self):
        """Override of `sale`: a signed quote for care sends no confirmation with its lines."""
        if self.health_patient_id:
            return None
        return super()._get_confirmation_template()

    def action_quotation_send(self):
        """Override of `sale`: a quote for care goes out as a link, without its lines."""
        if self.filtered("health_patient_id"):
            return self.action_health_send()
        return super().action_quotation_send()

    def action_health_send(self):
        """Send each patient the link to read and sign the quote."""
        self.check_access("write")
        for order in self:
            if not order.order_line:
                raise UserError(self.env._("The quote %s has no line yet.", order.name))
            if not order.partner_id.email:
                raise UserError(
                    self.env._(
                        "%s has no e-mail address: print the quote, have it signed, and attach the signed copy.",
                        order.partner_id.name,
                    )
                )
        template = self.env.ref("health_billing.mail_template_quote").sudo()
        for order in self:
            order._portal_ensure_token()
            template.send_mail(order.id)
        self.filtered(lambda order: order.state == "draft").write({"state": "sent"})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The link to sign was sent to the patient."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _health_url(self):
        """Address of the page where the patient reads and signs: no login, no care in it."""
        self.ensure_one()
        self._portal_ensure_token()
        return f"{self.get_base_url()}{self.get_portal_url()}"

    def action_health_signed_on_paper(self):
        """Take a quote signed on paper: its scan is the proof."""
        self.check_access("write")
        for order in self:
            if not order.health_scan_ids:
                raise UserError(
                    self.env._("Attach the scan of the signed quote %s first.", order.name)
                )
            order.write({"signed_by": order.partner_id.name, "signed_on": fields.Datetime.now()})
        self.action_confirm()

    def action_health_print(self):
        self.ensure_one()
        return self.env.ref("health_billing.action_report_quote").report_action(self)

    def action_health_preview(self):
        self.ensure_one()
        self._portal_ensure_token()
        return {"type": "ir.actions.act_url", "target": "new", "url": self.get_portal_url()}

    def _get_name_portal_content_view(self):
        """Override of `sale`: the page of a quote for care says what the law wants it to."""
        if self.health_patient_id:
            return "health_billing.quote_portal_content"
        return super()._get_name_portal_content_view()

    def _get_portal_return_action(self):
        """Override of `sale`: back to the quotes of patients."""
        if self.health_patient_id:
            return self.env.ref("health_billing.action_quote")
        return super()._get_portal_return_action()

    def _get_edi_builders(self):
        """Override of `sale`: care goes out in no order file."""
        return [] if self.health_patient_id else super()._get_edi_builders()

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """Override of `sale`: no button with a token in the notices of a quote for care."""
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        if self and self.health_patient_id:
            for _name, _matches, options in groups:
                options["has_button_access"] = False
        return groups

    # -- quote and FSE -----------------------------------------------------------------------------------

    @api.model
    def _health_make(self, patient, lines, **values):
        """Make a draft quote and open it.

        :param lines: values of the lines: product_id, product_uom_qty, and health_overrun … where known.
        """
        order = self.create(
            {
                "health_patient_id": patient.id,
                "order_line": [Command.create(line) for line in lines],
                **values,
            }
        )
        return order._action_health_open()

    @api.model
    def _health_from_plans(self, plans):
        """Quote of the acts that the round plans of one patient foresee, once each: the number is to be set."""
        if len(plans.patient_id) != 1:
            raise UserError(self.env._("Choose the plans of one patient only."))
        acts = plans.act_ids
        return self._health_make(
            plans.patient_id,
            [
                {
                    "product_id": product.id,
                    "product_uom_qty": sum(
                        acts.filtered(lambda act, p=product: act.product_id == p).mapped("quantity")
                    ),
                }
                for product in acts.product_id
            ],
            health_prescription_id=plans.prescription_id[:1].id,
            health_care_date=min(plans.mapped("date_from")),
        )

    def _action_health_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Quote"),
            "res_model": "sale.order",
            "res_id": self.id,
            "views": [[self.env.ref("health_billing.view_quote_form").id, "form"]],
        }

    def action_health_make_fse(self):
        """Make the FSE of one session that a signed quote announced: its acts, to complete and to control."""
        self.ensure_one()
        self.env["health.fse"].check_access("create")
        if not self.health_is_signed:
            raise UserError(
                self.env._("The quote %s is not signed yet: no FSE is made of it.", self.name)
            )
        prescription = self.health_prescription_id
        day = self.health_care_date or fields.Date.context_today(self)
        fse = self.env["health.fse"].create(
            {
                "company_id": self.company_id.id,
                "patient_id": self.health_patient_id.id,
                "fse_date": day,
                "quote_id": self.id,
                "prescription_id": prescription.id,
                "prescriber_no": prescription.prescriber_no,
                "prescription_date": prescription.date,
                "overrun": sum(self._health_lines().mapped("health_overrun")),
                "act_ids": [
                    Command.create(line._health_act_values(day, sequence, prescription))
                    for sequence, line in enumerate(self._health_lines(), start=1)
                ],
                "amount_total": sum(self._health_lines().mapped("price_unit")),
            }
        )
        fse._compute_all()
        return self._health_open_fse(fse)

    def _health_lines(self):
        return self.order_line.filtered(lambda line: not line.display_type)

    def action_health_open_fse(self):
        return self._health_open_fse(self.health_fse_ids)

    def _health_open_fse(self, fses):
        action = self.env["health.cockpit"]._act_window(
            self.env._("FSE"), "health.fse", [("id", "in", fses.ids)]
        )
        if len(fses) == 1:
            action.update(res_id=fses.id, views=[[False, "form"]])
        return action

    # -- control -----------------------------------------------------------------------------------------

    @api.model
    def _known_letters(self):
        """Key letters of the nomenclature, those that were abolished included."""
        known = {one.key_letter for one in self.env["health.ngap"]._acts().values()}
        known |= {letter for _trade, letter in letters()}
        valued = self.env["health.ngap.value"].sudo()._read_group([], ["key_letter"])
        return known | {letter for (letter,) in valued}

    @api.model
    def _findings(self, fses):
        """What quotes say against FSE: DEV-01 none signed before care, DEV-02 dearer than what was signed.

        :return: list of dict, as `health.fse._control` wants them.
        """
        value_of = self.env["health.parameter"].value_of
        severity = SEVERITY_BY_POLICY.get(value_of("quote_policy"))
        if not severity or not fses:
            return []
        threshold, scope = value_of("quote_threshold_cents"), value_of("quote_scope")
        known = self._known_letters() if scope == OVERRUN_OR_OUTSIDE else set()
        billed = self._health_billed(fses.quote_id)
        findings = []
        for fse in fses:
            quote = fse.quote_id if fse.quote_id.health_is_signed else self.browse()
            total = cents(fse.amount_total)
            if total >= threshold and self._needs_quote(fse, scope, known):
                message = self._missing_quote(fse, quote, total)
                if message:
                    findings.append(self._finding(fse, "DEV-01", severity, message))
            if quote and billed[quote] > cents(quote.amount_total):
                message = self.env._(
                    "FSE %(fse)s: %(billed)s are billed under the quote %(quote)s, which was signed for %(signed)s. "
                    "Bring the amount back, or have a new quote signed.",
                    fse=fse.name,
                    billed=format_cents(billed[quote]),
                    quote=quote.name,
                    signed=format_cents(cents(quote.amount_total)),
                )
                findings.append(self._finding(fse, "DEV-02", severity, message))
        return findings

    @api.model
    def _finding(self, fse, code, severity, message):
        return {
            "fse_id": fse.id,
            "rule_code": code,
            "severity": severity,
            "message": message,
            "reference": self.env._("CSP L1111-3 and L1111-3-2; order of 2 October 2008"),
            "act_id": False,
            "proposal": False,
        }

    @api.model
    def _health_billed(self, quotes):
        """Cents billed under each quote, claims that were replaced left out."""
        return {
            quote: sum(
                cents(fse.amount_total) for fse in quote.health_fse_ids if not fse.replaced_by_ids
            )
            for quote in quotes
        }

    @api.model
    def _needs_quote(self, fse, scope, known):
        """Whether a quote is due, once the threshold is reached."""
        if scope == EVERYTHING or fse.overrun or any(fse.act_ids.mapped("overrun")):
            return True
        return scope == OVERRUN_OR_OUTSIDE and any(
            act.amount and act.key_letter not in known for act in fse.act_ids
        )

    @api.model
    def _missing_quote(self, fse, quote, total):
        """What is wrong with the quote of an FSE that needs one, "" when it was signed in time."""
        if not quote:
            return self.env._(
                "FSE %(fse)s: %(total)s with fees beyond or outside the tariff, and no signed quote. "
                "Use “Make the quote”, or link the one the patient signed.",
                fse=fse.name,
                total=format_cents(total),
            )
        signed = fields.Datetime.context_timestamp(self, quote.signed_on).date()
        days = [act.act_date for act in fse.act_ids] or [fse.fse_date]
        if signed > min(days):
            return self.env._(
                "FSE %(fse)s: the quote %(quote)s was signed on %(signed)s, after the care of %(day)s. "
                "The information is due beforehand: keep the proof that it was given.",
                fse=fse.name,
                quote=quote.name,
                signed=signed.strftime("%d/%m/%Y"),
                day=min(days).strftime("%d/%m/%Y"),
            )
        return ""

    # -- cockpit -----------------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Override of the cockpit's sources: quotes still to be signed when the care is near."""
        if lane != "to_complete" or not self.has_access("read"):
            return []
        near = day + timedelta(
            days=self.env["health.parameter"].value_of("prescription_alert_days")
        )
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("health_patient_id", "!=", False),
            ("state", "in", ("draft", "sent")),
            ("health_care_date", ">=", day),
            ("health_care_date", "<=", near),
        ]
        cards = []
        for company, count, amount, first in self._read_group(
            domain, ["company_id"], ["__count", "amount_total:sum", "health_care_date:min"]
        ):
            action = self.env["health.cockpit"]._act_window(
                self.env._("Quotes"), "sale.order", domain + [("company_id", "=", company.id)]
            )
            action["views"] = [
                [self.env.ref("health_billing.view_quote_list").id, "list"],
                [self.env.ref("health_billing.view_quote_form").id, "form"],
            ]
            cards.append(
                {
                    "key": f"quote-{company.id}",
                    "title": self.env._("Quotes to have signed"),
                    "why": self.env._("The care is near and the patient has not signed yet."),
                    "practitioner": company.name,
                    "count": count,
                    "amount": amount,
                    "deadline": first,
                    "action": action,
                    "button": self.env._("See the quotes"),
                }
            )
        return cards
