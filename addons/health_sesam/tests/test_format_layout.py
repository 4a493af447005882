import base64
import gzip

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..norms import b2, codec
from .common import SesamCommon


@tagged("post_install", "-at_install")
class TestFormatLayout(SesamCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Layout = cls.env["health.format.layout"]
        cls.manager = cls.make_user("manager", "health_billing.group_manager")
        cls.biller = cls.make_user("biller", "health_billing.group_biller")

    def setUp(self):
        super().setUp()
        self.unsent("1", "2")
        self.lot = self.build()
        self.content = base64.b64decode(self.lot.b2_file)

    def draft(self, **moves):
        """A draft of the B2 table with fields of B2.4.PS moved: key=(start, length)."""
        action = self.Layout._current("b2").with_user(self.manager).action_copy_to_draft()
        draft = self.Layout.with_user(self.manager).browse(action["res_id"])
        for key, (start, length) in moves.items():
            row = draft.field_ids.filtered(
                lambda row, key=key: (row.record_code, row.key) == ("B2.4.PS", key)
            )
            row.write({"start": start, "size": length})
        return draft

    def wide(self):
        """A sound draft: the fee takes a character from the qualifier and the place after it move."""
        return self.draft(amo_amount=(106, 8), fee=(114, 6))

    def trial(self, draft, content):
        inbox = self.ingest("essai.b2", content)
        return (
            self.env["health.format.trial"]
            .with_user(self.manager)
            .create({"layout_id": draft.id, "inbox_id": inbox.id})
        )

    def test_shipped_tables_are_version_one_and_load_once(self):
        layouts = self.Layout.search([])
        self.assertEqual(set(layouts.mapped("code")), set(codec.shipped_names()))
        self.assertEqual(set(layouts.mapped("version")), {1})
        self.assertEqual(set(layouts.mapped("state")), {"approved"})
        self.Layout._load_shipped()
        self.assertEqual(self.Layout.search([]), layouts)
        for layout in layouts:
            self.assertEqual(layout.document, codec.shipped_text(layout.code))
            self.assertEqual(
                layout.field_count,
                sum(len(record.fields) for record in codec.layout(layout.code)),
            )

    def test_a_new_shipped_table_waits_when_the_agency_has_its_own(self):
        draft = self.wide()
        raw = b2.write(b2.read(self.content), layouts=draft._as_argument())
        self.trial(draft, raw).action_confirm()
        draft.action_approve()
        shipped = self.Layout.search([("code", "=", "b2"), ("is_shipped", "=", True)])
        shipped.document = shipped.document.replace('"version": "1"', '"version": "0"')
        self.Layout._load_shipped()
        latest = self.Layout.search([("code", "=", "b2")], limit=1)
        self.assertEqual((latest.state, latest.version, latest.is_shipped), ("draft", 3, True))
        self.assertEqual(self.Layout._current("b2"), draft)

    def test_correct_try_approve(self):
        """The whole way: a file that fails, a draft, the difference, approval, the file read, old ones untouched."""
        old = self.ingest("ancien.b2", self.content)
        draft = self.wide()
        self.assertEqual(draft.changed_count, 2)
        self.assertFalse(draft.problems)
        raw = b2.write(b2.read(self.content), layouts=draft._as_argument())
        inbox = self.ingest("nouveau.b2", raw)
        self.assertEqual(inbox.state, "review")
        with self.assertRaisesRegex(UserError, "Try the draft first"):
            draft.action_approve()
        trial = (
            self.env["health.format.trial"]
            .with_user(self.manager)
            .create({"layout_id": draft.id, "inbox_id": inbox.id})
        )
        self.assertFalse(trial.is_before_right)
        self.assertIn("Total faux", trial.before)
        self.assertTrue(trial.is_after_right)
        self.assertIn("20,00 €", trial.after)
        self.assertIn("B2.4.PS (2)", trial.difference)
        self.assertIn("table-warning", trial.difference)
        trial.action_confirm()
        self.assertTrue(draft.is_tried)
        draft.action_approve()
        self.assertEqual(draft.state, "approved")
        log = "".join(draft.message_ids.mapped("body"))
        self.assertIn("106+7", log)
        self.assertIn("106+8", log)
        self.assertEqual(
            self.Layout.search([("code", "=", "b2")]).mapped("state"), ["approved", "replaced"]
        )
        inbox.action_retry()
        self.assertEqual((inbox.state, inbox.layout_id), ("done", draft), inbox.message)
        # the file that was read before is still shown with its own version
        self.assertEqual(old.layout_id.version, 1)
        self.assertIn("6,00 €", old.dump)
        self.assertIn("6,00 €", inbox.dump)

    def test_gaps_and_overlaps_are_refused_in_words(self):
        draft = self.draft(fee=(115, 5))
        self.assertIn(
            "B2.4.PS : trou de 113 à 114, entre Part AMO (amo_amount) et Honoraires (fee)",
            draft.problems,
        )
        trial = self.trial(draft, self.content)
        self.assertFalse(trial.is_after_right)
        with self.assertRaises(UserError):
            trial.action_confirm()
        with self.assertRaisesRegex(UserError, "trou de 113"):
            draft.action_approve()
        self.assertIn("commence en 110, sur Part AMO", self.draft(fee=(110, 10)).problems)

    def test_a_trial_is_void_once_a_position_changes(self):
        draft = self.draft()
        self.trial(draft, self.content).action_confirm()
        self.assertTrue(draft.is_tried)
        draft.field_ids[0].start = 2
        self.assertFalse(draft.is_tried)

    def test_a_draft_that_spoils_the_totals_cannot_be_confirmed(self):
        trial = self.trial(self.wide(), self.content)
        self.assertTrue(trial.is_before_right)
        self.assertFalse(trial.is_after_right)
        with self.assertRaisesRegex(UserError, "do not come out right"):
            trial.action_confirm()

    def test_only_the_manager_changes_formats(self):
        current = self.Layout._current("b2")
        self.assertTrue(current.with_user(self.biller).read(["document"]))
        for refused in (
            lambda: current.with_user(self.biller).action_copy_to_draft(),
            lambda: current.with_user(self.biller).write({"source": "x"}),
            lambda: self.draft().with_user(self.biller).action_approve(),
            lambda: current.field_ids[0].with_user(self.biller).write({"start": 3}),
        ):
            with self.assertRaises(AccessError):
                refused()
        with self.assertRaisesRegex(UserError, "copy it to a draft"):
            current.field_ids[0].with_user(self.manager).write({"start": 3})
        with self.assertRaises(UserError):
            current.with_user(self.manager).unlink()
        for group in (
            "base.group_user",
            "health_billing.group_accountant",
            "health_billing.group_practitioner",
        ):
            user = self.make_user(f"other {group}", group)
            for model in ("health.format.layout", "health.format.field", "health.format.trial"):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_the_dump_of_a_received_file_page_by_page(self):
        inbox = self.ingest("lot.b2.gz", gzip.compress(self.content))
        self.assertIn("Honoraires", inbox.dump)
        self.assertIn("10,00 €", inbox.dump)
        self.assertIn("text-bg-warning", inbox.dump)
        self.assertFalse(inbox.dump_more)
        self.assertFalse(self.ingest("x.csv", b"hello").dump)
        self.assertIn("Honoraires", self.lot.b2_dump)

    def test_the_approved_tables_are_held_in_memory(self):
        self.Layout._layouts()
        with self.assertQueryCount(0):
            self.Layout._layouts()

    def test_the_nir_is_for_those_who_may_see_it(self):
        nir = b2.read(self.content).lots[0].invoices[0].nir
        accountant = self.make_user("acc", "health_billing.group_accountant")
        for user, shown in ((self.biller, True), (accountant, False)):
            text = self.Layout.with_user(user).sudo()._dump_html(self.content)
            self.assertEqual(nir in text, shown, user.name)
            self.assertIn("Honoraires", text)
