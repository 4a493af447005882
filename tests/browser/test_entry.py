"""The biller enters care by hand, one trade after the other: from the visits to the controlled, validated FSE.

Every amount was computed on paper first, from the tariff of November 2026: the arithmetic stands beside it.
"""

import re

from playwright.sync_api import expect

from conftest import words

DAYS = [f"2026-11-{day}" for day in range(16, 23)]  # Monday 16 to Sunday 22


def row_of(page, patient, passage=1):
    """The row of a patient's passage on the week screen."""
    rows = page.locator("tr[data-row]", has_text=patient)
    second = page.locator(".o_rw_passage")
    return rows.filter(**({"has_not": second} if passage == 1 else {"has": second}))


def cell(page, patient, day, passage=1):
    return row_of(page, patient, passage).locator(f"td[data-day='{day}']")


def to_week(page, practitioner):
    """The practitioner's week of 16 November 2026, whatever today is."""
    with page.expect_response("**/health.round.week/data"):
        page.locator(".o_rw_who").select_option(label=practitioner)
    monday = page.locator("tbody td[data-day]").first
    for _ in range(400):
        expect(monday).to_be_visible()
        shown = monday.get_attribute("data-day")
        if shown == DAYS[0]:
            break
        with page.expect_response("**/health.round.week/data"):
            page.get_by_label(
                "Semaine suivante" if shown < DAYS[0] else "Semaine précédente"
            ).click()
        expect(monday).not_to_have_attribute("data-day", shown)
    expect(page.locator(".o_rw_head h1")).to_have_text("Semaine du 16 au 22 novembre 2026")
    # the keyboard works at once
    expect(page.locator("tbody td[tabindex='0']")).to_be_focused()


def euros_of_week(page):
    return words(page.locator("tfoot .o_rw_name .o_rw_euros").inner_text())


def cents(text):
    return int(re.sub(r"[^\d]", "", text))


def test_nurse_week(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    expect(page.locator(".o_health_cockpit")).to_be_visible(timeout=60_000)
    page.locator(".o_menu_sections button", has_text="Factur").first.click()
    page.get_by_role("menuitem", name="Semaine").click()
    expect(page.locator(".o_round_week")).to_be_visible()
    to_week(page, "Élodie Marchand")
    said = page.locator(".o_rw_said")
    keys = page.keyboard
    # 155 visits that the plans foresee, nothing made yet
    foot = page.locator("tfoot .o_rw_name")
    expect(foot).to_contain_text("0 / 155")
    shot("semaine-1-ouverte")

    # Monday is done, by one key
    cell(page, "Orsini", DAYS[1]).click()
    keys.press("Home")
    keys.press("t")
    expect(said).to_contain_text("25 passages faits")

    # Sunday as Saturday: three dressings more (Orsini, Pontac, Savignac)
    keys.press("End")
    keys.press("j")
    expect(said).to_contain_text("3 passages recopiés de la veille")
    expect(cell(page, "Savignac", DAYS[6])).to_have_text("AMI 2,02")
    # Friday too, but that was a mistake: undone
    cell(page, "Savignac", DAYS[4]).click()
    keys.press("j")
    expect(cell(page, "Savignac", DAYS[4])).to_have_text("AMI 2,02")
    keys.press("Control+z")
    expect(cell(page, "Savignac", DAYS[4])).to_have_text("")

    # an act more on Tuesday, found by its words
    cell(page, "Orsini", DAYS[1]).click()
    keys.type("injection sous")
    hits = page.locator("#o_rw_list li")
    expect(hits.first).to_contain_text("Injection sous-cutanée")
    shot("semaine-2-recherche")
    keys.press("Enter")
    expect(cell(page, "Orsini", DAYS[1])).to_have_text("AMI 2,02 + AMI 1")
    # a search given up, and the next key at once: nothing breaks
    keys.type("ami")
    expect(page.locator(".o_rw_search")).to_be_visible()
    keys.press("Escape")
    keys.press("Home")
    expect(cell(page, "Orsini", DAYS[0])).to_have_attribute("aria-selected", "true")

    # an evening passage that no plan knows: a second long infusion, from Tuesday to Friday
    keys.press("+")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox").fill("Ramondou")
    dialog.get_by_role("searchbox").press("Enter")
    dialog.locator(".o_data_row", has_text="Ramondou").first.click()
    expect(dialog).to_have_count(0)
    for day in DAYS[1:5]:
        cell(page, "Ramondou", day, passage=2).click()
        keys.type("AMI 14")
        expect(hits.first).to_contain_text("AMI 14")
        keys.press("Enter")
        expect(cell(page, "Ramondou", day, passage=2)).to_have_text("AMI 14")
    keys.press("h")
    keys.type("1830")
    keys.press("Enter")
    expect(row_of(page, "Ramondou", 2).locator(".o_rw_hour")).to_have_text("18:30")

    # the rest of the week is done
    for day in DAYS[1:]:
        cell(page, "Cazenove", day).first.click()
        keys.press("t")
        expect(said).to_contain_text("passages faits")
        expect(cell(page, "Cazenove", day).first.locator(".o_rw_done")).to_be_visible()
    expect(foot).to_contain_text("162 / 162")  # 155 + 3 dressings + 4 infusions
    expect(page.locator(".o_rw_said .fa-spin")).to_have_count(0)
    # plans 2 620,50; Sunday's dressings: 2 × (AMI 2,02 6,77 + IFD 2,75) + Pontac (9,52 + IK 1,75) = 30,31;
    # half an AMI 1: 1,68; four times AMI 14 46,90 + IFD 2,75 + IK 1,26 = 203,64
    expect(page.locator("tfoot .o_rw_name .o_rw_euros")).to_contain_text("856,13")
    assert euros_of_week(page) == "2 856,13 €"
    shot("semaine-3-faite")

    # billed: Ctrl+Enter, and Enter on the question
    keys.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("162 passages de Élodie Marchand")
    shot("semaine-4-facturer")
    keys.press("Enter")
    expect(page.locator(".o_list_view")).to_be_visible(timeout=60_000)
    expect(page.locator(".o_data_row")).to_have_count(25)
    shot("semaine-5-fse")
    totals = {
        words(row.locator("[name=patient_id]").inner_text()): words(
            row.locator("[name=amount_total]").inner_text()
        )
        for row in page.locator(".o_data_row").all()
    }
    # one subcutaneous injection a day, practice in town: AMI 1 3,35 + MAU 1,35 + IFD 2,75 = 7,45;
    # 7 × 7,45 = 52,15; Sunday, ordered daily: + 8,50
    assert totals["Corbier Théo"] == "60,65 €"
    # insulin twice a day, 3,5 km: two AMI 1 at the full rate (art. 5 bis) 6,70 + IFD 2,75
    # + IK (3,5 − 2) × 2 = 3 km × 0,35 = 1,05: 10,50; 14 × 10,50 = 147,00; Sunday 2 × 8,50 = 17,00
    assert totals["Cazenove Raymond"] == "164,00 €"
    # heavy dressing three times, 5 km: AMI 4 13,40 + MCI 5,00 + IFD 2,75 + IK (5 − 2) × 2 × 0,35 = 2,10: 23,25
    assert totals["Combaz Gabriel"] == "69,75 €"
    # package and injection: BSC 28,70 + half an AMX 1 1,68 + IFI 2,75 = 33,13; × 7 = 231,91; Sunday 8,50
    assert totals["Brassac René"] == "240,41 €"
    # dressing five times: AMI 2,02 6,77 (2,02 × 3,35 = 6,767) + IFD 2,75 = 9,52; no daily order: no Sunday surcharge
    assert totals["Savignac Paul"] == "47,60 €"
    # the same, and half of an AMI 1 on Tuesday (article 11 B): 1,675, hence 1,68
    assert totals["Orsini Nathan"] == "49,28 €"
    assert sum(map(cents, totals.values())) == 285613  # what the week said

    # Orsini: the typed act is on no prescription, which blocks; the biller completes the prescription
    screens.open_row("Orsini")
    injection = page.locator("[name=act_ids] .o_data_row", has_text="Injection sous-cutanée")
    assert words(injection.locator("[name=amount]").inner_text()) == "1,68 €"
    expect(page.locator("[name=act_ids] .o_data_row", has_text="IFD")).to_have_count(5)
    finding = page.locator("[name=open_finding_ids] .o_data_row")
    expect(finding).to_contain_text("Bloquant")
    expect(finding).to_contain_text("GEN-01")
    expect(finding).to_contain_text("NGAP 21/06/2026 DG art.5 c")
    shot("semaine-6-fse-bloquee")
    screens.press("Valider")
    expect(page.get_by_role("dialog")).to_contain_text("ne prescrit pas cet acte")
    shot("semaine-7-refus")
    page.get_by_role("dialog").get_by_role("button", name="Fermer").last.click()
    complete_prescription(page, screens, "Injection sous-cutanée")
    screens.press("Calculer et contrôler")
    expect(finding).to_have_count(0)
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    # common law 60 %, act by act: 5 × (6,77 → 4,06; 2,75 → 1,65) + 1,68 → 1,01 = 29,56; the insurer the rest
    assert screens.shares() == {"AMO": "29,56 €", "AMC": "19,72 €"}
    shot("semaine-8-parts")

    # Cazenove: lines with travel and the Sunday surcharge; all of it for the fund
    back(page)
    screens.open_row("Cazenove")
    screens.tab("Actes")
    letters = page.locator("[name=act_ids] .o_data_row [name=key_letter]")
    expect(letters.filter(has_text=re.compile("^IK$"))).to_have_count(14)
    expect(letters.filter(has_text="IFD")).to_have_count(14)
    sunday = page.locator("[name=act_ids] .o_data_row").filter(has_text="Dimanche")
    expect(sunday).to_have_count(2)
    # AMI 1 3,35 + 8,50
    assert {words(text) for text in sunday.locator("[name=amount]").all_inner_texts()} == {
        "11,85 €"
    }
    shot("semaine-9-dimanche", full=True)
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    assert screens.shares() == {"AMO": "164,00 €"}

    # Ramondou: a second long infusion of the day is AMI 4,1 (secondary source: a warning)
    back(page)
    screens.open_row("Ramondou")
    screens.tab("Actes")
    warning = page.locator("[name=open_finding_ids] .o_data_row")
    expect(warning).to_have_count(4)
    expect(warning.first).to_contain_text("INF-19")
    expect(warning.first).to_contain_text("CIR-9/2025")
    shot("semaine-10-avertissements")
    # one click takes what is proposed: AMI 14 46,90 becomes AMI 4,1 13,74 (13,735)
    warning.first.get_by_role("button", name="Appliquer").click()
    expect(warning).to_have_count(3)
    expect(page.locator("[name=act_ids] .o_data_row", has_text="AMI 4,1")).to_have_count(1)
    # one passes with a reason, then the two others at once
    for alike in (False, True):
        warning.first.get_by_role("button", name="Passer").click()
        dialog = page.get_by_role("dialog")
        dialog.locator("[name=reason] input").fill("Deux perfusions distinctes, ordonnance vue")
        if alike:
            dialog.locator("[name=with_alike] input").check()
            shot("semaine-11-semblables")
        dialog.get_by_role("button", name="Passer avec ce motif").click()
        expect(dialog).to_have_count(0)
        if not alike:
            expect(warning).to_have_count(2)
    expect(warning).to_have_count(0)
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    # 9 × 50,91 = 458,19; − 46,90 + 13,74; exempt (ALD): the fund pays all
    assert screens.shares() == {"AMO": "425,03 €"}

    # the others are validated together; what is left of the week agrees
    back(page)
    expect(page.locator(".o_data_row")).to_have_count(25)
    page.locator("thead .o_list_record_selector input").check()
    screens.press("Valider")
    expect(page.locator(".o_data_row", has_text="À transmettre")).to_have_count(25)
    total = sum(
        cents(text) for text in page.locator(".o_data_row [name=amount_total]").all_inner_texts()
    )
    assert total == 285613 - 4690 + 1374
    shot("semaine-12-validees")

    # once more: the week is locked, a second click bills nothing
    screens.open("semaine")
    to_week(page, "Élodie Marchand")
    expect(page.locator(".o_rw_billed .fa-lock").first).to_be_visible()
    keys.press("Control+Enter")
    expect(page.locator(".o_notification")).to_contain_text(
        "Aucun passage fait et non facturé cette semaine"
    )
    expect(page.get_by_role("dialog")).to_have_count(0)
    shot("semaine-13-facturee")


def back(page):
    """To the list the form was opened from."""
    page.locator(".o_breadcrumb .o_back_button, .breadcrumb-item a").last.click()
    expect(page.locator(".o_list_view")).to_be_visible(timeout=30_000)


def complete_prescription(page, screens, act):
    """Add an act to the prescription of the FSE that is open, and come back."""
    number = page.locator(".o_last_breadcrumb_item, .o_breadcrumb .active").first.inner_text()
    field = screens.field("prescription_id")
    field.locator("input").focus()
    field.locator(".o_external_button").click()
    form = page.locator(".o_form_view:has([name=mention_daily])")
    form.get_by_role("button", name="Ajouter une ligne").click()
    form.locator("[name=act_ids] [name=product_id] input").fill(act)
    page.locator(".o-autocomplete--dropdown-item", has_text=act).first.click()
    screens.settled()
    page.locator(".o_breadcrumb").get_by_text(number.strip()).first.click()
    expect(page.locator(".o_form_view [name=act_ids] [name=act_date]").first).to_be_visible()


def bill_visits(page, screens, patient, count):
    """Bill the visits of one patient from the list of visits, and open the FSE made."""
    screens.open("passages")
    screens.search(patient)
    expect(page.locator(".o_data_row")).to_have_count(count)
    page.locator("thead .o_list_record_selector input").check()
    screens.press("Facturer")
    expect(page.locator(".o_breadcrumb")).to_contain_text("FSE de ces passages")
    expect(page.locator(".o_data_row")).to_have_count(1)
    screens.open_row(patient)


def new_fse(page, screens, patient, day, act, minutes="0900"):
    """An FSE typed by hand, without a mouse but for “Nouveau”."""
    screens.open("fse")
    screens.press("Nouveau")
    keys = page.keyboard
    expect(page.locator(".o_form_view [name=patient_id] input")).to_be_focused()
    expect(page.locator(".o_form_view [name=company_id] input")).to_have_value("")
    expect(page.locator(".o_form_view [name=franchise_note]")).to_have_count(0)
    keys.type(patient)
    expect(page.locator(".o-autocomplete--dropdown-item", has_text=patient)).to_be_visible()
    keys.press("Enter")
    # the practitioner is the patient's
    expect(page.locator(".o_form_view [name=company_id] input")).not_to_have_value("")
    screens.settled()
    for _ in range(2):
        keys.press("Tab")
    date = page.locator(".o_form_view [name=fse_date] input")
    expect(date).to_be_focused()
    keys.press("Control+a")
    keys.type(day)
    keys.press("Tab")
    screens.settled()
    page.get_by_role("button", name="Ajouter une ligne").focus()
    keys.press("Enter")
    expect(page.locator("[name=act_ids] [name=act_date] input")).to_be_focused()
    keys.press("Tab")
    keys.type(minutes)
    for _ in range(3):
        keys.press("Tab")
    expect(page.locator("[name=act_ids] [name=product_id] input")).to_be_focused()
    keys.type(act)
    expect(page.locator(".o-autocomplete--dropdown-item", has_text=act).first).to_be_visible()
    keys.press("Enter")
    screens.settled()
    keys.press("Alt+k")
    screens.settled()
    expect(page.locator(".o_form_view [name=name]").first).to_contain_text("*")


def test_physiotherapy_with_agreement(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    # asked on 19 October, received on the 21st, no answer: agreed from 6 November
    screens.open("accords")
    screens.search("Nogent Odette")
    expect(screens.row("Nogent Odette")).to_contain_text("Accordé par silence")
    shot("kine-1-accord")
    bill_visits(page, screens, "Nogent Odette", 4)
    expect(page.locator("[name=act_ids] .o_data_row")).to_have_count(4)
    assert not {"GEN-03", "MK-06"} & set(screens.findings())
    # four sessions: RSC 8,09 × 2,21 = 17,88 (17,8789)
    assert {
        words(t) for t in page.locator("[name=act_ids] [name=amount].o_data_cell").all_inner_texts()
    } == {"17,88 €"}
    shot("kine-2-fse")
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    # 60 % of 17,88: 10,73 (10,728); 4 × 10,73; the insurer 71,52 − 42,92
    assert screens.shares() == {"AMO": "42,92 €", "AMC": "28,60 €"}

    # a session before the agreement: typed by hand, it blocks
    new_fse(page, screens, "Nogent Odette", "04/11/2026", "RSC 8,09")
    blocking = page.locator("[name=open_finding_ids] .o_data_row", has_text="Bloquant")
    expect(blocking.filter(has_text=re.compile("GEN-03|MK-06"))).to_have_count(1)
    shot("kine-3-avant-accord")
    screens.press("Valider")
    expect(page.get_by_role("dialog")).to_contain_text("Non validé")
    page.get_by_role("dialog").get_by_role("button", name="Fermer").last.click()


def test_speech_therapy_assessment_and_series(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    bill_visits(page, screens, "Lescure Denise", 4)
    shot("orthophonie-1-fse")
    # AMO 34,01 × 2,60 = 88,43 (88,426); AMO 12,1 × 2,60 = 31,46
    amounts = page.locator("[name=act_ids] [name=amount].o_data_cell").all_inner_texts()
    assert sorted(map(words, amounts)) == ["31,46 €", "31,46 €", "31,46 €", "88,43 €"]
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    # 60 %: 53,06 (53,058) + 3 × 18,88 (18,876) = 109,70; total 182,81
    assert screens.shares() == {"AMO": "109,70 €", "AMC": "73,11 €"}
    shot("orthophonie-2-parts")
    # the next session of the series, typed by hand
    new_fse(page, screens, "Lescure Denise", "20/11/2026", "AMO 12,1")
    expect(page.locator("[name=open_finding_ids] .o_data_row", has_text="Bloquant")).to_have_count(
        0
    )
    page.keyboard.press("Alt+v")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    assert screens.shares() == {"AMO": "18,88 €", "AMC": "12,58 €"}
    shot("orthophonie-3-a-la-main")


def test_orthoptics(page, base_url, log_in, screens, errors, shot):
    log_in("facturiere")
    bill_visits(page, screens, "Vitrac Paulette", 3)
    # assessment AMY 15 × 2,60 = 39,00; two sessions AMY 7,7 × 2,60 = 20,02
    amounts = page.locator("[name=act_ids] [name=amount].o_data_cell").all_inner_texts()
    assert sorted(map(words, amounts)) == ["20,02 €", "20,02 €", "39,00 €"]
    shot("orthoptie-1-fse")
    screens.press("Valider")
    expect(page.locator(".o_arrow_button_current")).to_have_text("À transmettre")
    # 60 %: 23,40 + 2 × 12,01 (12,012) = 47,42; total 79,04
    assert screens.shares() == {"AMO": "47,42 €", "AMC": "31,62 €"}
