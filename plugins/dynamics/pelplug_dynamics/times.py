"""Characteristic times and the diffusion coefficient; what a curve does not show is NaN with a reason."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares
from scipy.special import gamma

__all__ = [
    "beta_time",
    "crossing_down",
    "decay_start",
    "diffusion",
    "diffusion_window",
    "last_of_decay",
    "local_slope",
    "of_decay",
    "reaching",
    "stretched_exponential",
]

_PLATEAU = 0.9  # least slope of the MSD below which there is a plateau
_RISE = 0.1  # of the slope, on either side of a plateau; less may be noise
_KWW_FLOOR = 0.02
_GAP = 10.0**0.5  # longest ratio of two lags between which a curve is interpolated


def crossing_down(times, curve, threshold: float) -> tuple[float, str]:
    """Return where a decaying curve first falls to a threshold, linear in ln t between two lags; and why not.

    Parameters
    ----------
    times : ndarray, shape (L,)
        Lags [time].
    curve : ndarray, shape (L,)
        As F_s.
    threshold : float

    Returns
    -------
    time : float
        NaN if the curve never falls so low, is lower at the first lag already, or passes the threshold between two
        lags that are more than half a decade apart.
    reason : str
        Empty if there is a time.
    """
    below = np.flatnonzero(curve <= threshold)
    if below.size == 0:
        lowest = np.nanmin(curve) if np.isfinite(curve).any() else np.nan
        return np.nan, f"falls to {lowest:.3g} only, not to {threshold:.3g}; simulate longer"
    k = int(below[0])
    if k == 0:
        return np.nan, f"is below {threshold:.3g} at the first lag {times[0]:.3g} already; write frames more often"
    if gap := _gap(times, k):
        return np.nan, f"falls to {threshold:.3g} {gap}"
    share = (curve[k - 1] - threshold) / (curve[k - 1] - curve[k])
    return float(np.exp(np.log(times[k - 1]) + share * np.log(times[k] / times[k - 1]))), ""


def reaching(times, msd, target: float) -> tuple[float, str]:
    """Return when the MSD first reaches a target, linear in ln t and ln MSD; and why not."""
    above = np.flatnonzero(msd >= target)
    if above.size == 0:
        highest = np.nanmax(msd) if np.isfinite(msd).any() else np.nan
        return np.nan, f"reaches {highest:.3g} only, not {target:g}; simulate longer"
    k = int(above[0])
    if k == 0:
        return np.nan, f"is {msd[0]:.3g} at the first lag {times[0]:.3g} already; write frames more often"
    if gap := _gap(times, k):
        return np.nan, f"reaches {target:g} {gap}"
    share = np.log(target / msd[k - 1]) / np.log(msd[k] / msd[k - 1])
    return float(np.exp(np.log(times[k - 1]) + share * np.log(times[k] / times[k - 1]))), ""


def _gap(times, k: int) -> str:
    # A curve is not known between lags that are far apart, whatever its ends are.
    if times[k] <= _GAP * times[k - 1]:
        return ""
    return (
        f"between the lags {times[k - 1]:.3g} and {times[k]:.3g}, too far apart to interpolate; "
        "lower min_origins, or write frames more often"
    )


def local_slope(times, msd, half_width: int = 2, decades: float = 0.15) -> np.ndarray:
    """Return d ln MSD / d ln t: the slope of a line through the lags around each; NaN near the ends.

    Parameters
    ----------
    times, msd : ndarray, shape (L,)
        [time], [length**2].
    half_width : int
        Least number of lags on either side.
    decades : float
        Those nearer than this are taken too, so that lags that lie close do not give noise.
    """
    slope = np.full(times.size, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = np.log10(times), np.log10(msd)
    first = np.minimum(np.searchsorted(x, x - decades), np.arange(times.size) - half_width)
    last = np.maximum(np.searchsorted(x, x + decades, side="right"), np.arange(times.size) + half_width + 1)
    for k in np.flatnonzero((first >= 0) & (last <= times.size) & (x - decades >= x[0]) & (x + decades <= x[-1])):
        part = slice(first[k], last[k])
        if np.isfinite(y[part]).all():
            dx = x[part] - x[part].mean()
            slope[k] = dx @ y[part] / (dx @ dx)
    return slope


def beta_time(times, msd, least: float = 0.0) -> tuple[float, str]:
    """Return tau_beta, the inflection of ln MSD in ln t: where its slope is least; NaN without a plateau.

    Parameters
    ----------
    times, msd : ndarray, shape (L,)
        [time], [length**2].
    least : float
        MSD that rounding of the positions makes [length**2].
    """
    if not np.nanmax(msd, initial=0.0) > least:
        return np.nan, f"is {np.nanmax(msd, initial=0.0):.1g} at most, rounding of positions: nothing moves"
    slope = local_slope(times, msd)
    if not np.isfinite(slope).any():
        return np.nan, "has fewer than 5 lags; write frames more often"
    k = int(np.nanargmin(slope))
    inside = np.flatnonzero(np.isfinite(slope))
    if slope[k] >= _PLATEAU:
        return np.nan, f"has no plateau: its least slope is {slope[k]:.2f}"
    if k in (inside[0], inside[-1]):
        return np.nan, "is flattest at an end of the lags, so its inflection is not seen; use more lags"
    for side, part, remedy in (
        ("before", slope[: k + 1], "write frames more often"),
        ("after", slope[k:], "simulate longer"),
    ):
        if np.nanmax(part) < slope[k] + _RISE:
            return np.nan, f"does not grow faster {side} it is flattest, so no inflection is seen; {remedy}"
    if not np.isfinite(slope[k - 1 : k + 2]).all():
        return np.nan, "is flattest beside a lag that is not known, so its inflection is not seen; use more lags"
    # The vertex of a parabola through the three lowest points, in ln t.
    x = np.log(times[k - 1 : k + 2])
    a, b, _ = np.polyfit(x - x[1], slope[k - 1 : k + 2], 2)
    shift = -b / (2.0 * a) if a > 0 else 0.0
    return float(np.exp(x[1] + np.clip(shift, x[0] - x[1], x[2] - x[1]))), ""


def decay_start(times, msd, tau_beta: float) -> float:
    """Return from where on a correlation function is in its final decay: tau_beta, or at least past what precedes it.

    Where the MSD is flattest at an end of the lags its inflection is not seen, but what is before the flattest lag is
    still the decay to the plateau; without a plateau all lags are in the final decay.
    """
    slope = local_slope(times, msd)
    if np.isfinite(tau_beta) or not np.isfinite(slope).any() or np.nanmin(slope) >= _PLATEAU:
        return float(tau_beta if np.isfinite(tau_beta) else times[0])
    return float(times[np.nanargmin(slope)])


def diffusion_window(times, msd, least: float, off: float = 0.05) -> tuple[slice | None, str]:
    """Return the longest stretch up to the last lag with an MSD of at least `least` that grows as t.

    Parameters
    ----------
    times, msd : ndarray, shape (L,)
        [time], [length**2].
    least : float
        [length**2].
    off : float
        By how much d ln MSD / d ln t may differ from 1.
    """
    start = np.flatnonzero(msd >= least)
    if start.size == 0 or times.size - start[0] < 3:
        return None, f"exceeds {least:.3g} at fewer than 3 lags; simulate longer"
    slope = np.nan
    for first in range(int(start[0]), times.size - 2):
        slope = np.polyfit(np.log(times[first:]), np.log(msd[first:]), 1)[0]
        if abs(slope - 1.0) <= off:
            return slice(first, times.size), ""
    return None, f"grows as t^{slope:.2f} at the longest lags, not as t; simulate longer"


def diffusion(times, msd, dimension: int, window: slice) -> tuple[float, float]:
    """Return D and c of ``MSD = 2 d D t + c`` by least squares of relative deviations [length**2 / time, length**2]."""
    t, y = times[window], msd[window]
    design = np.column_stack([np.ones(t.size), np.ones(t.size) / t])
    slope, offset = np.linalg.lstsq(design, y / t, rcond=None)[0]
    return float(slope / (2.0 * dimension)), float(offset)


def last_of_decay(curve) -> int:
    """Return the last entry of a curve before it falls to nothing, which is below 0.02."""
    low = curve < _KWW_FLOOR
    return (int(np.argmax(low)) if low.any() else curve.size) - 1


def of_decay(times, curve, start: float) -> np.ndarray:
    """Return which entries of a curve a stretched exponential is fitted to: from `start` on, before it is nothing."""
    return (np.arange(curve.size) <= last_of_decay(curve)) & (times >= start) & np.isfinite(curve)


def stretched_exponential(times, curve, start: float) -> tuple[tuple[float, float, float, float], str]:
    """Fit ``A exp(-(t/tau_0)**beta)`` to a curve from `start` on, while it is above 0.02.

    Returns
    -------
    values : tuple of float
        A, tau_0, beta and ``tau = (tau_0/beta) Gamma(1/beta)``; NaN where there is no fit. A is at most 1, which the
        curve is at t = 0: a late window alone can be fitted about as well by any larger A with a smaller beta.
    reason : str
        Empty if there is one.
    """
    nothing = (np.nan,) * 4
    chosen = of_decay(times, curve, start)
    if chosen.sum() < 5:
        return nothing, "has fewer than 5 lags in its final decay; write frames more often"
    t, y = times[chosen], curve[chosen]
    # In the logarithms of the three, which keeps them positive.
    guess = np.log([float(y[0]), float(np.interp(-y[0] / np.e, -y, t)), 0.8])

    def parts(x):
        # Steps far from the solution are tried too: e^-500 is nothing beside a curve, and e^500 as far off as more.
        beta = np.exp(np.clip(x[2], -50.0, 50.0))
        past = np.clip(beta * (np.log(t) - x[1]), -500.0, np.log(500.0))
        return np.exp(np.clip(x[0] - np.exp(past), -500.0, 500.0)), np.exp(past), past

    def slope(x):
        fit, power, past = parts(x)
        return np.column_stack([fit, fit * power * np.exp(np.clip(x[2], -50.0, 50.0)), -fit * power * past])

    result = least_squares(lambda x: parts(x)[0] - y, guess, jac=slope, method="lm")
    found, success = result.x, result.success
    if found[0] > 0.0 or not success:
        result = least_squares(
            lambda x: parts((0.0, *x))[0] - y, guess[1:], jac=lambda x: slope((0.0, *x))[:, 1:], method="lm"
        )
        found, success = np.array([0.0, *result.x]), result.success
    # Within these bounds nothing overflows, Gamma(1/beta) neither; no decay that is seen lies outside.
    if not success or not (np.abs(found) < 200.0).all() or not 0.05 < np.exp(found[2]) < 5.0:
        return nothing, "cannot be fitted by a stretched exponential"
    amplitude, tau_0, beta = np.exp(found)
    return (float(amplitude), float(tau_0), float(beta), float(tau_0 / beta * gamma(1.0 / beta))), ""
