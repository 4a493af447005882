"""For every run of pytest, with Odoo or without: under CI a skipped test counts as failed.

CI is under way when the variable CI is set. Without a browser, or without --odoo-http, whole
suites would otherwise be skipped and look green.
"""

import os

import pytest

CI = os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def _fail_if_skipped(report):
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        reason = str(reason).removeprefix("Skipped: ")
        report.longrepr = f"skipped, which CI does not accept: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _fail_if_skipped((yield))
