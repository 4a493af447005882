from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, format_cents


class AccountBankStatementLine(models.Model):
    """A practitioner's bank credit: what paid it, by which rule, or why it waits."""

    _inherit = "account.bank.statement.line"

    health_match_state = fields.Selection(
        [("queue", "To explain"), ("matched", "Explained"), ("aside", "Set aside")],
        string="Matching",
        compute="_compute_health_match_state",
        store=True,
        index="btree_not_null",
    )
    health_match_rule = fields.Selection(
        [
            ("reference", "Reference and amount"),
            ("group", "One transfer for several settlements"),
            ("garbled", "Reference read through its faults"),
            ("split", "One settlement in several transfers"),
            ("payer", "Payer, amount and days"),
            ("unannounced", "Transfer without return"),
            ("patient", "Patient's transfer"),
            ("negative", "Taken back by the payer"),
            ("reversal", "Credit taken back by the bank"),
            ("person", "Decided by a person"),
        ],
        string="Rule",
        readonly=True,
        copy=False,
    )
    health_match_evidence = fields.Text("Why", readonly=True, copy=False)
    health_match_runner_up = fields.Text("Other reading set aside", readonly=True, copy=False)
    health_queue_reason = fields.Text("What is missing", readonly=True, copy=False)
    health_why = fields.Text("Explanation", compute="_compute_health_why")
    health_hold = fields.Boolean(
        "Undone by a person", readonly=True, copy=False, help="The matching step leaves it alone."
    )
    health_aside = fields.Char(
        "Set aside because",
        readonly=True,
        copy=False,
        help="A person decided that nothing of ours explains it; the statement keeps it.",
    )
    health_duplicate_of_id = fields.Many2one(
        "account.bank.statement.line",
        "Duplicate of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    health_candidates = fields.Json(
        readonly=True, copy=False, help="Ranked readings with their reasons, from the last look."
    )
    health_settlement_ids = fields.Many2many(
        "health.settlement",
        "health_settlement_bank_line_rel",
        "statement_line_id",
        "settlement_id",
        string="Settlements",
        readonly=True,
        copy=False,
    )
    health_candidate_ids = fields.Many2many(
        "health.settlement",
        "health_settlement_bank_line_candidate_rel",
        "statement_line_id",
        "settlement_id",
        string="Settlements to choose from",
        copy=False,
        domain="[('company_id', '=', company_id), ('state', '=', 'announced')]",
    )
    health_share_ids = fields.Many2many(
        "health.share", string="Shares paid", compute="_compute_health_share_ids"
    )

    @api.depends(
        "amount",
        "is_reconciled",
        "company_id.health_provider_no",
        "health_aside",
        "health_match_rule",
        "health_queue_reason",
    )
    def _compute_health_match_state(self):
        for line in self:
            if not line.company_id.health_provider_no or not line.amount:
                line.health_match_state = False
            elif line.health_aside:
                line.health_match_state = "aside"
            elif line.amount > 0:
                line.health_match_state = "matched" if line.is_reconciled else "queue"
            elif line.is_reconciled:
                # a debit is ours only when a payer took money back
                line.health_match_state = "matched" if line.health_match_rule else False
            else:
                line.health_match_state = "queue" if line.health_queue_reason else False

    @api.depends(
        "health_match_evidence", "health_queue_reason", "health_match_state", "health_aside"
    )
    def _compute_health_why(self):
        for line in self:
            if line.health_match_state == "queue":
                line.health_why = line.health_queue_reason
            elif line.health_match_state == "aside":
                line.health_why = line.health_aside
            else:
                line.health_why = line.health_match_evidence

    @api.depends("move_id.line_ids.matched_debit_ids")
    def _compute_health_share_ids(self):
        for line in self:
            paid = line.move_id.line_ids.matched_debit_ids.debit_move_id.move_id
            line.health_share_ids = paid.health_share_id

    # -- account_reconcile_oca -----------------------------------------------------------------------

    def _auto_reconcile(self):
        """Override of `account_reconcile_oca`: its matcher takes an amount for a proof; ours works here."""
        return super(
            AccountBankStatementLine,
            self.filtered(lambda line: not line.company_id.health_provider_no),
        )._auto_reconcile()

    def _retrieve_partner(self):
        """Override of `account_reconcile_oca`: no partner is guessed from a likeness of names."""
        return super(
            AccountBankStatementLine,
            self.filtered(lambda line: not line.company_id.health_provider_no),
        )._retrieve_partner()

    # -- actions -------------------------------------------------------------------------------------

    @api.model
    def _health_credit_action(self, name, domain, **context):
        """A window action on bank credits with our own list and form."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.bank.statement.line",
            "views": [
                [self.env.ref("health_noemie.view_bank_credit_list").id, "list"],
                [self.env.ref("health_noemie.view_bank_credit_form").id, "form"],
            ],
            "search_view_id": [self.env.ref("health_noemie.view_bank_credit_search").id, "search"],
            "domain": domain,
            "context": {"create": False, "delete": False, **context},
            "target": "current",
        }

    @api.model
    def _health_match_action(self, company=None, line=None):
        """The match screen, on one practitioner's credits or on one credit."""
        return {
            "type": "ir.actions.client",
            "tag": "health_noemie.match",
            "name": self.env._("Credits to explain"),
            "params": {
                "company_id": company.id if company else False,
                "line_id": line.id if line else False,
            },
        }

    def action_health_match(self):
        """Open the match screen on this credit."""
        self.ensure_one()
        return self._health_match_action(line=self)

    def _health_action(self, name):
        action = self._health_credit_action(name, [("id", "in", self.ids)])
        if len(self) == 1:
            action.update(res_id=self.id, views=action["views"][1:])
        return action

    def action_health_open_reconcile(self):
        """Open the reconciliation screen for what our matching leaves."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_reconcile_oca.action_bank_statement_line_reconcile"
        )
        action["domain"] = [("id", "=", self.id)]
        action["context"] = {
            "default_journal_id": self.journal_id.id,
            "view_ref": "account_reconcile_oca.bank_statement_line_form_reconcile_view",
        }
        return action

    def action_health_undo(self):
        self.health_match_undo(self.ids)

    def action_health_set_aside_duplicate(self):
        """A person agrees: this movement is the one of another statement."""
        for line in self.filtered("health_duplicate_of_id"):
            line.health_match_set_aside(line.ids, line.health_queue_reason)

    def action_health_look_again(self):
        """Let the matching step look at credits again that a person undid."""
        self.write({"health_hold": False, "health_queue_reason": False})
        self._health_match(self.company_id)

    def action_health_book_chosen(self):
        """A person says which settlements this credit is; their sum must be the credit.

        :raises UserError: nothing chosen, or the sum differs
        """
        self.ensure_one()
        chosen = self.health_candidate_ids.filtered(
            lambda settlement: settlement.state == "announced"
        )
        if not chosen:
            raise UserError(self.env._("Choose the settlements that this credit paid."))
        total = sum(cents(settlement.amount_left) for settlement in chosen)
        if total != cents(self.amount):
            raise UserError(
                self.env._(
                    "The settlements chosen make %(total)s, the bank received %(received)s: choose others, or use the "
                    "reconciliation screen.",
                    total=format_cents(total),
                    received=format_cents(cents(self.amount)),
                )
            )
        self._health_book_by_hand(chosen, self.env["health.share"], None)

    def _health_brought(self, settlement):
        """Cents of a settlement that this credit brought."""
        self.ensure_one()
        if not self.health_booking:  # matched before parts of settlements were told apart
            return cents(settlement.amount_expected)
        return self.health_booking.get("settlements", {}).get(str(settlement.id), 0)
