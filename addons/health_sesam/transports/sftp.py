"""SFTP, to a server whose key a person accepted."""

import posixpath
import time

from odoo.addons.health_billing.exchange import SftpLine

from .base import DONE_FOLDER, REVIEW_FOLDER, RemoteFile, Session, TransportError, free_name


class SftpSession(SftpLine, Session):
    def describe(self):
        return self.transport.env._(
            "Connected to %(host)s; %(count)s file(s) in the folder.",
            host=self.transport.host,
            count=len(self.list()),
        )

    def send(self, name, content, lot):
        self.put(name, content)
        return f"{self.transport.host}:{self._path(name)}"

    def list(self):
        now = time.time()
        return sorted(
            (
                RemoteFile(
                    name,
                    state.st_size or 0,
                    int(now - (state.st_mtime or 0)),
                    f"{state.st_size}:{state.st_mtime}",
                )
                for name, state in self._files()
            ),
            key=lambda file: file.name,
        )

    def fetch(self, file):
        content = self._read(file.name, limit=file.size + 1)
        size = self._do(lambda: self.sftp.stat(self._path(file.name)).st_size)
        if not len(content) == size == file.size:
            raise TransportError(
                self.transport.env._("“%s” is still being written: it waits.", file.name)
            )
        return content

    def acknowledge(self, file, good):
        def work():
            target = self._path(DONE_FOLDER if good else REVIEW_FOLDER)
            try:
                taken = set(self.sftp.listdir(target))
            except FileNotFoundError:
                self.sftp.mkdir(target)
                taken = set()
            name = free_name(file.name, taken)
            self.sftp.rename(self._path(file.name), posixpath.join(target, name))

        self._do(work)
