"""The biller's path: log in, cockpit, drop a NOEMIE file, the matched transfer, a rejection."""

import copy
import re
import sys
from datetime import date
from pathlib import Path

from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "addons" / "health_sesam"))
from norms import noemie  # noqa: E402

NOEMIE = ROOT / "data" / "demo" / "noemie"


def test_biller_path(page, base_url, log_in, errors, shot):
    log_in("facturiere")
    cockpit = page.locator(".o_health_cockpit")
    expect(cockpit).to_be_visible(timeout=60_000)
    expect(cockpit.locator(".o_hc_title")).to_contain_text(
        "vendredi 20 novembre 2026", ignore_case=True
    )
    expect(cockpit.locator(".o_hc_title")).to_contain_text("6 professionnels")
    for lane, title in (("cash", "Encaissements"), ("rejects", "Rejets"), ("silent", "Silencieux")):
        section = page.locator(f"[data-lane={lane}]")
        expect(section.locator("h2")).to_contain_text(title)
        expect(section.locator(".o_hc_card").first).to_be_visible()
    page.wait_for_timeout(400)
    shot("1-cockpit")
    shot("1-cockpit-entier", full=True)

    # a return that was late: the fund at last pays the FSE it had not answered
    page.set_input_files(
        ".o_hc_drop input[type=file]",
        {"name": "tardif.noe", "mimeType": "application/octet-stream", "buffer": late_return()},
    )
    answer = page.locator(".o_hc_received li").first
    expect(answer).to_contain_text("Traité", timeout=30_000)
    expect(answer).to_contain_text("37,58 €")
    # the lane no longer counts its 37.58 € as silent
    silent = page.locator("[data-lane=silent] .o_hc_card", has_text="CPAM du Rhône")
    expect(silent).to_contain_text("106,30 €")

    # a NOEMIE file that came before: recognised, nothing done twice
    file = sorted(NOEMIE.glob("*.noe"))[0]
    page.set_input_files(".o_hc_drop input[type=file]", str(file))
    answer = page.locator(".o_hc_received li").first
    expect(answer).to_contain_text("Déjà reçu", timeout=30_000)
    # the same return cut short: kept for review, nothing booked
    page.set_input_files(
        ".o_hc_drop input[type=file]",
        {
            "name": "coupé.noe",
            "mimeType": "application/octet-stream",
            "buffer": flat_noemie().read_bytes()[:700],
        },
    )
    expect(page.locator(".o_hc_received li").first).to_contain_text(
        re.compile("À revoir|Refusé"), timeout=30_000
    )
    page.set_input_files(
        ".o_hc_drop input[type=file]",
        {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n0000"},
    )
    expect(page.locator(".o_hc_received li").first).to_contain_text("Refusé", timeout=30_000)
    shot("2-depot")

    # a transfer explained to the cent
    page.goto(f"{base_url}/odoo/action-health_noemie.action_bank_credit")
    row = page.locator(".o_data_row").first
    expect(row).to_be_visible(timeout=30_000)
    shot("3-virements")
    row.locator("td.o_data_cell").nth(1).click()
    expect(page.locator(".o_form_view")).to_be_visible(timeout=30_000)
    # why: the rule, and the evidence
    expect(page.locator(".o_form_view")).to_contain_text(
        "Le libellé de la banque cite la référence"
    )
    page.wait_for_timeout(400)
    shot("4-virement")

    # a rejection with its cause and what to do
    page.goto(f"{base_url}/odoo/action-health_noemie.action_rejection")
    group = page.locator(".o_group_header").first
    expect(group).to_be_visible(timeout=30_000)
    shot("5-rejets")
    group.click()
    page.locator(".o_data_row td.o_data_cell").first.click()
    form = page.locator(".o_form_view")
    expect(form).to_be_visible(timeout=30_000)
    page.wait_for_timeout(400)
    shot("6-rejet")


def late_return():
    """What the CPAM du Rhône would send to pay FSE 720001215, silent until then (2 × 18.79 €)."""
    [file] = noemie.read((NOEMIE / "20261014-997002027-cpam69.noe").read_bytes())
    settlement = file.settlements[0]
    invoice = copy.deepcopy(settlement.invoices[0])
    invoice.invoice_no, invoice.lot_no = "720001215", "541"
    invoice.lot_date = invoice.invoice_date = date(2026, 10, 15)
    invoice.nir, invoice.last_name, invoice.first_name = "1930699999054", "BRASSAC", "YVES"
    invoice.birth_date = date(1993, 6, 15)
    [part] = invoice.parts
    part.asked = part.paid = 3758
    settlement.invoices = [invoice]
    settlement.transfer_date, settlement.label2 = date(2026, 11, 20), "263249990001"
    file.settlements, file.file_id, file.created_on = [settlement], "LATE01", date(2026, 11, 20)
    return noemie.write(file, framing="flat")


def flat_noemie():
    """A demo return that is neither compressed nor wrapped."""
    return next(
        file for file in sorted(NOEMIE.glob("*.noe")) if file.read_bytes()[:2] != b"\x1f\x8b"
    )


def test_practitioner_sees_only_their_practice(page, base_url, log_in, errors, shot):
    log_in("infirmiere")
    expect(page.locator(".o_health_cockpit .o_hc_title")).to_contain_text(
        "1 professionnel", timeout=60_000
    )
    expect(page.locator(".o_hc_drop")).to_have_count(0)
    shot("7-professionnel")
