"""What a database of the version before lacks: our chart's name, last days of shares, rights that its FSE bear."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    give_chart_back(cr)
    env = api.Environment(cr, SUPERUSER_ID, {})
    Share = env["health.share"]
    env.add_to_compute(Share._fields["forclusion_date"], Share.search([]))
    # as an import does since; nothing is controlled here: the night does it for what has not been sent
    env["health.coverage"]._from_fses(
        env["health.fse"].search([("origin", "=", "journal"), ("coverage_id", "=", False)])
    )


def give_chart_back(cr):
    """See ``before-update.sql``: companies with accounts of our chart have our chart."""
    cr.execute(
        """
        UPDATE res_company company SET chart_template = 'fr_health'
         WHERE chart_template IS NULL
           AND EXISTS (SELECT FROM ir_model_data
                        WHERE module = 'account' AND name = company.id || '_health_411000')
        """
    )
