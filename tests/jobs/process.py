"""One Odoo process of the jobs test: ingests files, performs jobs, or tells the state of a database.

process.py DATABASE now FILE…      ingest the files at once, as one user would
process.py DATABASE queue FILE…    ingest them by jobs (every file counts as large)
process.py DATABASE work           perform jobs until none is left
process.py DATABASE hang MARKER    perform jobs, but stop for ever at the end of the first part, not committed
process.py DATABASE state          print everything that was recorded, as JSON
"""

import json
import sys
import time
from pathlib import Path

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

NEXT = """
    UPDATE queue_job SET state = 'enqueued', date_enqueued = now() AT TIME ZONE 'utc'
     WHERE id = (SELECT id FROM queue_job
                  WHERE state = 'pending' AND (eta IS NULL OR eta <= now() AT TIME ZONE 'utc')
                  ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING uuid"""
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
    "parts": """SELECT i.filename, c.health_provider_no, p.state FROM health_inbox_part p
        JOIN health_inbox i ON i.id = p.inbox_id JOIN res_company c ON c.id = p.company_id""",
}


def tell(text):
    sys.stdout.write(text + "\n")


def environment(registry, cr):
    env = api.Environment(cr, SUPERUSER_ID, {})
    biller = env["res.users"].search(
        [("group_ids", "in", env.ref("health_billing.group_biller").ids), ("share", "=", False)],
        limit=1,
    )
    return api.Environment(
        cr, biller.id, {"allowed_company_ids": biller.company_ids.ids, "lang": "fr_FR"}
    )


def ingest(registry, files, background):
    for path in map(Path, files):
        with registry.cursor() as cr:
            env = environment(registry, cr)
            env["health.parameter"].sudo().search([("code", "=", "inbox_job_kilobytes")]).value = 0
            inbox = env["health.inbox"].ingest(path.name, path.read_bytes(), background=background)
            tell(f"{path.name} {inbox.state} {inbox.progress or inbox.message}")


def perform(registry, marker=None):
    """What the runner and the HTTP worker of queue_job do, in one process."""
    from odoo.addons.health_billing.models.health_inbox_part import HealthInboxPart
    from odoo.addons.queue_job.controllers.main import RunJobController
    from odoo.addons.queue_job.jobrunner.runner import Database

    if marker:
        work = HealthInboxPart._work

        def hang(part):
            result = work(part)
            part.env.flush_all()  # all of it is written, nothing committed
            Path(marker).write_text(part.company_id.name)
            time.sleep(600)
            return result

        HealthInboxPart._work = hang
    dead = Database._query_requeue_dead_jobs(None)
    performed = 0
    while True:
        with registry.cursor() as cr:
            cr.execute(NEXT)
            found = cr.fetchone()
            if not found:
                cr.execute(dead)
                cr.execute(
                    "SELECT count(*) FROM queue_job WHERE state NOT IN ('done', 'failed', 'cancelled')"
                )
                left = cr.fetchone()[0]
        if not found:
            if not left:
                tell(f"performed {performed}")
                return
            time.sleep(0.3)
            continue
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            job = RunJobController._acquire_job(env, found[0])
            if job:
                RunJobController._runjob(env, job)
                performed += 1


def state(registry):
    with registry.cursor() as cr:
        found = {}
        for name, query in STATE.items():
            cr.execute(query)
            found[name] = sorted(json.loads(json.dumps(cr.fetchall())), key=repr)
    tell(json.dumps(found))


def main():
    database, mode, *rest = sys.argv[1:]
    odoo.tools.config.parse_config([f"--database={database}", "--log-level=warn"])
    registry = Registry(database)
    if mode in ("now", "queue"):
        ingest(registry, rest, mode == "queue")
    elif mode == "state":
        state(registry)
    else:
        perform(registry, *rest)


if __name__ == "__main__":
    main()
