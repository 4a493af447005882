"""The drop folder of a carrier's SFTP server, whose key a person accepted."""

import base64
import contextlib
import hashlib
import io
import posixpath
import socket
import stat
import uuid

import paramiko

from .base import DONE, CarrierError, Session, is_plain_name

#: seconds before a silent server is given up
TIMEOUT = 20
KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class UnknownHost(CarrierError):
    """The key of the server is not the one that was accepted; nothing was said to it."""

    def __init__(self, message, seen):
        super().__init__(message)
        self.seen = seen


def read_key(text, password=None):
    """A private key from its text, or None when it is none."""
    for kind in KEYS:
        with contextlib.suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text), password=password or None)
    return None


class SftpSession(Session):
    transport = sftp = None

    def open(self):
        settings = self.settings
        try:
            sock = socket.create_connection((settings.host, settings.port or 22), TIMEOUT)
            self.transport = paramiko.Transport(sock)
            self.transport.banner_timeout = self.transport.auth_timeout = TIMEOUT
            self.transport.start_client(timeout=TIMEOUT)
            # the key is looked at before any secret is said
            self._check_host(self.transport.get_remote_server_key())
            if settings.private_key:
                key = read_key(settings.private_key, settings.password)
                if key is None:
                    raise CarrierError(
                        settings.env._("The private key cannot be read: paste it whole.")
                    )
                self.transport.auth_publickey(settings.login or "", key)
            else:
                self.transport.auth_password(settings.login or "", settings.password or "")
            self.sftp = paramiko.SFTPClient.from_transport(self.transport)
            self.sftp.get_channel().settimeout(TIMEOUT)
        except CarrierError:
            self.close()
            raise
        except paramiko.AuthenticationException as error:
            self.close()
            raise CarrierError(
                settings.env._(
                    "The server %s refuses the login or its password or key.", settings.host
                )
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            self.close()
            raise CarrierError(
                settings.env._(
                    "The server %s cannot be reached: check its name and port.", settings.host
                )
            ) from error

    def _check_host(self, key):
        settings = self.settings
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        seen = f"SHA256:{digest}"
        if (settings.host_key or "").strip() != seen:
            raise UnknownHost(
                settings.env._(
                    "The key of the server %(host)s is %(key)s, which nobody accepted. Nothing was sent. "
                    "Compare it with the one that the carrier gives you, then accept it.",
                    host=settings.host,
                    key=seen,
                ),
                seen,
            )

    def close(self):
        for opened in (self.sftp, self.transport):
            if opened is not None:
                with contextlib.suppress(Exception):
                    opened.close()

    def _do(self, work):
        try:
            return work()
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise CarrierError(
                self.settings.env._(
                    "The connection to %(host)s broke on the way (%(reason)s).",
                    host=self.settings.host,
                    reason=getattr(error, "strerror", None) or type(error).__name__,
                )
            ) from error

    def _path(self, *names):
        return posixpath.join(self.settings.folder or ".", *names)

    def put(self, name, content):
        def work():
            temporary = self._path(f".{uuid.uuid4().hex}.tmp")
            with self.sftp.open(temporary, "wb") as file:
                file.set_pipelined(True)
                file.write(content)
            try:
                self.sftp.posix_rename(temporary, self._path(name))
            except OSError:
                # servers without that extension refuse to replace a file
                with contextlib.suppress(OSError):
                    self.sftp.remove(self._path(name))
                self.sftp.rename(temporary, self._path(name))

        self._do(work)

    def names(self, folder):
        def work():
            try:
                entries = self.sftp.listdir_attr(self._path(folder))
            except FileNotFoundError:
                return []
            return [
                entry.filename
                for entry in entries
                if stat.S_ISREG(entry.st_mode or 0) and is_plain_name(entry.filename)
            ]

        return self._do(work)

    def get(self, folder, name):
        def work():
            with self.sftp.open(self._path(folder, name), "rb") as file:
                return file.read()

        return self._do(work)

    def done(self, folder, name):
        def work():
            with contextlib.suppress(OSError):
                self.sftp.mkdir(self._path(folder, DONE))
            with contextlib.suppress(OSError):
                self.sftp.remove(self._path(folder, DONE, name))
            self.sftp.rename(self._path(folder, name), self._path(folder, DONE, name))

        self._do(work)
