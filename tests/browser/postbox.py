"""A mail server on loopback that keeps what it receives, for tests that follow a mail to the end."""

import email
import email.policy
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self._say("220 loopback")
        while line := self.rfile.readline():
            word = line[:4].strip().upper()
            if word == b"DATA":
                self._say("354 go on")
                lines = []
                while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                self.server.messages.append(message)
                self._say("250 kept")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 loopback" if word in (b"EHLO", b"HELO") else "250 ok")


class Mailbox(socketserver.ThreadingTCPServer):
    """Use as a context manager; ``messages`` holds what came."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages = []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *args):
        self.shutdown()
        super().__exit__(*args)


def html_of(message):
    """The HTML body of a message, as text."""
    return message.get_body(("html",)).get_content()
