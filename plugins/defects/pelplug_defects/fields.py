"""Radial distribution of scaled distances, bonds that break and form, and the non-affine displacement."""

from __future__ import annotations

from math import gamma, pi

import numpy as np

import pelplug

__all__ = [
    "BIN",
    "X_RANGE",
    "bond_changes",
    "cutoff_of",
    "d2min",
    "expected_pairs",
    "first_minimum_of_mean",
    "scaled_distribution",
]

X_RANGE = 2.0
"""g(x) is computed up to here."""
BIN = 0.01
"""Width of a bin of g(x)."""
HALF_WINDOW = 0.1
"""A cubic is fitted to g(x) this far to either side of its minimum."""
FEW_PERCENT = 0.04
"""Noise of a bin of g(x) below which its minimum is placed without smoothing."""


def scaled_distribution(x: np.ndarray, n: int, volume: float, mean_power: float, dimension: int) -> np.ndarray:
    """Return g(x), one for uncorrelated particles, in bins of `BIN` up to `X_RANGE`.

    Parameters
    ----------
    x : ndarray
        Scaled distances r_ij / d_ij of all pairs i < j and images with x < `X_RANGE`.
    n : int
        N.
    volume : float
        V [length**d].
    mean_power : float
        Mean of d_ij**d over pairs [length**d]: a shell of x is a shell of r as large as d_ij.
    dimension : int
        d.

    Returns
    -------
    ndarray
    """
    edges = np.linspace(0.0, X_RANGE, round(X_RANGE / BIN) + 1)
    counts, _ = np.histogram(x, edges)
    ball = pi ** (dimension / 2) / gamma(dimension / 2 + 1)
    shells = ball * np.diff(edges**dimension) * mean_power
    return counts / (0.5 * n * (n - 1) / volume * shells)


def first_minimum_of_mean(g: np.ndarray, smoothing: float) -> float:
    """Return where a g(x) averaged over many frames has its first minimum; NaN if it has none.

    The steep flank of the first peak makes a Gaussian move the minimum outwards (by 0.01 to 0.02 in soft discs, with
    a standard deviation of 0.04). So it only says where to look: the minimum is that of a cubic fitted to g itself
    within `HALF_WINDOW`, centred anew until it stays. A frame's own g is too noisy for that.

    Parameters
    ----------
    g : ndarray
        In bins of `BIN` from x = 0.
    smoothing : float
        Standard deviation in x of the Gaussian of the first guess.

    Returns
    -------
    float
    """
    first = centre = pelplug.first_minimum(g, BIN, smoothing)
    if not np.isfinite(first) or np.min(g[round(first / BIN) :][:2]) <= 1e-6:  # none, or an empty gap
        return first
    middles = BIN * (np.arange(g.size) + 0.5)
    for _ in range(20):
        near = np.abs(middles - centre) < HALF_WINDOW
        cubic = np.polynomial.Polynomial.fit(middles[near], g[near], 3)
        roots = cubic.deriv().roots()
        roots = roots[np.isreal(roots)].real
        found = roots[(cubic.deriv(2)(roots) > 0) & (np.abs(roots - first) < HALF_WINDOW)]
        if found.size == 0:
            return first
        before, centre = centre, float(found[0])
        if abs(centre - before) < 0.1 * BIN:
            break
    return centre


def expected_pairs(n: int, density: float, dimension: int) -> np.ndarray:
    """Return how many pairs each bin of g(x) has where it is one; ``density`` is N / V times the mean of d_ij**d."""
    ball = pi ** (dimension / 2) / gamma(dimension / 2 + 1)
    return 0.5 * n * density * ball * np.diff((BIN * np.arange(round(X_RANGE / BIN) + 1)) ** dimension)


def cutoff_of(g: np.ndarray, expected: np.ndarray, smoothing: float, frames: int) -> float:
    """Return x_EQ, the first minimum of g(x) averaged over some frames.

    Parameters
    ----------
    g : ndarray
        In bins of `BIN` from x = 0.
    expected : ndarray
        Of `expected_pairs`, summed over the frames: counts scatter as their square root.
    smoothing : float
        Standard deviation in x.
    frames : int
        For the message.

    Raises
    ------
    RunError
        If nothing stands out from the noise.
    """
    noise = 1.0 / np.sqrt(expected)
    found = pelplug.first_minimum(g, BIN, smoothing, noise)
    if not np.isfinite(found):
        of = "this frame" if frames == 1 else f"these {frames} frames together"
        raise pelplug.RunError(
            f"The g(x) of {of} has no first minimum that stands out from its noise; pass --x-eq (1.34 to 1.48 "
            "in the two-dimensional soft spheres of the paper), or a larger --smoothing."
        )
    return first_minimum_of_mean(g, smoothing) if noise[int(found / BIN)] < FEW_PERCENT else found


def bond_changes(
    before: pelplug.NearPairs, x_before: np.ndarray, after: pelplug.NearPairs, x_after: np.ndarray, n: int, cutoffs
) -> tuple[np.ndarray, np.ndarray]:
    """Count the bonds that each particle loses and gains.

    Parameters
    ----------
    before, after : pelplug.NearPairs
        Pairs at their nearest image, in the frame and in the inherent structure.
    x_before, x_after : ndarray
        Their scaled distances.
    n : int
        N.
    cutoffs : tuple of float
        x_EQ, and in the inherent structure the cutoff for broken bonds (1.5) and for inserted ones (1.23).

    Returns
    -------
    broken, inserted : ndarray of int, shape (N,)
    """
    x_eq, x_broken, x_inserted = cutoffs
    key_before, key_after = before.i * n + before.j, after.i * n + after.j
    bonded = x_before < x_eq
    lost = bonded & ~np.isin(key_before, key_after[x_after < x_broken])
    gained = (x_after < x_inserted) & ~np.isin(key_after, key_before[bonded])
    counts = (
        np.bincount(pairs.i[chosen], minlength=n) + np.bincount(pairs.j[chosen], minlength=n)
        for pairs, chosen in ((before, lost), (after, gained))
    )
    return tuple(counts)


def d2min(i: np.ndarray, j: np.ndarray, before: np.ndarray, after: np.ndarray, n: int) -> np.ndarray:
    """Return the mean squared non-affine displacement of each particle's neighbours.

    ``D2min_i = min_F (1/n_i) sum_j |R_ij - F r_ij|**2`` over neighbours j.

    Parameters
    ----------
    i, j : ndarray of int, shape (P,)
        Pairs, each once.
    before, after : ndarray, shape (P, d)
        r_ij in the frame and R_ij in the inherent structure [length].
    n : int
        N.

    Returns
    -------
    ndarray, shape (N,)
        [length**2]; NaN for a particle with no more than d neighbours, to which some F fits exactly.

    References
    ----------
    M. L. Falk and J. S. Langer, Phys. Rev. E 57, 7192 (1998), Eq. 2.11.
    """
    d = before.shape[1]
    # From both ends; the sign of both vectors drops out.
    owner = np.concatenate([i, j])
    r, R = np.concatenate([before, before]), np.concatenate([after, after])
    y, x = np.empty((n, d, d)), np.empty((n, d, d))
    for a in range(d):
        for b in range(d):
            y[:, a, b] = np.bincount(owner, r[:, a] * r[:, b], minlength=n)
            x[:, a, b] = np.bincount(owner, R[:, a] * r[:, b], minlength=n)
    fit = x @ np.linalg.pinv(y, hermitian=True)
    rest = R - np.einsum("pab,pb->pa", fit[owner], r)
    count = np.bincount(owner, minlength=n)
    total = np.bincount(owner, np.einsum("pa,pa->p", rest, rest), minlength=n)
    return np.where(count > d, total / np.maximum(count, 1), np.nan)
