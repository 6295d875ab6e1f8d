"""The Adam-Gibbs relation between relaxation times and entropies whose value at the reference is not known."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

__all__ = ["AdamGibbs", "fit_adam_gibbs"]

_OFFSETS = np.geomspace(1e-3, 1e2, 1001)  # entropies at the reference that are tried, k per particle
_FEWEST = 5  # temperatures from which on the entropy at the reference is fitted too
_LEVEL = 1e-3  # probability of residuals as large, below which it is not the law
_CERTAIN = 0.95  # share of resamples with a minimum inside the range


@dataclasses.dataclass(frozen=True)
class AdamGibbs:
    """``ln tau = ln tau_0 + A / (T (S2/N + S_0))``.

    Attributes
    ----------
    offset, offset_error : float
        S_0, the entropy at the reference temperature over k, and its standard error; that error is NaN where it was
        given.
    slope, slope_error : float
        A [temperature], and its standard error.
    log_time : float
        ln tau_0.
    why : str
        Why there is none; empty if there is one.
    """

    offset: float = np.nan
    offset_error: float = np.nan
    slope: float = np.nan
    slope_error: float = np.nan
    log_time: float = np.nan
    why: str = ""


def fit_adam_gibbs(temperatures, log_times, errors, entropies, drawn_times, drawn_entropies, offset=None) -> AdamGibbs:
    """Fit it by weighted least squares.

    Parameters
    ----------
    temperatures, log_times, errors, entropies : ndarray, shape (K,)
        T, ln tau, its standard error, and S2/N over k.
    drawn_times, drawn_entropies : ndarray, shape (R, K)
        The same with errors drawn anew.
    offset : float, optional
        S_0, which is fitted if None.
    """
    fewest = _FEWEST if offset is None else 3
    if temperatures.size < fewest:
        return AdamGibbs(
            why=f"it takes relaxation times and entropies with errors at {fewest} temperatures, and there are "
            f"{temperatures.size}"
        )
    offsets = _OFFSETS if offset is None else np.array([offset])
    if np.any(entropies + offsets[0] <= 0):
        return AdamGibbs(why="the entropy is not above zero at every temperature")
    best, slope, log_time = _fit(temperatures, log_times, errors, entropies, offsets)
    if offset is None and best in (0, offsets.size - 1):
        return AdamGibbs(why="the times do not fix the entropy at the reference temperature")
    offset_used = offsets[best]
    x, spread = 1.0 / (temperatures * (entropies + offset_used)), drawn_entropies.std(axis=0)
    errors_of_both = np.hypot(errors, slope * x * spread / (entropies + offset_used))
    left = (log_times - log_time - slope * x) / errors_of_both
    free = temperatures.size - (3 if offset is None else 2)
    if stats.chi2.sf(np.sum(left**2), free) < _LEVEL:
        return AdamGibbs(
            why=f"the times do not follow it (chi-square {np.sum(left**2):.3g} with {free} degrees of freedom)"
        )
    found = np.array(
        [
            _fit(temperatures, times, errors, entropy, offsets)[:2]
            for times, entropy in zip(drawn_times, drawn_entropies, strict=True)
            if np.all(entropy + offsets[0] > 0)
        ]
    ).reshape(-1, 2)
    inside = (found[:, 0] > 0) & (found[:, 0] < offsets.size - 1) if offset is None else np.ones(len(found), bool)
    known = len(found) > 0 and inside.sum() > _CERTAIN * len(drawn_times)
    if offset is None and not known:
        return AdamGibbs(why="the times do not fix the entropy at the reference temperature within their errors")
    slope_error = float(np.std(found[:, 1])) if known else np.nan
    own = float(np.std(offsets[found[:, 0].astype(int)])) if offset is None else np.nan
    return AdamGibbs(float(offsets[best]), own, slope, slope_error, log_time)


def _fit(temperatures, log_times, errors, entropies, offsets) -> tuple[int, float, float]:
    """Return which offset is best, with it A and ln tau_0; for a given offset the fit is linear."""
    x = 1.0 / (temperatures * (entropies + offsets[:, None]))
    weight = 1.0 / errors**2
    mean_x, mean_y = (x @ weight) / weight.sum(), (log_times @ weight) / weight.sum()
    dx, dy = x - mean_x[:, None], log_times - mean_y
    xx, xy = dx**2 @ weight, (dx * dy) @ weight
    best = int(np.argmax(xy**2 / xx))
    slope = float(xy[best] / xx[best])
    return best, slope, float(mean_y - slope * mean_x[best])
