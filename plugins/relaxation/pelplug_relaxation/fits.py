"""Fits of a decay: power law, exponential, and which of the two it is."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["DecayFits", "exponents", "fit_decay", "local_slope"]


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
