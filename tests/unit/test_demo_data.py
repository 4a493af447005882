"""The demo agency's files: reproducible, internally right, and holding every case they promise.

The figures are read again from the files, as a product would, and compared with the expected truth.
"""

import csv
import importlib.util
import json
import math
import re
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "data" / "demo"
sys.path.insert(0, str(ROOT / "addons" / "health_sesam"))

from norms import envelope, noemie  # noqa: E402

CAMT = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"}
TODAY = date(2026, 11, 20)


def load(path):
    """The rows of a CSV of the demo as dicts."""
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def cents(text):
    return int(Decimal(text) * 100)


def luhn_ok(number):
    digits = [int(char) for char in reversed(number)]
    return not sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("demo_generate", DEMO / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def agency():
    return json.loads((DEMO / "agency.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def expected():
    return json.loads((DEMO / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows(agency):
    return [row for name in agency["files"]["fse"] for row in load(DEMO / name)]


@pytest.fixture(scope="module")
def fses(rows):
    """(provider, FSE number) -> rows, without the FSE that a broken row keeps out."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["provider_no"], row["fse_no"]].append(row)
    return {key: group for key, group in groups.items() if not any(map(difference, group))}


@pytest.fixture(scope="module")
def returns(agency):
    """Name -> files read by the codec."""
    return {name: noemie.read((DEMO / name).read_bytes()) for name in agency["files"]["noemie"]}


@pytest.fixture(scope="module")
def statements(agency):
    return {Path(name).stem: ET.parse(DEMO / name).getroot() for name in agency["files"]["bank"]}


def difference(row):
    """Cents by which the shares of a row miss its fee."""
    shares = sum(cents(row[part]) for part in ("amo_amount", "amc_amount", "patient_amount"))
    return cents(row["act_amount"]) - shares


def total(group, column):
    return sum(cents(row[column]) for row in group)


def settlements_of(returns):
    return [s for files in returns.values() for file in files for s in file.settlements]


def entries_of(statement):
    for entry in statement.iterfind(".//c:Ntry", CAMT):
        sign = 1 if entry.findtext("c:CdtDbtInd", namespaces=CAMT) == "CRDT" else -1
        yield {
            "cents": sign * cents(entry.findtext("c:Amt", namespaces=CAMT)),
            "date": date.fromisoformat(entry.findtext("c:BookgDt/c:Dt", namespaces=CAMT)),
            "ref": entry.findtext("c:AcctSvcrRef", namespaces=CAMT),
            "end_to_end": entry.findtext(".//c:EndToEndId", namespaces=CAMT),
            "label": entry.findtext(".//c:Ustrd", namespaces=CAMT),
        }


# ------------------------------------------------------------------------------- reproducible


def test_committed_files_are_what_the_generator_makes(generator):
    assert generator.differences() == []


def test_check_names_a_changed_and_a_superfluous_file(generator, tmp_path, monkeypatch, capsys):
    for name, content in generator.build().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(generator, "HERE", tmp_path)
    assert generator.main(["--check"]) == 0
    (tmp_path / "patients.csv").write_bytes(b"")
    (tmp_path / "noemie" / "old.noe").write_bytes(b"")
    assert generator.main(["--check"]) == 1
    printed = capsys.readouterr().out
    assert "patients.csv" in printed and "noemie/old.noe" in printed
    assert generator.main([]) == 0
    assert not (tmp_path / "noemie" / "old.noe").exists()
    assert generator.differences() == []


# -------------------------------------------------------------------------------- identifiers


def test_practitioners_identifiers_have_valid_keys(agency):
    assert len(agency["practitioners"]) == 4
    assert len({who["profession"] for who in agency["practitioners"]}) == 4
    for who in agency["practitioners"]:
        for key, size in (("provider_no", 9), ("siren", 9), ("rpps", 11)):
            assert re.fullmatch(rf"\d{{{size}}}", who[key]) and luhn_ok(who[key]), (who, key)
        iban = who["iban"]
        moved = iban[4:] + iban[:4]
        assert len(iban) == 27 and iban.startswith("FR")
        assert int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
        bank, branch, account, key = iban[4:9], iban[9:14], iban[14:25], iban[25:]
        assert (89 * int(bank) + 15 * int(branch) + 3 * int(account) + int(key)) % 97 == 0
        assert bank == "99999" and who["email"].endswith("@example.org")
    assert luhn_ok(agency["agency"]["siren"])


def test_payers(agency):
    assert len(agency["funds"]) == 5 and len(agency["insurers"]) == 4
    assert all(re.fullmatch(r"\d{5}", fund["org_no"]) for fund in agency["funds"])
    assert all(re.fullmatch(r"\d{10}", one["org_no"]) for one in agency["insurers"])
    assert {fund["org_no"][:2] for fund in agency["funds"]} == {"01", "02", "08"}
    assert {one["paid_with_fund"] for one in agency["insurers"]} == {True, False}
    assert {user["role"] for user in agency["users"]} == {
        "biller",
        "manager",
        "accountant",
        "practitioner",
    }


def test_nir_are_synthetic_and_their_written_key_is_right(rows, returns):
    for row in rows:
        assert re.fullmatch(r"[12]\d{4}(99|2A|2B)999\d{3}", row["nir"])
    assert {row["nir"][5:7] for row in rows} == {"99", "2A", "2B"}
    text = "".join(
        envelope.unwrap((DEMO / name).read_bytes())[0].decode("latin-1")
        for name, files in returns.items()
        if files[0].framing == "flat"  # a block of the other framing may cut a number
    )
    written = re.findall(r"103\d\d([12]\d{4}(?:99|2A|2B)999\d{3})(\d\d)", text)
    assert written
    for nir, key in written:
        number = int(nir.replace("2A", "19").replace("2B", "18"))
        assert int(key) == 97 - number % 97


def test_prescribers_have_valid_keys(rows, agency):
    numbers = {row["prescriber_no"] for row in rows} - {""}
    assert numbers == {one["prescriber_no"] for one in agency["prescribers"]}
    assert all(len(number) == 9 and luhn_ok(number) for number in numbers)


def test_contacts_are_fictitious_and_belong_to_billed_patients(rows):
    billed = {(row["provider_no"], row["nir"], row["birth_date"]) for row in rows}
    contacts = load(DEMO / "patients.csv")
    found = {(one["provider_no"], one["nir"], one["birth_date"]) for one in contacts}
    assert found == billed and len(contacts) == len(billed)
    assert all(not one["email"] or one["email"].endswith("@example.org") for one in contacts)
    assert all(one["phone"].startswith("06 39 98") for one in contacts)
    assert {bool(one["email"]) for one in contacts} == {True, False}


# --------------------------------------------------------------------------------- FSE journal


def test_only_the_deliberately_broken_rows_do_not_add_up(rows, expected):
    broken = {row["fse_no"]: difference(row) for row in rows if difference(row)}
    listed = {no for one in expected["practitioners"] for no in one["fse"]["to_review"]}
    assert set(broken) == listed and len(broken) == 3
    assert len({row["provider_no"] for row in rows if row["fse_no"] in broken}) == 1


def test_every_fee_is_coefficient_by_value_by_quantity(rows, agency):
    values = defaultdict(list)
    with open(ROOT / "data" / "ngap" / "ngap_values.csv", encoding="utf-8", newline="") as stream:
        for value in csv.DictReader(stream):
            if value["zone"] == "metropole":
                values[value["key_letter"]].append(value)
    suffix = {"kinesitherapeute": "kine", "orthophoniste": "ortho"}
    trade = {who["provider_no"]: who["profession"] for who in agency["practitioners"]}
    for row in rows:
        letter = row["key_letter"]
        own = f"{letter}_{suffix.get(trade[row['provider_no']])}"
        [value] = [
            Decimal(value["value_eur"])
            for value in values.get(own) or values[letter]
            if value["valid_from"] <= row["act_date"] <= (value["valid_to"] or "9999")
        ]
        fee = value * Decimal(row["coefficient"]) * int(row["quantity"])
        assert Decimal(row["act_amount"]) == fee.quantize(Decimal("0.01"), ROUND_HALF_UP), row


def test_the_nurses_letter_changes_value_on_6_november(rows):
    fees = {
        (row["act_date"] >= "2026-11-06", row["act_amount"])
        for row in rows
        if row["key_letter"] == "AMI" and row["coefficient"] == "1"
    }
    assert fees == {(False, "3.15"), (True, "3.35")}


def test_acts_and_dates_are_plausible(rows):
    for row in rows:
        assert "2026-09-21" <= row["act_date"] <= row["fse_date"] <= "2026-11-19"
        assert date.fromisoformat(row["act_date"]).weekday() != 6
        assert row["act_date"] != "2026-11-11"
        assert not row["prescription_date"] or row["prescription_date"] < row["act_date"]
        assert not row["sent_on"] or row["fse_date"] <= row["sent_on"]
        assert bool(row["sent_on"]) == bool(row["lot_no"])
        assert re.fullmatch(r"\d{3}|", row["lot_no"]) and len(row["fse_no"]) <= 9
        assert re.fullmatch(r"\d{9}", row["amo_org"])


def test_all_but_the_last_two_days_are_sent(rows):
    assert {row["fse_date"] for row in rows if not row["sent_on"]} == {"2026-11-18", "2026-11-19"}
    assert max(row["fse_date"] for row in rows if row["sent_on"]) < "2026-11-18"


def test_an_fse_has_one_patient_lot_and_payer(rows):
    acts = (
        "act_date",
        "key_letter",
        "coefficient",
        "quantity",
        "complement",
        "act_amount",
        "amo_amount",
        "amc_amount",
        "patient_amount",
    )
    heads = defaultdict(set)
    for row in rows:
        head = tuple(value for key, value in row.items() if key not in acts)
        heads[row["provider_no"], row["fse_no"]].add(head)
    assert {len(head) for head in heads.values()} == {1}


def test_every_cover_is_there(rows):
    covers = {(row["amo_rate"], row["exemption"], row["insurance_nature"]) for row in rows}
    assert {
        ("60", "0", "10"),
        ("100", "4", "10"),
        ("100", "0", "10"),
        ("90", "0", "13"),
        ("100", "0", "30"),
        ("100", "0", "41"),
    } == covers
    paid_by_patient = [row for row in rows if row["patient_amount"] == row["act_amount"]]
    assert paid_by_patient and all(row["amo_amount"] == "0.00" for row in paid_by_patient)


# ----------------------------------------------------------------------------------------- ARL


def test_every_lot_but_one_is_acknowledged_and_one_is_refused(rows, agency, expected):
    lots = {(r["provider_no"], r["lot_no"]): r["sent_on"] for r in rows if r["lot_no"]}
    arl = [row for name in agency["files"]["arl"] for row in load(DEMO / name)]
    answered = {(row["provider_no"], row["lot_no"]): row for row in arl}
    assert len(answered) == len(arl)
    negative = [key for key, row in answered.items() if row["result"] == "negatif"]
    missing = [key for key in lots if key not in answered]
    assert len(negative) == 1 and len(missing) == 1
    assert {row["result"] for row in arl} == {"positif", "negatif"}
    for key, row in answered.items():
        assert row["lot_date"] == lots[key] < row["date"] <= TODAY.isoformat()
    assert [
        (one["provider_no"], lot)
        for one in expected["practitioners"]
        for lot in one["lots"]["negative_arl"]
    ] == negative


# -------------------------------------------------------------------------------------- NOEMIE


def test_returns_read_back_without_a_warning(returns):
    framings = set()
    for name, files in returns.items():
        for file in files:
            assert not file.warnings and not file.unknown, name
            assert file.created_on < TODAY
            framings.add(file.framing)
    assert framings == {"flat", "wrapped"}
    heads = {(DEMO / name).read_bytes()[:2] for name in returns}
    assert b"\x1f\x8b" in heads and len(heads) > 1


def test_answers_name_billed_shares_and_never_pay_more(returns, fses):
    seen = set()
    for settlement in settlements_of(returns):
        for invoice in settlement.invoices:
            key = (settlement.provider_no, invoice.invoice_no)
            group = fses[key]
            assert invoice.nir == group[0]["nir"] and invoice.lot_no == group[0]["lot_no"]
            assert invoice.lot_date < settlement.transfer_date < TODAY
            for part in invoice.parts:
                assert part.asked == total(group, f"{part.part}_amount") > 0
                assert 0 <= part.paid <= part.asked
                assert (part.state, part.paid > 0) in {("P", True), ("R", False)}
                assert (part.state == "R") == any(r.part == part.part for r in invoice.reasons)
                assert (*key, part.part) not in seen
                seen.add((*key, part.part))


def test_references_are_unique(returns):
    references = [settlement.label2 for settlement in settlements_of(returns)]
    assert len(set(references)) == len(references)


# ---------------------------------------------------------------------------------------- bank


def test_balances_add_up(statements, expected):
    for one in expected["practitioners"]:
        statement = statements[one["provider_no"]]
        balances = {
            node.findtext(".//c:Cd", namespaces=CAMT): cents(
                node.findtext("c:Amt", namespaces=CAMT)
            )
            for node in statement.iterfind(".//c:Bal", CAMT)
        }
        entries = list(entries_of(statement))
        assert balances["OPBD"] + sum(e["cents"] for e in entries) == balances["CLBD"]
        assert balances["CLBD"] == one["bank"]["closing_cents"]
        assert statement.findtext(".//c:IBAN", namespaces=CAMT) == one["bank"]["iban"]
        assert [e["date"] for e in entries] == sorted(e["date"] for e in entries)


def test_every_entry_has_its_own_references_and_a_label(statements):
    entries = [entry for one in statements.values() for entry in entries_of(one)]
    for key in ("ref", "end_to_end"):
        assert len({entry[key] for entry in entries}) == len(entries)
    assert all(0 < len(entry["label"]) <= 140 for entry in entries)


def test_bank_labels_hold_a_whole_reference_or_none(statements, returns, expected):
    known = {settlement.label2 for settlement in settlements_of(returns)}
    labels = {e["ref"]: e["label"] for one in statements.values() for e in entries_of(one)}
    bare = 0
    for one in expected["practitioners"]:
        for credit in one["bank"]["explained"]:
            label = labels[credit["servicer_ref"]]
            if credit["evidence"] == "reference":
                assert credit["references"]
                assert all(reference in label for reference in credit["references"])
            elif credit["evidence"] == "fse_number":
                assert credit["fse_no"] in label
            else:
                bare += 1
                assert not any(reference in label for reference in known)
    assert bare


# --------------------------------------------------------------------- the truth, from the files


def test_counts_and_shares(fses, expected):
    for one in expected["practitioners"]:
        own = {no: group for (who, no), group in fses.items() if who == one["provider_no"]}
        assert one["fse"]["count"] == len(own)
        assert one["fse"]["rows"] == sum(map(len, own.values()))
        assert one["fse"]["cents"] == sum(total(group, "act_amount") for group in own.values())
        for part, share in one["shares"].items():
            amounts = [total(group, f"{part}_amount") for group in own.values()]
            assert share == {"count": sum(a > 0 for a in amounts), "cents": sum(amounts)}
            states = one["states"][part].values()
            assert sum(state["count"] for state in states) == share["count"]
            assert sum(state["cents"] for state in states) == share["cents"]
    assert expected["totals"]["fse"] == len(fses) == 303


def test_every_cent_of_the_bank_is_explained_or_queued(statements, returns, expected):
    amounts = {s.label2: s.expected for s in settlements_of(returns)}
    for one in expected["practitioners"]:
        bank = one["bank"]
        entries = {e["ref"]: e["cents"] for e in entries_of(statements[one["provider_no"]])}
        told = {e["servicer_ref"]: e["cents"] for e in bank["explained"] + bank["queued"]}
        assert told == entries
        assert len(told) == len(bank["explained"]) + len(bank["queued"])
        for credit in bank["explained"]:
            if credit["references"]:
                assert credit["cents"] == sum(amounts[r] for r in credit["references"])


def test_announced_received_and_rejected(returns, expected):
    by_provider = defaultdict(list)
    for settlement in settlements_of(returns):
        by_provider[settlement.provider_no].append(settlement)
    for one in expected["practitioners"]:
        own = by_provider[one["provider_no"]]
        landed = {r for credit in one["bank"]["explained"] for r in credit["references"]}
        paid, received = defaultdict(int), defaultdict(int)
        rejected, partial = defaultdict(int), set()
        for settlement in own:
            for invoice in settlement.invoices:
                for part in invoice.parts:
                    paid[part.part] += part.paid
                    received[part.part] += part.paid * (settlement.label2 in landed)
                    if part.state == "P" and part.paid < part.asked:
                        partial.add((invoice.invoice_no, part.part, part.asked - part.paid))
                for reason in invoice.reasons:
                    rejected[reason.code] += 1
        assert one["announced"]["amo"] == paid["amo"]
        assert one["announced"]["amc"] == paid["amc"]
        assert one["received"]["amo"] == received["amo"]
        assert one["received"]["amc"] == received["amc"]
        assert {code: r["count"] for code, r in one["rejections"].items()} == rejected
        assert {(p["fse_no"], p["part"], p["missing"]) for p in one["partials"]} == partial
        assert {s["reference"] for s in one["announced_not_received"]} == {
            s.label2 for s in own if s.label2 not in landed and s.expected
        }
        moved = [m.amount for s in own for m in s.movements]
        assert one["retentions_cents"] == sum(moved)
        assert one["lump_sums_cents"] == sum(lump.amount for s in own for lump in s.lumps)


def test_silence_is_a_sent_share_that_no_return_mentions(fses, returns, expected):
    answered = {
        (s.provider_no, invoice.invoice_no, part.part)
        for s in settlements_of(returns)
        for invoice in s.invoices
        for part in invoice.parts
    }
    rules = expected["rules"]
    prior = {"amo": rules["silent_amo_days"], "amc": rules["silent_amc_days"]}

    def payer(group, part):
        return group[0]["amo_org"][:5] if part == "amo" else group[0]["amc_org"]

    delays = {}
    for s in settlements_of(returns):
        for invoice in s.invoices:
            group = fses[s.provider_no, invoice.invoice_no]
            for part in invoice.parts:
                days = (s.transfer_date - date.fromisoformat(group[0]["sent_on"])).days
                key = (payer(group, part.part), group[0]["kind"], part.part)
                delays.setdefault(key, []).append(days)

    def usual(group, part):
        known = sorted(delays.get((payer(group, part), group[0]["kind"], part), []))
        if len(known) < rules["silent_samples"]:
            return prior[part]
        return known[math.ceil(len(known) * 0.9) - 1] + rules["silent_margin_days"]

    for one in expected["practitioners"]:
        for part in ("amo", "amc"):
            silent = [
                no
                for (who, no), group in fses.items()
                if who == one["provider_no"]
                and group[0]["sent_on"]
                and group[0]["lot_no"] not in one["lots"]["negative_arl"]
                and (TODAY - date.fromisoformat(group[0]["sent_on"])).days > usual(group, part)
                and total(group, f"{part}_amount")
                and (who, no, part) not in answered
            ]
            assert one["silent"][part]["fse_no"] == silent


def test_no_clock_falls_on_the_demo_day(fses):
    for group in fses.values():
        if group[0]["sent_on"]:
            age = (TODAY - date.fromisoformat(group[0]["sent_on"])).days
            assert age not in (10, 30)
        if total(group, "patient_amount"):
            assert (TODAY - date.fromisoformat(group[0]["fse_date"])).days not in (30, 40)


def test_reminders_wait_for_the_payers_and_need_an_address(expected):
    late = [row for one in expected["practitioners"] for row in one["overdue_patients"]]
    assert sum(row["reminder"] for row in late) == expected["totals"]["reminders"] > 4
    assert {row["why_not"] for row in late} == {"", "payer_part_open", "no_email"}
    for row in late:
        assert row["reminder"] == (not row["why_not"])
        assert not row["reminder"] or (row["email"] and row["days_overdue"] > 10)


CASES = """reject_rights_closed reject_exemption_unknown reject_already_paid reject_prescriber
reject_wrong_fund reject_amc_member partial_amo partial_amc partial_amc_with_fund notice
silence_amo silence_amc arl_negative arl_missing announced_not_received two_settlements
no_reference retention lump_sum credit_without_return nobody bank_fee patient_late
patient_late_no_email patient_late_guarded patient_pays amc_with_fund amc_apart
all_paid_by_patient alsace_moselle degraded corsica broken_row not_sent""".split()


def test_every_case_is_present_with_its_files(expected, rows):
    cases = {case["key"]: case for case in expected["cases"]}
    assert sorted(cases) == sorted(CASES)
    numbers = {row["fse_no"] for row in rows}
    readme = (DEMO / "README.md").read_text("utf-8")
    for key, case in cases.items():
        assert case["files"] and all((DEMO / name).is_file() for name in case["files"]), key
        assert case["title"] in readme
        assert set(case["fse_no"]) <= numbers
        if key not in ("lump_sum", "nobody", "bank_fee"):
            assert case["fse_no"], key
    queued = [e["reason"] for one in expected["practitioners"] for e in one["bank"]["queued"]]
    assert set(queued) == {"nobody", "no_return", "bank_fee"}
