from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

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

    def _health_senders(self, messages):
        """Override: in the agency's name when the law allows it, with what the law asks to say.

        The first letter to a debtor is recalled, as every later step must; in French, whoever prints.
        """
        senders = super()._health_senders(messages)
        if not self._health_is_agent():
            return senders
        if self.env["res.lang"]._get_data(code="fr_FR"):
            self = self.with_context(lang="fr_FR")  # pylint: disable=self-cls-assignment
        setup = self.env["health.agency.setup"]._of()
        agency = setup.company_id
        address = self.env["health.payment.link"]._address_lines
        values = {
            "agency": agency.name,
            "agency_address": address(agency.partner_id).replace("\n", ", "),
            "creditor": self.name,
            "creditor_address": address(self.partner_id).replace("\n", ", "),
            "law": setup.law_quote,
        }
        name = self.env._("%(agency)s, for %(creditor)s", agency=agency.name, creditor=self.name)
        firsts = self._health_first_letters(messages)
        mentions = {
            first: self._health_agent_mentions({**values, "first": first}) for first in set(firsts)
        }
        return [
            {
                "name": name,
                "address": address(agency.partner_id),
                "phone": agency.phone or sender["phone"],
                "email": agency.email or sender["email"],
                "mentions": mentions[first],
            }
            for sender, first in zip(senders, firsts, strict=True)
        ]

    @api.model
    def _health_agent_mentions(self, values):
        text = self.env["ir.qweb"]._render("health_collections.agent_mentions", values).unescape()
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())

    def _health_agent_letters_domain(self):
        """Letters that left, or will, since the agency writes for this practitioner."""
        today = fields.Date.context_today(self)
        agreement = self.env["health.agency.agreement"].sudo()._current(self, today)
        return [
            ("company_id", "=", self.id),
            ("direction", "=", "out"),
            ("channel", "in", ("letter", "registered", "e_registered")),
            ("state", "in", COUNTED),
            ("day", ">=", agreement[self].date_from if agreement else False),
        ]

    def _health_first_letters(self, messages):
        """Date and reference of the first letter to each debtor in the agency's name, as words.

        :param messages: list of (debtor, record that the message is made from), either may be None.
        :return: list of texts; empty where there is none yet, or where the message is that letter.
        """
        debtors = self.env["res.partner"].union(*(debtor for debtor, _letter in messages if debtor))
        firsts = {}
        if debtors:
            contacts = (
                self.env["health.contact"]
                .sudo()
                .search(
                    [
                        *self._health_agent_letters_domain(),
                        ("state", "!=", "planned"),
                        ("partner_id", "in", debtors.ids),
                    ],
                    order="day, id",
                )
            )
            for contact in contacts:
                firsts.setdefault(contact.partner_id.id, contact)
        texts = []
        for debtor, letter in messages:
            first = debtor and firsts.get(debtor.id)
            texts.append("" if not first or first._is_of(letter) else first._recalled())
        return texts

    def _health_without_letter(self, shares):
        """Shares that nobody may be asked for but by letter: in the agency's name, the first contact is one.

        Where the practitioner writes in their own name, none.
        """
        self.ensure_one()
        if not shares or not self._health_is_agent():
            return shares.browse()
        told = (
            self.env["health.contact"]
            .sudo()
            .search([*self._health_agent_letters_domain(), ("share_ids", "in", shares.ids)])
        )
        return shares - told.share_ids

    def _health_handover_policy(self):
        """The policy that says what becomes of what patients still owe at the end of the scale."""
        self.ensure_one()
        return self._health_policy("patient")
