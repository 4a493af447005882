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
from playwright.sync_api import expect

HOME = Path(os.environ["FACTURIERE_HOME"])
DATABASE = os.environ["FACTURIERE_BROWSER_DB"]
SHOTS = HOME / "home" / "screenshots"
# a slow machine is no failure
expect.set_options(timeout=20_000)
#: calls a screen waits for
CALL = re.compile(r"/web/(dataset|action|view)")
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


def in_odoo(script):
    """What a script prints that runs, as the night does, in the database the server runs on."""
    answer = subprocess.run(
        [
            sys.executable,
            str(HOME / "root" / "usr" / "bin" / "odoo"),
            "shell",
            f"--database={DATABASE}",
            "--no-http",
            "--log-level=error",
        ],
        input=script + "\nenv.cr.commit()\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return answer.stdout


@pytest.fixture
def patient_link(base_url):
    """Address of a payment link of a patient who is late."""
    answer = in_odoo(
        "import sys, os; sys.path.insert(0, os.path.join(os.environ['FACTURIERE_ROOT'], 'bin', 'lib'))\n"
        "import demo\n"
        "print('LINK', demo.demo_link(env))\n"
    )
    return base_url + re.search(r"LINK (/\S+)", answer)[1]


class Screens:
    """What a biller does on every screen of Odoo, by what they read there; waits for what they wait for."""

    def __init__(self, page, base_url):
        self.page = page
        self.base_url = base_url
        self.pending = set()
        page.on("request", lambda request: CALL.search(request.url) and self.pending.add(request))
        page.on("requestfinished", lambda request: self.pending.discard(request))
        page.on("requestfailed", lambda request: self.pending.discard(request))

    def open(self, path):
        """A screen by its address below /odoo, fully there."""
        self.page.goto(f"{self.base_url}/odoo/{path}")
        expect(self.page.locator(".o_view_controller, .o_action").first).to_be_visible(
            timeout=30_000
        )

    def search(self, text):
        """Filter the list that is open by the first thing its search box looks in."""
        box = self.page.get_by_role("searchbox")
        box.press_sequentially(text)
        expect(self.page.locator(".o_searchview_autocomplete")).to_contain_text(text)
        box.press("Enter")
        expect(self.page.locator(".o_facet_value", has_text=text)).to_be_visible()

    def row(self, text):
        return self.page.locator(".o_data_row", has_text=text)

    def open_row(self, text):
        """Open the first row of the list that says so."""
        self.row(text).first.locator("td.o_data_cell").nth(1).click()
        expect(self.page.locator(".o_form_view")).to_be_visible(timeout=30_000)

    def press(self, name):
        """Click a button by its words, and wait until the server has answered."""
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.settled()

    def settled(self):
        """Nothing is on its way to the server any more."""
        quiet = 0
        for _ in range(600):
            self.page.wait_for_timeout(50)
            quiet = 0 if self.pending else quiet + 1
            if quiet == 3:  # an answer may call for the next question
                return
        raise AssertionError([request.url for request in self.pending])

    def field(self, name):
        return self.page.locator(f".o_form_view [name={name}]").first

    def choose(self, name, text):
        """Pick from a drop-down by typing, as soon as the choice is there."""
        box = self.page.locator(f"[name={name}] input[role=combobox]").last
        box.click()
        box.press_sequentially(text)
        self.page.locator(".o-autocomplete--dropdown-item", has_text=text).first.click()
        self.settled()

    def tab(self, name):
        self.page.get_by_role("tab", name=name, exact=True).click()

    def shares(self):
        """Who owes what on the FSE that is open: kind → amount in words."""
        self.tab("Qui doit quoi")
        expect(self.page.locator("[name=share_ids] .o_data_row").first).to_be_visible()
        rows = self.page.locator("[name=share_ids] .o_data_row")
        return {
            words(row.locator("[name=debtor_kind]").inner_text()): words(
                row.locator("[name=amount]").inner_text()
            )
            for row in rows.all()
        }

    def findings(self):
        """Codes of the open objections of the FSE that is open."""
        return sorted(
            self.page.locator(
                "[name=open_finding_ids] [name=rule_code].o_data_cell"
            ).all_inner_texts()
        )


def words(text):
    """What a person reads: the spaces of amounts are plain ones."""
    return re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\xa0", " ")).strip()


@pytest.fixture
def screens(page, base_url):
    return Screens(page, base_url)
