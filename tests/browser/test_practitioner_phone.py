"""The practitioner on a phone answers a question with a photo; the biller finds the answer to process."""

import io
import re

from PIL import Image
from playwright.sync_api import expect

PATIENT = "Larzac Denise"


def photo():
    """A small real photograph, as far as a phone is concerned."""
    content = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(content, "JPEG")
    return content.getvalue()


def test_question_answered_with_a_photo(page, base_url, log_in, screens, errors, shot):
    # the biller asks for the prescription
    log_in("facturiere")
    screens.open("action-health_billing.action_patient")
    screens.search(PATIENT)
    expect(page.locator(".o_data_row")).to_have_count(1)
    page.locator("thead .o_list_record_selector input").check()
    page.locator(".o_cp_action_menus button, .o_control_panel_actions button").filter(
        has_text="Actions"
    ).click()
    page.get_by_role("menuitem", name=re.compile("Demander au pr")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("À compléter").check()
    expect(dialog.locator("[name=text] textarea")).to_have_value(
        "L'ordonnance manque : prenez-la en photo."
    )
    shot("telephone-1-demande")
    dialog.get_by_role("button", name="Demander", exact=True).click()
    expect(dialog).to_have_count(0)

    # the practitioner answers on the phone
    page.context.clear_cookies()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{base_url}/web/login?redirect=/mon-cabinet")
    page.fill("input[name=login]", "infirmiere")
    page.fill("input[name=password]", "demo")
    page.click("button[type=submit]")
    expect(page.locator(".hp-tabs")).to_be_visible(timeout=60_000)
    shot("telephone-2-cabinet")
    page.locator(".hp-row", has_text="prenez-la en photo").first.click()
    expect(page.locator("#ask")).to_contain_text("prenez-la en photo")
    # neither title nor address names the patient
    assert "Larzac" not in page.title() + page.url
    shot("telephone-3-question")
    page.set_input_files(
        "#photo", {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    expect(page.locator(".hp-preview")).to_be_visible()
    shot("telephone-4-photo")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator(".hp-done, #ask").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot("telephone-5-envoye")

    # back at the agency
    page.context.clear_cookies()
    page.set_viewport_size({"width": 1366, "height": 768})
    log_in("facturiere")
    page.locator(".o_hc_tabs button", has_text="À compléter").click()
    card = page.locator(".o_hc_card", has_text="Réponses à traiter")
    expect(card.first).to_be_visible()
    shot("telephone-6-cockpit")
    card.first.get_by_role("button").click()
    screens.settled()
    if page.locator(".o_list_view").count():
        page.locator(".o_data_row").first.locator("td.o_data_cell").nth(1).click()
    expect(page.locator(".o_form_view")).to_contain_text(re.compile(r"document-\d+.*\.jpg"))
    shot("telephone-7-reponse")
    screens.press("Traitée" if page.get_by_role("button", name="Traitée").count() else "Traité")
