"""Which frames are independent of each other: runs, single inherent structures, or stretches of a trajectory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pelplug.tasks.statistics import FEWEST_FOR_INTERVAL, block_of, statistical_inefficiency

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike

__all__ = ["independent_samples", "unit_sums"]

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
