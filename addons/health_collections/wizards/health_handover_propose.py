from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros

from ..models.health_handover import KINDS


class HealthHandoverPropose(models.TransientModel):
    """Propose by hand to hand shares over: what stands against it is told, a manager decides."""

    _name = "health.handover.propose"
    _description = "Propose Hand-overs"

    share_ids = fields.Many2many("health.share", string="Shares", required=True)
    kind = fields.Selection(KINDS, string="Road", required=True, default="collector")
    recipient_id = fields.Many2one(
        "res.partner", string="Handed to", domain="[('health_recovery_kind', '=', kind)]"
    )
    note = fields.Char(help="For the agency only: it does not leave with the file.")
    file_count = fields.Integer("Number of files", compute="_compute_cases")
    amount = fields.Monetary("Left to pay", compute="_compute_cases")
    currency_id = fields.Many2one("res.currency", compute="_compute_cases")
    against = fields.Text("Policy not fulfilled", compute="_compute_cases")
    held = fields.Text("Stays here", compute="_compute_cases")
    caution = fields.Text("Needs a person's decision", compute="_compute_cases")

    def _cases(self):
        self.ensure_one()
        Handover = self.env["health.handover"]
        shares = self.share_ids._origin or self.share_ids
        busy = shares.filtered(lambda share: any(share.handover_line_ids.mapped("is_open")))
        cases = Handover._cases(shares - busy, self.env["health.cycle"].last_day(), kind=self.kind)
        return cases, busy

    @api.depends("share_ids", "kind")
    def _compute_cases(self):
        texts = self.env["health.handover"]._objection_texts()
        for wizard in self:
            cases, busy = wizard._cases() if wizard.share_ids else ([], wizard.share_ids)
            going = [case["shares"] - self._stays(case) for case in cases]
            wizard.file_count = len([shares for shares in going if shares])
            wizard.amount = euros(
                sum(cents(share.amount_residual) for shares in going for share in shares)
            )
            wizard.currency_id = wizard.share_ids.currency_id[:1]
            wizard.against = "\n".join(
                f"{case['debtor'].name} : {', '.join(texts[code] for code in case['objections'])}."
                for case in cases
                if case["objections"]
            )
            wizard.caution = "\n".join(
                f"{case['debtor'].name} : {case['caution']}" for case in cases if case["caution"]
            )
            stays = [
                f"FSE {share.fse_id.name} : {why}"
                for case in cases
                for share, why in case["held"].items()
            ]
            stays += [
                self.env._("FSE %s: in an open file already.", share.fse_id.name) for share in busy
            ]
            wizard.held = "\n".join(stays)

    @api.model
    def _stays(self, case):
        return self.env["health.share"].union(*case["held"])

    def action_propose(self):
        """Make the files of what may go; a manager approves or refuses them."""
        self.ensure_one()
        self.share_ids.check_access("write")
        if self.recipient_id and self.recipient_id.health_recovery_kind != self.kind:
            raise UserError(self.env._("%s is not for this road.", self.recipient_id.name))
        cases, _busy = self._cases()
        ready = []
        for case in cases:
            shares = case["shares"] - self._stays(case)
            if shares:
                recipient = self.recipient_id or case["recipient"]
                ready.append({**case, "shares": shares, "recipient": recipient})
        if not ready:
            raise UserError(self.env._("Nothing can be handed over:\n%s", self.held or ""))
        files = self.env["health.handover"]._open_files(
            ready, self.env["health.cycle"].last_day(), self.env.user
        )
        if self.note:
            files.write({"note": self.note})
        return files._action_open(self.env._("Hand-overs to approve"))
