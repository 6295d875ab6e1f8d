"""A quench under way: the state a minimiser moves, its evaluations counted, divergence and stalling noticed."""

from __future__ import annotations

import math

import numpy as np

from pelplug.landscape.descent.surface import Surface
from pelplug.potentials.base import Evaluator

__all__ = ["ENERGY_NOISE", "Descent", "Point", "Stopped"]

ENERGY_NOISE = 1e-12
"""Relative size of an energy difference that may be rounding alone: the sum over all pairs loses a few digits."""

PATIENCE = 5000
"""Evaluations without a lower energy or a lower maximum force after which a quench has stalled."""


class Stopped(Exception):  # noqa: N818 - an outcome, caught by `quench`; not an error
    """A minimiser gave up; the argument says why."""


class Point:
    """Positions with the energy and the forces there; `x` and `f` are flat views of the same memory."""

    __slots__ = ("energy", "f", "forces", "positions", "x")

    def __init__(self, positions: np.ndarray):
        self.positions = np.array(positions, dtype=np.float64, order="C")
        self.forces = np.zeros_like(self.positions)
        self.x = self.positions.reshape(-1)
        self.f = self.forces.reshape(-1)
        self.energy = math.nan


class Descent:
    """The system a minimiser works on.

    Parameters
    ----------
    evaluator : Evaluator
        Energy and forces.
    positions : ndarray, shape (N, d)
        Start [length]; copied.
    force_tolerance : float
        Largest force component of a converged state [energy / length].
    max_evaluations : int
        Force evaluations allowed.
    surface : Surface, optional
        Where distances are constant: each point is moved there before it is evaluated, and has the forces along it.

    Attributes
    ----------
    current : Point
        The last state the minimiser accepted.
    evaluations : int
        Force evaluations so far.
    initial_energy : float
        Energy of the start [energy].
    """

    def __init__(
        self,
        evaluator: Evaluator,
        positions: np.ndarray,
        force_tolerance: float,
        max_evaluations: int,
        surface: Surface | None = None,
    ):
        self.force_tolerance = force_tolerance
        self.max_evaluations = max_evaluations
        self.evaluations = 1
        self._evaluator, self._surface = evaluator, surface
        self.current = Point(positions)
        self.current.energy = self._ask(self.current)
        self.initial_energy = self.current.energy
        self._total_force = float(np.abs(self.current.f).sum())
        self._lowest_energy = self._lowest_force = math.inf
        self._checkpoint = (0, math.inf, math.inf)

    def ceiling(self, max_step: float) -> float:
        """Energy above which a state has diverged: the start's, plus its size and the work of its forces over a step.

        Parameters
        ----------
        max_step : float
            Largest step of the minimiser [length].
        """
        return self.initial_energy + abs(self.initial_energy) + max_step * self._total_force

    def evaluate(self, point: Point) -> float:
        """Fill in the energy and forces of ``point`` and return the energy.

        Raises
        ------
        Stopped
            If the allowed number of evaluations is used up (one is kept for the final state).
        """
        if self.evaluations >= self.max_evaluations - 1:
            raise Stopped(f"the limit of {self.max_evaluations} force evaluations was reached")
        self.evaluations += 1
        point.energy = energy = self._ask(point)
        return energy

    def _ask(self, point: Point) -> float:
        if self._surface is None:
            return self._evaluator(point.positions, point.forces)
        if not self._surface.move_to(point.positions):
            point.forces.fill(math.nan)
            return math.nan
        energy = self._evaluator(point.positions, point.forces)
        self._surface.keep_along(point.positions, point.forces)
        return energy

    def accept(self, point: Point, max_force: float) -> bool:
        """Make ``point`` the current state; return whether it is converged.

        Raises
        ------
        Stopped
            If neither the energy nor the maximum force has gone down for many evaluations.
        """
        self.current = point
        if max_force < self.force_tolerance:
            return True
        self._lowest_energy = min(self._lowest_energy, point.energy)
        self._lowest_force = min(self._lowest_force, max_force)
        since, energy, force = self._checkpoint
        if self.evaluations - since >= PATIENCE:
            if self._lowest_force > 0.9 * force and not self._lowest_energy < energy - ENERGY_NOISE * abs(energy):
                raise Stopped(
                    f"neither energy nor maximum force went down for {PATIENCE} evaluations: a force that jumps at the "
                    "cutoff, or a tolerance below what rounding allows"
                )
            self._checkpoint = (self.evaluations, self._lowest_energy, self._lowest_force)
        return False

    def remove_drift(self, start: np.ndarray) -> float:
        """Shift the current state so that its mean displacement from ``start`` is zero; return its maximum force.

        Energy and forces are evaluated afresh, beyond the allowed number if need be.
        """
        point = self.current
        for _ in range(2):  # the second pass takes out the rounding of the first
            point.positions -= (point.positions - start).mean(axis=0)
        self.evaluations += 1
        point.energy = self._ask(point)
        return float(np.abs(point.f).max())

    def spare_point(self) -> Point:
        """Return another point with memory of its own."""
        return Point(self.current.positions)
