from odoo import api, fields, models
from odoo.exceptions import UserError

#: the letter that a next step calls for
BY_STEP = {
    "notification": "details",
    "lines": "details",
    "decide": "observations",
    "prove": "proofs",
    "contest": "contest",
    "accept": "accept",
    "repay": "accept",
}


class HealthInduLetterWrite(models.TransientModel):
    """Choose the letter that is drawn up from the file."""

    _name = "health.indu.letter.write"
    _description = "Write a Letter of an Overpayment File"

    indu_id = fields.Many2one("health.indu", required=True)
    kind = fields.Selection(
        selection=lambda self: (
            self.env["health.indu.letter"]._fields["kind"]._description_selection(self.env)
        ),
        string="Letter",
        required=True,
        compute="_compute_kind",
        store=True,
        readonly=False,
    )
    instalments = fields.Integer(default=1, help="Of how many payments we ask; 1: at once.")
    first_on = fields.Date("First payment on")

    @api.depends("indu_id")
    def _compute_kind(self):
        for wizard in self:
            wizard.kind = BY_STEP.get(wizard.indu_id.step, "observations")

    def action_write(self):
        """Draw the letter up and open it, to be read and corrected."""
        self.ensure_one()
        self.indu_id.check_access("write")
        if not 1 <= self.instalments <= 60:
            raise UserError(self.env._("Ask for 1 to 60 payments."))
        lines = self.indu_id.line_ids
        if self.kind == "contest" and not lines.filtered(
            lambda line: line.decision in ("contest", "prove")
        ):
            raise UserError(
                self.env._("No line is contested: give each line its position before contesting.")
            )
        undecided = lines.filtered(lambda line: line.decision == "todo")
        if self.kind in ("contest", "accept") and undecided:
            raise UserError(
                self.env._(
                    "%s line(s) have no position: what is not contested in time is lost. Decide them first.",
                    len(undecided),
                )
            )
        letter = self.env["health.indu.letter"]._draw_up(
            self.indu_id, self.kind, self.instalments, self.first_on
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": letter._name,
            "res_id": letter.id,
            "view_mode": "form",
        }
