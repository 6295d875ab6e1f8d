"""Neighbours of particles that move: a wide list made rarely, and a tight one pruned from it often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pelplug.potentials.neighbours.neighbour_list import NeighbourList

__all__ = ["VerletList"]


class VerletList:
    """A neighbour list that is kept complete while particles move.

    Making a list by a search through cells costs several force evaluations, pruning a list costs less than one. So a
    wide list is made rarely; from it a tight one is pruned, whose margin is chosen from how fast particles move.

    Parameters
    ----------
    build : callable
        ``build(positions, skin) -> NeighbourList``.
    positions : ndarray, shape (N, d)
        Start [length].
    reach : float
        A typical interaction range [length].
    skin : float
        Margin of the wide list [length].

    Attributes
    ----------
    neighbours : NeighbourList
        The tight list, complete after `update`.
    searches : int
        How often a wide list was made.
    """

    _PRUNING = 1.0
    """Evaluations that pruning costs, about."""

    def __init__(self, build: Callable[[np.ndarray, float], NeighbourList], positions: np.ndarray, reach: float,
                 skin: float):  # fmt: skip
        self.searches = 0
        self._build = build
        self._reach = reach
        self._skin = skin
        self._tight = 0.4 * skin
        self._since = 0
        self._search(positions)

    def update(self, positions: np.ndarray) -> bool:
        """Bring the list up to date; return True if its arrays are new ones."""
        if self.neighbours.holds(positions):
            self.neighbours.place(positions)
            return self.held(positions)
        self._since += 1
        self._tight = min(2.0 * self._tight, self._best())
        return self._prune(positions)

    def scale(self, factor: float, positions: np.ndarray) -> bool:
        """Follow a cell that has become larger or smaller by a factor; return True if its arrays are new ones."""
        self.neighbours.offset *= factor  # shared with the wide list
        for one in (self._wide, self.neighbours):
            one.built_at *= factor
            # What was beyond the longest reach and the margin is nearer now; what was at the shortest is not farther.
            one.skin = factor * one.skin - max(1.0 - factor, 0.0) * one.longest
        if self.neighbours.skin > 0.0:
            return False
        self._search(positions)
        return True

    def held(self, positions: np.ndarray) -> bool:
        """Count an evaluation for which the list was complete; return True if its arrays are new ones."""
        self._since += 1
        if self._since % 16 == 0 and self._best() < 0.6 * self._tight:
            self._tight = self._best()  # motion has slowed down: a tighter list pays
            return self._prune(positions)
        return False

    def _best(self) -> float:
        # An evaluation costs (reach + margin)**d, a list is good for evaluations in proportion to its margin: the sum
        # of both is least here.
        d = self.neighbours.site_positions.shape[1]
        margin = (self._PRUNING * self._reach * self._tight / (d * self._since)) ** 0.5
        return min(max(margin, 0.03 * self._skin), 0.7 * self._skin)

    def _prune(self, positions: np.ndarray) -> bool:
        self._since = 0
        if not self._wide.holds(positions, self._tight):
            self._search(positions)
            return True
        self.neighbours.place(positions)
        self.neighbours.prune(self._wide, positions, self._tight)
        return False

    def _search(self, positions: np.ndarray) -> None:
        self.searches += 1
        self._wide = self._build(positions, self._skin)
        self.neighbours = self._wide.tighter()
        self.neighbours.prune(self._wide, positions, self._tight)
