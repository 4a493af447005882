import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tools import config

from .common import SesamCommon


class TransportCommon(SesamCommon):
    """Roads on a base folder of this test alone."""

    def setUp(self):
        super().setUp()
        self.base = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.base)
        real = config.get

        def option(name, *default):
            return str(self.base) if name == "facturiere_exchanges" else real(name, *default)

        patcher = patch.object(config, "get", option)
        patcher.start()
        self.addCleanup(patcher.stop)

    def folder_road(self, folder, **values):
        road = self.env["health.transport"].create(
            {"name": folder, "kind": "folder", "direction": "out", "folder": folder, **values}
        )
        self.out = self.base / folder
        self.out.mkdir(exist_ok=True)
        return road

    def transmit(self, lots, **options):
        with self.enter_registry_test_mode():
            return lots._transmit(**options)

    def after_commit(self):
        """What happens once the transaction is committed."""
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()

    def fetch(self, road):
        lines = road._fetch()
        self.after_commit()
        return lines
