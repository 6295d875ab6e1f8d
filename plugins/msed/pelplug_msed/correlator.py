"""Mean-squared differences of a series: at every lag by FFT, or while it streams by, in bounded memory."""

from __future__ import annotations

import numpy as np
import scipy.fft

import pelplug

__all__ = ["Correlator", "squared_differences"]

POINTS = 16  # stored at each level; lags of a level are 9 to 16 of its spacings, of the first one 1 to 16
LEVELS = 44
BLOCKS = 64
HALF_BINS = 64  # of a histogram, on each side of zero


def squared_differences(series: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum (x[i + k] - x[i])^2 over all i, by FFT.

    Parameters
    ----------
    series : ndarray, shape (n,)
        Equally spaced values.
    lags : ndarray of int
        The k wanted.

    Returns
    -------
    sums, counts : ndarray
        0 where the lag is as long as the series or longer.

    Notes
    -----
    ``sum x_i^2 + x_{i+k}^2 - 2 x_i x_{i+k}`` with the mean taken off first: rounding is about 1e-15 of the variance
    a term, which is why lags up to 16, where the difference may be far smaller, are summed as they stand.
    """
    x = np.asarray(series, dtype=float) - np.mean(series)
    n = len(x)
    inside = lags < n
    k = lags[inside]
    spectrum = scipy.fft.rfft(x, scipy.fft.next_fast_len(2 * n, real=True))
    spectrum = spectrum.real**2 + spectrum.imag**2
    correlation = scipy.fft.irfft(spectrum, scipy.fft.next_fast_len(2 * n, real=True))[k]
    squares = np.concatenate([[0.0], np.cumsum(x * x)])
    sums = np.zeros(len(lags))
    sums[inside] = squares[n - k] + (squares[n] - squares[k]) - 2.0 * correlation
    for at in np.flatnonzero(inside & (lags <= POINTS)):
        difference = x[lags[at] :] - x[: n - lags[at]]
        sums[at] = difference @ difference
    return sums, np.where(inside, n - lags, 0)


class Correlator:
    """Multi-tau sums of squared differences of a series that is handed over piece by piece.

    Level l keeps every 2^l-th value of the series, as it is: values are left out, not averaged. A mean-squared
    difference is therefore that of the series itself, without the bias of a correlator that averages blocks; its time
    origins are every 2^l-th instead of all, which costs a little precision where neighbouring ones are independent.

    Parameters
    ----------
    lags : sequence of int
        Lags of which the distribution of differences is kept too.

    Notes
    -----
    Sums are kept in at most 64 consecutive blocks of the series (a difference belongs to the block of its later value),
    which merge two by two as the series grows: errors come from their scatter. Memory is 1.5 MB, time 24 differences a
    value, whatever the length. After J. Ramirez et al., J. Chem. Phys. 133, 154103 (2010), with m = 2, p = 16.
    """

    def __init__(self, lags=()):
        self.lag_of_level = np.arange(1, POINTS + 1)[None, :] * 2 ** np.arange(LEVELS, dtype=np.int64)[:, None]
        self._arrays = {
            "ring": np.zeros((LEVELS, POINTS)),
            "seen": np.zeros(LEVELS, np.int64),
            "sums": np.zeros((BLOCKS, LEVELS, POINTS)),
            "counts": np.zeros((BLOCKS, LEVELS, POINTS), np.int64),
            "moments": np.zeros((BLOCKS, 3)),  # number, sum and sum of squares of value - first value
            "meta": np.array([0, 1, 0], np.int64),  # values so far, block length, differences at lag 1
            "first": np.zeros(1),
        }
        own = np.flatnonzero(self._own.ravel())
        known = self.lag_of_level.ravel()[own]
        nearest = sorted({int(own[np.argmin(np.abs(np.log(known / max(lag, 1))))]) for lag in lags})
        self._which = np.full(LEVELS * POINTS, -1, np.int64)
        self._which[nearest] = np.arange(len(nearest))
        self._which = self._which.reshape(LEVELS, POINTS)
        self.histogram_lags = self.lag_of_level.ravel()[nearest]
        self._arrays["histograms"] = np.zeros((len(nearest), 2 * HALF_BINS), np.int64)
        self._arrays["ranges"] = np.zeros(len(nearest))

    @property
    def _own(self) -> np.ndarray:
        """Which lags belong to a level: the first half of the others is another level's."""
        return (np.arange(LEVELS)[:, None] == 0) | (np.arange(1, POINTS + 1)[None, :] > POINTS // 2)

    @property
    def n(self) -> int:
        """Values so far."""
        return int(self._arrays["meta"][0])

    @property
    def block_length(self) -> int:
        """Values in a block."""
        return int(self._arrays["meta"][1])

    @property
    def pairs(self) -> int:
        """Differences at lag 1 so far."""
        return int(self._arrays["meta"][2])

    def add(self, values: np.ndarray) -> None:
        """Take the next values of the series."""
        a = self._arrays
        if self.n == 0 and len(values):
            a["first"][0] = values[0]
        _add(np.ascontiguousarray(values, dtype=np.float64), self._which, *(a[name] for name in _ORDER))

    def cut(self) -> None:
        """Begin another segment: no difference is taken across."""
        self._arrays["seen"][:] = 0

    def lags(self) -> np.ndarray:
        """Return the lags that have been seen, ascending [entries]."""
        return self._flat(self._arrays["counts"].sum(axis=0))[0]

    def blocks(self, least: int = 1, at_most: int = BLOCKS):
        """Return sums and counts of blocks that hold at least so many values, and are at most so many.

        Returns
        -------
        sums, counts : ndarray, shape (B, K)
            At the K `lags`.
        moments : ndarray, shape (B, 3)
            Number, sum and sum of squares of values, less the first value.
        """
        a = self._arrays
        used = -(-self.n // self.block_length)
        join = max(1, -(-least // self.block_length), -(-used // at_most))
        # An incomplete last block would weigh as much as the others in a bootstrap: it is left out of the scatter.
        whole = max(self.n // self.block_length // join, 1)
        starts = np.arange(whole) * join
        end = min(whole * join, BLOCKS)
        total = a["counts"].sum(axis=0)

        def joined(array):
            return np.add.reduceat(array[:end], starts, axis=0)

        shown = self._flat(total)[1]
        sums, counts = (joined(a[name]).reshape(whole, -1)[:, shown] for name in ("sums", "counts"))
        return sums, counts, joined(a["moments"])

    def totals(self) -> tuple[np.ndarray, np.ndarray]:
        """Return sums of squared differences and their counts at `lags`."""
        a = self._arrays
        counts = a["counts"].sum(axis=0)
        shown = self._flat(counts)[1]
        return a["sums"].sum(axis=0).ravel()[shown], counts.ravel()[shown]

    def variance(self) -> float:
        """Return the variance of all values about their mean."""
        number, total, squares = self._arrays["moments"].sum(axis=0)
        return float(squares / number - (total / number) ** 2)

    def mean(self) -> float:
        """Return the mean of all values."""
        number, total, _ = self._arrays["moments"].sum(axis=0)
        return float(self._arrays["first"][0] + total / number)

    def histograms(self) -> tuple[np.ndarray, np.ndarray]:
        """Return counts, shape (L, bins), and edges, shape (L, bins + 1), of the differences at `histogram_lags`."""
        edges = self._arrays["ranges"][:, None] * np.linspace(-1.0, 1.0, 2 * HALF_BINS + 1)[None, :]
        return self._arrays["histograms"], edges

    def state(self) -> dict[str, np.ndarray]:
        """Return all there is, as arrays; `restore` undoes it."""
        return {**{name: np.array(value) for name, value in self._arrays.items()}, "lags": self.histogram_lags.copy()}

    @classmethod
    def restore(cls, state: dict[str, np.ndarray]) -> Correlator:
        """Return a correlator that goes on where another one was."""
        correlator = cls(state["lags"].tolist())
        for name, value in correlator._arrays.items():
            value[...] = state[name]
        return correlator

    def _flat(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lags in ascending order, each from one level, and where they are in a flat array."""
        shown = np.flatnonzero((self._own & (counts > 0)).ravel())
        lags = self.lag_of_level.ravel()[shown]
        order = np.argsort(lags, kind="stable")
        return lags[order], shown[order]


_ORDER = ("ring", "seen", "sums", "counts", "moments", "meta", "first", "histograms", "ranges")


@pelplug.kernel
def _add(values, which, ring, seen, sums, counts, moments, meta, first, histograms, ranges):  # pragma: no cover
    blocks, levels, points = sums.shape
    for value in values:
        if meta[0] == blocks * meta[1]:
            _merge(sums, counts, moments)
            meta[1] *= 2
        block = meta[0] // meta[1]
        meta[0] += 1
        shifted = value - first[0]
        moments[block, 0] += 1.0
        moments[block, 1] += shifted
        moments[block, 2] += shifted * shifted
        if seen[0] > 0:
            meta[2] += 1
        for level in range(levels):
            count = seen[level]
            begin = 0 if level == 0 else points // 2
            for j in range(begin, min(points, count)):
                difference = value - ring[level, (count - 1 - j) % points]
                sums[block, level, j] += difference * difference
                counts[block, level, j] += 1
                if which[level, j] >= 0:
                    _note(difference, which[level, j], histograms, ranges)
            ring[level, count % points] = value
            seen[level] = count + 1
            if count % 2 == 1:
                break


@pelplug.kernel
def _merge(sums, counts, moments):  # pragma: no cover
    half = len(sums) // 2
    for b in range(half):
        sums[b] = sums[2 * b] + sums[2 * b + 1]
        counts[b] = counts[2 * b] + counts[2 * b + 1]
        moments[b] = moments[2 * b] + moments[2 * b + 1]
    sums[half:] = 0.0
    counts[half:] = 0
    moments[half:] = 0.0


@pelplug.kernel
def _note(difference, k, histograms, ranges):  # pragma: no cover
    bins = histograms.shape[1]
    half = bins // 2
    size = abs(difference)
    if ranges[k] == 0.0:
        if size == 0.0:
            histograms[k, half] += 1
            return
        ranges[k] = size * (1.0 + 1e-12)
    while size > ranges[k]:  # twice the range: two bins become one
        quarter = half // 2
        merged = np.zeros(bins, histograms.dtype)
        for b in range(bins):
            merged[quarter + b // 2] += histograms[k, b]
        histograms[k] = merged
        ranges[k] *= 2.0
    at = int((difference + ranges[k]) / (2.0 * ranges[k]) * bins)
    histograms[k, min(max(at, 0), bins - 1)] += 1
