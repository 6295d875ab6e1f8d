"""Waiting times of metabasins: their distribution, persistence, and moments at each energy."""

from __future__ import annotations

import numpy as np

from pelplug_metabasins.moments import excess
from pelplug_metabasins.resampling import Samples, ratio

__all__ = ["moments_by_energy", "persistence", "survival_weights", "time_grid", "waiting_distribution"]


def time_grid(shortest: float, longest: float, per_decade: int) -> np.ndarray:
    """Return 0 and times equally spaced in the logarithm."""
    if not longest > shortest * (1.0 + 1e-9):  # times of frames are rounded
        return np.array([0.0, shortest])
    number = int(np.ceil(per_decade * np.log10(longest / shortest))) + 1
    return np.r_[0.0, np.geomspace(shortest, longest, max(number, 2))]


def survival_weights(waiting: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return for how many a complete metabasin stands, relative to a short one.

    Parameters
    ----------
    waiting : ndarray, shape (n,)
        Of complete metabasins [time].
    lengths : ndarray, shape (runs,)
        Of the runs [time].

    Notes
    -----
    One of waiting time tau lies whole in a stationary record of length L with a chance proportional to L - tau: of long
    ones more are cut by its ends.
    """
    return lengths.sum() / np.maximum(excess(lengths, waiting), 1e-3 * lengths.sum())


def waiting_distribution(
    waiting: np.ndarray, weight: np.ndarray, spacing: float | None, per_decade: int, samples: Samples, unit: np.ndarray
):
    """Probability density of waiting times in logarithmic bins.

    Parameters
    ----------
    waiting : ndarray, shape (n,)
        Waiting times of complete metabasins [time].
    weight : ndarray, shape (n,)
        For how many each stands.
    spacing : float or None
        Time between frames, of which waiting times are multiples; bins then have their edges half way between.
    per_decade : int
        Bins in a decade.
    samples : Samples
        Independent ones, for the errors.
    unit : ndarray of int, shape (n,)
        Sample of each complete metabasin.

    Returns
    -------
    edges, density, error : ndarray
        Shapes (bins + 1,), (bins,), (bins,).
    """
    scale = spacing or 1.0
    low, high = waiting.min() / scale, waiting.max() / scale
    if spacing:
        low, high = max(np.round(low) - 0.5, 0.5), np.round(high) + 0.5
    else:
        low, high = low / 1.001, high * 1.001
    edges = np.geomspace(low, high, max(int(np.ceil(per_decade * np.log10(high / low))), 1) + 1)
    if spacing:
        edges = np.unique(np.r_[np.floor(edges[:-1]) + 0.5, high])  # the last but one may come to the end
    edges *= scale
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, waiting, side="right") - 1, 0, bins - 1)
    counts = samples.histogram(place, bins, weight, unit)
    density = ratio(counts, counts.sum(axis=1, keepdims=True)) / np.diff(edges)
    return edges, density[0], samples.error(density)


def persistence(
    stay: np.ndarray, run: np.ndarray, times: np.ndarray, samples: Samples
) -> tuple[np.ndarray, np.ndarray]:
    """S0(t): chance that no metabasin is left within t of a time chosen at random.

    Parameters
    ----------
    stay : ndarray, shape (n,)
        What was seen of each metabasin, the unfinished ones included [time].
    run : ndarray of int, shape (n,)
        Run of each.
    times : ndarray, shape (m,)
        Shorter than the longest run [time].
    samples : Samples
        Independent ones, for the errors.

    Returns
    -------
    value, error : ndarray, shape (m,)

    Notes
    -----
    The mean over all t0 with t0 + t in the record, ``sum max(0, stay - t) / sum max(0, length of a run - t)``: exact,
    and without bias from the ends of the record.
    """
    lengths = np.bincount(run, stay)
    share = excess(lengths, times) / lengths.sum()
    total = samples.total(stay)
    left = np.stack([samples.total(np.maximum(stay - t, 0.0)) for t in times], axis=1)
    value = ratio(left, total[:, None] * share)
    return value[0], samples.error(value)


def moments_by_energy(
    energy: np.ndarray, waiting: np.ndarray, weight: np.ndarray, edges: np.ndarray, minimum: int
) -> dict[str, np.ndarray]:
    """Mean waiting time and broadening of the rates in bins of energy.

    Parameters
    ----------
    energy, waiting, weight : ndarray, shape (n,)
        Of complete metabasins [energy], [time], and for how many each stands.
    edges : ndarray, shape (bins + 1,)
        Of the bins [energy].
    minimum : int
        Fewest metabasins in a bin for which anything is said.

    Returns
    -------
    dict of str to ndarray
        ``metabasins_by_energy`` (a number), ``waiting_time_by_energy`` <tau(e)> [time], ``sigma_gamma_squared``
        ln(<tau^2(e)> / (2 <tau(e)>^2)) (Rehwald and Heuer, Eq. 3), ``longest`` share of <tau^2(e)>; shape (bins,).
        ``sigma_gamma_squared_mean``, mean over the bins, weighted by metabasins.
    """
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, energy, side="right") - 1, 0, bins - 1)
    number = np.bincount(place, minlength=bins)
    zeroth, first, second = (
        np.bincount(place, weight * power, minlength=bins) for power in (1.0, waiting, np.square(waiting))
    )
    longest = np.zeros(bins)
    np.maximum.at(longest, place, weight * np.square(waiting))
    enough = number >= minimum
    mean = np.where(enough, ratio(first, zeroth), np.nan)
    with np.errstate(invalid="ignore"):
        broadening = np.log(ratio(second, zeroth) / (2 * np.square(mean)))
    known = np.isfinite(broadening)
    overall = np.average(broadening[known], weights=number[known]) if known.any() else np.nan
    return {
        "metabasins_by_energy": number,
        "waiting_time_by_energy": mean,
        "sigma_gamma_squared": broadening,
        "longest": ratio(longest, second),
        "sigma_gamma_squared_mean": np.asarray(overall),
    }
