"""The desk of the biller: a file of another program read by a mapping made once; rights checked so that FSE leave."""

import io
import re
from datetime import date

from openpyxl import Workbook
from playwright.sync_api import expect

from conftest import in_odoo

HEADER = [
    "N° facture",
    "Date facture",
    "N° Sécu",
    "Nom",
    "Prénom",
    "Date de naissance",
    "Date des soins",
    "Cotation",
    "Honoraires",
    "Caisse",
    "Part AMO",
    "Part AMC",
    "Part patient",
    "Taux AMO",
]


def workbook(*numbers):
    """What another program exports: one AMI 4 at home per invoice, wholly for the fund (ALD)."""
    book = Workbook()
    sheet = book.active
    sheet.append(HEADER)
    for number in numbers:
        sheet.append(
            [
                number,
                date(2026, 11, 18),
                "2 53 02 99 999 001",
                "Larzac",
                "Denise",
                date(1953, 2, 3),
                date(2026, 11, 17),
                "AMI 4",
                13.4,
                "017510001",
                13.4,
                0,
                0,
                100,
            ]
        )
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def drop(page, name, content):
    page.set_input_files(
        ".o_hc_drop input[type=file]",
        {
            "name": name,
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": content,
        },
    )
    return page.locator(".o_hc_received li", has_text=name)


def test_export_of_another_program(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    expect(page.locator(".o_health_cockpit")).to_be_visible()
    first = drop(page, "export-octobre.xlsx", workbook("880000001", "880000002"))
    expect(first).to_contain_text("À revoir", timeout=30_000)
    shot("correspondance-1-depot")
    first.locator("a").click()
    expect(page.locator(".o_form_view")).to_be_visible()
    shot("correspondance-2-a-revoir")
    screens.press("Créer une correspondance")
    expect(page.locator(".o_health_mapping")).to_be_visible()
    expect(page.locator("[name=preview]")).to_contain_text("Larzac")
    shot("correspondance-3-apercu")
    # whose file it is: nothing in it says so
    if page.locator("[name=company_id] input").input_value() == "":
        screens.choose("company_id", "Aline Verdoux")
    expect(page.locator("[name=column_ids] .o_data_row.text-danger")).to_have_count(0)
    shot("correspondance-4-complete")
    screens.press("Enregistrer et lire le fichier")
    expect(page.locator(".o_arrow_button_current")).to_have_text("Traité")
    shot("correspondance-5-lu")

    # the next export of that program is read at once, without a question
    screens.open("cockpit")
    second = drop(page, "export-novembre.xlsx", workbook("880000003"))
    expect(second).to_contain_text("Traité", timeout=30_000)
    shot("correspondance-6-suivant")
    screens.open("fse")
    screens.search("88000000")
    expect(page.locator(".o_data_row")).to_have_count(3)
    expect(screens.row("880000003")).to_contain_text("13,40")
    shot("correspondance-7-fse")


def test_rights_checked_and_the_fse_leaves(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    page.locator(".o_hc_tabs button", has_text="À compléter").click()
    card = page.locator(".o_hc_card", has_text="Droits à vérifier").first
    expect(card).to_be_visible()
    shot("droits-1-cockpit")
    card.get_by_role("button").click()
    expect(page.locator(".o_list_view")).to_be_visible()
    patient = page.locator(".o_data_row [name=patient_id]").first.inner_text().strip()
    page.locator("thead .o_list_record_selector input").check()
    shot("droits-2-liste")
    screens.press("Enregistrer une vérification")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[name=coverage_ids]")).to_contain_text(patient)
    shot("droits-3-preuve")
    dialog.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(dialog).to_have_count(0)
    screens.settled()
    shot("droits-4-verifies")
    # what the night does: the FSE of this patient go into a lot
    answer = in_odoo(
        "companies = env['res.company'].search([('health_provider_no', '!=', False)])\n"
        "env = env(context={'allowed_company_ids': companies.ids, 'lang': 'fr_FR'})\n"
        f"fses = env['health.fse'].search([('patient_id.name', '=', {patient!r}), ('sent_on', '=', False)])\n"
        "env['health.lot']._build(fses.company_id, env['health.cycle'].search([], limit=1).date)\n"
        "print('LOTS', sorted(fses.lot_id.mapped('state')), fses.filtered(lambda f: not f.lot_id).mapped('lot_issue'))"
    )
    assert re.search(r"LOTS \['ready'.*\] \[\]", answer), answer
    screens.open("fse")
    screens.search(patient)
    shot("droits-5-lot")
