"""The rights that the FSE on record bear become the patients' rights, as an import does since.

Nothing is controlled here: the night does it for what has not been sent.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["health.coverage"]._from_fses(
        env["health.fse"].search([("origin", "=", "journal"), ("coverage_id", "=", False)])
    )
