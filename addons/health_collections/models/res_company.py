from collections import Counter

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import QUIET, cents

#: states of Odoo Enterprise's follow-up in which it is at work
FOLLOWUP_RUNS = ("installed", "to upgrade", "to remove")


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
            company._health_setup_reminder_policies()
            company._health_setup_payment_provider()

    def _health_setup_reminder_policies(self):
        """Give the practitioner their own copy of each model scale; one that stands already is
        left as it is.
        """
        self.ensure_one()
        models_by_kind = self.env["credit.control.policy"]._health_models()
        own = self._health_own_policies()
        for kind, model in models_by_kind.items():
            if kind not in own:
                own[kind] = model._health_copy_for(self, self._health_account(kind))
                if kind == "patient":
                    first = own[kind].level_ids.filtered(lambda level: level.level == 1)
                    first.delay_days = self.env["health.parameter"].value_of("reminder_after_days")
                    # the least amount to remind is a parameter of ours, applied per debtor; OCA's
                    # tolerance is per item
                    self.credit_control_tolerance = self.currency_id.rounding
        policy = own["patient"]
        # the base addon's message prints a PDF in English: it is what an uninstallation left
        base = self.env.ref("account_credit_control.email_template_credit_control_base", False)
        foreign = policy.level_ids.filtered(lambda level: level.email_template_id == base)
        foreign.email_template_id = models_by_kind["patient"].level_ids[:1].email_template_id
        self.credit_policy_id = policy
        return policy

    def _health_own_policies(self):
        """Scales of this practitioner.

        :return: dict of kind of debtor → policy.
        """
        self.ensure_one()
        if (
            self.credit_policy_id.company_id == self
            and not self.credit_policy_id.health_debtor_kind
        ):
            # from before there were kinds
            self.credit_policy_id.health_debtor_kind = "patient"
        policies = (
            self.env["credit.control.policy"]
            .sudo()
            .search([("company_id", "=", self.id), ("health_debtor_kind", "!=", False)])
        )
        return {policy.health_debtor_kind: policy for policy in policies}

    def _health_policy(self, kind):
        """The scale that applies to debtors of that kind: the practitioner's own, else the model.

        :param kind: `patient`, `amc` or `amo`.
        """
        self.ensure_one()
        policy = self.env["credit.control.policy"].search(
            [("company_id", "=", self.id), ("health_debtor_kind", "=", kind)], limit=1
        )
        return policy or self.env["credit.control.policy"]._health_models()[kind]

    def _health_open_channels(self):
        """Means of contact that this practitioner has at hand; a gateway adds its own."""
        self.ensure_one()
        return {"email", "letter", "registered", "phone"}

    @api.model
    def _health_other_followup(self):
        """Why our reminders keep off, where Odoo Enterprise's own follow-up runs; else empty."""
        is_there = (
            self.env["ir.module.module"]
            .sudo()
            .search_count([("name", "=", "account_followup"), ("state", "in", FOLLOWUP_RUNS)])
        )
        if not is_there:
            return ""
        return self.env._(
            "The follow-up of Odoo Enterprise is installed and sends the reminders: those of this "
            "product keep off, so that nobody is written to twice. To use them, uninstall it."
        )

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

    def _health_sender(self, debtor=None, letter=None):
        """In whose name the patients of this practitioner are written to: the practitioner's own.

        :param debtor: partner who is written to, where the message is to one person.
        :param letter: record that the message is made from.
        :return: dict of name, address (lines), phone, email, mentions (text required by law, or "").
        """
        return self._health_senders([(debtor, letter)])[0]

    def _health_senders(self, messages):
        """The same for many messages of one practitioner.

        :param messages: list of (debtor, letter), see `_health_sender`.
        :return: list of dicts, in the same order.
        """
        self.ensure_one()
        sender = {
            "name": self.name,
            "address": self.env["health.payment.link"]._address_lines(self.partner_id),
            "phone": self.phone or "",
            "email": self.email or "",
            "mentions": "",
        }
        return [dict(sender) for _message in messages]

    def _health_run_reminders(self, day):
        """Remind the patients of this practitioner who are late and whom nothing holds back.

        Safe to run again: a level that was sent is not sent twice.

        :param date day: day of the run.
        :return: dict of emails, letters (numbers of messages), channels (number of messages by
            channel), amount (cents reminded), held (number of shares by code of `dunning_hold`),
            problem (text or None).
        """
        self.ensure_one()
        result = {
            "emails": 0,
            "letters": 0,
            "channels": {},
            "amount": 0,
            "held": {},
            "problem": None,
        }
        result["problem"] = self._health_other_followup() or None
        if result["problem"]:
            return result
        policy = self.credit_policy_id
        if (
            not policy
            or policy.do_nothing
            or policy.company_id != self
            or policy.health_debtor_kind != "patient"
        ):
            result["problem"] = self.env._(
                "%s has no reminder policy: nobody was reminded.", self.name
            )
            return result
        policy, company = policy.with_context(**QUIET), self.with_context(**QUIET)
        Run = company.env["credit.control.run"].with_company(self)
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
        written_to = communications.partner_id
        debtors = everything.partner_id._health_debtor()
        everything.filtered(lambda share: debtors[share.partner_id] in written_to)._dunning_refresh(
            day
        )
        channels = Counter(communications.mapped("health_channel"))
        result["channels"] = dict(channels)
        result["emails"], result["letters"] = channels["email"], channels["letter"]
        result["amount"] = sum(cents(line.balance_due) for line in run.line_ids)
        return result
