"""What the matching screen asks for: who may, what is shown, what is written."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestMatchScreen(NoemieCommon):
    def setUp(self):
        super().setUp()
        self.Line = self.env["account.bank.statement.line"]
        self.fses = [self.make_fse(self.nurse, f"00000010{n}", amo=6000) for n in range(2)]

    def two_equal(self):
        """Two settlements of the same amount without reference, one credit: a person must choose."""
        self.drop(
            self.noemie(
                *(
                    self.settlement(
                        self.paid(fse.name, amo=6000), ref="", day=DAY + timedelta(days=n)
                    )
                    for n, fse in enumerate(self.fses)
                )
            )
        )
        self.drop(self.camt(self.entry(6000, "VIR SEPA CPAM TEST")))
        return self.credits()

    def keys(self, records):
        kind = records._name.split(".")[1]
        return [f"{kind}-{record.id}" for record in records]

    def test_queue_and_open(self):
        credit = self.two_equal()
        [row] = self.Line.health_match_queue()
        self.assertEqual((row["id"], row["amount"], row["payer"]), (credit.id, 6000, "CPAM Test"))
        self.assertEqual(row["practitioner_id"], self.nurse.id)
        self.assertEqual(row["candidates"], 2)
        self.assertIn("60,00", row["best"])
        self.assertTrue(row["reason"])
        opened = self.Line.health_match_open(credit.id)
        self.assertEqual(opened["credit"]["name_to_remember"], "CPAM TEST")
        keys = [candidate["key"] for candidate in opened["candidates"]]
        self.assertEqual(set(keys[:2]), set(self.keys(self.settlements())))
        # the open shares of that very amount follow
        shares = self.share(self.fses[0]) | self.share(self.fses[1])
        self.assertEqual(set(keys[2:]), set(self.keys(shares)))
        self.assertFalse(any(candidate["chosen"] for candidate in opened["candidates"]))
        first = opened["candidates"][0]
        self.assertEqual((first["amount"], first["left"], first["rank"]), (6000, 6000, 1))
        self.assertIn("Même montant", " ".join(first["reasons"]))
        self.assertEqual(
            [gap["code"] for gap in opened["gaps"]], ["open", "lump_sum", "retention", "bank_fees"]
        )

    def test_search_by_number_patient_and_amount(self):
        credit = self.two_equal()
        share = self.share(self.fses[1])
        for words in ("000000101", "durand", "60,00", "60"):
            keys = [c["key"] for c in self.Line.health_match_open(credit.id, words)["candidates"]]
            self.assertIn(f"share-{share.id}", keys, words)
        found = self.Line.health_match_open(credit.id, "nothing like this")["candidates"]
        self.assertEqual(found, [])

    def test_preview_then_book(self):
        credit = self.two_equal()
        [key, _other] = self.keys(self.settlements().sorted("transfer_date"))
        before = self.snapshot()
        preview = self.Line.health_match_preview([credit.id], [key])
        self.assertEqual(self.snapshot(), before)
        self.assertTrue(preview["can_book"], preview)
        self.assertEqual((preview["received"], preview["chosen"], preview["gap"]), (6000, 6000, 0))
        self.assertEqual(
            preview["rows"], [{"label": "FSE 000000100", "debtor": "CPAM Test", "amount": 6000}]
        )
        answer = self.Line.health_match_book([credit.id], [key])
        self.assertEqual((answer["booked"], answer["next_id"]), ([credit.id], False))
        self.assertBooked(credit, "person")
        self.assertEqual([self.share(f).state for f in self.fses], ["paid", "announced"])

    def test_book_twice_says_so(self):
        credit = self.two_equal()
        first, second = self.keys(self.settlements())
        self.Line.health_match_book([credit.id], [first])
        with self.assertRaisesRegex(UserError, "decided already"):
            self.Line.health_match_book([credit.id], [second])
        self.drop(self.camt(self.entry(6000, "VIR SEPA CPAM"), number="ST2"))
        late = self.credits()[-1]
        late.health_hold = True
        if late.health_match_state == "queue":
            with self.assertRaisesRegex(UserError, "received meanwhile"):
                self.Line.health_match_book([late.id], [first])

    def test_wrong_choices_are_refused_and_write_nothing(self):
        credit = self.two_equal()
        stranger = self.make_patient(self.physio, "PETIT Paul", "1990199999001")
        other = self.make_fse(self.physio, "000000900", amo=6000, patient_id=stranger.id)
        first, second = self.keys(self.settlements())
        before = self.snapshot()
        for keys, gap in (
            ([], None),
            (["settlement-x"], None),
            (["share-99999999"], None),
            (self.keys(self.share(other)), None),
            ([first, second], None),
            ([first], "nonsense"),
            ([first, second], "lump_sum"),
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.Line.health_match_book([credit.id], keys, gap)
        with self.assertRaises(UserError):
            self.Line.health_match_open(0)
        self.assertEqual(self.snapshot(), before)

    def test_remember_name(self):
        self.cpam.health_bank_names = "NOM ANCIEN"
        self.drop(self.noemie(self.settlement(self.paid("000000100", amo=6000), ref="")))
        self.drop(self.camt(self.entry(6000, "VIR SEPA C P A M DU TEST 12/10")))
        credit = self.credits()
        self.assertEqual(credit.health_match_state, "queue")
        self.Line.health_match_book([credit.id], self.keys(self.settlements()), remember_name=True)
        self.assertEqual(self.cpam.health_bank_names, "NOM ANCIEN\nC P A M DU TEST")

    def test_set_aside_and_back(self):
        credit = self.two_equal()
        with self.assertRaises(UserError):
            self.Line.health_match_set_aside([credit.id], " ")
        before = self.snapshot()
        self.Line.health_match_set_aside([credit.id], "loyer")
        self.assertEqual(credit.health_match_state, "aside")
        self.assertIn("loyer", credit.health_why)
        self.assertFalse(self.Line.health_match_queue())
        self.env["health.cycle"].run(DAY)
        self.assertEqual(credit.health_match_state, "aside")
        self.Line.health_match_undo([credit.id])
        self.assertEqual(self.snapshot(), before)

    def test_somebody_else_is_at_it(self):
        credit = self.two_equal()
        partner = self.env.ref("base.main_partner")  # a row that another connection can see
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT id FROM res_partner WHERE id = %s FOR UPDATE", [partner.id])
            with self.assertRaisesRegex(UserError, "Somebody else"):
                credit._health_lock(partner)
        credit._health_lock(partner)

    def test_queries_do_not_grow_with_the_queue(self):
        def spent(count, first):
            for n in range(count):
                self.make_fse(self.nurse, f"{first + n:09d}", amo=6000)
            self.drop(
                self.noemie(
                    *(
                        self.settlement(
                            self.paid(f"{first + n:09d}", amo=6000), ref=f"2628{first + n:08d}"
                        )
                        for n in range(count)
                    ),
                    file_id=f"F{first:05d}",
                )
            )
            self.drop(
                self.camt(
                    *(
                        self.entry(5000 + n, f"VIR CPAM TEST 2628{first + n:08d}")
                        for n in range(count)
                    ),
                    number=f"ST{first}",
                )
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            rows = self.Line.health_match_queue()
            queue = self.env.cr.sql_log_count - before
            self.assertTrue(all(row["candidates"] for row in rows[-count:]))
            before = self.env.cr.sql_log_count
            self.Line.health_match_preview(
                [row["id"] for row in rows[-count:]],
                [f"settlement-{s.id}" for s in self.settlements()[-count:]],
                "open",
            )
            return queue, self.env.cr.sql_log_count - before

        spent(1, 90000)
        few, many = spent(3, 91000), spent(30, 92000)
        self.assertLessEqual(many[0], few[0] + 2)
        self.assertLessEqual(many[1], few[1] + 3)

    def test_roles(self):
        credit = self.two_equal()
        key = self.keys(self.settlements())[0]
        calls = (
            ("health_match_queue", ()),
            ("health_match_open", (credit.id,)),
            ("health_match_preview", ([credit.id], [key])),
            ("health_match_book", ([credit.id], [key])),
            ("health_match_undo", ([credit.id],)),
            ("health_match_set_aside", ([credit.id], "x")),
        )
        users = [
            self.make_user("m_accountant", "health_billing.group_accountant"),
            self.make_user("m_nurse", "health_billing.group_practitioner", self.nurse),
            new_test_user(self.env, "m_stranger", groups="base.group_user"),
        ]
        for user in users:
            for name, arguments in calls:
                with self.assertRaises(AccessError, msg=f"{user.login} {name}"):
                    getattr(self.Line.with_user(user), name)(*arguments)
        # a biller of another practitioner sees nothing of it
        other = self.make_user("m_other", "health_billing.group_biller", self.agency + self.physio)
        Line = self.Line.with_user(other).with_context(
            allowed_company_ids=(self.agency + self.physio).ids
        )
        self.assertEqual(Line.health_match_queue(), [])
        for name, arguments in calls[1:]:
            with self.assertRaises(AccessError, msg=name):
                getattr(Line, name)(*arguments)
        biller = self.make_user("m_biller", "health_billing.group_biller")
        Line = self.Line.with_user(biller)
        self.assertTrue(Line.health_match_queue())
        self.assertTrue(Line.health_match_open(credit.id)["candidates"])
        Line.health_match_book([credit.id], [key])
        self.assertBooked(credit, "person")
        Line.health_match_undo([credit.id])
        self.assertEqual(credit.health_match_state, "queue")

    def test_reference_of_a_settlement_is_a_reason(self):
        self.drop(self.camt(self.entry(7000, f"VIR CPAM TEST {REFERENCE}")))
        self.drop(self.noemie(self.settlement(self.paid("000000100", amo=6000))))
        credit = self.credits()
        opened = self.Line.health_match_open(credit.id)
        first = opened["candidates"][0]
        self.assertEqual(first["key"], self.keys(self.settlements())[0])
        self.assertIn(REFERENCE, first["reasons"][0])
        self.assertIn("10,00 €", " ".join(first["against"]))
