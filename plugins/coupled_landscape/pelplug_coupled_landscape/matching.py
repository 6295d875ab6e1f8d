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
        q at the ratio less and plus its standard error, widened by the error of the model; NaN on a side where it goes
        beyond all that were simulated.
    reason : str
        Why there is no q, no error or no bound.
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
    q = np.asarray(q, dtype=float)
    curve = _Curve(q, np.reshape(slowdown, (-1, q.size)))
    error = ratio_error if np.isfinite(ratio_error) else 0.0
    down, up = ratio - error, ratio + error
    if ratio <= 1.0 and not (curve.x.size > 1 and up > curve.ends[0]):
        return Matched(reason=f"a ratio of {ratio:.4g} has no q: coupling makes the large system faster, never slower")
    if curve.x.size < 2:
        return Matched(
            reason="no q of the ratio is found between fewer than two couplings with errors; give more --q, or --events"
        )
    low, high = curve.ends
    reach = f"from {low:.4g} at q = {np.exp(curve.x[0]):.3g} to {high:.4g} at q = {np.exp(curve.x[-1]):.3g}"
    if down > high or up < low:
        last = "add smaller ones with --q" if ratio < low else "add larger ones with --q"
        if ratio > high and np.isclose(q[-1], 1.0):
            last = "no q of a probability gives more"
        return Matched(reason=f"a ratio of {ratio:.4g} has no q among those simulated, which reach {reach}; {last}")
    middle, own = curve.place(ratio), curve.error(min(max(ratio, low), high))
    value = float(np.exp(middle)) if low <= ratio <= high else np.nan
    if not np.isfinite(own):
        return Matched(value, reason="no error of q: fewer than three independent runs; raise --runs")
    if not np.isfinite(ratio_error):
        return Matched(value, reason="no error of q: that of the measured ratio is unknown; give --tau-ratio-error, "
                                     "and with --d-ratio --d-ratio-error")  # fmt: skip
    said = f"within its error a ratio of {ratio:.4g} +- {error:.2g}"
    if down < low and up > high:
        return Matched(
            reason=f"q is not determined: {said} goes with any of those simulated, which reach {reach}; give a ratio "
            "of more or longer runs of both sizes"
        )
    below, above = np.hypot(middle - curve.place(down), own), np.hypot(curve.place(up) - middle, own)
    interval = (float(np.exp(middle - below)), float(min(np.exp(middle + above), 1.0)))
    if up > high:
        why = f"q is above {interval[0]:.3g}, and no more is known of it: {said} goes beyond those simulated"
        return Matched(value, np.nan, (interval[0], np.nan), f"{why}, which reach {reach}")
    if down < low:
        why = f"q is below {interval[1]:.3g}, and no more is known of it: {said} goes below those simulated"
        return Matched(value, np.nan, (np.nan, interval[1]), f"{why}, which reach {reach}")
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
        target = np.log(ratio - 1.0) if ratio > 1.0 else -np.inf
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
