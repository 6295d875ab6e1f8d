"""Finite-size scaling of v(t): ``v = N**(-beta z) F(t / N**z)``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import pelplug

__all__ = ["best_collapse", "collapse_spread", "finite_size_collapse"]

Curves = Mapping[int, tuple[np.ndarray, np.ndarray]]


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


def collapse_spread(curves: Curves, beta: float, z: float, from_time: float = 0.0) -> float:
    """Return the root mean square distance of ln v between scaled curves, at scaled times that several cover.

    Parameters
    ----------
    curves, beta, z
        Of `finite_size_collapse`.
    from_time : float
        Earlier points of the unscaled curves are left out: scaling is about late times.

    Raises
    ------
    InputError
        If no two curves overlap.
    """
    late = {n: tuple(np.asarray(part)[np.asarray(pair[0]) >= from_time] for part in pair) for n, pair in curves.items()}
    scaled = [(np.log(x), np.log(y)) for x, y in finite_size_collapse(late, beta, z).values() if len(x) > 1]
    squares: list[float] = []
    for a, (x, y) in enumerate(scaled):
        for b, (other_x, other_y) in enumerate(scaled):
            inside = (x >= other_x[0]) & (x <= other_x[-1])
            if a != b and inside.any():
                squares.extend((y[inside] - np.interp(x[inside], other_x, other_y)) ** 2)
    if not squares:
        raise pelplug.InputError("No two of the scaled curves overlap in time; give longer curves or another z.")
    return float(np.sqrt(np.mean(squares)))


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
    grid = np.linspace(*bounds, 118)
    spreads = []
    for z in grid:
        try:
            spreads.append(collapse_spread(curves, beta, z, from_time))
        except pelplug.InputError:
            spreads.append(np.inf)
    best = int(np.argmin(spreads))
    if not np.isfinite(spreads[best]):
        raise pelplug.InputError("No two of the scaled curves overlap in time; give longer curves or other bounds.")
    return float(grid[best]), float(spreads[best])
