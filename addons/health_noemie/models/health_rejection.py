from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthRejection(models.Model):
    """A part that a payer refused, with its cause, until a person fixes it or gives it up."""

    _name = "health.rejection"
    _description = "Rejection"
    _inherit = ["mail.thread"]
    _order = "rejected_on desc, id desc"
    _rec_name = "display_name"

    settlement_line_id = fields.Many2one(
        "health.settlement.line",
        string="Return line",
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    share_id = fields.Many2one(
        "health.share", required=True, index=True, ondelete="cascade", readonly=True
    )
    fse_id = fields.Many2one(related="share_id.fse_id", store=True, index=True)
    company_id = fields.Many2one(
        related="share_id.company_id", store=True, index=True, string="Practitioner"
    )
    patient_id = fields.Many2one(related="share_id.patient_id", store=True)
    partner_id = fields.Many2one(
        related="share_id.partner_id", store=True, string="Payer", index=True
    )
    currency_id = fields.Many2one(related="share_id.currency_id")
    amount = fields.Monetary(related="share_id.amount", store=True)
    rejected_on = fields.Date(required=True, readonly=True)
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True, readonly=True)
    code = fields.Char(readonly=True)
    label = fields.Char(readonly=True)
    level = fields.Selection(
        [("F", "Invoice"), ("L", "Line"), ("A", "Refined code")], readonly=True
    )
    act = fields.Char("Act concerned", readonly=True)
    info = fields.Text("More from the payer", readonly=True)
    code_id = fields.Many2one(
        "health.reject.code", string="Catalogue entry", index=True, readonly=True
    )
    family_id = fields.Many2one(
        "health.reject.family",
        string="Cause",
        compute="_compute_family_id",
        store=True,
        index=True,
    )
    fixed_by = fields.Selection(related="family_id.fixed_by")
    fix = fields.Selection(related="family_id.fix")
    advice = fields.Text("What to do", related="family_id.procedure")
    outcome = fields.Selection(related="family_id.money")
    state = fields.Selection(
        [("open", "To fix"), ("fixed", "Fixed"), ("abandoned", "Abandoned")],
        required=True,
        default="open",
        index=True,
        tracking=True,
    )
    closing_reason = fields.Char(readonly=True, tracking=True)
    residual = fields.Monetary(related="share_id.amount_residual", string="Left to pay")
    forclusion_date = fields.Date(related="share_id.forclusion_date", store=True)
    last_day = fields.Date(related="share_id.last_day")
    prescriber_no = fields.Char(related="fse_id.prescriber_no")
    lot_id = fields.Many2one(related="fse_id.lot_id")
    waiting_until = fields.Date(
        readonly=True,
        copy=False,
        tracking=True,
        help="The payer is at work, or a document was sent: it comes back to its lane on that day.",
    )
    new_fse_id = fields.Many2one(
        "health.fse", string="Sent again as", readonly=True, copy=False, index="btree_not_null"
    )
    new_share_id = fields.Many2one(
        "health.share",
        compute="_compute_new_share_id",
        compute_sudo=True,
        store=True,
        index="btree_not_null",
    )
    new_share_state = fields.Selection(related="new_share_id.state", string="Answer since")
    route = fields.Selection(
        selection=lambda self: self.env["health.reject.family"]._fixes(),
        string="Corrected by",
        readonly=True,
        copy=False,
    )

    @api.depends("code_id.family_id", "label", "part")
    def _compute_family_id(self):
        classify = self.env["health.reject.family"]._classifier()
        for rejection in self:
            rejection.family_id = rejection.code_id.family_id or classify(
                rejection.label, rejection.part
            )

    @api.depends("part", "new_fse_id.share_ids.debtor_kind")
    def _compute_new_share_id(self):
        for rejection in self:
            rejection.new_share_id = rejection.new_fse_id.share_ids.filtered(
                lambda share, part=rejection.part: share.debtor_kind == part
            )[:1]

    @api.depends("fse_id.name", "code", "part")
    def _compute_display_name(self):
        parts = dict(self._fields["part"]._description_selection(self.env))
        for rejection in self:
            names = [
                rejection.fse_id.name or "",
                parts.get(rejection.part, ""),
                rejection.code or "",
            ]
            rejection.display_name = " · ".join(filter(None, names))

    @api.model_create_multi
    def create(self, vals_list):
        rejections = super().create(vals_list)
        rejections.share_id._sync_is_rejected()
        self.env["health.reject.watch"]._propose(rejections)
        return rejections

    def write(self, vals):
        result = super().write(vals)
        if "state" in vals:
            self.share_id._sync_is_rejected()
        return result

    def unlink(self):
        shares = self.share_id
        result = super().unlink()
        shares._sync_is_rejected()
        return result

    def action_fixed(self):
        """The cause is removed: the share is no longer held by this rejection."""
        self._close("fixed", self.env._("Fixed by %s", self.env.user.name))

    def action_abandon(self):
        """Ask for the reason, then give up."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Abandon the rejection"),
            "res_model": "health.rejection.close",
            "view_mode": "form",
            "target": "new",
            "context": {"default_rejection_ids": [fields.Command.set(self.ids)]},
        }

    def action_reopen(self):
        gone = self.filtered(lambda rejection: rejection.new_fse_id)
        if gone:
            raise UserError(
                self.env._(
                    "FSE %(fse)s was sent again as %(new)s: the new claim is followed, not this one.",
                    fse=gone[0].fse_id.name,
                    new=gone[0].new_fse_id.name,
                )
            )
        self.write({"state": "open", "closing_reason": False, "waiting_until": False})

    def _close(self, state, reason):
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the rejection."))
        self.filtered(lambda rejection: rejection.state == "open").write(
            {"state": state, "closing_reason": reason}
        )

    # -- correcting --------------------------------------------------------------------------------

    @api.model
    def _follow(self, corrected):
        """The parts of these FSE are billed again: their open rejections are dealt with.

        :param corrected: dict of refused FSE → the new one.
        """
        rejections = self.search(
            [
                ("fse_id", "in", [fse.id for fse in corrected]),
                ("state", "=", "open"),
                ("share_id.closing", "=", "replaced"),
            ]
        )
        new_of = {fse.id: new.id for fse, new in corrected.items()}
        for rejection in rejections:
            rejection.new_fse_id = new_of[rejection.fse_id.id]
        rejections._close("fixed", self.env._("Billed again under a new number."))

    @api.model
    def _waiting_domain(self, day):
        """Open rejections that a person must deal with: those that wait for the payer come back."""
        return [
            ("state", "=", "open"),
            "|",
            ("waiting_until", "=", False),
            ("waiting_until", "<=", day),
        ]

    def action_fix(self):
        """The screen that corrects these rejections and sends them again."""
        todo = self.filtered(lambda rejection: rejection.state == "open")
        if not todo:
            raise UserError(self.env._("Nothing to correct: these rejections are closed."))
        if todo.code_id and set(todo.family_id.mapped("code")) == {"unknown"}:
            # without a cause no correction can be proposed
            return todo.action_classify()
        return self.env["health.rejection.fix"]._of(todo)._action()

    def action_open_new_fse(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.new_fse_id.name,
            "res_model": "health.fse",
            "res_id": self.new_fse_id.id,
            "views": [[False, "form"]],
        }

    def action_classify(self):
        """Say the cause of the codes of these rejections, once for all alike."""
        codes = self.code_id
        if not codes:
            raise UserError(
                self.env._("The payer gave no code nor label: choose the correction yourself.")
            )
        return codes.action_classify()
