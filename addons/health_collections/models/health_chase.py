from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from odoo.addons.health_billing.tools import QUIET, cents, euros, format_cents

from ..dunning.chase import Step, next_step
from .health_chase_line import LIVE


class HealthChase(models.Model):
    """What one payer owes one practitioner and is late with: one list, its proofs of sending, its next step.

    The night puts late shares on it and takes the day of the next step from the payer's scale; a person calls or
    writes, and notes what the payer said of each share. It stays when all is paid, and serves again.
    """

    _name = "health.chase"
    _description = "Chase of a Payer"
    _order = "next_on, amount desc, id"
    _rec_name = "payer_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    payer_id = fields.Many2one("res.partner", required=True, index=True, readonly=True)
    debtor_kind = fields.Selection(
        [("amo", "AMO"), ("amc", "AMC")], string="Part", required=True, readonly=True
    )
    payer_phone = fields.Char(related="payer_id.phone", string="Phone")
    payer_email = fields.Char(related="payer_id.email", string="E-mail")
    line_ids = fields.One2many("health.chase.line", "chase_id", string="All shares")
    live_line_ids = fields.One2many(
        "health.chase.line", "chase_id", string="Late shares", domain=[("state", "in", LIVE)]
    )
    contact_ids = fields.One2many("health.contact", "chase_id", string="Contacts")
    share_count = fields.Integer("Shares", compute="_compute_totals", store=True)
    amount = fields.Monetary("To claim", compute="_compute_totals", store=True)
    amount_disputed = fields.Monetary("In dispute", compute="_compute_totals", store=True)
    resend_count = fields.Integer("To send again", compute="_compute_totals", store=True)
    first_sent_on = fields.Date("Oldest sent on", compute="_compute_totals", store=True)
    forclusion_date = fields.Date("Forfeited from", compute="_compute_totals", store=True)
    is_open = fields.Boolean("Something is late", compute="_compute_totals", store=True, index=True)
    next_on = fields.Date("Next step on", readonly=True, index=True)
    next_level_id = fields.Many2one(
        "credit.control.policy.level", string="Next step", readonly=True, ondelete="set null"
    )
    next_channel = fields.Selection(
        [
            ("phone", "Phone"),
            ("email", "Payer's mailbox"),
            ("letter", "Letter"),
            ("registered", "Registered letter"),
        ],
        compute="_compute_next_channel",
        string="By",
    )
    last_contact_on = fields.Date("Last contact", readonly=True)
    dispute_next_on = fields.Date("Dispute to follow up on", readonly=True)
    dossier_no = fields.Char(
        "Payer's file no.",
        help="The number that the payer gave to our claim, to be quoted next time.",
    )
    note = fields.Text(help="Who answers there, at what hours, by which form.")
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Pieces for the claim form", help="They go into the pack."
    )

    _payer_uniq = models.Constraint(
        "UNIQUE(company_id, payer_id, debtor_kind)",
        "This payer has its list for this practitioner already.",
    )

    @api.depends("line_ids.state", "line_ids.amount_residual")
    def _compute_totals(self):
        groups = {}
        for chase, state, count, amount, first, limit in self.env["health.chase.line"]._read_group(
            [("chase_id", "in", self.ids), ("state", "in", LIVE)],
            ["chase_id", "state"],
            ["__count", "amount_residual:sum", "sent_on:min", "forclusion_date:min"],
        ):
            groups.setdefault(chase.id, {})[state] = (count, amount, first, limit)
        for chase in self:
            found = groups.get(chase.id, {})
            chase.share_count = sum(count for count, *_rest in found.values())
            chase.amount = found.get("open", (0, 0.0))[1]
            chase.amount_disputed = found.get("disputed", (0, 0.0))[1]
            chase.resend_count = found.get("resend", (0,))[0]
            chase.first_sent_on = min((one[2] for one in found.values() if one[2]), default=False)
            chase.forclusion_date = min((one[3] for one in found.values() if one[3]), default=False)
            chase.is_open = bool(found)

    @api.depends("next_level_id.channel")
    def _compute_next_channel(self):
        known = dict(self._fields["next_channel"].selection)
        for chase in self:
            channel = chase.next_level_id.sudo().channel
            # a payer is not reached by the other means: then on paper
            chase.next_channel = channel if channel in known else channel and "letter"

    @api.depends("payer_id", "company_id")
    def _compute_display_name(self):
        for chase in self:
            chase.display_name = f"{chase.payer_id.name} · {chase.company_id.name}"

    @api.model_create_multi
    def create(self, vals_list):
        chases = super().create(vals_list)
        chases._keep_attachments()
        return chases

    def write(self, vals):
        result = super().write(vals)
        if "attachment_ids" in vals:
            self._keep_attachments()
        return result

    def _keep_attachments(self):
        """What was uploaded for a list belongs to it: whoever reads the list reads it."""
        for chase in self:
            loose = chase.attachment_ids.sudo().filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            )
            if loose:
                loose.write({"res_model": chase._name, "res_id": chase.id})

    # -- night ---------------------------------------------------------------------------------------

    @api.model
    def _night(self, companies, day):
        """Put the shares that are late on the list of their payer, and plan the next steps.

        Safe to run again: a share stands on one list.

        :return: (shares newly put on a list, lists whose step is due)
        """
        self = self.sudo().with_context(**QUIET)
        Share = self.env["health.share"]
        mine = Domain("company_id", "in", companies.ids)
        late = Share.search(mine & Share._late_payer_domain(day))
        Line = self.env["health.chase.line"]
        known = Line.search([("company_id", "in", companies.ids), ("state", "!=", "settled")])
        known._note_late(late)
        fresh = late - Line.search([("share_id", "in", late.ids)]).share_id
        chases = self._of(fresh)
        fresh = fresh.sorted(lambda share: (share.sent_on or day, share.fse_id.name))
        Line.create(
            [
                {
                    "share_id": share.id,
                    "chase_id": chases[share.company_id, share.partner_id, share.debtor_kind].id,
                }
                for share in fresh
            ]
        )
        todo = self.search(mine & Domain("is_open", "=", True))
        todo._plan(day)
        return fresh, todo.filtered(lambda chase: chase.next_on and chase.next_on <= day)

    @api.model
    def _of(self, shares):
        """The lists of the payers of these shares, the missing ones made.

        :return: dict of (practitioner, payer, part) → list
        """
        wanted = {(share.company_id, share.partner_id, share.debtor_kind) for share in shares}
        found = {
            (chase.company_id, chase.payer_id, chase.debtor_kind): chase
            for chase in self.search(
                [
                    ("company_id", "in", shares.company_id.ids),
                    ("payer_id", "in", shares.partner_id.ids),
                ]
            )
        }
        missing = sorted(wanted - found.keys(), key=lambda key: (key[0].id, key[1].id, key[2]))
        made = self.create(
            [
                {"company_id": company.id, "payer_id": payer.id, "debtor_kind": kind}
                for company, payer, kind in missing
            ]
        )
        return found | dict(zip(missing, made, strict=True))

    def _levels(self):
        """The scale of each list: dict of list → levels of its practitioner's policy for that kind of payer."""
        by_policy = {}
        for company, kind in {(chase.company_id, chase.debtor_kind) for chase in self}:
            policy = company.sudo()._health_policy(kind)
            by_policy[company, kind] = policy.level_ids.sorted("level")
        return {chase: by_policy[chase.company_id, chase.debtor_kind] for chase in self}

    def _next_steps(self, day):
        """dict of list → what `dunning.chase.next_step` answers for its open lines."""
        gap = self.env["health.parameter"].value_of("chase_gap_days")
        lines = self.env["health.chase.line"].search(
            [("chase_id", "in", self.ids), ("state", "=", "open")]
        )
        by_chase = lines.grouped("chase_id")
        levels = self._levels()
        steps = {}
        for chase in self:
            steps[chase] = next_step(
                [line._claim() for line in by_chase.get(chase, lines.browse())],
                [
                    Step(
                        rank=level.level,
                        delay_days=level.delay_days,
                        pause_days=level.health_pause_days,
                        least_cents=cents(level.health_least_amount),
                    )
                    for level in levels[chase]
                ],
                day,
                chase.last_contact_on or None,
                gap,
            )
        return steps

    def _plan(self, day):
        """Write the next step of these lists; only what changes."""
        levels = self._levels()
        follow = timedelta(days=self.env["health.parameter"].value_of("dispute_follow_days"))
        disputed = self.env["health.chase.line"].search(
            [("chase_id", "in", self.ids), ("state", "=", "disputed")]
        )
        by_chase = disputed.grouped("chase_id")
        todo = {}
        for chase, step in self.sudo()._next_steps(day).items():
            level = step and levels[chase].filtered(lambda one, step=step: one.level == step.rank)
            dates = [
                max(line.share_id.disputed_on, line.asked_on or line.share_id.disputed_on) + follow
                if not line.rests_until
                else line.rests_until + timedelta(days=1)
                for line in by_chase.get(chase, disputed.browse())
            ]
            values = {
                "next_on": step.on if step else False,
                "next_level_id": level[:1].id if level else False,
                "dispute_next_on": min(dates, default=False),
            }
            if any(
                (chase[name].id if name == "next_level_id" else chase[name]) != value
                for name, value in values.items()
            ):
                todo.setdefault(tuple(values.items()), []).append(chase.id)
        for values, ids in todo.items():
            self.sudo().browse(ids).write(dict(values))

    # -- contact -------------------------------------------------------------------------------------

    @api.model
    def _today(self):
        return max(fields.Date.context_today(self), self.env["health.cycle"].last_day())

    def _due_lines(self, day):
        """Open lines that the step of that day takes along; before its day, every open line."""
        self.ensure_one()
        step = self._next_steps(day)[self]
        lines = self.line_ids.filtered(lambda line: line.state == "open")
        if step and step.on <= day:
            lines = lines.filtered(lambda line: line.id in step.ranks)
        return lines._in_order()

    def _contacted(self, lines, values, day, reached=True, is_letter=False):
        """Note that this payer was asked for these lines on that day.

        :param values: of the contact (channel, subject, body, answer, …).
        :param reached: nobody answered: the step is still to be taken.
        :return: the contact.
        """
        self.ensure_one()
        Contact = self.env["health.contact"]
        contact = (Contact._write_to_payers if is_letter else Contact._record)(
            [
                {
                    "company_id": self.company_id.id,
                    "partner_id": self.payer_id.id,
                    "kind": "chase",
                    "chase_id": self.id,
                    "day": day,
                    "amount": euros(sum(cents(line.amount_residual) for line in lines)),
                    "share_ids": [fields.Command.set(lines.share_id.ids)],
                    "user_id": self.env.uid,
                    **({} if is_letter else {"done_on": fields.Datetime.now()}),
                    **values,
                }
            ]
        )
        if reached:
            self.sudo().last_contact_on = day
            lines._asked(self._levels()[self], day)
        return contact.with_env(self.env)

    def action_contact(self):
        """Call sheet: whom to call, what to say, every claim with its proof, and what the payer answers."""
        self.ensure_one()
        return self._open_wizard("phone")

    def action_form(self):
        """Note a claim that was made on the payer's own form or secure mailbox."""
        self.ensure_one()
        return self._open_wizard("hand")

    def action_message(self):
        """Message for the payer's mailbox for professionals: to be copied there, never sent by plain e-mail."""
        self.ensure_one()
        return self._open_wizard("email")

    def _open_wizard(self, channel):
        self.check_access("write")
        wizard = self.env["health.chase.contact"]._of(self, channel)
        return {
            "type": "ir.actions.act_window",
            "name": self.payer_id.name,
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_letter(self):
        """Write to these payers about all that their step takes along, and print."""
        return self._write_letters("letter")

    def action_registered(self):
        """The same, to be sent by registered post."""
        return self._write_letters("registered")

    def action_dispute_letter(self):
        """Contest what these payers refuse, and ask for their position in writing."""
        return self._write_letters("letter", is_dispute=True)

    def _write_letters(self, channel, is_dispute=False):
        self.check_access("write")
        day = self._today()
        contacts = self.env["health.contact"]
        for chase in self:
            lines = (
                chase.line_ids.filtered(lambda line: line.state == "disputed")
                if is_dispute
                else chase._due_lines(day)
            )
            if not lines:
                raise UserError(
                    self.env._(
                        "%s: nothing to write about, no share is in dispute.", chase.display_name
                    )
                    if is_dispute
                    else self.env._("%s: nothing to ask for, no share is late.", chase.display_name)
                )
            if not chase.payer_id._display_address(without_company=True).strip():
                raise UserError(
                    self.env._(
                        "%s has no postal address: give it one (Settings, Payers), then write.",
                        chase.payer_id.name,
                    )
                )
            contacts |= chase._write_letter(lines, channel, is_dispute, day)
        self._plan(day)
        return contacts.action_print()

    def _write_letter(self, lines, channel, is_dispute, day):
        """The letter as it leaves, kept word for word."""
        self.ensure_one()
        level = self.next_level_id
        body = self.env["ir.qweb"]._render(
            "health_collections.chase_letter_body",
            {
                "chase": self,
                "level": level,
                "is_dispute": is_dispute,
                "rows": lines._rows(),
                "total": format_cents(sum(cents(line.amount_residual) for line in lines)),
                "delay": self.env["health.parameter"].value_of("chase_answer_days"),
            },
            lang="fr_FR",
        )
        if is_dispute:
            subject = self.env._("Contestation: %s invoice(s) refused or unpaid", len(lines))
        else:
            subject = self.env._("Claim: %s invoice(s) without payment", len(lines))
        return self._contacted(
            lines, {"channel": channel, "subject": subject, "body": str(body)}, day, is_letter=True
        )

    def action_call_sheet(self):
        """Print the call sheet: one per payer, all the practitioners chosen on it."""
        self.check_access("read")
        return self.env.ref("health_collections.action_report_payer_call_sheet").report_action(
            self, config=False
        )

    def action_claim_pack(self):
        """The pack for the payer's claim form."""
        self.ensure_one()
        self.env["health.chase.pack"]._files(
            self
        )  # what is wrong is told here, not in a broken download
        return {
            "type": "ir.actions.act_url",
            "url": f"/facturiere/relance/{self.id}/reclamation.zip",
            "target": "download",
        }

    def action_open_payer(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.payer_id.id,
            "view_mode": "form",
        }

    def action_contacts(self):
        """All that was said to this payer and by it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Contacts"),
            "res_model": "health.contact",
            "view_mode": "list,form",
            "domain": [("chase_id", "=", self.id)],
        }

    def _call_sheet(self):
        """What the call sheet prints, payer by payer: list of dict(payer, parts); each part has its rows."""
        sheets = {}
        day = self._today()
        for chase in self.sorted(lambda chase: (chase.payer_id.name or "", chase.company_id.name)):
            lines = chase._due_lines(day)
            level = chase.next_level_id
            sheets.setdefault(chase.payer_id, []).append(
                {
                    "chase": chase,
                    "say": level.health_call_text or level.custom_text or "",
                    "rows": lines._rows(),
                    "total": format_cents(sum(cents(line.amount_residual) for line in lines)),
                    "last": chase.last_contact_on
                    and format_date(self.env, chase.last_contact_on, date_format="dd/MM/yyyy"),
                }
            )
        return [{"payer": payer, "parts": parts} for payer, parts in sheets.items()]
