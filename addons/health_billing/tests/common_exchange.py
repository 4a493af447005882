"""What tests of exchanges need: a base folder of their own, real mail servers, a real SFTP server."""

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tools import config, mute_logger

from .sftp_server import SftpServer


class ExchangeFolder:
    """For a test case: ``self.base`` is the base folder of everything exchanged."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        real = config.get

        def option(name, *default):
            return folder.name if name == "facturiere_exchanges" else real(name, *default)

        patcher = patch.object(config, "get", option)
        patcher.start()
        self.addCleanup(patcher.stop)

    def serve_sftp(self):
        """A real SFTP server over the base folder, until the test ends."""
        # paramiko tells of lines that the tests cut on purpose
        for name in ("paramiko.transport", "paramiko.transport.sftp"):
            muted = mute_logger(name)
            muted.__enter__()
            self.addCleanup(muted.__exit__, None, None, None)
        server = SftpServer(self.base)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server


class MailServers:
    """For a test case: real SMTP and POP3 servers over ``cls.folder`` (see ``mail_server.py``)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        for name in ("sent", "box"):
            (cls.folder / name).mkdir()
        script = Path(__file__).with_name("mail_server.py")
        server = subprocess.Popen(
            [sys.executable, script, folder.name], stdout=subprocess.PIPE, text=True
        )
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        cls.addClassCleanup(server.stdout.close)
        cls.smtp_port, cls.pop_port = map(int, server.stdout.readline().split())

    def setUp(self):
        super().setUp()
        for path in (*(self.folder / "sent").iterdir(), *(self.folder / "box").iterdir()):
            path.unlink()
        # Odoo sends nothing while it tests; these tests have a server of their own
        patcher = patch.object(
            type(self.env["ir.mail_server"]), "_disable_send", lambda *_args: False
        )
        patcher.start()
        self.addCleanup(patcher.stop)
