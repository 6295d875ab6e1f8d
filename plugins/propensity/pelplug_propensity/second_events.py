"""First and second events: how far apart in space, and in time."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug_propensity.hops import hop_indicator, local_events
from pelplug_propensity.structure import nearest_images, structural_displacement

__all__ = ["Detection", "Events", "PairCounts", "detect", "pair_counts", "successive_pairs"]


@dataclasses.dataclass(frozen=True)
class Detection:
    """What counts as an event.

    Attributes
    ----------
    half : int
        Frames averaged on each side.
    threshold : float
        Of p_hop [length**2].
    structural_threshold : float
        Of the squared displacement of the shell [length**2].
    delay : int
        Frames between the event and the frames averaged on each side for the shell.
    radius : float
        Of the first shell [length].
    matrix : ndarray of bool, shape (N,)
        Particles whose hops are looked at.
    members : ndarray of bool, shape (N,)
        Particles that count as a shell.
    groups : ndarray of int, shape (N,)
        Species.
    """

    half: int
    threshold: float
    structural_threshold: float
    delay: int
    radius: float
    matrix: np.ndarray
    members: np.ndarray
    groups: np.ndarray


@dataclasses.dataclass(frozen=True)
class Events:
    """Local events in the order of time.

    Attributes
    ----------
    frames, particles : ndarray of int, shape (E,)
        First frame after each hop, and who hopped.
    p_hop : ndarray, shape (E,)
        [length**2].
    displacement : ndarray, shape (E,)
        Squared displacement of the particle and its shell; NaN where the frames do not reach far enough [length**2].
    places : ndarray, shape (E, d)
        Mean position of the particle before it hopped, unwrapped [length].
    structural : ndarray of bool, shape (E,)
        Whether the shell has changed.
    """

    frames: np.ndarray
    particles: np.ndarray
    p_hop: np.ndarray
    displacement: np.ndarray
    places: np.ndarray
    structural: np.ndarray

    def chosen(self, structural: bool) -> np.ndarray:
        """Return the indices of all local events, or of the structural ones."""
        return np.flatnonzero(self.structural) if structural else np.arange(len(self.frames))


def detect(positions: np.ndarray, cell: np.ndarray, what: Detection) -> Events:
    """Find the local events of a series of frames, and which of them are structural.

    Parameters
    ----------
    positions : ndarray, shape (F, N, d)
        Unwrapped, evenly spaced in time [length].
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    what : Detection
        What counts.
    """
    chosen = np.flatnonzero(what.matrix)
    indicator = hop_indicator(positions[:, chosen], what.half)
    frames, columns = local_events(indicator, what.threshold)
    particles = chosen[columns]
    places = np.empty((len(frames), positions.shape[2]))
    displacement = np.full(len(frames), np.nan)
    for e, (k, i) in enumerate(zip(frames, particles, strict=True)):
        places[e] = positions[k - what.half : k, i].mean(axis=0)
        first, last = k - what.delay - what.half, k + what.delay + what.half
        if first >= 0 and last <= len(positions):
            before = positions[first : first + what.half].mean(axis=0)
            after = positions[last - what.half : last].mean(axis=0)
            displacement[e] = structural_displacement(before, after, what.groups, i, what.members, cell, what.radius)
    structural = np.nan_to_num(displacement, nan=0.0) > what.structural_threshold
    return Events(frames, particles, indicator[frames, columns], displacement, places, structural)


def successive_pairs(frames: np.ndarray, separation: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of each event and of the next one that is at least `separation` frames later.

    Parameters
    ----------
    frames : ndarray of int, shape (E,)
        In ascending order.
    separation : int
        0 also lets an event in the same frame be the next.
    """
    first = np.arange(len(frames))
    second = np.maximum(np.searchsorted(frames, frames + separation, side="left"), first + 1)
    there = second < len(frames)
    return first[there], second[there]


@dataclasses.dataclass(frozen=True)
class PairCounts:
    """Pairs of a first and a second event by their distance.

    Attributes
    ----------
    observed : ndarray, shape (B,)
        Pairs found, but for those of one particle.
    expected : ndarray, shape (B,)
        Pairs there would be if each other particle of the matrix were as likely to have the second event.
    time_sum, time_square : ndarray, shape (B,)
        Sum of the waiting times and of their squares [frames, frames**2].
    same : int
        Pairs of one particle.
    """

    observed: np.ndarray
    expected: np.ndarray
    time_sum: np.ndarray
    time_square: np.ndarray
    same: int


def pair_counts(positions, cell, events: Events, first, second, what: Detection, width: float, bins: int) -> PairCounts:
    """Count pairs of events by the distance between where both particles were, before each hopped.

    Parameters
    ----------
    positions : ndarray, shape (F, N, d)
        Of `detect` [length].
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    events : Events
        Of `detect`.
    first, second : ndarray of int
        Indices of events, pair by pair.
    what : Detection
        What counts.
    width : float
        Of a bin of the distance [length].
    bins : int
        How many; their end is not to exceed half the smallest height of the cell.
    """
    observed, expected, time_sum, time_square = np.zeros((4, bins))
    chosen = np.flatnonzero(what.matrix)
    same = 0
    for one, other in zip(first, second, strict=True):
        if events.particles[one] == events.particles[other]:
            same += 1
            continue
        k = events.frames[other]
        around = positions[k - what.half : k, chosen].mean(axis=0)
        apart = nearest_images(around - events.places[one], cell)
        distance = np.sqrt(np.sum(apart**2, axis=1))
        others = chosen != events.particles[one]
        expected += np.bincount((distance[others] / width).astype(np.int64), minlength=bins)[:bins] / others.sum()
        place = int(distance[chosen == events.particles[other]][0] / width)
        if place < bins:
            wait = float(k - events.frames[one])
            observed[place] += 1
            time_sum[place] += wait
            time_square[place] += wait**2
    return PairCounts(observed, expected, time_sum, time_square, same)
