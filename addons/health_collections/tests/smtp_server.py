"""A real SMTP server on loopback (a process of its own): ``smtp_server.py FOLDER``.

What it takes is written to ``FOLDER``, one file per message. Who is called ``refuse…`` does not exist
(550), ``plus-tard…`` is to be tried again (451). The port is printed.
"""

import sys
from pathlib import Path

from twisted.internet import defer, reactor
from twisted.internet.protocol import Factory
from twisted.mail import smtp
from zope.interface import implementer

FOLDER = Path(sys.argv[1])


@implementer(smtp.IMessage)
class Message:
    def __init__(self):
        self.lines = []

    def lineReceived(self, line):
        self.lines.append(line)

    def eomReceived(self):
        rank = len(list(FOLDER.iterdir()))
        (FOLDER / f"{rank:03d}.eml").write_bytes(b"\r\n".join(self.lines))
        return defer.succeed(None)

    def connectionLost(self):
        self.lines = []


class Smtp(smtp.ESMTP):
    def receivedHeader(self, _helo, _origin, _recipients):
        return b"Received: by a test"

    def validateFrom(self, _helo, origin):
        return origin

    def validateTo(self, _user):
        return Message

    def do_RCPT(self, rest):
        if b"<refuse" in rest.lower():
            return self.sendCode(550, b"No such user")
        if b"<plus-tard" in rest.lower():
            return self.sendCode(451, b"Greylisted")
        return super().do_RCPT(rest)


def main():
    factory = Factory()
    factory.protocol = Smtp
    port = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
