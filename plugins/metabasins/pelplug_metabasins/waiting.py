"""Waiting times of metabasins: their distribution, persistence, and moments at each energy."""

from __future__ import annotations

import numpy as np

from pelplug_metabasins.bootstrap import BlockBootstrap, ratio, spread

__all__ = ["moments_by_energy", "persistence", "time_grid", "waiting_distribution"]


def time_grid(shortest: float, longest: float, per_decade: int) -> np.ndarray:
    """Return 0 and times equally spaced in the logarithm."""
    if not longest > shortest * (1.0 + 1e-9):  # times of frames are rounded
        return np.array([0.0, shortest])
    number = int(np.ceil(per_decade * np.log10(longest / shortest))) + 1
    return np.r_[0.0, np.geomspace(shortest, longest, max(number, 2))]


def waiting_distribution(waiting: np.ndarray, spacing: float | None, per_decade: int, bootstrap: BlockBootstrap):
    """Probability density of waiting times in logarithmic bins.

    Parameters
    ----------
    waiting : ndarray, shape (n,)
        Waiting times of complete metabasins [time].
    spacing : float or None
        Time between frames, of which waiting times are multiples; bins then have their edges half way between.
    per_decade : int
        Bins in a decade.
    bootstrap : BlockBootstrap
        Draws for the errors.

    Returns
    -------
    edges, density, error : ndarray
        Shapes (bins + 1,), (bins,), (bins,).
    """
    unit = spacing or 1.0
    low, high = waiting.min() / unit, waiting.max() / unit
    if spacing:
        low, high = max(np.round(low) - 0.5, 0.5), np.round(high) + 0.5
    else:
        low, high = low / 1.001, high * 1.001
    edges = np.geomspace(low, high, max(int(np.ceil(per_decade * np.log10(high / low))), 1) + 1)
    if spacing:
        edges = np.unique(np.floor(edges[:-1]) + 0.5)
        edges = np.r_[edges, high]
    edges *= unit
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, waiting, side="right") - 1, 0, bins - 1)
    cell = bootstrap.block_of(len(waiting)) * bins + place
    counts = bootstrap.draw(np.bincount(cell, minlength=bootstrap.blocks * bins).reshape(bootstrap.blocks, bins))
    density = counts / counts.sum(axis=1, keepdims=True) / np.diff(edges)
    return edges, density[0], spread(density)


def persistence(stay: np.ndarray, times: np.ndarray, bootstrap: BlockBootstrap) -> tuple[np.ndarray, np.ndarray]:
    """S0(t): chance that no metabasin is left within t of a time chosen at random.

    Parameters
    ----------
    stay : ndarray, shape (n,)
        What was seen of each metabasin, the unfinished ones included [time].
    times : ndarray, shape (m,)
        Shorter than all of it together [time].
    bootstrap : BlockBootstrap
        Draws for the errors.

    Returns
    -------
    value, error : ndarray, shape (m,)

    Notes
    -----
    The mean over all t0 with t0 + t in the record, ``sum max(0, stay - t) / (total - t)``: exact, and without bias from
    the ends of the record.
    """
    total = bootstrap.sums(stay)
    value = np.stack([ratio(bootstrap.sums(np.maximum(stay - t, 0.0)), total - t) for t in times], axis=1)
    return value[0], spread(value)


def moments_by_energy(
    energy: np.ndarray, waiting: np.ndarray, edges: np.ndarray, minimum: int, bootstrap: BlockBootstrap
) -> dict[str, np.ndarray]:
    """Mean waiting time and broadening of the rates in bins of energy.

    Parameters
    ----------
    energy, waiting : ndarray, shape (n,)
        Of complete metabasins [energy], [time].
    edges : ndarray, shape (bins + 1,)
        Of the bins [energy].
    minimum : int
        Fewest metabasins in a bin for which anything is said.
    bootstrap : BlockBootstrap
        Draws for the errors.

    Returns
    -------
    dict of str to ndarray
        ``metabasins_by_energy`` (a number), ``waiting_time_by_energy`` <tau(e)> [time], ``sigma_gamma_squared``
        ln(<tau^2(e)> / (2 <tau(e)>^2)) (Rehwald and Heuer, Eq. 3), each but the first with ``_error``; shape (bins,).
        ``sigma_gamma_squared_mean`` and its error: mean over the bins, weighted by metabasins; scalars.
    """
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, energy, side="right") - 1, 0, bins - 1)
    cell = bootstrap.block_of(len(energy)) * bins + place
    shape = (bootstrap.blocks, bins)
    number, first, second = (
        bootstrap.draw(np.bincount(cell, weights, minlength=shape[0] * shape[1]).reshape(shape))
        for weights in (np.ones(len(energy)), waiting, np.square(waiting))
    )
    enough = number[0] >= minimum
    mean = np.where(enough, ratio(first, number), np.nan)
    with np.errstate(invalid="ignore"):
        broadening = np.log(ratio(second, number) / (2 * np.square(mean)))
    weight = np.where(np.isfinite(broadening), number, 0.0)
    overall = ratio((weight * np.where(weight > 0, broadening, 0.0)).sum(axis=1), weight.sum(axis=1))
    return {
        "metabasins_by_energy": number[0].astype(int),
        "waiting_time_by_energy": mean[0],
        "waiting_time_by_energy_error": spread(mean),
        "sigma_gamma_squared": broadening[0],
        "sigma_gamma_squared_error": spread(broadening),
        "sigma_gamma_squared_mean": overall[0],
        "sigma_gamma_squared_mean_error": spread(overall),
    }
