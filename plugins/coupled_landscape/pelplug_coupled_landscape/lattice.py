"""Where the elementary systems are, and which of them an active process may touch."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cached_property

import numpy as np

import pelplug

__all__ = ["RULES", "Coupling", "Lattice"]

RULES = ("boltzmann", "gaussian", "rate")
_MOST_SYSTEMS = 2**24  # a few GB while they are made
_MOST_NEIGHBOURS = 10**5
_LARGEST_DIMENSION = 8


@dataclasses.dataclass(frozen=True)
class Lattice:
    """A periodic lattice of elementary systems.

    Parameters
    ----------
    side : int
        Systems along each direction; 1 for one single system.
    dimension : int
        Number of directions.

    Raises
    ------
    InputError
        If there is no such lattice.
    """

    side: int = 1
    dimension: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.dimension <= _LARGEST_DIMENSION:
            raise pelplug.InputError(
                f"A lattice has 1 to {_LARGEST_DIMENSION} dimensions, not {self.dimension}; give one of them."
            )
        if self.side < 1:
            raise pelplug.InputError(f"The side of a lattice is 1 system or more, not {self.side}.")
        if self.systems > _MOST_SYSTEMS:
            raise pelplug.InputError(
                f"A lattice of {self.side}^{self.dimension} = {self.systems} systems is more than the {_MOST_SYSTEMS} "
                "that are simulated; give a smaller side or dimension."
            )

    @property
    def systems(self) -> int:
        """Number of systems."""
        return self.side**self.dimension


@dataclasses.dataclass(frozen=True)
class Coupling:
    """What an active process does to other systems.

    Parameters
    ----------
    q : float
        Chance that a neighbour is redrawn. Of the rule ``rate`` it is q~ [time], with ``q(e) = q~ Gamma(e)``.
    rule : {"boltzmann", "gaussian", "rate"}
        How a passive process draws its energy: from p_eq; from a Gaussian about the old one; from ``Gamma p_eq``.
    width : float, optional
        s of the rule ``gaussian`` [energy]; sigma of the landscape, with which nothing is remembered, unless given.
    exponent : float, optional
        n of ``p(r) = q r**-n``; without it the nearest neighbours are coupled.
    reach : float
        Largest distance r [lattice spacings].

    Raises
    ------
    InputError
        If a value does not fit.
    """

    q: float = 0.0
    rule: str = "boltzmann"
    width: float | None = None
    exponent: float | None = None
    reach: float = 1.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise pelplug.InputError(f"There is no rule {self.rule!r}; give one of {', '.join(RULES)}.")
        if not (np.isfinite(self.q) and self.q >= 0.0):
            raise pelplug.InputError(f"A coupling q is 0 or more, not {self.q:g}.")
        if self.rule != "rate" and self.q > 1.0:
            raise pelplug.InputError(f"The coupling q is a probability, not {self.q:g}; give one between 0 and 1.")
        if self.exponent is not None and not (np.isfinite(self.exponent) and self.exponent >= 0.0):
            raise pelplug.InputError(f"The exponent of p(r) ~ r^-n is 0 or more, not {self.exponent:g}.")
        if not (np.isfinite(self.reach) and self.reach >= 1.0):
            raise pelplug.InputError(f"The reach of the coupling is 1 lattice spacing or more, not {self.reach:g}.")
        if self.exponent is None and self.reach != 1.0:
            raise pelplug.InputError("A reach goes with an exponent of p(r) ~ r^-n; give both or none.")
        if self.width is not None and self.rule != "gaussian":
            raise pelplug.InputError(f"A width goes with the rule gaussian, not {self.rule}; give one of the two.")

    def check(self, lattice: Lattice, landscape: pelplug.TrapLandscape, temperature: float) -> None:
        """Refuse what does not go together.

        Raises
        ------
        InputError
            If a system would be coupled to another one twice, a probability were above 1, or the width of the Gaussian
            rule is not between 0 and sigma.
        """
        if self.q == 0.0 or lattice.systems == 1:
            return
        if 2 * int(self.reach) >= lattice.side:
            raise pelplug.InputError(
                f"A lattice of side {lattice.side} is smaller than the range of the coupling, {self.reach:g}: a system "
                f"would be its neighbour's neighbour twice; give a side of {2 * int(self.reach) + 1} or more."
            )
        if self.rule == "gaussian" and not 0.0 < self.gaussian_width(landscape) <= landscape.sigma:
            raise pelplug.InputError(
                f"The width of the Gaussian rule, {self.width:g}, is not between 0 and sigma = {landscape.sigma:g}; "
                "give one that is (--width)."
            )
        if self.rule == "rate":
            fastest = largest_rate(landscape, temperature)
            if self.q * fastest > 1.0:
                most = "0" if np.isinf(fastest) else f"{1.0 / fastest:.4g}"
                raise pelplug.InputError(
                    f"q~ Gamma(e) is a probability, but {self.q:g} times the largest rate, {fastest:.4g}, is above 1; "
                    f"give q~ up to {most}."
                )

    def gaussian_width(self, landscape: pelplug.TrapLandscape) -> float:
        """Return s of the rule ``gaussian`` [energy]."""
        return float(landscape.sigma if self.width is None else self.width)

    def neighbours(self, lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of a system, the likeliest first.

        Returns
        -------
        offsets : ndarray of int, shape (M, d)
            Where they are from there [lattice spacings].
        weights : ndarray, shape (M,)
            ``r**-n``, 1 for nearest neighbours.
        """
        offsets, squares = self._ball(lattice.dimension)
        weights = np.ones(len(offsets)) if self.exponent is None else squares ** (-0.5 * self.exponent)
        return offsets, weights

    def effective_neighbours(self, lattice: Lattice) -> float:
        """Return ``N_eff = sum r**-n`` over the neighbours of a system; 0 for a single one."""
        return float(self.neighbours(lattice)[1].sum()) if lattice.systems > 1 else 0.0

    def _ball(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all points but the origin within the reach, by distance, and their squared distances."""
        square = self.reach**2 * (1.0 + 1e-12)
        partial = [((), 0)]
        for _ in range(dimension):
            partial = [
                ((*point, x), total + x * x)
                for (point, total), x in itertools.product(partial, self._steps)
                if total + x * x <= square
            ]
            if len(partial) > _MOST_NEIGHBOURS:
                raise pelplug.InputError(
                    f"A reach of {self.reach:g} couples a system to more than {_MOST_NEIGHBOURS} others; give a "
                    "smaller one."
                )
        partial = sorted((item for item in partial if item[1] > 0), key=lambda item: (item[1], item[0]))
        return np.array([point for point, _ in partial], np.int32), np.array([float(total) for _, total in partial])

    @cached_property
    def _steps(self) -> range:
        return range(-int(self.reach), int(self.reach) + 1)


def largest_rate(landscape: pelplug.TrapLandscape, temperature: float) -> float:
    """Return the largest Gamma(e) there is [1 / time]; infinite where it grows without end."""
    slope = float(landscape.slope(temperature))
    if slope == 0.0:
        return float(landscape.rate(landscape.crossover, temperature))
    if slope < 0.0:  # the deepest are the fastest
        return float(landscape.rate(landscape.cutoff, temperature)) if np.isfinite(landscape.cutoff) else np.inf
    return float(landscape.rate(landscape.crossover, temperature)) if landscape.plateau else np.inf
