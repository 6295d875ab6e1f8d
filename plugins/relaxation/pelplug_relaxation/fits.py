"""Fits of a decay: power law, exponential, and which of the two it is."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["DecayFits", "cutoffs", "exponents", "fit_decay", "fit_window", "local_slope"]


@dataclasses.dataclass(frozen=True)
class DecayFits:
    """Least-squares fits of ln v over a window.

    Attributes
    ----------
    beta, amplitude : float
        Of ``v = amplitude t**-beta``.
    beta_error : float
        Standard error of beta from the residuals, as if they were independent.
    rate : float
        Of ``v ~ exp(-rate t)`` [1 / time].
    residual_power, residual_exponential : float
        Root mean square residual of ln v.
    aic_difference : float
        Akaike's criterion of the exponential minus that of the power law, ``n ln(RSS_exp / RSS_pow)``; both have two
        parameters. Positive: the power law describes the points better.
    cutoff_exponent, cutoff_rate : float
        b and lambda of ``v ~ t**-b exp(-lambda t)``, the decay of modes above a gap lambda [1 / time].
    aic_cutoff : float
        Akaike's criterion of the power law minus that of the power law cut off, which has one parameter more.
        Positive, with lambda > 0: the decay is cut off exponentially.
    """

    beta: float
    amplitude: float
    beta_error: float
    rate: float
    residual_power: float
    residual_exponential: float
    aic_difference: float
    cutoff_exponent: float
    cutoff_rate: float
    aic_cutoff: float


def fit_decay(times: np.ndarray, velocity: np.ndarray) -> DecayFits:
    """Fit a power law, an exponential, and a power law that is cut off exponentially.

    Parameters
    ----------
    times, velocity : ndarray, shape (n,)
        At least three points, all positive.

    Returns
    -------
    DecayFits
    """
    log_v = np.log(velocity)
    n = len(log_v)
    slope, offset, power = _line(np.log(times), log_v)
    rate, _, exponential = _line(times, log_v)
    spread = np.log(times)
    error = np.sqrt(power / max(n - 2, 1) / np.sum((spread - spread.mean()) ** 2))
    both = np.column_stack([np.ones(n), -np.log(times), -times])
    found = np.linalg.lstsq(both, log_v, rcond=None)[0]
    exponent, cutoff, cut_off = found[1], found[2], float(np.sum((log_v - both @ found) ** 2))
    least = n * (1e-15 * max(1.0, np.abs(log_v).max())) ** 2  # what rounding leaves of a perfect fit
    return DecayFits(
        beta=float(-slope),
        amplitude=float(np.exp(offset)),
        beta_error=float(error),
        rate=float(-rate),
        residual_power=float(np.sqrt(power / n)),
        residual_exponential=float(np.sqrt(exponential / n)),
        aic_difference=float(n * np.log(max(exponential, least) / max(power, least))),
        cutoff_exponent=float(exponent),
        cutoff_rate=float(cutoff),
        aic_cutoff=float(n * np.log(max(power, least) / max(cut_off, least)) - 2.0),
    )


def exponents(times: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return beta of each of several curves by least squares of ln v.

    Parameters
    ----------
    times : ndarray, shape (n,)
    curves : ndarray, shape (R, n)
        v, positive; NaN gives NaN.

    Returns
    -------
    ndarray, shape (R,)
    """
    moved = np.log(times) - np.log(times).mean()
    return -(np.log(curves) @ moved) / (moved @ moved)


def cutoffs(times: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return lambda of ``v ~ t**-b exp(-lambda t)`` for each of several curves; arguments of `exponents` [1 / time]."""
    both = np.column_stack([np.ones(len(times)), -np.log(times), -times])
    return np.linalg.lstsq(both, np.log(curves).T, rcond=None)[0][2]


def fit_window(times, mean, ends, t_min, t_max, to_minimum: bool = True) -> tuple[float, float]:
    """Return the window of the fits: what was given, or where that is ``"auto"`` chosen from the curve.

    The latest time is a tenth of that at which the first frame stopped, or of the last output, because a finite system
    ends exponentially; the earliest a thirtieth of the latest, but not before ten times the time at which the velocity
    has halved.

    Parameters
    ----------
    times, mean : ndarray, shape (K,)
        Output times, and v there.
    ends : ndarray, shape (frames,)
        When each descent ended.
    t_min, t_max : float or "auto"
        What was given.
    to_minimum : bool
        Whether descents were followed to their minima.
    """
    first, last = t_min, t_max
    if last == "auto":
        stopped = min(float(np.min(ends)), 10.0 * times[-1]) if to_minimum else np.inf
        last = min(stopped / 10.0, times[-1])
    if first == "auto":
        half = times[min(int(np.argmax(mean < 0.5 * mean[0])), len(mean) - 1)]
        first = max(last / 30.0, 10.0 * half if 10.0 * half < last / 3.0 else 0.0)
    return float(first), float(last)


def local_slope(times: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return -d ln v / d ln t by central differences; NaN where v is 0, and at times 0."""
    slope = np.full(len(times), np.nan)
    good = np.flatnonzero((times > 0) & (velocity > 0))
    if len(good) > 1:
        slope[good] = -np.gradient(np.log(velocity[good]), np.log(times[good]))
    return slope


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return slope, intercept and sum of squared residuals of a straight line."""
    dx = x - x.mean()
    slope = float(dx @ (y - y.mean()) / (dx @ dx))
    offset = float(y.mean() - slope * x.mean())
    return slope, offset, float(np.sum((y - slope * x - offset) ** 2))
