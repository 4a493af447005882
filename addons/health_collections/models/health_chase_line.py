from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, format_cents

from ..dunning.chase import Claim

#: what still has to be settled with the payer, by somebody
LIVE = ("open", "waiting", "announced", "refused", "disputed", "resend")
BY_SHARE = {
    **dict.fromkeys(CLOSED, "settled"),
    "announced": "announced",
    "rejected": "refused",
    "arl_refused": "refused",
    "disputed": "disputed",
}
OUTCOMES = [
    ("in_process", "Being dealt with"),
    ("promised", "Will be paid"),
    ("paid", "Was paid, they say"),
    ("not_received", "Never received: send again"),
    ("refused", "Refused: its return will come"),
    ("disputed", "Contested: we dispute"),
]
#: answers after which the payer is left in peace for a while, and the parameter that says how long
RESTS = {
    "in_process": "chase_process_days",
    "promised": "chase_process_days",
    "paid": "chase_paid_days",
    "refused": "chase_process_days",
}


class HealthChaseLine(models.Model):
    """One late share on the list of its payer: how far it was asked for, and what the payer said of it."""

    _name = "health.chase.line"
    _description = "Late Share of a Payer"
    _order = "sent_on, id"
    _rec_name = "share_id"

    chase_id = fields.Many2one("health.chase", required=True, index=True, ondelete="cascade")
    share_id = fields.Many2one("health.share", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="share_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="share_id.currency_id")
    fse_id = fields.Many2one(related="share_id.fse_id", string="FSE")
    patient_id = fields.Many2one(related="share_id.patient_id")
    fse_date = fields.Date(related="share_id.fse_date", string="Invoice date")
    sent_on = fields.Date(related="share_id.sent_on", store=True)
    due_date = fields.Date(related="share_id.due_date")
    forclusion_date = fields.Date(related="share_id.forclusion_date", store=True)
    amount = fields.Monetary(related="share_id.amount", string="Asked")
    amount_residual = fields.Monetary(
        related="share_id.amount_residual", store=True, string="Left to pay"
    )
    share_state = fields.Selection(related="share_id.state", string="State of the share")
    days_waiting = fields.Integer("Days", compute="_compute_days_waiting")
    lot_no = fields.Char("Lot", compute="_compute_proof", compute_sudo=True)
    arl_on = fields.Date("ARL of", compute="_compute_proof", compute_sudo=True)
    proof = fields.Char("Received", compute="_compute_proof", compute_sudo=True)
    has_proof = fields.Boolean(
        "Reception proven",
        compute="_compute_proof",
        compute_sudo=True,
        help="A positive acknowledgement (ARL) came back for its lot.",
    )
    rank = fields.Integer("Step taken", readonly=True)
    asked_on = fields.Date("Last asked on", readonly=True)
    is_late = fields.Boolean(default=True, readonly=True)
    rests_until = fields.Date(
        "Not before", help="The payer answered: nothing is asked again before that day is over."
    )
    outcome = fields.Selection(OUTCOMES, string="Payer's answer", readonly=True)
    note = fields.Char(help="Reference or date given by the payer. Nothing about the care.")
    state = fields.Selection(
        [
            ("open", "To claim"),
            ("waiting", "In time again"),
            ("announced", "Announced"),
            ("refused", "Refused"),
            ("disputed", "In dispute"),
            ("resend", "To send again"),
            ("settled", "Settled"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )

    _share_uniq = models.Constraint("UNIQUE(share_id)", "A share stands on one list.")

    @api.depends("share_id.state", "outcome", "is_late")
    def _compute_state(self):
        for line in self:
            state = BY_SHARE.get(line.share_id.state, "open")
            if state == "open" and line.outcome == "not_received":
                state = "resend"
            if state == "open" and not line.is_late:
                state = "waiting"
            line.state = state

    @api.depends("sent_on")
    def _compute_days_waiting(self):
        day = self.env["health.chase"]._today()
        for line in self:
            line.days_waiting = (day - line.sent_on).days if line.sent_on else 0

    @api.depends("share_id")
    def _compute_proof(self):
        proofs = self.share_id.fse_id._sending_proof()
        for line in self:
            proof = proofs.get(line.share_id.fse_id) or {}
            line.lot_no = proof.get("lot")
            line.arl_on = proof.get("arl_on")
            line.has_proof = bool(line.arl_on)
            line.proof = (
                self.env._("ARL %s", line.arl_on.strftime("%d/%m"))
                if line.arl_on
                else self.env._("no ARL")
            )

    def _claim(self):
        """This line as the pure scale wants it."""
        self.ensure_one()
        return Claim(
            key=self.id,
            due_on=self.due_date,
            rank=self.rank,
            rests_until=self.rests_until or None,
            asked_on=self.asked_on or None,
            cents=cents(self.amount_residual),
        )

    def _note_late(self, late):
        """Say which of these lines are late still; a share that its payer put off is waited for again."""
        over = self.filtered(lambda line: line.is_late and line.share_id not in late)
        again = self.filtered(lambda line: not line.is_late and line.share_id in late)
        # what is announced, refused or disputed left the lists by itself
        over = over.filtered(lambda line: line.state == "open")
        if over:
            over.write({"is_late": False})
        if again:
            again.write({"is_late": True})

    def _asked(self, levels, day):
        """Each line took its next step on that day; at the top it stays there."""
        ranks = levels.mapped("level")
        for rank, lines in self.sudo().grouped("rank").items():
            after = next((one for one in ranks if one > rank), rank)
            lines.write({"rank": after, "asked_on": day})

    def _answered(self, outcome, day, until=False, note=False):
        """What the payer said of these lines, and what follows from it."""
        if outcome == "disputed" and not (note or "").strip():
            raise UserError(
                self.env._("Say what the payer contests: the reason stays with the share.")
            )
        values = {"outcome": outcome, "rests_until": False}
        if note:
            values["note"] = note
        if outcome in RESTS:
            rest = self.env["health.parameter"].value_of(RESTS[outcome])
            values["rests_until"] = until or day + timedelta(days=rest)
        self.sudo().write(values)
        if outcome == "disputed":
            self.share_id.filtered(lambda share: share.state != "disputed")._dispute(note)

    def _rest_until_next_call(self, day):
        """Nobody answered: the same step again in a few days."""
        pause = self.env["health.parameter"].value_of("chase_retry_days")
        self.sudo().write({"rests_until": day + timedelta(days=pause - 1)})

    def action_dispute(self):
        """Ask what the dispute is about."""
        return self.share_id.action_dispute()

    def action_end_dispute(self):
        self.share_id.action_end_dispute()
        self.sudo().write({"outcome": False, "rests_until": False})
        self.chase_id._plan(self.env["health.chase"]._today())
        return True

    def action_send_again(self):
        """Bill these again under a new number: the payer never had them."""
        self.check_access("write")
        return self.share_id.fse_id.action_correct()

    def action_open_share(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.share",
            "res_id": self.share_id.id,
            "view_mode": "form",
        }

    def _in_order(self):
        """As a payer reads them: the oldest sending first, then by number."""
        return self.sorted(
            lambda line: (line.sent_on or date.max, line.share_id.fse_id.name, line.id)
        )

    def _rows(self):
        """These lines as texts, for letters, call sheets and packs: dates and numbers, nothing of the care."""
        proofs = self.share_id.fse_id._sending_proof()
        day = lambda value: value.strftime("%d/%m/%Y") if value else ""  # noqa: E731
        rows = []
        for line in self:
            share, fse = line.share_id, line.share_id.fse_id
            proof = proofs[fse]
            rows.append(
                {
                    "line": line,
                    "number": fse.name,
                    "day": day(share.fse_date),
                    "patient": share.patient_id.name or "",
                    "member": (fse.amc_member or "") if share.debtor_kind == "amc" else "",
                    "sent": day(proof["sent_on"]),
                    "lot": proof["lot"],
                    "arl": day(proof["arl_on"]),
                    "file": proof["file"],
                    "checksum": proof["checksum"],
                    "asked": format_cents(cents(share.amount)),
                    "left": format_cents(cents(share.amount_residual)),
                    "left_cents": cents(share.amount_residual),
                    "reason": share.dispute_reason or "",
                    "note": line.note or "",
                }
            )
        return rows
