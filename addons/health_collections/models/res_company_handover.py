from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date

from .health_contact import COUNTED


class ResCompany(models.Model):
    _inherit = "res.company"

    health_agent_mode = fields.Boolean(
        "The agency writes in its own name",
        copy=False,
        help="Off: everything leaves in the name of the practitioner. On: the agency recovers for them, and every "
        "message says so with what the law asks (CPCE R124-4).",
    )

    def write(self, vals):
        """The mode is switched by a manager, through the agreement that allows it."""
        if "health_agent_mode" in vals and not self.env.su:
            raise AccessError(
                self.env._("This is switched on and off on the agreement with the practitioner.")
            )
        return super().write(vals)

    @api.constrains("health_agent_mode")
    def _check_health_agent_mode(self):
        day = fields.Date.context_today(self)
        for company in self.filtered("health_agent_mode"):
            missing = company._health_agent_missing(day)
            if missing:
                raise ValidationError(
                    self.env._(
                        "The agency cannot write in its own name for %(company)s yet. Missing:\n%(missing)s",
                        company=company.name,
                        missing="\n".join(f"• {text}" for text in missing),
                    )
                )

    def _health_agent_missing(self, day):
        """What stands against recovering for this practitioner in the agency's name: list of sentences."""
        self.ensure_one()
        setup = self.env["health.agency.setup"]._of()
        missing = setup._missing(day) if setup else [self.env._("The legal set-up of the agency.")]
        Agreement = self.env["health.agency.agreement"].sudo()
        if not Agreement._current(self, day):
            last = Agreement.search([("company_id", "=", self.id)], limit=1)
            missing += (
                last._missing(day) if last else [self.env._("The agreement with the practitioner.")]
            )
        return missing

    def _health_is_agent(self):
        """Whether messages leave in the agency's name today.

        As soon as the insurance or the agreement ends, they leave in the practitioner's name again: that needs
        nothing and harms nobody.
        """
        self.ensure_one()
        return self.health_agent_mode and not self._health_agent_missing(
            fields.Date.context_today(self)
        )

    def _health_sender(self, debtor=None):
        """Override: in the agency's name when the law allows it, with what the law asks to say.

        :param debtor: partner; the first letter to them is recalled, as every later step must.
        """
        sender = super()._health_sender()
        if not self._health_is_agent():
            return sender
        setup = self.env["health.agency.setup"]._of()
        agency = setup.company_id
        address = self.env["health.payment.link"]._address_lines
        values = {
            "agency": agency.name,
            "agency_address": address(agency.partner_id).replace("\n", ", "),
            "creditor": self.name,
            "creditor_address": address(self.partner_id).replace("\n", ", "),
            "law": setup.law_quote,
            "first": self._health_first_letter(debtor) if debtor else "",
        }
        return {
            "name": self.env._(
                "%(agency)s, for %(creditor)s", agency=agency.name, creditor=self.name
            ),
            "address": address(agency.partner_id),
            "phone": agency.phone or sender["phone"],
            "email": agency.email or sender["email"],
            "mentions": "\n".join(
                line.strip()
                for line in self.env["ir.qweb"]
                ._render("health_collections.agent_mentions", values)
                .unescape()
                .splitlines()
                if line.strip()
            ),
        }

    def _health_first_letter(self, debtor):
        """Date and number of the first letter to this debtor in the agency's name, as words."""
        agreement = (
            self.env["health.agency.agreement"]
            .sudo()
            ._current(self, fields.Date.context_today(self))
        )
        contact = (
            self.env["health.contact"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.id),
                    ("partner_id", "=", debtor.id),
                    ("direction", "=", "out"),
                    ("channel", "in", ("letter", "registered", "e_registered")),
                    ("state", "in", COUNTED),
                    ("day", ">=", agreement[self].date_from if agreement else False),
                ],
                order="day, id",
                limit=1,
            )
        )
        if not contact:
            return ""
        return self.env._(
            "Our letter of %(day)s, reference L%(number)05d.",
            day=format_date(self.env, contact.day),
            number=contact.id,
        )

    def _health_handover_policy(self):
        """The policy that says what becomes of what patients still owe at the end of the scale."""
        self.ensure_one()
        return self._health_policy("patient")
