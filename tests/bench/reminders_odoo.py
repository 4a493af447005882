"""A night of reminders over many open shares: guard, scale, bundling of households, lines, messages.

    bin/bench reminders             2,000 and 20,000 open shares of patients, and the growth per share
    bin/bench reminders --small     in seconds, as CI does
    bin/bench reminders --profile   and where the time goes

Four practitioners, households that one person settles for, every usual held situation (payer not settled, rejection,
stopped by a person, small sum, request to answer, credit of the bank nobody explained), people reached by e-mail, by
letter, by phone. Two nights are worked, 25 days apart, so that the second has a history to look at: shares that move
up the scale beside new ones. Costs are processor time, Odoo's and PostgreSQL's together; every size has a fresh copy
of the database and a process of its own.
"""

import argparse
import cProfile
import json
import os
import pstats
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from month_odoo import Clock, Steps

ROOT = Path(os.environ["FACTURIERE_ROOT"])
SIZES, SMALL = (2_000, 20_000), (200, 400)
#: cost per share at the large size over the small one
GROWTH = 1.1
PRACTITIONERS = 4
#: shares posted by the product; larger sizes are copies of them
BASE = 200
SEED = 20261122
#: an ordinary Tuesday, and the night of reminders before it
DAY, BEFORE = date(2026, 11, 17), date(2026, 10, 23)
IBANS = (
    "FR7630006000011234567890189",
    "FR7610107001011234567890129",
    "FR7630004000031234567890143",
    "FR1420041010050500013M02606",
)
SITUATIONS = {
    "free": 60,
    "amc_open": 14,
    "amc_rejected": 5,
    "stopped": 3,
    "small": 5,
    "asked": 2,
    "young": 11,
}
FIRST_NAMES = ("Anne", "Louis", "Jean", "Zoé", "Marie", "Paul", "Léa", "Hugo")


# -- the agency ---------------------------------------------------------------------------------------


def practitioners(env):
    companies = env["res.company"]
    for number in range(PRACTITIONERS + 1):
        wizard = env["health.practitioner.setup"].create(
            {
                "name": f"Cabinet {number}",
                "profession": "infirmier",
                "provider_no": _with_key(f"7569{number:04d}"),
                "iban": IBANS[number % len(IBANS)],
                "email": f"cabinet{number}@example.org",
            }
        )
        wizard.action_setup()
        companies |= wizard.company_id
    return companies


def _with_key(body):
    from stdnum import luhn

    return body + luhn.calc_check_digit(body)


def households(env, company, count, draw, tag):
    """Patients of one practitioner, about one per two shares, in households of one to four."""
    rows, sizes = [], []
    while len(rows) < max(1, count // 2):
        size = draw.choice((1, 1, 1, 1, 1, 2, 2, 3, 4))
        sizes.append(size)
        reach = draw.choices(("email", "letter", "phone", "wish"), (70, 18, 4, 8))[0]
        for member in range(size):
            number = f"{tag}{len(rows)}"
            head = member == 0
            rows.append(
                {
                    "name": f"{draw.choice(FIRST_NAMES)} {number}",
                    "health_kind": "patient",
                    "company_id": company.id,
                    "ref": f"R{number}",
                    "lang": "fr_FR",
                    "email": f"p{number}@example.org"
                    if head and reach in ("email", "wish")
                    else False,
                    "phone": "+33 1 23 45 67 89" if head and reach == "phone" else False,
                    "street": f"{number} rue Haute" if head and reach != "phone" else False,
                    "zip": "75001",
                    "city": "Paris",
                    "health_contact_channel": "letter" if head and reach == "wish" else False,
                }
            )
    people = env["res.partner"].with_context(tracking_disable=True).create(rows)
    start = 0
    for size in sizes:
        people[start + 1 : start + size].health_debtor_id = people[start]
        start += size
    return people


def shares_of(env, company, people, count, payers, draw, tag):
    """`count` open shares of patients, posted, in every situation; dict of share → situation."""
    rows, kinds = [], list(SITUATIONS)
    for number in range(count):
        situation = draw.choices(kinds, SITUATIONS.values())[0]
        # due 30 days after the care
        age = draw.randrange(31, 36) if situation == "young" else draw.randrange(45, 140)
        rows.append((situation, people[number % len(people)], DAY - timedelta(days=age), number))
    fses = env["health.fse"]
    for start in range(0, count, 2000):
        fses |= (
            env["health.fse"]
            .with_context(tracking_disable=True)
            .create(
                [
                    {
                        "name": f"{tag}{number:06d}",
                        "origin": "journal",
                        "company_id": company.id,
                        "patient_id": patient.id,
                        "fse_date": day,
                        "sent_on": day,
                        "lot_no": "001",
                        "amo_partner_id": payers["amo"].id,
                        "amc_partner_id": payers["amc"].id
                        if situation.startswith("amc")
                        else False,
                    }
                    for situation, patient, day, number in rows[start : start + 2000]
                ]
            )
        )
    values, situations = [], []
    Share = env["health.share"]
    for fse, (situation, patient, day, _number) in zip(fses, rows, strict=True):
        owed = 0.40 if situation == "small" else draw.randrange(500, 9000) / 100
        values.append(_share(fse, "patient", patient, owed, day))
        situations.append(situation)
        if situation.startswith("amc"):
            values.append(_share(fse, "amc", payers["amc"], 6.3, day))
            situations.append("payer")
    shares = Share.create(values)
    shares._post_invoices()
    by_situation = {}
    for share, situation in zip(shares, situations, strict=True):
        by_situation.setdefault(situation, []).append(share.id)
    return {situation: Share.browse(ids) for situation, ids in by_situation.items()}


def _share(fse, kind, partner, amount, day):
    return {
        "fse_id": fse.id,
        "debtor_kind": kind,
        "partner_id": partner.id,
        "amount": amount,
        "due_date": day + timedelta(days=30),
    }


def hold(env, shares, draw):
    """What holds some of them, beside the payers that have not settled."""
    for share in shares.get("amc_rejected", ()):
        share.fse_id.share_ids.filtered(lambda one: one.debtor_kind == "amc").is_rejected = True
    stopped = shares.get("stopped", env["health.share"]).move_id
    stopped.line_ids.filtered(lambda line: line.display_type == "payment_term").no_followup = True
    asked = shares.get("asked", env["health.share"])
    env["health.debtor.request"].sudo().create(
        [
            {
                "company_id": share.company_id.id,
                "partner_id": share.partner_id.health_debtor_id.id or share.partner_id.id,
                "kind": "dispute",
                "share_ids": [(6, 0, share.ids)],
            }
            for share in asked
        ]
    )


def credits(env, company, count, draw):
    """Credits of the bank that nobody has explained yet."""
    journal = env["account.journal"].search(
        [("company_id", "=", company.id), ("type", "=", "bank")], limit=1
    )
    env["account.bank.statement.line"].with_company(company).create(
        [
            {
                "journal_id": journal.id,
                "date": DAY - timedelta(days=draw.randrange(20)),
                "payment_ref": f"VIR {draw.randrange(10**6)}",
                "amount": draw.randrange(10_000, 90_000) / 100,
            }
            for _number in range(count)
        ]
    )


#: what is copied, in the order of their links
COPIED = (
    "res_partner",
    "health_fse",
    "account_move",
    "account_move_line",
    "health_share",
    "health_debtor_request",
    "health_debtor_request_health_share_rel",
)
#: columns that must differ from one copy to the next
NAMED = {
    "res_partner": ("name", "ref", "complete_name", "display_name"),
    "health_fse": ("name",),
    "account_move": ("name", "ref", "payment_reference"),
    "account_move_line": ("name", "ref", "move_name"),
}


def multiply(cr, companies, times):
    """`times` copies in all of everything posted for these practitioners: households, claims, invoices.

    Plain SQL, because what is measured is the night, not the posting. Every copy is whole: its links stay within it.
    """
    if times <= 1:
        return
    own = "company_id = ANY(%(companies)s)"
    rows = {
        "res_partner": f"{own} AND health_kind = 'patient'",
        "health_fse": own,
        "account_move": f"{own} AND health_share_id IS NOT NULL",
        "account_move_line": f"{own} AND move_id IN (SELECT id FROM bench_account_move)",
        "health_share": own,
        "health_debtor_request": own,
    }
    strides = {}
    for table, condition in rows.items():
        cr.execute(
            f"CREATE TEMP TABLE bench_{table} AS SELECT id FROM {table} WHERE {condition}",
            {"companies": companies.ids},
        )
        cr.execute(f"CREATE INDEX ON bench_{table} (id)")
        cr.execute(f"ANALYZE bench_{table}")
        cr.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
        strides[table] = cr.fetchone()[0]
    cr.execute("SET session_replication_role = replica")
    for table in COPIED:
        cr.execute(
            """
            SELECT a.attname, target.relname
              FROM pg_attribute a
              JOIN pg_class t ON t.oid = a.attrelid AND t.relname = %s
              LEFT JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum]
              LEFT JOIN pg_class target ON target.oid = c.confrelid
             WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            """,
            [table],
        )
        columns, values = [], []
        for column, target in cr.fetchall():
            columns.append(f'"{column}"')
            if column == "id":
                values.append(f"o.id + copy * {strides[table]}")
            elif target in strides:
                values.append(
                    f'CASE WHEN EXISTS (SELECT 1 FROM bench_{target} b WHERE b.id = o."{column}") '
                    f'THEN o."{column}" + copy * {strides[target]} ELSE o."{column}" END'
                )
            elif column in NAMED.get(table, ()):
                values.append(f"o.\"{column}\" || '-' || copy")
            else:
                values.append(f'o."{column}"')
        only = (
            f"JOIN bench_{table} mine ON mine.id = o.id"
            if table in strides
            else "JOIN bench_health_share mine ON mine.id = o.health_share_id"
        )
        cr.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM {table} o {only}, generate_series(1, {times - 1}) copy"
        )
    cr.execute("SET session_replication_role = DEFAULT")
    for table in strides:
        cr.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        )


def world(env, size):
    payers = env["res.partner"]
    payers = {
        "amo": payers._health_payers("amo", ["01999"])["01999"],
        "amc": payers._health_payers("amc", ["0099999999"])["0099999999"],
    }
    companies = practitioners(env)
    env = env(context={**env.context, "allowed_company_ids": [env.company.id, *companies.ids]})
    situations = Counter()
    for rank, company in enumerate(companies.with_env(env)):
        # the last one warms the caches, which both sizes need alike
        count = BASE // PRACTITIONERS if rank < PRACTITIONERS else 40
        draw = random.Random(f"{SEED}{rank}")
        people = households(env, company, count, draw, f"{rank}0")
        shares = shares_of(env, company, people, count, payers, draw, f"{rank}")
        hold(env, shares, draw)
        credits(env, company, max(1, size // PRACTITIONERS // 100), draw)
        if rank < PRACTITIONERS:
            situations.update({kind: len(group) * size // BASE for kind, group in shares.items()})
        env.flush_all()
        env.invalidate_all()
    multiply(env.cr, companies[:-1], size // BASE)
    env.cr.execute("ANALYZE")
    return env, companies.with_env(env), situations


# -- the nights ---------------------------------------------------------------------------------------


def work(env, size, profiled):
    started = time.perf_counter()
    env, companies, situations = world(env, size)
    prepared = time.perf_counter() - started
    night(env, companies[-1:], BEFORE)
    night(env, companies[-1:], DAY)
    steps = Steps(Clock(env.cr))
    for model, method, name in (
        ("health.share", "_dunning_refresh", "guard"),
        ("credit.control.policy", "_health_messages", "scale and bundling"),
        ("credit.control.line", "_health_make", "lines"),
        ("credit.control.communication", "_generate_comm_from_credit_lines", "communications"),
        ("credit.control.communication", "_health_bring_out", "messages"),
    ):
        steps.wrap(type(env[model]), method, name)
    profile = cProfile.Profile() if profiled else None
    if profile:
        profile.enable()
    results = []
    for day in (BEFORE, DAY):
        steps.enter()
        results.append(night(env, companies[:-1], day))
        env.flush_all()
        steps.leave("rest of the night")
        # letters are printed, calls are made before the next night
        env["credit.control.line"].search([("state", "=", "to_be_sent")]).with_context(
            tracking_disable=True
        ).write({"state": "sent"})
        env.flush_all()
        env.invalidate_all()
    if profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
    return {
        "size": size,
        "prepared": prepared,
        "situations": situations,
        "steps": dict(steps.spent),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "nights": results,
        **told(env, companies[:-1]),
    }


def night(env, companies, day):
    """What the step of the nightly cycle does, for these practitioners."""
    total = Counter()
    for company in companies:
        result = company._health_run_reminders(day)
        if result["problem"]:
            raise SystemExit(result["problem"])
        total.update(result["channels"])
        total.update({"held": sum(result["held"].values())})
    return total


def told(env, companies):
    """What came of it, by plain SQL: messages, lines, and reminders that should not have been."""
    ids = [companies.ids]
    env.cr.execute(
        "SELECT count(*) FROM credit_control_communication WHERE company_id = ANY(%s)", ids
    )
    messages = env.cr.fetchone()[0]
    env.cr.execute("SELECT count(*) FROM credit_control_line WHERE company_id = ANY(%s)", ids)
    lines = env.cr.fetchone()[0]
    # a payer of the same FSE that has not settled, or an item that a person stopped
    env.cr.execute(
        """
        SELECT count(*)
          FROM credit_control_line line
          JOIN account_move_line item ON item.id = line.move_line_id
          JOIN account_move move ON move.id = line.invoice_id
          JOIN health_share share ON share.id = move.health_share_id
         WHERE line.company_id = ANY(%s)
           AND (item.no_followup OR EXISTS (
                SELECT 1 FROM health_share payer
                 WHERE payer.fse_id = share.fse_id AND payer.debtor_kind <> 'patient'
                   AND payer.amount_residual > 0))
        """,
        ids,
    )
    wrong = env.cr.fetchone()[0]
    env.cr.execute(
        """
        SELECT count(*) FROM (
            SELECT 1 FROM credit_control_communication WHERE company_id = ANY(%s)
             GROUP BY company_id, partner_id, report_date HAVING count(*) > 1) twice
        """,
        ids,
    )
    twice = env.cr.fetchone()[0]
    return {"messages": messages, "lines": lines, "wrong": wrong, "twice": twice}


def job(options):
    import odoo
    from odoo.modules.registry import Registry

    odoo.tools.config.parse_config(
        [f"--database={options.database}", "--log-level=error"], setup_logging=True
    )
    with Registry(options.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {"lang": "fr_FR"})
        result = work(env, options.job, options.profile)
        cr.rollback()
    Path(options.result).write_text(json.dumps(result))


def run_job(options, size):
    """One size in a fresh copy of the database and a process of its own."""
    name = f"{options.database}_{size}"
    path = f"{os.environ['FACTURIERE_HOME']}/home/bench-reminders-{size}.json"
    tool = [sys.executable, str(ROOT / "bin" / "lib" / "database.py")]
    subprocess.run([*tool, "copy", options.database, name], check=True)
    try:
        arguments = [f"--database={name}", f"--job={size}", f"--result={path}"]
        arguments += ["--profile"] if options.profile else []
        subprocess.run([sys.executable, __file__, *arguments], check=True)
        return json.loads(Path(path).read_text())
    finally:
        subprocess.run([*tool, "drop", name], check=True)
        Path(path).unlink(missing_ok=True)


def per_share(result):
    """Processor milliseconds per open share, both nights."""
    return sum(row[1] + row[2] for row in result["steps"].values()) * 1000 / result["size"]


def tell(result):
    size = result["size"]
    held = ", ".join(f"{kind} {count}" for kind, count in sorted(result["situations"].items()))
    print(
        f"\n{size} open shares ({held}), prepared in {result['prepared']:.0f} s: {result['messages']} messages "
        f"about {result['lines']} shares in two nights, memory {result['memory']} MB"
    )
    for title, counts in zip((BEFORE, DAY), result["nights"], strict=True):
        print(f"  {title}: " + ", ".join(f"{counts[key]} {key}" for key in sorted(counts)))
    print(
        f"  {'step':<20}{'times':>6}{'clock s':>10}{'Odoo s':>9}{'base s':>9}{'ms/share':>10}{'queries':>10}"
    )
    rows = sorted(result["steps"].items(), key=lambda item: -item[1][1] - item[1][2])
    whole = [sum(row[place] for row in result["steps"].values()) for place in range(5)]
    for name, (clock, own, base, queries, times) in [*rows, ("in all", whole)]:
        print(
            f"  {name:<20}{times if name != 'in all' else '':>6}{clock:>10.1f}{own:>9.1f}{base:>9.1f}"
            f"{(own + base) * 1000 / size:>10.2f}{queries:>10d}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--small", action="store_true", help="what CI runs")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--sizes", help="two numbers, e.g. 500,5000")
    parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--result", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        return job(options)
    sizes = SMALL if options.small else SIZES
    if options.sizes:
        sizes = tuple(int(size) for size in options.sizes.split(","))
    results = [run_job(options, size) for size in sizes]
    problems = []
    for result in results:
        tell(result)
        if result["wrong"] or result["twice"]:
            problems.append(
                f"{result['size']} shares: {result['wrong']} held shares reminded, "
                f"{result['twice']} people written to twice in one night"
            )
        if not result["messages"] or result["lines"] <= result["messages"]:
            problems.append(f"{result['size']} shares: nothing was bundled")
    growth = per_share(results[-1]) / per_share(results[0])
    # too few shares tell nothing of growth
    wanted = None if options.small else GROWTH
    print(f"\n= reminders | ms per open share, {sizes[-1]} | {per_share(results[-1]):.2f} |")
    print(
        f"= reminders | cost per share, {sizes[-1]} over {sizes[0]} | {growth:.2f} | {wanted or ''}"
    )
    print(f"= reminders | peak memory MB | {results[-1]['memory']} |")
    if wanted and growth > wanted:
        problems.append(f"a share costs {growth:.2f} times more at {sizes[-1]}, {wanted} allowed")
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
