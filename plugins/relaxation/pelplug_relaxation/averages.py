"""Means over the frames of how far they are from their ends, and of how far apart displaced starts have gone."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_relaxation.fits import exponents, local_slope

__all__ = ["ERRORS", "average_amplification", "average_distance"]

ERRORS = (
    "mean_distance_to_end_error",
    "distance_exponent_error",
    "mean_log_amplification_error",
    "different_minima_error",
)


def average_distance(dataset, chosen: np.ndarray, unit: np.ndarray, resampling) -> tuple[dict, list[str]]:
    """Return mean, error, slope and exponent of the distance to the end, and why there are none.

    Parameters
    ----------
    dataset : Dataset
        With ``distance_to_end``.
    chosen : ndarray of bool, shape (K,)
        The window of the fits.
    unit : ndarray of int, shape (frames,)
        Independent sample of each frame.
    resampling : Bootstrap
        Of the samples.
    """
    if "distance_to_end" not in dataset:
        return {}, []
    distance, times = dataset["distance_to_end"].values, dataset["descent_time"].values
    if not np.all(np.isfinite(distance)):
        some = np.count_nonzero(~np.isfinite(distance).all(axis=1))
        return {}, [
            f"There is no mean distance to the end: {some} of {len(distance)} descents did not come to theirs; leave "
            "--no-to-minimum out."
        ]
    means = resampling.means(pelplug.unit_sums(distance, unit), pelplug.unit_sums(np.ones(len(distance)), unit))
    values = {
        "mean_distance_to_end": ("descent_time", means[0]),
        "mean_distance_to_end_error": ("descent_time", resampling.error(means)),
        "distance_slope": ("descent_time", local_slope(times, means[0])),
    }
    inside = chosen & np.all(distance > 0, axis=0)
    if np.count_nonzero(inside) >= 4:
        found = exponents(times[inside], means[:, inside])
        values |= {"distance_exponent": ((), found[0]), "distance_exponent_error": ((), resampling.error(found))}
    return values, []


def average_amplification(dataset, unit: np.ndarray, resampling) -> tuple[dict, list[str]]:
    """Return the mean of ln(amplification) and the share of starts that end in another minimum.

    Parameters
    ----------
    dataset, unit, resampling
        As for `average_distance`; the dataset with ``amplification``.
    """
    if "amplification" not in dataset:
        return {}, []
    grown = np.log(np.maximum(dataset["amplification"].values, np.finfo(float).tiny))
    counts = pelplug.unit_sums(np.ones(len(grown)), unit)
    means = resampling.means(pelplug.unit_sums(grown, unit), counts)
    other = resampling.means(pelplug.unit_sums(1.0 - dataset["same_minimum"].values, unit), counts)
    # Where all are alike no resample differs: that is no error of 0.
    error = resampling.error(other) if 0.0 < other[0] < 1.0 else np.nan
    values = {
        "mean_log_amplification": ("descent_time", means[0]),
        "mean_log_amplification_error": ("descent_time", resampling.error(means)),
        "different_minima": ((), other[0]),
        "different_minima_error": ((), error),
    }
    said = []
    if not 0.0 < other[0] < 1.0:
        share = "none" if other[0] == 0.0 else "all"
        said.append(
            f"There is no error of different_minima: {share} of the {len(grown)} displaced starts ended in "
            "another minimum, and a share of none or all has no scatter; analyse more frames, or take another size "
            "for --amplification."
        )
    return values, said
