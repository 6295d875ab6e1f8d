"""Structural events: hops after which a particle and its first shell are not where equal particles were before."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment

import pelplug

__all__ = ["count_pairs", "first_shell_radius", "nearest_images", "structural_displacement"]


def nearest_images(apart: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return separation vectors to nearest images; right for those shorter than half the smallest height of the cell.

    Parameters
    ----------
    apart : ndarray, shape (..., d)
        [length].
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    """
    fractional = apart @ np.linalg.inv(cell)
    return apart - np.rint(fractional) @ cell


def structural_displacement(before, after, groups, particle: int, members, cell, radius: float) -> float:
    """Return the squared displacement of a particle and its first shell, equal particles being interchangeable.

    Each of them is matched with an equal particle afterwards so that the sum of the squared distances is least.

    Parameters
    ----------
    before, after : ndarray, shape (N, d)
        Mean positions before and after the event [length].
    groups : ndarray of int, shape (N,)
        Species.
    particle : int
        Whose event it is.
    members : ndarray of bool, shape (N,)
        Particles that count as its shell.
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    radius : float
        Of the first shell [length].

    Returns
    -------
    float
        [length**2].
    """
    origin = before[particle]
    from_origin = nearest_images(before - origin, cell)
    shell = members & (np.sum(from_origin**2, axis=1) < radius**2)
    shell[particle] = True
    later = nearest_images(after - origin, cell)
    # Whoever may have taken a place in the shell; its members are among them wherever they went.
    near = shell | (members & (np.sum(later**2, axis=1) < (2.0 * radius) ** 2))
    total = 0.0
    for group in np.unique(groups[shell]):
        rows, columns = np.flatnonzero(shell & (groups == group)), np.flatnonzero(near & (groups == group))
        apart = nearest_images(from_origin[rows][:, None] - later[columns][None], cell)
        cost = np.sum(apart**2, axis=2)
        total += float(cost[linear_sum_assignment(cost)].sum())
    return total


@pelplug.kernel
def _count(fractional, cell, width, bins):
    n, d = fractional.shape
    counts = np.zeros(bins)
    apart = np.empty(d)
    for i in range(n - 1):
        for j in range(i + 1, n):
            for c in range(d):
                value = fractional[i, c] - fractional[j, c]
                apart[c] = value - np.rint(value)
            squared = 0.0
            for c in range(d):
                component = 0.0
                for m in range(d):
                    component += apart[m] * cell[m, c]
                squared += component * component
            place = int(np.sqrt(squared) / width)
            if place < bins:
                counts[place] += 1.0
    return counts


def count_pairs(positions: np.ndarray, cell: np.ndarray, width: float, bins: int) -> np.ndarray:
    """Return the number of pairs by distance, shape (bins,).

    Parameters
    ----------
    positions : ndarray, shape (N, d)
        [length].
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    width : float
        Of a bin [length].
    bins : int
        How many; their end is not to exceed half the smallest height of the cell.
    """
    return _count(np.ascontiguousarray(positions @ np.linalg.inv(cell)), np.ascontiguousarray(cell), width, bins)


def first_shell_radius(frames, cell: np.ndarray, spacing: float, reach: float) -> float:
    """Return the first minimum of g(r) behind its highest peak.

    Parameters
    ----------
    frames : iterable of ndarray, shape (N, d)
        Positions of the particles in some frames [length].
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    spacing : float
        ``rho**(-1/d)`` [length].
    reach : float
        Half the smallest height of the cell [length].

    Returns
    -------
    float
        [length]; at least 1.1 and at most 1.8 times the distance of the peak.
    """
    width = 0.02 * spacing
    bins = int(min(reach, 3.0 * spacing) / width)
    counts = np.sum([count_pairs(positions, cell, width, bins) for positions in frames], axis=0)
    centres = (np.arange(bins) + 0.5) * width
    curve = gaussian_filter1d(counts / centres ** (cell.shape[0] - 1), 2.0, mode="nearest")
    # A bin at the origin has hardly any volume: one close pair there is no peak.
    peak = int(np.argmax(np.where(centres > 0.5 * spacing, curve, 0.0)))
    low, high = int(1.1 * peak) + 1, min(int(1.8 * peak) + 1, bins)
    return float(centres[low + int(np.argmin(curve[low:high]))]) if low < high else 1.4 * float(centres[peak])
