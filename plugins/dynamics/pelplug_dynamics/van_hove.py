"""The self part of the van Hove function: how far particles have gone after a time."""

from __future__ import annotations

import numpy as np
from scipy.special import gamma

import pelplug
from pelplug_dynamics.correlate import displacement_histogram
from pelplug_dynamics.lags import frame_pairs

__all__ = ["check_van_hove", "van_hove"]


def check_van_hove(trajectory, frames, wanted) -> None:
    """Refuse times of the van Hove function beyond what some frames can show, before any work is done.

    Parameters
    ----------
    trajectory : Trajectory
    frames : ndarray of int
        The selected frames.
    wanted : sequence of float
        Times [time].
    """
    try:
        first, last = (trajectory.configuration(int(frames[k])) for k in (0, -1))
    except pelplug.PelplugError:  # the run says what cannot be read
        return
    if first.time is None or last.time is None:
        return
    whole, beyond = last.time - first.time, max(wanted)
    if beyond > 1.1 * whole:
        raise pelplug.InputError(
            f"The van Hove function at {beyond:g} is beyond the lags, which end at {whole:g}; give "
            "--van-hove-times below that."
        )


def van_hove(dataset, runs, samples, members, edges, wanted):
    """Return the dataset with G_s(r, t) of each kind, and its errors.

    Parameters
    ----------
    dataset : Dataset
        With the coordinates ``kind`` and ``lag_time``.
    runs : list of Run
        The trajectories.
    samples : Samples
        Over which errors are.
    members : dict of str to ndarray of int
        Particles of each species.
    edges : ndarray, shape (B + 1,)
        Of the bins of displacement [length].
    wanted : "auto" or sequence of float
        Times [time].
    """
    lag_times = dataset["lag_time"].values
    rows = _nearest_lags(lag_times, wanted)
    number = {**{kind: one.size for kind, one in members.items()}, "all": sum(one.size for one in members.values())}
    shells = _volume(edges, runs[0].array.shape[1])
    kinds = list(dataset["kind"].values)
    density, error = np.full((2, len(kinds), rows.size, edges.size - 1), np.nan)
    for k, row in enumerate(rows):
        counts, pairs = _by_sample(runs, samples, members, edges, row)
        jackknife = pelplug.Jackknife(len(pairs))
        for index, kind in enumerate(kinds):
            values = jackknife.means(counts[kind], pairs) / (number[kind] * shells)
            density[index, k] = values[0]
            # Displacements that one sample or two show have an error that nobody knows.
            seen = np.count_nonzero(counts[kind], axis=0) > 2
            error[index, k] = np.where(seen, samples.errors(jackknife, values, row), np.nan)
    dims = ("kind", "van_hove_time", "displacement")
    return dataset.assign(
        van_hove=(dims, density),
        van_hove_error=(dims, error),
        van_hove_samples=("van_hove_time", np.where(samples.known, samples.number, np.nan)[rows]),
    ).assign_coords(
        van_hove_time=("van_hove_time", lag_times[rows], {"units": "time", "long_name": "t"}),
        displacement=("displacement", 0.5 * (edges[1:] + edges[:-1]), {"units": "length", "long_name": "dr"}),
    )


def _by_sample(runs, samples, members, edges, row: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return counts of displacements over a lag, shape (S, B), of each kind and sample, and its pairs of frames."""
    blocks, bins = samples.blocks(row), edges.size - 1
    place = samples.places(blocks, np.array([row]))[0]
    counts = {kind: np.zeros((sum(blocks), bins)) for kind in members}
    number = np.zeros(sum(blocks))
    for run in runs:
        pairs = frame_pairs(run.ticks, run.lags[row : row + 1])
        sample = place[run.unit[pairs.first]]
        for k in np.unique(sample):
            first, second = pairs.first[sample == k], pairs.second[sample == k]
            number[k] += first.size
            for kind, particles in members.items():
                counts[kind][k] += displacement_histogram(run.array, particles, first, second, edges[-1], bins)
    return {**counts, "all": np.sum(list(counts.values()), axis=0)}, number


def _nearest_lags(lag_times: np.ndarray, wanted) -> np.ndarray:
    if wanted == "auto":
        wanted = np.geomspace(lag_times[0], lag_times[-1], 6)[1:-1]
    wanted = np.asarray(wanted, dtype=float)
    outside = wanted[(wanted < 0.9 * lag_times[0]) | (wanted > 1.1 * lag_times[-1])]
    if outside.size:
        raise pelplug.InputError(
            f"The van Hove function at {outside[0]:g} is beyond the lags, {lag_times[0]:g} to {lag_times[-1]:g}."
        )
    return np.unique([int(np.argmin(np.abs(np.log(lag_times / time)))) for time in wanted])


def _volume(edges: np.ndarray, dimension: int) -> np.ndarray:
    """Return the volumes between spheres."""
    unit = np.pi ** (dimension / 2.0) / gamma(dimension / 2.0 + 1.0)
    return unit * np.diff(edges**dimension)
