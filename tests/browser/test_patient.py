"""The patient's path on a phone: link, why I owe this, pay, receipt; no log-in, no care label anywhere."""

import re
import time

from playwright.sync_api import expect

#: key letters of the nomenclature that no patient page may show
CARE = re.compile(
    r"\b(AMI|AMX|AMK|AMY|BSA|BSB|BSC|IFD|RSC|NMI|MAU)\b|s[ée]ance|pansement|injection|bilan", re.I
)


def test_patient_pays_from_a_phone(page, patient_link, errors, shot):
    page.set_viewport_size({"width": 390, "height": 844})
    start = time.monotonic()
    page.goto(patient_link)
    expect(page.locator("h1")).to_contain_text("reste", ignore_case=True)
    expect(page.locator("body")).to_contain_text("Pourquoi")
    assert not CARE.search(page.locator("body").inner_text() + page.title() + page.url)
    shot("patient-1-pourquoi")
    shot("patient-1-pourquoi-entier", full=True)
    page.locator("a.hc-button").first.click()
    expect(page.locator("h1")).to_contain_text("Payer")
    page.wait_for_timeout(500)
    shot("patient-2-payer")
    page.locator("button[name=o_payment_submit_button]").click()
    expect(page.locator("h1")).to_contain_text("Merci", timeout=60_000)
    assert time.monotonic() - start < 60
    assert not CARE.search(page.locator("body").inner_text() + page.title() + page.url)
    shot("patient-3-recu", full=True)
    # the link now says so, and nothing can be paid twice
    page.goto(patient_link)
    expect(page.locator("h1")).to_contain_text(re.compile("rien", re.I))
    expect(page.locator("a[href$='/payer']")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_unknown_link_says_so(page, base_url, shot):
    page.set_viewport_size({"width": 390, "height": 844})
    answer = page.goto(f"{base_url}/ma-note/inconnu")
    assert answer.status == 404
    expect(page.locator("h1")).to_contain_text("existe pas")
    shot("patient-4-inconnu")
