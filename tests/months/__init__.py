"""Months of an agency, generated with their truth: files in order of arrival, and what a good product finds in them.

Nothing here imports Odoo or the product: the files are written from the norms, the truth comes from the generator's
own facts. `generate(seed, habits, size)` gives a `Month`; the same arguments give the same month.
"""

import itertools
import random
from datetime import timedelta

from . import bank, files, story, weeks, world
from .case import Verdict, assess, matching_case
from .habits import CALM, HOSTILE, MESSY, PRESETS, Habits
from .judge import Judge
from .model import Link, Size
from .weeks import play_arrivals, play_weeks

__all__ = [
    "CALM",
    "HOSTILE",
    "MESSY",
    "PRESETS",
    "Habits",
    "Month",
    "Size",
    "Verdict",
    "assess",
    "generate",
    "play_arrivals",
    "play_weeks",
]


def generate(seed, habits="messy", size=None):
    """A month of the agency.

    :param seed: anything that prints the same every time
    :param habits: `Habits`, or the name of a preset
    """
    return Month(seed, PRESETS[habits] if isinstance(habits, str) else habits, size or Size())


class Month:
    """One month: facts, files and truth."""

    def __init__(self, seed, habits, size):
        self.seed, self.habits, self.size = seed, habits, size
        self.today = size.first_day + timedelta(days=size.days + size.wait)
        draw = self._draw
        self.practitioners = world.practitioners(draw("people"), size.practitioners, habits)
        self.fses = story.care(draw("care"), habits, size, self.practitioners)
        story.send(draw("send"), habits, self.fses)
        self.settlements = story.answer(draw("answer"), habits, size, self.fses)
        self.movements = bank.movements(
            draw("bank"),
            habits,
            size,
            self.fses,
            self.settlements,
            self.practitioners,
            itertools.count(1),
        )
        self.movements = [m for m in self.movements if m.day < self.today]
        gone = {s for m in self.movements for s in m.settlements}
        for settlement in self.settlements:  # what comes after the last day has not come
            settlement.paid = settlement.paid and settlement in gone
        self._find_links()
        self.statements = []
        for provider in self.practitioners:
            own = [m for m in self.movements if m.provider is provider]
            self.statements += bank.statements(
                draw(f"statements{provider.rank}"),
                habits,
                provider,
                own,
                size.first_day,
                self.today,
            )
        files.set_days(draw("file days"), habits, self.settlements)
        self._make_fair()

    def _draw(self, topic):
        return random.Random(f"{self.seed}/{topic}")

    # -- truth ---------------------------------------------------------------------------------------

    def _find_links(self):
        answered = {(a.fse, a.part) for s in self.settlements if s.announced for a in s.answers}
        self.open_shares = [
            (fse, part)
            for fse in self.fses
            if not fse.broken
            for part in ("amo", "amc", "patient")
            if fse.total(part) and (fse, part) not in answered
        ]
        self.links = {}
        for movement in self.movements:
            if movement.undone_by in self.movements or movement.kind in ("other", "reversal"):
                continue
            settlements, shares = movement.settlements, movement.shares
            if settlements and not settlements[0].announced:
                shares = [(a.fse, a.part) for s in settlements for a in s.answers if a.paid]
                settlements = ()
            if shares and sum(fse.total(part) for fse, part in shares) != movement.amount:
                continue  # no set of shares is this money: a person must look
            self.links[movement] = Link(
                frozenset(movement.pieces or (movement,)), frozenset(settlements), frozenset(shares)
            )
        for movement, link in list(self.links.items()):
            if not link.movements <= self.links.keys():
                del self.links[movement]

    def _make_fair(self):
        """What a careful person would get wrong for want of a file is told by the label after all."""
        account = bank.Account(self._draw("fair"), self.habits, None)
        for _round in range(12):
            misled = self._look_back() | self._look_weekly()
            if not misled:
                return
            for movement in misled:
                credit = movement.undoes or movement
                account.tell(credit)
                if credit.undone_by:
                    account.tell(credit.undone_by)
        raise AssertionError(
            f"seed {self.seed!r}: {[(m.case, m.label, m.amount) for m in misled]} cannot be told fairly"
        )

    def _look_back(self):
        """What a person with all the files knows; the movements that would still mislead them."""
        self.matchable, self.seen_reversals, misled = set(), set(), set()
        for provider in self.practitioners:
            eyes = Judge(
                [m for m in self.movements if m.provider is provider],
                [s for s in self.settlements if s.provider is provider],
                [share for share in self.open_shares if share[0].provider is provider],
            )
            matchable, wrong, _trusted = eyes.decide(self.links)
            self.matchable |= matchable
            self.seen_reversals |= eyes.reversed.keys()
            misled |= wrong | {d for d, c in eyes.reversed.items() if d.undoes is not c}
        return misled

    def _look_weekly(self):
        """The movements that mislead a person who decides every week with the files at hand."""
        misled, standing, closed = set(), {}, set()
        as_announced = {
            m: Link(frozenset(m.pieces or (m,)), frozenset(m.settlements), frozenset())
            for m in self.movements
            if m.undone_by and m.settlements and m.settlements[0].announced
        }
        for day in weeks.sundays(self):
            known = weeks.Knowledge(self, day)
            taken = {thing for r in standing.values() for thing in (*r.settlements, *r.shares)}
            for provider in self.practitioners:
                eyes = Judge(
                    [
                        m
                        for m in known.movements
                        if m.provider is provider and m not in standing and m not in closed
                    ],
                    [s for s in known.settlements if s.provider is provider and s not in taken],
                    [x for x in known.shares if x[0].provider is provider and x not in taken],
                    [m for m in standing if m.provider is provider],
                )
                _matchable, wrong, trusted = eyes.decide(self.links | as_announced)
                misled |= wrong | {d for d, c in eyes.reversed.items() if d.undoes is not c}
                for debit, credit in eyes.reversed.items():
                    for movement in standing[credit].movements if credit in standing else ():
                        standing.pop(movement, None)
                    closed |= {debit, credit}
                for reading in trusted:
                    standing.update(dict.fromkeys(reading.movements, reading))
        return misled

    def payer_names(self):
        return {name for payer in world.PAYERS for name in (payer.name, *payer.bank_names)}

    def matching_case(self):
        """(settlements, credits, shares, truth): see `case.matching_case` and `case.Truth`."""
        return matching_case(self)

    def arrivals(self):
        """The files (`Arrival`), in the order in which they reach the agency."""
        return files.arrivals(self._draw("files"), self.habits, self)

    def agency(self):
        """Practitioners and payers to set up first, in the shape of `data/demo/agency.json`."""
        return files.agency(self)
