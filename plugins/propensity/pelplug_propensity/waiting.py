"""Waiting times from finite windows, and why they are not told."""

from __future__ import annotations

import numpy as np

__all__ = ["censored_mean", "truncated_mean", "unresolved"]

_HALVINGS = 30
_LONGEST = 2.0  # windows: a mean waiting time beyond is not told apart from none at all


def censored_mean(resampling, waited, ended) -> np.ndarray:
    """Return the mean of exponentially distributed waiting times, of which some outlast the window.

    All time waited over the number of events: the estimate of greatest likelihood.

    Parameters
    ----------
    resampling : Resampling
        Over samples.
    waited : ndarray, shape (S,)
        Time waited in each sample, until the event or the end of the window [time].
    ended : ndarray, shape (S,)
        Events in each sample.

    Returns
    -------
    ndarray, shape (1 + R,)
        Of all samples and of each resample; NaN where there is no event [time].
    """
    return resampling.means(waited, ended)


def truncated_mean(resampling, unit, place, waits, windows, bins: int) -> np.ndarray:
    """Return the mean of exponentially distributed waiting times, of which those longer than the window were not seen.

    It makes ``sum [w - tau + c / (exp(c / tau) - 1)]`` zero, the estimate of greatest likelihood: a pair at a given
    distance is known only when its second event has happened.

    Parameters
    ----------
    resampling : Resampling
        Over samples.
    unit, place : ndarray of int, shape (P,)
        Sample and bin of each pair.
    waits, windows : ndarray, shape (P,)
        Waiting time w of each pair, and the time c left in its window after the first event [time].
    bins : int
        How many.

    Returns
    -------
    ndarray, shape (1 + R, bins)
        NaN where there is no pair, or waits are spread so evenly over the window that they tell no mean [time].
    """
    weights = np.concatenate([np.ones((1, resampling.samples)), resampling.weights])
    found = np.full((len(weights), bins), np.nan)
    for b in range(bins):
        own = place == b
        w, c, weight = waits[own], windows[own], weights[:, unit[own]]
        longest = float(np.max(c, initial=0.0))
        if not longest > 0.0:
            continue
        number, total = weight.sum(axis=1), weight @ w
        low, high = np.full(len(weights), 1e-6 * longest), np.full(len(weights), _LONGEST * longest)
        for _ in range(_HALVINGS):
            middle = np.sqrt(low * high)
            with np.errstate(over="ignore"):
                lost = np.sum(weight * c / np.expm1(np.maximum(c, 1e-300) / middle[:, None]), axis=1)
            longer = total - number * middle + lost > 0.0
            low, high = np.where(longer, middle, low), np.where(longer, high, middle)
        told = (number > 0) & (high < _LONGEST * longest)
        found[told, b] = np.where(total[told] > 0, np.sqrt(low * high)[told], 0.0)
    return found


def unresolved(waits: np.ndarray) -> bool:
    """Whether more than half of the waits are zero: events of one frame, whose order is not known."""
    return len(waits) > 0 and np.count_nonzero(np.asarray(waits) <= 0.0) > 0.5 * len(waits)
