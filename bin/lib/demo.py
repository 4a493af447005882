"""Load the demo agency through the entry points a user has, work its day, and tell the summary.

Without ``--summary``: fill a fresh database. With it: print what the day gave, check it against the truth that the
generator of the files wrote beside them, and exit with 1 if anything went wrong.
"""

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from demo_collections import Debts

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
ROLES = {
    "biller": "facturière",
    "manager": "responsable d'agence",
    "accountant": "comptable",
    "practitioner": "professionnelle",
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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
    entered = json.loads((DEMO / "entry.json").read_text())
    env = set_up_agency(env, agency)
    companies = set_up_practitioners(env, agency["practitioners"])
    nurse, *_rest = set_up_practitioners(env, [entered["practitioner"]]).values()
    companies[nurse.health_provider_no] = nurse
    debts = Debts(env, DEMO / "debts.json", progress)
    [owed] = set_up_practitioners(env, [debts.data["practitioner"]]).values()
    companies[owed.health_provider_no] = owed
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
    Entry(env, agency, entered, companies).load()
    prove_rights(env, agency)
    debts.use(env, owed).load()
    env.cr.commit()
    start = time.monotonic()
    env["health.cycle"].run(agency["demo_date"])
    env.cr.commit()
    progress(f"nuit du {agency['demo_date']} : {time.monotonic() - start:.0f} s")
    debts.answer(date.fromisoformat(agency["demo_date"]))
    env.cr.commit()


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


def set_up_practitioners(env, practitioners):
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
    for data in practitioners:
        wizard = env["health.practitioner.setup"].create({name: data[name] for name in fields})
        wizard.action_setup()
        companies[data["provider_no"]] = wizard.company_id
    return companies


def set_up_people(env, agency, companies):
    everyone = [env.company.id, *[company.id for company in companies.values()]]
    cockpit = env.ref("health_billing.action_cockpit")
    ledgers = env.ref("account.open_account_journal_dashboard_kanban")
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
                "action_id": ledgers.id if data["role"] == "accountant" else cockpit.id,
            }
        )
    env.ref("base.user_admin").write({"company_ids": [(6, 0, everyone)], "action_id": cockpit.id})


def add_contacts(env):
    with (DEMO / "patients.csv").open(encoding="utf-8") as file:
        contacts = {
            row["nir"] + row["birth_date"]: row for row in csv.DictReader(file, delimiter=";")
        }
    for patient in env["res.partner"].search([("health_kind", "=", "patient")]):
        row = contacts.get(f"{patient.health_nir}{patient.health_birth_date}")
        if row:
            patient.write({"email": row["email"], "phone": row["phone"]})


def prove_rights(env, agency):
    """The rights of those whose claims wait were looked up the day before, but for two patients."""
    day = date.fromisoformat(agency["demo_date"]) - timedelta(days=1)
    waiting = env["health.fse"].search([("sent_on", "=", False)], order="name").patient_id
    unchecked = waiting.sorted("ref")[-2:]
    entered = env["health.visit"].search([]).patient_id
    coverages = (waiting - unchecked + entered).health_coverage_ids.filtered(
        lambda coverage: coverage._covers(day)
    )
    env["health.rights.proof"].create(
        [
            {"coverage_id": coverage.id, "date": day, "method": "adri", "result": "open"}
            for coverage in coverages
        ]
    )


class Entry:
    """What the agency enters by hand: a nurse's round, three single cases, a quote. Billing it is left to a biller."""

    def __init__(self, env, agency, entered, companies):
        self.env = env
        self.entered = entered
        self.companies = companies
        self.products = dict(
            env["product.product"]
            .search([("health_act_code", "!=", False)])
            .mapped(lambda product: (product.health_act_code, product.id))
        )
        self.cases = {case.code: case for case in env["health.coverage.case"].search([])}
        self.prescribers = {
            data["prescriber_no"]: env["res.partner"].create(
                {
                    "name": data["name"],
                    "health_kind": "prescriber",
                    "health_prescriber_no": data["prescriber_no"],
                }
            )
            for data in agency["prescribers"]
        }

    def load(self):
        start = time.monotonic()
        nurse = self.companies[self.entered["practitioner"]["provider_no"]]
        monday = date.fromisoformat(self.entered["week"])
        for data in self.entered["round"]:
            self.round_patient(nurse, data)
        self.env["health.round.plan"]._make_visits(nurse, monday, monday + timedelta(days=7))
        for data in self.entered["cases"]:
            self.case(self.companies[data["provider_no"]], data)
        progress(f"saisies du cabinet : {time.monotonic() - start:.0f} s")

    def patient(self, company, data):
        case = self.cases[data["coverage"]["case"]]
        kinds = {"amo": data["coverage"]["fund"], "amc": data["coverage"]["insurer"]}
        payers = {
            kind: self.env["res.partner"]._health_payers(kind, [number])[number] if number else None
            for kind, number in kinds.items()
        }
        [reference] = self.env["health.fse"]._next_references(1)
        patient = self.env["res.partner"].create(
            {
                "name": f"{data['last_name']} {data['first_name']}",
                "health_kind": "patient",
                "company_id": company.id,
                "ref": reference,
                "health_nir": data["nir"],
                "health_birth_date": data["birth_date"],
                "email": data["email"],
                "phone": data["phone"],
                "health_distance": data["distance"],
                "health_same_town": data["distance"] == "0",
                "lang": "fr_FR",
                "customer_rank": 1,
            }
        )
        self.env["health.coverage"].create(
            {
                "patient_id": patient.id,
                "date_from": "2026-01-01",
                "case_id": case.id,
                "amo_partner_id": payers["amo"].id,
                "amo_org": data["coverage"]["fund"] + data["coverage"]["centre"],
                "amo_rate": case.amo_rate,
                "insurance_nature": case.insurance_nature,
                "exemption": case.exemption,
                **(
                    {
                        "amc_partner_id": payers["amc"].id,
                        "amc_org": data["coverage"]["insurer"],
                        "amc_member": data["coverage"]["member"],
                        "third_party_amc": True,
                    }
                    if payers["amc"]
                    else {}
                ),
            }
        )
        return patient

    def prescription(self, patient, data):
        return self.env["health.prescription"].create(
            {
                "patient_id": patient.id,
                "prescriber_id": self.prescribers[data["prescriber"]].id,
                "prescriber_no": data["prescriber"],
                "date": data["date"],
                "sessions": data["sessions"],
                "mention_daily": "daily" in data["mentions"],
                "mention_home": True,
                "act_ids": [(0, 0, {"product_id": self.products[code]}) for code in data["acts"]],
            }
        )

    def round_patient(self, company, data):
        patient = self.patient(company, data)
        prescription = self.prescription(patient, data["prescription"])
        self.env["health.round.plan"].create(
            [
                {
                    "patient_id": patient.id,
                    "prescription_id": prescription.id,
                    "date_from": data["prescription"]["date"],
                    "time": plan["time"],
                    "passage": plan["passage"],
                    "place": "home",
                    **{
                        name: str(day) in plan["days"] for day, name in enumerate(WEEKDAYS, start=1)
                    },
                    "act_ids": [
                        (0, 0, {"sequence": rank, "product_id": self.products[code]})
                        for rank, code in enumerate(plan["acts"])
                    ],
                }
                for plan in data["plans"]
            ]
        )

    def case(self, company, data):
        patient = self.patient(company, data["patient"])
        prescription = self.prescription(patient, data["prescription"])
        if data["agreement"]:
            self.env["health.prior.agreement"].create(
                {
                    "patient_id": patient.id,
                    "prescription_id": prescription.id,
                    "product_ids": [(6, 0, prescription.act_ids.product_id.ids)],
                    **data["agreement"],
                }
            )
        self.env["health.visit"].create(
            [
                {
                    "patient_id": patient.id,
                    "prescription_id": prescription.id,
                    "day": visit["day"],
                    "time": visit["time"],
                    "place": "office",
                    "state": "done",
                    "act_ids": [(0, 0, {"product_id": self.products[visit["act"]]})],
                }
                for visit in data["visits"]
            ]
        )
        if data["case"] == self.entered["quote"]["case"]:
            self.quote(patient)

    def quote(self, patient):
        """A quote sent, not signed yet: an act outside the nomenclature."""
        quote = self.entered["quote"]
        order = self.env["sale.order"].create(
            {
                "company_id": patient.company_id.id,
                "health_patient_id": patient.id,
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "product_id": self.env.ref("health_billing.product_outside").id,
                            "name": quote["label"],
                            "product_uom_qty": 1,
                            "health_tariff": odoo.addons.health_billing.tools.euros(quote["cents"]),
                        },
                    )
                ],
            }
        )
        order.state = "sent"


# -- the summary --------------------------------------------------------------------------------------


class Summary:
    """The day as a biller would tell it, checked line by line against the truth of the demo files."""

    def __init__(self, env, port):
        self.agency = json.loads((DEMO / "agency.json").read_text())
        self.expected = json.loads((DEMO / "expected.json").read_text())
        self.truth = self.expected["totals"]
        self.port = port
        every = env["res.company"].search([("health_provider_no", "!=", False)])
        self.debts = json.loads((DEMO / "debts.json").read_text())
        # whose patients pay directly: a story of its own, which the truth of the files does not tell
        self.owed = every.filtered(
            lambda one: one.health_provider_no == self.debts["practitioner"]["provider_no"]
        )
        self.companies = every - self.owed
        allowed = [env.company.id, *every.ids]
        self.env = env(context={**env.context, "lang": "fr_FR", "allowed_company_ids": allowed})
        self.problems = []

    def expect(self, what, found, wanted):
        if found != wanted:
            self.problems.append(f"{what} : {found} au lieu de {wanted}")

    def tell(self):
        """Print everything; return what went wrong."""
        cycle = self.env["health.cycle"].search([], limit=1)
        print(f"\n{self.agency['agency']['name']} — journée du {cycle.date:%d/%m/%Y}\n")
        self.tell_claims()
        self.tell_lots()
        self.tell_credits()
        self.tell_rejections()
        self.tell_debts()
        self.tell_cockpit()
        print("\n" + "\n".join("  " + line for line in cycle.report.splitlines()))
        if not cycle.is_ok:
            self.problems.append("une étape de la nuit a échoué")
        self.check_ledgers()
        self.tell_access()
        return self.problems

    def tell_claims(self):
        fses = self.env["health.fse"].search([("company_id", "in", self.companies.ids)])
        billed = total(fses, "amount_total")
        print(
            f"  {len(self.companies)} professionnels, {len(fses)} FSE facturées pour {euros(billed)}"
        )
        self.expect("FSE", len(fses), self.truth["fse"])
        names = {"amo": "caisses (AMO)", "amc": "complémentaires (AMC)", "patient": "patients"}
        for kind, name in names.items():
            shares = self.env["health.share"].search(
                [("debtor_kind", "=", kind), ("company_id", "in", self.companies.ids)]
            )
            billed, due = total(shares, "amount"), total(shares, "amount_residual")
            print(
                f"    {name:<24} {len(shares):>4} parts  {euros(billed):>12}"
                f"  encaissé {euros(billed - due):>12}  reste {euros(due):>10}"
            )
            self.expect(f"parts {name}", billed, self.truth["shares"][kind]["cents"])
            self.expect(f"encaissé {name}", billed - due, self.truth["received_cents"][kind])

    def tell_lots(self):
        lots = self.env["health.lot"].search([])
        labels = dict(lots._fields["state"]._description_selection(self.env))
        states = Counter(labels[lot.state].lower() for lot in lots)
        print(
            f"  {len(lots)} lots : "
            + ", ".join(f"{count} {label}" for label, count in states.items())
        )

    def tell_credits(self):
        credits = self.env["account.bank.statement.line"].search(
            [("amount", ">", 0), ("company_id", "in", self.companies.ids)]
        )
        explained = credits.filtered(lambda line: line.health_match_state == "matched")
        queued = credits - explained
        print(
            f"  {len(credits)} virements reçus ({euros(total(credits, 'amount'))}) : "
            f"{len(explained)} expliqués au centime, {len(queued)} en attente"
        )
        for line in queued:
            print(
                f"    à voir   {line.date:%d/%m} {euros(cents(line.amount)):>11}  {line.payment_ref[:46]}"
            )
            print(f"             {line.health_queue_reason}")
            if not line.health_queue_reason:
                self.problems.append(f"virement en attente sans motif : {line.payment_ref}")
        self.expect("virements", len(credits), self.truth["credits"]["count"])
        waiting = [
            q for p in self.expected["practitioners"] for q in p["bank"]["queued"] if q["cents"] > 0
        ]
        self.expect("virements en attente", len(queued), len(waiting))
        for line in explained:
            if not line.is_reconciled:
                self.problems.append(f"virement expliqué mais non lettré : {line.payment_ref}")

    def tell_rejections(self):
        rejections = self.env["health.rejection"].search([])
        print(f"  {len(rejections)} rejets")
        for family, group in rejections.grouped("family_id").items():
            due = euros(total(group.share_id, "amount_residual"))
            print(f"    {family.name or 'à classer':<34} {len(group):>3}  {due:>11}")
        self.expect("rejets", len(rejections), self.truth["rejections"])

    def tell_debts(self):
        """The practitioner whose patients pay directly: what they owe and how far it has come."""
        domain = [("company_id", "=", self.owed.id)]
        shares = self.env["health.share"].search([*domain, ("debtor_kind", "=", "patient")])
        billed, due = total(shares, "amount"), total(shares, "amount_residual")
        print(
            f"  {self.owed.name}, sans tiers payant : {len(shares)} parts de patients {euros(billed)}, "
            f"reste {euros(due)}"
        )
        for model, title in (
            ("health.contact", "contacts"),
            ("health.plan", "échéanciers"),
            ("health.agreement", "accords"),
            ("health.debtor.request", "demandes"),
            ("health.handover", "dossiers confiés"),
        ):
            records = self.env[model].search(domain)
            labels = dict(records._fields["state"]._description_selection(self.env))
            states = Counter(labels[record.state].lower() for record in records)
            told = ", ".join(f"{count} {label}" for label, count in states.most_common())
            print(f"    {title:<24} {told}")
            if not records:
                self.problems.append(f"{title} : aucun")
        care = sum(len(row["care"]) for row in self.debts["people"])
        self.expect("parts sans tiers payant", billed, care * self.debts["act"]["cents"])

    def tell_cockpit(self):
        print("  Ce qui attend au cockpit")
        for lane in self.env["health.cockpit"].data()["lanes"]:
            for card in lane["cards"]:
                who = f" — {card['practitioner']}" if card["practitioner"] else ""
                print(f"    [{lane['label']}] {card['title']}{who} {card['amount']}")

    def check_ledgers(self):
        for company in self.companies | self.owed:
            self.env.cr.execute(
                "SELECT coalesce(sum(balance), 0) FROM account_move_line"
                " WHERE company_id = %s AND parent_state = 'posted'",
                [company.id],
            )
            self.expect(f"balance de {company.name}", cents(self.env.cr.fetchone()[0]), 0)

    def tell_access(self):
        users = self.agency["users"]
        print(f"\n  http://localhost:{self.port}  (mot de passe : {users[0]['password']})")
        for user in users:
            print(f"    {user['login']:<14} {user['name']}, {ROLES[user['role']]}")
        for who, key in (("une famille", "mother"), ("deux praticiens", "two")):
            [row] = [row for row in self.debts["people"] if row["key"] == key]
            print(f"    {who:<14} http://localhost:{self.port}{demo_link(self.env, row['email'])}")


def total(records, field):
    """Sum of a Monetary field over the records, in cents."""
    return sum(map(cents, records.mapped(lambda record: record[field])))


def demo_link(env, email=None):
    """Path of a fresh payment link, as a reminder carries it.

    :param email: of the patient; default: one who is late.
    """
    domain = [
        ("debtor_kind", "=", "patient"),
        ("state", "=", "due"),
        ("partner_id.email", "=" if email else "!=", email or False),
        ("fse_id.amc_partner_id", "=", False),
    ]
    share = env["health.share"].search(domain, order="due_date", limit=1)
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
        # the links in reminders lead to where this demo is served
        env["ir.config_parameter"].set_param("web.base.url", f"http://localhost:{options.port}")
        problems = Summary(env, options.port).tell()
        cr.commit()
    for problem in problems:
        print(f"ANOMALIE : {problem}", file=sys.stderr)
    print("\nJournée sans anomalie." if not problems else f"\n{len(problems)} anomalie(s).")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
