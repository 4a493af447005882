"""The patient's path on a phone: mail, why I owe this, pay, receipt; no log-in, no care label anywhere."""

import json
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from postbox import Mailbox, html_of

from conftest import in_odoo

#: key letters of the nomenclature that no patient page may show
CARE = re.compile(
    r"\b(AMI|AMX|AMK|AMY|BSA|BSB|BSC|IFD|RSC|NMI|MAU)\b|s[ée]ance|pansement|injection|bilan", re.I
)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}

SETTING = """
env['ir.config_parameter'].set_param('web.base.url', {base!r})
env['ir.mail_server'].search([]).active = False
server = env['ir.mail_server'].create({{
    'name': 'loopback', 'smtp_host': '127.0.0.1', 'smtp_port': {port}, 'smtp_encryption': 'none'}})
owed = env['health.share'].search(
    [('debtor_kind', '=', 'patient'), ('state', '=', 'due'), ('partner_id.email', '!=', False),
     ('fse_id.amc_partner_id', '=', False), ('is_replaced', '=', False), ('amount_residual', '>', 0)])
patients = owed.partner_id.sorted('id')
# a mother who settles for her children owes enough to spread it
payer = env['res.partner'].search([('name', '=', 'Aubry Camille')])
patients = patients.filtered(lambda patient: patient.company_id != payer.company_id)
Link = env['health.payment.link']
mailed = patients[0]
link, url = Link._make_one(mailed, 'email')
contact = link._send(url, kind='request')
env['mail.mail'].search([('model', '=', 'health.contact'), ('res_id', '=', contact.id)]).send()
for name, patient in (('ASK', patients[1]), ('SPREAD', payer), ('RACE', patients[2]), ('RACE', patients[2])):
    link, url = Link._make_one(patient, 'hand')
    print(name, url[url.index('/', 8):])
old, url = Link._make_one(patients[3], 'hand')
old.expires_on = '2020-01-01'
print('OLD', url[url.index('/', 8):])
server.active = False
"""


@pytest.fixture(scope="module")
def world(base_url):
    """Links of late patients by what they are for, and the mail that one of them received."""
    with Mailbox() as mailbox:
        answer = in_odoo(SETTING.format(base=base_url, port=mailbox.port))
        links = {}
        for name, path in re.findall(r"^(ASK|SPREAD|RACE|OLD) (/\S+)$", answer, re.M):
            links.setdefault(name, []).append(base_url + path)
        return {"mails": list(mailbox.messages), **links}


@pytest.fixture
def look(page):
    """Look at the page that is open as everybody must be able to: no care, nothing axe objects to, no cut line."""

    def at(sizes=(PHONE, DESK)):
        text = page.locator("body").inner_text() + page.title() + page.url
        assert not CARE.search(text), CARE.search(text)
        assert page.locator("html").get_attribute("lang") == "fr"
        for size in sizes:
            page.set_viewport_size(size)
            found = Axe().run(page).response["violations"]
            assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.set_viewport_size(PHONE)

    page.set_viewport_size(PHONE)
    return at


def test_patient_pays_from_the_mail_on_a_phone(page, world, base_url, errors, shot, look):
    [mail] = world["mails"]
    body = html_of(mail)
    assert not CARE.search(f"{mail['subject']} {re.sub('<[^>]+>', ' ', body)}")
    link = re.search(rf'href="({re.escape(base_url)}/ma-note/[^"]+)"', body)[1]
    start = time.monotonic()
    page.goto(link)
    expect(page.locator("h1")).to_contain_text("reste", ignore_case=True)
    expect(page.locator("body")).to_contain_text("Pourquoi")
    look((PHONE,))
    shot("patient-1-pourquoi")
    shot("patient-1-pourquoi-entier", full=True)
    page.locator("a.hc-button").first.click()
    expect(page.locator("h1")).to_contain_text("Payer")
    expect(page.locator("button[name=o_payment_submit_button]")).to_be_enabled()
    look((PHONE,))
    shot("patient-2-payer")
    page.locator("button[name=o_payment_submit_button]").click()
    expect(page.locator("h1")).to_contain_text("Merci", timeout=60_000)
    assert time.monotonic() - start < 60
    look()
    shot("patient-3-recu", full=True)
    # the link now says so, and nothing can be paid twice
    page.goto(link)
    expect(page.locator("h1")).to_contain_text(re.compile("rien", re.I))
    expect(page.locator("a[href$='/payer']")).to_have_count(0)
    look()


def test_patient_says_that_the_insurer_should_pay(page, world, errors, shot, look, tmp_path):
    [link] = world["ASK"]
    card = tmp_path / "carte.jpg"
    Image.new("RGB", (1600, 1000), "teal").save(card)
    page.goto(link)
    look()
    page.get_by_text("Payer par virement").click()
    expect(page.locator(".hc-qr img")).to_be_visible()
    look()
    shot("patient-5-virement", full=True)
    for words in ("Je souhaite être appelé(e)", "Je ne suis pas d'accord", "Une autre question"):
        page.locator(".hc-ways a", has_text=words).click()
        expect(page.locator("h1")).to_contain_text(words)
        look((PHONE,))
        page.go_back()
    page.locator(".hc-ways a", has_text="Ma mutuelle devrait payer").click()
    look()
    shot("patient-6-mutuelle", full=True)
    page.get_by_label("Photo de la carte, recto").set_input_files(card)
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator("h1")).to_contain_text("reçu votre demande")
    look()
    page.get_by_text("Revenir à ma note").click()
    expect(page.locator("body")).to_contain_text("rien à régler pour le moment")
    look()
    shot("patient-7-demande", full=True)


def test_patient_pays_in_instalments(page, world, errors, shot, look):
    [link] = world["SPREAD"]
    page.goto(link)
    page.locator(".hc-ways a", has_text="Payer en plusieurs fois").click()
    look()
    shot("patient-8-echelonner", full=True)
    page.locator(".hc-offer").first.click()
    page.get_by_role("button", name="J'accepte").click()
    expect(page.locator("h1")).to_contain_text("d'accord")
    look()
    shot("patient-9-accord", full=True)
    page.get_by_text("Régler la première échéance").click()
    expect(page.locator("button[name=o_payment_submit_button]")).to_be_enabled()
    page.locator("button[name=o_payment_submit_button]").click()
    expect(page.locator("h1")).to_contain_text("Merci", timeout=60_000)
    expect(page.locator("body")).to_contain_text("Reste à régler")
    look()
    page.goto(link)
    expect(page.locator(".hc-dates")).to_contain_text("payée")
    look()
    shot("patient-10-echeances", full=True)


def test_two_links_pressed_at_once_are_one_payment(world):
    """Two open pages of one patient, on two devices: the server makes one payment of it."""
    forms = []
    for link in world["RACE"]:
        with urllib.request.urlopen(f"{link}/payer", timeout=30) as answer:
            form = answer.read().decode()
        params = {
            "provider_id": int(re.search(r'data-provider-id="(\d+)"', form)[1]),
            "payment_method_id": int(re.search(r'data-payment-option-id="(\d+)"', form)[1]),
            "amount": float(re.search(r'data-amount="([\d.]+)"', form)[1]),
            "access_token": re.search(r'data-access-token="(\w+)"', form)[1],
            "flow": "direct",
            "tokenization_requested": False,
            "token_id": None,
            "landing_route": "/",
            "is_validation": False,
        }
        forms.append((f"{link}/transaction/payer", params))

    def press(form):
        url, params = form
        call = urllib.request.Request(
            url,
            json.dumps({"jsonrpc": "2.0", "id": 0, "params": params}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(call, timeout=60) as answer:
            return json.load(answer)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(press, forms * 3))
    references = {answer["result"]["reference"] for answer in answers}
    assert len(references) == 1, answers


def test_links_that_do_not_open_say_so(page, base_url, world, shot, look):
    answer = page.goto(f"{base_url}/ma-note/inconnu")
    assert answer.status == 404
    expect(page.locator("h1")).to_contain_text("existe pas")
    look()
    shot("patient-4-inconnu")
    [old] = world["OLD"]
    assert page.goto(old).status == 410
    look()
    page.get_by_role("button", name="M'envoyer un nouveau lien").click()
    expect(page.locator("h1")).to_contain_text("e-mails")
    look()
