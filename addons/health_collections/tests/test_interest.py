from datetime import date

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from odoo.addons.health_billing.tools import cents

from .common import CollectionsCommon

NOTICE = date(2025, 12, 1)
CARE = date(2025, 8, 4)


@tagged("post_install", "-at_install")
class TestInterest(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.due = cls.late("000301", patient=50000, fse_date=CARE, checked=False)

    def notice(self, day=NOTICE, **values):
        return self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "channel": "registered",
                    "kind": "notice",
                    "state": "sent",
                    "day": day,
                    "share_ids": [Command.set(self.due.ids)],
                    **values,
                }
            ]
        )

    def interest(self, day):
        return self.due._legal_interest(day).get(self.due)

    def test_off_by_default(self):
        self.notice()
        self.assertFalse(self.nurse.health_legal_interest)
        self.assertIsNone(self.interest(date(2026, 3, 1)))

    def test_never_before_a_formal_notice(self):
        self.nurse.health_legal_interest = True
        self.assertIsNone(self.interest(date(2026, 3, 1)))
        self.notice(kind="reminder")
        self.notice(state="planned")
        self.notice(state="failed")
        self.notice(state="cancelled")
        self.assertIsNone(self.interest(date(2026, 3, 1)), "it never left")
        self.notice()
        self.assertIsNone(self.interest(date(2025, 12, 2)), "it runs from the day after")
        # 30 days at 2,76 % and 59 at 2,62 %, on 500 €: 113,42 + 211,75 cents
        self.assertEqual(self.interest(date(2026, 3, 1)), (325, date(2026, 3, 1)))

    def test_stops_where_no_rate_is_known(self):
        self.nurse.health_legal_interest = True
        self.notice()
        until = self.interest(date(2026, 7, 1))
        self.env["health.interest.rate"].search([("date_from", ">=", date(2026, 7, 1))]).unlink()
        self.assertEqual(self.interest(date(2026, 9, 1)), until)
        self.env["health.interest.rate"].create(
            {"date_from": date(2026, 7, 1), "date_to": date(2027, 1, 1), "basis_points": 250}
        )
        # 62 days at 2,50 %
        self.assertIn(self.interest(date(2026, 9, 1))[0] - until[0], (212, 213))

    def test_shown_and_never_added(self):
        self.nurse.health_legal_interest = True
        self.notice()
        with freeze_time("2026-03-01 10:00:00"):
            self.due.invalidate_recordset()
            self.assertEqual(cents(self.due.legal_interest), 325)
            self.assertEqual(self.due.notice_date, NOTICE)
            self.assertEqual(cents(self.due.amount_residual), 50000)
            link, _url = self.env["health.payment.link"]._make_one(self.patient, "hand")
            self.assertEqual(link._amount_cents(link._open_shares()), 50000)

    def test_missing_rate_is_a_card_of_the_manager(self):
        def keys(user, day):
            Cockpit = self.env["health.cockpit"].with_user(user)
            cards = Cockpit.with_context(allowed_company_ids=self.companies.ids)
            return [card["key"] for card in cards._cards_interest(day)]

        manager = self.make_user("i_manager", "health_billing.group_manager")
        biller = self.make_user("i_biller", "health_billing.group_biller")
        far = date(2099, 3, 1)
        self.assertFalse(keys(manager, far), "nobody counts interest")
        self.nurse.health_legal_interest = True
        self.assertEqual(keys(manager, far), ["interest-rate"])
        self.assertFalse(keys(biller, far))
        self.assertFalse(keys(manager, date(2026, 3, 1)))

    def test_rates_are_checked(self):
        Rate = self.env["health.interest.rate"]
        for start, end, points, words in (
            (date(2040, 7, 1), date(2040, 7, 1), 250, "before it begins"),
            (date(2040, 7, 1), date(2041, 1, 1), 26200, "no legal rate"),
            (date(2026, 6, 1), date(2026, 9, 1), 250, "Two rates"),
        ):
            with (
                self.subTest(words=words),
                self.assertRaisesRegex(ValidationError, words),
                self.env.cr.savepoint(),
            ):
                Rate.create({"date_from": start, "date_to": end, "basis_points": points})
        biller = self.make_user("i_biller2", "health_billing.group_biller")
        with self.assertRaises(AccessError):
            Rate.with_user(biller).create(
                {"date_from": date(2040, 7, 1), "date_to": date(2041, 1, 1), "basis_points": 250}
            )
