"""Load the demo agency through the entry points a user has, work its day, and tell the summary.

Without ``--summary``: fill a fresh database. With it: print what the day gave, check it against the truth that the
generator of the files wrote beside them, and exit with 1 if anything went wrong.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import odoo
from odoo.modules.registry import Registry

ROOT = Path(os.environ["FACTURIERE_ROOT"])
DEMO = ROOT / "data" / "demo"
GROUPS = {
    "biller": "health_billing.group_biller",
    "manager": "health_billing.group_manager",
    "accountant": "health_billing.group_accountant",
    "practitioner": "health_billing.group_practitioner",
}
ORDER = ("fse", "arl", "noemie", "bank")


def euros(cents):
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", " ") + f",{rest:02d} €"


def cents(amount):
    return odoo.addons.health_billing.tools.cents(amount)


def progress(text):
    print(f"· {text}", file=sys.stderr, flush=True)


# -- loading ------------------------------------------------------------------------------------------


def load(env):
    agency = json.loads((DEMO / "agency.json").read_text())
    env = set_up_agency(env, agency)
    companies = set_up_practitioners(env, agency)
    env = env(
        context={
            **env.context,
            "allowed_company_ids": [env.company.id, *[c.id for c in companies.values()]],
        }
    )
    set_up_people(env, agency, companies)
    env.cr.commit()
    start = time.monotonic()
    paths = [DEMO / name for kind in ORDER for name in agency["files"][kind]]
    for path in paths:
        inbox = env["health.inbox"].ingest(path.name, path.read_bytes())
        if inbox.state == "refused" or (inbox.state == "review" and not inbox.counts):
            raise SystemExit(f"{path.name} : {inbox.message}")
        if path.parent.name == "fse" and path.name == Path(agency["files"]["fse"][-1]).name:
            add_contacts(env)
        env.cr.commit()
    progress(f"{len(paths)} fichiers reçus en {time.monotonic() - start:.0f} s")
    start = time.monotonic()
    env["health.cycle"].run(agency["demo_date"])
    env.cr.commit()
    progress(f"nuit du {agency['demo_date']} : {time.monotonic() - start:.0f} s")


def set_up_agency(env, agency):
    data = agency["agency"]
    company = env.company
    company.with_context(chart_template_load=True).write(
        {
            "name": data["name"],
            "street": data["street"],
            "zip": data["zip"],
            "city": data["city"],
            "email": data["email"],
            "phone": data["phone"],
            "company_registry": data["siren"],
            "country_id": env.ref("base.fr").id,
            "currency_id": env.ref("base.EUR").id,
        }
    )
    env["res.users"].search([]).write({"lang": "fr_FR", "tz": "Europe/Paris"})
    env["res.partner"].search([]).write({"lang": "fr_FR"})
    env["ir.default"].set("res.partner", "lang", "fr_FR")
    env["ir.config_parameter"].set_param("web.base.url.freeze", "True")
    for group in ("funds", "insurers"):
        kind = "amo" if group == "funds" else "amc"
        payers = env["res.partner"]._health_payers(
            kind, [payer["org_no"] for payer in agency[group]]
        )
        for payer in agency[group]:
            payers[payer["org_no"]].write(
                {
                    "name": payer["name"],
                    "health_bank_names": "\n".join(payer["bank_names"]),
                    "health_to_complete": False,
                    "country_id": env.ref("base.fr").id,
                }
            )
    return env(context={**env.context, "lang": "fr_FR", "tz": "Europe/Paris"})


def set_up_practitioners(env, agency):
    fields = (
        "name",
        "profession",
        "provider_no",
        "rpps",
        "siren",
        "zone",
        "iban",
        "street",
        "zip",
        "city",
        "email",
        "phone",
    )
    companies = {}
    for data in agency["practitioners"]:
        wizard = env["health.practitioner.setup"].create({name: data[name] for name in fields})
        wizard.action_setup()
        companies[data["provider_no"]] = wizard.company_id
    return companies


def set_up_people(env, agency, companies):
    everyone = [env.company.id, *[company.id for company in companies.values()]]
    cockpit = env.ref("health_billing.action_cockpit")
    for data in agency["users"]:
        own = companies.get(data.get("practitioner"))
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": data["name"],
                "login": data["login"],
                "password": data["password"],
                "email": data["email"],
                "lang": "fr_FR",
                "tz": "Europe/Paris",
                "company_id": own.id if own else env.company.id,
                "company_ids": [(6, 0, [own.id] if own else everyone)],
                "group_ids": [(6, 0, [env.ref(GROUPS[data["role"]]).id])],
                "action_id": cockpit.id if data["role"] != "accountant" else False,
            }
        )
    env.ref("base.user_admin").write({"company_ids": [(6, 0, everyone)], "action_id": cockpit.id})


def add_contacts(env):
    import csv

    with (DEMO / "patients.csv").open(encoding="utf-8") as file:
        contacts = {
            row["nir"] + row["birth_date"]: row for row in csv.DictReader(file, delimiter=";")
        }
    for patient in env["res.partner"].search([("health_kind", "=", "patient")]):
        row = contacts.get(f"{patient.health_nir}{patient.health_birth_date}")
        if row:
            patient.write({"email": row["email"], "phone": row["phone"]})


# -- the summary --------------------------------------------------------------------------------------


def summarise(env, port):
    """Print the day as a biller would tell it; return the list of what went wrong."""
    agency = json.loads((DEMO / "agency.json").read_text())
    expected = json.loads((DEMO / "expected.json").read_text())
    truth = expected["totals"]
    companies = env["res.company"].search([("health_provider_no", "!=", False)])
    env = env(
        context={
            **env.context,
            "lang": "fr_FR",
            "allowed_company_ids": [env.company.id, *companies.ids],
        }
    )
    Share, Line = env["health.share"], env["account.bank.statement.line"]
    problems = []

    def expect(what, found, wanted):
        if found != wanted:
            problems.append(f"{what} : {found} au lieu de {wanted}")

    cycle = env["health.cycle"].search([], limit=1)
    print(f"\n{agency['agency']['name']} — journée du {cycle.date:%d/%m/%Y}\n")
    fses = env["health.fse"].search([])
    print(
        f"  {len(companies)} professionnels, {len(fses)} FSE facturées pour {euros(sum(map(cents, fses.mapped('amount_total'))))}"
    )
    expect("FSE", len(fses), truth["fse"])
    names = {"amo": "caisses (AMO)", "amc": "complémentaires (AMC)", "patient": "patients"}
    for kind, name in names.items():
        shares = Share.search([("debtor_kind", "=", kind)])
        billed, due = (
            sum(map(cents, shares.mapped(field))) for field in ("amount", "amount_residual")
        )
        print(
            f"    {name:<24} {len(shares):>4} parts  {euros(billed):>14}  encaissé {euros(billed - due):>13}  reste {euros(due):>12}"
        )
        expect(f"parts {name}", billed, truth["shares"][kind]["cents"])
        expect(f"encaissé {name}", billed - due, truth["received_cents"][kind])

    if "health.lot" in env:
        lots = env["health.lot"].search([])
        states = {}
        for lot in lots:
            label = dict(lot._fields["state"]._description_selection(env))[lot.state]
            states[label] = states.get(label, 0) + 1
        print(
            f"  {len(lots)} lots : "
            + ", ".join(f"{count} {label.lower()}" for label, count in states.items())
        )

    credits = Line.search([("amount", ">", 0), ("company_id", "in", companies.ids)])
    explained = credits.filtered(lambda line: line.health_match_state == "matched")
    queued = credits - explained
    print(
        f"  {len(credits)} virements reçus ({euros(sum(map(cents, credits.mapped('amount'))))}) : "
        f"{len(explained)} expliqués au centime, {len(queued)} en attente"
    )
    for line in queued:
        print(
            f"    à voir   {line.date:%d/%m} {euros(cents(line.amount)):>11}  {line.payment_ref[:42]:<42} {line.health_queue_reason or ''}"
        )
    expect("virements", len(credits), truth["credits"]["count"])
    waiting = [q for p in expected["practitioners"] for q in p["bank"]["queued"] if q["cents"] > 0]
    expect("virements en attente", len(queued), len(waiting))
    for line in explained:
        if not line.is_reconciled:
            problems.append(f"virement expliqué mais non lettré : {line.payment_ref}")
    for line in queued:
        if not line.health_queue_reason:
            problems.append(f"virement en attente sans motif : {line.payment_ref}")

    rejections = env["health.rejection"].search([])
    print(f"  {len(rejections)} rejets")
    for family, group in rejections.grouped("family_id").items():
        total = euros(sum(map(cents, group.mapped("share_id.amount_residual"))))
        print(f"    {family.name or 'à classer':<32} {len(group):>3}  {total:>11}")
    expect("rejets", len(rejections), truth["rejections"])

    for lane in env["health.cockpit"].data()["lanes"]:
        for card in lane["cards"]:
            print(
                f"  [{lane['label']}] {card['title']} — {card['practitioner']} {card['amount']} : {card['why']}"
            )
    print("\n" + "\n".join("  " + line for line in cycle.report.splitlines()))
    if not cycle.is_ok:
        problems.append("une étape de la nuit a échoué")

    for company in companies:
        env.cr.execute(
            "SELECT coalesce(sum(balance), 0) FROM account_move_line WHERE company_id = %s AND parent_state = 'posted'",
            [company.id],
        )
        expect(f"balance de {company.name}", cents(env.cr.fetchone()[0]), 0)
    print(f"\n  http://localhost:{port}  (mot de passe : {agency['users'][0]['password']})")
    for user in agency["users"]:
        print(f"    {user['login']:<14} {user['name']}")
    print(f"    lien d'un patient : http://localhost:{port}{demo_link(env)}")
    return problems


def demo_link(env):
    """Path of a fresh payment link of a patient who is late, as the reminder carries it."""
    share = env["health.share"].search(
        [
            ("debtor_kind", "=", "patient"),
            ("state", "=", "due"),
            ("partner_id.email", "!=", False),
            ("fse_id.amc_partner_id", "=", False),
        ],
        order="due_date",
        limit=1,
    )
    _link, url = env["health.payment.link"]._make_one(share.partner_id, "hand")
    return url[url.index("/", 8) :]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--port", default="8069")
    parser.add_argument("--log-level", default="error")
    options = parser.parse_args()
    odoo.tools.config.parse_config(
        [f"--database={options.database}", f"--log-level={options.log_level}"], setup_logging=True
    )
    with Registry(options.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
        if not options.summary:
            load(env)
            return 0
        problems = summarise(env, options.port)
        cr.commit()
    for problem in problems:
        print(f"ANOMALIE : {problem}", file=sys.stderr)
    print("\nJournée sans anomalie." if not problems else f"\n{len(problems)} anomalie(s).")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
