from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.health_billing.ngap import add_months
from odoo.addons.health_billing.tools import cents


class HealthInduLine(models.Model):
    """One claim that the payer wants back: an anomaly, a position, its proofs."""

    _name = "health.indu.line"
    _description = "Claim of an Overpayment"
    _order = "indu_id, sequence, id"
    _rec_name = "fse_number"
    _check_company_auto = True

    indu_id = fields.Many2one("health.indu", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="indu_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(default=10)
    fse_number = fields.Char("FSE number", help="As the payer writes it.")
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], default="amo")
    care_day = fields.Date("Day of care")
    fse_id = fields.Many2one(
        "health.fse",
        string="FSE",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('company_id', '=', company_id)]",
    )
    share_id = fields.Many2one("health.share", index="btree_not_null", ondelete="set null")
    patient_id = fields.Many2one(related="fse_id.patient_id")
    settlement_line_id = fields.Many2one(
        "health.settlement.line", string="Taken back with", index="btree_not_null", readonly=True
    )
    amount = fields.Monetary("Claimed", required=True)
    amount_paid = fields.Monetary("Paid at the time", compute="_compute_paid")
    paid_on = fields.Date("Paid on", compute="_compute_paid")
    is_old = fields.Boolean(
        "Old payment",
        compute="_compute_paid",
        help="More than the delay of L133-4 between the payment and the notification: have it checked.",
    )
    reason = fields.Text("Ground of the payer")
    decision = fields.Selection(
        [("todo", "To decide"), ("accept", "Accept"), ("contest", "Contest"), ("prove", "Prove")],
        string="Position",
        required=True,
        default="todo",
        index=True,
    )
    argument = fields.Text(
        "What we answer", help="Facts and pieces: the substance is for a lawyer."
    )
    proof_ids = fields.One2many("health.indu.proof", "line_id", string="Proofs")
    question_ids = fields.Many2many(
        "health.question", string="Requests", compute="_compute_question_ids"
    )
    missing = fields.Char(compute="_compute_completeness", store=True)
    completeness = fields.Integer("Proofs (%)", compute="_compute_completeness", store=True)

    @api.depends("share_id.settlement_line_ids.paid", "indu_id.notified_on", "indu_id.received_on")
    def _compute_paid(self):
        months = self.env["health.parameter"].value_of("indu_prescription_months")
        for line in self:
            paid = line.share_id.settlement_line_ids.filtered(
                lambda one: one.state == "P" and cents(one.paid) > 0
            )
            line.amount_paid = sum(paid.mapped("paid"))
            line.paid_on = max(
                filter(None, paid.settlement_id.mapped("transfer_date")), default=False
            )
            told = line.indu_id.notified_on or line.indu_id.received_on
            line.is_old = bool(line.paid_on and told and add_months(line.paid_on, months) < told)

    @api.depends("proof_ids.kind", "proof_ids.is_missing", "fse_id.kind", "fse_id")
    def _compute_completeness(self):
        Proof = self.env["health.indu.proof"]
        labels = dict(Proof._fields["kind"]._description_selection(self.env))
        for line in self:
            wanted = Proof._expected(line)
            there = set(line.proof_ids.filtered(lambda one: not one.is_missing).mapped("kind"))
            if wanted:
                lacking = [kind for kind in wanted if kind not in there]
                line.completeness = 100 * (len(wanted) - len(lacking)) // len(wanted)
                line.missing = ", ".join(labels[kind] for kind in lacking)
            else:  # a claim that the product does not know: whatever a person put there
                line.completeness = 100 if there else 0
                line.missing = False

    @api.depends("fse_id")
    def _compute_question_ids(self):
        questions = self.env["health.indu.proof"]._questions(self)
        for line in self:
            line.question_ids = questions[line]

    @api.constrains("amount")
    def _check_amount(self):
        for line in self:
            if cents(line.amount) <= 0:
                raise ValidationError(self.env._("The amount of a line is more than zero."))

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a number that one of our FSE bears is linked at once."""
        lines = super().create(vals_list)
        lines._link()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if {"fse_number", "part", "fse_id"} & vals.keys() and "share_id" not in vals:
            if "fse_id" not in vals:
                self.filtered("fse_id").fse_id = False
            self.share_id = False
            self._link()
        return result

    @api.onchange("fse_id")
    def _onchange_fse_id(self):
        if self.fse_id:
            self.fse_number = self.fse_id.name
            self.care_day = self.care_day or self.fse_id.fse_date

    def _link(self):
        """Find FSE and share of the lines that have none, in a fixed number of queries."""
        todo = self.filtered(lambda line: line.fse_number and not line.fse_id)
        Source = self.env["health.settlement.line"]
        index = Source._index_fse([(line.company_id.id, line.fse_number) for line in todo])
        for line in todo:
            fse = index.get((line.company_id.id, Source._bare(line.fse_number)))
            if fse:
                line.fse_id = fse
        fses = self.fse_id
        shares = Source._shares_of(fses)
        for line in self:
            share = shares.get((line.fse_id.id, line.part)) if line.fse_id else None
            if share and not line.share_id:
                line.share_id = share
            if line.fse_id and not line.care_day:
                line.care_day = line.fse_id.fse_date

    def action_accept(self):
        self.decision = "accept"

    def action_contest(self):
        self.decision = "contest"

    def action_prove(self):
        self.decision = "prove"

    def action_undecide(self):
        self.decision = "todo"

    def action_open(self):
        """The line on its own, with its proofs."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Claim %s", self.fse_number or ""),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
