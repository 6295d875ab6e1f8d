"""Sums over particles for every pair of frames, in blocks of particles that stay in the cache."""

from __future__ import annotations

import numpy as np
from scipy.special import gamma, jv

import pelplug
from pelplug_dynamics.kernels import histogram, moments, scattering, squares

__all__ = ["displacement_histogram", "isotropic_average", "pair_sums"]

_BLOCK_BYTES = 1 << 20  # of positions of all frames: cosines and sines take twice as much again
_LEAST, _MOST = 16, 4096  # particles in a block


def isotropic_average(x: np.ndarray, dimension: int) -> np.ndarray:
    """Return the mean of cos(q.r) over directions of q at x = q r: sin(x)/x in three dimensions, J_0(x) in two."""
    if dimension == 3:
        return np.sinc(x / np.pi)
    if dimension == 1:
        return np.cos(x)
    order = dimension / 2.0 - 1.0
    if order == 0.0:
        return jv(0, x)
    tiny = x < 1e-6
    safe = np.where(tiny, 1.0, x)
    return np.where(tiny, 1.0, gamma(dimension / 2.0) * (2.0 / safe) ** order * jv(order, safe))


def pair_sums(
    array, particles, pairs, wave_numbers, overlap: float | None, isotropic: bool, squared=True
) -> np.ndarray:
    """Return sums over particles of dr**2, dr**4, [dr < overlap] and cos(q.dr).

    Parameters
    ----------
    array : ndarray or memmap, shape (F, d, N)
        Unwrapped positions [length].
    particles : ndarray of int, shape (n,)
        Which.
    pairs : LagPairs
        P pairs of frames.
    wave_numbers : sequence of float, length Q
        [1 / length].
    overlap : float or None
        None leaves dr**4 and [dr < overlap] out, which are zero then [length].
    isotropic : bool
        Average cos(q.dr) over all directions; else over the axes.
    squared : bool
        False leaves dr**2 out too; then `overlap` must be None.

    Returns
    -------
    ndarray, shape (P, 3 + Q)
    """
    frames, dimension = array.shape[:2]
    sums = np.zeros((pairs.first.size, 3 + len(wave_numbers)))
    block = int(np.clip(_BLOCK_BYTES // (8 * frames * dimension), _LEAST, _MOST)) // _LEAST * _LEAST
    moment_sums, scatter_sums = np.zeros((pairs.first.size, 3)), np.zeros((len(wave_numbers), pairs.first.size))

    def work(begin, end, positions, phases):
        part = slice(begin, end)
        first, second = pairs.first[part], pairs.second[part]
        if overlap is not None:
            moments(positions, first, second, overlap**2, moment_sums[part])
        elif squared:
            squares(positions.reshape(frames, -1), first, second, moment_sums[part, 0])
        for index, phase in enumerate(phases):
            scattering(phase, first, second, scatter_sums[index, part])
        if isotropic:
            for index in range(len(wave_numbers)):
                _scatter_isotropically(positions, first, second, wave_numbers[index], scatter_sums[index, part])

    for start in range(0, particles.size, block):
        chosen = particles[start : start + block]
        positions = np.ascontiguousarray(array[:, :, chosen])
        phases = []
        if not isotropic:
            flat = positions.reshape(frames, -1)
            for q in wave_numbers:
                phases.append(np.concatenate([np.cos(q * flat), np.sin(q * flat)], axis=1))
        pelplug.run_ranges(work, pairs.first.size, positions, phases, serial_below=2)
    sums[:, :3] = moment_sums
    sums[:, 3:] = scatter_sums.T if isotropic else scatter_sums.T / dimension
    return sums


def displacement_histogram(array, particles, first, second, r_max: float, bins: int) -> np.ndarray:
    """Count displacements between the frames of the pairs by their length; shape (bins,)."""
    counts = np.zeros(bins, dtype=np.int64)
    for start in range(0, particles.size, _MOST):
        chosen = particles[start : start + _MOST]
        frames, places = np.unique(np.concatenate([first, second]), return_inverse=True)
        for low in range(0, first.size, 256):
            part = slice(low, low + 256)
            needed, where = np.unique(
                np.concatenate([places[: first.size][part], places[first.size :][part]]), return_inverse=True
            )
            positions = np.ascontiguousarray(array[frames[needed]][:, :, chosen])
            half = where.size // 2
            histogram(positions, where[:half], where[half:], r_max, counts)
    return counts


def _scatter_isotropically(positions, first, second, q, out) -> None:
    dimension = positions.shape[1]
    for p in range(first.size):
        moved = positions[second[p]] - positions[first[p]]
        out[p] += isotropic_average(q * np.sqrt(np.einsum("ki,ki->i", moved, moved)), dimension).sum()
