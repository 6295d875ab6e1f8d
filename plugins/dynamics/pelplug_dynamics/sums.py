"""Sums over particles and time origins, by lag and by unit, of which independent samples are made."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from pelplug_dynamics.correlate import pair_sums
from pelplug_dynamics.lags import LagPairs, frame_pairs
from pelplug_dynamics.spectral import cost, scattering_by_lag, squares_by_lag

__all__ = ["FIRST_FS", "Asked", "Run", "sums_by_kind"]

FIRST_FS = 4
"""Row of the first wave number, after dr**2, dr**4, overlap and overlap**2."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """What to sum.

    Attributes
    ----------
    wave_numbers : tuple of float, length Q
        [1 / length].
    overlap : float or None
        None leaves dr**4 and the overlap out [length].
    isotropic : bool
        Average cos(q.dr) over all directions; else over the axes.
    """

    wave_numbers: tuple[float, ...]
    overlap: float | None
    isotropic: bool


@dataclasses.dataclass
class Run:
    """One trajectory and the lags.

    Attributes
    ----------
    array : ndarray or memmap, shape (F, d, N)
        Unwrapped positions [length].
    ticks : ndarray of int, shape (F,)
        When the frames are.
    unit : ndarray of int, shape (F,)
        Unit that each frame belongs to as a time origin; never decreases.
    lags : ndarray of int, shape (L,)
        In ticks, increasing.
    """

    array: np.ndarray
    ticks: np.ndarray
    unit: np.ndarray
    lags: np.ndarray

    @functools.cached_property
    def pairs(self) -> LagPairs:
        """All pairs of frames that are one of the lags apart."""
        return frame_pairs(self.ticks, self.lags)

    @functools.cached_property
    def spacing(self) -> int:
        """Ticks between frames that are equally spaced, and of which every lag is a multiple; else 0."""
        steps = np.diff(self.ticks)
        equal = steps.size > 0 and np.all(steps == steps[0]) and not np.any(self.lags % steps[0])
        return int(steps[0]) if equal else 0

    def counts(self, units: int) -> np.ndarray:
        """Return how many pairs of frames there are, by lag and unit."""
        if not self.spacing:
            return self._by_unit(np.ones(self.pairs.lag.size), units)
        bounds = np.searchsorted(self.unit, np.arange(units + 1))
        origins = np.maximum(len(self.ticks) - self.lags // self.spacing, 0)[:, None]
        return (np.clip(origins, bounds[:-1], bounds[1:]) - bounds[:-1]).astype(float)

    @functools.cached_property
    def spans(self) -> np.ndarray:
        """Ticks that the origins of each lag extend over, an interval between them more than their ends; 0 for one."""
        if self.spacing:
            span = self.ticks[-1] + self.spacing - self.lags
            return np.where(span > self.spacing, span, 0).astype(float)
        ends = np.searchsorted(self.pairs.lag, np.arange(self.lags.size + 1))
        number, some = np.diff(ends), np.diff(ends) > 1
        origins, span = self.ticks[self.pairs.first], np.zeros(self.lags.size)
        span[some] = origins[ends[1:][some] - 1] - origins[ends[:-1][some]]
        return span * number / np.maximum(number - 1, 1)

    @property
    def correlations_pay(self) -> bool:
        """Whether correlations of all frames take less time than sums over the pairs of frames."""
        if not self.spacing:
            return False
        pairs = np.maximum(len(self.ticks) - self.lags // self.spacing, 0).sum()
        return bool(pairs > cost(len(self.ticks)) * len(self.ticks))

    def sums(self, particles, asked: Asked, units: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the sums of one species, shape (4 + Q, L, units), and the overlap of each pair of frames."""
        found = np.zeros((FIRST_FS + len(asked.wave_numbers), self.lags.size, units))
        correlated = self.correlations_pay
        squares_too = correlated and asked.overlap is None
        scattering_too = correlated and not asked.isotropic
        overlap = None
        if not (squares_too and (scattering_too or not asked.wave_numbers)):
            wave_numbers = () if scattering_too else asked.wave_numbers
            direct = pair_sums(
                self.array, particles, self.pairs, wave_numbers, asked.overlap, asked.isotropic, not squares_too
            )
            rows = [0, 1, 2, *range(FIRST_FS, FIRST_FS + len(wave_numbers))]
            for row, column in zip(rows, direct.T, strict=True):
                found[row] = self._by_unit(column, units)
            overlap = direct[:, 2]
        if correlated:
            own, starts = np.unique(self.unit, return_index=True)
            lags = self.lags // self.spacing
            lags = lags[lags < len(self.ticks)]
            if squares_too:
                found[0][: lags.size, own] = squares_by_lag(self.array, particles, starts, lags)
            for row, q in enumerate(asked.wave_numbers if scattering_too else (), FIRST_FS):
                found[row][: lags.size, own] = scattering_by_lag(self.array, particles, starts, lags, q)
        return found, overlap

    def squared_overlap(self, overlap, units: int) -> np.ndarray:
        """Return the sums of the squares of what each pair of frames has."""
        return self._by_unit(overlap**2, units)

    def _by_unit(self, values, units: int) -> np.ndarray:
        where = self.pairs.lag * units + self.unit[self.pairs.first]
        return np.bincount(where, values, minlength=self.lags.size * units).reshape(self.lags.size, units)


def sums_by_kind(runs, members, asked: Asked, units: int) -> dict[str, np.ndarray]:
    """Return sums by species, and over all species as "all" if there are several.

    Parameters
    ----------
    runs : sequence of Run
    members : dict of str to ndarray of int
        Particles of each species.
    asked : Asked
    units : int
        How many, in all runs.

    Returns
    -------
    dict of str to ndarray, shape (4 + Q, L, units)
        Rows: dr**2, dr**4, the overlap, its square, and cos(q.dr) of each wave number.
    """
    shape = (FIRST_FS + len(asked.wave_numbers), runs[0].lags.size, units)
    kinds = [*members, *(["all"] if len(members) > 1 else [])]
    found = {kind: np.zeros(shape) for kind in kinds}
    for run in runs:
        together = 0.0
        for kind, particles in members.items():
            sums, overlap = run.sums(particles, asked, units)
            if kinds[-1] == "all":
                found["all"] += sums
            if asked.overlap is not None:
                sums[3] = run.squared_overlap(overlap, units)
                together = together + overlap
            found[kind] += sums
        if asked.overlap is not None and kinds[-1] == "all":
            found["all"][3] += run.squared_overlap(together, units)
    return found
