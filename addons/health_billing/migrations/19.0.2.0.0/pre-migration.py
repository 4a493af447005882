"""Columns that the ORM would otherwise fill with what is not so, or before it could know."""


def migrate(cr, version):
    # FSE recorded before FSE could be entered here all came with the journal of another program
    cr.execute("ALTER TABLE health_fse ADD COLUMN IF NOT EXISTS origin varchar")
    cr.execute("UPDATE health_fse SET origin = 'journal' WHERE origin IS NULL")
    # computed after the update: its delays are parameters that are not loaded yet
    cr.execute("ALTER TABLE health_share ADD COLUMN IF NOT EXISTS forclusion_date date")
