"""SFTP, to a server whose key a person accepted."""

import base64
import contextlib
import hashlib
import io
import posixpath
import socket
import stat
import uuid

import paramiko

from .errors import ExchangeError, UnknownHost, reason

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


class SftpLine:
    """Part of a session: the server of ``self.settings``, opened as ``self.sftp``."""

    ssh = sftp = None

    def open(self):
        try:
            self._open()
        except Exception:
            self.close()
            raise

    def _open(self):
        settings = self.settings
        env, host = settings.env, settings.host
        try:
            sock = socket.create_connection((host, settings.port or 22), TIMEOUT)
        except OSError as error:
            raise ExchangeError(
                env._("The server %s cannot be reached: check its name and port.", host)
            ) from error
        try:
            self.ssh = paramiko.Transport(sock)
            self.ssh.banner_timeout = self.ssh.auth_timeout = TIMEOUT
            self.ssh.start_client(timeout=TIMEOUT)
            # the key is looked at before any secret is said
            self._check_host(fingerprint(self.ssh.get_remote_server_key()))
            if settings.private_key:
                key = read_key(settings.private_key, settings.password)
                if key is None:
                    raise ExchangeError(env._("The private key cannot be read: paste it whole."))
                self.ssh.auth_publickey(settings.login or "", key)
            else:
                self.ssh.auth_password(settings.login or "", settings.password or "")
            self.sftp = paramiko.SFTPClient.from_transport(self.ssh)
            self.sftp.get_channel().settimeout(TIMEOUT)
        except paramiko.AuthenticationException as error:
            raise ExchangeError(
                env._("The server %s refuses the login or its password or key.", host)
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ExchangeError(
                env._("The connection to %s broke: try again later.", host)
            ) from error

    def _check_host(self, seen):
        accepted = (self.settings.host_key or "").strip()
        if accepted != seen:
            raise UnknownHost(self._strange_host(accepted, seen), seen)

    def _strange_host(self, accepted, seen):
        """What is said of a server whose key ``seen`` is not the one accepted, if any was."""
        settings = self.settings
        if not accepted:
            return settings.env._(
                "The server %(host)s is not known yet. Its key: %(key)s. Compare it with the one "
                "your contact there gives you, then accept it.",
                host=settings.host,
                key=seen,
            )
        return settings.env._(
            "Beware: the key of %(host)s changed to %(key)s. Nothing was sent. Ask your contact "
            "there whether they changed it before you accept it.",
            host=settings.host,
            key=seen,
        )

    def close(self):
        for opened in (self.sftp, self.ssh):
            if opened is not None:
                with contextlib.suppress(Exception):
                    opened.close()

    def _do(self, work):
        """Run ``work``; what breaks it becomes a sentence."""
        env = self.settings.env
        try:
            return work()
        except FileNotFoundError as error:
            raise ExchangeError(
                env._("The folder “%s” does not exist there.", self._path())
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ExchangeError(
                env._(
                    "The connection to %(host)s broke on the way (%(reason)s).",
                    host=self.settings.host,
                    reason=reason(env, error),
                )
            ) from error

    def _path(self, *names):
        return posixpath.join(self.settings.folder or ".", *names)

    def put(self, name, content):
        """Write a whole file: whoever watches the folder never sees half of it under its name."""

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

        self._do(work)

    def _files(self, *folder):
        """Files of the folder, or of one below it that may be missing: ``[(name, state)]``."""

        def work():
            try:
                entries = self.sftp.listdir_attr(self._path(*folder))
            except FileNotFoundError:
                # breaks in its turn when the folder itself is what is missing
                self.sftp.stat(self._path())
                if not folder:
                    raise
                return []
            return [
                (entry.filename, entry) for entry in entries if stat.S_ISREG(entry.st_mode or 0)
            ]

        return self._do(work)

    def _read(self, *names, limit=-1):
        """Bytes of a file, ``limit`` of them at most."""

        def work():
            with self.sftp.open(self._path(*names), "rb") as opened:
                return opened.read(limit)

        return self._do(work)
