"""A hot folder of the server, below the one base folder that the configuration opens."""

import os
import tempfile
from pathlib import Path

from odoo.tools import config

from .base import DONE, CarrierError, Session, is_plain_name

#: entry of the Odoo configuration: base folder of everything exchanged with others
OPTION = "facturiere_exchanges"


def resolve(dbname, relative):
    """The real folder, or None when the path leaves the base folder (``..``, links, absolute)."""
    configured = config.get(OPTION)
    base = Path(configured or Path(config["data_dir"]) / "exchanges" / dbname).resolve()
    wanted = (base / (relative or "").strip()).resolve()
    return wanted if wanted.is_relative_to(base) and wanted != base else None


class FolderSession(Session):
    def open(self):
        self.path = resolve(self.settings.env.cr.dbname, self.settings.folder)
        if self.path is None:
            raise CarrierError(
                self.settings.env._(
                    "The folder “%s” is not below the base folder of the server.",
                    self.settings.folder or "",
                )
            )
        self._do(lambda: self.path.mkdir(parents=True, exist_ok=True))

    def _do(self, work):
        try:
            return work()
        except OSError as error:
            raise CarrierError(
                self.settings.env._(
                    "Folder “%(folder)s”: %(reason)s",
                    folder=self.settings.folder,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error

    def put(self, name, content):
        def work():
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self.path / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

        self._do(work)

    def names(self, folder):
        path = self.path / folder
        return self._do(
            lambda: (
                [
                    one.name
                    for one in path.iterdir()
                    if one.is_file() and not one.is_symlink() and is_plain_name(one.name)
                ]
                if path.is_dir()
                else []
            )
        )

    def get(self, folder, name):
        return self._do((self.path / folder / name).read_bytes)

    def done(self, folder, name):
        target = self.path / folder / DONE
        self._do(lambda: target.mkdir(exist_ok=True))
        self._do(lambda: os.replace(self.path / folder / name, target / name))
