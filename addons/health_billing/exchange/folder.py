"""A folder of the server, below the one base folder that the configuration opens."""

import os
import stat
import tempfile
from pathlib import Path

from odoo.tools import config

from .errors import ExchangeError, reason

#: entry of the Odoo configuration: base folder of everything exchanged with others
OPTION = "facturiere_exchanges"


def base_folder(dbname):
    """The base folder: that of the configuration, else one of this database in Odoo's own data."""
    configured = config.get(OPTION)
    if configured:
        return Path(configured)
    return Path(config["data_dir"]) / "exchanges" / dbname


def resolve(dbname, relative):
    """The real folder, or None when the path leaves the base folder (``..``, links, absolute)."""
    base = base_folder(dbname).resolve()
    wanted = (base / (relative or "").strip()).resolve()
    return wanted if wanted.is_relative_to(base) and wanted != base else None


class FolderLine:
    """Part of a session: the folder of ``self.settings``, opened as ``self.path``."""

    def open(self):
        settings = self.settings
        path = resolve(settings.env.cr.dbname, settings.folder)
        if path is None:
            raise ExchangeError(
                settings.env._(
                    "The folder “%s” is not below the base folder of the server.",
                    settings.folder or "",
                )
            )
        self.path = path
        self._do(lambda: path.mkdir(parents=True, exist_ok=True))

    def _do(self, work):
        """Run ``work``; what the system refuses becomes a sentence."""
        try:
            return work()
        except OSError as error:
            env = self.settings.env
            raise ExchangeError(
                env._(
                    "Folder “%(folder)s”: %(reason)s",
                    folder=self.settings.folder,
                    reason=reason(env, error),
                )
            ) from error

    def put(self, name, content):
        """Write a whole file: whoever watches the folder never sees half of it under its name."""

        def work():
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                # the program that takes it over is another user of the same group
                os.chmod(temporary, 0o640)
                os.replace(temporary, self.path / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

        self._do(work)

    def _files(self, *folder):
        """Files of the folder, or of one below it that may be missing: ``[(name, state)]``."""

        def work():
            try:
                entries = os.scandir(self.path.joinpath(*folder))
            except FileNotFoundError:
                if not folder:
                    raise
                return []
            with entries:
                # a link could show any file of the server
                return [
                    (entry.name, entry.stat(follow_symlinks=False))
                    for entry in entries
                    if entry.is_file(follow_symlinks=False)
                ]

        return self._do(work)

    def _read(self, *names, limit=-1):
        """Bytes of a file, ``limit`` of them at most; never through a link."""

        def work():
            handle = os.open(self.path.joinpath(*names), os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError("not a file")
                return opened.read(limit)

        return self._do(work)
