from odoo import api, fields, models
from odoo.exceptions import UserError

from ..carriers import Parcel

LETTERS = ("letter", "registered", "e_registered")
REGISTERED = ("registered", "e_registered")


class HealthContact(models.Model):
    # letters and registered letters, in a file of their own
    _inherit = "health.contact"

    printed_on = fields.Datetime(readonly=True, copy=False)
    carrier_id = fields.Many2one(
        "health.carrier", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
    has_carrier = fields.Boolean(compute="_compute_has_carrier")

    @api.depends("channel", "company_id")
    def _compute_has_carrier(self):
        Carrier = self.env["health.carrier"]
        for (company, channel), group in self.grouped(
            lambda contact: (contact.company_id, contact.channel)
        ).items():
            group.has_carrier = channel in REGISTERED and bool(Carrier._of(company, channel))

    def _leave_by_e_registered(self, extras):
        """An electronic registered letter goes to whom agreed to it only; to others, on paper."""
        without = self.filtered(lambda contact: not contact.partner_id.health_e_registered_on)
        without.write(
            {
                "channel": "registered",
                "state_reason": self.env._("No consent to electronic letters: it goes on paper."),
            }
        )

    def _leave_by_letter(self, extras):
        """It waits for somebody to print it."""

    _leave_by_registered = _leave_by_letter

    # -- printing ---------------------------------------------------------------------------------

    def _letter_parts(self):
        """Letters to print: list of (report, records of its model), in the order of the contacts."""
        own = "health_collections.action_report_contact_letter"
        parts = {}
        for contact in self:
            name = contact.report_name or own
            parts.setdefault(name, []).append(
                contact.report_record if contact.report_name else contact.id
            )
        reports = {name: self.env.ref(name).sudo(False) for name in parts}
        return [
            (reports[name], self.env[reports[name].model].browse(ids))
            for name, ids in parts.items()
        ]

    def _still_to_bring(self):
        """Those of these contacts that must still leave; the others are cancelled, with the reason."""
        waiting = self.filtered(lambda contact: contact.state in ("planned", "queued"))
        stopped, _later = waiting.sudo()._recheck()
        waiting.sudo()._stop(stopped)
        left = waiting.filtered(lambda contact: contact.sudo() not in stopped)
        if self and not left:
            raise UserError(
                self.env._(
                    "Nothing of this is to be sent any more: %s", next(iter(stopped.values()), "")
                ).strip(": ")
            )
        return left

    def action_print(self):
        """Print letters; simple ones are then sent, registered ones wait for their tracking number."""
        self.check_access("write")
        letters = self.filtered(lambda contact: contact.channel in LETTERS)
        done = letters.filtered(lambda contact: contact.state in ("sent", "delivered"))
        letters = done | (letters - done)._still_to_bring()
        if not letters:
            raise UserError(self.env._("Choose letters: other channels are not printed."))
        letters.sudo().write({"printed_on": fields.Datetime.now()})
        (letters - done).filtered(lambda contact: contact.channel == "letter")._set_state("sent")
        parts = letters._letter_parts()
        if len(parts) == 1:
            [(report, records)] = parts
            return report.report_action(records, config=False)
        content = self.env["ir.actions.report"]._health_print_letters(parts)
        return self.env["health.contact.print"]._download(content)

    # -- registered letters -----------------------------------------------------------------------

    def _carrier_reference(self):
        self.ensure_one()
        return f"LR{self.id:07d}"

    def action_hand_over(self):
        """Give registered letters to the carrier: a person presses, for each of them costs money."""
        self.check_access("write")
        letters = self.filtered(
            lambda contact: contact.channel in REGISTERED and contact.state == "planned"
        )._still_to_bring()
        problems, given = [], 0
        for (company, channel), group in letters.grouped(
            lambda contact: (contact.company_id, contact.channel)
        ).items():
            carrier = self.env["health.carrier"]._of(company, channel)
            if not carrier:
                problems.append(
                    self.env._("%s has no carrier: print the letters and post them.", company.name)
                )
                continue
            taken, problem = carrier._give([contact._parcel(carrier) for contact in group])
            done = group.filtered(
                lambda contact, taken=taken: contact._carrier_reference() in taken
            )
            done._set_state(
                "queued", self.env._("Given to %s.", carrier.name), carrier_id=carrier.id
            )
            given += len(done)
            if problem:
                problems.append(problem)
        if not given:
            raise UserError(
                "\n".join(problems) or self.env._("There is no registered letter to give.")
            )
        return self.env["health.carrier"]._tell(
            "\n".join([self.env._("%s letter(s) given.", given), *problems]),
            "warning" if problems else "success",
        )

    def _parcel(self, carrier):
        """The letter as its carrier takes it; a copy stays as a proof of what was sent."""
        self.ensure_one()
        sender = self.company_id._health_sender()
        [(report, records)] = self._letter_parts()
        content = self.env["ir.actions.report"]._render_qweb_pdf(report.report_name, records.ids)[0]
        parcel = Parcel(
            self._carrier_reference(),
            self.channel,
            (sender["name"], *sender["address"].split("\n")),
            tuple(self.partner_id._health_envelope_lines()),
            self.partner_id.email_normalized or "",
            content,
        )
        self._add_proof(parcel.filename, content)
        return parcel

    def _add_proof(self, name, content):
        self.ensure_one()
        proof = (
            self.env["ir.attachment"]
            .sudo()
            .create({"name": name, "raw": content, "res_model": self._name, "res_id": self.id})
        )
        self.sudo().proof_ids |= proof

    @api.model
    def _take_statuses(self, pairs):
        """Note what a carrier says became of its letters.

        :param pairs: list of (status, (name, bytes) of its proof or None).
        :return: number of letters followed.
        """
        known = {
            contact._carrier_reference(): contact
            for contact in self.search(
                [
                    ("carrier_id", "!=", False),
                    (
                        "id",
                        "in",
                        [
                            int(status.reference[2:])
                            for status, _proof in pairs
                            if status.reference[:2] == "LR" and status.reference[2:].isdigit()
                        ],
                    ),
                ]
            )
        }
        count = 0
        for status, proof in pairs:
            contact = known.get(status.reference)
            if not contact:
                continue
            contact._note_status(status, proof)
            count += 1
        return count

    def _note_status(self, status, proof):
        self.ensure_one()
        values = {"tracking_no": status.tracking_no} if status.tracking_no else {}
        if status.day:
            field = "delivered_on" if status.state == "delivered" else "done_on"
            values[field] = fields.Datetime.to_datetime(status.day)
        reason = False
        if status.state == "failed":
            reason = self.env._("Came back: %s", status.reason or self.env._("no reason told"))
        self._set_state(status.state, reason, **values)
        if proof and proof[0] not in self.proof_ids.mapped("name"):
            self._add_proof(*proof)

    def action_posted(self):
        return self._post_window("posted", self.env._("Posted"))

    def action_came_back(self):
        return self._post_window("back", self.env._("What came back"))

    def _post_window(self, step, name):
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "health.contact.post",
            "view_mode": "form",
            "target": "new",
            "context": {"default_contact_id": self.id, "default_step": step},
        }
