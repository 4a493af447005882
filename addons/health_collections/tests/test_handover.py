import base64
import csv
import hashlib
import io
from datetime import date, timedelta

from openpyxl import Workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .common_handover import SENT, TODAY, HandoverCommon

#: what must never leave the house: care, number of the insured person, birth date
SECRETS = (b"AMI", b"2990199", b"01/01/1999", b"1999-01-01", b"infirm", b"Infirm", b"CPAM")


@tagged("post_install", "-at_install")
class TestCandidates(HandoverCommon):
    def test_ripe_debt_is_proposed_once(self):
        shares = self.ripe("000901") + self.ripe("000902", patient=1260)
        file = self.propose()
        self.assertEqual(len(file), 1)
        self.assertEqual(
            (file.state, file.kind, file.recipient_id), ("proposed", "collector", self.collector)
        )
        self.assertEqual(file.line_ids.share_id, shares)
        self.assertEqual(cents(file.amount_left), 10260)
        self.assertEqual(file.oldest_due, date(2026, 11, 4))
        self.assertRegex(file.name, r"^D\d{5,}$")
        self.assertFalse(file.proposed_by_id)
        self.assertFalse(self.propose(), "what was proposed is not proposed again")

    def test_what_is_not_ripe_stays(self):
        self.late("000903", patient=9000)  # scale not at its end
        self.assertFalse(self.propose())
        too_fresh = self.late("000904", patient=9000)
        self.exhaust(too_fresh, TODAY - timedelta(days=14))
        self.assertFalse(self.propose())
        self.assertTrue(self.propose(day=TODAY + timedelta(days=1)))

    def test_small_debt_stays(self):
        self.ripe("000905", patient=7999)
        self.assertFalse(self.propose())
        self.nurse._health_policy("patient").health_handover_least = 79.99
        self.assertTrue(self.propose())

    def test_young_debt_stays(self):
        self.ripe("000906")
        self.nurse._health_policy("patient").health_handover_days = 118
        self.assertFalse(self.propose())
        self.nurse._health_policy("patient").health_handover_days = 117
        self.assertTrue(self.propose())

    def test_policy_that_hands_nothing_over(self):
        self.ripe("000907")
        policy = self.nurse._health_policy("patient")
        policy.health_handover_kind = "none"
        self.assertFalse(self.propose())
        policy.write({"health_handover_kind": "collector", "do_nothing": True})
        self.assertFalse(self.propose())

    def test_held_debt_stays(self):
        share = self.ripe("000908")
        share._dispute("Wrong amount")
        self.assertFalse(self.propose())
        share.action_end_dispute()
        self.assertTrue(self.propose())

    def test_debt_whose_payer_may_still_pay_stays(self):
        share = self.late("000909", patient=9000, amo=1890, settled=False)
        self.exhaust(share)
        self.assertFalse(self.propose())

    def test_protected_patient_is_for_a_person_only(self):
        share = self.ripe("000910")
        self.patient.health_legal_protection = "guardianship"
        self.assertFalse(self.propose(), "the night never proposes a protected patient")
        wizard = self.as_user(self.biller, self.env["health.handover.propose"]).create(
            {"share_ids": [(6, 0, share.ids)]}
        )
        self.assertIn("DURAND", wizard.caution)
        file = self.env["health.handover"].browse(wizard.action_propose()["res_id"])
        self.assertTrue(file.caution)
        manager = self.as_user(self.manager, file)
        action = manager.action_approve()
        self.assertEqual(action["res_model"], "health.handover.decide", "the reason is asked first")
        with self.assertRaisesRegex(UserError, file.name):
            manager._approve()
        with self.assertRaises(UserError):
            manager._approve("   ")
        manager._approve("Agreed with the guardian on the phone")
        self.assertEqual((file.state, file.approved_by_id), ("approved", self.manager))
        self.answer(file.question_id, "yes")
        self.as_user(self.biller, file).action_make_pack()
        self.assertEqual(file.state, "handed")

    def test_minor_without_debtor_stays(self):
        self.ripe("000911")
        self.patient.health_birth_date = date(2010, 1, 1)
        self.assertFalse(self.propose())
        parent = self.env["res.partner"].create(
            {"name": "DURAND Marie", "company_id": self.nurse.id}
        )
        self.address(parent)
        self.patient.health_debtor_id = parent
        self.assertEqual(self.propose().partner_id, parent)

    def test_household_is_one_file(self):
        child = self.make_patient(self.nurse, "DURAND Zoé", "2150199999003")
        child.health_debtor_id = self.patient
        shares = self.ripe("000912", patient=4500) + self.ripe(
            "000913", patient=4500, patient_id=child.id
        )
        file = self.propose()
        self.assertEqual(file.line_ids.share_id, shares)
        self.assertEqual(file.partner_id, self.patient)

    def test_by_hand_says_what_is_missing(self):
        share = self.late("000914", patient=1260)
        disputed = self.late("000915", patient=9000)
        disputed._dispute("Wrong amount")
        shares = self.as_user(self.biller, share + disputed)
        context = shares.action_hand_over()["context"]
        wizard = (
            self.as_user(self.biller, self.env["health.handover.propose"])
            .with_context(**context)
            .create({"kind": "bailiff"})
        )
        self.assertEqual(wizard.share_ids, share, "a disputed share is not even taken")
        self.assertEqual((wizard.file_count, cents(wizard.amount)), (1, 1260))
        self.assertIn("échelle", wizard.against)
        self.assertIn("minimum", wizard.against)
        wizard.note = "Last chance"
        file = self.env["health.handover"].browse(wizard.action_propose()["res_id"])
        self.assertEqual(
            (file.kind, file.proposed_by_id, file.note), ("bailiff", self.biller, "Last chance")
        )
        again = self.as_user(self.biller, self.env["health.handover.propose"]).create(
            {"share_ids": [(6, 0, share.ids)]}
        )
        self.assertIn("000914", again.held)
        with self.assertRaises(UserError):
            again.action_propose()

    def test_same_number_of_queries_for_three_and_thirty(self):
        def cost(first, count):
            for number in range(first, first + count):
                patient = self.make_patient(self.nurse, f"P {number}", f"16002{number:08d}")
                self.address(patient)
                self.ripe(f"{number:06d}", patient_id=patient.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            files = self.propose()
            self.env.flush_all()
            self.assertEqual(len(files), count)
            return self.env.cr.sql_log_count - before

        cost(1, 1)
        small, large = cost(100, 3), cost(200, 30)
        self.assertEqual(small, large)


@tagged("post_install", "-at_install")
class TestApproval(HandoverCommon):
    def test_only_a_manager_approves(self):
        self.ripe("000921")
        file = self.propose()
        for act in ("action_approve", "action_approve_loss", "action_refuse_loss"):
            with self.assertRaises(AccessError):
                getattr(self.as_user(self.biller, file), act)()
        self.as_user(self.manager, file).action_approve()
        self.assertEqual(file.state, "approved")
        self.assertEqual(file.line_ids.share_id.dunning_hold, "handed_over")

    def test_no_approval_without_a_professional_for_that_road(self):
        self.ripe("000922")
        file = self.propose()
        file.recipient_id = False
        with self.assertRaises(UserError):
            self.as_user(self.manager, file).action_approve()
        file.recipient_id = self.bailiff
        with self.assertRaises(UserError):
            self.as_user(self.manager, file).action_approve()
        self.as_user(self.biller, file).write({"kind": "bailiff", "recipient_id": self.bailiff.id})
        self.as_user(self.manager, file).action_approve()
        with self.assertRaises(UserError):
            self.as_user(self.biller, file).recipient_id = self.collector

    def test_simplified_procedure_has_a_limit(self):
        self.ripe("000923", patient=500_001)
        file = self.propose()
        file.write({"kind": "bailiff", "recipient_id": self.bailiff.id})
        with self.assertRaisesRegex(UserError, "5 000,00 €"):
            self.as_user(self.manager, file).action_approve()
        self.env["health.parameter"].search(
            [("code", "=", "handover_small_claim_limit")]
        ).value = 500_001
        self.as_user(self.manager, file).action_approve()

    def test_state_is_never_typed(self):
        self.ripe("000924")
        file = self.propose()
        for vals in ({"state": "agreed"}, {"caution": False}, {"consent_on": TODAY}):
            with self.assertRaises(AccessError):
                self.as_user(self.manager, file).write(vals)
        with self.assertRaises(AccessError):
            self.as_user(self.manager, self.env["health.handover"]).create(
                {"company_id": self.nurse.id, "partner_id": self.patient.id, "date": TODAY}
            )
        with self.assertRaises(AccessError):
            self.as_user(self.manager, file).unlink()

    def test_practitioner_agrees_on_their_page(self):
        self.ripe("000925")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        question = file.question_id
        self.assertEqual((question.state, question.company_id), ("open", self.nurse))
        self.assertIn("90,00 €", question.text)
        self.assertIn("Recouvrement Exemple", question.text)
        self.assertFalse(question._portal_care())
        self.assertIn(
            question,
            self.as_user(self.phone, self.env["health.question"]).search([]),
            "the practitioner sees it on the phone",
        )
        self.answer(question, "yes")
        self.assertEqual(
            (file.state, file.consent_means, file.consent_on), ("agreed", "page", TODAY)
        )
        self.assertEqual(file.consent_by_id, self.phone)
        self.assertEqual(question.state, "processed")
        self.assertEqual(
            file.event_ids.sorted("id").mapped("kind"), ["proposed", "approved", "agreed"]
        )

    def test_practitioner_keeps_it(self):
        share = self.ripe("000926")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        self.answer(file.question_id, "keep")
        self.assertEqual((file.state, file.refused_by), ("refused", "practitioner"))
        self.assertFalse(file.loss_asked_on)
        self.assertNotEqual(share.dunning_hold, "handed_over", "it is ours again at once")
        self.assertEqual(file.question_id.state, "answered", "a biller sees the answer")
        self.assertFalse(self.propose(), "a refused debt is not proposed again")

    def test_practitioner_lets_it_go(self):
        share = self.ripe("000927")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        self.answer(file.question_id, "drop")
        self.assertEqual((file.state, file.loss_asked_on), ("refused", TODAY))
        self.assertEqual(share.state, "due", "nothing is lost before a manager says so")
        self.as_user(self.manager, file).action_approve_loss()
        self.assertEqual(
            (share.state, file.state, file.outcome), ("written_off", "closed", "written_off")
        )

    def test_paper_needs_its_scan(self):
        self.ripe("000928")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        biller = self.as_user(self.biller, file)
        wizard = self.as_user(self.biller, self.env["health.handover.decide"]).with_context(
            **biller.action_agree_on_paper()["context"]
        )
        with self.assertRaises(UserError):
            wizard.create({}).action_decide()
        wizard.create({"attachment_ids": [(6, 0, self.scan(user=self.biller).ids)]}).action_decide()
        self.assertEqual((file.state, file.consent_means), ("agreed", "paper"))
        self.assertTrue(self.as_user(self.manager, file.consent_proof_ids).raw)
        self.assertEqual(file.question_id.state, "cancelled")

    def test_answer_after_a_refusal_changes_nothing(self):
        self.ripe("000929")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        question = file.question_id
        self.as_user(self.biller, file)._refuse("agency", "The patient called")
        self.assertEqual(question.state, "cancelled")
        self.assertEqual(question._fill_handover({"choice": "yes"}) and file.state, "refused")

    def test_refusal_needs_a_reason(self):
        self.ripe("000930")
        file = self.as_user(self.biller, self.propose())
        with self.assertRaises(UserError):
            file._refuse("agency", " ")
        self.assertEqual(file.state, "proposed")

    def test_paid_while_waiting_closes_the_file(self):
        share = self.ripe("000931")
        file = self.propose()
        self.as_user(self.manager, file).action_approve()
        self.pay(share)
        _proposed, closed = self.env["health.handover"]._night(TODAY)
        self.assertEqual(closed, file)
        self.assertEqual((file.state, file.outcome), ("closed", "paid"))
        self.assertEqual(file.question_id.state, "cancelled", "the practitioner is no longer asked")


@tagged("post_install", "-at_install")
class TestPack(HandoverCommon):
    def test_pack_holds_the_least(self):
        share = self.ripe("000941")
        self.patient.phone = "+33 6 12 34 56 78"
        contact = self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "day": SENT,
                    "channel": "registered",
                    "kind": "notice",
                    "subject": "Mise en demeure",
                    "proof_ids": [(6, 0, self.scan().ids)],
                }
            ]
        )
        self.assertEqual(contact.state, "sent")
        file = self.propose()
        self.assertEqual((file.contact_count, file.notice_on), (1, SENT))
        pack = self.hand(file)
        self.assertEqual((file.state, file.handed_on, file.pack_id), ("handed", TODAY, pack))
        members = self.members(pack)
        self.assertEqual(
            sorted(name.rsplit(".", 1)[0] for name in members),
            ["LISEZ-MOI", "creances", "creances", "decomptes", f"preuves/{file.name}-1"],
        )
        [row] = csv.DictReader(
            io.StringIO(members["creances.csv"].decode("utf-8-sig")), delimiter=";"
        )
        self.assertEqual(row["Dossier"], file.name)
        self.assertEqual(row["Débiteur"], "DURAND Anne")
        self.assertEqual(
            (row["Adresse"], row["Code postal"], row["Ville"]),
            ("12 rue des Lilas", "69001", "Lyon"),
        )
        self.assertEqual((row["Numéro de facture"], row["Reste dû"]), ("000941", "90,00"))
        self.assertEqual(row["Dernière mise en demeure"], SENT.strftime("%d/%m/%Y"))
        self.assertEqual(
            row["Prescription (lecture prudente)"], share.prescription_date.strftime("%d/%m/%Y")
        )
        self.assertEqual(row["IBAN du créancier"].replace(" ", ""), "FR7630006000011234567890189")
        [_titles, line] = self.workbook(members["creances.xlsx"])
        self.assertEqual((line[0], line[15]), (file.name, 90))
        for name, content in members.items():
            self.assertNotIn("DURAND", name)
            for secret in SECRETS:
                self.assertNotIn(secret, content, f"{secret} in {name}")
        self.assertEqual(pack.digest, hashlib.sha256(pack.attachment_id.raw).hexdigest())
        history = self.env["health.contact"].search(
            [("partner_id", "=", self.patient.id), ("kind", "=", "handover")]
        )
        self.assertEqual((cents(history.amount), history.share_ids), (9000, share))
        self.assertEqual(share.dunning_hold, "handed_over")
        self.assertFalse(self.nurse._health_run_reminders(TODAY)["emails"])

    def test_account_says_no_care(self):
        self.ripe("000942")
        file = self.propose()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("health_collections.handover_account", file.ids)[0]
            .decode()
        )
        for text in (
            "DURAND Anne",
            "000942",
            "90,00",
            file.name,
            "Recouvrement Exemple",
            "Nurse Test",
        ):
            self.assertIn(text, html)
        for secret in ("AMI", "2990199", "01/01/1999", "CPAM"):
            self.assertNotIn(secret, html)

    def test_court_and_bailiff_get_their_own_request(self):
        self.ripe("000943")
        self.ripe("000944", company=self.physio, patient_id=self.physio_patient.id)
        files = self.propose(self.nurse + self.physio)
        nurse = files.filtered(lambda file: file.company_id == self.nurse)
        nurse.write({"kind": "bailiff", "recipient_id": self.bailiff.id})
        (files - nurse).write({"kind": "injunction", "recipient_id": self.court.id})
        packs = self.env["health.handover.pack"]
        for file in files:
            packs |= self.hand(file)
        names = {pack.kind: list(self.members(pack)) for pack in packs}
        self.assertTrue(any(n.startswith("demande-procedure-simplifiee") for n in names["bailiff"]))
        self.assertTrue(
            any(n.startswith("requete-injonction-de-payer") for n in names["injunction"])
        )

    def test_one_pack_per_collector_and_practitioner(self):
        others = [self.make_patient(self.nurse, f"AUTRE {n}", f"199019999900{n}") for n in (4, 5)]
        for rank, patient in enumerate(others):
            self.address(patient)
            self.ripe(f"00095{rank}", patient_id=patient.id)
        self.ripe("000952", company=self.physio, patient_id=self.physio_patient.id)
        files = self.propose(self.nurse + self.physio)
        self.assertEqual(len(files), 3)
        packs = self.hand(files)
        self.assertEqual(sorted(packs.mapped("file_count")), [1, 2])
        self.assertEqual(len(packs.company_id), 2, "practitioners are never mixed")

    def test_everything_is_looked_at_again_before_leaving(self):
        share = self.ripe("000953")
        file = self.propose()
        self.agree(file)
        share._dispute("The patient has a receipt")
        with self.assertRaisesRegex(UserError, file.name):
            self.as_user(self.biller, file).action_make_pack()
        self.assertEqual((file.state, file.pack_id.id), ("agreed", False))
        share.action_end_dispute()
        self.patient.city = False
        with self.assertRaisesRegex(UserError, file.name):
            self.as_user(self.biller, file).action_make_pack()
        self.address(self.patient)
        self.pay(share)
        with self.assertRaises(UserError):
            self.as_user(self.biller, file).action_make_pack()

    def test_paid_in_part_only_the_rest_leaves(self):
        paid, left = self.ripe("000954"), self.ripe("000955")
        file = self.propose()
        self.agree(file)
        self.pay(paid)
        self.as_user(self.biller, file).action_make_pack()
        self.assertEqual(cents(file.amount), 9000)
        text = self.members(file.pack_id)["creances.csv"].decode("utf-8-sig")
        self.assertIn(left.fse_id.name, text)
        self.assertNotIn(paid.fse_id.name, text)
        self.assertFalse(cents(file.amount_to_tell), "what was paid before is not news")

    def test_nothing_leaves_without_the_practitioner(self):
        self.ripe("000956")
        file = self.propose()
        for _step in range(2):
            with self.assertRaises(UserError):
                self.as_user(self.biller, file).action_make_pack()
            if file.state == "proposed":
                self.as_user(self.manager, file).action_approve()
        self.assertFalse(
            self.env["health.handover.pack"].search([("company_id", "=", self.nurse.id)])
        )

    def test_taking_it_is_noted_and_it_is_forgotten_in_time(self):
        share = self.ripe("000957")
        file = self.propose()
        pack = self.hand(file)
        taken = self.as_user(self.biller, pack)
        self.assertIn(f"/web/content/{pack.attachment_id.id}", taken.action_download()["url"])
        self.assertEqual(pack.downloaded_by_id, self.biller)
        later = TODAY + timedelta(days=400)
        Pack = self.env["health.handover.pack"]
        self.assertFalse(Pack._forget(later), "an open file keeps its pack")
        self.pay(share)
        file._settle(TODAY)
        self.assertFalse(Pack._forget(TODAY + timedelta(days=364)))
        self.assertEqual(Pack._forget(later), pack)
        self.assertFalse(pack.attachment_id)
        self.assertTrue(pack.digest and pack.content)
        with self.assertRaises(UserError):
            taken.action_download()

    def test_same_number_of_queries_for_three_and_twelve(self):
        def cost(first, count):
            for number in range(first, first + count):
                patient = self.make_patient(self.nurse, f"P {number}", f"16002{number:08d}")
                self.address(patient)
                self.ripe(f"{number:06d}", patient_id=patient.id)
            files = self.propose()
            self.agree(files)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["health.handover.pack"]._make(files)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost(1, 1)
        small, large = cost(100, 3), cost(200, 12)
        self.assertLessEqual(large - small, 2)


@tagged("post_install", "-at_install")
class TestFollow(HandoverCommon):
    def handed(self, number, **values):
        share = self.ripe(number, **values)
        file = self.propose(share.company_id)
        self.hand(file)
        return file

    def take_in(self, text, **values):
        record = self.as_user(self.biller, self.env["health.handover.return"]).create(
            {
                "content": base64.b64encode(text.encode()),
                "filename": "retours.csv",
                **values,
            }
        )
        record.action_read()
        return record

    def test_direct_payment_is_told_to_the_professional(self):
        file = self.handed("000961")
        self.pay(file.line_ids.share_id)
        self.assertEqual(cents(file.amount_to_tell), 9000)
        self.env["health.handover"]._night(TODAY)
        self.assertEqual((file.state, file.outcome), ("closed", "paid"))
        cards = self.cards()
        self.assertIn(f"handover-tell-{self.nurse.id}", cards)
        self.as_user(self.biller, file).action_told()
        self.assertFalse(cents(file.amount_to_tell))
        self.assertNotIn(f"handover-tell-{self.nurse.id}", self.cards())
        with self.assertRaises(UserError):
            self.as_user(self.biller, file).action_told()

    def test_what_they_announce_is_not_booked(self):
        file = self.handed("000962")
        share = file.line_ids.share_id
        file._set_status("paid", TODAY, 9000)
        self.assertEqual((share.state, cents(file.amount_left)), ("due", 9000))
        self.assertEqual((cents(file.amount_awaited), file.deadline_kind), (9000, "remit"))
        self.assertEqual(file.deadline, TODAY + timedelta(days=31))
        self.pay(share)
        self.assertEqual((cents(file.amount_awaited), cents(file.amount_to_tell)), (0, 0))

    def cards(self, day=TODAY, user=None):
        cockpit = self.as_user(user or self.biller, self.env["health.cockpit"])
        return {card["key"]: card for card in cockpit._cards_patients(day)}

    def test_what_is_proposed_is_no_longer_late(self):
        self.ripe("000969")
        late = f"patients-late-{self.nurse.id}"
        self.assertIn(late, self.cards())
        file = self.propose()
        self.assertNotIn(late, self.cards(), "no step of the scale is to come")
        self.as_user(self.manager, file)._refuse("agency", "A call first")
        self.assertIn(late, self.cards())

    def test_cards_follow_the_file(self):
        self.ripe("000963")
        file = self.propose()
        key = f"handover-%s-{self.nurse.id}"
        self.assertNotIn(key % "proposed", self.cards(), "a biller does not approve")
        self.assertIn(key % "proposed", self.cards(user=self.manager))
        self.agree(file)
        self.assertIn(key % "agreed", self.cards())
        file.action_make_pack()
        self.assertNotIn(key % "news", self.cards())
        self.assertIn(key % "news", self.cards(file.deadline))
        file._set_status("returned", TODAY, note="NPAI")
        self.assertEqual(file.state, "returned")
        self.assertIn(key % "returned", self.cards())

    def test_statuses_of_a_table(self):
        file = self.handed("000964")
        text = (
            "Dossier;Statut;Date;Montant;Observation\n"
            f"{file.name};Promesse de paiement;20/02/2027;;appel\n"
            f"{file.name};Règlement;25/02/2027;40,00;chèque\n"
            "D99999;Réglé;25/02/2027;10;\n"
            f"{file.name};??;25/02/2027;;\n"
            f"{file.name};Réglé;26/02/2027;900,00;\n"
        )
        record = self.take_in(text)
        self.assertEqual((record.state, record.new_count), ("problem", 2))
        self.assertIn("D99999", record.issues)
        self.assertEqual(len(record.issues.splitlines()), 3)
        self.assertEqual((file.status, file.status_on), ("paid", date(2027, 2, 25)))
        self.assertEqual(cents(file.amount_announced), 4000)
        self.assertEqual(file.line_ids.share_id.state, "due", "the bank alone proves a payment")
        again = self.take_in(text)
        self.assertEqual((again.new_count, again.known_count), (0, 2))
        self.assertEqual(cents(file.amount_announced), 4000, "read twice, counted once")
        record.action_read()
        self.assertEqual((record.new_count, cents(file.amount_announced)), (2, 4000))

    def test_table_of_somebody_else_changes_nothing(self):
        file = self.handed("000965")
        record = self.take_in(f"Dossier;Statut\n{file.name};Retour\n", recipient_id=self.bailiff.id)
        self.assertEqual((record.new_count, file.state), (0, "handed"))
        self.assertIn(file.name, record.issues)

    def test_file_that_is_no_table(self):
        record = self.take_in("\0\1\2")
        self.assertEqual(record.state, "failed")
        self.assertTrue(record.issues and record.content)

    def test_workbook_is_read(self):
        file = self.handed("000966")
        book = Workbook()
        book.active.append(["Dossier", "Statut", "Date", "Montant"])
        book.active.append([file.name, "Encaissé", date(2027, 2, 25), 12.6])
        out = io.BytesIO()
        book.save(out)
        record = self.env["health.handover.return"].create(
            {"content": base64.b64encode(out.getvalue()), "filename": "r.xlsx"}
        )
        record.action_read()
        self.assertEqual(record.state, "done", record.issues)
        self.assertEqual(cents(file.amount_announced), 1260)

    def test_older_news_do_not_undo_newer_ones(self):
        file = self.handed("000967")
        file._set_status("promised", TODAY)
        file._set_status("running", TODAY - timedelta(days=3))
        self.assertEqual((file.status, file.status_on), ("promised", TODAY))

    def test_clocks_of_the_court(self):
        file = self.handed("000968")
        file.write({"kind": "injunction"})
        file._set_status("ordered", TODAY)
        self.assertEqual((file.deadline_kind, file.deadline), ("serve", date(2027, 9, 1)))
        share = file.line_ids.share_id
        before = share.prescription_date
        file._set_status("served", TODAY)
        self.assertEqual((file.deadline_kind, file.deadline), ("oppose", date(2027, 4, 1)))
        self.assertGreater(
            share.prescription_date, before, "a claim in court interrupts prescription"
        )

    def test_silence_to_the_bailiff_is_a_refusal(self):
        file = self.handed("000969")
        file.write({"kind": "bailiff"})
        self.assertEqual((file.deadline_kind, file.deadline), ("answer", date(2027, 4, 1)))

    def test_another_road_after_a_failure(self):
        file = self.handed("000970")
        share = file.line_ids.share_id
        file._set_status("failed", TODAY)
        action = self.as_user(self.biller, file).action_other_road()
        new = self.env["health.handover"].browse(action["res_id"])
        self.assertEqual((file.state, file.outcome), ("closed", "other_road"))
        self.assertEqual((new.kind, new.state, new.previous_id), ("bailiff", "proposed", file))
        self.assertEqual(share._dunning_refresh(TODAY)[share][0], "handed_over")

    def test_withdrawn_debt_is_ours_again(self):
        file = self.handed("000971")
        share = file.line_ids.share_id
        with self.assertRaises(UserError):
            self.as_user(self.biller, file)._withdraw("")
        self.as_user(self.biller, file)._withdraw("The patient came to the practice")
        self.assertEqual((file.state, file.outcome), ("closed", "withdrawn"))
        self.assertNotEqual(share.dunning_hold, "handed_over")

    def test_large_loss_waits_for_a_manager(self):
        file = self.handed("000972")
        share = file.line_ids.share_id
        self.assertFalse(self.as_user(self.biller, file)._ask_loss("Insolvent"))
        self.assertEqual((share.state, file.loss_asked_by_id), ("due", self.biller))
        self.as_user(self.manager, file).action_refuse_loss()
        self.assertFalse(file.loss_asked_on)
        with self.assertRaises(UserError):
            self.as_user(self.manager, file).action_approve_loss()
        self.as_user(self.biller, file)._ask_loss("Insolvent, certificate received")
        self.as_user(self.manager, file).action_approve_loss()
        self.assertEqual(
            (share.state, file.state, file.outcome), ("written_off", "closed", "written_off")
        )
        self.assertEqual(share.closing_reason, "Insolvent, certificate received")
        self.assertFalse(cents(file.amount_received))
        entry = share.closing_move_id
        loss = entry.line_ids.filtered(
            lambda line: line.account_id == self.nurse._health_account("write_off")
        )
        self.assertEqual(cents(loss.balance), 9000)

    def test_small_loss_is_booked_at_once(self):
        self.nurse._health_policy("patient").health_handover_least = 10.0
        file = self.handed("000973", patient=4000)
        self.assertTrue(self.as_user(self.biller, file)._ask_loss("Not worth a procedure"))
        self.assertEqual(file.outcome, "written_off")

    def test_rest_lost_after_a_payment(self):
        self.nurse._health_policy("patient").health_handover_least = 10.0
        one, two = self.ripe("000974", patient=4000), self.ripe("000975", patient=3000)
        file = self.propose()
        self.hand(file)
        self.pay(one)
        self.as_user(self.manager, file)._ask_loss("Insolvent")
        self.assertEqual((file.outcome, two.state), ("partly", "written_off"))
        self.assertEqual(cents(file.amount_received), 4000)

    def test_night_is_safe_to_run_again(self):
        self.ripe("000976")
        Cycle = self.env["health.cycle"]
        first = Cycle._step_handover(TODAY)
        self.assertIn("90,00 €", first[0])
        files = self.env["health.handover"].search([])
        second = Cycle._step_handover(TODAY)
        self.assertEqual(self.env["health.handover"].search([]), files)
        self.assertNotIn("90,00 €", second[0])
