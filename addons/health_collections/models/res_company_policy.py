import secrets

from odoo import api, fields, models
from odoo.tools import format_date

from odoo.addons.health_billing.tools import cents

POLICY_PATH = "/rappels"
TOKEN_BYTES = 12


class ResCompany(models.Model):
    _inherit = "res.company"

    health_policy_token = fields.Char(
        copy=False, readonly=True, index="btree_not_null", groups="base.group_system"
    )
    health_policy_url = fields.Char(
        "Page of the written policy",
        compute="_compute_health_policy_url",
        help="Public, made from the settings, without personal data: for the practice's site or wall.",
    )

    @api.depends("health_policy_token")
    def _compute_health_policy_url(self):
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url").rstrip("/")
        for company in self:
            token = company.sudo().health_policy_token
            company.health_policy_url = token and f"{base}{POLICY_PATH}/{token}"

    def _health_setup_collections(self):
        """Override: the page of the written policy gets its address."""
        result = super()._health_setup_collections()
        self._health_setup_policy_page()
        return result

    def _health_setup_policy_page(self):
        for company in self.sudo().filtered(lambda one: not one.health_policy_token):
            company.health_policy_token = secrets.token_urlsafe(TOKEN_BYTES)

    @api.model
    def _health_find_by_policy_token(self, token):
        """The practitioner of a written policy's address, with full rights; empty when unknown."""
        if not token:
            return self.sudo().browse()
        return self.sudo().search([("health_policy_token", "=", token)], limit=1)

    def _health_written_policy(self):
        """What the written policy says, as plain texts, from the settings in force."""
        self.ensure_one()
        company = self.sudo()
        sender, policy = company._health_sender(), company._health_policy("patient")
        levels = (
            policy.level_ids
            if not policy.do_nothing and policy.company_id
            else policy.level_ids[:0]
        )
        levels = levels.sorted("level")
        offering = levels.filtered(
            lambda level: level.health_offers_plan and level.computation_mode != "previous_date"
        )
        value_of = self.env["health.parameter"].value_of
        least = value_of("reminder_least_amount")
        return {
            "practitioner": sender["name"],
            "address": sender["address"],
            "phone": sender["phone"],
            "email": sender["email"],
            "url": company.health_policy_url or "",
            "today": format_date(
                self.env, fields.Date.context_today(self), date_format="d MMMM yyyy"
            ),
            "due_days": value_of("patient_due_days"),
            "gap_days": value_of("reminder_gap_days"),
            "first_hour": self._health_hour_text(value_of("contact_first_hour")),
            "last_hour": self._health_hour_text(value_of("contact_last_hour")),
            "least": self.env["health.payment.link"]._money(least) if least else "",
            "plan_day": offering[:1].delay_days,
            "steps": [self._health_written_step(level) for level in levels],
        }

    @api.model
    def _health_hour_text(self, hour):
        return self.env._("%s:00", hour)

    @api.model
    def _health_written_step(self, level):
        """One step, in the words of a patient."""
        money = self.env["health.payment.link"]._money
        if level.computation_mode == "previous_date":
            when = self.env._("%s days after the step before:", level.delay_days)
        elif level.computation_mode == "end_of_month":
            when = self.env._(
                "At the end of the month, %s days after the due date or later:", level.delay_days
            )
        else:
            when = self.env._("From day %s after the due date:", level.delay_days)
        how = {
            "email": self.env._("a message by e-mail."),
            "sms": self.env._("a message by SMS."),
            "letter": self.env._("a letter."),
            "registered": self.env._("a registered letter."),
            "phone": self.env._("a call, to understand what stands in the way."),
        }[level.channel]
        conditions = []
        if level.health_is_notice:
            conditions.append(self.env._("It is a formal notice to pay (“mise en demeure”)."))
        if level.health_offers_plan:
            conditions.append(self.env._("It offers to pay in several times."))
        if cents(level.health_least_amount):
            conditions.append(
                self.env._("Only from %s in all.", money(cents(level.health_least_amount)))
            )
        return {
            "when": when,
            "how": f"{level.name}, {how}",
            "conditions": " ".join(conditions),
        }
