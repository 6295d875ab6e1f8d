"""Time correlations at every lag of equally spaced frames, by Fourier transforms or by one product of matrices.

The products of all frames in one stretch with all frames in another are a convolution. Each stretch is transformed
once; for each frequency the products of the stretches, summed over particles, are a product of matrices; and only that
sum is transformed back. This gives the sums of each stretch, which errors need, for less than the transform of
the whole series costs (the algorithm for which is in Calandrini et al., Collection SFN 12, 201 (2011)). With few frames
the product of the matrix of all values with its transpose, which has every pair of frames, takes less time still.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

import pelplug

__all__ = ["cost", "scattering_by_lag", "squares_by_lag"]

_FEW = 600  # frames for which the product of matrices is the faster way
_BLOCK_BYTES = 4 << 20  # of the values of all frames; what is made of them takes six times as much
_LOST = 1e-5  # share of the squares below which their difference is summed directly: 1e-11 of it is rounding


def cost(frames: int) -> float:
    """Return the time of a frame here over that of a pair of frames in `pelplug_dynamics.kernels`."""
    return frames / 6.0 if frames <= _FEW else 100.0


class _Products:
    """Sums over series of v(t) v(t') for all t and t'; see `_Transforms`."""

    def __init__(self, starts, frames: int):
        self._unit = np.searchsorted(starts, np.arange(frames), side="right") - 1
        self._stretches = len(starts)
        self._products = np.zeros((frames, frames))

    def add(self, values) -> None:
        """Add series, shape (F, K)."""
        self._products += values @ values.T

    def by_lag(self, lags) -> np.ndarray:
        """Return the sums at the lags, in frames and positive; shape (L, S)."""
        frames = len(self._products)
        sums = np.zeros((frames, self._stretches))
        for origin in range(frames):
            sums[: frames - origin, self._unit[origin]] += self._products[origin, origin:]
        return sums[lags]


class _Transforms:
    """Sums over series of v(t) v(t + lag), t in a stretch of frames.

    Parameters
    ----------
    starts : ndarray of int, shape (S,)
        First frame of each stretch, increasing, from 0.
    frames : int
        F.
    """

    def __init__(self, starts, frames: int):
        self._bounds = np.append(starts, frames)
        self._longest = int(np.diff(self._bounds).max())
        self._size = scipy.fft.next_fast_len(2 * self._longest - 1, real=True)
        stretches = len(starts)
        self._spectrum = np.zeros((self._size // 2 + 1, stretches, stretches), dtype=complex)

    def add(self, values) -> None:
        """Add series, shape (F, K)."""
        padded = np.zeros((self._size, len(self._bounds) - 1, values.shape[1]))
        for s, (first, last) in enumerate(zip(self._bounds[:-1], self._bounds[1:], strict=True)):
            padded[: last - first, s] = values[first:last]
        transformed = scipy.fft.rfft(padded, axis=0, overwrite_x=True, workers=pelplug.thread_count())
        self._spectrum += transformed.conj() @ transformed.transpose(0, 2, 1)

    def by_lag(self, lags) -> np.ndarray:
        """Return the sums at the lags, in frames and positive; shape (L, S)."""
        products = scipy.fft.irfft(self._spectrum, n=self._size, axis=0)
        starts, sums = self._bounds[:-1], np.zeros((len(lags), len(self._bounds) - 1))
        for s, origin in enumerate(starts):
            for other in range(s, len(starts)):
                shift = lags - (starts[other] - origin)
                near = np.abs(shift) < self._longest
                sums[near, s] += products[shift[near], s, other]  # a negative shift counts from the end
        return sums


def _correlator(starts, frames: int) -> _Products | _Transforms:
    return (_Products if frames <= _FEW else _Transforms)(starts, frames)


def squares_by_lag(array, particles, starts, lags) -> np.ndarray:
    """Return sums over particles and origins of dr**2.

    Parameters
    ----------
    array : ndarray or memmap, shape (F, d, N)
        Unwrapped positions of equally spaced frames [length].
    particles : ndarray of int, shape (n,)
        Which.
    starts : ndarray of int, shape (S,)
        First frame of each stretch of origins.
    lags : ndarray of int, shape (L,)
        In frames, increasing, at least 1.

    Returns
    -------
    ndarray, shape (L, S)
    """
    frames = len(array)
    correlator, squares = _correlator(starts, frames), np.zeros(frames)
    for values in _blocks(array, particles):
        # The difference of squares and products loses digits with the size of both.
        values = values - values.mean(axis=0)
        squares += np.einsum("tk,tk->t", values, values)
        correlator.add(values)
    summed = np.concatenate([[0.0], np.cumsum(squares)])
    bounds = np.append(starts, frames)
    first, last = (np.minimum(bounds[None, part], frames - lags[:, None]) for part in (slice(0, -1), slice(1, None)))
    both = summed[last] - summed[first] + summed[last + lags[:, None]] - summed[first + lags[:, None]]
    found = both - 2.0 * correlator.by_lag(lags)
    for row in np.flatnonzero(found.sum(axis=1) < _LOST * both.sum(axis=1)):
        found[row] = _directly(array, particles, starts, int(lags[row]))
    return found


def scattering_by_lag(array, particles, starts, lags, wave_number: float) -> np.ndarray:
    """Return sums over particles and origins of cos(q dx), averaged over the axes; see `squares_by_lag`."""
    correlator = _correlator(starts, len(array))
    for values in _blocks(array, particles):
        phases = wave_number * values
        correlator.add(np.cos(phases))
        correlator.add(np.sin(phases))
    return correlator.by_lag(lags) / array.shape[1]


def _blocks(array, particles):
    """Yield the coordinates of some particles in all frames, shape (F, d n)."""
    frames, dimension = array.shape[:2]
    block = max(1, _BLOCK_BYTES // (8 * frames * dimension))
    for start in range(0, particles.size, block):
        yield np.ascontiguousarray(array[:, :, particles[start : start + block]]).reshape(frames, -1)


def _directly(array, particles, starts, lag: int) -> np.ndarray:
    found = np.zeros(len(array) - lag)
    for values in _blocks(array, particles):
        moved = values[lag:] - values[:-lag]
        found += np.einsum("tk,tk->t", moved, moved)
    unit = np.searchsorted(starts, np.arange(found.size), side="right") - 1
    return np.bincount(unit, found, minlength=len(starts))
