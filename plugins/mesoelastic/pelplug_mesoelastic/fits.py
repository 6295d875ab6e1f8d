"""A straight line through points with errors in both directions, what errors become of, and where curves cross."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

__all__ = ["Line", "at_level", "line", "propagated"]

_STEP = 1e-3  # of an error, for derivatives


class Line(NamedTuple):
    """y = intercept + slope x.

    Attributes
    ----------
    intercept, slope : float
        NaN of fewer than two points.
    covariance : ndarray, shape (2, 2)
        Of intercept and slope; NaN where a point has no error.
    chi_square : float
        Of the points' own errors; NaN of two points.
    freedom : int
        Points less two.
    """

    intercept: float
    slope: float
    covariance: np.ndarray
    chi_square: float
    freedom: int

    @property
    def probability(self) -> float:
        """Chance of so large a chi-square if the line holds."""
        return float(stats.chi2.sf(self.chi_square, self.freedom)) if self.freedom > 0 else np.nan


def line(x: np.ndarray, y: np.ndarray, x_error: np.ndarray, y_error: np.ndarray) -> Line:
    """Return the straight line of least squares with errors in both directions.

    Weights are of errors half way, in the logarithm, between a point's own and the mean of all: those of few runs are
    uncertain themselves, and points that look exact by chance would rule. The covariance is that of the points' own
    errors, carried through the fit.

    Parameters
    ----------
    x, y, x_error, y_error : ndarray, shape (K,)
        Points and their standard errors, independent of each other; NaN is no error.

    References
    ----------
    D. York et al., Am. J. Phys. 72, 367 (2004).
    """
    nothing = np.full((2, 2), np.nan)
    if x.size < 2 or np.ptp(x) == 0:
        return Line(np.nan, np.nan, nothing, np.nan, 0)
    variances = np.stack([x_error, y_error]) ** 2
    known = bool(np.isfinite(variances).all())
    weights = _smoothed(variances) if known else np.stack([np.zeros(x.size), np.ones(x.size)])

    def fitted(points: np.ndarray) -> np.ndarray:
        return _york(points[0], points[1], *weights)

    intercept, slope = fitted(np.stack([x, y]))
    if not known:
        return Line(intercept, slope, nothing, np.nan, x.size - 2)
    covariance = propagated(fitted, np.stack([x, y]), np.sqrt(variances))
    spread = variances[1] + slope**2 * variances[0]
    off = (y - intercept - slope * x) ** 2
    chi_square = float(np.sum(np.divide(off, spread, out=np.zeros_like(off), where=spread > 0)))
    return Line(intercept, slope, covariance, chi_square if x.size > 2 else np.nan, x.size - 2)


def propagated(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the covariance, shape (m, m), of m numbers that follow from values with independent standard errors.

    To first order, by central differences of a thousandth of each error. NaN where an error that counts is NaN.
    """
    whole = np.atleast_1d(function(values))
    covariance = np.zeros((whole.size, whole.size))
    for place in np.ndindex(values.shape):
        error = errors[place]
        if error == 0.0:
            continue
        step = _STEP * error if np.isfinite(error) else 1e-6 * (abs(values[place]) or 1.0)
        ends = []
        for sign in (-1.0, 1.0):
            moved = values.copy()
            moved[place] += sign * step
            ends.append(np.atleast_1d(function(moved)))
        gradient = (ends[1] - ends[0]) / (2.0 * step)
        if np.isfinite(error):
            covariance += np.outer(gradient, gradient) * error**2
        elif np.any(gradient != 0.0):
            covariance += np.where(np.add.outer(gradient != 0.0, gradient != 0.0), np.nan, 0.0)
    return covariance


def at_level(level: float, heights: np.ndarray, values: np.ndarray) -> float:
    """Return the value where a curve of heights reaches a level, by linear interpolation between neighbours.

    Parameters
    ----------
    level : float
        Height.
    heights, values : ndarray, shape (K,)
        Along the curve, in order.

    Returns
    -------
    float
        NaN where the curve does not reach the level, or more than once.
    """
    known = np.isfinite(heights)
    heights, values = heights[known], values[known]
    above = heights >= level
    crossings = np.flatnonzero(above[1:] != above[:-1])
    if crossings.size != 1:
        touched = np.flatnonzero(heights == level)
        return float(values[touched[0]]) if touched.size == 1 and crossings.size == 0 else np.nan
    k = crossings[0]
    share = (level - heights[k]) / (heights[k + 1] - heights[k])
    if share in (0.0, 1.0):  # the other end need not be known
        return float(values[k + int(share)])
    return float((1.0 - share) * values[k] + share * values[k + 1])


def _smoothed(variances: np.ndarray) -> np.ndarray:
    mean = variances.mean(axis=1, keepdims=True)
    return (
        np.sqrt(variances * mean)
        if (mean > 0).any()
        else np.stack([np.zeros_like(variances[0]), np.ones_like(variances[1])])
    )


def _york(x: np.ndarray, y: np.ndarray, vx: np.ndarray, vy: np.ndarray) -> np.ndarray:
    """Return intercept and slope of York's line for variances in x and y that are not correlated."""
    slope = np.polyfit(x, y, 1)[0]
    floor = 1e-12 * float(np.max(vy + slope**2 * vx))
    for _ in range(200):
        weight = 1.0 / np.maximum(vy + slope**2 * vx, floor)
        middle_x, middle_y = np.sum(weight * x) / weight.sum(), np.sum(weight * y) / weight.sum()
        u, v = x - middle_x, y - middle_y
        beta = weight * (u * vy + slope * v * vx)
        below = np.sum(weight * beta * u)
        if below == 0.0:
            break
        before, slope = slope, np.sum(weight * beta * v) / below
        if abs(slope - before) <= 1e-14 * abs(slope):
            break
    return np.array([middle_y - slope * middle_x, slope])
