from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestInbox(HealthCommon):
    def test_unusable_files_are_refused_with_a_reason(self):
        for name, content, message in (
            ("vide.csv", b"", "empty"),
            ("photo.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "none of those"),
            ("notes.txt", b"bonjour", "none of those"),
            ("mutilé.csv", b"provider_no;fse_no\n756900011;1\n", "fse_date"),
        ):
            with self.subTest(name):
                inbox = self.env["health.inbox"].ingest(name, content)
                self.assertEqual(inbox.state, "refused")
                self.assertIn(message, inbox.message)

    def test_refused_file_may_come_again(self):
        first = self.env["health.inbox"].ingest("x.txt", b"bonjour")
        second = self.env["health.inbox"].ingest("x.txt", b"bonjour")
        self.assertEqual((first.state, second.state), ("refused", "refused"))

    def test_fault_of_ours_keeps_the_file_and_nothing_else(self):
        Fse = self.registry["health.fse"]
        count = self.env["res.partner"].search_count([])

        def broken(self, journal, inbox):
            self.env["res.partner"].create({"name": "half"})
            raise ZeroDivisionError("boom")

        self.patch(Fse, "_import_journal", broken)
        with self.assertLogs("odoo.addons.health_billing.models.health_inbox", "ERROR"):
            inbox = self.env["health.inbox"].ingest("j.csv", self.journal({"fse_no": "1"}))
        self.assertEqual((inbox.state, inbox.kind), ("review", "fse"))
        self.assertIn("boom", inbox.message)
        self.assertTrue(inbox.content)
        self.assertEqual(self.env["res.partner"].search_count([]), count)

    def test_retry_after_the_cause_is_mended(self):
        other = self.journal({"fse_no": "1", "provider_no": "123456782"})
        inbox = self.env["health.inbox"].ingest("j.csv", other)
        self.assertEqual(inbox.state, "review")
        self.physio.health_provider_no = "123456782"
        inbox.action_retry()
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertEqual(
            self.env["health.fse"].search([("inbox_id", "=", inbox.id)]).company_id, self.physio
        )

    def test_drop_zone_answer(self):
        import base64

        answer = self.env["health.inbox"].action_ingest(
            "a.csv", base64.b64encode(self.journal({"fse_no": "1"})).decode()
        )
        self.assertEqual((answer["state"], answer["filename"]), ("done", "a.csv"))
        self.assertEqual(self.env["health.inbox"].action_ingest("vide.csv", "")["state"], "refused")

    def test_a_file_of_a_practitioner_not_ticked_is_taken(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        inbox = self.env["health.inbox"].with_user(biller)
        inbox = inbox.with_context(allowed_company_ids=[self.agency.id])
        received = inbox.ingest("j.csv", self.journal({"fse_no": "1"}))
        self.assertEqual((received.state, received.counts["created"]), ("done", 1))
