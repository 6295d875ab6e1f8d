"""The series of inherent structures of one run or several: what was found in each, and all in one row."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from pelplug_inherent_structures.bisection import Sampled
from pelplug_inherent_structures.identity import Catalogue, displacements

__all__ = ["Found", "Row", "together"]


@dataclasses.dataclass(frozen=True)
class Found:
    """What the search found in the frames of one run.

    Attributes
    ----------
    labels, times : ndarray, shape (F,)
        Frames, by their number through all runs, and when they are [time].
    series : ndarray of int, shape (F,)
        Structure of each, as the catalogue numbers them; -1 where there is none.
    energies : dict of int to float
        Of the frames that were quenched, by their place [energy].
    quenched, failed : int
        Frames that were quenched, and those of which the quench failed.
    sampled : Sampled
        What the random sample said.
    images : dict of int to ndarray, or None
        Of the particles in the inherent structures of frames that were quenched, by their place, beyond those of the
        catalogue; None if they could not be followed from frame to frame.
    """

    labels: np.ndarray
    times: np.ndarray
    series: np.ndarray
    energies: dict[int, float]
    quenched: int
    failed: int
    sampled: Sampled
    images: dict[int, np.ndarray] | None = None


class Row:
    """Frames of all runs in a row, those without a structure left out.

    Parameters
    ----------
    runs : sequence of Found
        In order.
    catalogue : Catalogue
        Of the structures of all of them.

    Attributes
    ----------
    labels, times, run, place : ndarray, shape (F,)
        Number of each frame through all runs, its time [time], its run, and its place among the run's.
    structure : ndarray of int, shape (F,)
        Structures, numbered by first visit.
    energy : ndarray, shape (F,)
        [energy]
    quenched : ndarray of int, shape (F,)
        Whether the frame itself was quenched.
    changes, starts, ends : ndarray of int
        Frames after which the structure changes within a run; first and last frame of each visit; as places in the row.
    own : ndarray
        Energy of each structure [energy].
    """

    def __init__(self, runs: Sequence[Found], catalogue: Catalogue):
        kept = [np.flatnonzero(one.series >= 0) for one in runs]
        self.run = np.repeat(np.arange(len(runs)), [len(one) for one in kept])
        self.place = np.concatenate(kept)
        pairs = list(zip(runs, kept, strict=True))
        self.labels, self.times, series = (
            np.concatenate([getattr(one, name)[places] for one, places in pairs])
            for name in ("labels", "times", "series")
        )
        # Numbers by first visit, whatever the order in which the search met the structures.
        numbers, first, structure = np.unique(series, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), dtype=int)
        rank[order] = np.arange(len(order))
        self.structure, self.found = rank[structure], numbers[order]
        self.own = np.array(catalogue.energies)[self.found]
        own = self.own[self.structure]
        measured = [(one.energies, place) for one, places in pairs for place in places.tolist()]
        self.quenched = np.array([place in energies for energies, place in measured], dtype=np.int8)
        self.energy = np.array([energies.get(place, one) for (energies, place), one in zip(measured, own, strict=True)])
        here = self.run[1:] == self.run[:-1]
        self.changes = np.flatnonzero((np.diff(self.structure) != 0) & here)
        borders = np.flatnonzero((np.diff(self.structure) != 0) | ~here)
        self.starts, self.ends = np.r_[0, borders + 1], np.r_[borders, len(self.run) - 1]
        self._catalogue, self._runs = catalogue, runs

    def path(self) -> tuple[np.ndarray, np.ndarray]:
        """Return positions along the visits, continuous in each run, and the drift-free step of each transition."""
        cell, visited = self._catalogue.cell, self.found[self.structure[self.starts]]
        positions, steps = [], []
        for number in np.unique(self.run):
            mine = np.flatnonzero(self.run[self.starts] == number)
            states = np.array([self._catalogue.positions[k] for k in visited[mine]])
            images = self._runs[number].images
            if images is None:
                moves = jumps = np.array([displacements(a, b, cell) for a, b in itertools.pairwise(states)])
                moves = jumps = moves.reshape(-1, *states[0].shape)
            else:
                first, last = (
                    np.array([images[place] for place in self.place[ends[mine]].tolist()])
                    for ends in (self.starts, self.ends)
                )
                # From the first frame of a visit to that of the next, and from its last one: within a visit a particle
                # may have gone round the cell.
                moves, jumps = (np.diff(states, axis=0) + (first[1:] - of[:-1]) @ cell for of in (first, last))
                moves, jumps = (some - some.mean(axis=1, keepdims=True) for some in (moves, jumps))
            still = np.zeros((1, *states[0].shape))
            positions.append(states[0] + np.concatenate([still, moves.cumsum(axis=0)]))
            steps.append(jumps)
        return np.concatenate(positions), np.concatenate(steps)


def together(samples: Sequence[Sampled]) -> Sampled:
    """Return what the samples of several runs say together."""
    total = [sum(values) for values in zip(*(dataclasses.astuple(one) for one in samples), strict=True)]
    skipped, size, missed, transitions, _, found = total
    error = float(np.sqrt(sum(one.error**2 for one in samples)))
    return Sampled(skipped, size, missed, transitions, error, found)
