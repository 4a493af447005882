import base64
import gzip

from odoo.tests import tagged

from ..norms import b2
from .common import SesamCommon


@tagged("post_install", "-at_install")
class TestB2Inbox(SesamCommon):
    def setUp(self):
        super().setUp()
        self.unsent("1", "2")
        self.lot = self.build()
        self.content = base64.b64decode(self.lot.b2_file)

    def counts(self):
        return {
            model: self.env[model].search_count([])
            for model in ("health.fse", "health.share", "account.move", "health.lot")
        }

    def test_known_lot(self):
        before = self.counts()
        inbox = self.ingest("lot.b2.gz", gzip.compress(self.content))
        self.assertEqual(
            (inbox.kind, inbox.state, inbox.company_id), ("b2", "done", self.nurse), inbox.message
        )
        self.assertEqual(inbox.counts, {"lots": 1, "matched": 1, "invoices": 2, "amount": 2000})
        self.assertIn("20,00 €", inbox.message)
        self.assertEqual(self.lot.b2_inbox_id, inbox)
        self.assertEqual(self.counts(), before)

    def test_unknown_lot_is_kept(self):
        file = b2.read(self.content)
        file.lots[0].lot_no = "555"
        inbox = self.ingest("lot.b2", b2.write(file))
        self.assertEqual((inbox.state, inbox.counts["matched"]), ("done", 0))
        self.assertIn("no lot of this number", inbox.message)

    def test_other_content_goes_to_review(self):
        file = b2.read(self.content)
        file.lots[0].invoices.pop()
        inbox = self.ingest("lot.b2", b2.write(file))
        self.assertEqual(inbox.state, "review")
        self.assertIn("10,00 €", inbox.message)
        self.assertIn("20,00 €", inbox.message)

    def test_unknown_practitioner_goes_to_review(self):
        file = b2.read(self.content)
        file.lots[0].provider_id = "123456782"
        inbox = self.ingest("lot.b2", b2.write(file))
        self.assertEqual(inbox.state, "review")
        self.assertIn("123456782", inbox.message)

    def test_damaged_files_book_nothing_and_say_why(self):
        before = self.counts()
        for content, reason in (
            (self.content[:-60], "tronqué"),
            (self.content[: 128 * 3], "tronqué"),
            (self.content.replace(b"0000000600", b"0000000601", 1), "Total faux"),
        ):
            inbox = self.ingest("lot.b2", content)
            self.assertEqual((inbox.kind, inbox.state), ("b2", "review"), inbox.message)
            self.assertIn(reason, inbox.message)
        self.assertEqual(self.counts(), before)
