"""Text of an SMS: what fits the GSM alphabet, and how many messages it is paid as."""

import unicodedata

#: GSM 03.38, one septet each
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: two septets each
EXTENDED = frozenset("^{}\\[~]|€\f")
#: characters of careful French that phones do not have, and what stands for them
PLAIN = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "…": "...",
    "–": "-",
    "—": "-",
    "œ": "oe",
    "Œ": "OE",
    "ç": "c",
    "·": "-",
    "•": "-",
    "°": "o",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{THIN SPACE}": " ",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\t": " ",
}
#: septets or characters of one message alone, and of each part of a longer one
GSM_SIZES = (160, 153)
UCS2_SIZES = (70, 67)


def to_gsm(text: str) -> str:
    """The same text in the alphabet of phones, so that it costs fewest messages.

    >>> to_gsm("Reste dû : 12,60 € – « merci »…")
    'Reste du : 12,60 € - "merci"...'
    """
    out = []
    for char in text.replace("« ", "«").replace(" »", "»").replace("\u00a0»", "»"):
        if char in BASIC or char in EXTENDED:
            out.append(char)
        elif char in PLAIN:
            out.append(PLAIN[char])
        else:
            plain = "".join(
                part
                for part in unicodedata.normalize("NFD", char)
                if not unicodedata.combining(part)
            )
            out.append(plain or "")
    return "".join(out)


def segments(text: str) -> int:
    """How many messages the text is paid as.

    >>> [segments(text) for text in ("", "a" * 160, "a" * 161, "ł" * 70, "ł" * 71, "€" * 80, "€" * 81)]
    [0, 1, 2, 1, 2, 1, 2]
    """
    if not text:
        return 0
    if all(char in BASIC or char in EXTENDED for char in text):
        size, (alone, part) = _septets(text), GSM_SIZES
    else:
        size, (alone, part) = len(text.encode("utf-16-be")) // 2, UCS2_SIZES
    return 1 if size <= alone else -(-size // part)


def _septets(text):
    return sum(2 if char in EXTENDED else 1 for char in text)


#: what people answer to receive nothing more
STOP_WORDS = frozenset({"stop", "arret", "desabonner", "unsubscribe"})


def is_stop(text: str) -> bool:
    """Whether an answer says to stop: its first word alone counts, so that « arrêt de travail… » does not.

    >>> [is_stop(text) for text in ("STOP", " stop. ", "Stop SMS", "Stop au 36180", "Arrêt de travail", "")]
    [True, True, True, True, False, False]
    """
    words = "".join(char if char.isalnum() else " " for char in to_gsm(_bare(text))).lower().split()
    if not words or words[0] not in STOP_WORDS:
        return False
    return words[0] == "stop" or len(words) == 1


def _bare(text):
    return "".join(
        char for char in unicodedata.normalize("NFD", text or "") if not unicodedata.combining(char)
    )
