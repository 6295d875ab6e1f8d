"""Intervals and histograms."""

from __future__ import annotations

import numpy as np

__all__ = ["bootstrap_interval", "log_histogram"]


def bootstrap_interval(values, weights, rng, resamples: int, confidence: float) -> np.ndarray:
    """Return the percentile bootstrap interval of a mean.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Sums of the independent things resampled, or single values.
    weights : ndarray, shape (n,), optional
        How many entries each sum has; the mean is then the ratio of the resampled sums.
    rng : numpy.random.Generator
        Source of the resamples.
    resamples : int
        How many.
    confidence : float
        Probability inside the interval.

    Returns
    -------
    ndarray, shape (2,)
        Lower and upper bound.
    """
    n = values.size
    means = np.empty(resamples)
    for index in range(resamples):
        chosen = rng.integers(n, size=n)
        count = n if weights is None else weights[chosen].sum()
        means[index] = values[chosen].sum() / count
    return np.quantile(means, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])


def log_histogram(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return density, counts and edges of a histogram with bins equal in the logarithm.

    Parameters
    ----------
    values : ndarray
        Positive values.
    bins : int
        Number of bins, from the smallest to the largest value.

    Returns
    -------
    density, counts : ndarray, shape (bins,)
        The density integrates to one over the edges.
    edges : ndarray, shape (bins + 1,)
    """
    low, high = values.min(), values.max()
    if not low < high:
        low, high = low * (1.0 - 1e-6), high * (1.0 + 1e-6)
    edges = np.geomspace(low, high, bins + 1)
    edges[[0, -1]] = low, high
    counts, _ = np.histogram(values, edges)
    return counts / (values.size * np.diff(edges)), counts, edges
