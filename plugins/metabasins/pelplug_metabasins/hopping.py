"""The walk from metabasin to metabasin: jump lengths, squared displacement, incoherent scattering."""

from __future__ import annotations

import numpy as np
from scipy import special

from pelplug_metabasins.resampling import Samples, ratio

__all__ = ["jump_correlation", "jump_lengths", "lag_grid", "scattering", "slope_weights", "squared_displacement"]

_ENTRIES = 2_000_000
"""Coordinates handled at a time."""


def jump_lengths(positions: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Distance between successive metabasins of a run in configuration space, shape (jumps,) [length]."""
    chunks = _chunks(len(positions) - 1, positions)
    lengths = [np.sqrt(_squares(positions[c.start + 1 : c.stop + 1] - positions[c])) for c in chunks]
    return np.concatenate(lengths)[run[1:] == run[:-1]]


def jump_correlation(positions: np.ndarray, run: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scalar product of each jump with the next, mean square of the two [length**2], and the metabasin before them."""
    product, square = [], []
    for c in _chunks(len(positions) - 2, positions):
        steps = np.diff(positions[c.start : c.stop + 2], axis=0).reshape(c.stop - c.start + 1, -1)
        product.append(np.einsum("ij,ij->i", steps[:-1], steps[1:]))
        norm = np.einsum("ij,ij->i", steps, steps)
        square.append((norm[:-1] + norm[1:]) / 2)
    inside = np.flatnonzero(run[2:] == run[:-2])
    return np.concatenate(product)[inside], np.concatenate(square)[inside], inside


def lag_grid(jumps: int, per_decade: int = 10) -> np.ndarray:
    """Numbers of jumps from 1 to a tenth of all, about equally spaced in the logarithm."""
    longest = max(jumps // 10, 1)
    number = int(per_decade * np.log10(longest)) + 2
    return np.unique(np.round(np.geomspace(1, longest, number)).astype(int))


def squared_displacement(positions: np.ndarray, run: np.ndarray, lags: np.ndarray, samples: Samples) -> np.ndarray:
    """Mean squared displacement in configuration space over some jumps of a run, shape (1 + R, lags) [length**2]."""
    columns = []
    for lag in lags:
        values = [
            _squares(positions[c.start + lag : c.stop + lag] - positions[c])
            for c in _chunks(len(positions) - lag, positions)
        ]
        pairs = np.stack([np.concatenate(values), np.ones(len(positions) - lag)], axis=1)
        inside = np.flatnonzero(run[lag:] == run[:-lag])
        sums = samples.total(pairs[inside], samples.unit[inside])
        columns.append(ratio(sums[:, 0], sums[:, 1]))
    return np.stack(columns, axis=1)


def slope_weights(lags: np.ndarray) -> np.ndarray:
    """Weights w with ``w @ values`` the slope of a line through values at some lags, the errors growing as the lag.

    One lag gives the values over the lag, a line through the origin.
    """
    lags = np.asarray(lags, dtype=float)
    if len(lags) == 1:
        return 1 / lags
    weight = 1 / np.square(lags)
    centred = lags - np.average(lags, weights=weight)
    return weight * centred / np.sum(weight * np.square(centred))


def scattering(start, end, positions: np.ndarray, run: np.ndarray, k: np.ndarray, times: np.ndarray) -> np.ndarray:
    """S_MB(k, t), the incoherent scattering function of the walk between metabasins, shape (wave numbers, times).

    Parameters
    ----------
    start, end : ndarray, shape (n,)
        Of each metabasin, each beginning where the one before ends in its run [time].
    positions : ndarray, shape (n, N, d)
        Coordinates of each metabasin, unwrapped [length].
    run : ndarray of int, shape (n,)
        Run of each, from 0 and rising.
    k : ndarray
        Wave numbers [1 / length].
    times : ndarray
        Lags, shorter than one run [time].
    """
    total, weight = np.zeros((len(k), len(times))), np.zeros(len(times))
    for number in range(run[-1] + 1):
        mine = run == number
        length = end[mine][-1] - start[mine][0]
        fits = times < length
        values = _of_one_run(start[mine], end[mine], positions[mine], k, times[fits])
        total[:, fits] += (length - times[fits]) * values
        weight[fits] += length - times[fits]
    return total / weight


def _of_one_run(start, end, positions, k, times) -> np.ndarray:
    """Return S_MB of one run.

    Averaged over all particles, all directions of the wave vector and all time origins. The walk is constant between
    jumps, so the mean over origins is a sum over the pairs of metabasins that are a time t apart, each with the length
    of time for which they are: no origin is left out and none counted twice.
    """
    dimension = positions.shape[2]
    result = np.empty((len(k), len(times)))
    for column, t in enumerate(times):
        begin, stop = start[0], end[-1] - t
        inside = np.r_[start[1:], start[1:] - t]
        borders = np.unique(np.r_[begin, inside[(inside > begin) & (inside < stop)], stop])
        length = np.diff(borders)
        middle = (borders[1:] + borders[:-1]) / 2
        one = np.searchsorted(start, middle, side="right") - 1
        other = np.searchsorted(start, middle + t, side="right") - 1
        moved = np.flatnonzero(one != other)
        total = np.full(len(k), length[one == other].sum())
        for c in _chunks(len(moved), positions):
            pairs = moved[c]
            distance = np.sqrt(np.square(positions[one[pairs]] - positions[other[pairs]]).sum(axis=2))
            for row, wave in enumerate(k):
                total[row] += length[pairs] @ _plane_wave(wave * distance, dimension).mean(axis=1)
        result[:, column] = total / length.sum()
    return result


def _plane_wave(x: np.ndarray, dimension: int) -> np.ndarray:
    """Mean of exp(i k r) over the directions of k, as a function of x = k r."""
    if dimension == 3:
        return np.sinc(x / np.pi)
    order = dimension / 2 - 1
    small = np.maximum(x, 1e-6)
    return special.gamma(dimension / 2) * (2 / small) ** order * special.jv(order, small)


def _squares(steps: np.ndarray) -> np.ndarray:
    steps = steps.reshape(len(steps), -1)
    return np.einsum("ij,ij->i", steps, steps)


def _chunks(n: int, positions: np.ndarray):
    size = max(1, _ENTRIES // max(1, positions[0].size))
    return [slice(low, min(low + size, n)) for low in range(0, max(n, 1), size)]
