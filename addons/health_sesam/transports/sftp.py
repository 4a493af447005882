"""SFTP, to a server whose key a person accepted."""

import base64
import contextlib
import hashlib
import io
import posixpath
import socket
import stat
import time
import uuid

import paramiko

from .base import DONE_FOLDER, REVIEW_FOLDER, RemoteFile, Session, TransportError, free_name

#: seconds before a silent server is given up
TIMEOUT = 20
KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def fingerprint(key):
    """Fingerprint of a host key as every SSH program writes it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def read_key(text, password=None):
    """A private key from its text, or None when it is none."""
    for kind in KEYS:
        with contextlib.suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text), password=password or None)
    return None


class UnknownHost(TransportError):
    """The server's key is not the one that was accepted; nothing was said to it."""

    def __init__(self, message, seen):
        super().__init__(message)
        self.seen = seen


class SftpSession(Session):
    ssh = sftp = None

    def open(self):
        # secrets are for managers; whoever may use the road uses it without seeing them
        transport = self.transport.sudo()
        try:
            sock = socket.create_connection((transport.host, transport.port or 22), TIMEOUT)
        except OSError as error:
            raise TransportError(
                transport.env._(
                    "The server %s cannot be reached: check its name and port.", transport.host
                )
            ) from error
        try:
            self.ssh = paramiko.Transport(sock)
            self.ssh.banner_timeout = self.ssh.auth_timeout = TIMEOUT
            self.ssh.start_client(timeout=TIMEOUT)
            # the key is looked at before any secret is said
            self._check_host(fingerprint(self.ssh.get_remote_server_key()))
            if transport.private_key:
                key = read_key(transport.private_key, transport.password)
                if key is None:
                    raise TransportError(
                        transport.env._("The private key cannot be read: paste it whole.")
                    )
                self.ssh.auth_publickey(transport.login, key)
            else:
                self.ssh.auth_password(transport.login, transport.password or "")
            self.sftp = paramiko.SFTPClient.from_transport(self.ssh)
            self.sftp.get_channel().settimeout(TIMEOUT)
        except paramiko.AuthenticationException as error:
            raise TransportError(
                transport.env._(
                    "The server %s refuses the login or its password or key.", transport.host
                )
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise TransportError(
                transport.env._("The connection to %s broke: try again later.", transport.host)
            ) from error
        self.folder = transport.folder or "."

    def _check_host(self, seen):
        transport = self.transport.sudo()
        accepted = (transport.host_key or "").strip()
        if not accepted:
            raise UnknownHost(
                transport.env._(
                    "The server %(host)s is not known yet. Its key: %(key)s. Compare it with the one "
                    "your contact there gives you, then accept it.",
                    host=transport.host,
                    key=seen,
                ),
                seen,
            )
        if accepted != seen:
            raise UnknownHost(
                transport.env._(
                    "Beware: the key of %(host)s changed to %(key)s. Nothing was sent. Ask your contact "
                    "there whether they changed it before you accept it.",
                    host=transport.host,
                    key=seen,
                ),
                seen,
            )

    def close(self):
        for opened in (self.sftp, self.ssh):
            if opened is not None:
                with contextlib.suppress(Exception):
                    opened.close()

    def _do(self, work):
        try:
            return work()
        except FileNotFoundError as error:
            raise TransportError(
                self.transport.env._("The folder “%s” does not exist there.", self.folder)
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            # the text of the server may hold anything: a person gets its kind only
            raise TransportError(
                self.transport.env._(
                    "The connection to %(host)s broke on the way (%(reason)s).",
                    host=self.transport.host,
                    reason=getattr(error, "strerror", None) or type(error).__name__,
                )
            ) from error

    def _path(self, *names):
        return posixpath.join(self.folder, *names)

    def describe(self):
        return self.transport.env._(
            "Connected to %(host)s; %(count)s file(s) in the folder.",
            host=self.transport.host,
            count=len(self.list()),
        )

    def send(self, name, content, lot):
        def work():
            temporary = self._path(f".{uuid.uuid4().hex}.tmp")
            try:
                with self.sftp.open(temporary, "wb") as file:
                    file.set_pipelined(True)
                    file.write(content)
                if self.sftp.stat(temporary).st_size != len(content):
                    raise OSError("size")
                try:
                    self.sftp.posix_rename(temporary, self._path(name))
                except OSError:
                    # servers without that extension refuse to replace a file
                    with contextlib.suppress(OSError):
                        self.sftp.remove(self._path(name))
                    self.sftp.rename(temporary, self._path(name))
            except BaseException:
                with contextlib.suppress(Exception):
                    self.sftp.remove(temporary)
                raise
            return f"{self.transport.host}:{self._path(name)}"

        return self._do(work)

    def list(self):
        def work():
            now = time.time()
            return sorted(
                (
                    RemoteFile(
                        entry.filename,
                        entry.st_size or 0,
                        int(now - (entry.st_mtime or 0)),
                        f"{entry.st_size}:{entry.st_mtime}",
                    )
                    for entry in self.sftp.listdir_attr(self.folder)
                    if stat.S_ISREG(entry.st_mode or 0)
                ),
                key=lambda file: file.name,
            )

        return self._do(work)

    def fetch(self, file):
        def work():
            path = self._path(file.name)
            with self.sftp.open(path, "rb") as opened:
                content = opened.read(file.size + 1)
            return content, self.sftp.stat(path).st_size

        content, size = self._do(work)
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
