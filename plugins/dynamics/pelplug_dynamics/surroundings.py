"""Motion against the particles around: cage-relative displacements, and bonds between neighbours that last."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_dynamics.correlate import isotropic_average
from pelplug_dynamics.kernels import against_neighbours, lasting_bonds
from pelplug_dynamics.variables import AROUND, CAGES

__all__ = ["BONDS", "CAGED", "FIRST_FS", "LASTING", "NEIGHBOURS", "SQUARES", "Around", "Source", "sums_around"]

CAGED, NEIGHBOURS, SQUARES, BONDS, LASTING, FIRST_FS = range(6)
"""Rows of the sums; those of F_s, one for each wave number, come last."""


@dataclasses.dataclass(frozen=True)
class Around:
    """What to sum.

    Attributes
    ----------
    radii : ndarray, shape (S, S), or None
        How far the first shell of each pair of species reaches [length]; None for no cages.
    bonds : (float, float) or None
        r / sigma_ij within which two particles are bonded at the origin, and within which the bond lasts; or None.
    wave_numbers : tuple of float, length Q
        [1 / length].
    isotropic : bool
        Average cos(q.dr) over all directions; else over the axes.
    """

    radii: np.ndarray | None
    bonds: tuple[float, float] | None
    wave_numbers: tuple[float, ...]
    isotropic: bool

    def found(self, estimates, reading, threshold: float) -> dict:
        """Return the curves of one species by name, with errors, and what is read off them.

        Parameters
        ----------
        estimates : AroundEstimates
        reading : Reading
            Of these.
        threshold : float
            Of F_s.
        """
        found = reading.around(self.wave_numbers, threshold, self.bonds is not None)
        if self.radii is not None:
            found["cage_size"] = estimates.cage_size
        for name, curve in AROUND.items():
            there = self.radii is not None if name in CAGES else self.bonds is not None
            if there and (curve != "fs" or self.wave_numbers):
                found[name] = getattr(estimates.curves, curve)
                found[f"{name}_error"] = getattr(estimates.errors, curve)
        return found


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the frames of a run are read again, of which the neighbours are.

    Attributes
    ----------
    trajectory : Trajectory
    frames : list of int
        Numbers of the frames.
    cells : ndarray, shape (F, d, d)
        Their cell vectors [length].
    scale : LengthScale or None
        sigma_ij, where bonds are asked.
    """

    trajectory: object
    frames: list[int]
    cells: np.ndarray
    scale: pelplug.LengthScale | None


class _Neighbours:
    """Who is near whom in one frame.

    Parameters
    ----------
    state : Configuration
    kind : ndarray of int, shape (N,)
        Species of each particle, a row of the radii.
    around : Around
    scale : LengthScale or None
    """

    def __init__(self, state, kind, around: Around, scale):
        reach = 0.0 if around.radii is None else around.radii.max()
        if around.bonds is not None:
            reach = max(reach, around.bonds[0] * scale.largest)
        near = pelplug.near_pairs(state.wrapped().positions, state.cell, reach)
        if around.radii is not None:
            one = near.take(near.distances < around.radii[kind[near.i], kind[near.j]])
            centre, other = np.concatenate([one.i, one.j]), np.concatenate([one.j, one.i])
            order = np.argsort(centre, kind="stable")
            self.first = np.searchsorted(centre[order], np.arange(state.n + 1))
            self.other = other[order]
            self.number = np.diff(self.first).astype(float)
            images = np.concatenate([one.images, -one.images])
            self.image = np.stack([np.bincount(centre, column, minlength=state.n) for column in images.T])
            self.image /= np.maximum(self.number, 1.0)
        if around.bonds is not None:
            sigma = scale.of(near.i, near.j)
            chosen = near.distances < around.bonds[0] * sigma
            self.bonds = near.take(chosen)
            self.limits = (around.bonds[1] * sigma[chosen]) ** 2
            self.bonded = np.bincount(np.concatenate([self.bonds.i, self.bonds.j]), minlength=state.n).astype(float)

    def sums(self, moved, change, kind: np.ndarray, kinds: int, around: Around) -> np.ndarray:
        """Return sums over the particles of each species, shape (5 + Q, S).

        Parameters
        ----------
        moved : ndarray, shape (d, N)
            Displacements [length].
        change : ndarray, shape (d, d), or None
            By how much the cell vectors have changed, with which the image of a neighbour moves [length].
        kind, kinds, around
            Species of each particle, how many there are, and what to sum.
        """
        found = np.zeros((FIRST_FS + len(around.wave_numbers), kinds))

        def add(row, values):
            found[row] = np.bincount(kind, values, minlength=kinds)

        if around.radii is not None:
            caged, apart = (self.number > 0).astype(float), np.empty_like(moved)
            against_neighbours(moved, self.first, self.other, apart)
            if change is not None:
                apart -= change.T @ self.image
            squares = np.einsum("kn,kn->n", apart, apart)
            add(CAGED, caged)
            add(NEIGHBOURS, self.number)
            add(SQUARES, squares)
            for row, q in enumerate(around.wave_numbers, FIRST_FS):
                if around.isotropic:
                    scattered = isotropic_average(q * np.sqrt(squares), len(moved))
                else:
                    scattered = np.cos(q * apart).mean(axis=0)
                add(row, caged * scattered)
        if around.bonds is not None:
            lasting = np.zeros(moved.shape[1])
            vectors = self.bonds.vectors if change is None else self.bonds.vectors + self.bonds.images @ change
            lasting_bonds(moved, self.bonds.i, self.bonds.j, vectors, self.limits, lasting)
            add(BONDS, self.bonded)
            add(LASTING, lasting)
        return found


def sums_around(runs, sources, members, around: Around, units: int) -> dict[str, np.ndarray]:
    """Return sums over time origins by species, and over all species as "all" if there are several.

    The neighbours are those at each time origin, whose frame is read again: no more than one is in memory.

    Parameters
    ----------
    runs : sequence of Run
    sources : sequence of Source
        Of each.
    members : dict of str to ndarray of int
        Particles of each species, in the order of the radii.
    around : Around
    units : int
        How many, in all runs.

    Returns
    -------
    dict of str to ndarray, shape (5 + Q, L, units)
        Rows: particles that have neighbours, these neighbours, squares of cage-relative displacements, bonds, those
        that last, and cos(q.dr) of each wave number. A bond counts once for each of its two particles.
    """
    kind = np.empty(sum(one.size for one in members.values()), dtype=np.int64)
    for number, particles in enumerate(members.values()):
        kind[particles] = number
    total = np.zeros((len(members), FIRST_FS + len(around.wave_numbers), runs[0].lags.size, units))
    for run, source in zip(runs, sources, strict=True):
        pairs = run.pairs
        changes = np.ptp(source.cells, axis=0).any()
        order = np.argsort(pairs.first, kind="stable")
        bounds = np.searchsorted(pairs.first[order], np.arange(len(run.ticks) + 1))
        for origin in range(len(run.ticks)):
            mine = order[bounds[origin] : bounds[origin + 1]]
            if mine.size == 0:
                continue
            state = source.trajectory.configuration(source.frames[origin])
            near = _Neighbours(state, kind, around, source.scale)
            second, start = pairs.second[mine], np.array(run.array[origin])
            values = np.empty((mine.size, *total.shape[1::-1]))

            change = source.cells[second] - source.cells[origin] if changes else [None] * mine.size

            def work(begin, end, near, second, start, values, array, change):
                for k in range(begin, end):
                    values[k] = near.sums(array[second[k]] - start, change[k], kind, len(members), around)

            pelplug.run_ranges(work, mine.size, near, second, start, values, run.array, change, serial_below=2)
            total[:, :, pairs.lag[mine], run.unit[origin]] += values.T
    found = dict(zip(members, total, strict=True))
    return found | ({"all": total.sum(axis=0)} if len(members) > 1 else {})
