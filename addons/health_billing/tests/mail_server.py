"""Real SMTP and POP3 servers on loopback (a process of its own): ``mail_server.py FOLDER``.

What SMTP takes is written to ``FOLDER/sent``, one file per message; POP3 serves the files of
``FOLDER/box``. A file ``FOLDER/cut`` makes SMTP cut the line in the middle of a message; who is called
``refuse…`` does not exist (550), ``plus-tard…`` is to be tried again (451). The ports are printed as
one line.
"""

import sys
from pathlib import Path

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, reactor
from twisted.internet.protocol import Factory
from twisted.mail import pop3, smtp
from zope.interface import implementer

FOLDER = Path(sys.argv[1])


@implementer(smtp.IMessage)
class Message:
    def __init__(self, protocol):
        self.protocol, self.lines = protocol, []

    def lineReceived(self, line):
        self.lines.append(line)
        if (FOLDER / "cut").exists():
            self.protocol.transport.abortConnection()

    def eomReceived(self):
        rank = len(list((FOLDER / "sent").iterdir()))
        (FOLDER / "sent" / f"{rank:03d}.eml").write_bytes(b"\r\n".join(self.lines))
        return defer.succeed(None)

    def connectionLost(self):
        self.lines = []


class Smtp(smtp.ESMTP):
    def receivedHeader(self, _helo, _origin, _recipients):
        return b"Received: by a test"

    def validateFrom(self, _helo, origin):
        return origin

    def validateTo(self, user):
        return lambda: Message(self)

    def do_RCPT(self, rest):
        if b"<refuse" in rest.lower():
            return self.sendCode(550, b"No such user")
        if b"<plus-tard" in rest.lower():
            return self.sendCode(451, b"Greylisted")
        return super().do_RCPT(rest)


@implementer(pop3.IMailbox)
class Box:
    def __init__(self):
        self.paths = sorted((FOLDER / "box").iterdir())
        self.deleted = set()

    def listMessages(self, index=None):
        sizes = [
            0 if rank in self.deleted else path.stat().st_size
            for rank, path in enumerate(self.paths)
        ]
        return sizes if index is None else sizes[index]

    def getMessage(self, index):
        return self.paths[index].open("rb")

    def getUidl(self, index):
        return self.paths[index].name.encode()

    def deleteMessage(self, index):
        self.deleted.add(index)

    def undeleteMessages(self):
        self.deleted = set()

    def sync(self):
        for rank in self.deleted:
            self.paths[rank].unlink(missing_ok=True)


@implementer(IRealm)
class Realm:
    def requestAvatar(self, _avatar, _mind, *_interfaces):
        return pop3.IMailbox, Box(), lambda: None


def main():
    accounts = InMemoryUsernamePasswordDatabaseDontUse(agence=b"mot-de-passe")
    outgoing, incoming = Factory(), Factory()
    outgoing.protocol = Smtp

    def reader():
        protocol = pop3.POP3()
        protocol.portal = Portal(Realm(), [accounts])
        return protocol

    incoming.buildProtocol = lambda _address: reader()
    ports = [
        reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
        for factory in (outgoing, incoming)
    ]
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
