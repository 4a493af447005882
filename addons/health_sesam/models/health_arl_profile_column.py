from odoo import fields, models


class HealthArlProfileColumn(models.Model):
    """Where one fact stands in the files of a profile."""

    _name = "health.arl.profile.column"
    _description = "Column of an ARL Profile"
    _order = "sequence, id"

    profile_id = fields.Many2one(
        "health.arl.profile", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    target = fields.Selection(
        [
            ("lot_no", "Lot number"),
            ("date", "Date of the ARL"),
            ("result", "Result"),
            ("provider_no", "Billing number"),
            ("lot_date", "Date of the lot"),
            ("fse_no", "Refused FSE"),
            ("code", "Code"),
            ("label", "Label"),
        ],
        string="What",
        required=True,
    )
    source = fields.Char(
        "Column", help="Name or number of the column; name or number of the group."
    )
    start = fields.Integer("First character", default=1)
    width = fields.Integer("Characters", default=1)
    sample = fields.Char("In the trial file", compute="_compute_sample")

    _target_uniq = models.UniqueIndex("(profile_id, target)", "This fact has a place already.")

    def _compute_sample(self):
        for profile in self.profile_id:
            row = next(iter(profile._trial_rows()), {})
            for column in profile.column_ids:
                column.sample = row.get(column.target) or False
