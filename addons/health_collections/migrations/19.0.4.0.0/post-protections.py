"""The cases of rights whose small sums a person sees to: marked by data at installation only."""

from odoo import SUPERUSER_ID, api

CASES = ("coverage_case_ald", "coverage_case_local_ald", "coverage_case_disability")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in CASES:
        case = env.ref(f"health_billing.{name}", raise_if_not_found=False)
        if case:
            case.is_fragile = True
