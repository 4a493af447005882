"""Retentions received before have no file: open them."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    settlements = env["health.settlement"].search(
        ["|", ("movement_ids.kind", "=", "retention"), ("line_ids.paid", "<", 0)]
    )
    env["health.indu"]._from_settlements(settlements)
