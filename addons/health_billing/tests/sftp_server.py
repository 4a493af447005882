"""A real SFTP server on loopback, over a folder of the test; it can be told to cut the line."""

import contextlib
import os
import socket
import threading
from pathlib import Path

import paramiko

USER, PASSWORD = "agence", "mot-de-passe"


class _Access(paramiko.ServerInterface):
    def __init__(self, server):
        self.server = server

    def check_auth_password(self, username, password):
        self.server.seen.append((username, password))
        good = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        good = username == USER and key == self.server.client_key
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, _username):
        return "password,publickey"

    def check_channel_request(self, _kind, _chanid):
        return paramiko.OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    def stat(self):
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))

    def write(self, offset, data):
        server = self.server
        if server.cut_after is not None:
            server.cut_after -= len(data)
            if server.cut_after < 0:
                server.cut()
                return paramiko.SFTP_FAILURE
        return super().write(offset, data)

    def read(self, offset, length):
        if self.server.cut_reading and self.server.cut_reading in self.filename:
            self.server.cut()
            return paramiko.SFTP_FAILURE
        return super().read(offset, length)


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, access, server):
        super().__init__(access)
        self.server = server

    def _real(self, path):
        return str(self.server.root / path.lstrip("/"))

    def canonicalize(self, path):
        return "/" + path.lstrip("/")

    def list_folder(self, path):
        try:
            found = []
            for name in os.listdir(self._real(path)):
                entry = paramiko.SFTPAttributes.from_stat(os.stat(f"{self._real(path)}/{name}"))
                entry.filename = name
                found.append(entry)
            return found
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._real(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path, flags, _attr):
        try:
            opened = os.open(self._real(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        file = os.fdopen(opened, "wb" if flags & os.O_WRONLY else "rb")
        handle = _Handle(flags)
        handle.server, handle.filename = self.server, path
        handle.readfile = handle.writefile = file
        return handle

    def remove(self, path):
        return self._try(os.remove, self._real(path))

    def rename(self, old, new):
        if os.path.exists(self._real(new)):
            return paramiko.SFTP_FAILURE
        return self._try(os.rename, self._real(old), self._real(new))

    def posix_rename(self, old, new):
        if not self.server.has_posix_rename:
            return paramiko.SFTP_OP_UNSUPPORTED
        return self._try(os.replace, self._real(old), self._real(new))

    def mkdir(self, path, _attr):
        return self._try(os.mkdir, self._real(path))

    @staticmethod
    def _try(work, *paths):
        try:
            work(*paths)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return paramiko.SFTP_OK


class SftpServer:
    """``with SftpServer(folder) as server:`` listens on ``server.port`` until the end."""

    def __init__(self, root):
        self.root = Path(root)
        self.host_key = paramiko.ECDSAKey.generate()
        self.client_key = None
        self.cut_after = None
        self.cut_reading = None
        self.has_posix_rename = True
        self.seen = []
        self._transports = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self):
        """Cut every line at once."""
        for transport in self._transports:
            transport.sock.close()
            transport.close()

    def _accept(self):
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Access(self))
            except (paramiko.SSHException, EOFError, OSError):
                continue
