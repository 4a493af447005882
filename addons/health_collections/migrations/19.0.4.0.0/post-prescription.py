from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Debts that were open before this version get the day they lapse."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["health.share"]._prescription_recompute()
    env.flush_all()
