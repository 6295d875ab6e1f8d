"""Whether a liquid is in equilibrium: its displacements and relaxation must not change from block to block."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug.configuration import Configuration
from pelplug.trajectories.readers.unwrap import continued

__all__ = ["SAMPLES", "BlockCurves", "Verdict", "compare", "relaxation_wave_number"]

SAMPLES = 64
"""Intervals between the states sampled in a block."""

_GROUPS = 8  # of particles, whose scatter gives the error of a block's curves
_SIGMAS = 3.0
_RELATIVE = 0.10  # of the mean squared displacement
_ABSOLUTE = 0.05  # of F_s
_VOLUME = 0.002  # of the volume
_RELAXED = 0.2  # F_s at the longest lag that shows the block to be longer than the relaxation time


@dataclasses.dataclass(frozen=True)
class BlockCurves:
    """Mean squared displacement and self-intermediate scattering function within one block.

    Attributes
    ----------
    lags : ndarray of int, shape (L,)
        In units of the sampling interval: 1, 2, 4, ..., half the block.
    msd, msd_error : ndarray, shape (L,)
        Mean over particles and time origins, and its standard error: the larger of those from the scatter of eight
        groups of particles and of the time origins [length**2].
    fs, fs_error : ndarray, shape (L,)
        Mean of cos(q dx) over particles, origins and the axes, and its standard error.
    volume, volume_error : ndarray, shape ()
        Mean of the cell's volume, and its standard error from eight parts of the block [length**d].
    """

    lags: np.ndarray
    msd: np.ndarray
    msd_error: np.ndarray
    fs: np.ndarray
    fs_error: np.ndarray
    volume: np.ndarray
    volume_error: np.ndarray

    @property
    def relaxed(self) -> bool:
        """Whether F_s falls below 0.2 within half the block: the block is longer than the relaxation time."""
        return bool(self.fs[-1] < _RELAXED)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the curves as arrays for a checkpoint."""
        return {f"earlier_{key}": value for key, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> BlockCurves | None:
        """Undo `to_arrays`; None if the arrays hold no curves."""
        if "earlier_msd" not in arrays:
            return None
        return cls(**{field.name: arrays[f"earlier_{field.name}"] for field in dataclasses.fields(cls)})

    @classmethod
    def of(cls, positions: np.ndarray, wave_number: float, cells: np.ndarray | None = None) -> BlockCurves:
        """Compute the curves of a block.

        Parameters
        ----------
        positions : ndarray, shape (SAMPLES + 1, N, d)
            Wrapped positions with the cell vectors that were crossed, at equal intervals [length].
        wave_number : float
            q [1 / length].
        cells : ndarray, shape (SAMPLES + 1, d, d), optional
            Of each, where the cell may change [length].
        """
        positions = positions if cells is None else continued(positions, cells)
        positions = positions - positions.mean(axis=1, keepdims=True)  # the centre of mass may drift
        lags = 2 ** np.arange(int(np.log2(SAMPLES // 2)) + 1)
        n = positions.shape[1]
        group = np.arange(n) % min(_GROUPS, n)
        counts = np.bincount(group)
        msd, fs = np.empty((lags.size, counts.size)), np.empty((lags.size, counts.size))
        origins = []  # means over all particles, by time origin
        for k, lag in enumerate(lags):
            moved = positions[lag:] - positions[:-lag]
            squares, cosines = np.einsum("tid,tid->ti", moved, moved), np.cos(wave_number * moved).mean(axis=2)
            msd[k] = np.bincount(group, squares.mean(axis=0)) / counts
            fs[k] = np.bincount(group, cosines.mean(axis=0)) / counts
            origins.append((squares.mean(axis=1), cosines.mean(axis=1)))
        error = np.sqrt(max(counts.size - 1, 1) * counts.size)
        spread = [np.sqrt(((x - x.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)) / error for x in (msd, fs)]
        below = np.flatnonzero(fs.mean(axis=1) < np.exp(-1.0))
        relaxation = lags[below[0]] if below.size else SAMPLES
        # Particles of a small system speed up and slow down together, which their scatter does not show.
        for k, lag in enumerate(lags):
            for which, series in enumerate(origins[k]):
                spread[which][k] = max(spread[which][k], _error_of_mean(series, lag + relaxation))
        volume, volume_error = (1.0, 0.0) if cells is None else _mean_volume(cells)
        curves = lags, msd.mean(axis=1), spread[0], fs.mean(axis=1), spread[1]
        return cls(*curves, np.array(volume), np.array(volume_error))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the comparison of two successive blocks says.

    Attributes
    ----------
    relaxed : bool
        Whether both blocks are longer than the relaxation time.
    stationary : bool
        Whether the curves of the two blocks agree at every lag, within three standard errors or 10 % (mean squared
        displacement) and 0.05 (F_s), and the mean volumes within three standard errors or 0.2 %.
    msd_ratio, fs_difference : float
        Largest departure: ratio of the mean squared displacements, later over earlier, and difference of F_s.
    volume_ratio : float
        Of the mean volumes, later over earlier; 1 in a constant cell.
    """

    relaxed: bool
    stationary: bool
    msd_ratio: float
    fs_difference: float
    volume_ratio: float = 1.0

    @property
    def equilibrated(self) -> bool:
        """Both."""
        return self.relaxed and self.stationary


def compare(earlier: BlockCurves, later: BlockCurves) -> Verdict:
    """Compare the curves of two successive blocks of equal length."""
    ratio = later.msd / np.maximum(earlier.msd, np.finfo(float).tiny)
    moved = np.abs(later.msd - earlier.msd)
    same_msd = (moved <= _SIGMAS * np.hypot(later.msd_error, earlier.msd_error)) | (np.abs(ratio - 1) <= _RELATIVE)
    difference = later.fs - earlier.fs
    same_fs = np.abs(difference) <= np.maximum(_SIGMAS * np.hypot(later.fs_error, earlier.fs_error), _ABSOLUTE)
    volume = float(later.volume / earlier.volume)
    apart = abs(float(later.volume - earlier.volume))
    same_volume = abs(volume - 1.0) <= _VOLUME or apart <= _SIGMAS * np.hypot(later.volume_error, earlier.volume_error)
    return Verdict(
        relaxed=earlier.relaxed and later.relaxed,
        stationary=bool(np.all(same_msd) and np.all(same_fs) and same_volume),
        msd_ratio=float(ratio[np.argmax(np.abs(np.log(np.maximum(ratio, np.finfo(float).tiny))))]),
        fs_difference=float(difference[np.argmax(np.abs(difference))]),
        volume_ratio=volume,
    )


def _mean_volume(cells: np.ndarray) -> tuple[float, float]:
    """Return the mean volume after the first state and its standard error, 0 in a constant cell."""
    volumes = np.abs(np.linalg.det(cells[1:]))
    parts = volumes.reshape(_GROUPS, -1).mean(axis=1)
    error = parts.std(ddof=1) / np.sqrt(_GROUPS) if np.any(cells != cells[0]) else 0.0
    return float(volumes.mean()), float(error)


def _error_of_mean(series: np.ndarray, memory: float) -> float:
    """Return the standard error of the mean of a series whose correlation is (1 - t/memory)**2 up to its memory.

    That is the correlation of squared displacements of Brownian motion from origins t apart, over a lag of ``memory``.
    """
    length = series.size / memory
    end = min(length, 1.0)
    # Mean correlation of two values of the series: of its variance, this share is in the mean.
    shared = (
        2.0 / length**2 * (length * (1.0 - (1.0 - end) ** 3) / 3.0 - end**2 / 2.0 + 2.0 * end**3 / 3.0 - end**4 / 4.0)
    )
    return float(series.std() * np.sqrt(shared / (1.0 - shared)))


def relaxation_wave_number(configuration: Configuration) -> float:
    """Return ``2 pi rho**(1/d)``, a wave number near the first peak of S(q) of a dense liquid [1 / length]."""
    return 2.0 * np.pi * configuration.density ** (1.0 / configuration.dimension)
