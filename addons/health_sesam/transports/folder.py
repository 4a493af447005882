"""A folder of the server, below the one base folder that the configuration opens."""

import os
import tempfile
import time

from odoo.addons.health_billing.exchange import FolderLine

from .base import (
    DONE_FOLDER,
    REVIEW_FOLDER,
    RemoteFile,
    Session,
    TransportError,
    free_name,
    is_plain_name,
)


class FolderSession(FolderLine, Session):
    def describe(self):
        def probe():
            tempfile.NamedTemporaryFile(dir=self.path, prefix=".", suffix=".tmp").close()
            return len(self.list())

        count = self._do(probe)
        return self.transport.env._("The folder can be read and written; %s file(s) in it.", count)

    def send(self, name, content, lot):
        self.put(name, content)
        return f"{self.transport.folder}/{name}"

    def list(self):
        now = time.time()
        return sorted(
            (
                RemoteFile(
                    name,
                    state.st_size,
                    int(now - state.st_mtime),
                    f"{state.st_size}:{state.st_mtime_ns}",
                )
                for name, state in self._files()
            ),
            key=lambda file: file.name,
        )

    def fetch(self, file):
        content = self._read(file.name, limit=file.size + 1)
        if len(content) != file.size:
            raise TransportError(
                self.transport.env._("“%s” is still being written: it waits.", file.name)
            )
        return content

    def acknowledge(self, file, good):
        if not is_plain_name(file.name):
            return

        def work():
            target = self.path / (DONE_FOLDER if good else REVIEW_FOLDER)
            target.mkdir(exist_ok=True)
            name = free_name(file.name, set(os.listdir(target)))
            os.rename(self.path / file.name, target / name)

        self._do(work)
