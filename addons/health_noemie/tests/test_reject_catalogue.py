"""The catalogue of rejection codes: what is matched first, what is asked, what one answer does."""

from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import DAY, NoemieCommon

OLD = date(2024, 10, 2)


@tagged("post_install", "-at_install")
class TestRejectCatalogue(NoemieCommon):
    def setUp(self):
        super().setUp()
        self.Code = self.env["health.reject.code"]
        self.number = 0

    def family(self, code):
        return self.env.ref(f"health_noemie.reject_family_{code}")

    def learn(self, code, label="", day=DAY, part="amo", payer=None):
        [entry] = self.Code._learn([(code, part, label, day, (payer or self.cpam).id)])
        return entry

    def reject(self, code, label, count=1, part="amo", amount=6000):
        rejections = self.env["health.rejection"]
        for _one in range(count):
            self.number += 1
            number = f"{500 + self.number:09d}"
            fse = self.make_fse(self.nurse, number, amo=6000, amc=4000)
            self.drop(
                self.noemie(
                    self.settlement(
                        self.rejected(number, amount, code, label, part),
                        ref=f"2628500{self.number:05d}",
                    ),
                    file_id=f"R{self.number:04d}",
                )
            )
            rejections |= self.share(fse, part).rejection_ids
        return rejections

    # -- matching ----------------------------------------------------------------------------------

    def test_published_number_in_its_epoch(self):
        entry = self.learn("0460 053", "FINESS INCONNU", day=OLD)
        self.assertEqual(entry, self.env.ref("health_noemie.reject_code_0460053"))
        self.assertEqual((entry.count, entry.first_seen), (1, OLD))

    def test_same_number_of_the_other_numbering_is_an_entry_of_its_own(self):
        entry = self.learn("0460-053", "")
        self.assertNotEqual(entry, self.env.ref("health_noemie.reject_code_0460053"))
        self.assertEqual(entry.epoch_id, self.env.ref("health_noemie.reject_epoch_after"))
        self.assertEqual((entry.family_id, entry.how), (self.family("prescription"), "epoch"))
        self.assertFalse(entry.needs_answer)

    def test_prefix_before_label_and_doubt_between_them(self):
        entry = self.learn("0460999", "")
        self.assertEqual((entry.family_id, entry.how), (self.family("prescription"), "prefix"))
        self.assertFalse(entry.needs_answer)
        entry = self.learn("0470777", "ACCORD PREALABLE ABSENT")
        self.assertEqual((entry.family_id, entry.how), (self.family("prescription"), "prefix"))
        self.assertTrue(entry.is_doubtful and entry.needs_answer)

    def test_label_words_then_unknown(self):
        entry = self.learn("7777", "ACCORD PREALABLE ABSENT")
        self.assertEqual((entry.family_id, entry.how), (self.family("agreement"), "label"))
        entry = self.learn("7778", "MOTIF ZZZ")
        self.assertEqual((entry.family_id, entry.how), (self.family("unknown"), "nothing"))
        self.assertTrue(entry.needs_answer)

    def test_cut_code_with_two_labels_is_two_entries(self):
        one = self.learn("0111", "DROITS FERMES AU 01/02/2026")
        two = self.learn("0111", "PRESCRIPTEUR INCONNU")
        again = self.learn("0111", "DROITS FERMES AU 15/03/2026")
        self.assertNotEqual(one, two)
        self.assertEqual(one, again, "figures of one case make no new entry")
        self.assertEqual(
            (one.family_id, two.family_id), (self.family("rights"), self.family("prescription"))
        )

    def test_whole_number_is_one_entry_whatever_its_label(self):
        entries = self.Code._learn(
            [("1234567", "amo", label, DAY, self.cpam.id) for label in ("MOTIF A", "MOTIF B")]
        )
        self.assertEqual(entries[0], entries[1])
        self.assertEqual(entries[0].count, 2)

    def test_label_alone(self):
        one = self.learn("", "MUTATION DE CAISSE")
        self.assertEqual(
            (one, one.family_id), (self.learn("", "Mutation de caisse"), self.family("wrong_body"))
        )
        self.assertFalse(self.learn("", ""))

    def test_parts_have_their_own_entries(self):
        self.assertNotEqual(
            self.learn("5555", "X"), self.learn("5555", "X", part="amc", payer=self.mutuelle)
        )

    # -- asked once --------------------------------------------------------------------------------

    def card(self):
        cards = self.env["health.cockpit"]._cards_to_complete(DAY)
        return next((card for card in cards if card["key"] == "reject-codes"), None)

    def test_one_answer_serves_open_and_later_ones(self):
        rejections = self.reject("8888", "MOTIF ZZZ", 3)
        self.assertEqual(rejections.family_id, self.family("unknown"))
        self.assertEqual(self.card()["count"], 1)
        action = rejections.code_id.action_classify()
        wizard = self.env["health.reject.classify"].browse(action["res_id"])
        self.assertEqual(wizard.line_ids.open_count, 3)
        self.assertEqual(wizard.line_ids.payers, "CPAM Test")
        with self.assertRaises(UserError):
            wizard.action_apply()
        wizard.line_ids.family_id = self.family("identity")
        wizard.action_apply()
        self.assertEqual(rejections.family_id, self.family("identity"))
        self.assertFalse(self.card())
        self.assertEqual(self.reject("8888", "MOTIF ZZZ").family_id, self.family("identity"))
        self.assertEqual(rejections.code_id.how, "person")

    def test_answer_for_one_payer(self):
        other = self.env["res.partner"]._health_payers("amo", ["01888"])["01888"]
        rejection = self.reject("8888", "MOTIF ZZZ")
        rejection.code_id._classify(self.family("identity"), payer_only=True)
        self.assertEqual(rejection.family_id, self.family("identity"))
        self.assertEqual(rejection.code_id.payer_id, self.cpam)
        self.assertEqual(self.learn("8888", "MOTIF ZZZ").family_id, self.family("identity"))
        self.assertEqual(
            self.learn("8888", "MOTIF ZZZ", payer=other).family_id, self.family("unknown")
        )

    def test_unknown_is_no_answer(self):
        with self.assertRaises(UserError):
            self.learn("8888", "MOTIF ZZZ")._classify(self.family("unknown"))

    def test_merge_keeps_rejections_and_later_ones_follow(self):
        one, two = self.reject("8801", "MOTIF ZZZ"), self.reject("8802", "MOTIF YYY")
        one.code_id._classify(self.family("rights"))
        (one | two).code_id.action_merge()
        self.assertEqual(one.code_id, two.code_id)
        self.assertEqual((two.family_id, one.code_id.count), (self.family("rights"), 2))
        self.assertEqual(self.reject("8802", "MOTIF YYY").code_id, one.code_id)

    def test_correction_by_a_manager_survives_an_update(self):
        entry = self.env.ref("health_noemie.reject_code_0460053")
        entry.family_id = self.family("convention")
        entry._load_records_write(
            {"family_id": self.family("prescription").id, "label": "New words"}
        )
        self.assertEqual((entry.family_id, entry.label), (self.family("convention"), "New words"))

    def test_queries_do_not_grow(self):
        def spent(count, first):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.Code._learn(
                [
                    (f"{first + n % 3:04d}", "amo", f"MOTIF {n}", DAY, self.cpam.id)
                    for n in range(count)
                ]
            )
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        spent(3, 6000)
        self.assertLessEqual(spent(30, 6200), spent(3, 6100) + 1)

    def test_who_may(self):
        entry = self.learn("8888", "MOTIF ZZZ")
        biller = self.make_user("biller", "health_billing.group_biller")
        nurse = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        accountant = self.make_user("accountant", "health_billing.group_accountant")
        with self.assertRaises(AccessError):
            entry.with_user(nurse)._classify(self.family("rights"))
        with self.assertRaises(AccessError):
            entry.with_user(biller).family_id = self.family("rights")
        with self.assertRaises(AccessError):
            (entry | self.learn("8889", "MOTIF")).with_user(biller).action_merge()
        with self.assertRaises(AccessError):
            entry.with_user(accountant).read(["label"])
        entry.with_user(biller)._classify(self.family("rights"))
        self.assertEqual(entry.family_id, self.family("rights"))

    def test_epoch_of_a_day(self):
        on = self.env["health.reject.epoch"]._on()
        self.assertEqual(
            [on(OLD).code, on(OLD + timedelta(days=1)).code, on(DAY).code],
            ["before", "after", "after"],
        )
