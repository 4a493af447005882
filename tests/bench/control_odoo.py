"""Control of 1,000 and of 10,000 FSE, each in one call: seconds, growth per FSE, queries, memory.

    bin/bench control             the table
    bin/bench control --profile   and where the time goes

Twenty nurses, patients seen twice a week, two to four acts per FSE, and a year
of earlier claims, so that rules have a history to look at.
"""

import argparse
import cProfile
import pstats
import random
import resource
import time
from datetime import date, timedelta

from stdnum import luhn

import odoo
from odoo.modules.registry import Registry

SIZES = (1_000, 10_000)
PRACTITIONERS = 20
START = date(2026, 9, 1)
SEED = 20261122


def practitioners(env):
    # the country of a new company would install what a benchmark does not need
    companies = env["res.company"].with_context(chart_template_load=True)
    for number in range(PRACTITIONERS):
        body = f"7599{number:04d}"
        companies |= companies.create(
            {
                "name": f"Bench {number}",
                "country_id": env.ref("base.fr").id,
                "currency_id": env.ref("base.EUR").id,
                "health_profession": "infirmier",
                "health_provider_no": body + luhn.calc_check_digit(body),
            }
        )
    env.user.company_ids |= companies
    return companies


def claims(env, companies, count, sent, first_day, days, tag):
    """`count` FSE with their acts, made in batches; `sent` ones are history."""
    draw = random.Random(f"{SEED}{tag}")
    codes = env["health.ngap"]._product_by_code()
    care = [
        env["product.product"].browse(codes[code])
        for code in ("INF-AMI1,5-01", "INF-AMI1-02", "INF-AMI4-01", "INF-AMI2-01")
    ]
    patients = {
        company: env["res.partner"].search(
            [("company_id", "=", company.id), ("health_kind", "=", "patient")]
        )
        for company in companies
    }
    fses = env["health.fse"]
    for start in range(0, count, 1000):
        rows = []
        for number in range(start, min(start + 1000, count)):
            company = companies[number % len(companies)]
            people = patients[company]
            day = first_day + timedelta(days=draw.randrange(days))
            acts = [
                (
                    0,
                    0,
                    {
                        "act_date": day,
                        "key_letter": "IFD",
                        "coefficient_hundredths": 100,
                        "amount": 2.75,
                        "sequence": 9,
                    },
                )
            ]
            for product in draw.sample(care, draw.randint(1, 3)):
                acts.append(
                    (
                        0,
                        0,
                        {
                            "act_date": day,
                            "product_id": product.id,
                            "key_letter": product.health_key_letter,
                            "coefficient_hundredths": product.health_coefficient_hundredths,
                            "amount": product.health_coefficient_hundredths * 3.15 / 100,
                        },
                    )
                )
            rows.append(
                {
                    "name": f"{tag}{number}",
                    "company_id": company.id,
                    "patient_id": people[number // len(companies) % len(people)].id,
                    "fse_date": day,
                    "sent_on": day if sent else False,
                    "origin": "journal",
                    "prescriber_no": "123456789",
                    "prescription_date": first_day - timedelta(days=10),
                    "act_ids": acts,
                }
            )
        fses |= env["health.fse"].with_context(tracking_disable=True).create(rows)
        env.flush_all()
    return fses


def run(env, profiled=False, sizes=SIZES):
    companies = practitioners(env)
    everybody = env(context=dict(env.context, allowed_company_ids=companies.ids))
    partners = everybody["res.partner"].with_context(tracking_disable=True)
    partners.create(
        [
            {
                "name": f"P{number}",
                "health_kind": "patient",
                "company_id": companies[number % len(companies)].id,
                "health_birth_date": "1950-05-01",
            }
            for number in range(2000)
        ]
    )
    started = time.perf_counter()
    claims(everybody, companies, max(sizes) // 2, True, START - timedelta(days=365), 360, "H")
    todo = claims(everybody, companies, max(sizes), False, START, 60, "T")
    for table in ("health_fse", "health_fse_act", "res_partner"):
        env.cr.execute(f"ANALYZE {table}")
    print(f"préparé en {time.perf_counter() - started:.0f} s (prepared)")
    todo[:50]._control()
    results = []
    for size in sizes:
        env.cr.execute("DELETE FROM health_finding")
        env.invalidate_all()
        queries, peak = env.cr.sql_log_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        profile = cProfile.Profile() if profiled else None
        if profile:
            profile.enable()
        started = time.perf_counter()
        todo[:size]._control()
        env.flush_all()
        seconds = time.perf_counter() - started
        if profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        env.cr.execute("SELECT count(*) FROM health_finding")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
        results.append(
            (size, seconds, env.cr.sql_log_count - queries, env.cr.fetchone()[0], grown / 1024)
        )
    print("FSE       secondes   ms/FSE   requêtes   constats   mémoire +Mo")
    print("claims    seconds    ms each  queries    findings   memory +MB")
    for size, seconds, queries, findings, grown in results:
        print(
            f"{size:<9,d} {seconds:<10.2f} {seconds / size * 1000:<8.2f} {queries:<10d} {findings:<10d} {grown:.0f}"
        )
    (small, few, *_), (large, many, *_) = results
    growth = (many / large) / (few / small)
    print(f"croissance par FSE / growth per claim: × {growth:.2f}")
    print(f"= control | ms per FSE, {large} at once | {many / large * 1000:.2f} |")
    print(f"= control | cost per FSE, {large} over {small} | {growth:.2f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--small", action="store_true", help="what CI runs")
    options = parser.parse_args()
    odoo.tools.config.parse_config(
        [f"--database={options.database}", "--log-level=error"], setup_logging=True
    )
    with Registry(options.database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
        run(env, options.profile, (100, 400) if options.small else SIZES)
        cr.rollback()


if __name__ == "__main__":
    main()
