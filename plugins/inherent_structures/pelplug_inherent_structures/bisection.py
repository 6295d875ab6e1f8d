"""Which frames of a trajectory need a quench: bisection between frames whose inherent structures differ."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from scipy import signal

__all__ = ["Sampled", "Search", "count_transitions", "search_by_bisection"]


_QUIET = 0.02
"""Chance of an excursion far from all transitions, where it is 1 at each of them."""

_COST_OF_SAMPLE = 1.5
"""Quenches for each frame of the sample, with those that follow a miss up, about."""


@dataclasses.dataclass
class Search:
    """State of a search: what each quenched frame is, by its position among the frames.

    Parameters
    ----------
    n : int
        Number of frames.
    identify : callable
        Takes a list of positions, quenches these frames, and returns the number of the structure of each, None where
        the quench failed.

    Attributes
    ----------
    known : dict of int to int
        Structure of each quenched frame.
    failed : set of int
        Frames whose quench failed; they are passed over.
    """

    n: int
    identify: Callable[[list[int]], Sequence[int | None]]
    known: dict[int, int] = dataclasses.field(default_factory=dict)
    failed: set[int] = dataclasses.field(default_factory=set)

    def quench(self, positions) -> None:
        """Quench the frames that are not yet known."""
        wanted = [k for k in dict.fromkeys(map(int, positions)) if k not in self.known and k not in self.failed]
        if not wanted:
            return
        for position, structure in zip(wanted, self.identify(wanted), strict=True):
            if structure is None:
                self.failed.add(position)
            else:
                self.known[position] = int(structure)

    def refine(self) -> None:
        """Halve every interval with different structures at its ends until these are neighbours."""
        while True:
            places = sorted(self.known)
            middles = [self._middle(a, b) for a, b in itertools.pairwise(places) if self.known[a] != self.known[b]]
            middles = [middle for middle in middles if middle is not None]
            if not middles:
                return
            self.quench(middles)

    def fill(self, limit: float, reach: float) -> None:
        """Quench inside intervals of one structure, near transitions first, until ``limit`` frames are quenched.

        Parameters
        ----------
        limit : float
            Number of quenches at which to stop; the bisection of what the last ones find is not cut short.
        reach : float
            Frames over which a transition makes others likely.
        """
        while (left := limit - len(self.known) - len(self.failed)) >= 1:
            places = np.array(sorted(self.known))
            middles = {m: b - a - 1 for a, b in itertools.pairwise(places.tolist()) if (m := self._middle(a, b))}
            if not middles:
                return
            # Excursions are likely where transitions are: most go back and forth between a few structures.
            changes = np.zeros(self.n)
            changes[np.flatnonzero(np.diff(self.filled()))] = 1.0
            decay = [1.0, -np.exp(-1.0 / reach)]
            near = signal.lfilter([1.0], decay, changes) + signal.lfilter([1.0], decay, changes[::-1])[::-1]
            at = np.fromiter(middles, dtype=int)
            likely = (_QUIET + near[at]) * np.fromiter(middles.values(), dtype=float)
            # Few at a time: what they find tells where to look next.
            self.quench(at[np.argsort(-likely, kind="stable")[: max(1, int(left) // 8)]])
            self.refine()

    def surround(self, places: Sequence[int], structure: np.ndarray) -> None:
        """Quench outwards from some frames, frame by frame, until the structure of ``structure`` there is met."""
        ends = [(k, step) for k in places for step in (-1, 1)]
        while ends:
            ends = [(k + step, step) for k, step in ends]
            self.quench([k for k, _ in ends])
            ends = [(k, step) for k, step in ends if k in self.failed or self.known[k] != structure[k]]

    def filled(self) -> np.ndarray:
        """Structure of every frame, shape (n,): an interval's for frames not quenched, -1 where there is none."""
        places = np.array(sorted(self.known))
        values = np.array([self.known[int(place)] for place in places])
        structure = values[np.clip(np.searchsorted(places, np.arange(self.n), side="right") - 1, 0, None)]
        structure[sorted(self.failed)] = -1
        return structure

    def skipped(self) -> np.ndarray:
        """Positions of the frames that were not quenched."""
        return np.array(sorted(set(range(self.n)) - self.known.keys() - self.failed), dtype=int)

    def _middle(self, a: int, b: int) -> int | None:
        inside = [k for k in range(a + 1, b) if k not in self.failed]
        return min(inside, key=lambda k: abs(2 * k - a - b)) if inside else None


@dataclasses.dataclass(frozen=True)
class Sampled:
    """What quenching a random sample of the skipped frames said.

    Attributes
    ----------
    skipped : int
        Frames the bisection did not quench.
    size : int
        Frames in the sample whose quench converged.
    missed : int
        How many of these have another structure than was filled in.
    transitions : float
        Estimated number of transitions that the bisection missed.
    error : float
        Its standard error.
    found : int
        Transitions gained by following the misses up.
    """

    skipped: int
    size: int
    missed: int
    transitions: float
    error: float
    found: int


def count_transitions(structure: np.ndarray) -> int:
    """Return how often the structure changes; failed frames (-1) are passed over."""
    structure = structure[structure >= 0]
    return int(np.count_nonzero(np.diff(structure)))


def search_by_bisection(search: Search, interval: int, sample: int, seed: int, budget: float = 0.0) -> Sampled:
    """Quench every ``interval``-th frame, bisect, fill, then sample the skipped frames and follow the misses up.

    Parameters
    ----------
    search : Search
        Holds the result afterwards.
    interval : int
        Frames from one quench of the first pass to the next.
    sample : int
        How many skipped frames to quench, all if there are fewer.
    seed : int
        Of the choice of the sample.
    budget : float
        Quenches wanted, sample included, as a fraction of the frames; what bisection and sample leave of it is
        spent near the transitions found. Bisection and sample themselves are never cut short.

    Returns
    -------
    Sampled

    Notes
    -----
    A run of r missed frames with c transitions is met by a sampled frame with a chance proportional to r, so that
    ``skipped / size * sum(c / r)`` over the sampled misses estimates the transitions missed without bias (Horvitz and
    Thompson, J. Am. Stat. Assoc. 47, 663 (1952)). For that each such run is quenched frame by frame.
    """
    search.quench([*range(0, search.n, interval), search.n - 1])
    # Frames that could not be quenched at the very ends leave an end of the series unknown.
    for ends in (range(search.n), range(search.n - 1, -1, -1)):
        for k in ends:
            search.quench([k])
            if k in search.known:
                break
    if not search.known:
        return Sampled(0, 0, 0, 0.0, 0.0, 0)
    search.refine()
    search.fill(budget * search.n - _COST_OF_SAMPLE * sample, 3.0 * min(interval, search.n))
    before, skipped = search.filled(), search.skipped()
    size = min(sample, len(skipped))
    chosen = np.sort(np.random.default_rng(seed).choice(skipped, size, replace=False)) if size else skipped[:0]
    search.quench(chosen)
    chosen = [int(k) for k in chosen if k in search.known]
    missed = [k for k in chosen if search.known[k] != before[k]]
    search.surround(missed, before)
    search.refine()
    after = search.filled()
    alive = np.flatnonzero(after >= 0)
    weights = np.zeros(len(chosen))
    weights[: len(missed)] = [
        _transitions_per_frame(after[alive], int(np.searchsorted(alive, k)), before[k]) for k in missed
    ]
    scale = len(skipped) / len(chosen) if chosen else 0.0
    spread = weights.var(ddof=1) if len(chosen) > 1 else 0.0
    return Sampled(
        skipped=len(skipped),
        size=len(chosen),
        missed=len(missed),
        transitions=scale * float(weights.sum()),
        # Of a random sample without replacement from a finite number of frames.
        error=scale * float(np.sqrt(spread * len(chosen) * max(0.0, 1.0 - 1.0 / scale))) if chosen else 0.0,
        found=count_transitions(after) - count_transitions(before),
    )


def _transitions_per_frame(structure: np.ndarray, at: int, left_from: int) -> float:
    """Return c / r of the excursion around a frame: the run of frames in other structures than the interval's ends."""
    first = last = at
    while structure[first - 1] != left_from:
        first -= 1
    while structure[last + 1] != left_from:
        last += 1
    return count_transitions(structure[first - 1 : last + 2]) / (last - first + 1)
