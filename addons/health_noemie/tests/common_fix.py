"""FSE entered here, sent, then refused: what the corrections start from."""

from datetime import date, timedelta

from odoo.addons.health_billing.tests.common_fse import DAY as CARE
from odoo.addons.health_billing.tests.common_fse import FseCommon
from odoo.addons.health_billing.tools import cents

from .common import NoemieCommon

#: the day of the tests: care of October was refused in the weeks before
TODAY = "2026-11-02 10:00:00"
SENT = CARE + timedelta(days=1)


class FixCommon(FseCommon, NoemieCommon):
    file_number = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_fund = cls.env["res.partner"]._health_payers("amo", ["01888"])["01888"]
        cls.other_fund.write({"name": "CPAM Autre", "health_to_complete": False})

    def family(self, code):
        return self.env.ref(f"health_noemie.reject_family_{code}")

    def bill(self, count=1, insured=False):
        """FSE of as many patients, validated and sent."""
        fses = self.env["health.fse"]
        for number in range(count):
            FixCommon.file_number += 1
            patient = self.make_patient(
                self.nurse, f"PATIENT {number}", f"29901999{FixCommon.file_number:05d}"
            )
            insurer = {
                "amc_partner_id": self.mutuelle.id,
                "amc_member": "M1",
                "third_party_amc": True,
            }
            self.give_rights(patient, **(insurer if insured else {}))
            prescription = self.make_prescription(patient)
            fses |= self.enter(
                patient,
                prescription_id=prescription.id,
                act_ids=[
                    (
                        0,
                        0,
                        {
                            "act_date": CARE,
                            "product_id": self.blood.id,
                            "act_time": "07:30",
                            "place": "home",
                            "prescription_id": prescription.id,
                        },
                    )
                ],
            )
        fses._onchange_who()
        fses._compute_all()
        fses.finding_ids.filtered(lambda finding: finding.severity == "2")._pass("seen")
        fses.action_validate()
        fses.write({"sent_on": SENT})
        return fses

    def refuse(self, fses, code, label, part="amo", day=date(2026, 10, 12)):
        FixCommon.file_number += 1
        number = FixCommon.file_number
        self.drop(
            self.noemie(
                self.settlement(
                    *(
                        self.rejected(fse.name, cents(fse.amount_total), code, label, part)
                        for fse in fses
                    ),
                    ref=f"2628{number:08d}",
                    day=day,
                ),
                file_id=f"R{number:04d}",
            )
        )
        return self.env["health.rejection"].search(
            [("fse_id", "in", fses.ids), ("part", "=", part)], order="id"
        )

    def wizard(self, rejections, kind=None, **values):
        wizard = self.env["health.rejection.fix"].browse(rejections.action_fix()["res_id"])
        if kind or values:
            wizard.write({**({"kind": kind} if kind else {}), **values})
            wizard.action_try()
        return wizard

    def facts(self):
        """What a correction that does not go through leaves as it was."""
        self.env.flush_all()
        self.env.invalidate_all()
        return {
            model: self.env[model].search(domain, order="id").read(names)
            for model, names, domain in (
                ("health.fse", ["name", "state", "amount_total"], []),
                ("health.share", ["state", "amount", "amount_residual"], []),
                ("health.rejection", ["state", "new_fse_id"], []),
                ("health.coverage", ["date_from", "date_to", "amo_partner_id"], []),
                ("account.move", ["name", "state"], [("company_id", "=", self.nurse.id)]),
                ("health.lot", ["name", "state"], []),
            )
        }
