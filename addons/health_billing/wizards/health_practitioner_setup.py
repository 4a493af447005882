from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..identifiers import is_provider_no, is_rpps, is_siren


class HealthPractitionerSetup(models.TransientModel):
    """One step makes a practitioner ready to bill: company, chart, journals, bank account."""

    _name = "health.practitioner.setup"
    _description = "Make a Practitioner Ready to Bill"

    name = fields.Char(required=True)
    profession = fields.Selection(selection="_professions", required=True)
    provider_no = fields.Char("Billing number", size=9, required=True)
    rpps = fields.Char("RPPS", size=11)
    siren = fields.Char("SIREN", size=9)
    zone = fields.Selection(
        selection="_zones", string="Tariff zone", default="metropole", required=True
    )
    iban = fields.Char("IBAN", required=True)
    bank_name = fields.Char("Bank", help="Name of the bank, for the journal.")
    street = fields.Char()
    zip = fields.Char("ZIP")
    city = fields.Char()
    email = fields.Char("E-mail")
    phone = fields.Char()
    company_id = fields.Many2one("res.company", readonly=True)

    @api.model
    def _professions(self):
        return self.env["res.company"]._fields["health_profession"]._description_selection(self.env)

    @api.model
    def _zones(self):
        return self.env["res.company"]._fields["health_zone"]._description_selection(self.env)

    def _check(self):
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group("health_billing.group_manager"):
            raise UserError(self.env._("Only an agency manager may add a practitioner."))
        if not is_provider_no(self.provider_no):
            raise ValidationError(
                self.env._(
                    "The billing number %s is wrong: 9 digits, the last one being the key.",
                    self.provider_no,
                )
            )
        if self.rpps and not is_rpps(self.rpps):
            raise ValidationError(self.env._("The RPPS number %s is wrong.", self.rpps))
        if self.siren and not is_siren(self.siren):
            raise ValidationError(self.env._("The SIREN %s is wrong.", self.siren))
        if (
            self.env["res.company"]
            .sudo()
            .search_count([("health_provider_no", "=", self.provider_no)])
        ):
            raise ValidationError(
                self.env._(
                    "The practitioner with billing number %s is there already.", self.provider_no
                )
            )

    def action_setup(self):
        """Create the company with chart, journals and bank account, and open it.

        :raises ValidationError: on a wrong number; nothing is then created.
        """
        self._check()
        Company = self.env["res.company"].sudo()
        # nothing about a practitioner is looked up at a third party, were partner_autocomplete installed
        private = (
            {"iap_enrich_auto_done": True} if "iap_enrich_auto_done" in Company._fields else {}
        )
        # no localization module may install itself in the middle of this
        company = Company.with_context(chart_template_load=True, tracking_disable=True).create(
            {
                **private,
                "name": self.name,
                "country_id": self.env.ref("base.fr").id,
                "currency_id": self.env.ref("base.EUR").id,
                "company_registry": self.siren,
                "street": self.street,
                "zip": self.zip,
                "city": self.city,
                "email": self.email,
                "phone": self.phone,
                "health_profession": self.profession,
                "health_provider_no": self.provider_no,
                "health_rpps": self.rpps,
                "health_zone": self.zone,
            }
        )
        # the agency's own people follow every practitioner
        self.env.ref("health_billing.group_biller").sudo().all_user_ids.write(
            {"company_ids": [fields.Command.link(company.id)]}
        )
        setup = company.with_company(company).with_context(
            allowed_company_ids=[company.id], chart_template_load=True
        )
        setup._health_setup()
        self._make_bank_account(setup)
        self.company_id = company
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.company",
            "res_id": company.id,
            "view_mode": "form",
        }

    def _make_bank_account(self, company):
        journal = company.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
        )
        journal.set_bank_account(self.iban)
        name = company.env._("Bank")
        journal.name = f"{name} {self.bank_name}" if self.bank_name else name
