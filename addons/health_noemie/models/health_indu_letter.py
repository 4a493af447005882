from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.models.health_prescription import keep_with
from odoo.addons.health_billing.ngap import add_months
from odoo.addons.health_billing.tools import cents, format_cents

#: what is written once a letter has left
SEALED = {"kind", "subject", "recipient", "body", "day", "indu_id"}


class HealthInduLetter(models.Model):
    """A letter of the file: drawn up from the facts, corrected by a person, sealed once it is sent.

    It states facts, amounts and pieces; the argument on the substance is the practitioner's or the lawyer's.
    """

    _name = "health.indu.letter"
    _description = "Letter of an Overpayment File"
    _order = "indu_id, day, id"
    _rec_name = "subject"

    indu_id = fields.Many2one("health.indu", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="indu_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("details", "Request for the calculation"),
            ("observations", "Observations"),
            ("contest", "Contestation before the CRA"),
            ("accept", "Acceptance and instalments"),
            ("proofs", "Sending of proofs"),
        ],
        required=True,
    )
    day = fields.Date("Date", required=True, default=fields.Date.context_today)
    subject = fields.Char(required=True)
    recipient = fields.Text(required=True, help="Name and address, as on the envelope.")
    body = fields.Html(required=True, sanitize_attributes=False)
    cites = fields.Char("Texts cited", readonly=True)
    sent_on = fields.Date(help="The day it left: the delays and the state of the file follow it.")
    tracking_no = fields.Char("Registered letter no.")
    attachment_ids = fields.Many2many("ir.attachment", string="Proof of sending", copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        letters = super().create(vals_list)
        keep_with(letters, "attachment_ids")
        return letters

    def write(self, vals):
        """Override: what has left is not written anew."""
        if SEALED & vals.keys() and not self.env.su and self.filtered("sent_on"):
            raise UserError(
                self.env._("This letter is sent: its text stays as it left. Write another one.")
            )
        result = super().write(vals)
        if "attachment_ids" in vals:
            keep_with(self, "attachment_ids")
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        if self.filtered("sent_on"):
            raise UserError(self.env._("A letter that was sent stays in the file."))

    def action_print(self):
        return self.env.ref("health_noemie.action_report_indu_letter").report_action(self)

    def action_sent(self):
        """It left today; the day may be corrected."""
        self.filtered(lambda one: not one.sent_on).sent_on = fields.Date.context_today(self)

    def action_not_sent(self):
        """It did not leave after all: the text may be changed again."""
        self.sent_on = False

    # -- drawing up ----------------------------------------------------------------------------------

    @api.model
    def _draw_up(self, indu, kind, instalments=0, first_on=None):
        """Make the letter of that kind from the facts of the file."""
        values = self._values(indu, kind, instalments, first_on)
        # a letter to a French fund is in French, whoever writes it
        body = self.env["ir.qweb"]._render("health_noemie.indu_letter_body", values)
        return self.create(
            {
                "indu_id": indu.id,
                "kind": kind,
                "subject": values["subject"],
                "recipient": self._recipient(indu, kind),
                "body": body,
                "cites": values["cites"],
            }
        )

    @api.model
    def _values(self, indu, kind, instalments, first_on):
        lines = indu.line_ids
        chosen = {
            "contest": lines.filtered(lambda line: line.decision in ("contest", "prove")),
            "accept": lines.filtered(lambda line: line.decision == "accept"),
        }.get(kind, lines)
        positions = {
            "todo": "à l'étude",
            "accept": "acceptée",
            "contest": "contestée",
            "prove": "justifiée par les pièces jointes",
        }
        reference = indu.reference or indu.debt_ref or ""
        subjects = {
            "details": "Demande de notification et de détail du calcul",
            "observations": "Observations sur votre notification d'indu",
            "contest": "Saisine de la commission de recours amiable",
            "accept": "Indu accepté et modalités de remboursement",
            "proofs": "Envoi de pièces justificatives",
        }
        subject = subjects[kind]
        if kind == "contest" and indu.payer_id.health_kind == "amc":
            subject = "Réclamation sur votre demande de remboursement"
        accepted = cents(indu.amount_accepted) if lines else cents(indu.balance)
        left = max(0, accepted - cents(indu.amount_withheld) - cents(indu.amount_repaid))
        return {
            "indu": indu,
            "kind": kind,
            "by_law": indu.payer_id.health_kind != "amc",
            "subject": f"{subject} (réf. {reference})" if reference else subject,
            "reference": reference,
            "lines": chosen,
            "positions": positions,
            "money": lambda amount: format_cents(cents(amount)),
            "total": format_cents(sum(cents(line.amount) for line in chosen)),
            "day": lambda day: day.strftime("%d/%m/%Y") if day else "",
            "left": format_cents(left),
            "plan": self._plan(left, instalments, first_on),
            "pieces": indu.proof_ids._documents()
            if kind in ("observations", "contest", "proofs")
            else [],
            "contest_months": self.env["health.parameter"].value_of("indu_contest_months"),
            "cites": self._cites(kind, indu),
        }

    @api.model
    def _plan(self, left, instalments, first_on):
        """Instalments of whole cents that make the sum, the odd cents in the last one."""
        if instalments < 2 or not left:
            return []
        first_on = first_on or fields.Date.context_today(self) + timedelta(days=30)
        part = left // instalments
        amounts = [part] * (instalments - 1) + [left - part * (instalments - 1)]
        return [
            (add_months(first_on, rank).strftime("%d/%m/%Y"), format_cents(amount))
            for rank, amount in enumerate(amounts)
        ]

    @api.model
    def _cites(self, kind, indu):
        """Texts that the letter names, with how surely they are known."""
        if indu.payer_id.health_kind == "amc" or kind not in ("details", "observations", "contest"):
            return False
        text = "L. 133-4, R. 133-9-1 CSS"
        return self.env._(
            "%s: known from secondary sources (grade B), to be read again before sending.", text
        )

    @api.model
    def _recipient(self, indu, kind):
        payer = indu.payer_id
        name = payer.name or indu.payer_text or "Organisme payeur"
        place = " ".join(filter(None, [payer.zip, payer.city]))
        rows = [row for row in (name, payer.street, payer.street2, place) if row]
        if kind == "contest" and payer.health_kind != "amc":
            rows.insert(0, "Commission de recours amiable")
        return "\n".join(rows)
