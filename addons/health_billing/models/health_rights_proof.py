from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthRightsProof(models.Model):
    """What was consulted about a patient's rights, when, by whom, and what came of it."""

    _name = "health.rights.proof"
    _description = "Rights Proof"
    _order = "date desc, id desc"

    coverage_id = fields.Many2one("health.coverage", required=True, index=True, ondelete="cascade")
    patient_id = fields.Many2one(related="coverage_id.patient_id", store=True, index=True)
    company_id = fields.Many2one(
        related="coverage_id.company_id", store=True, index=True, string="Practitioner"
    )
    date = fields.Date(required=True, default=fields.Date.context_today, index=True)
    method = fields.Selection(
        [
            ("adri", "ADRi (online rights of the fund)"),
            ("card", "Vitale card"),
            ("certificate", "Certificate of rights"),
            ("amc_online", "Online service of the insurer"),
            ("amc_card", "Insurer's card"),
            ("phone", "Phone call"),
        ],
        required=True,
        default="adri",
    )
    result = fields.Selection(selection="_results", required=True, default="open")
    effective_on = fields.Date(
        "Closed or changed from",
        help="First day on which the rights of before no longer hold; empty: the day of the check.",
    )
    user_id = fields.Many2one("res.users", default=lambda self: self.env.user, required=True)
    note = fields.Char()
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")

    @api.model
    def _results(self):
        return [
            ("open", self.env._("Rights open")),
            ("closed", self.env._("Rights closed")),
            ("changed", self.env._("Rights changed")),
        ]

    @api.model_create_multi
    def create(self, vals_list):
        """Rights found closed or changed end that day; the FSE not sent are controlled again."""
        proofs = super().create(vals_list)
        proofs._end_coverages()
        proofs.coverage_id._review_touched(proofs.coverage_id._touched_fses())
        return proofs

    def write(self, vals):
        frozen = {
            "coverage_id",
            "date",
            "method",
            "result",
            "effective_on",
            "user_id",
        } & vals.keys()
        if frozen and not self.env.su:
            raise UserError(
                self.env._("A check of rights stays as it was recorded: record another one.")
            )
        return super().write(vals)

    def _end_coverages(self):
        ended = self.filtered(lambda proof: proof.result != "open")
        by_day = {}
        for proof in ended:
            coverage = proof.coverage_id
            # rights that never were open become an empty period
            day = max(proof.effective_on or proof.date, coverage.date_from)
            if not coverage.date_to or day < coverage.date_to:
                by_day[day] = by_day.get(day, coverage.browse()) | coverage
        for day, coverages in by_day.items():  # one write per day, mostly the same for all
            coverages.write({"date_to": day})

    @api.model
    def _closed_from(self, patients):
        """Day from which the rights of each patient are known to be closed: dict of patient id → day, one query."""
        found = {}
        for proof in self.search_fetch(
            [("patient_id", "in", patients.ids), ("result", "=", "closed")],
            ["patient_id", "effective_on", "date"],
        ):
            day = proof.effective_on or proof.date
            known = found.get(proof.patient_id.id)
            found[proof.patient_id.id] = max(known, day) if known else day
        return found
