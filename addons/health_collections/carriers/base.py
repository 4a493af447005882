"""What every carrier is to be able to do: take letters as files with a manifest, and tell what became of them."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date

from odoo.addons.health_billing.exchange import ExchangeError

#: folder in which the carrier puts what became of letters
BACK = "retours"
#: where those files go once read
DONE = "traites"
COLUMNS = ("reference", "etat", "numero", "date", "preuve", "motif")
#: what carriers call the states of a letter
STATES = {
    "depose": "sent",
    "envoye": "sent",
    "distribue": "delivered",
    "remis": "delivered",
    "retourne": "failed",
    "refuse": "failed",
    "non_reclame": "failed",
}
#: the carrier cannot be reached or refuses; the text is for a person
CarrierError = ExchangeError


@dataclass(frozen=True, slots=True)
class Parcel:
    """One letter to bring: who sends it, to whom, as which service; nothing of what is inside."""

    reference: str
    service: str
    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    email: str
    content: bytes

    @property
    def filename(self):
        return f"{self.reference}.pdf"

    def manifest(self) -> bytes:
        """The manifest that goes with the letter.

        >>> import json
        >>> one = Parcel("LR7", "registered", ("A",), ("B",), "", b"%PDF")
        >>> json.loads(one.manifest())["fichier"]
        'LR7.pdf'
        """
        values = {
            "reference": self.reference,
            "service": self.service,
            "avis_de_reception": True,
            "expediteur": list(self.sender),
            "destinataire": list(self.recipient),
            "fichier": self.filename,
            "octets": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }
        if self.service == "e_registered":
            values["courriel"] = self.email
        return json.dumps(values, ensure_ascii=False, indent=1).encode()


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one letter."""

    reference: str
    state: str
    tracking_no: str
    day: date | None
    proof: str
    reason: str


def read_statuses(content: bytes) -> list[Status]:
    """Statuses of a file of the carrier: CSV with semicolons; lines that cannot be read are left out.

    >>> text = "reference;etat;numero;date;preuve;motif\\nLR7;Distribué;1A 2;2026-11-20;AR7.pdf;\\nLR8;?;;;;"
    >>> [one] = read_statuses(text.encode())
    >>> one.reference, one.state, one.tracking_no, str(one.day), one.proof
    ('LR7', 'delivered', '1A 2', '2026-11-20', 'AR7.pdf')
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    statuses = []
    for row in csv.DictReader(io.StringIO(text), delimiter=";"):
        values = {name: (row.get(name) or "").strip() for name in COLUMNS}
        word = values["etat"].lower().replace("é", "e").replace(" ", "_")
        try:
            day = date.fromisoformat(values["date"]) if values["date"] else None
        except ValueError:
            day = None
        if values["reference"] and word in STATES:
            statuses.append(
                Status(
                    values["reference"],
                    STATES[word],
                    values["numero"],
                    day,
                    values["preuve"],
                    values["motif"],
                )
            )
    return statuses


def is_plain_name(name: str) -> bool:
    """Whether a name says a file of this very folder.

    >>> [is_plain_name(name) for name in ("AR7.pdf", "../AR7.pdf", "a/b", ".x", "")]
    [True, False, False, False, False]
    """
    return bool(name) and not name.startswith(".") and "/" not in name and "\\" not in name


class Session:
    """A connection to the carrier, closed at the end of the ``with``. Subclasses move files, no more."""

    def __init__(self, settings):
        self.settings = settings

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_error):
        self.close()

    def open(self):
        raise NotImplementedError

    def close(self):
        pass

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file, never seen half-written."""
        raise NotImplementedError

    def names(self, folder: str) -> list[str]:
        raise NotImplementedError

    def get(self, folder: str, name: str) -> bytes:
        raise NotImplementedError

    def done(self, folder: str, name: str) -> None:
        """Put a file that was read away."""
        raise NotImplementedError

    def hand_over(self, parcel: Parcel) -> None:
        """The letter first: a manifest never speaks of a file that is not there yet."""
        self.put(parcel.filename, parcel.content)
        self.put(f"{parcel.reference}.json", parcel.manifest())

    def statuses(self) -> list[tuple[str, list[Status]]]:
        """Files of statuses that wait, oldest name first."""
        return [
            (name, read_statuses(self.get(BACK, name)))
            for name in sorted(self.names(BACK))
            if name.lower().endswith(".csv")
        ]
