"""A large journal, then its return, worked by two real Odoo processes, one of them killed in the middle.

The end must be that of a single run in one process: no line lost, none doubled.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import psycopg2
import pytest

from norms import codec, noemie

HERE = Path(__file__).parent
AGENCY = json.loads((HERE.parents[1] / "data" / "demo" / "agency.json").read_text())
DAY = date.fromisoformat(AGENCY["demo_date"])
COLUMNS = (
    "provider_no;fse_no;lot_no;kind;fse_date;sent_on;nir;birth_rank;last_name;first_name;birth_date;"
    "insurance_nature;exemption;act_date;key_letter;coefficient;quantity;act_amount;amo_org;amo_rate;amo_amount;"
    "amc_org;amc_member;amc_amount;patient_amount"
).split(";")
PER_PRACTITIONER = 12
#: as Odoo connects
CONNECTION = {
    key: value
    for key, name in (("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"))
    if (value := os.environ.get(name))
}
ONE, TWO = os.environ["FACTURIERE_JOBS_DBS"].split()


STATE = {
    "fse": """SELECT c.health_provider_no, f.name, f.amount_total::numeric(12,2)::text, f.state FROM health_fse f
        JOIN res_company c ON c.id = f.company_id""",
    "shares": """SELECT c.health_provider_no, f.name, s.debtor_kind, s.amount::numeric(12,2)::text, s.state,
        s.amount_residual::numeric(12,2)::text FROM health_share s JOIN health_fse f ON f.id = s.fse_id
        JOIN res_company c ON c.id = f.company_id""",
    "settlements": """SELECT c.health_provider_no, s.key, s.state, count(l.id), sum(l.paid)::numeric(12,2)::text
        FROM health_settlement s JOIN res_company c ON c.id = s.company_id
        LEFT JOIN health_settlement_line l ON l.settlement_id = s.id GROUP BY 1, 2, 3""",
    "ledger": """SELECT c.health_provider_no, a.code_store::text, count(*), sum(l.balance)::numeric(12,2)::text
        FROM account_move_line l JOIN res_company c ON c.id = l.company_id
        JOIN account_account a ON a.id = l.account_id WHERE l.parent_state = 'posted' GROUP BY 1, 2""",
    "patients": """SELECT c.health_provider_no, p.health_nir, count(*) FROM res_partner p
        JOIN res_company c ON c.id = p.company_id WHERE p.health_kind = 'patient' GROUP BY 1, 2""",
    "payers": """SELECT health_kind, health_org_no, count(*) FROM res_partner WHERE health_org_no IS NOT NULL
        GROUP BY 1, 2""",
    "inbox": "SELECT filename, state, counts::text FROM health_inbox WHERE state IN ('queued', 'done', 'review')",
    "jobs": "SELECT id, state FROM queue_job",
    "parts": """SELECT i.filename, c.health_provider_no, p.state FROM health_inbox_part p
        JOIN health_inbox i ON i.id = p.inbox_id JOIN res_company c ON c.id = p.company_id""",
}


def recorded(database):
    """Everything that was recorded, in an order that no sequence decides."""
    found = {}
    with psycopg2.connect(dbname=database, **CONNECTION) as connection, connection.cursor() as cr:
        for name, query in STATE.items():
            cr.execute(query)
            found[name] = sorted(json.loads(json.dumps(cr.fetchall())), key=repr)
    return found


def claims():
    """FSE of every practitioner of the demo agency, all on one new fund and one new insurer."""
    rng = random.Random(4)
    letters = {"infirmier": "AMI", "masseur-kinesitherapeute": "AMK", "kinesitherapeute": "AMK"}
    rows = []
    for practitioner in AGENCY["practitioners"]:
        for number in range(PER_PRACTITIONER):
            nir = f"2{rng.randrange(40, 99)}01999990{number % 15:02d}"
            amo, amc = rng.randrange(500, 3000), rng.randrange(100, 900)
            rows.append(
                {
                    "provider_no": practitioner["provider_no"],
                    "fse_no": f"8{number:06d}",
                    "lot_no": "801",
                    "kind": "F",
                    "fse_date": DAY - timedelta(days=9),
                    "sent_on": DAY - timedelta(days=8),
                    "nir": nir[:13].ljust(13, "1"),
                    "birth_rank": 1,
                    "last_name": f"JOBS{number % 15}",
                    "first_name": "Test",
                    "birth_date": "1970-01-01",
                    "insurance_nature": 10,
                    "act_date": DAY - timedelta(days=9),
                    "key_letter": letters.get(practitioner["profession"], "AMI"),
                    "coefficient": 4,
                    "quantity": 1,
                    "act_amount": f"{(amo + amc) / 100:.2f}",
                    "amo_org": "017770000",
                    "amo_rate": 60,
                    "amo_amount": f"{amo / 100:.2f}",
                    "amc_org": "0077777777",
                    "amc_member": "X1",
                    "amc_amount": f"{amc / 100:.2f}",
                    "patient_amount": "0.00",
                    "cents": (amo, amc),
                }
            )
    return rows


def journal(rows):
    lines = [";".join(COLUMNS)] + [
        ";".join(str(row.get(key, "")) for key in COLUMNS) for row in rows
    ]
    return "\n".join(lines).encode()


def payments(rows):
    """One return that pays every practitioner; some parts refused, so that rejections are learnt too."""
    settlements = {}
    for index, row in enumerate(rows):
        settlement = settlements.setdefault(
            row["provider_no"],
            noemie.Settlement(
                payee_no=row["provider_no"].zfill(15),
                transfer_date=DAY - timedelta(days=2),
                label1="CPAM JOBS",
                label2=f"VIR {row['provider_no']}",
                payer="01777",
            ),
        )
        amo = row["cents"][0]
        refused = index % 9 == 0
        settlement.invoices.append(
            noemie.InvoiceReturn(
                invoice_no=row["fse_no"].zfill(9),
                lot_no="801",
                lot_date=DAY - timedelta(days=8),
                nir=row["nir"],
                last_name=row["last_name"],
                first_name="TEST",
                birth_date=date(1970, 1, 1),
                parts=[noemie.Part("amo", amo, "R" if refused else "P", 0 if refused else amo)],
                reasons=[noemie.Reason("7777", "Motif jamais vu", "F", "amo")] if refused else [],
            )
        )
    file = noemie.NoemieFile(
        sender_no="00000001777000",
        dest_no="0",
        file_id="JOBS01",
        created_on=DAY,
        settlements=list(settlements.values()),
    )
    return noemie.write(file)


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(HERE / "process.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process, seconds=600):
    out, errors = process.communicate(timeout=seconds)
    assert process.returncode == 0, errors[-3000:]
    return out


def test_two_workers_one_killed_end_like_a_single_run(tmp_path):
    rows = claims()
    files = [tmp_path / "gros-journal.csv", tmp_path / "gros-retour.noe"]
    files[0].write_bytes(journal(rows))
    files[1].write_bytes(payments(rows))
    files = [str(path) for path in files]
    marker, stop = tmp_path / "hanging", tmp_path / "stop"
    single = start(ONE, "now", *files)
    # the victim has written all of a part and committed nothing when it is killed; the other worker goes on
    survivor = start(TWO, "work", str(stop))
    victim = start(TWO, "hang", str(marker), files[0])
    second = None
    try:
        deadline = time.monotonic() + 600
        while not marker.exists():
            assert victim.poll() is None, victim.communicate()[1][-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        practitioners = len(AGENCY["practitioners"])
        while [part[-1] for part in recorded(TWO)["parts"]] != ["done"] * practitioners:
            assert survivor.poll() is None, survivor.communicate()[1][-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.5)
        # the return, by two workers that both live
        second = start(TWO, "queue", files[1])
        told = end(second)
        stop.touch()
        performed = int(told.split()[-1]) + int(end(survivor).split()[-1])
        assert " done " in end(single)
    finally:
        for process in (victim, survivor, second, single):
            if process and process.poll() is None:
                process.kill()
    assert " queued " in told
    assert performed >= 2 * 2 * practitioners  # what met another worker was tried again

    one, two = recorded(ONE), recorded(TWO)
    assert not one.pop("parts")
    assert not one.pop("jobs")
    # each part and its call to close the file, once; the part of the victim too
    assert [job[-1] for job in two.pop("jobs")] == ["done"] * 2 * 2 * practitioners
    parts = two.pop("parts")
    assert [part[-1] for part in parts] == ["done"] * 2 * practitioners
    for name in one:
        assert one[name] == two[name], name
    assert len([fse for fse in two["fse"] if len(fse[1]) == 7 and fse[1][0] == "8"]) == len(rows)


@pytest.mark.parametrize("name", ["198", "999"])
def test_the_return_of_this_test_is_sound(name):
    raw = payments(claims())
    assert noemie.read(raw)[0].expected > 0
    assert codec.layout("noemie").get(name)
