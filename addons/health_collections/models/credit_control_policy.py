from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from odoo.addons.health_billing.tools import QUIET, cents

from ..dunning.scale import bundle, next_step


class CreditControlPolicy(models.Model):
    _inherit = "credit.control.policy"

    health_debtor_kind = fields.Selection(
        [("patient", "Patients"), ("amc", "Complementary insurers"), ("amo", "Sickness funds")],
        string="For",
        index=True,
        help="Whom this scale is for. Those of payers feed the lists of chases, never a message to a patient.",
    )
    health_level_count = fields.Integer("Steps", compute="_compute_health_level_count")

    health_problem = fields.Char(compute="_compute_health_problem", string="To know")

    @api.depends("health_debtor_kind")
    def _compute_health_problem(self):
        self.health_problem = self.env["res.company"]._health_other_followup()

    @api.depends("level_ids")
    def _compute_health_level_count(self):
        for policy in self:
            policy.health_level_count = len(policy.level_ids)

    @api.constrains("health_debtor_kind", "company_id", "active")
    def _check_health_one_per_kind(self):
        """One scale in use per practitioner and kind: nobody is to wonder which one applies."""
        mine = self.filtered(lambda one: one.health_debtor_kind and one.company_id and one.active)
        if not mine:
            return
        for company, kind, count in self.sudo()._read_group(
            [
                ("company_id", "in", mine.company_id.ids),
                ("health_debtor_kind", "!=", False),
                ("active", "=", True),
            ],
            ["company_id", "health_debtor_kind"],
            ["__count"],
        ):
            if count > 1:
                kinds = dict(self._fields["health_debtor_kind"]._description_selection(self.env))
                raise ValidationError(
                    self.env._(
                        "%(company)s already has a scale of reminders for: %(kind)s. "
                        "Change that one, or archive it first.",
                        company=company.name,
                        kind=kinds[kind],
                    )
                )

    # -- what is late and how far it is -----------------------------------------------------------

    def _move_lines_domain(self, credit_control_run):
        """Override of `account_credit_control`: honour the hold flags of Odoo's own accounting."""
        return [
            *super()._move_lines_domain(credit_control_run),
            ("no_followup", "=", False),
            ("move_id.payment_state", "!=", "blocked"),
        ]

    def _get_move_lines_to_process(self, credit_control_run):
        """Override of `account_credit_control`: what the guard holds back is left out.

        Context `health_released_line_ids`: the answer of a guard that has just looked at the
        same lines.
        """
        released = self.env.context.get("health_released_line_ids")
        if released is not None:
            return self.env["account.move.line"].browse(released)
        lines = super()._get_move_lines_to_process(credit_control_run)
        if not self.env.context.get("health_guard", True):
            return lines
        return self._health_released(lines, credit_control_run.date)[0]

    def _health_released(self, lines, day):
        """Split the items by the guard, which notes its reasons on the shares.

        :return: (items that may be reminded, dict of held share → (code, reason)).
        """
        held = lines.move_id.health_share_id.filtered(
            lambda share: share.debtor_kind == "patient"
        )._dunning_refresh(day)
        return lines.filtered(lambda line: line.move_id.health_share_id not in held), held

    def _health_sort_lines(self, credit_control_run):
        """Look at everything that is overdue under this policy.

        :return: (items for which a level is reached today, items that may be reminded, held
            shares by reason).
        """
        self.ensure_one()
        unguarded = self.with_context(health_guard=False)
        lines = unguarded._get_move_lines_to_process(credit_control_run)
        lines -= self._lines_different_policy(lines)
        day = credit_control_run.date
        due = lines.browse(
            item for item, (_step, first) in self._health_next_steps(lines).items() if first <= day
        )
        released, held = self._health_released(lines, day)
        return due, released, held

    def _health_steps(self):
        return [level._health_step() for level in self.level_ids]

    def _health_next_steps(self, lines):
        """The step of this policy that comes next for each item, whoever holds it.

        An item whose last step was never brought out (a letter not printed, an e-mail that failed)
        has none: the scale waits for it.

        :return: dict of item id → (step, first day for it).
        """
        self.ensure_one()
        steps, last = self._health_steps(), self._health_last_steps(lines)
        result = {}
        for line in lines:
            rank, day, is_waiting = last.get(line.id, (None, None, False))
            if is_waiting:
                continue
            found = next_step(steps, line.date_maturity or line.date, rank, day)
            if found:
                result[line.id] = found
        return result

    @api.model
    def _health_last_steps(self, lines):
        """Last step taken for each of these items.

        :return: dict of item id → (level, day it left, whether it still waits to be brought out).
        """
        if not lines:
            return {}
        self.env["credit.control.line"].flush_model()
        return {
            item: (level, sent or day, state != "sent" and (is_failed or is_paper))
            for item, level, day, sent, state, is_failed, is_paper in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (move_line_id) move_line_id, level, date, date_sent, state,
                           state IN ('error', 'email_error'),
                           state = 'to_be_sent' AND channel IN ('letter', 'registered')
                      FROM credit_control_line
                     WHERE move_line_id = ANY(%s)
                       AND state NOT IN ('draft', 'ignored')
                       AND manually_overridden IS NOT TRUE
                  ORDER BY move_line_id, id DESC
                    """,
                    lines.ids,
                )
            )
        }

    # -- tonight's messages -----------------------------------------------------------------------

    def _generate_credit_lines(self, credit_control_run, default_lines_vals=None):
        """Replace `account_credit_control` for patients: one message per debtor and night, made in
        batches.
        """
        self.ensure_one()
        if self.health_debtor_kind != "patient":
            return super()._generate_credit_lines(credit_control_run, default_lines_vals)
        lines = self._get_move_lines_to_process(credit_control_run)
        foreign = self._lines_different_policy(lines)
        messages = self._health_messages(lines - foreign, credit_control_run.date)
        made = self.env["credit.control.line"]._health_make(
            messages, credit_control_run, default_lines_vals or {}
        )
        report = self.env._("%(name)s: %(count)s shares reminded.", name=self.name, count=len(made))
        return foreign, made, report

    def _health_messages(self, lines, day):
        """Who is written to on that day, at which level, about what.

        A household that one person settles for has one message. All that may be asked counts in
        the least amount of a level.

        :param lines: receivable items that nothing holds back.
        :return: list of (debtor, level of the message, list of (item, its own level)).
        """
        self.ensure_one()
        level_by_rank = {level.level: level for level in self.level_ids}
        debtor_by_patient = lines.partner_id._health_debtor()
        owed = dict.fromkeys(debtor_by_patient.values(), 0)
        for line in lines:
            owed[debtor_by_patient[line.partner_id]] += cents(line.amount_residual)
        next_steps = self._health_next_steps(lines)
        reached = [
            (line, debtor_by_patient[line.partner_id], next_steps[line.id][0])
            for line in lines
            if line.id in next_steps and next_steps[line.id][1] <= day
        ]
        rank_by_item = {line.id: step.rank for line, _debtor, step in reached}
        return [
            (
                debtor,
                level_by_rank[step.rank],
                [(item, level_by_rank[rank_by_item[item.id]]) for item in items],
            )
            for debtor, (step, items) in bundle(reached, owed).items()
        ]

    # -- copies of a practitioner -----------------------------------------------------------------

    @api.model
    def _health_models(self):
        """The model of each kind of scale, copied for every practitioner, never used itself.

        :return: dict of kind → policy.
        """
        return {
            kind: self.env.ref(f"health_collections.policy_{kind}_model")
            for kind in ("patient", "amc", "amo")
        }

    def _health_copy_for(self, company, account):
        """This model's copy for a practitioner."""
        self.ensure_one()
        return self.with_context(**QUIET).copy(
            {
                "name": f"{self.name} · {company.name}",
                "company_id": company.id,
                "health_debtor_kind": self.health_debtor_kind,
                "active": True,
                "account_ids": [fields.Command.set(account.ids)],
            }
        )

    def _health_add_missing_levels(self):
        """Give these policies the levels of their model that come after their own last one.

        What a practitioner has set stays as it is.
        """
        model_by_kind = self._health_models()
        values = []
        for policy in self:
            top = max(policy.level_ids.mapped("level"), default=0)
            for level in model_by_kind[policy.health_debtor_kind].level_ids:
                if level.level > top:
                    values += level.copy_data({"policy_id": policy.id})
        return self.env["credit.control.policy.level"].create(values)

    # -- the written policy -----------------------------------------------------------------------

    def action_health_written_policy(self):
        """Show the page that patients see."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": self.company_id.health_policy_url,
            "target": "new",
        }

    def action_health_print_written_policy(self):
        """The same as a sheet of paper, to be given."""
        return self.env.ref("health_collections.action_report_written_policy").report_action(
            self.company_id, config=False
        )
