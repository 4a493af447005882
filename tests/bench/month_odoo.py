"""A month from files to reconciled ledger, beside the same work done the standard way in the same run.

    bin/bench month                  10,000 FSE of 20 practitioners, and 1,000 of 2 to see the growth
    bin/bench month --fse 2000       another size
    bin/bench month --small          in seconds, as CI does
    bin/bench month --profile        and where the time goes, by addon

Every size works in a fresh copy of the database and in a process of its own (peak memory). Files come from
`tests/months`, in the order in which an agency gets them, through `health.inbox.ingest` and `health.cycle.run`. The
standard way is timed on a part: one Odoo invoice per share created and posted one by one, then the cheaper of a
payment registered for each, and of bank credits reconciled one by one through the screen of
`account_reconcile_oca`. Costs are compared in processor time, Odoo's and PostgreSQL's together, because the clock of
a shared machine says little; the clock stands beside.
"""

import argparse
import cProfile
import json
import os
import pstats
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import timedelta
from importlib import import_module
from pathlib import Path

ROOT = Path(os.environ["FACTURIERE_ROOT"])
sys.path.insert(0, str(ROOT / "tests"))
agency, months = import_module("months.agency"), import_module("months")

SEED, PRESET = "bench", "calm"
FSE_PER_PRACTITIONER = 500
#: times faster per settled share than the standard way
FASTER = 10
#: cost per share at the large size over the small one
GROWTH = 1.1
TICK = os.sysconf("SC_CLK_TCK")


class Clock:
    """Seconds of the clock, of Odoo's processor time and of the database's, and queries."""

    def __init__(self, cr):
        self.cr = cr
        cr.execute("SELECT pg_backend_pid()")
        self.stat = Path(f"/proc/{cr.fetchone()[0]}/stat")

    def read(self):
        try:
            fields = self.stat.read_text().rpartition(")")[2].split()
            database = (int(fields[11]) + int(fields[12])) / TICK
        except OSError:  # a server elsewhere
            database = 0.0
        return time.perf_counter(), time.process_time(), database, self.cr.sql_log_count


class Steps:
    """What each step costs, nested steps taken out of the outer one."""

    def __init__(self, clock):
        self.clock = clock
        self.spent = defaultdict(lambda: [0.0, 0.0, 0.0, 0, 0])
        self.stack = []

    def enter(self):
        self.stack.append([self.clock.read(), [0.0, 0.0, 0.0, 0]])

    def leave(self, name, count=1):
        start, inner = self.stack.pop()
        whole = [b - a for a, b in zip(start, self.clock.read(), strict=True)]
        row = self.spent[name]
        for place, value in enumerate(whole):
            row[place] += value - inner[place]
        row[4] += count
        if self.stack:
            outer = self.stack[-1][1]
            for place, value in enumerate(whole):
                outer[place] += value

    def wrap(self, owner, method, name):
        """Time a method of a model as a step of its own."""
        original = getattr(owner, method)

        def timed(*args, **kwargs):
            self.enter()
            try:
                return original(*args, **kwargs)
            finally:
                self.leave(name)

        setattr(owner, method, timed)

    @property
    def total(self):
        return [sum(row[place] for row in self.spent.values()) for place in range(4)]


# -- one size, in its own process --------------------------------------------------------------------


def month_of(fse):
    practitioners = max(1, fse // FSE_PER_PRACTITIONER)
    return months.generate(SEED, PRESET, months.Size(practitioners=practitioners, fse=fse))


def work_month(env, options):
    month = month_of(options.fse)
    arrivals = month.arrivals()
    env, companies = agency.set_up(env, month)
    env.flush_all()
    steps = Steps(Clock(env.cr))
    lines = type(env["account.bank.statement.line"])
    for owner, method, name in (
        (lines, "_health_match", "rapprochement"),
        (lines, "_health_book", "écritures"),
        (type(env["health.lot"]), "_collect_sent", "lots"),
        (type(env["health.settlement"]), "_import_noemie", "NOEMIE"),
    ):
        steps.wrap(owner, method, name)
    labels = {"fse": "journaux FSE", "arl": "ARL", "noemie": "NOEMIE", "bank": "relevés"}
    profile = cProfile.Profile() if options.profile else None
    if profile:
        profile.enable()
    night, nights = None, 0
    for arrival in arrivals:
        night = night or arrival.day
        if arrival.day - night >= timedelta(days=7):
            steps.enter()
            agency.check_night(env, arrival.day)
            env.flush_all()
            steps.leave("nuits")
            night, nights = arrival.day, nights + 1
        steps.enter()
        inbox = env["health.inbox"].ingest(arrival.name, arrival.content)
        env.flush_all()
        steps.leave(labels[arrival.kind])
        if inbox.state == "refused":
            raise SystemExit(f"{arrival.name}: {inbox.message}")
        env.invalidate_all()
    steps.enter()
    agency.check_night(env, month.today)
    env.flush_all()
    steps.leave("nuits")
    if profile:
        profile.disable()
    companies = env["res.company"].union(*companies.values())
    return {
        "fse": env["health.fse"].search_count([("company_id", "in", companies.ids)]),
        "steps": {name: row for name, row in steps.spent.items()},
        "files": len(arrivals),
        "bytes": sum(len(arrival.content) for arrival in arrivals),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **settled(env, companies),
        "profile": by_addon(profile) if profile else [],
    }


def settled(env, companies):
    shares = env["health.share"].search([("company_id", "in", companies.ids)])
    credits = env["account.bank.statement.line"].search(
        [("company_id", "in", companies.ids), ("amount", ">", 0)]
    )
    states = Counter(shares.mapped("state"))
    matched = credits.filtered(lambda line: line.health_match_state == "matched")
    paid = shares.filtered(
        lambda s: s.amount_residual < s.amount and s.state in ("paid", "partial")
    )
    env.cr.execute(
        "SELECT coalesce(sum(balance), 0) FROM account_move_line WHERE company_id = ANY(%s)"
        " AND parent_state = 'posted'",
        [companies.ids],
    )
    return {
        "shares": len(shares),
        "settled": len(paid),
        "states": states,
        "credits": len(credits),
        "matched": len(matched),
        "balance": env.cr.fetchone()[0],
    }


def by_addon(profile):
    """Own seconds by addon or library, the largest first."""
    spent = Counter()
    for (path, _line, name), (_calls, _prim, own, _cumulative, _callers) in pstats.Stats(
        profile
    ).stats.items():
        spent[owner_of(path, name)] += own
    total = sum(spent.values())
    return [(name, own, own / total) for name, own in spent.most_common(12)]


def owner_of(path, name):
    parts = Path(path).parts
    for folder in ("addons",):
        if folder in parts[:-1]:
            return parts[parts.index(folder) + 1]
    if "psycopg2" in name or "psycopg2" in path:
        return "PostgreSQL (attente)"
    if "odoo" in parts:
        rest = parts[parts.index("odoo") + 1 :]
        return f"odoo/{rest[0].removesuffix('.py')}" if rest else "odoo"
    return "Python" if path.startswith(("~", "<")) else parts[-2] if len(parts) > 1 else path


# -- the standard way --------------------------------------------------------------------------------


def work_standard(env, options):
    """The same debts, as a careful integrator would enter and settle them; seconds per share of each way."""
    month = month_of(FSE_PER_PRACTITIONER)
    env, companies = agency.set_up(env, month)
    company = next(iter(companies.values())).with_env(env)
    env = env(context={**env.context, "tracking_disable": True})
    groups = [
        [answer for answer in settlement.answers if answer.paid == answer.asked > 0]
        for settlement in month.settlements
        if settlement.paid and not settlement.retention and not settlement.lump_sum
    ]
    groups = [group for group in groups if group][: max(2, options.part // 3)]
    while sum(map(len, groups)) > options.part and len(groups) > 2:
        groups.pop()
    clock = Clock(env.cr)
    journal = env["account.journal"].search(
        [("company_id", "=", company.id), ("type", "=", "bank")], limit=1
    )
    payer = env["res.partner"].create({"name": "Payeur", "company_id": False})
    result = {"invoices": 0.0, "payments": 0.0, "oca": 0.0, "clock": 0.0, "shares": 0}
    half = len(groups) // 2
    warm(env, company, payer)
    count = Counter()
    started = time.perf_counter()
    for rank, group in enumerate(groups):
        before = clock.read()
        moves = [invoice(env, company, payer, month.size.first_day, a.paid) for a in group]
        env.flush_all()
        after = clock.read()
        result["invoices"] += cost(before, after)
        way = "payments" if rank < half else "oca"
        before = clock.read()
        if way == "payments":
            for move in moves:
                pay(env, journal, move)
        else:
            reconcile(env, journal, payer, month.size.first_day, group, moves)
        env.flush_all()
        after = clock.read()
        result[way] += cost(before, after)
        count[way] += len(group)
        if any(move.payment_state not in ("paid", "in_payment") for move in moves):
            raise SystemExit(f"the standard way ({way}) did not settle its invoices")
        env.invalidate_all()
    result["shares"] = sum(count.values())
    result["clock"] = time.perf_counter() - started
    result["invoices"] /= result["shares"]
    for way in ("payments", "oca"):
        result[way] /= count[way]
    return result


def cost(before, after):
    """Processor seconds of Odoo and PostgreSQL."""
    return after[1] - before[1] + after[2] - before[2]


def warm(env, company, payer):
    with_first = invoice(env, company, payer, "2026-06-01", 1000)
    with_first.button_draft()
    env.flush_all()


def invoice(env, company, payer, day, cents):
    move = (
        env["account.move"]
        .with_company(company)
        .create(
            {
                "move_type": "out_invoice",
                "partner_id": payer.id,
                "invoice_date": day,
                "invoice_line_ids": [
                    (0, 0, {"name": "FSE", "quantity": 1, "price_unit": cents / 100, "tax_ids": []})
                ],
            }
        )
    )
    move.action_post()
    return move


def pay(env, journal, move):
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=move.ids
    ).create({"journal_id": journal.id, "payment_date": move.invoice_date}).action_create_payments()


def reconcile(env, journal, payer, day, group, moves):
    """One bank credit, its invoices ticked one by one on OCA's screen, then validated."""
    line = env["account.bank.statement.line"].create(
        {
            "journal_id": journal.id,
            "date": day,
            "payment_ref": "VIR",
            "partner_id": payer.id,
            "amount": sum(answer.paid for answer in group) / 100,
        }
    )
    for move in moves:
        item = move.line_ids.filtered(lambda i: i.account_id.account_type == "asset_receivable")
        line.add_account_move_line_id = item
        line._onchange_add_account_move_line_id()
    line.reconcile_bank_line()


# -- the run -----------------------------------------------------------------------------------------


def job(options):
    import odoo
    from odoo.modules.registry import Registry

    odoo.tools.config.parse_config(
        [f"--database={options.database}", "--log-level=error"], setup_logging=True
    )
    with Registry(options.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {"lang": "fr_FR"})
        work = {"month": work_month, "standard": work_standard}[options.job]
        result = work(env, options)
        cr.rollback()
    Path(options.result).write_text(json.dumps(result))


def run_job(options, kind, **values):
    """One job in a fresh copy of the database and a process of its own."""
    name, path = (
        f"{options.database}_{kind}",
        f"{os.environ['FACTURIERE_HOME']}/home/bench-{kind}.json",
    )
    tool = [sys.executable, str(ROOT / "bin" / "lib" / "database.py")]
    subprocess.run([*tool, "copy", options.database, name], check=True)
    try:
        arguments = [f"--{key}={value}" for key, value in values.items() if value is not True]
        arguments += [f"--{key}" for key, value in values.items() if value is True]
        subprocess.run(
            [
                sys.executable, __file__, f"--database={name}", f"--job={kind.partition('_')[0]}",
                f"--result={path}", *arguments,
            ],
            check=True,
        )  # fmt: skip
        return json.loads(Path(path).read_text())
    finally:
        subprocess.run([*tool, "drop", name], check=True)
        Path(path).unlink(missing_ok=True)


def per_share(result):
    """Processor milliseconds per settled share."""
    spent = sum(row[1] + row[2] for row in result["steps"].values())
    return spent * 1000 / max(1, result["settled"])


def tell_month(result, title):
    steps, fse, settled_shares = result["steps"], result["fse"], max(1, result["settled"])
    print(
        f"\n{title}: {fse} FSE, {result['shares']} parts dont {result['settled']} soldées, {result['files']} fichiers "
        f"({result['bytes'] // 1024} ko), {result['matched']} virements sur {result['credits']} expliqués, "
        f"mémoire {result['memory']} Mo"
    )
    print(
        f"  {'étape':<16}{'fois':>6}{'horloge s':>11}{'Odoo s':>9}{'base s':>9}{'ms/FSE':>9}"
        f"{'ms/part soldée':>16}{'requêtes':>10}"
    )
    rows = sorted(steps.items(), key=lambda item: -item[1][1] - item[1][2])
    whole = [sum(row[place] for row in steps.values()) for place in range(5)]
    for name, (clock, odoo_cpu, base, queries, times) in [*rows, ("en tout", whole)]:
        spent = (odoo_cpu + base) * 1000
        print(
            f"  {name:<16}{times if name != 'en tout' else '':>6}{clock:>11.1f}{odoo_cpu:>9.1f}{base:>9.1f}"
            f"{spent / fse:>9.2f}{spent / settled_shares:>16.2f}{queries:>10d}"
        )
    if result["profile"]:
        print(
            "  où passe le temps : "
            + ", ".join(f"{name} {part:.0%}" for name, _own, part in result["profile"])
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--fse", type=int, default=10_000)
    parser.add_argument("--small", action="store_true", help="what CI runs")
    parser.add_argument("--part", type=int, default=400, help="shares settled the standard way")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--result", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        return job(options)
    return compare(options)


def compare(options):
    large, small = options.fse, 1_000
    if options.small:
        large, small, options.part = 200, 0, 60
    problems = []
    few = run_job(options, "month_few", fse=small) if small and small < large else None
    many = run_job(options, "month_many", fse=large)
    if few:
        tell_month(few, "Un petit mois")
    tell_month(many, "Le mois")
    standard = run_job(options, "standard", part=options.part)
    best = min(standard["payments"], standard["oca"])
    single = (standard["invoices"] + best) * 1000
    ours = per_share(many)
    print(
        f"\nLa manière ordinaire, mesurée sur {standard['shares']} parts ({standard['clock']:.0f} s d'horloge) : "
        f"facture {standard['invoices'] * 1000:.1f} ms, paiement {standard['payments'] * 1000:.1f} ms, OCA "
        f"{standard['oca'] * 1000:.1f} ms par part (temps de processeur d'Odoo et de la base)"
    )
    print(f"= month | ms per settled share | {ours:.1f} |")
    wanted = 0 if options.small else FASTER
    faster = single / ours
    print(f"= month | times faster than the standard way | {faster:.1f} | {wanted or FASTER}")
    if faster < wanted:
        problems.append(f"only {faster:.1f} times faster than the standard way, {wanted} wanted")
    if few:
        growth = ours / per_share(few)
        print(f"= month | cost per share, {large} over {small} FSE | {growth:.2f} | {GROWTH}")
        if growth > GROWTH:
            problems.append(
                f"a share costs {growth:.2f} times more at {large} FSE, {GROWTH} allowed"
            )
    print(f"= month | peak memory MB | {many['memory']} |")
    if options.profile:
        tell_month(run_job(options, "month_profile", fse=min(large, 500), profile=True), "Profil")
    for result in filter(None, (few, many)):
        if result["balance"]:
            problems.append(f"the ledgers are off by {result['balance']}")
        if not result["settled"] or result["matched"] < result["credits"] * 8 // 10:
            problems.append(f"only {result['matched']} of {result['credits']} credits explained")
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
