import base64

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.health_billing.models import health_inbox_part
from odoo.addons.health_billing.tests.common import IBANS
from odoo.addons.health_sesam.norms import codec
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import NoemieCommon


@tagged("post_install", "-at_install")
class TestInboxJobs(NoemieCommon):
    """Large files: one job per practitioner, the file closed by the last one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["health.parameter"].search([("code", "=", "inbox_job_kilobytes")]).value = 0
        cls.first = cls.make_fse(cls.nurse, "1", amo=600)
        patient = cls.make_patient(cls.physio, "PETIT Jean", "1990199999002")
        cls.second = cls.make_fse(cls.physio, "2", amo=900, patient_id=patient.id)

    def drop_large(self, content, env=None):
        return (env or self.env)["health.inbox"].ingest("gros", content, background=True)

    def two_payees(self, **other):
        return self.noemie(
            self.settlement(self.paid("1", amo=600)),
            self.settlement(self.paid("2", amo=900), company=self.physio, ref="777000", **other),
        )

    def lines(self):
        return self.env["health.settlement.line"].search([], order="id")

    def test_noemie_of_two_payees(self):
        with trap_jobs() as trap:
            inbox = self.drop_large(self.two_payees())
            self.assertEqual(
                (inbox.state, inbox.progress), ("queued", "In the queue: 2 practitioner(s)")
            )
            self.assertEqual(inbox.part_ids.company_id, self.nurse | self.physio)
            trap.assert_jobs_count(2)
            self.assertFalse(self.lines())
            self.assertEqual(self.drop_large(self.two_payees()).state, "duplicate")
            inbox.part_ids[0]._run()
            self.assertEqual(len(self.lines()), 1)
            inbox._finish()
            self.assertEqual(inbox.state, "queued")
            self.assertIn("1 of 2", inbox.progress)
            self.assertEqual(inbox.progress_percent, 50)
            inbox.part_ids[0]._run()  # a job that runs twice does nothing the second time
            inbox.part_ids[1]._run()
            trap.assert_jobs_count(4)  # each part that was worked calls to close the file
        inbox._finish()
        self.assertEqual((inbox.state, inbox.progress), ("done", False), inbox.message)
        self.assertEqual(inbox.counts["settlements"], 2)
        self.assertEqual(len(self.lines()), 2)
        self.assertIn(self.physio.name, inbox.message)
        self.assertEqual(self.drop_large(self.two_payees()).state, "duplicate")

    def test_same_end_as_at_once(self):
        with trap_jobs() as trap:
            inbox = self.drop_large(self.two_payees())
            trap.perform_enqueued_jobs()
            trap.perform_enqueued_jobs()
        by_jobs = (inbox.state, inbox.counts, [(x.fse_id, x.paid) for x in self.lines()])
        self.lines().settlement_id.unlink()
        inbox.unlink()
        inbox = self.drop(self.two_payees())
        self.assertEqual(
            by_jobs, (inbox.state, inbox.counts, [(x.fse_id, x.paid) for x in self.lines()])
        )

    def test_totals_are_checked_before_any_job(self):
        content = self.two_payees()
        record = codec.layout("noemie")["999"]
        values = record.decode(content[-record.length :].decode())
        values["total"] = "00000000001"
        wrong = content[: -record.length] + record.encode(values).encode()
        with trap_jobs() as trap:
            inbox = self.drop_large(wrong)
            trap.assert_jobs_count(0)
        self.assertEqual(inbox.state, "review")
        self.assertFalse(inbox.part_ids)
        self.assertIn("tombent pas juste", inbox.message)

    def test_small_files_and_callers_who_wait_are_worked_at_once(self):
        self.env["health.parameter"].search([("code", "=", "inbox_job_kilobytes")]).value = 300
        with trap_jobs() as trap:
            self.assertEqual(self.drop_large(self.two_payees()).state, "done")
            self.env["health.parameter"].search([("code", "=", "inbox_job_kilobytes")]).value = 0
            again = self.noemie(self.settlement(self.paid("1", amo=100), ref="9"), file_id="F2")
            self.assertEqual(self.drop(again).state, "done")
            trap.assert_jobs_count(0)

    def test_a_part_that_fails_is_told_and_retried_alone(self):
        work = health_inbox_part.HealthInboxPart._work

        def broken(part):
            work(part)
            if part.company_id == self.physio:
                raise ValueError("boom")
            return {"message": "ok"}

        with (
            trap_jobs() as trap,
            mute_logger("odoo.addons.health_billing.models.health_inbox_part"),
        ):
            inbox = self.drop_large(self.two_payees())
            self.patch(health_inbox_part.HealthInboxPart, "_work", broken)
            trap.perform_enqueued_jobs()
        inbox._finish()
        self.assertEqual(inbox.state, "review")
        self.assertIn("1 of 2 practitioner(s) recorded", inbox.message)
        self.assertIn("boom", inbox.message)
        self.assertEqual(self.lines().company_id, self.nurse)
        self.patch(health_inbox_part.HealthInboxPart, "_work", work)
        with trap_jobs() as trap:
            inbox.action_retry()
            self.assertEqual(inbox.state, "queued")
            trap.assert_jobs_count(1)
            trap.perform_enqueued_jobs()
        inbox._finish()
        self.assertEqual((inbox.state, len(self.lines())), ("done", 2), inbox.message)

    def test_the_night_works_what_no_worker_took(self):
        with trap_jobs():
            inbox = self.drop_large(self.two_payees())
            cycle = self.env["health.cycle"].run("2026-10-20")
        self.assertTrue(cycle.is_ok, cycle.report)
        self.assertIn("2 of 2", cycle.report)
        self.assertEqual(inbox.state, "done")
        self.assertEqual(len(self.lines()), 2)

    def test_camt_of_two_accounts(self):
        content = self.camt_file(
            self.statement(self.entry(600, "VIR X", ref="A1")),
            self.statement(self.entry(900, "VIR Y", ref="B1"), iban=IBANS[1], number="ST2"),
        )
        with trap_jobs() as trap:
            inbox = self.drop_large(content)
            self.assertEqual(inbox.part_ids.company_id, self.nurse | self.physio)
            trap.perform_enqueued_jobs()
        inbox._finish()
        self.assertEqual((inbox.state, inbox.counts["lines"]), ("done", 2), inbox.message)

    def test_journal_of_two_practitioners(self):
        content = self.journal(
            {"fse_no": "71"},
            {"fse_no": "72", "provider_no": self.physio.health_provider_no},
            {"fse_no": "73", "provider_no": "999999999"},
            {"fse_no": "74", "act_amount": "x"},
        )
        with trap_jobs() as trap:
            inbox = self.drop_large(content)
            self.assertEqual(inbox.part_ids.company_id, self.nurse | self.physio)
            self.assertEqual(len(inbox.issue_ids), 2)
            trap.perform_enqueued_jobs()
        inbox._finish()
        self.assertEqual(inbox.state, "review")
        self.assertEqual((inbox.counts["created"], inbox.counts["issues"]), (2, 2), inbox.message)

    def test_rights(self):
        with trap_jobs():
            biller = self.make_user("b", "health_billing.group_biller")
            env = self.env(user=biller, context={"allowed_company_ids": biller.company_ids.ids})
            inbox = self.drop_large(self.two_payees(), env)
            self.assertEqual(inbox.state, "queued", inbox.message)
            inbox.action_work_now()
        self.assertEqual(inbox.state, "done", inbox.message)
        with self.assertRaises(AccessError):
            inbox.part_ids.write({"state": "queued"})
        only = self.make_user("one", "health_billing.group_biller", self.nurse)
        parts = env(user=only, context={"allowed_company_ids": self.nurse.ids})["health.inbox.part"]
        self.assertEqual(parts.search([]).company_id, self.nurse)
        for group in (
            "base.group_user",
            "health_billing.group_accountant",
            "health_billing.group_practitioner",
        ):
            with self.assertRaises(AccessError):
                self.env["health.inbox.part"].with_user(self.make_user(group, group)).search([])

    def test_the_drop_zone_tells_that_work_is_under_way(self):
        with trap_jobs():
            answer = self.env["health.inbox"].action_ingest(
                "gros", base64.b64encode(self.two_payees()).decode()
            )
        self.assertEqual(answer["state"], "queued")
        self.assertIn("2 practitioner(s)", answer["message"])
