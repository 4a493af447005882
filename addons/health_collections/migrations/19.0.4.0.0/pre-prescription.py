from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """The day a debt lapses is counted after the data files: the delays it needs are not loaded before."""
    if version and not column_exists(cr, "health_share", "prescription_date"):
        create_column(cr, "health_share", "prescription_date", "date")
