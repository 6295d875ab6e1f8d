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


def van_hove(dataset, runs, members, edges, wanted, n: int, dimension: int):
    """Return the dataset with G_s(r, t) of each kind.

    Parameters
    ----------
    dataset : Dataset
        With the coordinates ``kind`` and ``lag_time``.
    runs : list of Run
        The trajectories.
    members : dict of str to ndarray of int
        Particles of each species.
    edges : ndarray, shape (B + 1,)
        Of the bins of displacement [length].
    wanted : "auto" or sequence of float
        Times [time].
    n, dimension : int
        N and d.
    """
    lag_times, lags = dataset["lag_time"].values, runs[0].lags
    rows = _nearest_lags(lag_times, wanted)
    bins, pairs_at = edges.size - 1, np.zeros(rows.size)
    counts = {kind: np.zeros((rows.size, bins)) for kind in dataset["kind"].values}
    for run in runs:
        pairs = frame_pairs(run.ticks, lags[rows])
        pairs_at += np.bincount(pairs.lag, minlength=rows.size)
        for kind, particles in members.items():
            for k in range(rows.size):
                first, second = pairs.first[pairs.lag == k], pairs.second[pairs.lag == k]
                counts[kind][k] += displacement_histogram(run.array, particles, first, second, edges[-1], bins)
    if "all" in counts:
        counts["all"] = sum(counts[kind] for kind in members)
    shells = _volume(edges, dimension)
    number = {**{kind: one.size for kind, one in members.items()}, "all": n}
    density = [counts[kind] / (number[kind] * pairs_at[:, None] * shells) for kind in counts]
    return dataset.assign(van_hove=(("kind", "van_hove_time", "displacement"), np.array(density))).assign_coords(
        van_hove_time=("van_hove_time", lag_times[rows], {"units": "time", "long_name": "t"}),
        displacement=("displacement", 0.5 * (edges[1:] + edges[:-1]), {"units": "length", "long_name": "dr"}),
    )


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
