"""What may not be read in a message, a letter or on an envelope: care, illness, rights, numbers of insured people."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

#: number of an insured person: sex, year, month, department, municipality, rank, with or without its key
NIR = re.compile(
    r"(?<!\d)[1278][ .]?\d{2}[ .]?(?:0[1-9]|1[0-2]|[2-9]\d)[ .]?(?:\d{2}|2[AB])"
    r"[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{2})?(?!\d)"
)
URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Words:
    """``codes`` as they are written (AMI), ``stems`` the beginnings of words, without accents (pansement)."""

    codes: frozenset[str]
    stems: tuple[str, ...]


def bare(text: str) -> str:
    """Lower case, without accents.

    >>> bare("Rééducation à l’Œuvre")
    'reeducation a l’œuvre'
    """
    return "".join(
        char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)
    ).lower()


def find(text: str, words: Words, names: Iterable[str] = ()) -> str:
    """The first thing in ``text`` that tells of care, or an empty text.

    :param names: names of people and practices: theirs are no secrets of this message.

    >>> words = Words(frozenset({"AMI"}), ("pansement",))
    >>> find("Votre AMI 4 du 3 mai", words), find("votre ami vous attend", words)
    ('AMI', '')
    >>> find("Pansements du 3 mai", words), find("M. AMI", words, ["AMI"])
    ('Pansements', '')
    >>> find("assuré 2 99 01 99 123 456 78", words)
    '2 99 01 99 123 456 78'
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
    text = URL.sub(" ", text)
    number = NIR.search(text)
    if number:
        return number.group()
    for word in re.findall(r"\w+", text):
        if word in words.codes:
            return word
        plain = bare(word)
        if any(plain.startswith(stem) for stem in words.stems):
            return word
    return ""
