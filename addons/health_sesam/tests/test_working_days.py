from datetime import date

from odoo.tests import BaseCase, tagged

from ..working_days import add_working_days, easter, is_working_day


@tagged("post_install", "-at_install")
class TestWorkingDays(BaseCase):
    def test_easter(self):
        for year, day in (
            (2024, date(2024, 3, 31)),
            (2025, date(2025, 4, 20)),
            (2026, date(2026, 4, 5)),
        ):
            self.assertEqual(easter(year), day)

    def test_holidays_and_week_ends_are_not_worked(self):
        closed = (
            "2026-01-01",
            "2026-04-06",
            "2026-05-14",
            "2026-05-25",
            "2026-07-14",
            "2026-11-11",
            "2026-11-14",
        )
        for day in closed:
            self.assertFalse(is_working_day(date.fromisoformat(day)), day)
        self.assertTrue(is_working_day(date(2026, 11, 12)))

    def test_adding(self):
        self.assertEqual(add_working_days(date(2026, 11, 13), 1), date(2026, 11, 16))
        self.assertEqual(add_working_days(date(2026, 11, 10), 1), date(2026, 11, 12))
        self.assertEqual(add_working_days(date(2026, 12, 24), 3), date(2026, 12, 30))
