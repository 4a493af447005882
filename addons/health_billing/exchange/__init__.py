"""Folders and SFTP servers that files are exchanged through: what every addon that does so needs.

A session of an addon takes :class:`FolderLine` or :class:`SftpLine` before its own base class, says
where its ``settings`` are (a record with ``folder``, and ``host``, ``port``, ``login``, ``password``,
``private_key``, ``host_key`` for SFTP) and adds what its files mean. Every failure is an
:class:`ExchangeError` whose text is for a person.
"""

from .errors import ExchangeError, UnknownHost
from .folder import FolderLine, base_folder, resolve
from .sftp import SftpLine, fingerprint, read_key

__all__ = [
    "ExchangeError",
    "FolderLine",
    "SftpLine",
    "UnknownHost",
    "base_folder",
    "fingerprint",
    "read_key",
    "resolve",
]
