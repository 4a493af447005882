"""A quote: made by the biller, signed by the patient on a phone without log-in, billed; and the FSE that has none."""

import re

from playwright.sync_api import expect

PATIENT = "Corbier Alice"


def test_quote_signed_on_the_phone(page, browser, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    screens.open("devis/new")
    screens.choose("health_patient_id", PATIENT)
    expect(page.locator("[name=company_id]")).to_contain_text("Bastien Corvol")
    page.get_by_role("button", name="Ajouter une ligne").click()
    screens.choose("product_id", "Acte hors nomenclature")
    page.locator("[name=order_line] [name=name] textarea").fill("Bilan de posture")
    page.locator("[name=order_line] [name=health_tariff] input").fill("95")
    page.keyboard.press("Tab")
    expect(page.locator("[name=amount_total]").last).to_contain_text("95,00")
    shot("devis-1-saisi")
    screens.press("Envoyer à signer")
    expect(page.locator(".o_arrow_button_current")).to_have_text("Transmis")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Page du patient").click()
    link = popup.value.url
    popup.value.close()

    phone = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844})
    try:
        sign(phone.new_page(), link)
    finally:
        phone.close()

    page.reload()
    expect(page.locator(".o_arrow_button_current")).to_have_text("Signé")
    expect(page.locator("[name=signed_by]")).to_contain_text(PATIENT)
    shot("devis-4-signe")
    screens.press("Faire la FSE")
    expect(page.locator(".o_form_view [name=fse_date]")).to_be_visible()
    expect(page.locator("[name=act_ids] .o_data_row")).to_contain_text("95,00")
    assert "DEV-01" not in screens.findings()
    # outside the nomenclature: all of it is the patient's
    assert screens.shares() == {"Patient": "95,00 €"}
    shot("devis-5-fse")

    # the same without a quote: the FSE says so, with its reference
    screens.open("fse/new")
    screens.choose("patient_id", PATIENT)
    page.get_by_role("button", name="Ajouter une ligne").click()
    screens.choose("product_id", "RSM 8,09")
    page.locator("[name=act_ids] [name=overrun] input").fill("80")
    screens.press("Calculer et contrôler")
    warning = page.locator("[name=open_finding_ids] .o_data_row", has_text="DEV-01")
    expect(warning).to_contain_text("CSP L1111-3")
    shot("devis-6-sans-devis")


def sign(phone, link):
    """What the patient does with the link, at 390 pixels."""
    phone.goto(link)
    body = phone.locator("body")
    expect(body).to_contain_text("Bilan de posture")
    expect(body).to_contain_text("Ce devis est gratuit")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    from conftest import SHOTS

    phone.screenshot(path=SHOTS / "devis-2-telephone.png")
    phone.locator("a, button").filter(has_text=re.compile("signer", re.I)).locator(
        "visible=true"
    ).first.click()
    dialog = phone.locator(".modal.show")
    expect(dialog).to_contain_text("Signer le devis")
    dialog.get_by_role("textbox").first.fill(PATIENT)
    phone.wait_for_timeout(400)
    phone.screenshot(path=SHOTS / "devis-3-signature.png")
    dialog.get_by_role("button", name=re.compile("signer", re.I)).click()
    expect(body).to_contain_text("le devis est signé", timeout=30_000)
