"""Rules that hold for several professions."""

from collections.abc import Iterator

from ..control import Book, Hit, rule
from ..model import Claim


@rule("GEN-16")
def same_act_twice(claim: Claim, book: Book) -> Iterator[Hit]:
    """The same act, day and passage on two claims, or twice on one."""
    timeline = book.timeline(claim)
    for line in claim.lines:
        for other in timeline.on(line.day):
            same = (
                other.line.key_letter,
                other.line.coefficient,
                other.line.passage,
                other.line.act,
            )
            if other.line.key != line.key and same == (
                line.key_letter,
                line.coefficient,
                line.passage,
                line.act,
            ):
                yield Hit(line.key)
                break
