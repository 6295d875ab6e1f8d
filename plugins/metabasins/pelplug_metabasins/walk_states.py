"""The density of metabasins G(e) from all temperatures: its Gaussian, its cutoff, and by reweighting."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import special

__all__ = ["Cutoff", "fit_cutoff", "fit_gaussian", "reweighted"]

_NODES = 600
_QUANTILES = special.ndtr([1.0, 0.0, -1.0])  # lower bound, median, upper bound of the cutoff


def fit_gaussian(
    beta: np.ndarray, sums: np.ndarray, log_rate, cutoff: float, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return e_0 and sigma of greatest likelihood, shape (1 + R,) each.

    A metabasin is entered with ``G(e) exp(-beta e) Gamma(e)``, of which G is a Gaussian above a cutoff: an exponential
    family, whose most likely member has the mean energy and mean square that were found, over all temperatures.

    Parameters
    ----------
    beta : ndarray, shape (J,)
        [1 / energy]
    sums : ndarray, shape (J, 1 + R, 3)
        Jumps, and sums over them of the energy and its square.
    log_rate : callable
        ln Gamma at energies, shape (J, 1 + R, energies).
    cutoff : float
        e_cut; -inf for none [energy].
    low, high : float
        Of the energies that were seen.
    """
    span = high - low
    grid = np.linspace(max(cutoff, low - span), high + span, _NODES)
    weight = np.full(grid.size, grid[1] - grid[0])
    weight[[0, -1]] *= 0.5
    number, first, second = np.moveaxis(sums, -1, 0)
    middle, scale = first[:, 0].sum() / number[:, 0].sum(), span / 6.0
    x = (grid - middle) / scale
    base = log_rate(grid) - beta[:, None, None] * (grid - middle) + np.log(weight)
    wanted = np.stack([(first - middle * number) / scale,
                       (second - 2.0 * middle * first + middle**2 * number) / scale**2])  # fmt: skip
    wanted = wanted.sum(axis=1)  # over temperatures, shape (2, 1 + R)
    start = scale * np.average(beta, weights=number[:, 0])  # which takes off the Boltzmann factor
    theta = np.stack([np.full(number.shape[1], start), np.full(number.shape[1], -0.5)])
    powers = np.stack([x**k for k in range(5)], axis=1)
    for _ in range(200):
        log = base + theta[0][:, None] * x + theta[1][:, None] * x**2
        share = np.exp(log - log.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        m = np.moveaxis(share @ powers, -1, 0)
        off = wanted - np.stack([(number * m[1]).sum(axis=0), (number * m[2]).sum(axis=0)])
        xx, xy, yy = ((number * one).sum(axis=0) for one in (m[2] - m[1] ** 2, m[3] - m[1] * m[2], m[4] - m[2] ** 2))
        determinant = np.maximum(xx * yy - xy**2, 1e-12 * xx * yy)
        step = np.stack([(yy * off[0] - xy * off[1]) / determinant, (xx * off[1] - xy * off[0]) / determinant])
        slower = np.minimum(1.0, 0.5 * np.abs(theta[1]) / np.maximum(np.abs(step[1]), 1e-300))
        slower = np.minimum(slower, 2.0 / np.maximum(np.abs(step[0]), 1e-300))
        theta = theta + slower * step
        if np.abs(step).max() < 1e-9:
            break
    variance = -0.5 / theta[1]
    return middle + scale * theta[0] * variance, scale * np.sqrt(variance)


@dataclasses.dataclass(frozen=True)
class Cutoff:
    """The lower end of G(e), of which the lowest energy found is an estimate that lies above it.

    Attributes
    ----------
    lowest : float
        Lowest energy [energy].
    value, lower, upper : float
        Cutoffs with which the lowest of as many metabasins lies below that in half of all records, in 84 and in 16 of
        100; -inf where it would without any cutoff too [energy].
    bias : float
        One over the density of jumps at the lowest energy: how far that lies above a cutoff, without bias over records
        [energy].
    energy, chance : ndarray
        Cutoffs up to the lowest energy, and with each the chance that the lowest lies below that found.
    """

    lowest: float
    value: float
    lower: float
    upper: float
    bias: float
    energy: np.ndarray
    chance: np.ndarray

    def quantile(self, share: np.ndarray) -> np.ndarray:
        """Return the cutoffs with which the lowest energy is lower than that found in such shares of all records."""
        found = np.interp(-np.asarray(share), -self.chance, self.energy)
        return np.where(np.asarray(share) <= self.chance[0], found, -np.inf)


def fit_cutoff(
    beta: np.ndarray, number: np.ndarray, log_rate, centre: float, sigma: float, low: float, high: float
) -> Cutoff:
    """Return the cutoff, from how low the lowest of independent metabasins should lie.

    With S(e) the chance that all lie above e, the lowest lies ``integral of S(e) de`` above the cutoff on average. As
    it lies at e with the density ``-dS/de``, the mean of ``S / (-dS/de)`` there, `bias`, is the same.

    Parameters
    ----------
    beta, number : ndarray, shape (J,)
        1 / (k_B T) [1 / energy]; jumps.
    log_rate : callable
        ln Gamma at energies, shape (J, energies).
    centre, sigma : float
        Of the Gaussian [energy].
    low, high : float
        Of the energies that were seen.
    """
    span = high - low
    grid = np.linspace(low - 2.0 * span, high + span, 32 * _NODES)
    log = log_rate(grid) - beta[:, None] * grid - 0.5 * ((grid - centre) / sigma) ** 2
    share = np.exp(log - log.max(axis=1, keepdims=True))
    above = np.cumsum(share[:, ::-1], axis=1)[:, ::-1]  # of the densities from each energy on
    place = int(np.searchsorted(grid, low))
    with np.errstate(divide="ignore"):
        kept = np.log(above[:, place, None] / above[:, : place + 1])  # of one that it lies above the lowest
    chance = 1.0 - np.exp((number[:, None] * kept).sum(axis=0))  # that the lowest lies below, by the cutoff
    lower, value, upper = (
        float(np.interp(-one, -chance, grid[: place + 1])) if chance[0] >= one else -np.inf for one in _QUANTILES
    )
    density = share[:, place] / above[:, place] / (grid[1] - grid[0])
    bias = float(1.0 / (number * density).sum())
    return Cutoff(low, value, lower, upper, bias, grid[: place + 1], chance)


def reweighted(
    beta: np.ndarray, energy: np.ndarray, histogram: np.ndarray, size: np.ndarray, width: float
) -> np.ndarray:
    """Return G(e) by reweighting the time spent with exp(beta e), normalised, shape (1 + R, bins) [1 / energy].

    Multiple histograms (Ferrenberg and Swendsen 1989), iterated until the partition sums agree.

    Parameters
    ----------
    beta : ndarray, shape (J,)
        [1 / energy]
    energy : ndarray, shape (bins,)
        Centres of the bins.
    histogram : ndarray, shape (J, 1 + R, bins)
        Share of the time.
    size : ndarray, shape (J,)
        How much each temperature counts.
    width : float
        Of the bins [energy].
    """
    boltzmann = -beta[:, None] * (energy - energy.mean())
    with np.errstate(divide="ignore"):
        counts = np.log(np.einsum("j,jrk->rk", size, histogram))
    log_z = np.repeat(boltzmann.max(axis=1)[:, None], histogram.shape[1], axis=1)
    for _ in range(5000):
        below = np.logaddexp.reduce(np.log(size)[:, None, None] + boltzmann[:, None] - log_z[..., None], axis=0)
        log_g = counts - below
        new = np.logaddexp.reduce(log_g + boltzmann[:, None], axis=-1)
        new -= new[0] - log_z[0]
        change, log_z = np.abs(new - log_z).max(), new
        if change < 1e-6:
            break
    return np.exp(log_g - np.logaddexp.reduce(log_g, axis=-1, keepdims=True)) / width
