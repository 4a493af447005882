"""Queries do not grow with the number of shares."""

from odoo.tests import tagged

from .common import NoemieCommon


@tagged("post_install", "-at_install")
class TestQueries(NoemieCommon):
    def queries(self, work):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def make_fses(self, count, first):
        return [self.make_fse(self.nurse, f"{first + n:09d}", amo=6000) for n in range(count)]

    def path(self, count, first):
        """Queries to take one return of `count` invoices in, then its credit."""
        fses = self.make_fses(count, first)
        ref = f"2628500{first:05d}"
        content = self.noemie(
            self.settlement(*(self.paid(fse.name, amo=6000) for fse in fses), ref=ref),
            file_id=f"F{first}",
        )
        statement = self.camt(self.entry(6000 * count, f"VIR {ref}"), number=f"ST{first}")
        read = self.queries(lambda: self.drop(content))
        book = self.queries(lambda: self.drop(statement))
        self.assertEqual(self.credits()[-1].health_match_state, "matched")
        return read, book

    def engine(self, count, first):
        """Queries of the accounting engine alone: one item on the bank entry, one `reconcile()`."""
        fses = self.make_fses(count, first)
        self.drop(self.camt(self.entry(6000 * count, "VIR"), number=f"ST{first}"))
        credit = self.credits()[-1]
        account = self.nurse._health_account("amo")
        dues = self.env["health.share"].union(*[fse.share_ids for fse in fses]).move_id.line_ids
        dues = dues.filtered(lambda line: line.account_id == account)

        def work():
            suspense = credit._seek_for_lines()[1]
            vals = {"account_id": account.id, "partner_id": self.cpam.id}
            suspense.with_context(
                skip_account_move_synchronization=True, skip_readonly_check=True
            ).write(vals)
            (suspense + dues).reconcile()

        spent = self.queries(work)
        self.assertTrue(credit.is_reconciled)
        self.assertEqual({fse.share_ids.state for fse in fses}, {"paid"})
        return spent

    def test_ingest_and_booking(self):
        self.path(2, 90000)  # caches of the registry
        few, many = self.path(5, 100), self.path(45, 200)
        self.assertLessEqual(many[0], few[0] + 10, f"ingest: {few} {many}")
        engine = self.engine(45, 400) - self.engine(5, 300)
        self.assertLessEqual(
            many[1] - few[1], engine + 20, f"booking: {few} {many}, engine +{engine}"
        )
