from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents


class ResCompany(models.Model):
    _inherit = "res.company"

    def _health_setup(self):
        """Override of `health_billing`: a practitioner also gets a reminder policy and a payment
        provider.
        """
        result = super()._health_setup()
        self._health_setup_collections()
        return result

    def _health_setup_collections(self):
        for company in self:
            company._health_setup_reminder_policy()
            company._health_setup_payment_provider()

    def _health_setup_reminder_policy(self):
        """Give the practitioner their own copy of the model policy; one that stands already is
        left as it is.
        """
        self.ensure_one()
        policy = self.credit_policy_id
        model = self.env.ref("health_collections.policy_patient_model")
        if policy.company_id == self:
            # the base addon's message prints a PDF in English: it is what an uninstallation left
            base = self.env.ref("account_credit_control.email_template_credit_control_base", False)
            foreign = policy.level_ids.filtered(lambda level: level.email_template_id == base)
            foreign.email_template_id = model.level_ids[:1].email_template_id
            return policy
        policy = model.copy(
            {
                "name": f"{model.name} · {self.name}",
                "company_id": self.id,
                "active": True,
                "account_ids": [fields.Command.set(self._health_account("patient").ids)],
            }
        )
        policy.level_ids.filtered(lambda level: level.level == 1).delay_days = self.env[
            "health.parameter"
        ].value_of("reminder_after_days")
        self.credit_policy_id = policy
        # the least amount to remind is a parameter of ours, applied per patient; OCA's tolerance
        # is per item
        self.credit_control_tolerance = self.currency_id.rounding
        return policy

    def _health_setup_payment_provider(self):
        """Switch on Odoo's demonstration provider, if that module is there, unless the
        practitioner has another.
        """
        self.ensure_one()
        Provider = self.env["payment.provider"].sudo()
        if "demo" not in dict(Provider._fields["code"].selection):
            return Provider
        of_company = Provider.search([("company_id", "=", self.id)])
        running = of_company.filtered(lambda provider: provider.state != "disabled")
        if running:
            return running
        provider = of_company.filtered(lambda provider: provider.code == "demo")[:1]
        if not provider:
            model = Provider.search([("code", "=", "demo")], limit=1)
            if not model:
                return Provider
            provider = model.copy({"company_id": self.id})
        provider = provider.with_company(self)
        provider.write(
            {
                "name": self.env._("Card (demonstration, no money moves)"),
                "state": "test",
                "is_published": True,
                "allow_tokenization": False,
                "allow_express_checkout": False,
            }
        )
        if not provider.journal_id:
            provider.journal_id = self.env["account.journal"].search(
                [("company_id", "=", self.id), ("type", "=", "bank")], limit=1
            )
        return provider

    def _health_sender(self):
        """In whose name the patients of this practitioner are written to: the practitioner's own.

        :return: dict of name, address (lines), phone, email, mentions (text required by law, or "").
        """
        self.ensure_one()
        return {
            "name": self.name,
            "address": self.env["health.payment.link"]._address_lines(self.partner_id),
            "phone": self.phone or "",
            "email": self.email or "",
            "mentions": "",
        }

    def _health_run_reminders(self, day):
        """Remind the patients of this practitioner who are late and whom nothing holds back.

        Safe to run again: a level that was sent is not sent twice.

        :param date day: day of the run.
        :return: dict of emails, letters (numbers of messages), amount (cents reminded), held
            (number of shares
            by code of `dunning_hold`), problem (text or None).
        """
        self.ensure_one()
        result = {"emails": 0, "letters": 0, "amount": 0, "held": {}, "problem": None}
        policy = self.credit_policy_id
        if not policy or policy.do_nothing or policy.company_id != self:
            result["problem"] = self.env._(
                "%s has no reminder policy: nobody was reminded.", self.name
            )
            return result
        Run = self.env["credit.control.run"].with_company(self)
        run = Run.new({"date": day, "company_id": self.id})
        due, released, held = policy._health_sort_lines(run)
        moves = due.move_id
        for share, (code, _reason) in held.items():
            if share.move_id in moves:
                result["held"][code] = result["held"].get(code, 0) + 1
        if not released & due:
            return result
        try:
            with self.env.cr.savepoint():
                run = Run.create(
                    {"date": day, "company_id": self.id, "policy_ids": [(6, 0, policy.ids)]}
                )
                run.with_context(health_released_line_ids=released.ids).generate_credit_lines()
                run.set_to_ready_lines()
                run._health_process_lines()
        except UserError as error:
            result["problem"] = f"{self.name} : {error}"
            return result
        communications = run.line_ids.communication_id
        # whoever was just written to is held now: the cockpit must not offer to do it again
        everything = (due | released).move_id.health_share_id
        everything.filtered(
            lambda share: share.partner_id in communications.partner_id
        )._dunning_refresh(day)
        result["letters"] = len(communications.filtered(lambda c: c._health_is_letter()))
        result["emails"] = len(communications) - result["letters"]
        result["amount"] = sum(cents(line.balance_due) for line in run.line_ids)
        return result
