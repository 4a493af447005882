import io

import xlsxwriter

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning.lateness import half_year_end


class HealthLatenessClaim(models.Model):
    """Penalties claimed from one fund by one practitioner for a half-year: the sum, the letter, what came of it."""

    _name = "health.lateness.claim"
    _description = "Claim of Late-Payment Penalties"
    _order = "period desc, id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, readonly=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    payer_id = fields.Many2one("res.partner", required=True, readonly=True, index=True)
    period = fields.Char("Half-year", required=True, readonly=True)
    line_ids = fields.One2many("health.lateness", "claim_id", string="Late payments", readonly=True)
    share_count = fields.Integer("Shares", compute="_compute_totals", store=True)
    amount = fields.Monetary("Penalties", compute="_compute_totals", store=True)
    sent_on = fields.Date(readonly=True)
    amount_received = fields.Monetary("Received")
    answered_on = fields.Date(readonly=True)
    answer = fields.Text("Fund's answer")
    contact_ids = fields.One2many("health.contact", "lateness_claim_id", string="Letters")
    state = fields.Selection(
        [
            ("draft", "To send"),
            ("sent", "Claim sent"),
            ("received", "Paid"),
            ("refused", "Refused"),
        ],
        required=True,
        readonly=True,
        default="draft",
        index=True,
    )

    @api.depends("payer_id", "period")
    def _compute_name(self):
        for claim in self:
            claim.name = f"{claim.payer_id.name} · {claim.period}"

    @api.depends("line_ids.penalty")
    def _compute_totals(self):
        sums = {
            claim.id: (count, amount)
            for claim, count, amount in self.env["health.lateness"]._read_group(
                [("claim_id", "in", self.ids)], ["claim_id"], ["__count", "penalty:sum"]
            )
        }
        for claim in self:
            count, amount = sums.get(claim.id, (0, 0.0))
            claim.share_count = count
            claim.amount = euros(cents(amount))

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        if self.filtered(lambda claim: claim.state != "draft"):
            raise UserError(self.env._("A claim that was sent stays in the ledger."))

    def action_letter(self):
        """Write to the fund, and print; the claim is sent from that day."""
        self.check_access("write")
        day = self.env["health.chase"]._today()
        empty = self.filtered(lambda claim: not claim.line_ids)
        if empty:
            raise UserError(self.env._("%s: nothing is claimed any more.", empty[0].name))
        vals_list = []
        for claim in self:
            body = self.env["ir.qweb"]._render(
                "health_collections.lateness_letter_body", claim._letter_values(), lang="fr_FR"
            )
            vals_list.append(
                {
                    "company_id": claim.company_id.id,
                    "partner_id": claim.payer_id.id,
                    "kind": "chase",
                    "channel": "letter",
                    "lateness_claim_id": claim.id,
                    "day": day,
                    "subject": self.env._("Late-payment penalties, half-year %s", claim.period),
                    "body": str(body),
                    "amount": claim.amount,
                    # the shares are paid: it is not for them that the fund is asked
                    "share_ids": [],
                    "user_id": self.env.uid,
                }
            )
        contacts = self.env["health.contact"]._write_to_payers(vals_list)
        self.filtered(lambda claim: claim.state == "draft").write({"state": "sent", "sent_on": day})
        return contacts.action_print()

    def _letter_values(self):
        self.ensure_one()
        terms = self.env["health.lateness"]._terms()
        day = lambda value: value.strftime("%d/%m/%Y") if value else ""  # noqa: E731
        return {
            "claim": self,
            "terms": terms,
            "flat": format_cents(terms.flat_cents),
            "total": format_cents(cents(self.amount)),
            "paid_total": format_cents(sum(cents(line.amount) for line in self.line_ids)),
            "rows": [
                {
                    "number": line.fse_no,
                    "lot": line.lot_no or "",
                    "start": day(line.start_on),
                    "is_arl": line.start_proof == "arl",
                    "due": day(line.due_on),
                    "paid": day(line.settled_on),
                    "days": line.days,
                    "amount": format_cents(cents(line.amount)),
                    "penalty": format_cents(cents(line.penalty)),
                }
                for line in self.line_ids.sorted(lambda line: (line.start_on, line.fse_no))
            ],
        }

    def action_received(self):
        """The fund paid: note what came, all of it unless said otherwise."""
        self.check_access("write")
        for claim in self:
            claim.write(
                {
                    "state": "received",
                    "answered_on": fields.Date.context_today(self),
                    "amount_received": claim.amount_received or claim.amount,
                }
            )
        return True

    def action_refused(self):
        self.check_access("write")
        silent = self.filtered(lambda claim: not (claim.answer or "").strip())
        if silent:
            raise UserError(self.env._("%s: note the fund's answer first.", silent[0].name))
        self.write({"state": "refused", "answered_on": fields.Date.context_today(self)})
        return True

    def action_draft(self):
        """It did not leave after all, or the answer was noted by mistake."""
        self.check_access("write")
        self.write({"state": "draft", "sent_on": False, "answered_on": False})
        return True

    def action_ledger(self):
        """The ledger as a spreadsheet."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/facturiere/penalites/{self.id}/releve.xlsx",
            "target": "download",
        }

    def _ledger(self):
        """Rows, sums and the rule that was applied: no name, nothing of the care.

        :return: (bytes, file name)
        """
        self.ensure_one()
        values = self._letter_values()
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00 €"})
        total = book.add_format({"bold": True, "num_format": "#,##0.00 €"})
        sheet = book.add_worksheet("Retards")
        sheet.write_string(
            0, 0, f"{self.company_id.name}, n° {self.company_id.health_provider_no or ''}", bold
        )
        sheet.write_string(1, 0, f"{self.payer_id.name} · semestre {self.period}", bold)
        heads = ["N° de facture", "Lot", "Point de départ", "Preuve", "Dernier jour", "Payée le"]
        heads += ["Jours ouvrés", "Part AMO", "Pénalité"]
        sheet.write_row(3, 0, heads, bold)
        lines = self.line_ids.sorted(lambda line: (line.start_on, line.fse_no))
        for rank, (row, line) in enumerate(zip(values["rows"], lines, strict=True), start=4):
            proof = "ARL" if row["is_arl"] else "Envoi"
            texts = [row["number"], row["lot"], row["start"], proof, row["due"], row["paid"]]
            for column, text in enumerate(texts):
                sheet.write_string(rank, column, text or "")
            sheet.write_number(rank, 6, line.days)
            sheet.write_number(rank, 7, line.amount, money)
            sheet.write_number(rank, 8, line.penalty, money)
        last = 4 + len(lines)
        sheet.write_string(last, 0, "Total", bold)
        for column, letter, name in ((7, "H", "amount"), (8, "I", "penalty")):
            sheet.write_formula(
                last,
                column,
                f"=SUM({letter}5:{letter}{last})",
                total,
                euros(sum(cents(line[name]) for line in lines)),
            )
        sheet.set_column(0, 8, 14)
        sheet.freeze_panes(4, 0)
        rule = book.add_worksheet("Règle appliquée")
        rule.set_column(0, 0, 60)
        rule.set_column(1, 2, 22)
        rule.set_column(3, 3, 90)
        rule.write_row(0, 0, ["Règle", "Valeur", "Unité", "Source"], bold)
        parameters = self.env["health.parameter"].sudo().search([("code", "=like", "lateness\\_%")])
        for rank, one in enumerate(parameters, start=1):
            rule.write_string(rank, 0, one.name)
            rule.write_number(rank, 1, one.value)
            rule.write_string(rank, 2, one.unit)
            rule.write_string(rank, 3, f"[{one.grade}] {one.source or ''}")
        end = half_year_end(self.period)
        rule.write_string(len(parameters) + 2, 0, f"Semestre clos le {end:%d/%m/%Y}")
        book.close()
        slug = self.env["health.chase.pack"]._slug(self.payer_id.name)
        return buffer.getvalue(), f"penalites-{slug}-{self.period}.xlsx"

    def _action_show(self):
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Claims of penalties"),
            "res_model": self._name,
            "view_mode": "list,form",
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            action.update(res_id=self.id, view_mode="form")
        return action
