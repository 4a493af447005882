from datetime import date

from odoo.addons.health_billing.tests.common import HealthCommon

DAY = date(2026, 10, 6)


class SesamCommon(HealthCommon):
    """FSE that wait for sending, and the lots made of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Lot = cls.env["health.lot"]

    def unsent(self, *numbers, company=None, **values):
        values = {
            "amo": 600,
            "amc": 300,
            "patient": 100,
            "sent_on": False,
            "lot_no": False,
            **values,
        }
        return self.env["health.fse"].union(
            *(self.make_fse(company or self.nurse, number, **values) for number in numbers)
        )

    def build(self, day=DAY):
        self.env["health.cycle"].run(day)
        return self.Lot.search([("origin", "=", "built")], order="id")

    def ingest(self, name, content):
        return self.env["health.inbox"].ingest(name, content)

    def arl_list(self, *rows, header="provider_no;lot_no;lot_date;result;date;code;label"):
        lines = [header]
        for row in rows:
            default = {
                "provider_no": self.nurse.health_provider_no,
                "lot_no": "001",
                "lot_date": "2026-10-05",
                "result": "positif",
                "date": "2026-10-06",
            }
            lines.append(";".join((default | row).get(name, "") for name in header.split(";")))
        return "\n".join(lines).encode()
