"""FSE recorded before FSE could be entered here all came with the journal of another program."""


def migrate(cr, version):
    # before the ORM makes the column and takes its default, which says the contrary
    cr.execute("ALTER TABLE health_fse ADD COLUMN IF NOT EXISTS origin varchar")
    cr.execute("UPDATE health_fse SET origin = 'journal' WHERE origin IS NULL")
