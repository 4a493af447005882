from importlib.util import module_from_spec, spec_from_file_location

from odoo.tests import tagged
from odoo.tools.misc import file_path

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestMigration(HealthCommon):
    """The scripts that bring a database of the version before to this one."""

    def migrate(self, name):
        path = file_path(f"health_billing/migrations/19.0.2.0.0/{name}.py")
        spec = spec_from_file_location(name.replace("-", "_"), path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_fse_on_record_came_from_a_journal_and_teach_the_rights(self):
        fse = self.make_fse(self.nurse, "1", amo=756, patient=504, amo_rate=60, checked=False)
        self.env.flush_all()
        # as the version before left it: no origin, no rights
        self.env.cr.execute("ALTER TABLE health_fse ALTER COLUMN origin DROP NOT NULL")
        self.env.cr.execute("UPDATE health_fse SET origin = NULL WHERE id = %s", [fse.id])
        self.env.invalidate_all()
        for _again in range(2):
            self.migrate("pre-migration")
            self.migrate("post-migration")
            self.assertEqual((fse.origin, fse.state), ("journal", "sent"))
            [coverage] = self.patient.health_coverage_ids
            self.assertEqual((fse.coverage_id, coverage.amo_rate), (coverage, 60))
            self.assertFalse(fse.finding_ids)

    def test_an_fse_entered_here_stays_so(self):
        fse = self.env["health.fse"].create(
            {"company_id": self.nurse.id, "patient_id": self.patient.id}
        )
        self.migrate("pre-migration")
        self.migrate("post-migration")
        self.assertEqual((fse.origin, fse.state), ("entry", "entered"))
        self.assertFalse(fse.coverage_id)
