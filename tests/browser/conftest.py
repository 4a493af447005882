"""A real Odoo on a copy of the worked demo day, driven by a headless Chromium in French."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

HOME = Path(os.environ["FACTURIERE_HOME"])
DATABASE = os.environ["FACTURIERE_BROWSER_DB"]
SHOTS = HOME / "home" / "screenshots"
#: what a browser says that is none of our making
HARMLESS = re.compile(r"favicon|websocket|ERR_ABORTED|WebSocket")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    if os.geteuid() == 0 or os.environ.get("CI"):
        args.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": os.environ["CHROMIUM"], "args": args}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR", "viewport": {"width": 1366, "height": 768}}


@pytest.fixture(scope="session")
def base_url():
    """Address of a private Odoo on the database that bin/test prepared."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (HOME / "home" / "browser-server.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable,
            str(HOME / "root" / "usr" / "bin" / "odoo"),
            f"--database={DATABASE}",
            f"--db-filter=^{DATABASE}$",
            "--http-interface=127.0.0.1",
            f"--http-port={port}",
            "--max-cron-threads=0",
            "--log-level=warn",
        ],
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    for _attempt in range(240):
        try:
            urllib.request.urlopen(f"{url}/web/health", timeout=2)
            break
        except OSError:
            assert server.poll() is None, f"Odoo stopped: {Path(log.name).read_text()[-2000:]}"
            time.sleep(0.25)
    yield url
    server.send_signal(signal.SIGINT)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()


@pytest.fixture
def errors(page):
    """Everything the page complains of; a test that looks at pages ends with ``assert not errors``."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console", lambda message: found.append(message.text) if message.type == "error" else None
    )
    page.on(
        "response",
        lambda answer: (
            found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        ),
    )
    yield found
    harmful = [text for text in found if not HARMLESS.search(text)]
    assert not harmful, harmful


@pytest.fixture
def shot(page):
    """Take a screenshot under a name; they lie in .odoo/home/screenshots for a person to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(name, full=False):
        page.screenshot(path=SHOTS / f"{name}.png", full_page=full)

    return take


@pytest.fixture
def log_in(page, base_url):
    def enter(login, password="demo"):
        page.goto(f"{base_url}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_selector(".o_main_navbar", timeout=90_000)

    return enter


@pytest.fixture
def patient_link(base_url):
    """Address of a payment link of a patient who is late, made in the database the server runs on."""
    script = (
        "import sys, os; sys.path.insert(0, os.path.join(os.environ['FACTURIERE_ROOT'], 'bin', 'lib'))\n"
        "import demo\n"
        "print('LINK', demo.demo_link(env))\n"
        "env.cr.commit()\n"
    )
    answer = subprocess.run(
        [
            sys.executable,
            str(HOME / "root" / "usr" / "bin" / "odoo"),
            "shell",
            f"--database={DATABASE}",
            "--no-http",
            "--log-level=error",
        ],
        input=script,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    path = re.search(r"LINK (/\S+)", answer.stdout)[1]
    return base_url + path
