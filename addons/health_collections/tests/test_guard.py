from datetime import date, timedelta

from odoo.tests import tagged

from .common import DAY, CollectionsCommon


@tagged("post_install", "-at_install")
class TestGuard(CollectionsCommon):
    def hold(self, share, day=DAY):
        held = share._dunning_refresh(day)
        code = held.get(share, (False, False))[0]
        self.assertEqual(share.dunning_hold, code)
        return code

    def test_released_when_payers_have_paid(self):
        share = self.late("000001", amo=1890, amc=600)
        self.assertFalse(self.hold(share))
        self.assertFalse(share.dunning_hold_reason)
        self.assertEqual(share.dunning_since, DAY)

    def test_released_when_patient_alone_owes(self):
        self.assertFalse(self.hold(self.late("000002")))

    def test_amo_not_settled(self):
        share = self.late("000003", amo=1890, settled=False)
        self.assertEqual(self.hold(share), "amo_pending")
        self.assertEqual(share.dunning_hold_reason, "La caisse n'a pas encore réglé sa part.")

    def test_amc_not_settled(self):
        share = self.late("000004", amo=1890, amc=600, settled=False)
        self.pay(self.share(share.fse_id, "amo"))
        self.assertEqual(self.hold(share), "amc_pending")

    def test_announced_is_not_settled(self):
        share = self.late("000005", amo=1890, settled=False)
        self.share(share.fse_id, "amo").announced_amount = 18.90
        self.assertEqual(self.hold(share), "amo_pending")

    def test_partly_paid_is_not_settled(self):
        share = self.late("000006", amo=1890, settled=False)
        amo = self.share(share.fse_id, "amo")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=amo.move_id.ids
        ).create({"amount": 10.0}).action_create_payments()
        self.assertEqual(amo.state, "partial")
        self.assertEqual(self.hold(share), "amo_pending")

    def test_rejected_payer(self):
        for number, kind in (("000011", "amo"), ("000012", "amc")):
            with self.subTest(kind=kind):
                share = self.late(number, amo=1890, amc=600, settled=False)
                self.pay(
                    (share.fse_id.share_ids - share).filtered(
                        lambda one, kind=kind: one.debtor_kind != kind
                    )
                )
                self.share(share.fse_id, kind).is_rejected = True
                self.assertEqual(self.hold(share), f"{kind}_rejected")
                self.assertIn("rejet", share.dunning_hold_reason)

    def test_hold_ends_with_its_cause(self):
        share = self.late("000020", amo=1890, settled=False)
        self.assertEqual(self.hold(share), "amo_pending")
        self.pay(self.share(share.fse_id, "amo"))
        self.assertFalse(self.hold(share, DAY + timedelta(days=1)))
        self.assertEqual(share.dunning_since, DAY + timedelta(days=1))

    def test_stopped_by_a_person(self):
        share = self.late("000030")
        share.move_id.action_toggle_block_payment()
        self.assertEqual(self.hold(share), "blocked")
        share.move_id.action_toggle_block_payment()
        self.assertFalse(self.hold(share))
        share.move_id.line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        ).no_followup = True
        self.assertEqual(self.hold(share), "blocked")

    def test_patient_on_a_do_nothing_policy(self):
        share = self.late("000031")
        share.partner_id.credit_policy_id = self.env.ref(
            "account_credit_control.credit_control_no_follow"
        )
        self.assertEqual(self.hold(share), "blocked")

    def test_replaced_fse(self):
        share = self.late("000032")
        self.make_fse(self.nurse, "000033", patient=1260, replaces_id=share.fse_id.id)
        self.assertEqual(self.hold(share), "replaced")

    def test_payment_under_way(self):
        share = self.late("000034")
        provider = self.demo_provider(self.nurse)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[:1].id,
                "amount": 12.60,
                "currency_id": self.nurse.currency_id.id,
                "partner_id": self.patient.id,
                "reference": "NOTE-TEST",
                "invoice_ids": [(6, 0, share.move_id.ids)],
            }
        )
        self.assertFalse(self.hold(share), "a payment that was only begun holds nothing back")
        transaction._set_pending()
        self.assertEqual(self.hold(share), "payment_pending")
        transaction._set_canceled()
        self.assertFalse(self.hold(share))

    def test_contacted_recently(self):
        share = self.late("000035")
        link, _url = self.env["health.payment.link"]._make_one(self.patient, "email")
        link.sent_on = DAY - timedelta(days=6)
        self.assertEqual(self.hold(share), "recent_contact")
        self.assertIn("08/11/2026", share.dunning_hold_reason)
        self.assertIn("15/11/2026", share.dunning_hold_reason)
        link.sent_on = DAY - timedelta(days=7)
        self.assertFalse(self.hold(share))

    def test_link_shown_by_hand_is_no_contact(self):
        share = self.late("000036")
        self.env["health.payment.link"]._make_one(self.patient, "hand")
        self.assertFalse(self.hold(share))

    def test_small_amount_looks_at_the_patient_as_a_whole(self):
        one = self.late("000037", patient=299)
        self.assertEqual(self.hold(one), "small_amount")
        self.assertIn("2,99 €", one.dunning_hold_reason)
        two = self.late("000038", patient=1)
        self.assertFalse((one | two)._dunning_refresh(DAY))

    def test_held_amount_does_not_count_for_the_least_amount(self):
        small = self.late("000039", patient=250)
        held = self.late("000040", patient=5000, amo=1890, settled=False)
        answer = (small | held)._dunning_refresh(DAY)
        self.assertEqual(answer[small][0], "small_amount")
        self.assertEqual(answer[held][0], "amo_pending")

    def test_least_amount_is_a_parameter(self):
        share = self.late("000041", patient=900)
        self.env["health.parameter"].search([("code", "=", "reminder_least_amount")]).value = 1000
        self.assertEqual(self.hold(share), "small_amount")

    def test_overdue_domain(self):
        share = self.late("000042")
        Share = self.env["health.share"]
        self.assertNotIn(share, Share.search(Share._dunning_domain(date(2026, 11, 4))))
        self.assertIn(share, Share.search(Share._dunning_domain(date(2026, 11, 5))))
        self.pay(share)
        self.assertNotIn(share, Share.search(Share._dunning_domain(DAY)))
