from odoo import api, fields, models
from odoo.tools import SQL


class HealthRejectionLane(models.Model):
    """Rejections that wait, grouped as one decision settles them: practitioner, payer, part and cause.

    Read from the rejections themselves; a part refused for two causes stands in the lane of the first.
    """

    _name = "health.rejection.lane"
    _description = "Rejections Alike"
    _auto = False
    _order = "amount desc, id"
    _depends = {
        "health.rejection": ["state", "family_id", "share_id", "waiting_until", "rejected_on"],
        "health.reject.family": ["sequence"],
        "health.share": ["amount_residual", "forclusion_date"],
    }

    company_id = fields.Many2one("res.company", string="Practitioner", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", string="Payer", readonly=True)
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], readonly=True)
    family_id = fields.Many2one("health.reject.family", string="Cause", readonly=True)
    fixed_by = fields.Selection(related="family_id.fixed_by")
    fix = fields.Selection(related="family_id.fix")
    advice = fields.Text("What to do", related="family_id.procedure")
    count = fields.Integer("Rejections", readonly=True)
    amount = fields.Monetary("Left to pay", readonly=True)
    forclusion_date = fields.Date("Forfeited from", readonly=True)
    oldest_on = fields.Date("Oldest", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT min(id) AS id, company_id, partner_id, part, family_id,
                   count(*)::int AS count, sum(amount_residual) AS amount,
                   min(forclusion_date) AS forclusion_date, min(rejected_on) AS oldest_on
              FROM (
                    SELECT DISTINCT ON (rejection.share_id)
                           rejection.id, rejection.company_id, rejection.partner_id, rejection.part,
                           rejection.family_id, rejection.rejected_on, share.amount_residual, share.forclusion_date
                      FROM health_rejection rejection
                      JOIN health_share share ON share.id = rejection.share_id
                 LEFT JOIN health_reject_family family ON family.id = rejection.family_id
                     WHERE rejection.state = 'open'
                       AND (rejection.waiting_until IS NULL OR rejection.waiting_until <= %(today)s)
                  ORDER BY rejection.share_id, family.sequence, rejection.id
                   ) AS waiting
          GROUP BY company_id, partner_id, part, family_id
            """,
            today=fields.Date.context_today(self),
        )

    @api.depends("count", "family_id.name", "partner_id.name")
    def _compute_display_name(self):
        for lane in self:
            lane.display_name = f"{lane.count} × {lane.family_id.name} · {lane.partner_id.name}"

    def _rejections(self):
        """The rejections of these lanes, in one query: of each share the one that stands in the lane."""
        keys = {(lane.company_id, lane.partner_id, lane.part, lane.family_id) for lane in self}
        waiting = self.env["health.rejection"].search(
            [
                ("company_id", "in", self.company_id.ids),
                ("partner_id", "in", self.partner_id.ids),
                *self.env["health.rejection"]._waiting_domain(fields.Date.context_today(self)),
            ]
        )
        kept = waiting.browse()
        for group in waiting.grouped("share_id").values():
            first = group.sorted(lambda one: (one.family_id.sequence, one.id))[0]
            if (first.company_id, first.partner_id, first.part, first.family_id) in keys:
                kept |= first
        return kept

    def _open_domain(self):
        return [("id", "in", self._rejections().ids)]

    def action_fix(self):
        """One screen for all rejections of these lanes."""
        return self._rejections().action_fix()

    def action_open(self):
        """Look at them one by one."""
        return {
            **self.env["health.cockpit"]._act_window(
                self.display_name if len(self) == 1 else self.env._("Rejections"),
                "health.rejection",
                self._open_domain(),
            )
        }
