"""Corrections: each changes what it must, bills again under a new number and fills a lot, or does nothing."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from odoo.addons.health_billing.tests.common import with_key
from odoo.addons.health_billing.tests.common_fse import PRESCRIBER
from odoo.addons.health_billing.tools import cents

from .common_fix import CARE, SENT, TODAY, FixCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRejectionFix(FixCommon):
    def assertSentAgain(self, rejections, kind="F"):
        """Every rejection is fixed, its share replaced, its new FSE validated and in a lot that was read back."""
        for rejection in rejections:
            self.assertEqual(rejection.state, "fixed")
            self.assertEqual(rejection.share_id.state, "replaced")
            new = rejection.new_fse_id
            self.assertTrue(new.validated_on and new.name.isdigit())
            self.assertGreater(int(new.name), int(rejection.fse_id.name))
            self.assertEqual((new.replaces_id, new.kind), (rejection.fse_id, kind))
            self.assertTrue(new.lot_id.b2_checked, new.lot_issue)
            self.assertEqual(rejection.new_share_id.state, "to_send")
        self.assertEqual(len(rejections.new_fse_id), len(rejections.fse_id))

    # -- rights ------------------------------------------------------------------------------------

    def test_rights_of_many_in_two_clicks_from_the_lane(self):
        fses = self.bill(3)
        rejections = self.refuse(fses, "0111", "DROITS FERMES")
        [card] = [
            card for card in self.env["health.cockpit"]._cards_rejects(CARE) if card["count"] == 3
        ]
        self.assertAlmostEqual(card["amount"], sum(rejections.mapped("residual")))
        self.assertEqual(card["deadline"], rejections[0].last_day)
        action = (
            self.env["ir.actions.server"]
            .browse(card["action"]["id"])
            .with_context(**card["action"]["context"])
            .run()
        )
        wizard = self.env["health.rejection.fix"].browse(action["res_id"])
        self.assertEqual((wizard.kind, len(wizard.line_ids)), ("rights", 3))
        # nothing was changed yet: the same claim would be refused again
        self.assertEqual(set(wizard.line_ids.mapped("problem_kind")), {"blocking"})
        wizard.write({"amo_partner_id": self.other_fund.id, "proof_method": "adri"})
        wizard.action_try()
        self.assertEqual(set(wizard.line_ids.mapped("problem_kind")), {False})
        self.assertIn("CPAM Test", wizard.line_ids[0].before)
        self.assertIn("CPAM Autre", wizard.line_ids[0].after)
        self.assertEqual(wizard.line_ids[0].amount_after, rejections[0].amount)
        self.assertFalse(fses.replaced_by_ids, "a trial leaves nothing")
        wizard.action_apply()
        self.assertSentAgain(rejections)
        self.assertEqual(rejections.new_fse_id.amo_partner_id, self.other_fund)
        self.assertEqual(set(rejections.new_fse_id.mapped("amo_org")), {"018880000"})
        # the rights of before stay what they were until the care
        before, after = fses[0].patient_id.health_coverage_ids.sorted("date_from")
        self.assertEqual((before.amo_partner_id, before.date_to), (self.cpam, CARE))
        self.assertEqual((after.amo_partner_id, after.proof_state), (self.other_fund, "fresh"))
        self.assertFalse(
            self.env["health.rejection.lane"].search([("company_id", "=", self.nurse.id)])
        )

    def test_exemption_splits_anew(self):
        fse = self.bill()
        rejection = self.refuse(fse, "0450", "ETM NON CONNUE EN BDO")
        ald = self.env["health.coverage.case"].search([("code", "=", "ald")])
        wizard = self.wizard(rejection, case_id=ald.id, proof_method="adri")
        wizard.action_apply()
        self.assertSentAgain(rejection)
        new = rejection.new_fse_id
        self.assertEqual((new.amo_rate, new.exemption), (100, ald.exemption))
        self.assertEqual(
            new.share_ids.filtered(lambda s: s.debtor_kind == "amo").amount, new.amount_total
        )

    def test_blocking_finding_stops_all_and_leaves_nothing_half_done(self):
        fses = self.bill(2)
        rejections = self.refuse(fses, "0111", "DROITS FERMES")
        self.env["health.rights.proof"].create(
            {
                "coverage_id": fses[0].coverage_id.id,
                "method": "adri",
                "result": "closed",
                "effective_on": CARE,
            }
        )
        before = self.facts()
        wizard = self.wizard(rejections, amo_partner_id=self.other_fund.id)
        kinds = {line.rejection_id: line.problem_kind for line in wizard.line_ids}
        self.assertEqual(kinds, {rejections[0]: "refused", rejections[1]: "held"})
        self.assertEqual(self.facts(), before, "a trial leaves nothing")
        wizard = self.wizard(rejections[1])
        wizard.line_ids.chosen = True
        self.assertEqual(wizard.action_apply()["res_model"], "health.rejection.fix")
        self.assertEqual(wizard.line_ids.problem_kind, "blocking")
        self.assertEqual(self.facts(), before, "all or nothing")

    def test_rights_from_a_day_after_the_care_are_refused(self):
        rejection = self.refuse(self.bill(), "0111", "DROITS FERMES")
        wizard = self.wizard(rejection, amo_partner_id=self.other_fund.id, valid_from=SENT)
        self.assertEqual(wizard.line_ids.problem_kind, "refused")
        self.assertFalse(rejection.new_fse_id)

    # -- identity, prescription, agreement, coding -------------------------------------------------

    def test_identity(self):
        rejections = self.refuse(self.bill(2), "0222", "NIR INCONNU")
        wizard = self.wizard(rejections)
        self.assertEqual(wizard.kind, "identity")
        first = wizard.line_ids.filtered(lambda line: line.rejection_id == rejections[0])
        first.nir = "1850175123456"
        wizard.action_try()
        self.assertEqual(
            {line.rejection_id: line.chosen for line in wizard.line_ids},
            {rejections[0]: True, rejections[1]: False},
        )
        wizard.action_apply()
        self.assertSentAgain(rejections[0])
        self.assertEqual(rejections[0].patient_id.health_nir, "1850175123456")
        self.assertEqual(rejections[1].state, "open")

    def test_prescriber(self):
        number = with_key("1000123456")
        rejections = self.refuse(self.bill(2), "0333", "PRESCRIPTEUR INCONNU")
        wizard = self.wizard(rejections, prescriber_no=number)
        self.assertIn(number, wizard.line_ids[0].after)
        wizard.action_apply()
        self.assertSentAgain(rejections)
        self.assertEqual(set(rejections.new_fse_id.mapped("prescriber_no")), {number})
        self.assertEqual(set(rejections.fse_id.prescription_id.mapped("prescriber_no")), {number})

    def test_prior_agreement(self):
        rejection = self.refuse(self.bill(), "0444", "ACCORD PREALABLE ABSENT")
        wizard = self.wizard(
            rejection,
            agreement_received_on=CARE,
            agreement_answer="granted",
            agreement_answered_on=CARE,
        )
        wizard.action_apply()
        self.assertSentAgain(rejection)
        self.assertEqual(rejection.fse_id.prescription_id.agreement_ids.answer, "granted")

    def test_coding_is_priced_by_the_nomenclature(self):
        fse = self.make_fse(
            self.nurse,
            "000000900",
            amo=6000,
            amo_rate=60,
            prescriber_no=PRESCRIBER,
            prescription_date=CARE,
        )
        rejection = self.refuse(fse, "0555", "COTATION ERRONEE")
        wizard = self.wizard(rejection, pass_reason="checked", proof_method="adri")
        self.assertEqual(wizard.kind, "coding")
        self.assertIn("60,00", wizard.line_ids.before)
        self.assertNotIn("60,00", wizard.line_ids.after or "60,00")
        self.assertLess(wizard.line_ids.amount_after, 60)
        self.assertFalse(wizard.line_ids.problem)
        wizard.action_apply()
        self.assertSentAgain(rejection)

    # -- complementary insurer ---------------------------------------------------------------------

    def amc_rejection(self, label="ADHERENT INCONNU"):
        fse = self.bill(insured=True)
        return self.refuse(fse, "9111", label, part="amc")

    def pay(self, share):
        self.env["account.payment.register"].with_company(share.company_id).with_context(
            active_model="account.move", active_ids=share.move_id.ids
        ).create({})._create_payments()
        self.assertEqual(share.state, "paid")

    def test_member_number_goes_out_as_dre(self):
        rejection = self.amc_rejection()
        amo = self.share(rejection.fse_id)
        wizard = self.wizard(rejection)
        self.assertEqual(wizard.kind, "amc")
        wizard.line_ids.amc_member = "M2"
        wizard.action_try()
        self.assertEqual(wizard.line_ids.problem_kind, "held", "the new rights were never checked")
        wizard.proof_method = "amc_online"
        wizard.action_try()
        self.assertIn("M2", wizard.line_ids.after)
        wizard.action_apply()
        self.assertSentAgain(rejection, kind="D")
        self.assertEqual(rejection.new_fse_id.share_ids.debtor_kind, "amc")
        self.assertEqual(rejection.new_fse_id.lot_id.payer_id, self.mutuelle)
        self.assertEqual(amo.state, "sent", "the fund's part is not touched")
        self.assertEqual(
            rejection.patient_id.health_coverage_ids.sorted("date_from")[-1].amc_member, "M2"
        )

    def test_paper_route(self):
        rejection = self.amc_rejection()
        action = self.wizard(rejection, "paper").action_apply()
        self.assertEqual(action["report_name"], "health_noemie.amc_paper")
        new = rejection.new_fse_id
        self.assertEqual((rejection.route, new.kind, new.lot_id.id), ("paper", "P", False))
        self.assertEqual(rejection.new_share_id.state, "sent")
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("health_noemie.amc_paper", new.ids)[0]
            .decode()
        )
        for text in (new.name, rejection.fse_id.name, "Mutuelle Test", "M1"):
            self.assertIn(text, html)

    def test_patient_comes_last(self):
        rejection = self.amc_rejection("CONTRAT RESILIE")
        self.assertEqual(rejection.family_id.code, "amc_rights")
        amo, amc = self.share(rejection.fse_id), rejection.share_id
        wizard = self.wizard(rejection, "patient")
        self.assertEqual(wizard.line_ids.problem_kind, "refused", "the fund has not paid yet")
        with self.assertRaises(UserError):
            wizard.action_apply()
        self.pay(amo)
        wizard = self.wizard(rejection, "patient")
        self.assertFalse(wizard.line_ids.problem)
        wizard.action_apply()
        new = rejection.new_fse_id
        self.assertEqual(amc.state, "replaced")
        self.assertEqual((new.share_ids.debtor_kind, new.share_ids.state), ("patient", "due"))
        self.assertEqual(new.share_ids.amount, amc.amount)
        self.assertEqual(new.share_ids.partner_id, rejection.patient_id)
        self.assertIn(rejection.fse_id.name, new.share_ids.move_id.narration)
        self.assertFalse(new.lot_id)

    def test_patient_is_not_asked_where_the_insurer_still_can_be(self):
        rejection = self.amc_rejection()
        self.pay(self.share(rejection.fse_id))
        self.assertEqual(self.wizard(rejection, "patient").line_ids.problem_kind, "refused")

    # -- never twice -------------------------------------------------------------------------------

    def test_paid_already_is_never_resent(self):
        rejection = self.refuse(self.bill(), "2900", "FACTURE DEJA PAYEE")
        self.assertIn(rejection.share_id.id, rejection.share_id._resend_refusals())
        wizard = self.wizard(rejection)
        self.assertEqual((wizard.kind, wizard.line_ids.problem_kind), ("duplicate", "refused"))
        wizard = self.wizard(rejection, "resend", note="mended")
        wizard.line_ids.chosen = True
        with self.assertRaises(UserError):
            wizard.action_apply()
        self.assertFalse(rejection.new_fse_id)

    def test_payment_under_another_number_is_found_and_reconciled(self):
        fse = self.bill()
        rejection = self.refuse(fse, "2900", "FACTURE DEJA PAYEE")
        share = rejection.share_id
        owed = cents(share.amount)
        self.drop(self.noemie(self.settlement(self.paid("000777777", amo=owed)), file_id="P1"))
        self.drop(self.camt(self.entry(owed, "VIR 262850012345")))
        wizard = self.wizard(rejection)
        self.assertIn("777777", wizard.line_ids.after)
        wizard.action_apply()
        self.assertEqual((rejection.state, share.state), ("fixed", "paid"))

    def test_double_claim_is_closed(self):
        first = self.make_fse(self.nurse, "000000801", amo=600)
        second = self.make_fse(self.nurse, "000000802", amo=600)
        self.drop(self.noemie(self.settlement(self.paid(first.name, amo=600)), file_id="P2"))
        rejection = self.refuse(second, "2900", "FACTURE DEJA PAYEE")
        wizard = self.wizard(rejection)
        self.assertEqual(wizard.line_ids.twin_share_id, first.share_ids)
        wizard.action_apply()
        self.assertEqual((rejection.state, second.share_ids.state), ("fixed", "written_off"))

    def test_deferred_waits(self):
        fse = self.bill()
        self.drop(
            self.noemie(
                self.settlement(self.rejected(fse.name, 600, "", "", state="D")), file_id="D1"
            )
        )
        share = self.share(fse)
        self.assertIn(share.id, share._resend_refusals())
        self.refuse(fse, "0111", "DROITS FERMES", day=CARE.replace(day=20))
        self.assertNotIn(share.id, share._resend_refusals(), "the refusal is its answer")

    def test_young_claim_waits_for_its_answer(self):
        with freeze_time("2026-10-08 10:00:00"):
            share = self.share(self.bill())
            self.assertIn(share.id, share._resend_refusals())

    def test_no_money_concerned_and_waiting(self):
        fses = self.bill(2)
        one = self.refuse(fses[0], "0666", "POUR INFORMATION")
        self.wizard(one).action_apply()
        self.assertEqual((one.state, one.share_id.state), ("fixed", "sent"))
        two = self.refuse(fses[1], "0777", "PIECE JUSTIFICATIVE MANQUANTE")
        Lane = self.env["health.rejection.lane"]
        self.assertEqual(Lane.search([("company_id", "=", self.nurse.id)]).count, 1)
        self.wizard(two, note="sent by SCOR").action_apply()
        self.assertEqual((two.state, two.share_id.state), ("open", "rejected"))
        self.assertFalse(Lane.search([("company_id", "=", self.nurse.id)]))
        with freeze_time("2026-12-02 10:00:00"):
            self.assertTrue(Lane.search([("company_id", "=", self.nurse.id)]))

    def test_correction_given_up_opens_the_rejection_again(self):
        rejection = self.refuse(self.bill(), "0111", "DROITS FERMES")
        new = rejection.fse_id._correct()
        self.assertEqual((rejection.state, rejection.new_fse_id), ("fixed", new))
        new._uncorrect()
        self.assertEqual((rejection.state, rejection.share_id.state), ("open", "rejected"))

    def test_refused_by_both_goes_out_once(self):
        fse = self.bill(insured=True)
        rejections = self.refuse(fse, "0999", "LOT REFUSE") | self.refuse(
            fse, "0999", "LOT REFUSE", part="amc"
        )
        wizard = self.wizard(rejections)
        self.assertEqual((wizard.kind, len(wizard.line_ids)), ("resend", 2))
        with self.assertRaises(UserError):
            wizard.action_apply()
        wizard.note = "keys renewed"
        wizard.action_apply()
        self.assertSentAgain(rejections)
        self.assertEqual(rejections.new_fse_id.amount_total, fse.amount_total)

    def test_unknown_cause_is_classified_first(self):
        rejection = self.refuse(self.bill(), "0777", "MOTIF ZZZ")
        self.assertEqual(rejection.action_fix()["res_model"], "health.reject.classify")

    def test_lost_and_taken_back(self):
        rejection = self.refuse(self.bill(), "0888", "FORCLUSION")
        self.assertEqual(
            self.wizard(rejection).action_apply()["res_model"], "health.share.write.off"
        )
        share = rejection.share_id
        share._write_off("too late")
        self.assertEqual((share.state, rejection.state), ("written_off", "abandoned"))
        share.action_undo_write_off()
        self.assertEqual((share.state, rejection.state), ("rejected", "open"))

    def test_success_is_counted(self):
        rejection = self.refuse(self.bill(), "0111", "DROITS FERMES")
        self.wizard(rejection, amo_partner_id=self.other_fund.id).action_apply()
        code = rejection.code_id
        self.assertEqual((code.resent_count, code.success_rate), (1, 0))
        rejection.new_fse_id.sent_on = "2026-11-02"
        self.pay(rejection.new_share_id)
        code.invalidate_recordset()
        self.assertEqual((code.resent_count, code.success_rate, code.open_count), (1, 100, 0))

    # -- roles and cost ----------------------------------------------------------------------------

    def test_biller_does_it_others_do_not(self):
        rejection = self.refuse(self.bill(), "0111", "DROITS FERMES")
        nurse = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("physio", "health_billing.group_practitioner", self.physio)
        accountant = self.make_user("accountant", "health_billing.group_accountant")
        lane = self.env["health.rejection.lane"].search([("company_id", "=", self.nurse.id)])
        self.assertEqual(
            lane.with_user(nurse).with_context(allowed_company_ids=self.nurse.ids).count, 1
        )
        self.assertFalse(
            lane.with_user(physio).with_context(allowed_company_ids=self.physio.ids).search([])
        )
        for user in (nurse, accountant):
            with self.assertRaises(AccessError):
                rejection.with_user(user).with_context(
                    allowed_company_ids=user.company_ids.ids
                ).action_fix()
        for model in ("health.rejection.lane", "health.reject.watch", "health.reject.code"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(accountant).search([])
        cards = (
            self.env["health.cockpit"]
            .with_user(nurse)
            .with_context(allowed_company_ids=self.nurse.ids)
            .data()
        )["lanes"]
        card = next(lane for lane in cards if lane["code"] == "rejects")["cards"][0]
        self.assertEqual(card["action"]["res_model"], "health.rejection")
        biller = rejection.with_user(self.biller)
        wizard = self.env["health.rejection.fix"].with_user(self.biller)
        wizard = wizard.browse(biller.action_fix()["res_id"])
        with Form(wizard) as form:
            form.amo_partner_id = self.other_fund
            form.proof_method = "adri"
        wizard.action_apply()
        self.assertSentAgain(rejection)
        # the ledger tells the number, never the cause
        moves = rejection.share_id.closing_move_id | rejection.new_share_id.move_id
        said = " ".join(filter(None, [*moves.mapped("ref"), *moves.line_ids.mapped("name")]))
        self.assertNotIn("DROITS", said)

    def test_queries_do_not_grow(self):
        def spent(count):
            rejections = self.refuse(self.bill(count), "0111", "DROITS FERMES")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard = self.wizard(rejections, amo_partner_id=self.other_fund.id)
            wizard.action_apply()
            self.env.flush_all()
            self.assertEqual(set(rejections.mapped("state")), {"fixed"})
            return self.env.cr.sql_log_count - before

        spent(1)
        few, many = spent(3), spent(30)
        self.assertLessEqual(many, few * 1.25, f"{few} queries for 3, {many} for 30")
