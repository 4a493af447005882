from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

#: outcomes that somebody has to see to: they become requests, which hold the reminders until answered
REQUESTS = {"dispute": "dispute", "insurer": "insurer", "plan": "plan", "paid": "other"}
#: outcomes after which the call is to be made again
AGAIN = ("nobody", "later")


class HealthContactOutcome(models.TransientModel):
    """What came of a call: one click, a date where one is needed, and the words of the person."""

    _name = "health.contact.outcome"
    _description = "Outcome of a Call"

    contact_id = fields.Many2one("health.contact", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(related="contact_id.partner_id")
    amount = fields.Monetary(related="contact_id.amount_written")
    currency_id = fields.Many2one(related="contact_id.currency_id")
    outcome = fields.Selection(
        [
            ("promise", "Promises to pay"),
            ("plan", "Wants to pay in instalments"),
            ("paid", "Says it is paid"),
            ("insurer", "Their complementary insurer should pay"),
            ("dispute", "Does not agree"),
            ("nobody", "Nobody answered"),
            ("later", "To be called again"),
            ("wrong_number", "Wrong number"),
            ("other", "Something else"),
        ],
        required=True,
    )
    promise_on = fields.Date("By", default=lambda self: self._default_day("promise_days"))
    promise_amount = fields.Monetary("Amount promised")
    again_on = fields.Date(
        "Call again on", default=lambda self: self._default_day("call_again_days")
    )
    note = fields.Text("What was said")

    @api.model
    def _default_day(self, code):
        days = self.env["health.parameter"].value_of(code)
        return fields.Date.context_today(self) + timedelta(days=days)

    def action_save(self):
        """Note it: the answer in the history, and what follows from it."""
        self.ensure_one()
        contact = self.contact_id
        contact.check_access("write")
        if contact.state != "planned":
            raise UserError(self.env._("This call is done already."))
        label = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
        answer = "\n".join(filter(None, (label, self._detail(), self.note)))
        contact = contact.sudo()
        contact.write(
            {
                "answer": "\n\n".join(filter(None, (contact.answer, answer))),
                "date": fields.Datetime.now(),
                "user_id": self.env.uid,
            }
        )
        if self.outcome in AGAIN:
            self._call_again(contact)
        elif self.outcome == "wrong_number":
            contact._set_state("failed", self.env._("Wrong number: ask for the right one."))
        else:
            if self.outcome == "promise":
                self._promise(contact)
            contact._set_state("delivered")
            self._request(contact)
        contact.share_ids._dunning_refresh(fields.Date.context_today(self))
        return {"type": "ir.actions.act_window_close"}

    def _detail(self):
        if self.outcome == "promise":
            return format_date(self.env, self.promise_on) if self.promise_on else ""
        if self.outcome in AGAIN and self.again_on:
            return format_date(self.env, self.again_on)
        return ""

    def _promise(self, contact):
        today = fields.Date.context_today(self)
        most = self.env["health.parameter"].value_of("promise_most_days")
        if not self.promise_on or not today <= self.promise_on <= today + timedelta(days=most):
            raise UserError(
                self.env._(
                    "A promise has a day, within %s days from today: beyond, offer instalments.",
                    most,
                )
            )
        contact.write(
            {
                "promise_on": self.promise_on,
                "promise_amount": self.promise_amount or contact.amount_written,
            }
        )

    def _call_again(self, contact):
        today = fields.Date.context_today(self)
        most = self.env["health.parameter"].value_of("call_tries")
        if self.outcome == "nobody" and contact.tries + 1 >= most:
            contact._set_state(
                "failed",
                self.env._("Nobody answered %s times.", contact.tries + 1),
                tries=contact.tries + 1,
            )
            return
        if not self.again_on or self.again_on < today:
            raise UserError(self.env._("Say on which day to call again, today or later."))
        contact.write({"day": self.again_on, "tries": contact.tries + 1})

    def _request(self, contact):
        kind = REQUESTS.get(self.outcome)
        if kind:
            self.env["health.debtor.request"].sudo().create(
                {
                    "company_id": contact.company_id.id,
                    "partner_id": contact.partner_id.id,
                    "kind": kind,
                    "message": "\n".join(
                        filter(None, (self.env._("Said on the phone."), self.note))
                    ),
                    "share_ids": [fields.Command.set(contact.share_ids.ids)],
                    "contact_id": contact.id,
                }
            )
