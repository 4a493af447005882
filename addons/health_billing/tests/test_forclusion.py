from datetime import date, timedelta

from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestForclusion(HealthCommon):
    def cards(self, day):
        self.env["health.cycle"].run(day)
        cockpit = self.env["health.cockpit"].with_context(allowed_company_ids=self.companies.ids)
        [lane] = [lane for lane in cockpit.data()["lanes"] if lane["code"] == "deadlines"]
        return {card["key"]: card for card in lane["cards"]}

    def shares(self, fse):
        return {share.debtor_kind: share for share in fse.share_ids}

    def test_each_payer_has_its_own_last_day(self):
        fse = self.make_fse(self.nurse, "1", amo=600, amc=300, patient=100)
        shares = self.shares(fse)
        self.assertEqual(str(shares["amo"].forclusion_date), "2029-01-01")
        self.assertEqual(str(shares["amo"].last_day), "2028-12-31")
        self.assertEqual(str(shares["amc"].forclusion_date), "2028-10-05")
        self.assertFalse(shares["patient"].forclusion_date)
        self.assertEqual(str(fse.forclusion_date), "2028-10-05")

    def test_contract_of_a_payer_goes_before_the_rule(self):
        self.mutuelle.health_forclusion_months = 12
        fse = self.make_fse(self.nurse, "1", amc=300)
        self.assertEqual(str(fse.share_ids.forclusion_date), "2027-10-05")
        self.mutuelle.health_forclusion_months = 6
        self.assertEqual(str(fse.share_ids.forclusion_date), "2027-04-05")

    def test_a_changed_delay_counts_again_what_is_open(self):
        fse = self.make_fse(self.nurse, "1", amo=600)
        self.env["health.parameter"].search([("code", "=", "forclusion_months")]).value = 12
        self.assertEqual(str(fse.share_ids.forclusion_date), "2028-01-01")
        self.assertEqual(str(fse.forclusion_date), "2028-01-01")

    def test_every_share_gets_a_card_at_90_60_and_30_days(self):
        fse = self.make_fse(self.nurse, "1", amo=600, amc=300)
        for kind, limit in (("amc", date(2028, 10, 5)), ("amo", date(2029, 1, 1))):
            share = self.shares(fse)[kind]
            self.assertEqual(share.forclusion_date, limit)
            last = limit - timedelta(days=1)
            seen = {}
            for left in (91, 90, 61, 60, 31, 30, 1, 0, -1):
                day = last - timedelta(days=left)
                found = {
                    limit_of
                    for limit_of, domain in self.env["health.forclusion"]._share_windows(day)
                    if share in self.env["health.share"].search(domain)
                }
                seen[left] = found
            self.assertEqual(
                seen,
                {
                    91: set(),
                    90: {90},
                    61: {90},
                    60: {60},
                    31: {60},
                    30: {30},
                    1: {30},
                    0: {30},
                    -1: {0},
                },
            )

    def test_cards_tell_exact_euros_nearest_first(self):
        self.make_fse(self.nurse, "1", amo=1234)
        self.make_fse(self.nurse, "2", amo=100, fse_date=date(2027, 1, 4))
        cards = self.cards("2028-12-31")
        card = cards[f"forclusion-{self.nurse.id}-30"]
        self.assertEqual((card["amount"], card["deadline"]), ("12,34 €", "31/12/2028"))
        self.assertEqual(cards[f"forclusion-{self.nurse.id}-90"]["amount"], "1,00 €")

    def test_settled_and_replaced_shares_are_out(self):
        paid = self.make_fse(self.nurse, "1", amo=600)
        self.env["account.payment.register"].with_company(self.nurse).with_context(
            active_model="account.move", active_ids=paid.share_ids.move_id.ids
        ).create({})._create_payments()
        replaced = self.make_fse(self.nurse, "2", amo=600)
        again = self.make_fse(self.nurse, "3", amo=700, replaces_id=replaced.id)
        cards = self.cards("2028-12-15")
        card = cards[f"forclusion-{self.nurse.id}-30"]
        self.assertEqual((card["count"], card["amount"]), (1, "7,00 €"))
        found = self.env["health.share"].search(card["action"]["domain"])
        self.assertEqual(found, again.share_ids)

    def test_care_not_billed_and_fse_not_sent_are_seen(self):
        visit = self.env["health.visit"].create(
            {"patient_id": self.patient.id, "day": "2026-10-05", "state": "done"}
        )
        late = self.make_fse(
            self.nurse,
            "1",
            amo=600,
            origin="entry",
            sent_on=False,
            fse_date=date(2026, 10, 6),
        )
        cards = self.cards("2026-11-20")
        card = cards[f"unbilled-{self.nurse.id}"]
        self.assertEqual((card["count"], card["deadline"]), (1, "31/12/2028"))
        self.assertEqual(self.env["health.visit"].search(card["action"]["domain"]), visit)
        card = cards[f"unsent-{self.nurse.id}"]
        self.assertEqual((card["count"], card["amount"]), (1, "6,00 €"))
        visit.fse_id = late
        late.sent_on = "2026-11-19"
        self.assertFalse({key for key in self.cards("2026-11-20") if key.startswith("un")})

    def test_the_night_tells_what_is_at_risk(self):
        self.make_fse(self.nurse, "1", amo=600)
        night = self.env["health.cycle"].run("2028-12-15")
        [step] = [step for step in night.summary if step["code"] == "forclusion"]
        self.assertTrue(step["ok"])
        self.assertIn("6,00 €", " ".join(step["lines"]))

    def test_number_of_queries_does_not_grow(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["health.forclusion"]._cards(date(2028, 12, 15))
            return self.env.cr.sql_log_count - before

        for number in range(3):
            self.make_fse(self.nurse, str(number), amo=600)
        count()
        few = count()
        for number in range(10, 40):
            self.make_fse(self.nurse, str(number), amo=600)
        self.assertEqual(count(), few)
