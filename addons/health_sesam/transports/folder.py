"""A folder of the server, below the one base folder that the configuration opens."""

import os
import stat
import tempfile
import time
from pathlib import Path

from odoo.tools import config

from .base import (
    DONE_FOLDER,
    REVIEW_FOLDER,
    RemoteFile,
    Session,
    TransportError,
    free_name,
    is_plain_name,
)

#: entry of the Odoo configuration: base folder of all folder transports
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


class FolderSession(Session):
    def open(self):
        transport = self.transport
        path = resolve(transport.env.cr.dbname, transport.folder)
        if path is None:
            raise TransportError(
                transport.env._("The folder “%s” is not below the base folder.", transport.folder)
            )
        self.path = path
        self._do(lambda: path.mkdir(parents=True, exist_ok=True))

    def _do(self, work):
        """Run ``work``; what the system refuses becomes a sentence."""
        try:
            return work()
        except OSError as error:
            raise TransportError(
                self.transport.env._(
                    "Folder “%(folder)s”: %(reason)s",
                    folder=self.transport.folder,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error

    def describe(self):
        def probe():
            tempfile.NamedTemporaryFile(dir=self.path, prefix=".", suffix=".tmp").close()
            return len(self.list())

        count = self._do(probe)
        return self.transport.env._("The folder can be read and written; %s file(s) in it.", count)

    def send(self, name, content, lot):
        def work():
            # another name first: whoever watches the folder never sees half a file
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(temporary, 0o640)
                os.replace(temporary, self.path / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            return f"{self.transport.folder}/{name}"

        return self._do(work)

    def list(self):
        def work():
            now = time.time()
            found = []
            with os.scandir(self.path) as entries:
                for entry in entries:
                    # a link could show any file of the server
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    state = entry.stat(follow_symlinks=False)
                    found.append(
                        RemoteFile(
                            entry.name,
                            state.st_size,
                            int(now - state.st_mtime),
                            f"{state.st_size}:{state.st_mtime_ns}",
                        )
                    )
            return sorted(found, key=lambda file: file.name)

        return self._do(work)

    def fetch(self, file):
        def work():
            handle = os.open(self.path / file.name, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError("not a file")
                return opened.read(file.size + 1)

        content = self._do(work)
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
