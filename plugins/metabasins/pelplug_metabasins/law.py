"""The law of waiting times behind a list of metabasins: how their energies lie, Gamma(e), and its broadening."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug_metabasins.broadening import BINS, bin_of, fit_broadening
from pelplug_metabasins.rates import RateFit
from pelplug_metabasins.resampling import Samples

__all__ = ["Law", "fit_law"]

_GRID = np.linspace(-10.0, 10.0, 401)
"""Energies of the integrals, in standard deviations of the metabasins' from their mean."""
_UNLIKE = 1.5
"""Distance of two cumulative distributions times the root of the number, rarely as large (Kolmogorov, Lilliefors)."""
_FEW = 3
"""Waiting times of so many frames or fewer are only known to be short."""


@dataclasses.dataclass(frozen=True)
class Law:
    """Law of waiting times of all metabasins, first, and of each choice of them.

    Attributes
    ----------
    energy : ndarray, shape (m,)
        Grid [energy].
    share : ndarray, shape (1 + R, m)
        Chance that a metabasin has this energy; Gaussian, or such that the time spent at it is, by
        likelihood; as found, if it is neither.
    log_rate : ndarray, shape (1 + R, m)
        ln Gamma(e), the inverse of the mean waiting time.
    broadening : ndarray, shape (1 + R,)
        sigma_gamma**2.
    """

    energy: np.ndarray
    share: np.ndarray
    log_rate: np.ndarray
    broadening: np.ndarray

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return <tau> [time] and <tau^2> [time**2], shape (1 + R,) each."""
        with np.errstate(over="ignore"):  # a choice of few metabasins may have any slope
            mean = (self.share * np.exp(-self.log_rate)).sum(axis=1)
            square = (self.share * np.exp(-2.0 * self.log_rate)).sum(axis=1)
            return mean, 2.0 * np.exp(self.broadening) * square

    def unseen(self, lowest: float) -> float:
        """Return the share of <tau^2> that lies below some energy."""
        part = self.share[0] * np.exp(-2.0 * self.log_rate[0])
        return float(part[self.energy < lowest].sum() / part.sum())

    def draw(self, row: int, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return energies and waiting times of so many metabasins."""
        width = self.energy[1] - self.energy[0]
        heap = np.cumsum(self.share[row])
        energy = np.interp(rng.random(number), heap, self.energy + width / 2)
        sigma = np.sqrt(self.broadening[row])
        log_rate = np.interp(energy, self.energy, self.log_rate[row])
        log_rate = log_rate + sigma * rng.normal(size=number) + sigma**2 / 2
        return energy, rng.exponential(size=number) * np.exp(-log_rate)


def fit_law(
    energy: np.ndarray, waiting: np.ndarray, ends: np.ndarray, rate: RateFit, spacing: float | None, samples: Samples
) -> Law:
    """Fit how energies lie and how broad the rates are; the rate itself is fitted already.

    Parameters
    ----------
    energy, waiting, ends : ndarray, shape (n,)
        As for `fit_rate`.
    rate : RateFit
        What it found.
    spacing : float or None
        Time between frames, of which waiting times are multiples [time].
    samples : Samples
        The same as for the rate.
    """
    centre, width = energy.mean(), max(float(energy.std()), 1e-9)
    grid = centre + width * _GRID
    plateau, slope, crossover = (one[:, None] for one in rate.rows)
    log_rate = plateau + slope * np.minimum(grid - crossover, 0.0)
    share = _energies((energy - centre) / width, ends, log_rate - plateau, samples)
    return Law(grid, share, log_rate, _broadening(energy, waiting, ends, rate, spacing, samples))


def _energies(x: np.ndarray, ends: np.ndarray, base: np.ndarray, samples: Samples) -> np.ndarray:
    """Return the share of each energy of the grid, for each choice of metabasins.

    Two laws with two parameters each: a Gaussian, and a Gaussian times Gamma(e), with which the time spent is
    Gaussian. Both are exponential families, whose most likely member has the mean and the mean square that were found.
    Energies that are like neither are taken as they are.
    """
    sums = samples.total(np.stack([ends, ends * x, ends * np.square(x)], axis=1))
    first, second = sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]
    place = np.clip(np.round((x - _GRID[0]) / (_GRID[1] - _GRID[0])).astype(int), 0, len(_GRID) - 1)
    found = samples.histogram(place, len(_GRID), ends)
    found /= found.sum(axis=1, keepdims=True)
    law = _family(first, second, np.zeros_like(base))
    if np.ptp(base[0]) > 0.0:
        tilted = _family(first, second, base)
        likelihood = [(found * np.log(np.maximum(one, 1e-300))).sum(axis=1) for one in (law, tilted)]
        law = np.where((likelihood[0] >= likelihood[1])[:, None], law, tilted)
    apart = np.abs(np.cumsum(found[0] - law[0])).max()
    return law if apart < _UNLIKE / np.sqrt(len(x)) else found


def _family(first: np.ndarray, second: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return exp(base + a x + b x^2), normalised, with given <x> and <x^2>, each shape (1 + R,)."""
    variance = np.maximum(second - np.square(first), 1e-6)
    a, b = first / variance, -0.5 / variance
    share = np.empty_like(base)
    for _ in range(50):
        exponent = base + a[:, None] * _GRID + b[:, None] * np.square(_GRID)
        share = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        m = [(share * _GRID**k).sum(axis=1) for k in range(5)]
        xx, xy, yy = m[2] - m[1] ** 2, m[3] - m[1] * m[2], m[4] - m[2] ** 2
        off = first - m[1], second - m[2]
        determinant = np.maximum(xx * yy - xy**2, 1e-12)
        da, db = (yy * off[0] - xy * off[1]) / determinant, (xx * off[1] - xy * off[0]) / determinant
        slower = np.minimum(1.0, 0.5 * np.abs(b) / np.maximum(np.abs(db), 1e-300))  # the curvature keeps its sign
        a, b = a + slower * da, b + slower * db
        if np.all(np.abs(off[0]) + np.abs(off[1]) < 1e-9):
            break
    return share


def _broadening(energy, waiting, ends, rate: RateFit, spacing: float | None, samples: Samples) -> np.ndarray:
    short = waiting <= _FEW * (spacing or 0.0) * (1.0 + 1e-6)
    kinds = (ends == 1.0) & ~short, (ends == 1.0) & short, ends < 1.0
    shown = np.where(kinds[1], (_FEW + 0.5) * (spacing or 0.0), waiting)
    counts = np.zeros((3, len(samples.weights) + 1, BINS))
    weights = np.concatenate([np.ones((1, samples.samples)), samples.weights])
    for row, weight in enumerate(weights):
        place = bin_of(shown * np.exp(rate.log_rate(energy, row)))
        for kind, chosen in enumerate(kinds):
            counts[kind, row] = np.bincount(place[chosen], weight[samples.unit[chosen]], minlength=BINS)
    return fit_broadening(*counts)
