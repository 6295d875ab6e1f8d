"""Which frames are independent of each other: runs, single inherent structures, or stretches of a trajectory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pelplug.tasks.statistics import (
    FEWEST_FOR_ERROR,
    FEWEST_FOR_INTERVAL,
    Resampling,
    block_of,
    state_errors,
    statistical_inefficiency,
)

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike

__all__ = [
    "average_frames",
    "bin_errors",
    "frame_sums",
    "independent_samples",
    "sample_histograms",
    "scatter_of_blocks",
    "too_few_samples",
    "unit_sums",
]

_SHORTEST_SERIES = 20  # fewer frames do not show whether successive ones are correlated
_FEWEST_EFFECTIVE = 10  # of a series worth fewer, its own correlation time is too short


def independent_samples(
    dataset: xr.Dataset, series: ArrayLike | None = None, of: str = "inherent structures"
) -> tuple[np.ndarray, str]:
    """Return to which independent sample each frame belongs, and what the samples are.

    Runs, where there are at least five. Else single frames; or, where `series` shows that successive ones are
    correlated, blocks of frames of one run, two to four times as long as its statistical inefficiency. A run whose
    frames are worth fewer than ten independent ones is one sample: it is too short to tell.

    Parameters
    ----------
    dataset : Dataset
        With the dimension ``frame``, and the coordinate ``run`` along it where there are several runs.
    series : array_like, shape (frames,), optional
        What is averaged, one number a frame, in the order of the frames; looked at from 20 frames on.
    of : str
        What frames are.

    Returns
    -------
    unit : ndarray of int, shape (frames,)
        Number of the sample, from 0.
    of : str
        For `Resampling.attributes`: ``"runs"``, ``"inherent structures"``, ``"blocks of 8 inherent structures"``.
    """
    frames = dataset.sizes["frame"]
    labels = dataset["run"].values if "run" in dataset.coords else np.zeros(frames, dtype=int)
    names, run = np.unique(labels, return_inverse=True)
    if names.size >= FEWEST_FOR_INTERVAL:
        return run, "runs"
    order = np.argsort(run, kind="stable")
    values = None if series is None else np.asarray(series, dtype=float)[order]
    length = 1 if values is None else _block_length(values)
    if length == 1:
        return np.arange(frames), of
    unit, first = np.empty(frames, dtype=int), 0
    for name in range(names.size):
        members = np.flatnonzero(run == name)
        blocks = max(1, members.size // length)
        unit[members] = first + block_of(members.size, blocks)
        first += blocks
    return unit, "runs" if first == names.size else f"blocks of {length} {of}"


def scatter_of_blocks(series: ArrayLike, unit: np.ndarray, of: str, power: int = 1) -> float:
    """Return the scatter of means over samples over what independent ones would have: 1 but for blocks of frames.

    Means over neighbouring blocks are alike: where correlation decays as an exponential, the standard deviation of
    means over blocks of length L is too small by ``sqrt(1 - g / (2 L))``, with g the statistical inefficiency, which is
    one n-th as long for n-th powers.

    Parameters
    ----------
    series : array_like, shape (frames,)
        What is correlated.
    unit, of
        As `independent_samples` gives them for it.
    power : int
        Highest power of the series in what is averaged: 2 for a variance.
    """
    if not of.startswith("blocks"):
        return 1.0
    array = np.asarray(series, dtype=float)
    shared = statistical_inefficiency(array) * (int(unit.max()) + 1) / array.size
    return math.sqrt(1.0 - min(shared / (2.0 * power), 0.5))


def unit_sums(values: ArrayLike, unit: np.ndarray) -> np.ndarray:
    """Return sums over the entries of each independent sample.

    Parameters
    ----------
    values : array_like, shape (K, ...)
        One entry for each frame.
    unit : ndarray of int, shape (K,)
        Sample of each, as `independent_samples` gives them.

    Returns
    -------
    ndarray, shape (samples, ...)
    """
    array = np.asarray(values, dtype=float)
    sums = np.zeros((int(unit.max()) + 1, *array.shape[1:]))
    np.add.at(sums, unit, array)
    return sums


def frame_sums(dataset: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return sums over the entries that each frame has of a ragged variable, as ``kappa_ij``, and their numbers.

    Parameters
    ----------
    dataset : Dataset
        With the variable, ``frame``, and the coordinate ``<dimension>_frame`` of the frame of each entry.
    name : str
        The variable, of one dimension.

    Returns
    -------
    sums, counts : ndarray, shape (frames,)
    """
    (entry,) = dataset[name].dims
    frame = np.searchsorted(dataset["frame"].values, dataset[f"{entry}_frame"].values)
    frames = dataset.sizes["frame"]
    return np.bincount(frame, dataset[name].values, minlength=frames), np.bincount(frame, minlength=frames)


def average_frames(
    dataset: xr.Dataset, sources: Mapping[str, xr.DataArray], unit: np.ndarray, of: str, resampling: Resampling
) -> xr.Dataset:
    """Add means over all frames and their standard errors, over independent samples.

    Parameters
    ----------
    dataset : Dataset
        Changed: it gets each name of `sources`, and ``<name>_error`` with its attributes.
    sources : dict of str to DataArray
        What each mean is of, the dimension ``frame`` first; frames where it is NaN are left out.
    unit : ndarray of int, shape (frames,)
        Sample of each frame; with `of` as `independent_samples` gives them.
    of : str
        What the samples are.
    resampling : Resampling
        Of as many samples.

    Returns
    -------
    Dataset
        The same.
    """
    for name, source in sources.items():
        values = np.asarray(source.values, dtype=float)
        known = np.isfinite(values)
        counts = unit_sums(known, unit)
        means = resampling.means(unit_sums(np.where(known, values, 0.0), unit), counts)
        dataset[name] = (source.dims[1:], means[0])
        dataset[f"{name}_error"] = (source.dims[1:], resampling.error(means, np.count_nonzero(counts, axis=0)))
    return state_errors(dataset, [f"{name}_error" for name in sources], resampling.attributes(of))


def sample_histograms(
    values: ArrayLike, sample: np.ndarray, edges: ArrayLike, samples: int | None = None
) -> np.ndarray:
    """Return how many values each independent sample has in each bin, as `numpy.histogram` counts them.

    Parameters
    ----------
    values : array_like, shape (values,)
        Pairs, modes, ... of all samples.
    sample : ndarray of int, shape (values,)
        Sample of each.
    edges : array_like, shape (bins + 1,)
        Ascending; values outside are left out.
    samples : int, optional
        How many there are, where the last may have no value.

    Returns
    -------
    ndarray, shape (samples, bins)
    """
    array, edges = np.asarray(values, dtype=float), np.asarray(edges, dtype=float)
    place = np.searchsorted(edges, array, side="right") - 1
    place[array == edges[-1]] = len(edges) - 2
    inside = (place >= 0) & (place < len(edges) - 1)
    counts = np.zeros((int(sample.max()) + 1 if samples is None else samples, len(edges) - 1))
    np.add.at(counts, (sample[inside], place[inside]), 1.0)
    return counts


def bin_errors(
    densities: np.ndarray, counts: np.ndarray, resampling: Resampling, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return errors and intervals of the bins of a histogram.

    Parameters
    ----------
    densities : ndarray, shape (1 + R, bins)
        Of all samples, and of the resamples.
    counts : ndarray, shape (samples, bins)
        As `sample_histograms` gives them: what fewer than three samples have no error, fewer than five no interval.
    resampling : Resampling
        Of the samples.
    confidence : float
        Probability inside the interval.

    Returns
    -------
    error : ndarray, shape (bins,)
        Standard error.
    interval : ndarray, shape (2, bins)
        Lower and upper bound.
    """
    filled = np.count_nonzero(counts, axis=0)
    error = np.where(filled >= FEWEST_FOR_ERROR, resampling.error(densities), np.nan)
    interval = resampling.interval(densities, confidence, positive=True)
    return error, np.where(filled >= FEWEST_FOR_INTERVAL, np.maximum(interval, 0.0), np.nan)


def too_few_samples(analysis: str, samples: int, of: str) -> list[str]:
    """Return what to say, and to do, where samples are too few for errors or intervals; nothing where they are not.

    Parameters
    ----------
    analysis : str
        Name of the analysis.
    samples : int
        How many there are.
    of : str
        What they are.

    Returns
    -------
    list of str
        None or one sentence, for the attribute ``not_found``.
    """
    if samples >= FEWEST_FOR_INTERVAL:
        return []
    what = "intervals" if samples >= FEWEST_FOR_ERROR else "errors and intervals"
    said = f"one of the {of}" if samples == 1 else f"{samples} {of}"
    return [
        f"No {what}: {said} cannot tell them; analyse {FEWEST_FOR_INTERVAL} or more independent runs together: "
        f"pelplug analyze --plugin {analysis} run-*.gsd"
    ]


def _block_length(series: np.ndarray) -> int:
    """Return how many successive entries make an independent sample: 1 where they look uncorrelated."""
    known = series[np.isfinite(series)]
    n = known.size
    if n < _SHORTEST_SERIES:
        return 1
    moved = known - known.mean()
    power = moved @ moved
    # The mean of the series takes 1/n off each correlation; those of noise scatter by 1/sqrt(n).
    if power > 0 and moved[1:] @ moved[:-1] / power + 1.0 / n < n**-0.5:
        return 1
    inefficiency = statistical_inefficiency(known)
    if n < _FEWEST_EFFECTIVE * inefficiency:
        return n
    return math.ceil(min(4.0 * inefficiency, max(2.0 * inefficiency, n / 10.0)) - 1e-9)
