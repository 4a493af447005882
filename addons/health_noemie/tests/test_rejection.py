"""Rejections: cause, who fixes, what to do; the catalogue learns."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import DAY, NoemieCommon


@tagged("post_install", "-at_install")
class TestRejection(NoemieCommon):
    def reject(
        self, number="000000101", code="0450", label="ETM NON CONNUE EN BDO", part="amo", **values
    ):
        fse = self.make_fse(self.nurse, number, amo=6000, amc=4000)
        self.drop(
            self.noemie(
                self.settlement(self.rejected(number, 6000, code, label, part), **values),
                file_id=f"R{number[-4:]}",
            )
        )
        return self.share(fse, part).rejection_ids

    def test_known_code_gives_its_cause(self):
        rejection = self.reject()
        self.assertEqual(rejection.state, "open")
        self.assertEqual(rejection.family_id, self.env.ref("health_noemie.reject_family_exemption"))
        self.assertTrue(rejection.advice)
        self.assertEqual(rejection.share_id.state, "rejected")
        self.assertEqual((rejection.company_id, rejection.amount), (self.nurse, 60.0))

    def test_label_teaches_a_new_code(self):
        rejection = self.reject(code="7777", label="ACCORD PREALABLE ABSENT")
        self.assertEqual(rejection.family_id, self.env.ref("health_noemie.reject_family_agreement"))
        code = rejection.code_id
        self.assertEqual(
            (code.code, code.part, code.count, code.first_seen), ("7777", "amo", 1, DAY)
        )

    def test_unknown_code_waits_for_one_classification_that_serves_all(self):
        one = self.reject("000000101", code="8888", label="MOTIF ZZZ")
        two = self.reject("000000102", code="8888", label="MOTIF ZZZ", ref="262850000002")
        unknown = self.env.ref("health_noemie.reject_family_unknown")
        self.assertEqual((one | two).family_id, unknown)
        self.assertEqual(one.code_id.count, 2)
        one.code_id.family_id = self.env.ref("health_noemie.reject_family_identity")
        self.assertEqual((one | two).family_id.code, "identity")

    def test_scope_of_a_family(self):
        rejection = self.reject(code="9999", label="ADHERENT INCONNU", part="amc")
        self.assertEqual(rejection.family_id.code, "amc_member")
        self.assertEqual(rejection.partner_id, self.mutuelle)
        self.assertEqual(rejection.share_id.state, "rejected")

    def test_no_reason_given(self):
        rejection = self.reject(code="", label="")
        self.assertEqual(rejection.family_id.code, "unknown")
        self.assertFalse(rejection.code_id)

    def test_fixed_and_reopened(self):
        rejection = self.reject()
        rejection.action_fixed()
        self.assertEqual((rejection.state, rejection.share_id.state), ("fixed", "sent"))
        rejection.action_reopen()
        self.assertEqual(rejection.share_id.state, "rejected")

    def test_abandon_needs_a_reason(self):
        rejection = self.reject()
        action = rejection.action_abandon()
        wizard = (
            self.env["health.rejection.close"]
            .with_context(**action["context"])
            .create({"reason": " "})
        )
        with self.assertRaises(UserError):
            wizard.action_abandon()
        wizard.reason = "Too small"
        wizard.action_abandon()
        self.assertEqual((rejection.state, rejection.closing_reason), ("abandoned", "Too small"))

    def test_later_payment_closes_the_rejection(self):
        rejection = self.reject()
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=6000),
                    day=DAY + timedelta(days=9),
                    ref="262940000001",
                ),
                file_id="P1",
            )
        )
        self.assertEqual(rejection.state, "fixed")
        self.assertEqual(rejection.share_id.state, "announced")

    def test_rejection_that_comes_after_the_payment_is_closed(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.drop(
            self.noemie(
                self.settlement(
                    self.rejected("000000101", 6000),
                    day=DAY - timedelta(days=9),
                    ref="262760000001",
                ),
                file_id="R1",
            )
        )
        self.assertEqual(self.share(fse).rejection_ids.state, "fixed")
        self.assertEqual(self.share(fse).state, "announced")

    def test_same_rejection_again_is_one(self):
        rejection = self.reject()
        self.drop(
            self.noemie(
                self.settlement(self.rejected("000000101", 6000), ref="262999000001"), file_id="R2"
            )
        )
        self.assertEqual(rejection.share_id.rejection_ids, rejection)

    def test_every_family_says_what_to_do(self):
        families = self.env["health.reject.family"].search([("code", "!=", False)])
        self.assertGreaterEqual(len(families), 20)
        for family in families:
            self.assertTrue(family.procedure and family.fixed_by and family.money, family.code)
