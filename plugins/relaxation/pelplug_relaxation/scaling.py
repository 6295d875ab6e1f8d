"""Finite-size scaling of v(t): ``v = N**(-beta z) F(t / N**z)``."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from scipy import interpolate, optimize

import pelplug

__all__ = ["Collapse", "best_collapse", "collapse_spread", "finite_size_collapse"]

Curves = Mapping[int, tuple[np.ndarray, np.ndarray]]

NO_OVERLAP = "No two of the scaled curves overlap in time; give longer curves or another z."
COARSE = 40
"""Values of z that are tried before the best one is made better."""


def finite_size_collapse(curves: Curves, beta: float, z: float) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return ``{N: (t / N**z, v N**(beta z))}``: one master curve F where the exponents are right.

    Parameters
    ----------
    curves : mapping of int to (ndarray, ndarray)
        ``{N: (t, v)}``.
    beta, z : float
        Exponents of the decay and of the time at which a finite system ends it.

    References
    ----------
    Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Eq. S3.
    """
    scaled = {}
    for n, (times, velocity) in curves.items():
        times, velocity = np.asarray(times, dtype=float), np.asarray(velocity, dtype=float)
        good = (times > 0) & (velocity > 0)
        scaled[int(n)] = (times[good] / float(n) ** z, velocity[good] * float(n) ** (beta * z))
    return scaled


class Collapse:
    """Curves of several sizes, and how far they are from one master curve for any z.

    ``v t**beta = G(t / N**z)``: in ln t all curves are one, moved by z ln N.

    Parameters
    ----------
    curves, beta
        Of `finite_size_collapse`.
    from_time : float
        Earlier points of the unscaled curves are left out: scaling is about late times.
    """

    def __init__(self, curves: Curves, beta: float, from_time: float = 0.0):
        self._curves = []
        for n, (times, velocity) in curves.items():
            times, velocity = np.asarray(times, dtype=float), np.asarray(velocity, dtype=float)
            good = (times > 0) & (times >= from_time) & (velocity > 0)
            if np.count_nonzero(good) > 1:
                x = np.log(times[good])
                y = np.log(velocity[good]) + beta * x
                # Straight lines between output times are off where a curve bends, by what depends on z.
                line = interpolate.CubicSpline(x, y) if x.size > 3 else functools.partial(np.interp, xp=x, fp=y)
                self._curves.append((float(np.log(n)), x, y, line))

    def spread(self, z: float) -> float:
        """Return the root mean square distance of ln v between curves where several are; infinite where none are."""
        total, number = 0.0, 0
        for a, (size, x, y, _) in enumerate(self._curves):
            for b, (other_size, other_x, _, line) in enumerate(self._curves):
                if a == b:
                    continue
                moved = x - z * (size - other_size)
                first, last = np.searchsorted(moved, (other_x[0], other_x[-1] + 1e-12))
                if last > first:
                    apart = y[first:last] - line(moved[first:last])
                    total += float(apart @ apart)
                    number += last - first
        return float(np.sqrt(total / number)) if number else np.inf

    def best(self, bounds: tuple[float, float], coarse: int = COARSE) -> tuple[float, float]:
        """Return the z of the least spread within bounds, and the spread; NaN where there is no overlap anywhere."""
        grid = np.linspace(*bounds, coarse)
        spreads = np.array([self.spread(z) for z in grid])
        k = int(np.argmin(spreads))
        if not np.isfinite(spreads[k]):
            return np.nan, np.nan
        near = grid[max(k - 1, 0)], grid[min(k + 1, coarse - 1)]
        found = optimize.minimize_scalar(self.spread, bounds=near, method="bounded", options={"xatol": 1e-4})
        return (float(found.x), float(found.fun)) if found.fun < spreads[k] else (float(grid[k]), float(spreads[k]))


def collapse_spread(curves: Curves, beta: float, z: float, from_time: float = 0.0) -> float:
    """Return the root mean square distance of ln v between scaled curves, at scaled times that several cover.

    Parameters
    ----------
    curves, beta, z
        Of `finite_size_collapse`.
    from_time : float
        Of `Collapse`.

    Raises
    ------
    InputError
        If no two curves overlap.
    """
    spread = Collapse(curves, beta, from_time).spread(z)
    if not np.isfinite(spread):
        raise pelplug.InputError(NO_OVERLAP)
    return spread


def best_collapse(
    curves: Curves, beta: float, from_time: float = 0.0, bounds: tuple[float, float] = (0.05, 2.0)
) -> tuple[float, float]:
    """Return the z that makes `collapse_spread` least, and the spread there.

    Parameters
    ----------
    curves, beta, from_time
        Of `collapse_spread`.
    bounds : (float, float)
        Where to look for z.
    """
    z, spread = Collapse(curves, beta, from_time).best(bounds)
    if not np.isfinite(spread):
        raise pelplug.InputError(NO_OVERLAP)
    return z, spread
