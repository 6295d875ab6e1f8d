"""What every potential of short range shares: an evaluator whose neighbour list follows the particles."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from pelplug.configuration import Configuration
from pelplug.potentials.base import Evaluator
from pelplug.potentials.neighbours import NeighbourList, VerletList

__all__ = ["FollowingEvaluator", "NeighbourSystem", "overlap_sentence"]


class NeighbourSystem(Protocol):
    """What of a configuration does not change while its particles move, and how to evaluate it."""

    def list(self, positions: np.ndarray, skin: float) -> NeighbourList:
        """Build a neighbour list with margin ``skin`` [length]."""

    def arguments(self, neighbours: NeighbourList) -> Any:
        """Return what the kernels take; asked again whenever the list's arrays are new ones."""

    def energy_forces(self, arguments: Any, forces: np.ndarray, /) -> float:
        """Fill ``forces``, shape (N, d), and return the energy where the neighbour list's sites are."""


class FollowingEvaluator(Evaluator):
    """Energy and forces of a `NeighbourSystem` with a neighbour list that follows the particles.

    Parameters
    ----------
    system : NeighbourSystem
        What is evaluated.
    positions : ndarray, shape (N, d)
        Start [length].
    reach : float
        A typical interaction range [length].
    skin : float
        Margin of the wide list [length].
    """

    def __init__(self, system: NeighbourSystem, positions: np.ndarray, reach: float, skin: float):
        self.evaluations = 0
        self._system = system
        self._list = VerletList(system.list, positions, reach, skin)
        self._arguments = system.arguments(self._list.neighbours)

    @property
    def gives_virial(self) -> bool:  # type: ignore[override]  # as the system can
        """Whether `in_cell` is there."""
        return hasattr(self._system, "virial")

    def in_cell(self, positions: np.ndarray, cell: np.ndarray, forces: np.ndarray) -> tuple[float, float]:
        """Fill ``forces`` and return energy and virial in a cell of another size; see `Evaluator.in_cell`."""
        system: Any = self._system
        if not np.array_equal(cell, system.cell):
            factor = float(abs(np.linalg.det(cell) / np.linalg.det(system.cell)) ** (1.0 / len(cell)))
            system.cell = np.array(cell)
            if self._list.scale(factor, positions):
                self._arguments = system.arguments(self._list.neighbours)
        energy = self(positions, forces)
        return energy, system.virial(self._arguments)

    @property
    def rebuilds(self) -> int:
        """How often neighbours were searched."""
        return self._list.searches

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy; see `Evaluator`."""
        if self._list.update(positions):
            self._arguments = self._system.arguments(self._list.neighbours)
        self.evaluations += 1
        return self._system.energy_forces(self._arguments, forces)


def overlap_sentence(configuration: Configuration) -> str:
    """Return the sentence for an energy that is not finite: which two particles are at one point."""
    from scipy.spatial import cKDTree

    fractional = configuration.fractional() % 1.0
    fractional[fractional >= 1.0] = 0.0
    close = sorted(cKDTree(fractional, boxsize=1.0).query_pairs(1e-12))
    if close:
        i, j = close[0]
        where = f" of frame {configuration.frame}" if configuration.frame is not None else ""
        return f"Particles {i} and {j}{where} are at the same point; remove one of them or repair the file."
    return "Two particles are so close that the energy is not finite; repair the configuration."
