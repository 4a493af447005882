from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthRejectClassify(models.TransientModel):
    """One screen for the codes that ask for their cause."""

    _name = "health.reject.classify"
    _description = "Classify Rejection Codes"

    line_ids = fields.One2many("health.reject.classify.line", "wizard_id", string="Codes")

    @api.model
    def _of(self, codes):
        examples = {}
        for rejection in self.env["health.rejection"].search_fetch(
            [("code_id", "in", codes.ids), ("state", "=", "open")], ["code_id", "partner_id"]
        ):
            examples.setdefault(rejection.code_id, rejection.partner_id)
            examples[rejection.code_id] |= rejection.partner_id
        unknown = self.env["health.reject.family"]._unknown()
        return self.create(
            {
                "line_ids": [
                    fields.Command.create(
                        {
                            "code_id": code.id,
                            # the words of the label were a guess: a person confirms or corrects it
                            "family_id": code.family_id.id if code.family_id != unknown else False,
                            "payers": ", ".join(
                                examples.get(code, self.env["res.partner"]).mapped("name")
                            ),
                        }
                    )
                    for code in codes
                ]
            }
        )

    def _action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rejection codes to classify"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [[False, "form"]],
            "target": "new",
        }

    def action_apply(self):
        """Write the causes chosen; what has none stays to classify."""
        self.ensure_one()
        lines = self.line_ids.filtered("family_id")
        if not lines:
            raise UserError(self.env._("Choose the cause of one code at least."))
        rejections = self.env["health.rejection"]
        for (family, payer_only), group in lines.grouped(
            lambda line: (line.family_id, line.payer_only)
        ).items():
            entries = group.code_id._classify(family, payer_only)
            rejections |= rejections.search(
                [("code_id", "in", entries.ids), ("state", "=", "open")]
            )
        self.env["health.reject.watch"]._propose(rejections)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(codes)s code(s) classified: %(count)s open rejection(s) follow.",
                    codes=len(lines),
                    count=len(rejections),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }


class HealthRejectClassifyLine(models.TransientModel):
    """One code and the cause a person gives it."""

    _name = "health.reject.classify.line"
    _description = "Rejection Code to Classify"

    wizard_id = fields.Many2one("health.reject.classify", required=True, ondelete="cascade")
    code_id = fields.Many2one(
        "health.reject.code", string="Entry", required=True, readonly=True, ondelete="cascade"
    )
    code = fields.Char(related="code_id.code")
    part = fields.Selection(related="code_id.part")
    label = fields.Char(related="code_id.label")
    open_count = fields.Integer(related="code_id.open_count")
    payers = fields.Char(readonly=True)
    family_id = fields.Many2one(
        "health.reject.family", string="Cause", domain=[("code", "!=", "unknown")]
    )
    fixed_by = fields.Selection(related="family_id.fixed_by")
    payer_only = fields.Boolean("This payer only")
