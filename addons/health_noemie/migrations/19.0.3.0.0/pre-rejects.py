"""Codes may be known per numbering, payer and label: the former key of code and part goes."""


def migrate(cr, version):
    cr.execute(
        "ALTER TABLE health_reject_code DROP CONSTRAINT IF EXISTS health_reject_code_code_uniq"
    )
    cr.execute("ALTER TABLE health_reject_code ALTER COLUMN code DROP NOT NULL")
