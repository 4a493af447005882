from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.health_billing.models.health_share import WAITING
from odoo.addons.health_billing.ngap import is_holiday
from odoo.addons.health_billing.tools import QUIET, cents, euros

from ..dunning.lateness import Terms, half_year, look

#: claims by scope of the practitioner
KINDS = {"secured": ("F",), "all": ("F", "B")}
#: shares that may still be late; what is announced is judged by its transfer order, once it is here
OPEN = (*WAITING, "partial")
#: what another night may find otherwise
MEASURED = frozenset(
    {"start_on", "start_proof", "due_on", "settled_on", "days", "penalty", "period"}
)


class HealthLateness(models.Model):
    """The AMO share of one claim that its fund paid late by the working-day rule, and the penalty due for it.

    Written by the night from facts (acknowledgement or sending, transfer order or bank), never by hand; a person
    only leaves one out, with a reason.
    """

    _name = "health.lateness"
    _description = "Late Payment of an AMO Share"
    _order = "period desc, payer_id, start_on, id"
    _rec_name = "share_id"
    _check_company_auto = True

    share_id = fields.Many2one("health.share", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, readonly=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    payer_id = fields.Many2one("res.partner", required=True, readonly=True, index=True)
    fse_no = fields.Char("FSE", readonly=True)
    lot_no = fields.Char("Lot", readonly=True)
    start_on = fields.Date("Counted from", readonly=True, required=True)
    start_proof = fields.Selection(
        [("arl", "Acknowledgement (ARL)"), ("sent", "Sending")],
        string="Proof",
        readonly=True,
        required=True,
    )
    due_on = fields.Date("Last day to pay", readonly=True, required=True)
    settled_on = fields.Date("Paid on", readonly=True)
    days = fields.Integer("Working days", readonly=True, aggregator="max")
    amount = fields.Monetary("AMO share", readonly=True)
    penalty = fields.Monetary(readonly=True)
    period = fields.Char(
        "Half-year", readonly=True, index=True, help="That of the payment; of today while it runs."
    )
    claim_id = fields.Many2one(
        "health.lateness.claim",
        string="Claim of penalties",
        readonly=True,
        index="btree_not_null",
        check_company=True,
        ondelete="set null",
    )
    left_out_reason = fields.Char("Left out because", readonly=True)
    state = fields.Selection(
        [
            ("running", "Not paid yet"),
            ("counted", "To claim"),
            ("claimed", "Claimed"),
            ("answered", "Answered"),
            ("left_out", "Left out"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )

    _share_uniq = models.Constraint("UNIQUE(share_id)", "A share is late once.")

    @api.depends("settled_on", "claim_id.state", "left_out_reason")
    def _compute_state(self):
        by_claim = {"draft": "counted", "sent": "claimed"}
        for late in self:
            if late.left_out_reason:
                late.state = "left_out"
            elif not late.settled_on:
                late.state = "running"
            else:
                late.state = (
                    by_claim.get(late.claim_id.state, "answered") if late.claim_id else "counted"
                )

    # -- night ---------------------------------------------------------------------------------------

    @api.model
    def _terms(self):
        value_of = self.env["health.parameter"].value_of
        return Terms(
            pay_days=value_of("lateness_pay_days"),
            flat_cents=value_of("lateness_flat_cents"),
            rate_day=value_of("lateness_rate_day"),
            rate_percent=value_of("lateness_rate_percent"),
        )

    @api.model
    def _to_look_at(self, companies, day):
        """AMO shares that may be late: open ones, and those settled since the last look."""
        followed = companies.sudo().filtered(lambda one: one.health_lateness_scope in KINDS)
        pay_days = self.env["health.parameter"].value_of("lateness_pay_days")
        domain = Domain.FALSE
        for scope, group in followed.grouped("health_lateness_scope").items():
            domain |= Domain("company_id", "in", group.ids) & Domain(
                "fse_id.kind", "in", KINDS[scope]
            )
        domain &= (
            Domain("debtor_kind", "=", "amo")
            & Domain("sent_on", "<", day - timedelta(days=pay_days))
            & (
                Domain("state", "in", OPEN)
                | Domain("state", "=", "paid") & Domain("lateness_seen", "=", False)
            )
        )
        return self.env["health.share"].sudo().search(domain)

    @api.model
    def _night(self, companies, day):
        """Bring the ledger up to date: late shares come in, run on, get their day of payment.

        What stands in a claim that was sent is not changed any more. Safe to run again.

        :return: rows new since the last night.
        """
        self = self.sudo().with_context(**QUIET)
        shares = self._to_look_at(companies, day)
        known = self.search(
            [("company_id", "in", companies.ids), ("state", "in", ("running", "counted"))]
        )
        by_share = {late.share_id: late for late in known}
        sealed = self.search([("share_id", "in", shares.ids)]) - known
        shares -= sealed.share_id
        found = self._measure(shares, day)
        vals_list, changes = [], {}
        for share, values in found.items():
            late = by_share.get(share)
            if not late:
                vals_list.append({"share_id": share.id, **values})
            elif any(late[name] != value for name, value in values.items() if name in MEASURED):
                changes.setdefault(tuple(sorted(values.items())), []).append(late.id)
        for values, ids in changes.items():
            self.browse(ids).write(dict(values))
        # refused, replaced, written off, or not followed since: nothing is late there any more
        gone = known.filtered(
            lambda late: (
                late.share_id not in found
                and not (late.share_id.state == "paid" and late.share_id.lateness_seen)
            )
        )
        gone.unlink()
        settled = shares.filtered(lambda share: share.state == "paid")
        if settled:
            settled.write({"lateness_seen": True})
        return self.create(vals_list)

    @api.model
    def _measure(self, shares, day):
        """How late each share is: dict of share → values of its row; those in time are missing."""
        terms = self._terms()
        proofs = shares.fse_id._sending_proof()
        settled = shares._settled_on()
        found = {}
        for share in shares:
            proof = proofs[share.fse_id]
            start = proof["arl_on"] or proof["sent_on"]
            paid_on = settled.get(share)
            late = start and look(
                cents(share.amount),
                start,
                paid_on or day,
                terms,
                partial(is_holiday, zone=share.company_id.health_zone or "metropole"),
            )
            if late:
                found[share] = {
                    "company_id": share.company_id.id,
                    "payer_id": share.partner_id.id,
                    "fse_no": share.fse_id.name,
                    "lot_no": proof["lot"],
                    "start_on": start,
                    "start_proof": "arl" if proof["arl_on"] else "sent",
                    "due_on": late.due_on,
                    "settled_on": paid_on or False,
                    "days": late.days,
                    "amount": share.amount,
                    "penalty": euros(late.penalty),
                    "period": half_year(paid_on or day),
                }
        return found

    # -- actions -------------------------------------------------------------------------------------

    def action_claim(self):
        """Put these rows in claims, one per fund, practitioner and half-year, and show them."""
        self.check_access("write")
        ready = self.filtered(lambda late: late.state == "counted" and not late.claim_id)
        if not ready:
            raise UserError(self.env._("Choose rows “to claim”: paid late, and in no claim yet."))
        claims = self.env["health.lateness.claim"]
        for (company, payer, period), rows in ready.grouped(
            lambda late: (late.company_id, late.payer_id, late.period)
        ).items():
            claim = claims.create(
                {"company_id": company.id, "payer_id": payer.id, "period": period}
            )
            rows.sudo().claim_id = claim
            claims |= claim
        return claims._action_show()

    def action_leave_out(self):
        """Leave these rows out of every claim: the lateness has another cause."""
        self.check_access("write")
        sent = self.filtered(lambda late: late.state in ("claimed", "answered"))
        if sent:
            raise UserError(self.env._("FSE %s is claimed already.", sent[0].fse_no))
        self.sudo().write(
            {
                "left_out_reason": self.env._(
                    "Left out by %(who)s on %(day)s",
                    who=self.env.user.name,
                    day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
                ),
                "claim_id": False,
            }
        )
        return True

    def action_take_back(self):
        self.check_access("write")
        self.sudo().write({"left_out_reason": False})
        return True
