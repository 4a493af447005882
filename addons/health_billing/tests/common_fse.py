"""FSE entered by hand, for the tests of entry and control."""

from datetime import date

from .common import HealthCommon, with_key

DAY = date(2026, 10, 5)
PRESCRIBER = with_key("12345678")


class FseCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        codes = cls.env["health.ngap"]._product_by_code()
        cls.blood = cls.env["product.product"].browse(codes["INF-AMI1,5-01"])
        cls.injection = cls.env["product.product"].browse(codes["INF-AMI1-02"])
        cls.prescription = cls.make_prescription(cls.patient)
        cls.coverage = cls.give_rights(cls.patient)
        cls.biller = cls.make_user("biller", "health_billing.group_biller")

    @classmethod
    def make_prescription(cls, patient, **values):
        return cls.env["health.prescription"].create(
            {
                "patient_id": patient.id,
                "date": date(2026, 9, 1),
                "prescriber_no": PRESCRIBER,
                "mention_home": True,
                "mention_daily": True,
                **values,
            }
        )

    @classmethod
    def give_rights(cls, patient, **values):
        coverage = cls.env["health.coverage"].create(
            {
                "patient_id": patient.id,
                "date_from": date(2026, 1, 1),
                "case_id": cls.env.ref("health_billing.coverage_case_common").id
                if cls.env.ref("health_billing.coverage_case_common", raise_if_not_found=False)
                else cls.env["health.coverage.case"].search([("code", "=", "common")]).id,
                "amo_partner_id": cls.cpam.id,
                "amo_org": "019990000",
                "amo_rate": 60,
                **values,
            }
        )
        cls.env["health.rights.proof"].create(
            {"coverage_id": coverage.id, "date": DAY, "method": "adri", "result": "open"}
        )
        return coverage

    def enter(self, patient=None, acts=None, **values):
        """An FSE as the form creates it: acts are (product, hour) or dicts."""
        patient = patient or self.patient
        vals = {
            "company_id": patient.company_id.id,
            "patient_id": patient.id,
            "fse_date": DAY,
            "prescription_id": self.prescription.id if patient == self.patient else False,
            "act_ids": [
                (
                    0,
                    0,
                    {
                        "act_date": DAY,
                        "product_id": product.id,
                        "act_time": hour,
                        "place": "home",
                        "prescription_id": self.prescription.id
                        if patient == self.patient
                        else False,
                    },
                )
                for product, hour in acts or [(self.blood, "07:30")]
            ],
            **values,
        }
        return self.env["health.fse"].create(vals)

    def amounts(self, fse):
        return {act.key_letter: act.amount for act in fse.act_ids}

    def validated(self, **values):
        fse = self.enter(**values)
        fse._compute_all()
        fse.finding_ids.filtered(lambda f: f.severity == "2")._pass("seen")
        fse.action_validate()
        return fse
