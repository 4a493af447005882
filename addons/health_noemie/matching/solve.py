"""The best consistent choice among contradicting readings, and what no good choice does without.

A reading takes movements, settlements and shares; two readings that take one and the same thing
contradict each other. Readings fall into components; in each the heaviest consistent choice is sought,
exactly: by hand where the component is small, by HiGHS where it is not, and not at all where it is too
large to prove anything. A reading is sure when the best choice without it is clearly worse.
"""

import time
from collections import defaultdict
from collections.abc import Iterable

#: up to that many readings are tried by hand
SMALL = 18
#: above, nothing is proven: a person decides
LARGE = 1200
#: nodes that HiGHS may open for one choice; the seconds only stop what should never happen
NODES, SECONDS = 2000, 20


class Solver:
    """Solves components, and counts what that took."""

    def __init__(self):
        self.components = self.solved = self.highs_calls = self.given_up = 0
        self.highs_nanoseconds = 0

    def sure(self, readings: list) -> tuple[list, list]:
        """Readings that every nearly best choice holds.

        :param readings: of one component; each has `items` (what it takes), `weight` and `key`
        :return: (sure readings, the best choice); both empty where nothing could be proven
        """
        self.components += 1
        readings = sorted(readings, key=lambda reading: reading.key)
        if len(readings) == 1:
            return readings, readings
        self.solved += 1
        weights = [reading.weight for reading in readings]
        groups = _groups(readings)
        best = self._best(weights, groups, None)
        if best is None:
            self.given_up += 1
            return [], []
        value, chosen = best
        sure = set(chosen)
        for at in sorted(chosen):
            if at not in sure:
                continue
            other = self._best(weights, groups, at)
            if other is None:
                self.given_up += 1
                return [], []
            loss = value - other[0]
            sure = {i for i in sure if (i != at and i in other[1]) or 2 * loss >= weights[i]}
        return [readings[i] for i in sorted(sure)], [readings[i] for i in sorted(chosen)]

    def _best(self, weights, groups, without):
        """The heaviest consistent choice: (value, positions), or nothing if it could not be proven."""
        if len(weights) <= SMALL:
            return _by_hand(weights, groups, without)
        if len(weights) > LARGE:
            return None
        started = time.perf_counter_ns()
        try:
            return self._by_highs(weights, groups, without)
        finally:
            self.highs_calls += 1
            self.highs_nanoseconds += time.perf_counter_ns() - started

    @staticmethod
    def _by_highs(weights, groups, without):
        import highspy

        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("random_seed", 0)
        solver.setOptionValue("mip_max_nodes", NODES)
        solver.setOptionValue("time_limit", SECONDS)
        solver.setOptionValue("mip_rel_gap", 0)
        solver.setOptionValue("mip_abs_gap", 0)
        for at in range(len(weights)):
            solver.addVar(0, 0 if at == without else 1)
            solver.changeColCost(at, -weights[at])
            solver.changeColIntegrality(at, highspy.HighsVarType.kInteger)
        for members in groups:
            solver.addRow(-highspy.kHighsInf, 1, len(members), members, [1] * len(members))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        # the answer is checked and counted again in integers
        chosen = {at for at, x in enumerate(solver.getSolution().col_value) if 2 * x > 1}
        if any(len(chosen.intersection(members)) > 1 for members in groups):
            return None
        return sum(weights[at] for at in chosen), chosen


def _groups(readings):
    """Positions of the readings that take one thing: at most one of them holds."""
    by_item = defaultdict(list)
    for at, reading in enumerate(readings):
        for item in reading.items:
            by_item[item].append(at)
    return sorted({tuple(members) for members in by_item.values() if len(members) > 1})


def _by_hand(weights, groups, without):
    against = [0] * len(weights)
    for members in groups:
        mask = sum(1 << at for at in members)
        for at in members:
            against[at] |= mask
    order = sorted(
        (at for at in range(len(weights)) if at != without), key=lambda at: (-weights[at], at)
    )
    rest = [0] * (len(order) + 1)
    for position in range(len(order) - 1, -1, -1):
        rest[position] = rest[position + 1] + weights[order[position]]
    best, chosen = -1, 0

    def grow(position, value, taken, blocked):
        nonlocal best, chosen
        if value > best:
            best, chosen = value, taken
        if position == len(order) or value + rest[position] <= best:
            return
        at = order[position]
        if not blocked >> at & 1:
            grow(
                position + 1, value + weights[at], taken | 1 << at, blocked | against[at] | 1 << at
            )
        grow(position + 1, value, taken, blocked)

    grow(0, 0, 0, 0)
    return best, {at for at in range(len(weights)) if chosen >> at & 1}


def components(readings: Iterable) -> list[list]:
    """Readings that contradict each other, directly or through others, together."""
    parent = {}

    def root(item):
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    readings = list(readings)
    for reading in readings:
        first = None
        for item in reading.items:
            parent.setdefault(item, item)
            if first is None:
                first = root(item)
            else:
                parent[root(item)] = first
    found = defaultdict(list)
    for reading in readings:
        found[root(reading.items[0])].append(reading)
    return list(found.values())
