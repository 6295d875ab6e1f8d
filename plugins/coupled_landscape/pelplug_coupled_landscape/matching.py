"""The coupling at which the relaxation time falls by a measured ratio."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

import pelplug

__all__ = ["Matched", "match"]

WIDEST = 0.7  # of the error of ln q, beyond which only the interval is told


@dataclasses.dataclass(frozen=True)
class Matched:
    """The coupling that a measured ratio asks for.

    Attributes
    ----------
    q, error : float
        NaN with a reason.
    interval : tuple of float
        q at the ratio less and plus its standard error, widened by the error of the model.
    reason : str
        Why there is no q or no error.
    """

    q: float = np.nan
    error: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    reason: str = ""


def match(ratio: float, ratio_error: float, q, slowdown) -> Matched:
    """Return q at which tau_alpha(0) / tau_alpha(q) is a measured ratio, with the errors of both carried through.

    Parameters
    ----------
    ratio, ratio_error : float
        tau_alpha of the small over that of the large system, with its standard error (NaN: unknown).
    q : array_like, shape (K,)
        Couplings above 0 that were simulated, rising.
    slowdown : array_like, shape (runs, K)
        tau_alpha(0) / tau_alpha(q) of each independent run.

    Returns
    -------
    Matched

    Notes
    -----
    ln(tau_alpha(0)/tau_alpha(q) - 1) is nearly a line of slope 1/2 in ln q; between the couplings that were simulated
    it is interpolated by a monotone cubic.
    """
    if ratio <= 1.0:
        return Matched(reason=f"a ratio of {ratio:.4g} has no q: coupling makes the large system faster, never slower")
    q = np.asarray(q, dtype=float)
    curve = _Curve(q, np.reshape(slowdown, (-1, q.size)))
    if curve.x.size < 2:
        return Matched(
            reason="no q of the ratio is found between fewer than two couplings with errors; give more --q, or --events"
        )
    low, high = curve.ends
    if not low <= ratio <= high:
        last = "add smaller ones with --q" if ratio < low else "add larger ones with --q"
        if ratio > high and np.isclose(q[-1], 1.0):
            last = "no q of a probability gives more"
        what = f"from {low:.4g} at q = {np.exp(curve.x[0]):.3g} to {high:.4g} at q = {np.exp(curve.x[-1]):.3g}"
        return Matched(reason=f"a ratio of {ratio:.4g} has no q among those simulated, which reach {what}; {last}")
    middle, own = curve.place(ratio), curve.error(ratio)
    value = float(np.exp(middle))
    if not np.isfinite(own):
        return Matched(value, reason="no error of q: fewer than three independent runs; raise --runs")
    if not np.isfinite(ratio_error):
        return Matched(value, reason="no error of q: that of the measured ratio is unknown; give --tau-ratio-error, "
                                     "and with --d-ratio --d-ratio-error")  # fmt: skip
    down, up = ratio - ratio_error, ratio + ratio_error
    below = np.hypot(middle - curve.place(down), own) if down >= low else np.inf
    above = np.hypot(curve.place(up) - middle, own) if up <= high else np.inf
    interval = (float(np.exp(middle - below)), float(min(np.exp(middle + above), 1.0)))
    total = float(np.hypot(ratio_error * curve.slope(ratio), own))
    if max(total, below, above) > WIDEST:
        return Matched(value, np.nan, interval, "the error of the ratio is too wide for a standard error of q, which "
                                                "lies in matched_q_interval")  # fmt: skip
    return Matched(value, value * total, interval)


class _Curve:
    """ln(tau_alpha(0)/tau_alpha(q) - 1) over ln q, where it rises from one coupling to the next."""

    def __init__(self, q: np.ndarray, slowdown: np.ndarray):
        inverse = 1.0 / slowdown  # relaxation times, which are what is averaged
        mean, spread = 1.0 / inverse.mean(axis=0), pelplug.standard_error(inverse) / inverse.mean(axis=0)
        kept, last = [], 1.0
        for k, one in enumerate(mean):  # noise may put neighbours out of order
            if np.isfinite(one) and one > last:
                kept.append(k)
                last = one
        self.x, above = np.log(q[kept]), mean[kept] - 1.0
        self.y, self.spread = np.log(above), spread[kept] * mean[kept] / above
        self.ends = (float(mean[kept[0]]), float(mean[kept[-1]])) if kept else (np.nan, np.nan)

        self._line = PchipInterpolator(self.x, self.y) if len(kept) > 1 else None

    def place(self, ratio: float) -> float:
        """Return ln q at a ratio; at the nearer end where it lies beyond."""
        target = np.log(ratio - 1.0)
        if not self.y[0] < target < self.y[-1]:
            return float(self.x[0] if target <= self.y[0] else self.x[-1])
        return float(brentq(lambda at: self._line(at) - target, self.x[0], self.x[-1], xtol=1e-13))

    def slope(self, ratio: float) -> float:
        """Return d ln q / d ratio."""
        return 1.0 / (float(self._line(self.place(ratio), 1)) * (ratio - 1.0))

    def error(self, ratio: float) -> float:
        """Return the standard error of ln q that the runs of the model leave; NaN for fewer than three."""
        if not np.all(np.isfinite(self.spread)):
            return np.nan
        at, line, steps = self.place(ratio), self._line, 1e-4 * np.eye(self.x.size)
        # by how much the line moves there when one point does; runs at different couplings are independent
        moved = [float(PchipInterpolator(self.x, self.y + step)(at) - line(at)) / 1e-4 for step in steps]
        return float(np.linalg.norm(moved * self.spread) / line(at, 1))
