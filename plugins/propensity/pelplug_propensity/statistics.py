"""Ranks, their correlation, and the most and least mobile particles."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

__all__ = ["extremes", "ranks_by_species", "spearman_by_species"]


def ranks_by_species(values: np.ndarray, species: np.ndarray) -> np.ndarray:
    """Return each particle's rank within its species, 0 the lowest and 1 the highest; ties share the mean.

    Parameters
    ----------
    values : ndarray, shape (N,)
        NaN has no rank: it stays NaN.
    species : ndarray, shape (N,)
        Names.

    Returns
    -------
    ndarray, shape (N,)
    """
    ranks = np.full(values.shape, np.nan)
    for name in np.unique(species):
        there = np.flatnonzero((species == name) & np.isfinite(values))
        if there.size > 1:
            ranks[there] = (rankdata(values[there]) - 1.0) / (there.size - 1.0)
        else:
            ranks[there] = 0.5
    return ranks


def spearman_by_species(first: np.ndarray, second: np.ndarray, species: np.ndarray) -> dict[str, float]:
    """Return Spearman's rank correlation within each species; NaN for fewer than three particles.

    Parameters
    ----------
    first, second : ndarray, shape (N,)
        Particles for which either is NaN are left out.
    species : ndarray, shape (N,)
        Names.
    """
    found = {}
    for name in np.unique(species):
        there = (species == name) & np.isfinite(first) & np.isfinite(second)
        a, b = rankdata(first[there]), rankdata(second[there])
        constant = a.size < 3 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0
        found[str(name)] = np.nan if constant else float(np.corrcoef(a, b)[0, 1])
    return found


def extremes(values: np.ndarray, candidates: np.ndarray, distance_squared, separation: float, count: int) -> np.ndarray:
    """Return the particles of the largest values such that no two are within a distance.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Negate to get the smallest.
    candidates : ndarray of int
        Particles to choose from.
    distance_squared : callable
        ``distance_squared(i, others)`` gives squared distances to the nearest images, shape (len(others),).
    separation : float
        The distance [length].
    count : int
        How many.

    Returns
    -------
    ndarray of int
        In order of their values; fewer than `count` where there is no room for more.
    """
    chosen: list[int] = []
    for i in candidates[np.argsort(-values[candidates], kind="stable")]:
        if not chosen or np.all(distance_squared(i, np.array(chosen)) > separation**2):
            chosen.append(int(i))
            if len(chosen) == count:
                break
    return np.array(chosen, dtype=np.int64)
