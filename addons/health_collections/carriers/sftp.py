"""The drop folder of a carrier's SFTP server, whose key a person accepted."""

import contextlib

from odoo.addons.health_billing.exchange import SftpLine

from .base import DONE, Session, is_plain_name


class SftpSession(SftpLine, Session):
    def _strange_host(self, accepted, seen):
        return self.settings.env._(
            "The key of the server %(host)s is %(key)s, which nobody accepted. Nothing was sent. "
            "Compare it with the one that the carrier gives you, then accept it.",
            host=self.settings.host,
            key=seen,
        )

    def names(self, folder):
        return [name for name, _state in self._files(folder) if is_plain_name(name)]

    def get(self, folder, name):
        return self._read(folder, name)

    def done(self, folder, name):
        def work():
            with contextlib.suppress(OSError):
                self.sftp.mkdir(self._path(folder, DONE))
            with contextlib.suppress(OSError):
                self.sftp.remove(self._path(folder, DONE, name))
            self.sftp.rename(self._path(folder, name), self._path(folder, DONE, name))

        self._do(work)
