"""A hot folder of the server, below the one base folder that the configuration opens."""

import os

from odoo.addons.health_billing.exchange import FolderLine

from .base import DONE, Session, is_plain_name


class FolderSession(FolderLine, Session):
    def names(self, folder):
        return [name for name, _state in self._files(folder) if is_plain_name(name)]

    def get(self, folder, name):
        return self._read(folder, name)

    def done(self, folder, name):
        target = self.path / folder / DONE
        self._do(lambda: target.mkdir(exist_ok=True))
        self._do(lambda: os.replace(self.path / folder / name, target / name))
