"""Import of an FSE journal, beside the same shares entered as plain Odoo invoices.

5,000 rows (one act each) of which 1 % are broken go through ``health.inbox.ingest``: the good are in and posted, the
broken wait in review with row, column and reason, and a second import changes nothing. Then the same shares are made
as ordinary invoices (header and one line, posted) in one batch, and one by one: the yardsticks of the same run.
All figures are per 1,000 shares; the one-by-one way is timed on a part of them.
"""

import argparse
import sys
import time
from datetime import date, timedelta

from stdnum import luhn

import odoo
from odoo.modules.registry import Registry

HEADER = (
    "provider_no;fse_no;lot_no;kind;fse_date;sent_on;nir;birth_rank;last_name;first_name;birth_date;"
    "prescriber_no;prescription_date;act_date;key_letter;coefficient;quantity;act_amount;amo_org;amo_rate;"
    "amo_amount;amc_org;amc_member;amc_amount;patient_amount"
)
FIRST_DAY = date(2026, 9, 1)
#: how many times faster than the two plain ways the import must be
CPU = []  # seconds of Odoo's own processor time, one per timed step: what a busy machine does not change
TARGETS = {"batch": 3, "one by one": 9}


def practitioner(env, number="75690001"):
    provider_no = number + luhn.calc_check_digit(number)
    wizard = env["health.practitioner.setup"].create(
        {
            "name": "Banc d'essai",
            "profession": "infirmier",
            "provider_no": provider_no,
            "iban": "FR7630006000011234567890189",
            "email": "banc@example.org",
        }
    )
    wizard.action_setup()
    return wizard.company_id


def journal(company, rows, broken_every, sent=True):
    """Bytes of a journal of ``rows`` FSE of one act; every ``broken_every``-th does not add up. Also the shares."""
    lines, shares = [HEADER], []
    for index in range(rows):
        day = FIRST_DAY + timedelta(days=index % 60)
        who = index // 8
        amo, amc, patient = (756, 504, 0) if index % 3 else (756, 0, 504)
        broken = broken_every and index % broken_every == broken_every - 1
        number = f"{100000000 + index}"
        lines.append(
            f"{company.health_provider_no};{number};{index // 20 % 999 + 1:03d};F;{day};"
            f"{day + timedelta(days=1) if sent else ''};{1 + who % 2}{50 + who % 40}0{1 + who % 9}99{who % 1000:03d}"
            f"{who // 1000 + 1:03d};1;NOM{who};Prenom;19{50 + who % 40}-0{1 + who % 9}-15;"
            f"991000514;2026-08-30;{day};AMI;4;1;{'12.70' if broken else '12.60'};019990000;60;{amo / 100:.2f};"
            f"{'0099999999' if amc else ''};{'M1' if amc else ''};{amc / 100:.2f};{patient / 100:.2f}"
        )
        if not broken:
            shares += [
                (day, kind, cents)
                for kind, cents in (("amo", amo), ("amc", amc), ("patient", patient))
                if cents
            ]
    return ("\n".join(lines) + "\n").encode(), shares


def plain_vals(env, company, shares):
    """Ordinary customer invoices for the same debts, as a careful integrator would enter them."""
    Share = env["health.share"]
    partners = {
        kind: env["res.partner"].create({"name": f"Débiteur {kind}", "company_id": False})
        for kind in ("amo", "amc", "patient")
    }
    account = company._health_account("income").id
    return [
        {
            "move_type": "out_invoice",
            "partner_id": partners[kind].id,
            "invoice_date": day,
            "invoice_date_due": Share._due_date(kind, day),
            "journal_id": company._health_journal(kind).id,
            "invoice_line_ids": [
                (
                    0,
                    0,
                    {
                        "name": "FSE",
                        "quantity": 1,
                        "price_unit": cents / 100,
                        "account_id": account,
                        "tax_ids": [],
                    },
                )
            ],
        }
        for day, kind, cents in shares
    ]


def timed(env, work):
    env.flush_all()
    env.invalidate_all()
    env.cr.execute("ANALYZE")
    queries, start, cpu = env.cr.sql_log_count, time.perf_counter(), time.process_time()
    result = work()
    env.flush_all()
    spent = time.perf_counter() - start
    CPU.append(time.process_time() - cpu)
    return result, spent, env.cr.sql_log_count - queries


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--one-by-one", type=int, default=500, help="shares entered one by one")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--small", action="store_true", help="what CI runs: no target")
    options = parser.parse_args()
    if options.small:
        options.rows, options.one_by_one = 150, 20
    odoo.tools.config.parse_config(
        [f"--database={options.database}", "--log-level=error"], setup_logging=True
    )
    with Registry(options.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {"lang": "fr_FR"})
        problems = run(env, options)
        cr.rollback()
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    return 1 if problems else 0


def run(env, options):
    problems = []
    company = practitioner(env)
    env = env(context={**env.context, "allowed_company_ids": [env.company.id, company.id]})
    company = company.with_env(env)
    warm, _shares = journal(company, 50, 0)
    env["health.inbox"].ingest("warm.csv", warm.replace(b";1000000", b";9000000"))
    content, shares = journal(company, options.rows, 100)
    ingest = env["health.inbox"].ingest
    if options.profile:
        import cProfile
        import pstats

        profile = cProfile.Profile()
        profile.enable()
    inbox, seconds, queries = timed(env, lambda: ingest("journal.csv", content))
    if options.profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
    again, again_seconds, _queries = timed(env, lambda: ingest("journal-bis.csv", content + b"\n"))
    good = options.rows - options.rows // 100
    found = (
        inbox.counts["created"],
        len(inbox.issue_ids),
        again.counts["created"],
        again.counts["known"],
    )
    if found != (good, options.rows // 100, 0, good):
        problems.append(f"created, in review, created again, known again: {found}")
    if not all(issue.row and issue.column and issue.reason for issue in inbox.issue_ids):
        problems.append("a broken row lacks its row, column or reason")
    posted = env["health.share"].search_count(
        [
            ("company_id", "=", company.id),
            ("move_id.state", "=", "posted"),
            ("fse_id.inbox_id", "=", inbox.id),
        ]
    )
    if posted != len(shares):
        problems.append(f"{posted} shares posted instead of {len(shares)}")
    Move = env["account.move"].with_company(company)
    vals = plain_vals(env, company, shares)
    few = vals[: options.one_by_one]

    def batch():
        Move.create(vals).action_post()

    def one_by_one():
        for val in few:
            Move.create(val).action_post()

    _none, single_seconds, _queries = timed(env, one_by_one)
    _none, batch_seconds, _queries = timed(env, batch)
    per_thousand = {
        "import": seconds * 1000 / len(shares),
        "batch": batch_seconds * 1000 / len(shares),
        "one by one": single_seconds * 1000 / len(few),
    }
    print(
        f"{options.rows} rows, {good} FSE, {len(shares)} shares; broken rows in review: {len(inbox.issue_ids)}"
    )
    print(
        f"{'way':<24}{'seconds':>9}{'per 1,000 shares':>18}{'per 1,000 rows':>16}{'times slower':>14}"
    )
    for way, total in (
        ("import", seconds),
        ("batch", batch_seconds),
        ("one by one", single_seconds),
    ):
        ratio = per_thousand[way] / per_thousand["import"]
        rows = per_thousand[way] * len(shares) / good
        print(f"{way:<24}{total:>9.1f}{per_thousand[way]:>18.2f}{rows:>16.2f}{ratio:>14.1f}")
        if way in TARGETS:
            print(f"= import | times faster than {way} | {ratio:.1f} | {TARGETS[way]}")
        if way in TARGETS and ratio < TARGETS[way] and not options.small:
            problems.append(f"only {ratio:.1f} times faster than {way}, {TARGETS[way]} wanted")
    imported, _again, single, batched = CPU
    print(
        f"processor time of Odoo: import {imported:.1f} s, batch {batched:.1f} s, one by one {single:.1f} s"
    )
    print(f"second import: {again_seconds:.1f} s, nothing new; queries of the import: {queries}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
