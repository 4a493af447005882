from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import html_sanitize

#: written by the product with the contact, never by hand
SEALED = frozenset({"chase_id", "lateness_claim_id", "letter_html"})


class HealthContact(models.Model):
    _inherit = "health.contact"

    chase_id = fields.Many2one(
        "health.chase",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )
    lateness_claim_id = fields.Many2one(
        "health.lateness.claim",
        string="Claim of penalties",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )

    letter_html = fields.Text(
        "Letter", readonly=True, help="Word for word as it was written, with its table."
    )

    def write(self, vals):
        """Override: what was written to a payer stays as it was."""
        if SEALED & vals.keys() and not self.env.su:
            raise AccessError(
                self.env._("What was sent stays as it was. Write the answer in “Answer”.")
            )
        return super().write(vals)

    @api.model
    def _write_to_payers(self, vals_list):
        """Letters with a table, through the one door of all contacts; nothing is noted if one must not leave.

        :param vals_list: as for `_send`, the letter in ``body``.
        :return: the letters, that wait for `action_print`.
        """
        contacts = self._send([{**vals, "letter_html": vals["body"]} for vals in vals_list])
        failed = contacts.filtered(lambda contact: contact.state == "failed")
        if failed:
            raise UserError(
                self.env._(
                    "%(payer)s: %(why)s",
                    payer=failed[0].partner_id.name,
                    why=failed[0].state_reason,
                )
            )
        return contacts.with_env(self.env)

    def _letter_parts(self):
        """Override: a letter to a payer is printed with its table."""
        ours = self.filtered("letter_html")
        parts = super(HealthContact, self - ours)._letter_parts()
        if ours:
            report = self.env.ref("health_collections.action_report_chase_letter").sudo(False)
            parts.append((report, ours))
        return parts

    def _letter_body(self):
        """The letter word for word as it was written."""
        self.ensure_one()
        return html_sanitize(
            self.letter_html or "", sanitize_style=False, sanitize_attributes=False
        )

    def _letter_place_day(self):
        """Place and day of the letter, e.g. « Lyon, le 22 novembre 2026 »."""
        self.ensure_one()
        place = self.company_id.city
        day = self.env["res.partner"]._health_day_text(self.day)
        return f"{place}, le {day}" if place else f"Le {day}"

    def _letter_reference(self):
        """What the payer finds the practitioner by, and its own file number."""
        self.ensure_one()
        parts = [f"N° {self.company_id.health_provider_no}"]
        if self.chase_id.dossier_no:
            parts.append(f"votre dossier n° {self.chase_id.dossier_no}")
        return ", ".join(parts)
