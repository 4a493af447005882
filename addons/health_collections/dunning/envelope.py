"""An address as the post and a window envelope want it."""

#: lines that a window shows at most, and characters of each (the post's own limits)
MOST_LINES = 6
MOST_CHARACTERS = 38


def address_block(name: str, lines: list[str], place: str, country: str = "") -> list[str]:
    """The lines of an address block: name, ways, postcode and town in capitals, foreign country.

    What is too long for a line goes on in the next one; when that makes too many lines, the ones in the middle are
    brought together again, never the name nor the town.

    :param lines: what stands between the name and the town; empty ones are left out.
    :param place: postcode and town.
    :param country: only when the letter goes abroad.
    """
    last = [_clean(place).upper()] if _clean(place) else []
    if _clean(country):
        last.append(_clean(country).upper())
    first = _folded(_clean(name))
    middle = [part for line in lines for part in _folded(_clean(line))]
    room = max(1, MOST_LINES - len(last) - len(first))
    while len(middle) > room:
        shortest = min(
            range(len(middle) - 1), key=lambda rank: len(middle[rank]) + len(middle[rank + 1])
        )
        middle[shortest : shortest + 2] = [f"{middle[shortest]} {middle[shortest + 1]}"]
    return [*first, *middle, *last]


def _clean(text: str) -> str:
    return " ".join((text or "").split()).strip(" ,;")


def _folded(text: str) -> list[str]:
    """Text in lines of at most `MOST_CHARACTERS`, broken at spaces; a longer word keeps its line."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= MOST_CHARACTERS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
