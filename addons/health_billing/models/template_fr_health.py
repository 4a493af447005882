from odoo import api, models

from odoo.addons.account.models.chart_template import template
from odoo.addons.account.models.ir_module import templ

#: accounts the product books on, by use; their codes stand in data/template/account.account-fr_health.csv
HEALTH_ACCOUNTS = {
    "patient": "health_411000",
    "amo": "health_411100",
    "amc": "health_411200",
    "income": "health_706000",
    "retention": "health_467800",
    "lump_sum": "health_758000",
    "write_off": "health_654000",
    "bank_fees": "health_627000",
    "cheque": "health_511200",
    "card": "health_511500",
    "transfer": "health_511800",
    "cash": "health_531000",
    "indu_loss": "health_709000",
    "indu_provision": "health_151800",
    "indu_charge": "health_681500",
    "indu_release": "health_781500",
}


class AccountChartTemplate(models.AbstractModel):
    _inherit = "account.chart.template"

    @api.model
    def _get_chart_template_mapping(self, get_all=False):
        """Override of `account`: offer our chart, although this module is no localization module."""
        mapping = dict(super()._get_chart_template_mapping(get_all=get_all))
        mapping["fr_health"] = templ(
            self.env,
            "fr_health",
            name="Professions de santé libérales",
            country="fr",
            parent=None,
            sequence=90,
            visible=True,
            installed=True,
            module="health_billing",
        )
        return mapping

    @template("fr_health")
    def _get_fr_health_template_data(self):
        return {
            "name": "Professions de santé libérales",
            "code_digits": 6,
            "country": "fr",
            "property_account_receivable_id": "health_411000",
            "property_account_payable_id": "health_401000",
        }

    @template("fr_health", "res.company")
    def _get_fr_health_res_company(self):
        return {
            self.env.company.id: {
                "account_fiscal_country_id": "base.fr",
                "bank_account_code_prefix": "512",
                "cash_account_code_prefix": "53",
                "transfer_account_code_prefix": "58",
                "account_journal_suspense_account_id": "health_471000",
                "account_journal_early_pay_discount_loss_account_id": "health_665000",
                "account_journal_early_pay_discount_gain_account_id": "health_758000",
                "income_currency_exchange_account_id": "health_758000",
                "expense_currency_exchange_account_id": "health_665000",
                "default_cash_difference_income_account_id": "health_758000",
                "default_cash_difference_expense_account_id": "health_658000",
                "income_account_id": "health_706000",
                "expense_account_id": "health_606000",
            },
        }

    @template("fr_health", "account.journal")
    def _get_fr_health_account_journal(self):
        """One sales journal per kind of debtor: each practitioner posts FSE in journals of their own."""
        return {
            "amo": self._health_journal("Part AMO (caisses)", "AMO", 1),
            "amc": self._health_journal("Part AMC (complémentaires)", "AMC", 2),
            "pat": self._health_journal("Part patients", "PAT", 3),
        }

    @api.model
    def _health_journal(self, name, code, sequence):
        return {
            "name": name,
            "type": "sale",
            "code": code,
            "sequence": sequence,
            "default_account_id": "health_706000",
            "show_on_dashboard": True,
        }
