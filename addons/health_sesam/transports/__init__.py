"""Roads that files travel on: one small class per kind of transport.

How another addon adds one: extend the selection ``kind`` of ``health.transport``, write a subclass
of :class:`Session` (see there what each method owes), and answer it from
``health.transport._session_class`` for the new kind. Nothing else knows the kinds.
"""

from .base import RemoteFile, Session, TransportError
from .folder import FolderSession
from .mail import MailSession
from .sftp import SftpSession

__all__ = [
    "FolderSession",
    "MailSession",
    "RemoteFile",
    "Session",
    "SftpSession",
    "TransportError",
]
