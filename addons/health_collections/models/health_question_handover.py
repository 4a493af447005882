from odoo import fields, models


class HealthQuestion(models.Model):
    """The practitioner agrees to a hand-over, or not, where they answer everything else."""

    _inherit = "health.question"

    fills = fields.Selection(
        selection_add=[("handover", "Agreement to a hand-over")],
        ondelete={"handover": "set null"},
    )
    handover_id = fields.Many2one(
        "health.handover",
        string="Hand-over",
        index="btree_not_null",
        readonly=True,
        ondelete="cascade",
    )

    def _fill_handover(self, data):
        """Yes: the pack can be made. No: the file is refused; “let it go” asks the agency for the loss."""
        file = self.handover_id
        choice, label = data["choice"], dict(self._choice_pairs())[data["choice"]]
        if file.state != "approved":
            return self.env._("File %s no longer waits for an agreement.", file.name)
        if choice == "yes":
            file._consent("page")
            # nothing is left to do about this answer
            self.action_process()
            return self.env._("File %s can be handed over.", file.name)
        file._refuse("practitioner", label)
        if choice == "drop":
            file._wish_loss(label)
            return self.env._("File %s refused; the loss waits for a manager.", file.name)
        return self.env._("File %s refused.", file.name)
