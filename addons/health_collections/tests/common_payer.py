"""Late payers: FSE of early October 2026 that a fund and an insurer have not answered."""

from datetime import date, timedelta

from odoo.addons.health_billing.tools import cents

from .common import CollectionsCommon

#: FSE of 5 October 2026: AMO due on 15 October, AMC on 4 November
SENT = date(2026, 10, 5)
DAY = date(2026, 11, 20)


class PayerCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Chase = cls.env["health.chase"]
        (cls.cpam + cls.mutuelle).write(
            {"street": "1 rue de la Caisse", "zip": "69000", "city": "Lyon", "phone": "3646"}
        )
        cls.nurse.city = "Lyon"

    def setUp(self):
        super().setUp()
        self.on(DAY)

    def on(self, day):
        """Whatever the day of the machine, contacts are noted on that day."""
        self.patch(self.registry["health.chase"], "_today", lambda _self: day)

    def unpaid(self, *numbers, company=None, **values):
        """Shares of payers that were sent and not answered."""
        values = {"amo": 6000, "amc": 1000, "fse_date": SENT, **values}
        return (
            self.env["health.fse"]
            .union(*(self.make_fse(company or self.nurse, number, **values) for number in numbers))
            .share_ids
        )

    def silence(self, shares, day=DAY):
        """What the night notes where returns are read; without that addon, the due date decides."""
        shares.sudo().write({"silent_on": day})

    def night(self, day=DAY):
        return self.Chase._night(self.companies, day)

    def chase(self, payer=None, company=None):
        return self.Chase.search(
            [
                ("payer_id", "=", (payer or self.cpam).id),
                ("company_id", "=", (company or self.nurse).id),
            ]
        )

    def assertCents(self, amount, expected):
        self.assertEqual(cents(amount), expected)

    @staticmethod
    def later(count):
        return DAY + timedelta(days=count)
