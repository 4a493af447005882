from odoo import fields, models


class HealthRejectEpoch(models.Model):
    """A time during which payers kept one numbering of their rejections: data, as each change is published."""

    _name = "health.reject.epoch"
    _description = "Rejection Numbering"
    _order = "date_from desc nulls last, id"

    code = fields.Char(required=True)
    name = fields.Char(required=True)
    date_from = fields.Date("In use from", help="Empty: since ever.")
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "This numbering exists already.")

    def _on(self):
        """A function day → the numbering in use; without a day, the latest one."""
        epochs = self.search([])

        def on(day):
            for epoch in epochs:
                if not day or not epoch.date_from or epoch.date_from <= day:
                    return epoch
            return epochs[-1:]

        return on
