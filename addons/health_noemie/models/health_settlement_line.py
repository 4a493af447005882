from odoo import api, fields, models


class HealthSettlementLine(models.Model):
    """What a payer said of one part (AMO or AMC) of one invoice, within one transfer."""

    _name = "health.settlement.line"
    _description = "Settlement Line"
    _order = "settlement_id, invoice_no, part"
    _rec_name = "invoice_no"

    settlement_id = fields.Many2one(
        "health.settlement", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="settlement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    settlement_state = fields.Selection(related="settlement_id.state", string="Transfer")
    invoice_no = fields.Char("FSE number", required=True, index=True)
    lot_no = fields.Char("Lot")
    kind = fields.Char(
        "Flow", help="F FSE, D DRE, B degraded, P paper, A AMC flow, E back-payment."
    )
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True)
    asked = fields.Monetary()
    paid = fields.Monetary(help="Signed: negative when the payer takes back.")
    state = fields.Selection(
        [("P", "Paid"), ("R", "Rejected"), ("D", "Deferred"), ("N", "Not processed")], required=True
    )
    in_transfer = fields.Boolean(
        "In this transfer",
        default=True,
        help="Unset: the payer sends this part by another transfer.",
    )
    amc_no = fields.Char("AMC number")
    info = fields.Text(
        "Notices", help="Comments and notices of the payer without effect on the money."
    )
    fse_id = fields.Many2one(
        "health.fse", string="FSE", index="btree_not_null", ondelete="set null"
    )
    share_id = fields.Many2one("health.share", index="btree_not_null", ondelete="set null")
    share_residual = fields.Monetary(related="share_id.amount_residual")
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal item",
        ondelete="set null",
        index="btree_not_null",
        copy=False,
    )
    is_paid_twice = fields.Boolean(
        copy=False, help="Nothing was left to pay when the money arrived."
    )
    rejection_ids = fields.One2many("health.rejection", "settlement_line_id")
    problem = fields.Selection(
        [
            ("unknown_fse", "Unknown FSE"),
            ("no_share", "No such part on the FSE"),
            ("negative", "Taken back"),
            ("paid_twice", "Paid before"),
            ("over", "Paid too much"),
            ("short", "Paid in part"),
            ("deferred", "Deferred"),
        ],
        compute="_compute_problem",
        store=True,
        index=True,
    )
    problem_text = fields.Char("What to do", compute="_compute_problem_text")

    @api.depends(
        "fse_id", "share_id.amount", "share_id.amount_residual", "state", "paid", "is_paid_twice"
    )
    def _compute_problem(self):
        for line in self:
            line.problem = line._problem_from_facts()

    def _problem_from_facts(self):
        self.ensure_one()
        if not self.fse_id:
            return "unknown_fse"
        if not self.share_id:
            return "no_share"
        if self.state == "D":
            return "deferred"
        if self.state != "P":
            return False
        compare = self.currency_id.compare_amounts
        if compare(self.paid, 0) < 0:
            return "negative"
        if self.is_paid_twice:
            return "paid_twice"
        if compare(self.paid, self.share_id.amount) > 0:
            return "over"
        if (
            compare(self.paid, self.share_id.amount) < 0
            and compare(self.share_id.amount_residual, 0) > 0
        ):
            return "short"
        return False

    @api.depends("problem")
    def _compute_problem_text(self):
        texts = {
            "unknown_fse": self.env._(
                "This FSE is not recorded: import its journal, the line links itself."
            ),
            "no_share": self.env._("The FSE has no such part: check who was billed."),
            "negative": self.env._("The payer takes money back: check the first payment."),
            "paid_twice": self.env._("Nothing was left to pay: the money stays open on the payer."),
            "over": self.env._("More than billed: the difference stays open on the payer."),
            "short": self.env._("Less than billed: claim the rest, or accept it."),
            "deferred": self.env._("The payer is still at work: wait, do not resend."),
        }
        for line in self:
            line.problem_text = texts.get(line.problem, "")

    def _owed(self):
        """What the share owed, of a part paid too much; nothing when there is no share to pay."""
        self.ensure_one()
        return self.share_id.amount if self.problem == "over" else 0.0

    @api.model
    def _bare(self, number):
        """FSE numbers are compared without leading zeros nor blanks."""
        return (number or "").strip().lstrip("0").upper()

    @api.model
    def _index_fse(self, wanted):
        """FSE of (company id, number) pairs in one query.

        :return: dict of (company id, bare number) → ``health.fse``; a number that two FSE share is left out.
        """
        numbers = set()
        for _company, number in wanted:
            bare = self._bare(number)
            numbers |= {number, number.strip(), bare, bare.zfill(9)}
        found, doubtful = {}, set()
        for fse in self.env["health.fse"].search(
            [("company_id", "in", list({c for c, _n in wanted})), ("name", "in", list(numbers))]
        ):
            key = (fse.company_id.id, self._bare(fse.name))
            if key in found:
                doubtful.add(key)
            found[key] = fse
        return {key: fse for key, fse in found.items() if key not in doubtful}

    @api.model
    def _shares_of(self, fses):
        """dict of (FSE id, kind) → share, in one query."""
        return {(share.fse_id.id, share.debtor_kind): share for share in fses.share_ids}

    def _link(self):
        """Find FSE and share of the lines that have none; what stays unknown waits."""
        index = self._index_fse([(line.company_id.id, line.invoice_no) for line in self])
        fses = self.env["health.fse"].union(*index.values()) if index else self.env["health.fse"]
        shares = self._shares_of(fses)
        linked = self.browse()
        for line in self:
            fse = index.get((line.company_id.id, self._bare(line.invoice_no)))
            share = shares.get((fse.id, line.part)) if fse else None
            if fse and (fse != line.fse_id or share and share != line.share_id):
                line.write({"fse_id": fse.id, "share_id": share.id if share else False})
                linked += line
        return linked

    @api.model
    def _link_waiting(self, companies):
        """Lines that waited for their FSE: link, announce, and settle those whose money has arrived."""
        waiting = self.search(
            [("company_id", "in", companies.ids), ("problem", "in", ("unknown_fse", "no_share"))]
        )
        linked = waiting._link().filtered("share_id") if waiting else waiting
        if not linked:
            return linked
        self.env["health.settlement"]._reject_late(linked)
        linked._announce()
        linked._close_issues()
        linked._reconcile_arrived()
        return linked

    def _reconcile_arrived(self):
        """Money that arrived before these lines had their share settles it now."""
        plan = []
        for line in self.sudo():
            due = line.share_id.move_id.line_ids.filtered(
                lambda item: (
                    item.account_id.account_type == "asset_receivable" and not item.reconciled
                )
            )
            item = line.move_line_id
            if item and due and not item.reconciled and due.account_id == item.account_id:
                plan.append(item + due)
        if plan:
            self.env["account.move.line"].sudo()._reconcile_plan(plan)

    def _close_issues(self):
        """The rows that waited in the received files for these lines wait no more."""
        self.env["health.inbox.issue"].sudo().search(
            [
                ("inbox_id", "in", self.settlement_id.inbox_id.ids),
                ("reference", "in", self.mapped("invoice_no")),
                ("is_closed", "=", False),
            ]
        ).write({"is_closed": True})

    def _announce(self):
        """Bring what the payer said to the shares: announced amounts; a payment closes a rejection."""
        shares = self.share_id
        shares._sync_announced_amount()
        paid = self.filtered(lambda line: line.state == "P" and line.paid > 0).share_id
        overtaken = (
            self.env["health.rejection"]
            .sudo()
            .search([("share_id", "in", paid.ids), ("state", "=", "open")])
        )
        overtaken._close("fixed", self.env._("Paid by the payer since."))
