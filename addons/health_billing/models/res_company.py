from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools import email_normalize

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

    health_portal_user_ids = fields.Many2many(
        "res.users",
        "health_portal_user_rel",
        string="Phone access",
        readonly=True,
        groups="health_billing.group_biller",
        help="Who answers the agency's questions on the phone, and sees this practice only.",
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

    @api.model
    def _health_own_practices(self):
        """Practices the user answers for on the phone: their own; none for anyone else."""
        user = self.env.user
        practices = user.sudo().company_ids.filtered("health_provider_no")
        if user.has_group("health_billing.group_practitioner"):
            return practices
        return practices.filtered(lambda company: user in company.health_portal_user_ids)

    def action_health_give_phone_access(self):
        """Invite the practitioner to their page on the phone, at the e-mail of the practice.

        :raises UserError: when the practice has no e-mail, or it belongs to somebody else.
        """
        self.ensure_one()
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only a manager of the agency gives phone access."))
        practice = self.sudo()
        email = email_normalize(practice.email)
        if not practice.health_provider_no or not email:
            raise UserError(
                self.env._("Give %s a billing number and an e-mail first.", practice.name)
            )
        users = self.env["res.users"].sudo().with_context(active_test=False)
        user = users.search([("login", "=", email)])
        if user.filtered(lambda one: not one._is_portal() or one.partner_id.health_kind):
            raise UserError(
                self.env._(
                    "%s is the e-mail of another user: give the practice an e-mail of its own.",
                    email,
                )
            )
        if user:  # they hold another practice, or had access before
            user.write({"active": True, "company_ids": [Command.link(practice.id)]})
        user = practice._health_invite(email, user)
        practice.health_portal_user_ids = [Command.link(user.id)]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s has access to the phone page.", email),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _health_invite(self, email, user):
        """Odoo's invitation to choose a password, to a portal user who never logged in."""
        if user.login_date:
            return user
        partner = user.partner_id or self.env["res.partner"].create(
            {
                "name": self.name,
                "email": email,
                "company_id": self.id,
                "lang": "fr_FR"
                if self.env["res.lang"]._get_data(code="fr_FR")
                else self.env.user.lang,
            }
        )
        wizard = self.env["portal.wizard"].create({"partner_ids": [Command.set(partner.ids)]})
        if user:
            wizard.user_ids.action_invite_again()
        else:
            wizard.user_ids.action_grant_access()
        return partner.user_ids

    def action_health_withdraw_phone_access(self):
        """The phones of the practice show nothing any more."""
        self.ensure_one()
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only a manager of the agency withdraws phone access."))
        practice = self.sudo()
        users = practice.health_portal_user_ids
        practice.health_portal_user_ids = [Command.clear()]
        served = (
            self.env["res.company"].sudo().search([("health_portal_user_ids", "in", users.ids)])
        )
        idle = users - served.health_portal_user_ids
        idle.filtered(lambda user: user._is_portal()).write({"active": False})
        return True

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

    def _health_add_accounts(self):
        """Give practices made ready by an earlier version the accounts that our chart has had since."""
        Template = self.env["account.chart.template"].sudo()
        for company in self.filtered(lambda one: one.chart_template == "fr_health"):
            chart = Template.with_company(company)
            wanted = chart._get_chart_template_data("fr_health")["account.account"]
            missing = {
                xmlid: vals
                for xmlid, vals in wanted.items()
                if not self.env.ref(f"account.{company.id}_{xmlid}", raise_if_not_found=False)
            }
            if missing:
                chart._load_data({"account.account": missing})

    def _health_journal(self, debtor_kind):
        """Sales journal of a debtor kind (amo, amc, patient)."""
        self.ensure_one()
        xmlid = {"amo": "amo", "amc": "amc", "patient": "pat"}[debtor_kind]
        return self.env.ref(f"account.{self.id}_{xmlid}")

    def _health_take_receipts(self):
        """Hook: book the bank credits of these practices that are payments of patients; safe to call again.

        Called once the payers' credits were looked at. Extend it, super first.

        :return: sentences for the summary.
        """
        return []

    def _health_setup(self):
        """Hook: make each practitioner company ready; called once by the set-up wizard, with full rights.

        Extend it, super first; it must be safe to call again.
        """
        for company in self:
            if company.chart_template != "fr_health":
                self.env["account.chart.template"].try_loading(
                    "fr_health", company, install_demo=False
                )
