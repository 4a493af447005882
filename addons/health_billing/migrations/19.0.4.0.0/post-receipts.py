"""Practices made ready before have no accounts for cheques, cards and transfers on the way: add them."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["res.company"].search([("chart_template", "=", "fr_health")])._health_add_accounts()
