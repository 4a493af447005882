"""A Chromium without windows that prints HTML, spoken to through two pipes.

One process prints any number of documents. Scripts do not run, no local file is opened and nothing is fetched from the
network: whatever a document asks for is answered by the caller, or not at all.
"""

import base64
import fcntl
import json
import logging
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_logger = logging.getLogger(__name__)

#: commands under which systems install it; Ubuntu's "chromium-browser" only asks for a snap
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chrome-headless-shell")
#: seconds that one document may take
PATIENCE = 120
MM_PER_INCH = 25.4
ARGUMENTS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--font-render-hinting=none",
    # belt and braces: names are not looked up, requests are answered through the pipe
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class ChromiumError(Exception):
    """Chromium did not start, stopped, took too long or refused a command."""


def find_chromium(wanted=""):
    """The Chromium to print with.

    :param wanted: path or command name that goes before the usual ones.
    :return: path, or ``None``.
    """
    home = os.environ.get("FACTURIERE_HOME")
    own = [str(Path(home, "chromium", "run"))] if home else []
    for name in (wanted, os.environ.get("CHROMIUM", ""), *NAMES, *own):
        if name and (path := shutil.which(name)):
            return path
    return None


class Chromium:
    """One running process; to be used in a ``with`` statement.

    :param binary: path of the program.
    :param fetch: called with the address of everything a document asks for, returns (content, type) or ``None``.
    """

    def __init__(self, binary, fetch):
        self.binary = binary
        self.fetch = fetch
        self.number = 0
        self.buffer = b""
        self.events = []
        self.deadline = 0
        self.pid = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="report.chromium.")
        try:
            self._start()
            target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
            self.session = self._call(
                "Target.attachToTarget", {"targetId": target, "flatten": True}
            )["sessionId"]
            self._command("Page.enable")
            self._command("Emulation.setScriptExecutionDisabled", {"value": True})
            self._command("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
            frame = self._command("Page.getFrameTree")["frameTree"]["frame"]
            self.frame = frame["id"]
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exception):
        self._stop()

    def print(self, html, width, height, margins):
        """Print one document.

        :param str html: the whole document.
        :param width: of the sheet, in millimetres; height likewise.
        :param margins: millimetres at the top, right, bottom and left.
        :return: the PDF, bytes.
        """
        self.deadline = time.monotonic() + PATIENCE
        self.events.clear()
        self._command("Page.setDocumentContent", {"frameId": self.frame, "html": html})
        while "Page.loadEventFired" not in self.events:
            self._read()
        # fonts are asked for when the text is laid out, which may be later than everything else
        self._command(
            "Runtime.evaluate",
            {"expression": "document.fonts.ready.then(() => true)", "awaitPromise": True},
        )
        top, right, bottom, left = (margin / MM_PER_INCH for margin in margins)
        answer = self._command(
            "Page.printToPDF",
            {
                "paperWidth": width / MM_PER_INCH,
                "paperHeight": height / MM_PER_INCH,
                "marginTop": top,
                "marginRight": right,
                "marginBottom": bottom,
                "marginLeft": left,
                "printBackground": True,
                "generateTaggedPDF": False,
            },
        )
        return base64.b64decode(answer["data"])

    # -- process -----------------------------------------------------------------------------------

    def _start(self):
        self.deadline = time.monotonic() + PATIENCE
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        log = os.open(Path(self.folder, "log"), os.O_WRONLY | os.O_CREAT, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        arguments = [*ARGUMENTS, f"--user-data-dir={self.folder}/profile"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        # the server limits its own address space (limit_memory_hard), under which Chromium dies without a word
        command = ["sh", "-c", 'ulimit -S -v unlimited; exec "$@"', "chromium", self.binary]
        # dup2 onto the same number would keep the "close on exec" mark, so all go through high numbers
        high = [
            fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (null, log, theirs_in, theirs_out)
        ]
        try:
            self.pid = os.posix_spawn(
                "/bin/sh",
                [*command, *arguments],
                {**os.environ, "HOME": self.folder},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, fd, number)
                    for fd, number in zip(
                        (high[0], high[1], high[1], high[2], high[3]), (0, 1, 2, 3, 4), strict=True
                    )
                ],
                setpgroup=0,
            )
        finally:
            for fd in (theirs_in, theirs_out, log, null, *high):
                os.close(fd)

    def _stop(self):
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None
        for name in ("out", "into"):
            if getattr(self, name, None) is not None:
                os.close(getattr(self, name))
                setattr(self, name, None)
        # helpers of the process that was just ended may still write into the folder
        shutil.rmtree(self.folder, ignore_errors=True)

    def _last_words(self):
        try:
            return Path(self.folder, "log").read_text(errors="replace")[-800:]
        except OSError:
            return ""

    # -- protocol ----------------------------------------------------------------------------------

    def _command(self, method, params=None):
        return self._call(method, params, self.session)

    def _call(self, method, params=None, session=None):
        number = self._send(method, params, session)
        while True:
            message = self._read()
            if message.get("id") == number:
                if "error" in message:
                    raise ChromiumError(f"{method}: {message['error'].get('message')}")
                return message["result"]

    def _send(self, method, params=None, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            # Chromium may itself wait for us to read
            readable, writable, _ = select.select([self.into], [self.out], [], self._patience())
            if readable:
                self._fill()
            if writable:
                try:
                    data = data[os.write(self.out, data[:4096]) :]
                except BrokenPipeError:
                    raise ChromiumError(f"it stopped: {self._last_words()}") from None
        return self.number

    def _read(self):
        """The next message; requests of the document are answered on the way."""
        while b"\0" not in self.buffer:
            if not select.select([self.into], [], [], self._patience())[0]:
                continue
            self._fill()
        raw, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(raw)
        if message.get("method") == "Fetch.requestPaused":
            self._answer(message["params"], message.get("sessionId"))
        elif "method" in message:
            self.events.append(message["method"])
        return message

    def _fill(self):
        chunk = os.read(self.into, 1 << 20)
        if not chunk:
            raise ChromiumError(f"it stopped: {self._last_words()}")
        self.buffer += chunk

    def _patience(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ChromiumError(f"it took longer than {PATIENCE} s: {self._last_words()}")
        return left

    def _answer(self, params, session):
        found = self.fetch(params["request"]["url"])
        if found is None:
            _logger.info("Not shown in the PDF: %s", params["request"]["url"][:200])
            self._send(
                "Fetch.failRequest",
                {"requestId": params["requestId"], "errorReason": "BlockedByClient"},
                session,
            )
            return
        content, kind = found
        self._send(
            "Fetch.fulfillRequest",
            {
                "requestId": params["requestId"],
                "responseCode": 200,
                "responseHeaders": [
                    {"name": "Content-Type", "value": kind},
                    # a font is asked for by a page without an address
                    {"name": "Access-Control-Allow-Origin", "value": "*"},
                ],
                "body": base64.b64encode(content).decode(),
            },
            session,
        )
