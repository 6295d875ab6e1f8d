"""Sums of squared differences in parts that are independent of each other: blocks of a series, or runs."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_msed.correlator import squared_differences

__all__ = ["FINEST", "Runs", "SeriesBlocks"]

FINEST = 40  # blocks of a stored series


class SeriesBlocks:
    """Sums of squared differences in consecutive blocks of a stored series, with every time origin.

    Takes the place of a `Correlator` where errors are asked for. That one leaves origins out at long lags, so that fast
    fluctuations, which are large in the energy of a liquid, do not average out in it as they do in the FFT.

    Parameters
    ----------
    segments : sequence of ndarray
        Equally spaced values; no difference is taken across.
    lags : ndarray of int
        The lags wanted [entries].
    """

    def __init__(self, segments, lags: np.ndarray):
        self._lags = np.asarray(lags, dtype=np.int64)
        self.n = sum(map(len, segments))
        sums, counts = np.zeros((FINEST, len(lags))), np.zeros((FINEST, len(lags)), np.int64)
        mean = sum(float(np.sum(one)) for one in segments) / self.n
        begins = 0
        for one in segments:
            _sums_in_blocks(np.asarray(one, dtype=np.float64) - mean, begins, self._lags, self.length, sums, counts)
            begins += len(one)
        self._sums, self._counts = sums, counts

    @property
    def length(self) -> int:
        """Values in the shortest block; what is left over at the end belongs to none."""
        return max(self.n // FINEST, 1)

    def lags(self) -> np.ndarray:
        """Return the lags [entries]."""
        return self._lags

    def blocks(self, at_most: int = FINEST):
        """Return sums and counts of equal blocks, of which there are so many or fewer.

        Returns
        -------
        sums, counts : ndarray, shape (B, K)
            At the K `lags`.
        """
        join = -(-FINEST // at_most)
        starts = np.arange(min(FINEST, self.n) // join) * join
        end = len(starts) * join
        return tuple(np.add.reduceat(one[:end], starts, axis=0) for one in (self._sums, self._counts))


class Runs:
    """Sums of squared differences of each of several runs; takes the place of `SeriesBlocks`.

    Parameters
    ----------
    runs : sequence of sequence of ndarray
        Segments of equally spaced values; no difference is taken across.
    lags : ndarray of int
        The lags wanted [entries].
    """

    def __init__(self, runs, lags: np.ndarray):
        self._lags = np.asarray(lags, dtype=np.int64)
        self.number = len(runs)
        self.n = sum(len(segment) for run in runs for segment in run)
        self.shortest = min(sum(map(len, run)) for run in runs)
        parts = [[squared_differences(one, self._lags) for one in run if len(one) > 1] for run in runs]
        self._sums, self._counts = (np.array([sum(part[k] for part in run) for run in parts]) for k in (0, 1))
        first = float(runs[0][0][0])
        self._moments = np.array(
            [[sum(float(np.sum((one - first) ** k)) for one in run) for k in range(3)] for run in runs]
        )

    def lags(self) -> np.ndarray:
        """Return the lags [entries]."""
        return self._lags

    def blocks(self, at_most: int = 0):
        """Return sums, counts and moments of each run, however many blocks are asked for; see `Correlator.blocks`."""
        return self._sums, self._counts, self._moments


@pelplug.kernel(fastmath={"reassoc", "contract"})
def _sums_in_blocks(values, begins, lags, length, sums, counts):  # pragma: no cover
    n = len(values)
    for k in range(len(lags)):
        lag = lags[k]
        for block in range(len(sums)):
            low = max(block * length - begins, lag)
            high = min((block + 1) * length - begins, n)
            total = 0.0
            for i in range(low, high):
                difference = values[i] - values[i - lag]
                total += difference * difference
            if high > low:
                sums[block, k] += total
                counts[block, k] += high - low
