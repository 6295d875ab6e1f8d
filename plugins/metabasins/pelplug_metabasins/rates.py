"""Escape rate Gamma(e) of a metabasin of energy e, fitted to waiting times (Rehwald and Heuer, Eq. 1)."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_metabasins.resampling import Samples

__all__ = ["RateFit", "fit_rate"]

_FINE_BINS = 200
_CROSSOVERS = 40
_TAIL = 0.02


@dataclasses.dataclass(frozen=True)
class RateFit:
    """Fit of Gamma(e) = plateau * exp(slope * min(e - crossover, 0)).

    Attributes
    ----------
    plateau, slope, crossover : float
        Rate above the crossover [1 / time], d ln Gamma / d e below it [1 / energy], crossover e_c [energy]. Plateau
        and crossover are NaN if the waiting times do not show a crossover.
    plateau_error, slope_error, crossover_error : float
        Bootstrap errors.
    outcome : str
        What was fitted, or why nothing was.
    rows : ndarray, shape (3, 1 + R)
        ln plateau, slope and crossover of all metabasins and of each choice of them, whatever was found: one rate for
        all where the waiting times do not depend on the energy, and a crossover at the highest energy where they show
        none.
    """

    plateau: float = np.nan
    slope: float = np.nan
    crossover: float = np.nan
    plateau_error: float = np.nan
    slope_error: float = np.nan
    crossover_error: float = np.nan
    outcome: str = ""
    rows: np.ndarray | None = None

    def log_rate(self, energy: np.ndarray, row: int = 0) -> np.ndarray:
        """Return ln Gamma(e) of a choice of metabasins, by default of all."""
        plateau, slope, crossover = self.rows[:, row]
        return plateau + slope * np.minimum(energy - crossover, 0.0)


def fit_rate(energy: np.ndarray, waiting: np.ndarray, samples: Samples, ends: np.ndarray | None = None) -> RateFit:
    r"""Fit Eq. 1 of C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012).

    Parameters
    ----------
    energy : ndarray, shape (n,)
        Energy of each metabasin [energy].
    waiting : ndarray, shape (n,)
        Its waiting time, of an unfinished one what was seen of it [time].
    samples : Samples
        Independent ones, for the errors.
    ends : ndarray, shape (n,), optional
        Ends of it that were seen, as a share of the two; 1 by default.

    Returns
    -------
    RateFit

    Notes
    -----
    The rate is defined by :math:`\langle\tau(e)\rangle = 1 / \Gamma(e)`. What is maximised is
    :math:`\sum_i [\ln \Gamma(e_i) - \Gamma(e_i) \tau_i]`, the likelihood of exponential waiting times, whose
    maximum is a consistent estimate of a mean whatever the true distribution at given energy (C. Gourieroux,
    A. Monfort and A. Trognon, Econometrica 52, 681 (1984)); so the broadening of the rates does no harm, and the
    result does not depend on bins of energy. The errors come from blocks of metabasins and do not assume it either.
    An unfinished metabasin counts with the time seen of it, and as half of one: time at an energy over jumps there is
    :math:`\langle\tau(e)\rangle` in a stationary record of any length.
    The crossover is searched where at least 2 % of the metabasins are below and above it.
    """
    low, high = float(energy.min()), float(energy.max())
    ends = np.ones(len(energy)) if ends is None else ends
    rate = np.log(samples.total(ends) / samples.total(waiting))
    constant = np.stack([rate, np.zeros(len(rate)), np.full(len(rate), high)])
    if not high > low:
        return RateFit(outcome="none: all metabasins have the same energy", rows=constant)
    whole = waiting[ends == 1.0]
    if np.ptp(whole) <= 1e-9 * whole.max():  # times of frames are rounded
        return RateFit(outcome="none: all waiting times are the same", rows=constant)
    # Energies fine enough that nothing changes within a bin; sums over blocks in each.
    place = np.minimum(((energy - low) / (high - low) * _FINE_BINS).astype(int), _FINE_BINS - 1)
    here = np.bincount(place, minlength=_FINE_BINS)
    used = here > 0
    e = np.bincount(place, energy, minlength=_FINE_BINS)[used] / here[used]
    number, time = (samples.histogram(place, _FINE_BINS, one)[:, used] for one in (ends, waiting))
    grid = np.linspace(*np.quantile(energy, (_TAIL, 1 - _TAIL)), _CROSSOVERS)
    value, slope = [], None
    for c in grid:  # the slope changes little from one crossover to the next
        one, slope, _ = _profile(e, number, time, np.full(len(number), c), slope)
        value.append(one)
    value = np.stack(value)
    best = np.argmax(value, axis=0)
    inside = (best > 0) & (best < _CROSSOVERS - 1)
    if not inside[0] or inside.mean() < 2 / 3:
        if best[0] == 0:
            return RateFit(outcome="none: the mean waiting time does not depend on the energy", rows=constant)
        _, slope, log_plateau = _profile(e, number, time, np.full(len(number), high))
        return RateFit(
            slope=float(slope[0]),
            slope_error=float(samples.error(slope)),
            outcome="exponential only: the waiting times show no crossover energy",
            rows=np.stack([log_plateau, slope, np.full(len(slope), high)]),
        )
    crossover = grid[best]
    rows = np.flatnonzero(inside)
    before, at, after = (value[best[rows] + k, rows] for k in (-1, 0, 1))
    curvature = 2 * at - before - after
    shift = np.where(curvature > 0, (after - before) / (2 * np.where(curvature > 0, curvature, 1.0)), 0.0)
    crossover[rows] += shift * (grid[1] - grid[0])
    _, slope, log_plateau = _profile(e, number, time, crossover)
    if slope[0] <= 0:
        return RateFit(outcome="none: the mean waiting time does not fall with the energy", rows=constant)
    plateau = np.exp(log_plateau)
    return RateFit(
        *(float(one[0]) for one in (plateau, slope, crossover)),
        # Where few metabasins lie above the crossover it moves far in a few resamples: quantiles do not mind.
        *(float(np.ptp(samples.interval(one, pelplug.ONE_SIGMA)) / 2) for one in (plateau, slope, crossover)),
        outcome=f"{len(energy)} metabasins",
        rows=np.stack([log_plateau, slope, crossover]),
    )


def _profile(e: np.ndarray, number: np.ndarray, time: np.ndarray, crossover: np.ndarray, slope=None):
    """Greatest log-likelihood at given crossovers, with its slope and log plateau, each shape (draws,).

    With the plateau at its best, ``n / sum(time * exp(slope * x))``, what is left is concave in the slope.
    """
    x = np.minimum(e - crossover[:, None], 0.0)
    total, moment = number.sum(axis=1), (number * x).sum(axis=1)
    # No energy may lie below a crossover: the rate is then one constant, whatever the slope.
    width = np.maximum(-x.min(axis=1), 1e-6 * np.ptp(e))
    log_time = np.log(np.where(time > 0, time, 1.0))
    log_time[time <= 0] = -np.inf
    slope = np.zeros(len(x)) if slope is None else slope.copy()
    for _ in range(100):
        exponent = log_time + slope[:, None] * x
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        mean = (weight * x).sum(axis=1)
        variance = (weight * np.square(x - mean[:, None])).sum(axis=1)
        step = (moment / total - mean) / np.maximum(variance, 1e-12 * width**2)
        step = np.clip(step, -2.0 / width, 2.0 / width)
        slope += step
        if np.all(np.abs(step) * width < 1e-8):
            break
    exponent = log_time + slope[:, None] * x
    highest = exponent.max(axis=1)
    log_sum = highest + np.log(np.exp(exponent - highest[:, None]).sum(axis=1))
    log_plateau = np.log(total) - log_sum
    return slope * moment + total * (log_plateau - 1.0), slope, log_plateau
