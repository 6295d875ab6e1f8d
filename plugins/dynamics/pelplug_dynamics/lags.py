"""Which pairs of frames are how far apart, and which lags to compute; no spacing of the frames is assumed."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug

__all__ = ["Clock", "LagPairs", "count_lags", "frame_pairs", "pool_lags", "select_lags"]

_CHUNK = 2_000_000  # differences at a time


@dataclasses.dataclass(frozen=True)
class Clock:
    """When the frames are, in whole numbers.

    Attributes
    ----------
    ticks : ndarray of int, shape (F,)
        Increasing, the first is 0.
    tick : float
        Duration of one [time].
    """

    ticks: np.ndarray
    tick: float

    @classmethod
    def of(cls, times, steps, source) -> Clock:
        """Count simulation steps where times are proportional to them, else hundredths of the least interval.

        Parameters
        ----------
        times : array_like, shape (F,)
            [time].
        steps : sequence of int or None, length F
            Simulation steps.
        source : path_like
            For messages.

        Raises
        ------
        InputError
            If times do not increase.
        """
        times = np.asarray(times, dtype=np.float64)
        late = np.flatnonzero(np.diff(times) <= 0)
        if late.size:
            k = int(late[0])
            raise pelplug.InputError(
                f"Times of {source} do not increase: frame {k + 1} is at {times[k + 1]:g}, after {times[k]:g}; "
                "give each run of a restarted or joined trajectory by itself."
            )
        if times.size < 2:
            return cls(np.zeros(times.size, dtype=np.int64), 1.0)
        if all(step is not None for step in steps):
            ticks = np.asarray(steps, dtype=np.int64) - int(steps[0])
            if ticks[-1] > 0 and np.all(np.diff(ticks) > 0):
                tick = (times[-1] - times[0]) / ticks[-1]
                # Single precision of the times is what formats like XTC keep.
                if np.allclose(
                    times - times[0], tick * ticks, rtol=0, atol=2e-7 * max(abs(times[0]), times[-1]) + 0.01 * tick
                ):
                    return cls(ticks, float(tick))
        tick = np.diff(times).min() / 100.0
        return cls(np.rint((times - times[0]) / tick).astype(np.int64), float(tick))


@dataclasses.dataclass(frozen=True)
class LagPairs:
    """LagPairs of frames of the selected lags, ordered by lag, then by origin.

    Attributes
    ----------
    lag : ndarray of int, shape (P,)
        Index of the lag.
    first, second : ndarray of int, shape (P,)
        Frames.
    """

    lag: np.ndarray
    first: np.ndarray
    second: np.ndarray


def count_lags(ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every positive difference of the ticks and how many pairs of frames have it."""
    steps = np.diff(ticks)
    if steps.size == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if np.all(steps == steps[0]):
        frames = np.arange(1, ticks.size)
        return frames * steps[0], ticks.size - frames
    lags, counts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows = max(1, _CHUNK // ticks.size)
    for start in range(0, ticks.size - 1, rows):
        origins = ticks[start : start + rows]
        differences = ticks[None, start + 1 :] - origins[:, None]
        found, number = np.unique(differences[differences > 0], return_counts=True)
        lags, counts = pool_lags([(lags, counts), (found, number)])
    return lags, counts


def pool_lags(counted) -> tuple[np.ndarray, np.ndarray]:
    """Return the lags that any of several sets has, and how many pairs of frames have each in all of them.

    Parameters
    ----------
    counted : sequence of (ndarray of int, ndarray of int)
        Lags and counts, as of `count_lags`.
    """
    lags, where = np.unique(np.concatenate([lags for lags, _ in counted]), return_inverse=True)
    counts = np.bincount(where, np.concatenate([counts for _, counts in counted]), minlength=lags.size)
    return lags, counts.astype(np.int64)


def select_lags(lags: np.ndarray, counts: np.ndarray, per_decade: int, min_origins: int | None) -> np.ndarray:
    """Return the lags to compute: in each of `per_decade` equal intervals of log t the one with most origins.

    Parameters
    ----------
    lags, counts : ndarray of int, shape (L,)
        Of `count_lags`.
    per_decade : int
        Intervals a decade; where lags are sparser, each is kept.
    min_origins : int or None
        Leave out lags with fewer; None is 10, or a tenth of what the commonest lag has if that is less.
    """
    if lags.size == 0:
        return lags
    least = max(1, min(10, int(counts.max()) // 10)) if min_origins is None else min_origins
    lags, counts = lags[counts >= least], counts[counts >= least]
    if lags.size == 0:
        return lags
    interval = np.rint(per_decade * np.log10(lags / lags[0])).astype(np.int64)
    # In an interval: most origins, and of those the closest to its middle.
    off = np.abs(per_decade * np.log10(lags / lags[0]) - interval)
    order = np.lexsort((off, -counts, interval))
    first = np.concatenate([[True], np.diff(interval[order]) > 0])
    return np.sort(lags[order[first]])


def frame_pairs(ticks: np.ndarray, lags: np.ndarray) -> LagPairs:
    """Return all pairs of frames that are one of the lags apart."""
    index, first, second = [], [], []
    for k, lag in enumerate(lags):
        there = np.searchsorted(ticks, ticks + lag)
        origin = np.flatnonzero(there < ticks.size)
        origin = origin[ticks[there[origin]] == ticks[origin] + lag]
        first.append(origin)
        second.append(there[origin])
        index.append(np.full(origin.size, k))
    join = (lambda parts: np.concatenate(parts).astype(np.int64)) if len(lags) else (lambda _: np.empty(0, np.int64))
    return LagPairs(join(index), join(first), join(second))
