"""Files that go through a form which takes so many of them, of so many bytes, at a time."""

from collections.abc import Sequence


class TooLarge(ValueError):
    """One file is larger than a whole sending may be."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def parcels(sizes: Sequence[int], most_files: int, most_bytes: int) -> list[list[int]]:
    """Share files out among as few sendings as their order allows: lists of positions, order kept.

    >>> parcels([40, 70, 20, 10, 5], most_files=3, most_bytes=100)
    [[0], [1, 2, 3], [4]]

    :raises TooLarge: a file alone is over the limit.
    """
    done: list[list[int]] = []
    room = 0
    for index, size in enumerate(sizes):
        if size > most_bytes:
            raise TooLarge(index)
        if not done or size > room or len(done[-1]) >= most_files:
            done.append([])
            room = most_bytes
        done[-1].append(index)
        room -= size
    return done
