"""Where <phi>(T) is steepest and chi(T) largest, by polynomials in ln T."""

from __future__ import annotations

import numpy as np

__all__ = ["Peak", "peak_of_chi", "steepest"]

FEWEST = 4
"""Temperatures that a fit needs."""

EDGE = 1e-3
"""Of the range of ln T: a largest value nearer to its ends than this is at the edge."""

FOOT = 0.02
"""chi is fitted where it is at least this share of its largest value."""

SMOOTH = 2
"""Degree in ln T of what errors from few runs are smoothed by."""


class Peak:
    """A polynomial y(x) in x = ln T, fitted to many rows of y at once, and where something made of it is largest.

    Parameters
    ----------
    temperature : ndarray, shape (K,)
        Ascending [temperature].
    rows : ndarray, shape (R, K)
        y of all samples first, of resamples behind; rows with a value that is not finite give NaN.
    weights : ndarray, shape (K,) or (R, K)
        One over the errors of y, or what else they count.
    degree : int
        Of the polynomial; less where there are too few temperatures.

    Attributes
    ----------
    fine : ndarray, shape (F,)
        Temperatures of a fine grid [temperature].
    smooth, slope : ndarray, shape (R, F)
        The polynomial and its derivative in ln T there.
    measured : ndarray, shape (R, K)
        The polynomial at the temperatures of y.
    chi_squared : float
        Sum of squared weighted residuals of the first row over the degrees of freedom; NaN if there are none.
    """

    def __init__(self, temperature: np.ndarray, rows: np.ndarray, weights: np.ndarray, degree: int):
        x = np.log(temperature)
        degree = min(degree, len(x) - 2)
        low, high = x[0], x[-1]
        place = 2.0 * (x - low) / (high - low) - 1.0
        powers = np.polynomial.chebyshev.chebvander(place, degree)
        known = np.isfinite(rows).all(axis=1)
        fitted = np.full((len(rows), degree + 1), np.nan)
        weights = np.broadcast_to(weights, rows.shape)[known]
        fitted[known] = (np.linalg.pinv(powers * weights[..., None]) @ (rows[known] * weights)[..., None])[..., 0]
        grid = np.linspace(-1.0, 1.0, 2001)
        basis = np.polynomial.chebyshev.chebvander(grid, degree)
        slopes = np.array([np.polynomial.chebyshev.chebder(row) for row in np.eye(degree + 1)])
        derived = np.polynomial.chebyshev.chebvander(grid, degree)[:, : max(degree, 1)] @ slopes.T
        self.fine = np.exp(low + 0.5 * (grid + 1.0) * (high - low))
        self.smooth = fitted @ basis.T
        self.slope = (fitted @ derived.T) * 2.0 / (high - low)
        self.measured = fitted @ powers.T
        left = (self.measured[:1] - rows[:1]) * weights[:1]
        free = len(x) - degree - 1
        self.chi_squared = float(np.square(left).sum()) / free if free > 0 and known[0] else np.nan

    def largest(self, values: np.ndarray) -> np.ndarray:
        """Return the temperature at which each row is largest, NaN where that is at the edge of the measured ones."""
        found = np.full(len(values), np.nan)
        known = np.isfinite(values).all(axis=1)
        place = np.argmax(values[known], axis=1)
        margin = max(1, round(EDGE * (len(self.fine) - 1)))
        inside = (place >= margin) & (place < len(self.fine) - margin)
        found[known] = np.where(inside, self.fine[place], np.nan)
        return found


def steepest(temperature, phi, error, degree: int) -> tuple[np.ndarray, np.ndarray, Peak | None]:
    """Return where d<phi>/dT and d<phi>/d ln T are largest, of a polynomial in ln T through the logit of <phi>.

    Parameters
    ----------
    temperature : ndarray, shape (K,)
        Ascending [temperature].
    phi : ndarray, shape (R, K)
        <phi> of all samples, and of resamples.
    error : ndarray, shape (K,)
        Of <phi>; where one is not known all points weigh alike.
    degree : int
        Of the polynomial.

    Returns
    -------
    against_temperature, against_logarithm : ndarray, shape (R,)
        [temperature]
    peak : Peak or None
        None where fewer than four temperatures have a <phi> between 0 and 1.
    """
    between = (phi[0] > 0) & (phi[0] < 1)
    if np.count_nonzero(between) < FEWEST:
        nothing = np.full(len(phi), np.nan)
        return nothing, nothing, None
    phi, error = phi[:, between], error[between]
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(phi / (1.0 - phi))
    known = np.isfinite(error).all() and (error > 0).all()
    weights = np.ones(phi.shape[1])
    if known:  # a point whose error came out small by chance would count for much, and tell a small error of T_def
        x, spread = np.log(temperature[between]), error / (phi[0] * (1.0 - phi[0]))
        weights = np.exp(-np.polyval(np.polyfit(x, np.log(spread), min(SMOOTH, x.size - 2)), x))
    peak = Peak(temperature[between], logit, weights, degree)
    if not known:
        peak.chi_squared = np.nan
    with np.errstate(over="ignore"):
        smooth = 1.0 / (1.0 + np.exp(-peak.smooth))
    slope = smooth * (1.0 - smooth) * peak.slope
    return peak.largest(slope / peak.fine), peak.largest(slope), peak


def peak_of_chi(temperature, chi, error, degree: int) -> tuple[np.ndarray, Peak | None]:
    """Return where chi is largest, of a polynomial in ln T through ln chi.

    It is fitted twice, with equal weights, and then each point with the square root of chi of the first fit. A limit,
    as one at half of the largest, would take in points at the feet of the peak or leave them out by chance.

    Parameters
    ----------
    temperature, chi, error, degree
        As for `steepest`.
    """
    with np.errstate(invalid="ignore"):
        near = chi[0] >= FOOT * np.nanmax(chi[0]) if np.isfinite(chi[0]).any() else np.zeros(chi.shape[1], dtype=bool)
    near &= np.nan_to_num(chi[0]) > 0
    if np.count_nonzero(near) < FEWEST:
        return np.full(len(chi), np.nan), None
    chi, error = chi[:, near], error[near]
    # The relative error of a variance is about the same everywhere: errors from few runs would only add noise.
    known = np.isfinite(error).all() and (error > 0).all()
    relative = np.sqrt(np.mean((error / chi[0]) ** 2)) if known else 1.0
    positive = chi > 0  # a resample may have none at its feet
    logs = np.log(chi, out=np.zeros(chi.shape), where=positive)
    first = Peak(temperature[near], logs, positive.astype(float), degree).measured
    share = np.exp(0.5 * (first - first.max(axis=1, keepdims=True)))  # the peak counts, its feet little
    peak = Peak(temperature[near], logs, positive * share / relative, degree)
    if not known:
        peak.chi_squared = np.nan
    return peak.largest(peak.smooth), peak
