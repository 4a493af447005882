"""One Odoo process of the jobs test: ingests files and performs jobs.

process.py DATABASE now FILE…             ingest the files at once, as one user would
process.py DATABASE queue FILE…           ingest them by jobs (every file counts as large), then perform jobs
process.py DATABASE hang MARKER FILE…     the same, but stop for ever at the end of the first part, not committed
process.py DATABASE work STOP             perform jobs until none is left and the file STOP is there
"""

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


def perform(registry, marker=None, stop=None):
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
            if not left and (stop is None or Path(stop).exists()):
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


def main():
    database, mode, *rest = sys.argv[1:]
    odoo.tools.config.parse_config([f"--database={database}", "--log-level=warn"])
    registry = Registry(database)
    if mode == "now":
        ingest(registry, rest, background=False)
    elif mode == "queue":
        ingest(registry, rest, background=True)
        perform(registry)
    elif mode == "hang":
        ingest(registry, rest[1:], background=True)
        perform(registry, marker=rest[0])
    else:
        perform(registry, stop=rest[0])


if __name__ == "__main__":
    main()
