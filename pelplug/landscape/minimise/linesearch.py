"""Line search on energies and projected forces, for conjugate gradients and limited-memory BFGS."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from pelplug.core.parameters import Param
from pelplug.execution.compile import kernel
from pelplug.landscape.descent.trace import ENERGY_NOISE, Descent, Point

__all__ = ["Decrease", "SlopeRatio", "project", "search", "trial_step"]

_MAX_TRIALS = 40
_FAST = {"reassoc", "contract", "nsz"}

Decrease = Annotated[
    float,
    Param("part of the predicted energy decrease that a step must give", exclusive_minimum=0.0, exclusive_maximum=0.5),
]
SlopeRatio = Annotated[
    float,
    Param("how far a line search goes: final over first projected force", exclusive_minimum=0.0, exclusive_maximum=1.0),
]


@kernel(fastmath=_FAST)
def project(f, direction):
    """Return the maximum force (NaN if a force is not finite), the slope -F.direction, and the largest |direction|."""
    total = 0.0
    slope = 0.0
    max_force = 0.0
    longest = 0.0
    for k in range(f.size):
        total += f[k] * f[k]
        slope -= f[k] * direction[k]
        max_force = max(max_force, abs(f[k]))
        longest = max(longest, abs(direction[k]))
    if not total < np.inf:
        return np.nan, np.nan, longest
    return max_force, slope, longest


@kernel
def _move(origin, direction, step, out):
    for k in range(origin.size):
        out[k] = origin[k] + step * direction[k]


def trial_step(descent: Descent, origin: Point, spare: Point, direction: np.ndarray, slope: float, limit: float):
    """Return a step towards the minimum along ``direction``, from the curvature over a thousandth of ``limit``."""
    probe = 1e-3 * limit
    _move(origin.x, direction, probe, spare.x)
    descent.evaluate(spare)
    curvature = (project(spare.f, direction)[1] - slope) / probe
    if not math.isfinite(curvature):
        return probe
    return min(-slope / curvature, limit) if curvature > 0 else limit


def search(
    descent: Descent,
    origin: Point,
    spare: Point,
    direction: np.ndarray,
    slope: float,
    step: float,
    limit: float,
    decrease: float,
    slope_ratio: float,
):
    """Find a step along ``direction`` that lowers the energy and flattens the slope; ``spare`` ends there.

    A trial is good if the energy went down by ``decrease * step * |slope|``. Where that is less than the rounding of
    the energy, the slope, which is exact to more digits, decides (the approximate Wolfe condition of Hager and Zhang).
    A good trial is accepted if its slope is below ``slope_ratio * |slope|`` in size, or if it is the longest allowed
    step.

    Parameters
    ----------
    descent : Descent
        Evaluates trials.
    origin, spare : Point
        Start and memory for trials.
    direction : ndarray, shape (N * d,)
        Direction with ``slope < 0``.
    slope : float
        -F.direction at the origin.
    step, limit : float
        First trial and longest allowed step, in units of ``direction``.
    decrease, slope_ratio : float
        Wolfe parameters, 0 < decrease < slope_ratio < 1.

    Returns
    -------
    tuple of float or None
        Step, and maximum force there; None if no step was found.

    Raises
    ------
    Stopped
        If the evaluations are used up.

    References
    ----------
    Hager and Zhang, SIAM J. Optim. 16, 170 (2005), Sec. 4.
    """
    energy = origin.energy
    noise = ENERGY_NOISE * abs(energy)
    low, low_slope = 0.0, slope
    high, high_slope = math.inf, math.nan
    step = min(step, limit)
    for _ in range(_MAX_TRIALS):
        _move(origin.x, direction, step, spare.x)
        change = descent.evaluate(spare) - energy
        max_force, new_slope, _ = project(spare.f, direction)
        finite = math.isfinite(change) and math.isfinite(new_slope)
        good = finite and (
            change <= decrease * step * slope or (change <= noise and new_slope <= (2.0 * decrease - 1.0) * slope)
        )
        if good and (abs(new_slope) <= -slope_ratio * slope or (new_slope < 0.0 and step >= limit)):
            return step, max_force
        if good and new_slope < 0.0:
            secant = _secant(low, low_slope, step, new_slope)
            low, low_slope = step, new_slope
            if math.isinf(high):
                step = min(max(secant, 1.2 * step) if secant > step else 4.0 * step, 4.0 * step, limit)
                continue
        else:
            high, high_slope = step, new_slope if finite else math.nan
            # A slope that is still downhill at a point too high in energy says nothing about where the minimum is:
            # the parabola through both energies does.
            if low == 0.0 and finite and not high_slope > 0.0 and change > slope * step:
                secant = -0.5 * slope * step * step / (change - slope * step)
            else:
                secant = _secant(low, low_slope, high, high_slope)
        width = high - low
        if width <= 1e-14 * high:
            return None
        step = min(max(secant, low + 0.05 * width), high - 0.05 * width) if math.isfinite(secant) else low + 0.1 * width
    return None


def _secant(a: float, slope_a: float, b: float, slope_b: float) -> float:
    difference = slope_b - slope_a
    return a - slope_a * (b - a) / difference if math.isfinite(difference) and difference != 0.0 else math.nan
