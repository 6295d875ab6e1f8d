"""Cages over temperature: where the equation of a cage has roots, and the highest temperature at which it has one."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from scipy import optimize

import pelplug
from pelplug_replica.cage import CagePotential

__all__ = ["Cages", "Transition"]

MOST_ERROR = 1e-6  # of the criterion: a larger error of the quadrature is told
COLDEST = 0.999  # of the neighbours at T = 0
FEWEST = 2.0  # neighbours: half of what the liquid needs for a cage in any dimension
PEAK, ROUGH = 3e-6, 1e-2  # how well ln(alpha) of a maximum is found, in the end and in the search
STEP = 1.4  # between neighbours in the search


@dataclasses.dataclass(frozen=True)
class Transition:
    """The highest temperature at which there is a cage.

    Attributes
    ----------
    temperature : float
        T_MCT [energy].
    bracket : tuple of float
        A temperature with a cage and one without [energy].
    peaks : tuple of float
        Largest criterion at both, errors of the quadrature taken off the first and added to the second.
    cage : float
        alpha at T_MCT [length**2].
    cage_bracket : tuple of float
        alpha of the largest criterion at both temperatures, each moved outwards by how well it is found.
    amplitude : float
        A of ``ln(alpha_MCT / alpha) = A (1 - T / T_MCT)**(1/2)`` just below T_MCT, from the derivatives there.
    """

    temperature: float
    bracket: tuple[float, float]
    peaks: tuple[float, float]
    cage: float
    cage_bracket: tuple[float, float]
    amplitude: float


class Cages:
    """The equation of a cage at any temperature.

    Parameters
    ----------
    energy : callable
        Of a pair: ``energy(r) -> (u, du/dr)``.
    cutoff, density : float
        As of `CagePotential`.
    dimension : int
        d.
    """

    def __init__(self, energy: Callable, *, cutoff: float, density: float, dimension: int = 3):
        self._make = functools.partial(CagePotential, energy, cutoff=cutoff, density=density, dimension=dimension)
        self.cutoff, self.density, self.dimension = cutoff, density, dimension
        self._within = ROUGH

    @functools.lru_cache(maxsize=64)  # noqa: B019 - lives as long as the solver
    def at(self, temperature: float) -> CagePotential:
        """Return the smeared Boltzmann factor at a temperature [energy]."""
        return self._make(temperature=temperature)

    @functools.lru_cache(maxsize=512)  # noqa: B019
    def peak(self, temperature: float) -> tuple[float, float, float]:
        """Return alpha [length**2] of the largest criterion at a temperature, that criterion, and its error."""
        alpha, _ = self._highest(temperature, PEAK)
        exact = self.at(temperature).smeared(alpha)
        if not exact.criterion_error < MOST_ERROR * exact.criterion:
            raise _lost(temperature)
        return alpha, exact.criterion, exact.criterion_error

    @functools.lru_cache(maxsize=512)  # noqa: B019
    def _highest(self, temperature: float, within: float) -> tuple[float, float]:
        """Return alpha of the largest criterion, ln(alpha) within a number, and that criterion."""
        one = self.at(temperature)
        size = self._radius(one)
        grid = list(np.log(size**2 * np.geomspace(3e-3, 1.0, 7)))
        values = [one.criterion(float(np.exp(x))) for x in grid]
        while np.argmax(values) == 0 and grid[0] > np.log(size**2 * 1e-16):  # narrower still
            grid.insert(0, grid[0] - 1.0)
            values.insert(0, one.criterion(float(np.exp(grid[0]))))
        best = int(np.argmax(values))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        found = optimize.minimize_scalar(
            lambda x: -one.criterion(float(np.exp(x))), bounds=(low, high), method="bounded", options={"xatol": within}
        )
        return float(np.exp(found.x)), float(-found.fun)

    def roots(self, temperature: float) -> tuple[float, float]:
        """Return both sizes of a cage [length**2], the smaller first; NaN where there is none."""
        top, height, error = self.peak(temperature)
        if height - error <= 1.0:
            return np.nan, np.nan
        one = self.at(temperature)

        def above(x: float) -> float:
            return one.criterion(float(np.exp(x))) - 1.0

        found = []
        for step in (-0.5, 0.5):
            inner, outer = np.log(top), np.log(top) + step
            while above(outer) > 0.0:
                inner, outer = outer, outer + step
            found.append(float(np.exp(optimize.brentq(above, inner, outer, xtol=1e-11, rtol=1e-14))))
        return found[0], found[1]

    def transition(self, tolerance: float) -> Transition:
        """Return the highest temperature at which there is a cage.

        Parameters
        ----------
        tolerance : float
            Width of its bracket over itself.

        Raises
        ------
        InputError
            If there is a cage at none.
        """
        cold, hot = self._search()
        self._within = 0.03 * tolerance**0.5  # a maximum is flat
        middle = float(np.exp(optimize.brentq(self._excess, np.log(cold), np.log(hot), xtol=0.05 * tolerance)))
        low, high = middle * (1.0 - 0.45 * tolerance), middle * (1.0 + 0.45 * tolerance)
        (cage_low, first, error), (cage_high, last, other) = self.peak(low), self.peak(high)
        if not (first - error > 1.0 and last + other < 1.0):
            raise pelplug.InputError(
                f"T_MCT = {middle:.6g} cannot be bracketed within {tolerance:.1g} of itself, for the integrals are "
                f"known to {max(error, other):.1g}; give a larger tolerance."
            )
        slope = (first - last) / (np.log(high) - np.log(low))  # - d criterion / d ln T
        cage, height, _ = self.peak(middle)
        one, h = self.at(middle), 0.02
        bend = (one.criterion(cage * np.exp(h)) - 2.0 * height + one.criterion(cage * np.exp(-h))) / h**2
        spread = 10.0 * PEAK
        return Transition(
            middle,
            (low, high),
            (first - error, last + other),
            cage,
            (min(cage_low, cage_high) * (1.0 - spread), max(cage_low, cage_high) * (1.0 + spread)),
            float(np.sqrt(2.0 * slope / -bend)),
        )

    # --- helpers --------------------------------------------------------------------------------------------------

    def _excess(self, logarithm: float) -> float:
        return self._highest(float(np.exp(logarithm)), self._within)[1] - 1.0

    def _search(self) -> tuple[float, float]:
        """Return a temperature with a cage and a higher one without, coming from the hot side."""
        solid = self.density * _ball(self.dimension) * self.cutoff**self.dimension
        hot, coldest, neighbours = None, None, FEWEST
        while coldest is None:
            coldest = COLDEST * solid if neighbours >= COLDEST * solid else None
            cold = float(np.exp(self._temperature_of(min(neighbours, COLDEST * solid))))
            height = self._highest(cold, ROUGH)[1]
            if height > 1.0:
                if hot is None:
                    raise RuntimeError(f"a cage with {neighbours} neighbours")
                return cold, hot
            hot, neighbours = cold, neighbours * STEP
        raise self._nothing(solid, height, cold)

    def _nothing(self, solid: float, height: float, coldest: float) -> pelplug.InputError:
        # Hard spheres are left at T = 0, and what they have grows as the density does.
        denser = f"a volume fraction more than {1.0 / height:.3g} times as large, or " if height > 0.01 else ""
        return pelplug.InputError(
            f"There is no cage at any temperature above {coldest:.1g}: spheres that reach as far as the cutoff "
            f"({self.cutoff:g}) have {solid:.3g} neighbours on average, too few for a glass; give {denser}a larger "
            "cutoff."
        )

    def _temperature_of(self, neighbours: float) -> float:
        """Return ln T at which a particle has so many neighbours, which fall with the temperature."""

        def missing(x: float) -> float:
            return self.at(float(np.exp(x))).neighbours - neighbours

        low = high = 0.0
        while missing(high) > 0.0:
            high += 5.0
        while missing(low) < 0.0:
            low -= 5.0
        return float(optimize.brentq(missing, low, high, xtol=1e-3))

    def _radius(self, one: CagePotential) -> float:
        """Return the radius of hard spheres that have as many neighbours [length]."""
        radius = (max(one.neighbours, 0.0) / (self.density * _ball(self.dimension))) ** (1.0 / self.dimension)
        if not 0.0 < radius < self.cutoff * 1.0001:
            raise _lost(one.temperature)
        return float(radius)


def _lost(temperature: float) -> pelplug.InputError:
    return pelplug.InputError(
        f"At T = {temperature:.3g} rounding of u near the cutoff is too large a part of T for the integrals of a cage; "
        "leave such low temperatures out, or give a larger cutoff or volume fraction."
    )


def _ball(dimension: int) -> float:
    from pelplug_replica.cage import sphere_area

    return sphere_area(dimension) / dimension
