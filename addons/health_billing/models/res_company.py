from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..identifiers import is_provider_no, is_rpps
from .template_fr_health import HEALTH_ACCOUNTS


class ResCompany(models.Model):
    """A practitioner is a company of their own (SIREN, books, FEC); the agency is the one without a billing number."""

    _inherit = "res.company"

    health_profession = fields.Selection(
        [
            ("infirmier", "Nurse"),
            ("kinesitherapeute", "Physiotherapist"),
            ("orthophoniste", "Speech therapist"),
            ("orthoptiste", "Orthoptist"),
        ],
        string="Profession",
    )
    health_provider_no = fields.Char(
        "Billing number",
        size=9,
        index=True,
        help="Number with the sickness funds: 8 digits and a key.",
    )
    health_rpps = fields.Char("RPPS", size=11)
    health_zone = fields.Selection(
        [("metropole", "Mainland"), ("dom", "Overseas"), ("mayotte", "Mayotte")],
        string="Tariff zone",
        default="metropole",
    )

    _health_provider_no_uniq = models.UniqueIndex(
        "(health_provider_no) WHERE health_provider_no IS NOT NULL",
        "Another practitioner has this billing number already.",
    )

    @api.constrains("health_provider_no", "health_rpps")
    def _check_health_numbers(self):
        for company in self:
            if company.health_provider_no and not is_provider_no(company.health_provider_no):
                raise ValidationError(
                    self.env._(
                        "The billing number %s is wrong: 9 digits are expected, the last one being the key.",
                        company.health_provider_no,
                    )
                )
            if company.health_rpps and not is_rpps(company.health_rpps):
                raise ValidationError(
                    self.env._(
                        "The RPPS number %s is wrong: 11 digits are expected, the last one being the key.",
                        company.health_rpps,
                    )
                )

    def _health_account(self, kind):
        """Account of the practitioner's chart for a use of ours (see HEALTH_ACCOUNTS).

        :raises UserError: when the company was not made ready to bill.
        """
        self.ensure_one()
        account = self.env.ref(
            f"account.{self.id}_{HEALTH_ACCOUNTS[kind]}", raise_if_not_found=False
        )
        if not account:
            raise UserError(
                self.env._(
                    "%(company)s has no account “%(kind)s”: make the practitioner ready to bill first.",
                    company=self.name,
                    kind=kind,
                )
            )
        return account

    def _health_journal(self, debtor_kind):
        """Sales journal of a debtor kind (amo, amc, patient)."""
        self.ensure_one()
        xmlid = {"amo": "amo", "amc": "amc", "patient": "pat"}[debtor_kind]
        return self.env.ref(f"account.{self.id}_{xmlid}")

    def _health_setup(self):
        """Hook: make each practitioner company ready; called once by the set-up wizard, with full rights.

        Extend it, super first; it must be safe to call again.
        """
        for company in self:
            if company.chart_template != "fr_health":
                self.env["account.chart.template"].try_loading(
                    "fr_health", company, install_demo=False
                )
