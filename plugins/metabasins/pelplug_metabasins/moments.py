"""Moments of the waiting time from the record itself, the unfinished metabasins included."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import foldnorm

__all__ = ["distance", "excess", "plain_moments", "reach"]


def plain_moments(stay: np.ndarray, run: np.ndarray) -> tuple[float, float, float]:
    """Return <tau>, tau_alpha and the share of <tau^2> in the longest metabasin, from what was seen of each.

    Parameters
    ----------
    stay : ndarray, shape (n,)
        The unfinished ones included [time].
    run : ndarray of int, shape (n,)
        Of each metabasin.

    Notes
    -----
    Jumps in a stationary record are its length over <tau> on average, and S0(t) is known without bias up to the length
    of a run, so that both are free of the bias of what the ends of the record cut off:
    ``<tau> = sum of all stays / jumps``, ``tau_alpha = integral of S0``, and ``<tau^2> = 2 <tau> tau_alpha``.
    """
    lengths = np.bincount(run, stay)
    jumps = len(stay) - len(lengths)
    mean = stay.sum() / jumps if jumps > 0 else np.nan
    return mean, _integral(stay, lengths), float(stay.max() ** 2 / np.square(stay).sum())


def reach(value: float, fitted: float, spread: float, confidence: float) -> float:
    """Return how far from a value of the record the truth lies at most, with a probability, as the fitted law says.

    Parameters
    ----------
    value : float
        Moment of the record, which lacks what happens too seldom for it.
    fitted : float
        The same of the fitted law, which does not.
    spread : float
        Standard error of the logarithm of `fitted`.
    confidence : float
        The probability; the truth is taken for log-normal about `fitted`.
    """
    if not (value > 0 and fitted > 0 and np.isfinite(spread)):
        return np.nan
    if spread == 0:
        return abs(fitted - value)

    def share(distance: float) -> float:
        low = np.log((value - distance) / fitted) / spread if distance < value else -np.inf
        return float(ndtr(np.log((value + distance) / fitted) / spread) - ndtr(low)) - confidence

    far = abs(fitted - value) + fitted * np.expm1(6.0 * min(spread, 50.0))
    if share(far) < 0:
        return np.inf
    # In the logarithm: a wide law reaches over a hundred decades.
    near = 1e-9 * min(spread, 1.0) * min(value, fitted)
    return float(np.exp(brentq(lambda x: share(np.exp(x)), np.log(near), np.log(far), xtol=1e-6)))


def distance(value: float, fitted: float, spread: float, confidence: float) -> float:
    """Return the same as `reach` of a number of any sign, of which the truth is taken for normal about `fitted`.

    Parameters
    ----------
    value, fitted, spread, confidence : float
        As for `reach`; `spread` is the standard error of `fitted` itself.
    """
    if not (np.isfinite(value) and np.isfinite(fitted) and spread > 0):
        return np.nan
    return float(foldnorm.ppf(confidence, abs(fitted - value) / spread, scale=spread))


def _integral(stay: np.ndarray, lengths: np.ndarray) -> float:
    """Return the integral of sum max(0, stay - t) / sum max(0, length - t) over t from 0 to the longest run."""
    if len(lengths) == 1:
        total = lengths[0]
        rest = np.maximum(total - stay, 1e-12 * total)
        small = stay < 1e-4 * total
        exact = stay - rest * np.log(total / rest)
        return float(np.where(small, np.square(stay) / (2 * total) * (1 + stay / (3 * total)), exact).sum())
    ordered = np.sort(stay)
    left = np.r_[0.0, ordered]  # between these the numerator is linear in t
    edges = np.unique(np.r_[left, lengths[lengths < ordered[-1]]])
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = np.diff(edges)[:, None] / 2
    t = (edges[:-1, None] + half + half * nodes).ravel()
    above, below = excess(stay, t), excess(lengths, t)
    return float(((above / np.maximum(below, 1e-300)).reshape(half.shape[0], -1) * weights * half).sum())


def excess(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the sum of max(0, value - t) at each time."""
    ordered = np.sort(values)
    heap = np.r_[0.0, np.cumsum(ordered)]
    below = np.searchsorted(ordered, times, side="right")
    return heap[-1] - heap[below] - (len(ordered) - below) * times
