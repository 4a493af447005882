from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthRightsProofBatch(models.TransientModel):
    """One check of rights recorded for many patients at once (ADRi by list, certificates of a fund …)."""

    _name = "health.rights.proof.batch"
    _description = "Record a Check of Rights"

    coverage_ids = fields.Many2many("health.coverage", string="Rights", required=True)
    method = fields.Selection(
        selection="_methods",
        required=True,
        default="adri",
    )
    result = fields.Selection(
        selection=lambda self: self.env["health.rights.proof"]._results(),
        required=True,
        default="open",
    )
    date = fields.Date("Checked on", required=True, default=fields.Date.context_today)
    effective_on = fields.Date(
        "Closed or changed from", help="First day on which the rights of before no longer hold."
    )
    new_case_id = fields.Many2one("health.coverage.case", string="New situation")
    note = fields.Char()
    attachment = fields.Binary("Document")
    attachment_name = fields.Char()
    count = fields.Integer("Rights checked", compute="_compute_count")

    @api.model
    def _methods(self):
        return self.env["health.rights.proof"]._fields["method"]._description_selection(self.env)

    @api.depends("coverage_ids")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard.coverage_ids)

    def action_record(self):
        """Record one proof per coverage; rights that changed go on under the new situation, to be completed."""
        self.ensure_one()
        self.env["health.rights.proof"].check_access("create")
        coverages = self.coverage_ids
        if not coverages:
            raise UserError(self.env._("Choose at least one patient's rights."))
        if self.date > fields.Date.context_today(self):
            raise UserError(
                self.env._(
                    "A check of rights is a fact: its date (%s) cannot lie in the future.",
                    self.date.strftime("%d/%m/%Y"),
                )
            )
        if self.result == "changed" and not self.new_case_id:
            raise UserError(self.env._("The rights changed: choose the new situation."))
        successors = self._successor_values() if self.result == "changed" else []
        proofs = self.env["health.rights.proof"].create(
            [
                {
                    "coverage_id": coverage.id,
                    "method": self.method,
                    "result": self.result,
                    "date": self.date,
                    "effective_on": self.result != "open" and (self.effective_on or self.date),
                    "note": self.note,
                }
                for coverage in coverages
            ]
        )
        if self.attachment:
            self._attach(proofs)
        if not successors:
            return {"type": "ir.actions.act_window_close"}
        made = self.env["health.coverage"].create(successors)
        # what told the change tells that the new rights are open
        self.env["health.rights.proof"].create(
            [
                {
                    "coverage_id": coverage.id,
                    "method": self.method,
                    "date": self.date,
                    "note": self.note,
                }
                for coverage in made
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New rights to complete"),
            "res_model": "health.coverage",
            "view_mode": "form" if len(made) == 1 else "list,form",
            "res_id": made.id if len(made) == 1 else False,
            "domain": [("id", "in", made.ids)],
        }

    def _successor_values(self):
        start = self.effective_on or self.date
        case = self.new_case_id
        return [
            {
                "patient_id": coverage.patient_id.id,
                "date_from": max(start, coverage.date_from),
                "date_to": coverage.date_to
                if coverage.date_to and coverage.date_to > start
                else False,
                "case_id": case.id,
                "amo_partner_id": coverage.amo_partner_id.id,
                "amo_org": coverage.amo_org,
                "third_party_amo": coverage.third_party_amo or case.requires_third_party,
                "amc_partner_id": coverage.amc_partner_id.id,
                "amc_org": coverage.amc_org,
                "amc_member": coverage.amc_member,
                "amc_contract": coverage.amc_contract,
                "amc_date_from": coverage.amc_date_from,
                "amc_date_to": coverage.amc_date_to,
                "amc_rate": coverage.amc_rate,
                "third_party_amc": coverage.third_party_amc,
                "origin": "proof",
                "change": self.env._("%(old)s → %(new)s", old=coverage.case_id.name, new=case.name),
            }
            for coverage in self.coverage_ids
        ]

    def _attach(self, proofs):
        """One copy of the document per patient: a practitioner never reaches another's."""
        attachments = self.env["ir.attachment"].create(
            [
                {
                    "name": self.attachment_name or self.env._("Check of rights"),
                    "datas": self.attachment,
                    "res_model": "health.rights.proof",
                    "res_id": proof.id,
                }
                for proof in proofs
            ]
        )
        for proof, attachment in zip(proofs, attachments, strict=True):
            proof.attachment_ids = attachment
