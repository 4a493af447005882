"""What every road offers; files come and go whole, or not at all."""

import re
from dataclasses import dataclass

from odoo.addons.health_billing.exchange import ExchangeError

#: names of files that somebody is still writing
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
#: where fetched files are put away, on the far side
DONE_FOLDER = "traités"
REVIEW_FOLDER = "à revoir"
#: the road is closed, or broke on the way; the message says what a person can do
TransportError = ExchangeError


@dataclass(frozen=True)
class RemoteFile:
    """A file seen at the far side; ``age`` is in seconds, ``stamp`` changes when the file does."""

    name: str
    size: int
    age: int
    stamp: str


class Session:
    """One connection to the far side of a ``health.transport``, used as a context manager.

    A subclass owes: :meth:`open`, :meth:`close`, :meth:`describe`, and, for what leaves,
    :meth:`send`; for what comes, :meth:`list`, :meth:`fetch` and :meth:`acknowledge`. Every failure
    is a :class:`TransportError`. Nothing here reads or writes the database.
    """

    def __init__(self, transport):
        self.transport = transport

    @property
    def settings(self):
        """The transport with its secrets: whoever may use a road uses it without seeing them."""
        return self.transport.sudo()

    def __enter__(self):
        try:
            self.open()
        except Exception:
            self.close()
            raise
        return self

    def __exit__(self, *_error):
        self.close()

    def open(self):
        """Reach the far side."""

    def close(self):
        """Leave it; never raises."""

    def describe(self):
        """A sentence on what was reached, for the button that tries the connection."""
        raise NotImplementedError

    def send(self, name, content, lot):
        """Bring ``content`` under ``name``, whole or not at all; answers where it lies.

        :param lot: the ``health.lot`` that leaves, for roads that need its payer.
        """
        raise NotImplementedError

    def list(self):
        """The files that wait at the far side, in any state of completion."""
        raise NotImplementedError

    def fetch(self, file):
        """All bytes of one file; a file that is not whole is an error."""
        raise NotImplementedError

    def acknowledge(self, file, good):
        """Put away a file that was recorded; ``good`` is false when a person must look at it."""
        raise NotImplementedError


def is_unfinished(name):
    """Whether the name says that somebody is still writing.

    >>> is_unfinished("retour.noe.part"), is_unfinished(".retour.swp"), is_unfinished("a.noe")
    (True, True, False)
    """
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def free_name(name, taken):
    """``name``, or one like it that is not in ``taken``: two files may bear one name.

    >>> free_name("a.noe", {"a.noe", "a (2).noe"})
    'a (3).noe'
    """
    if name not in taken:
        return name
    stem, dot, end = name.rpartition(".")
    stem, end = (stem, dot + end) if stem else (name, "")
    rank = 2
    while f"{stem} ({rank}){end}" in taken:
        rank += 1
    return f"{stem} ({rank}){end}"


def is_plain_name(name):
    """Whether ``name`` is a file name and no path.

    >>> is_plain_name("a.b2"), is_plain_name("../a"), is_plain_name("")
    (True, False, False)
    """
    return bool(name) and name not in (".", "..") and not re.search(r"[/\\\x00]", name)
