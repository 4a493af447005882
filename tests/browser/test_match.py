"""What the matcher leaves to a person: a credit without return, explained by keyboard, undone, explained again."""

import json
from pathlib import Path

from playwright.sync_api import expect

from conftest import in_odoo, words

TRUTH = json.loads(
    (Path(__file__).resolve().parents[2] / "data" / "demo" / "expected.json").read_text()
)
#: the transfer of an insurer that sent no return, and the FSE whose AMC parts it pays
CASE = next(case for case in TRUTH["cases"] if case["key"] == "credit_without_return")
CREDIT = "71,60 €"
SHARES = f"""
fses = env['health.fse'].sudo().search([('name', 'in', {CASE["fse_no"]!r})])
shares = fses.share_ids.filtered(lambda share: share.debtor_kind == 'amc')
print('SHARES', sorted((s.fse_id.name, s.state, '%.2f' % s.amount_residual) for s in shares))
"""


def shares():
    return next(line for line in in_odoo(SHARES).splitlines() if line.startswith("SHARES"))


def test_credit_without_return(page, base_url, log_in, screens, errors, shot):
    before = shares()
    log_in("facturiere")
    screens.open("rapprochement")
    screens.settled()
    screen = page.locator(".o_health_match")
    credit = screen.locator(".o_hm_queue li", has_text=CREDIT)
    expect(credit).to_have_count(1)
    waiting = screen.locator(".o_hm_queue li").count()
    credit.click()
    screens.settled()
    shot("rapprochement-1-credit")
    # nothing was announced: the biller looks for what this insurer owes, and keeps what makes the sum
    for number in CASE["fse_no"]:
        page.keyboard.press("/")
        screen.get_by_role("searchbox").fill(number)
        page.wait_for_timeout(350)
        screens.settled()
        found = screen.locator(".o_hm_candidates li:not(.o_hm_chosen)", has_text=number).first
        expect(found).to_be_visible()
        found.locator("input[type=checkbox]").check()
        screens.settled()
    expect(screen.locator(".o_hm_even dd")).to_have_text("0,00 €")
    expect(screen.locator(".o_hm_chosen")).to_have_count(len(CASE["fse_no"]))
    shot("rapprochement-2-choisi")
    page.keyboard.press("Control+Enter")
    expect(screen.locator(".o_hm_queue li", has_text=CREDIT)).to_have_count(0)
    screens.settled()
    expect(screen.locator(".o_hm_queue li[data-line]")).to_have_count(waiting - 1)
    shot("rapprochement-3-fait")
    assert shares().count("'paid', '0.00'") == len(CASE["fse_no"]), shares()

    # a slip: what was booked comes back exactly as it was
    screen.locator(".o_hm_done button").click()
    screens.settled()
    expect(screen.locator(".o_hm_queue li", has_text=CREDIT)).to_have_count(1)
    assert shares() == before

    # and a credit that is nobody's is set aside, with its reason
    screen.locator(".o_hm_queue li", has_text="350,00 €").click()
    screens.settled()
    page.keyboard.press("s")
    reason = screen.locator(".o_hm_aside input")
    expect(reason).to_be_focused()
    reason.fill("Remboursement de charges de la SCM : le comptable le passe.")
    reason.press("Enter")
    screens.settled()
    shot("rapprochement-4-mis-de-cote")
    assert "350" not in words(screen.locator(".o_hm_current").inner_text())
