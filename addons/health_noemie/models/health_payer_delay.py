from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.health_billing.models.health_share import WAITING


class HealthPayerDelay(models.Model):
    """How long a payer usually takes to answer, by flow and part: learnt from its own answers, every night.

    Calendar days from the sending to the transfer date of the answer, payment or refusal. Under a number of answers
    (parameter) the prior of its kind counts, whole: a few answers say little of the slow ones.
    """

    _name = "health.payer.delay"
    _description = "Usual Delay of a Payer"
    _order = "sample_count desc, id"
    _rec_name = "payer_id"

    payer_id = fields.Many2one("res.partner", required=True, index=True, readonly=True)
    flow = fields.Selection(
        selection=lambda self: (
            self.env["health.fse"]._fields["kind"]._description_selection(self.env)
        ),
        required=True,
        readonly=True,
    )
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True, readonly=True)
    sample_count = fields.Integer("Answers", readonly=True, help="Answers of the last months.")
    median_days = fields.Integer("Half answered within (days)", readonly=True)
    p90_days = fields.Integer("Nine in ten answered within (days)", readonly=True)
    override_days = fields.Integer(
        "Set by hand (days)", help="0: learnt. Whoever knows better says it here."
    )
    usual_days = fields.Integer("Silent after (days)", compute="_compute_usual_days")
    source = fields.Selection(
        [("manual", "Set by hand"), ("learnt", "Learnt"), ("prior", "Usual for its kind")],
        string="Where it comes from",
        compute="_compute_usual_days",
    )
    learnt_on = fields.Date(readonly=True)

    _payer_uniq = models.Constraint(
        "UNIQUE(payer_id, flow, part)", "This payer has its delay for this flow and part already."
    )
    _override_positive = models.Constraint(
        "CHECK(override_days >= 0)", "A delay is a number of days: zero or more."
    )

    @api.model
    def _terms(self):
        """The parameters of silence, as SQL arguments."""
        value_of = self.env["health.parameter"].value_of
        return {
            "least": value_of("delay_samples_min"),
            "margin": value_of("silence_margin_days"),
            "amo": value_of("amo_return_days"),
            "amc": value_of("amc_return_days"),
        }

    @api.depends("sample_count", "p90_days", "override_days", "part")
    def _compute_usual_days(self):
        terms = self._terms()
        for delay in self:
            if delay.override_days:
                delay.usual_days, delay.source = delay.override_days, "manual"
            elif delay.sample_count >= terms["least"]:
                delay.usual_days, delay.source = delay.p90_days + terms["margin"], "learnt"
            else:
                delay.usual_days, delay.source = terms[delay.part or "amo"], "prior"

    @api.model
    def _usual(self, payers, flow, part):
        """Days within which payers usually answer, margin included: dict of partner id → days."""
        prior = self.env["health.parameter"].value_of(f"{part}_return_days")
        known = self.sudo().search(
            [("payer_id", "in", payers.ids), ("flow", "=", flow), ("part", "=", part)]
        )
        return dict.fromkeys(payers.ids, prior) | {
            delay.payer_id.id: delay.usual_days for delay in known
        }

    # -- night ---------------------------------------------------------------------------------------

    @api.model
    def _learn(self, day):
        """Learn the delays of every payer from the answers of the last months: one statement.

        Payers that are waited for and never answered get a row too, so that a delay can be set for them.
        """
        for model, names in (
            ("health.settlement.line", ["share_id", "settlement_id", "state"]),
            ("health.settlement", ["transfer_date"]),
            ("health.share", ["sent_on", "partner_id", "debtor_kind", "state"]),
            ("health.fse", ["kind"]),
            (self._name, None),
        ):
            self.env[model].flush_model(names)
        self.env.cr.execute(
            SQL(
                """
                WITH answer AS (
                    SELECT share.partner_id, fse.kind, share.debtor_kind AS part,
                           min(settlement.transfer_date) - share.sent_on AS days
                      FROM health_settlement_line line
                      JOIN health_settlement settlement ON settlement.id = line.settlement_id
                      JOIN health_share share ON share.id = line.share_id
                      JOIN health_fse fse ON fse.id = share.fse_id
                     WHERE line.state IN ('P', 'R') AND share.debtor_kind <> 'patient'
                       AND settlement.transfer_date >= share.sent_on
                  GROUP BY share.id, share.partner_id, fse.kind, share.debtor_kind, share.sent_on
                    HAVING min(settlement.transfer_date) BETWEEN %(start)s AND %(day)s
                ), learnt AS (
                    SELECT partner_id, kind, part, count(*) AS samples,
                           percentile_disc(0.5) WITHIN GROUP (ORDER BY days) AS median,
                           percentile_disc(0.9) WITHIN GROUP (ORDER BY days) AS p90
                      FROM answer GROUP BY partner_id, kind, part
                ), wanted AS (
                    SELECT share.partner_id, fse.kind, share.debtor_kind AS part
                      FROM health_share share JOIN health_fse fse ON fse.id = share.fse_id
                     WHERE share.debtor_kind <> 'patient' AND share.state = ANY(%(waiting)s)
                     UNION SELECT partner_id, kind, part FROM learnt
                     UNION SELECT payer_id, flow, part FROM health_payer_delay
                )
                INSERT INTO health_payer_delay AS delay
                       (payer_id, flow, part, sample_count, median_days, p90_days, learnt_on,
                        create_uid, write_uid, create_date, write_date)
                SELECT partner_id, kind, part, COALESCE(samples, 0), COALESCE(median, 0), COALESCE(p90, 0), %(day)s,
                       %(user)s, %(user)s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                  FROM wanted LEFT JOIN learnt USING (partner_id, kind, part)
                    ON CONFLICT (payer_id, flow, part) DO UPDATE
                   SET sample_count = excluded.sample_count, median_days = excluded.median_days,
                       p90_days = excluded.p90_days, learnt_on = excluded.learnt_on
                 WHERE (delay.sample_count, delay.median_days, delay.p90_days)
                       IS DISTINCT FROM (excluded.sample_count, excluded.median_days, excluded.p90_days)
                """,
                start=day
                - timedelta(days=self.env["health.parameter"].value_of("delay_window_days")),
                day=day,
                waiting=list(WAITING),
                user=self.env.uid,
            )
        )
        self.invalidate_model()

    @api.model
    def _note_silence(self, companies, day):
        """Mark the shares that got no answer within their payer's usual delay; those answered are so no more.

        A payer that put the answer off, or whose refusal was fixed, is waited for as long again. Two writes,
        however many shares.

        :return: (shares newly silent, shares that are so no more)
        """
        Share = self.env["health.share"]
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT share.id
                  FROM health_share share
                  JOIN health_fse fse ON fse.id = share.fse_id
             LEFT JOIN health_lot lot ON lot.id = fse.lot_id
             LEFT JOIN health_payer_delay delay
                    ON delay.payer_id = share.partner_id AND delay.flow = fse.kind AND delay.part = share.debtor_kind
             LEFT JOIN LATERAL (
                       SELECT max(settlement.transfer_date) AS day
                         FROM health_settlement_line line
                         JOIN health_settlement settlement ON settlement.id = line.settlement_id
                        WHERE line.share_id = share.id) said ON TRUE
                 WHERE share.company_id = ANY(%(companies)s) AND share.debtor_kind <> 'patient'
                   AND share.state = ANY(%(waiting)s) AND lot.state IS DISTINCT FROM 'refused'
                   AND %(day)s - GREATEST(share.sent_on, said.day)
                       > COALESCE(
                             NULLIF(delay.override_days, 0),
                             CASE WHEN delay.sample_count >= %(least)s THEN delay.p90_days + %(margin)s END,
                             CASE share.debtor_kind WHEN 'amo' THEN %(amo)s ELSE %(amc)s END)
                """,
                companies=companies.ids,
                waiting=list(WAITING),
                day=day,
                **self._terms(),
            )
        )
        late = Share.browse(share for (share,) in rows).sudo()
        known = Share.sudo().search(
            [("company_id", "in", companies.ids), ("silent_on", "!=", False)]
        )
        found, over = late - known, known - late
        if found:
            found.write({"silent_on": day})
        if over:
            over.write({"silent_on": False})
        return found, over

    def action_open_shares(self):
        """The shares that this delay is about, silent ones first to be chased."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Waiting for %s", self.payer_id.name),
            "res_model": "health.share",
            "view_mode": "list,form",
            "domain": [
                ("partner_id", "=", self.payer_id.id),
                ("debtor_kind", "=", self.part),
                ("fse_id.kind", "=", self.flow),
                ("state", "in", WAITING),
            ],
        }
