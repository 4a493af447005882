"""Roads for registered letters. A carrier is a small class; `health.carrier` says which one and with what settings.

An addon that brings another carrier adds its code to the field `kind` and answers in `_session_class`.
"""

from .base import CarrierError, Parcel, Session, Status
from .folder import FolderSession
from .sftp import SftpSession

__all__ = [
    "CarrierError",
    "FolderSession",
    "Parcel",
    "Session",
    "SftpSession",
    "Status",
]
