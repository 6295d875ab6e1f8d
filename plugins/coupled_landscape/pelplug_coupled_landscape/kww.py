"""The stretched exponential through a curve that falls from 1."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

__all__ = ["stretched"]

_FEWEST = 4


def stretched(times, values, low: float = 0.05, high: float = 0.9) -> tuple[float, float]:
    """Fit ``exp(-(t/tau_0)**beta)`` to the part of a curve between two values.

    Parameters
    ----------
    times, values : array_like, shape (B,)
        As lag times [time] and S0 or S(k, t).
    low, high : float
        Between which values the curve is fitted.

    Returns
    -------
    tau_0 : float
        [time]
    beta : float
        Both NaN where fewer than 4 points lie there.
    """
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        part = (values >= low) & (values <= high) & (times > 0.0)
    if part.sum() < _FEWEST:
        return np.nan, np.nan
    log_time, value = np.log(times[part]), values[part]
    slope, offset = np.polyfit(log_time, np.log(-np.log(value)), 1)

    def residuals(parameters):
        log_tau, log_beta = parameters
        return np.exp(-np.exp(np.exp(log_beta) * (log_time - log_tau))) - value

    if not slope > 0.0:
        return np.nan, np.nan
    log_tau, log_beta = least_squares(residuals, (-offset / slope, np.log(slope)), xtol=1e-12, ftol=1e-12).x
    return float(np.exp(log_tau)), float(np.exp(log_beta))
