"""Every menu of the product opens for a biller, in French, without a console error."""

from playwright.sync_api import expect

ACTIONS = [
    "health_billing.action_fse",
    "health_billing.action_share",
    "health_billing.action_inbox",
    "health_billing.action_patient",
    "health_billing.action_payer",
    "health_billing.action_practitioner",
    "health_billing.action_ngap_act",
    "health_billing.action_ngap_value",
    "health_billing.action_parameter",
    "health_billing.action_coverage",
    "health_billing.action_coverage_case",
    "health_billing.action_finding",
    "health_billing.action_prescription",
    "health_billing.action_prior_agreement",
    "health_billing.action_quote",
    "health_billing.action_rights_proof",
    "health_billing.action_round_plan",
    "health_billing.action_rule",
    "health_billing.action_visit",
    "health_billing.action_cycle",
    "health_sesam.action_lot",
    "health_sesam.action_arl",
    "health_sesam.action_format_layout",
    "health_sesam.action_lot_rule",
    "health_noemie.action_settlement",
    "health_noemie.action_settlement_movement",
    "health_noemie.action_bank_credit",
    "health_noemie.action_rejection",
    "health_noemie.action_rejection_lane",
    "health_noemie.action_reject_code",
    "health_noemie.action_reject_family",
    "health_noemie.action_reject_watch",
    "health_noemie.action_indu",
    "health_noemie.action_payer_delay",
    "health_collections.action_share_late",
    "health_collections.action_reminder_history",
    "health_collections.action_letter",
    "health_collections.action_payment_link",
]

#: lists that the demo day may leave empty
EMPTY = [
    "health_billing.action_catalogue_update",
    "health_billing.action_import_mapping",
    "health_billing.action_question",
    "health_billing.action_share_forclusion",
    "health_billing.action_visit_unbilled",
    "health_sesam.action_arl_profile",
    "health_sesam.action_transmission",
    "health_sesam.action_transport",
]


def test_every_screen_opens(page, base_url, log_in, errors, shot):
    log_in("responsable")
    for action in ACTIONS:
        page.goto(f"{base_url}/odoo/action-{action}")
        expect(page.locator(".o_list_view"), action).to_be_visible(timeout=30_000)
        expect(page.locator(".o_data_row, .o_group_header").first, action).to_be_visible()
        page.wait_for_timeout(100)
        shot(f"ecran-{action}")
    for action in EMPTY:
        page.goto(f"{base_url}/odoo/action-{action}")
        expect(page.locator(".o_list_view"), action).to_be_visible(timeout=30_000)
        shot(f"ecran-{action}")
