from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.health_chase_line import OUTCOMES


class HealthChaseContact(models.TransientModel):
    """The call sheet on the screen: whom to call, what to say, and what the payer answers to each claim."""

    _name = "health.chase.contact"
    _description = "Contact with a Payer"

    chase_id = fields.Many2one("health.chase", required=True, readonly=True)
    company_id = fields.Many2one(related="chase_id.company_id")
    payer_phone = fields.Char(related="chase_id.payer_phone")
    provider_no = fields.Char(related="company_id.health_provider_no", string="Billing number")
    say = fields.Text("What to say", readonly=True)
    message = fields.Text("Message to copy", compute="_compute_message")
    channel = fields.Selection(
        [("phone", "Phone"), ("hand", "Payer's form"), ("email", "Payer's mailbox")],
        required=True,
    )
    day = fields.Date("On", required=True)
    nobody = fields.Boolean("Nobody answered", help="The step stays to be taken; call again soon.")
    dossier_no = fields.Char("Payer's file no.")
    answer = fields.Text("Said by the payer")
    line_ids = fields.One2many("health.chase.contact.line", "wizard_id", string="Claims")
    all_outcome = fields.Selection(OUTCOMES, string="Same answer for all")

    @api.model
    def _of(self, chase, channel):
        """The sheet of a list, with the claims that its step takes along."""
        day = chase._today()
        lines = chase._due_lines(day)
        if not lines:
            raise UserError(
                self.env._("%s: nothing to ask for, no share is late.", chase.display_name)
            )
        level = chase.next_level_id.sudo()
        return self.create(
            {
                "chase_id": chase.id,
                "channel": channel,
                "day": day,
                "dossier_no": chase.dossier_no,
                "say": level.health_call_text or level.custom_text or False,
                "line_ids": [fields.Command.create({"line_id": line.id}) for line in lines],
            }
        )

    @api.depends("channel", "line_ids.line_id")
    def _compute_message(self):
        Pack = self.env["health.chase.pack"]
        for wizard in self:
            lines = wizard.line_ids.line_id
            wizard.message = (
                wizard.channel in ("hand", "email")
                and lines
                and Pack._to_copy(wizard.chase_id, lines)
            )

    @api.onchange("all_outcome")
    def _onchange_all_outcome(self):
        for line in self.line_ids:
            line.outcome = self.all_outcome

    def action_confirm(self):
        """Keep the contact, and what was said of each claim."""
        self.ensure_one()
        chase = self.chase_id
        chase.check_access("write")
        lines = self.line_ids.line_id
        if not lines:
            raise UserError(self.env._("Keep at least one claim: what was the call about?"))
        if self.nobody and (self.answer or any(line.outcome for line in self.line_ids)):
            raise UserError(
                self.env._("Nobody answered, or somebody said something: not both. Correct one.")
            )
        if self.day > chase._today():
            raise UserError(self.env._("A contact is noted once it took place: correct its day."))
        labels = dict(self.line_ids._fields["outcome"]._description_selection(self.env))
        told = [
            f"{line.line_id.fse_id.name} : {labels[line.outcome]}"
            + (f" ({line.note})" if line.note else "")
            for line in self.line_ids
            if line.outcome
        ]
        answer = "\n".join(filter(None, [self.answer, *told]))
        if self.dossier_no != chase.dossier_no:
            chase.dossier_no = self.dossier_no
        chase._contacted(
            lines,
            {
                "channel": self.channel,
                "subject": self.env._("Claim of %s share(s)", len(lines)),
                "state": "failed" if self.nobody else "sent",
                "state_reason": self.env._("Nobody answered.") if self.nobody else False,
                "body": self.message or self.say,
                "answer": answer or False,
            },
            self.day,
            reached=not self.nobody,
        )
        if self.nobody:
            lines._rest_until_next_call(self.day)
        else:
            for (outcome, until, note), group in (
                self.line_ids.filtered("outcome")
                .grouped(lambda line: (line.outcome, line.until, line.note))
                .items()
            ):
                group.line_id._answered(outcome, self.day, until, note)
        chase._plan(chase._today())
        return {"type": "ir.actions.act_window_close"}
