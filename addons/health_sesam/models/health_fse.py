import re

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents

from ..norms import NormError, b2
from ..norms.codec import WRITE_ADVICE, codes

#: who is paid, from the shares: the patient; AMO; AMO and AMC; AMC only (B2, type 2)
PAYEE_MODES = {(False, False): "00", (True, False): "05", (True, True): "15", (False, True): "25"}


class HealthFse(models.Model):
    _inherit = "health.fse"

    lot_id = fields.Many2one("health.lot", index="btree_not_null", copy=False, check_company=True)
    lot_state = fields.Selection(related="lot_id.state", string="Lot state")
    lot_issue = fields.Char("Why it is in no lot", readonly=True, copy=False)

    @api.model
    def _import_journal(self, journal, inbox):
        """Override of `health_billing`: what was sent already goes into the lots it was sent in."""
        counts = super()._import_journal(journal, inbox)
        companies = self.env["res.company"].search(
            [("health_provider_no", "in", list({row.provider_no for row in journal.fses}))]
        )
        self.env["health.lot"]._collect_sent(companies)
        return counts

    def action_leave_lot(self):
        """Take FSE out of lots that did not leave yet: they can be corrected, and go into another lot later.

        :raises UserError: the lot left, so what it holds is a fact.
        """
        lots = self.lot_id
        gone = lots.filtered(lambda lot: lot.sent_on or lot.origin != "built")
        if gone or not lots:
            raise UserError(
                self.env._("Lot %s left already: its FSE stay in it.", gone[0].display_name)
                if gone
                else self.env._("FSE %s is in no lot.", self[:1].name)
            )
        self.check_access("write")
        self.lot_id = False
        empty = lots.filtered(lambda lot: not lot.fse_ids)
        empty.sudo().unlink()
        (lots - empty).action_write_file()
        return True

    def _lot_payer(self):
        """Addressee of the lot: the fund, or the complementary insurer for a DRE."""
        self.ensure_one()
        return (self.kind == "D" and self.amc_partner_id) or self.amo_partner_id

    def _lot_org(self):
        """Number of the addressee: regime and fund, or that of the complementary insurer."""
        self.ensure_one()
        if self.kind == "D" and self.amc_partner_id:
            return (self.amc_org or "").zfill(10)
        return (self.amo_org or "")[:5].ljust(5, "0")

    def _b2_invoice(self, tariff):
        """This FSE as the codec wants it, amounts in cents.

        The AMO and AMC amounts are those of the third-party payment; what the fund would pay back
        to a patient who paid everything is not computed here.

        :raises NormError: a number that the norm has no room for
        """
        self.ensure_one()
        patient = self.patient_id
        company = self.company_id
        prescriber = self._prescriber_no()
        shares = {share.debtor_kind for share in self.share_ids if share.amount}
        # a part that this FSE does not bill (a DRE, a part paid already) is not asked of anybody
        asked = {kind: kind in shares or not self.billed_parts for kind in ("amo", "amc")}
        specialty = codes()["specialty_by_profession"]["values"].get(company.health_profession, "")
        zone = company.health_zone or "metropole"
        Lot = self.env["health.lot"]
        return b2.B2Invoice(
            nir=(patient.health_nir or "").upper(),
            invoice_no=self.name,
            invoice_date=self.fse_date,
            regime=(self.amo_org or "")[:2],
            caisse=(self.amo_org or "")[2:5],
            centre=(self.amo_org or "")[5:9],
            prescriber_id=prescriber if len(prescriber) <= 9 else "",
            prescriber_rpps=prescriber if len(prescriber) > 9 else "",
            prescription_date=self.prescription_date or None,
            insurance_nature=self.insurance_nature,
            exemption=self.exemption or "0",
            birth_date=patient.health_birth_date or None,
            birth_rank=patient.health_birth_rank or 1,
            amc_no=self.amc_org or "",
            amc_member=self.amc_member or "",
            payee_mode=PAYEE_MODES["amo" in shares, "amc" in shares],
            acts=[
                b2.B2Act(
                    act_date=act.act_date,
                    key_letter=act.key_letter,
                    complement=act.complement or "",
                    coefficient_hundredths=act.coefficient_hundredths,
                    quantity=act.quantity,
                    unit_price=Lot._unit_price(tariff, act, zone),
                    base=cents(act.amount),
                    rate=act.amo_rate or self.amo_rate,
                    amo_amount=cents(act.amo_amount) if asked["amo"] else 0,
                    fee=cents(act.amount),
                    amc_amount=cents(act.amc_amount) if asked["amc"] else 0,
                    performer_id=company.health_provider_no or "",
                    performer_spec=specialty,
                )
                for act in self.act_ids
                if act.factor  # what article 11 B does not pay is not written
            ],
        )

    def _prescriber_no(self):
        """The prescriber's number: 9 digits, or an 11-digit RPPS number."""
        number = re.sub(r"\s", "", self.prescriber_no or "")
        if number and not re.fullmatch(r"[0-9]{1,9}|[0-9]{11}", number):
            raise NormError(
                self.env._("Prescriber number “%s”: 9 or 11 digits are expected", number),
                advice=WRITE_ADVICE,
            )
        return number

    # -- timeline ------------------------------------------------------------------------------------

    def _events(self):
        """Override of `health_billing`: the lot, and what came back of it."""
        events = super()._events()
        for fse in self.sudo():
            if fse.lot_id:
                events.setdefault(fse.id, []).extend(fse._lot_events())
        return events

    def _lot_events(self):
        self.ensure_one()
        lot = self.lot_id
        events = []
        if lot.origin == "built":
            text = self.env._("Put in lot %s", lot.name)
            events.append(self._event(lot.date, "lot", text, lot))
        if lot.arl_missed_on:
            text = self.env._("No ARL for lot %s", lot.name)
            events.append(self._event(lot.arl_missed_on, "arl_missing", text, lot))
        for arl in lot.arl_ids:
            what = (
                self.env._("Lot %s received (positive ARL)", lot.name)
                if arl.result == "positive"
                else self.env._("Lot %s refused (negative ARL)", lot.name)
            )
            why = " ".join(filter(None, (arl.code, arl.label))) if arl.result == "negative" else ""
            events.append(
                self._event(
                    arl.date,
                    "arl",
                    f"{what} · {why}" if why else what,
                    arl,
                    arl.create_uid.name if arl.source == "manual" else "",
                )
            )
        return events
