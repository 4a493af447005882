"""A month worked by Odoo: everything goes through the entry points a user has."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(os.environ["FACTURIERE_ROOT"]) / "bin" / "lib"))


def set_up(env, month):
    """The agency, its practitioners and the payers; the environment that sees them all."""
    import demo

    data = month.agency()
    env = demo.set_up_agency(env, data)
    companies = demo.set_up_practitioners(env, data["practitioners"])
    ids = [env.company.id, *(company.id for company in companies.values())]
    return env(context={**env.context, "allowed_company_ids": ids}), companies


def work(env, month, every=7, watch=None):
    """Files as they come, a night every few days and one on the last day.

    :return: list of (arrival, state, message) of the files that were not taken as expected
    """
    surprises, night = [], None
    for arrival in month.arrivals():
        if night and (arrival.day - night).days >= every:
            check_night(env, arrival.day)
            night = arrival.day
        night = night or arrival.day
        inbox = env["health.inbox"].ingest(arrival.name, arrival.content)
        good = (arrival.expected,) if arrival.expected else ("done", "review")
        if inbox.state not in good or (
            inbox.state == "review" and not arrival.expected and not inbox.counts
        ):
            surprises.append((arrival.name, inbox.state, inbox.message))
        if watch:
            watch(arrival, inbox)
    check_night(env, month.today)
    return surprises


def check_night(env, day):
    cycle = env["health.cycle"].run(day)
    if not cycle.is_ok:
        raise AssertionError(cycle.report)
    return cycle
