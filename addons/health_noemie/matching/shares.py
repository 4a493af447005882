"""Open shares that a label cites: patients who pay, insurers who pay without any return."""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import combinations

from . import labels as text
from .model import PATIENT, Credit, OpenShare

#: a bare number must be at least that long; a shorter one needs a word like FSE before it
BARE = 5
_WORDS = ("FSE", "FACTURE", "FACT", "FAC", "REF", "REFERENCE", "NO", "N", "LOT", "DRE")
_SPLIT = re.compile(r"(?<=\D)(?=\d)")
_LOT = re.compile(r" LOT (\d+) ")
#: a payer answers within that many days, without a return to tell
OLD = timedelta(days=180)
#: more open shares than that: no sum of them proves anything
FEW = 12


def _grams(phrase: str, longest: int) -> set[str]:
    """All runs of whole words of a label, up to `longest` words."""
    pieces = phrase.split()
    return {
        f" {' '.join(pieces[start:end])} "
        for start in range(len(pieces))
        for end in range(start + 1, min(start + longest, len(pieces)) + 1)
    }


class Shares:
    """The open shares of one payee, indexed."""

    def __init__(self, shares: Iterable[OpenShare]):
        self.by_id = {share.id: share for share in shares if share.amount_cents > 0}
        self.by_payer = defaultdict(list)
        self.by_amount = defaultdict(list)
        self._by_number = defaultdict(list)
        self._by_phrase = defaultdict(list)
        lots, phrases = defaultdict(list), {}
        for share in sorted(self.by_id.values(), key=lambda s: (s.date or date.min, s.id)):
            announces = share.kind != PATIENT
            if announces:
                self.by_payer[share.payer_key].append(share)
                self.by_amount[share.payer_key, share.amount_cents].append(share)
            for reference in share.references:
                if reference.isdigit():
                    self._by_number[reference.lstrip("0")].append(share.id)
                    continue
                if (phrase := phrases.get(reference)) is None:
                    phrase = phrases[reference] = text.phrase(reference)
                self._by_phrase[phrase].append(share.id)
                if announces and _LOT.fullmatch(phrase):
                    lots[share.payer_key, phrase].append(share)
        for phrase in [phrase for phrase in self._by_phrase if _LOT.fullmatch(phrase)]:
            bare = f" LOT {_LOT.fullmatch(phrase)[1].lstrip('0') or '0'} "
            if bare != phrase:
                self._by_phrase[bare] += self._by_phrase[phrase]
        self._longest = max((phrase.count(" ") - 1 for phrase in self._by_phrase), default=0)
        self._lot_sums = defaultdict(list)
        for (payer, lot), members in lots.items():
            if len(members) > 1:
                total = sum(share.amount_cents for share in members)
                self._lot_sums[payer, total].append((lot.strip(), tuple(members)))

    def cited(self, label: text.Label) -> dict[int, str]:
        """Shares whose number the label quotes as a whole word (a short one after a word like FSE)."""
        phrase = label.phrase
        # "FSE12345" is read like "FSE 12345", and the other way round nothing is lost
        split = _SPLIT.sub(" ", phrase)
        found = {}
        for said in (phrase, split) if split != phrase else (phrase,):
            before = ""
            for word in said.split():
                if word.isdigit():
                    bare = word.lstrip("0")
                    if len(bare) >= BARE or before in _WORDS:
                        for share in self._by_number.get(bare, ()):
                            found.setdefault(
                                share, word if len(bare) >= BARE else f"{before} {word}"
                            )
                before = word
            if self._by_phrase:
                grams = _grams(said, self._longest)
                for gram in sorted(grams.intersection(self._by_phrase)):
                    for share in self._by_phrase[gram]:
                        found.setdefault(share, gram.strip())
        return found

    def alike(self, payer_key, credit: Credit) -> list[tuple[str, tuple[OpenShare, ...]]]:
        """Single shares and whole lots of a payer that make the amount: (lot or nothing, shares)."""
        found = [
            ("", (share,))
            for share in self.by_amount.get((payer_key, credit.amount_cents), ())
            if _before(share, credit)
        ]
        found += [
            (lot, members)
            for lot, members in self._lot_sums.get((payer_key, credit.amount_cents), ())
            if all(_before(share, credit) for share in members)
        ]
        return found

    def whole(self, payer_key, credit: Credit) -> tuple[str, tuple[OpenShare, ...]] | None:
        """The one set of a payer's few open shares that makes the amount, if it leaves nothing out.

        All that is open, or a whole lot; no other set of open shares makes the same sum.
        """
        due = [share for share in self.by_payer.get(payer_key, ()) if _before(share, credit)]
        if not due or len(due) > FEW:
            return None
        sums = [
            chosen
            for size in range(1, len(due) + 1)
            for chosen in combinations(due, size)
            if sum(share.amount_cents for share in chosen) == credit.amount_cents
        ]
        if len(sums) != 1:
            return None
        if len(sums[0]) == len(due):
            return "", sums[0]
        ids = {share.id for share in sums[0]}
        for lot, members in self._lot_sums.get((payer_key, credit.amount_cents), ()):
            if {share.id for share in members} == ids:
                return lot, sums[0]
        return None


def _before(share: OpenShare, credit: Credit) -> bool:
    return share.date is None or timedelta(0) <= credit.date - share.date <= OLD


def names_agree(share: OpenShare, label: text.Label) -> bool:
    """Whether a label shows a word of the patient's name; true where no name is known."""
    known = {word for name in share.payer_names for word in text.words(name) if len(word) > 2}
    return not known or bool(known.intersection(label.words))
