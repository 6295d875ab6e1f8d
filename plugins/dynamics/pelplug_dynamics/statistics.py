"""Means over time origins, chi_4, and their errors over independent samples: blocks of origins, or whole runs."""

from __future__ import annotations

import abc
import dataclasses
from typing import Self

import numpy as np

import pelplug

__all__ = ["LONGEST", "UNITS", "Averages", "Curves", "Estimates", "Rows", "Samples", "units_in", "units_of"]

UNITS = 20
"""Stretches of equal time of which the blocks of a trajectory are made; an origin belongs to the one it is in."""

LONGEST = 0.25
"""Share of a run up to which its blocks tell an error."""

_NEARLY = 0.25  # of a block: at a quarter of the run three are not to be lost to rounding
_MEMORIES = 3.0  # (1 - s/t)**2 has with so many the integral of exp(-s/memory)
_WIDEST = 0.7  # relative error of chi_4 up to which it is widened
_TAIL = 0.2  # overlap below which chi_4 hangs on the few slowest stretches
_MANY = 20  # samples of which some are slow enough


def units_in(runs: int) -> int:
    """Return how many units so many runs have together; see `units_of`."""
    return runs if runs >= pelplug.FEWEST_FOR_INTERVAL else runs * UNITS


def units_of(ticks: np.ndarray, run: int, runs: int) -> np.ndarray:
    """Return the unit of each frame of a run: `UNITS` stretches of each, or whole runs where there are five or more.

    Parameters
    ----------
    ticks : ndarray of int, shape (F,)
        When the frames are.
    run, runs : int
        Number of the run, and how many there are.
    """
    if runs >= pelplug.FEWEST_FOR_INTERVAL:
        return np.full(len(ticks), run)
    return run * UNITS + np.minimum(ticks * UNITS // max(int(ticks[-1]), 1), UNITS - 1)


@dataclasses.dataclass(frozen=True)
class Rows:
    """Functions of the lag, which is the last axis; several choices of samples may be the first."""

    def row(self, k: int) -> Self:
        """Return those of one choice of samples."""
        return type(self)(*(getattr(self, field.name)[k] for field in dataclasses.fields(self)))


@dataclasses.dataclass(frozen=True)
class Curves(Rows):
    """Functions of the lag.

    Attributes
    ----------
    msd : ndarray, shape (..., L)
        Mean squared displacement [length**2].
    alpha_2 : ndarray, shape (..., L)
        Non-Gaussian parameter ``d <dr**4> / ((d + 2) <dr**2>**2) - 1``.
    fs : ndarray, shape (..., Q, L)
        Self-intermediate scattering function.
    overlap : ndarray, shape (..., L)
        Share of particles that moved less than the overlap length.
    chi_4 : ndarray, shape (..., L)
        ``n (<Q**2> - <Q>**2)`` of that share over origins.
    """

    msd: np.ndarray
    alpha_2: np.ndarray
    fs: np.ndarray
    overlap: np.ndarray
    chi_4: np.ndarray


class Samples:
    """Which time origins are independent of each other, lag by lag.

    The origins of each run are cut into blocks of equal length, at most `UNITS` and none shorter than the lag. Where a
    liquid is fast it stays fast for a while: blocks are three memories longer if there are three of that length.

    Displacements from neighbouring blocks still share some of the motion. By how much the scatter of the blocks tells
    too little of the error of their mean follows from the correlation ``(1 - s/t)**2`` of the squared displacements of
    a random walk over lags t from origins s apart, t being three memories longer than the lag, and is made good.

    Where there are five runs or more, each is one sample.

    Parameters
    ----------
    runs : sequence of Run
        Their units are those of `units_of`.
    squares : ndarray, shape (L, U)
        Sums of the squared displacement of a particle, the mean over all [length**2].
    length : float
        Mean distance ``rho**(-1/d)`` [length].

    Attributes
    ----------
    lags : ndarray of int, shape (L,)
        In ticks.
    counts : ndarray, shape (L, U)
        Pairs of frames by lag and unit.
    number : ndarray of int, shape (L,)
        Independent samples.
    known : ndarray of bool, shape (L,)
        Lags that have an error: three samples or more and, of blocks, up to a quarter of the longest run, which the
        memory must not exceed either.
    widening : ndarray, shape (L,)
        Error of a mean over what the scatter of the samples says.
    runs : int
        How many.
    duration : int
        Of the longest, in ticks.
    memory : float
        Ticks in which particles move by half the mean distance, about as long as they keep their surroundings;
        infinite if they do not move so far.
    of : str
        What the samples are.
    """

    def __init__(self, runs, squares: np.ndarray, length: float):
        self.runs, self.whole = len(runs), len(runs) >= pelplug.FEWEST_FOR_INTERVAL
        self.lags = lags = runs[0].lags
        self.duration = max(int(run.ticks[-1]) for run in runs)
        self.counts = sum(run.counts(units_in(len(runs))) for run in runs)
        there = (self.counts > 0).reshape(lags.size, len(runs), -1)
        self._filled, self._rank = there.sum(axis=2), np.cumsum(there, axis=2) - 1
        self._blocks, self.widening = self._filled, np.ones(lags.size)
        self.of = f"the {len(runs)} runs"
        self.memory = _memory(lags, squares.sum(axis=1) / self.counts.sum(axis=1), length)
        if not self.whole:
            spans = np.stack([run.spans for run in runs], axis=1)
            reach = lags + _MEMORIES * min(self.memory, self.duration)
            most, blocks = (spans / one[:, None] + _NEARLY for one in (lags, reach))
            blocks = np.clip(np.maximum(blocks, np.minimum(most, pelplug.FEWEST_FOR_ERROR)).astype(int), 1, UNITS)
            self._blocks = np.minimum(blocks, self._filled)
            origins = self.counts.reshape(there.shape).sum(axis=2)
            self.widening = _widening(reach, spans, origins, self._blocks)
            self.of = f"blocks of {'the run' if len(runs) == 1 else f'each of the {len(runs)} runs'}"
        self.number = self._blocks.sum(axis=1)
        self.known = self.number >= pelplug.FEWEST_FOR_ERROR
        if not self.whole:
            self.known &= (lags <= self._longest) & (not self.forgets_too_late)

    @property
    def _longest(self) -> float:
        return LONGEST * self.duration * (1 + 1e-9)

    @property
    def forgets_too_late(self) -> bool:
        """Whether the runs are too short for blocks of them to be independent of each other."""
        return not self.whole and self.memory > self._longest

    @property
    def method(self) -> str:
        """How errors are found, in words."""
        if self.whole:
            return "jackknife over independent runs"  # whose number is that of samples
        return f"jackknife over {self.of}, each at least as long as the lag; none beyond a quarter of the run"

    def blocks(self, lag: int) -> tuple[int, ...]:
        """Return how many blocks the error at a lag, of that index, has of each run."""
        return (1,) * self._blocks.shape[1] if self.whole else tuple(int(one) for one in self._blocks[lag])

    def places(self, blocks: tuple[int, ...], lags) -> np.ndarray:
        """Return the block that each unit belongs to at some lags, shape (l, U); of no meaning where it has no origins.

        Where a lag has fewer units with origins than there are to be blocks, some blocks are empty.
        """
        rank, filled = np.maximum(self._rank[lags], 0), np.maximum(self._filled[lags], 1)
        place = rank * np.array(blocks)[:, None] // filled[:, :, None]
        place += np.concatenate([[0], np.cumsum(blocks)[:-1]])[:, None]
        return place.reshape(len(place), -1)

    def merged(self, parts: np.ndarray, blocks: tuple[int, ...], lags) -> np.ndarray:
        """Return sums over the blocks, shape (B, R, l), of those over the units, shape (R, L, U), at some lags."""
        share = (self.places(blocks, lags)[:, :, None] == np.arange(sum(blocks))).astype(float)
        return (parts[:, lags].transpose(1, 0, 2) @ share).transpose(2, 1, 0)

    def errors(self, jackknife: pelplug.Jackknife, values: np.ndarray, lag) -> np.ndarray:
        """Return standard errors of what was read at a lag, or at several along the last axis."""
        with np.errstate(invalid="ignore"):
            found = jackknife.error(values, self.number[lag]) * self.widening[lag]
        return np.where(self.known[lag], found, np.nan)


class Averages(abc.ABC):
    """Curves of one species, of all samples and without each of them.

    Parameters
    ----------
    samples : Samples
    sums : ndarray, shape (rows, L, U)
        Of which a subclass makes the curves.

    Attributes
    ----------
    curves, errors : Rows
        Functions of the lag, and their standard errors.
    """

    def __init__(self, samples: Samples, sums: np.ndarray):
        self.samples, self._sums = samples, sums
        self._of: dict[tuple[int, ...], Rows] = {}
        self.curves = self._curves(self._sums.sum(axis=2)[None], samples.counts.sum(axis=1)[None]).row(0)
        self.errors = type(self.curves)(*(np.full_like(one, np.nan) for one in dataclasses.astuple(self.curves)))
        choices: dict[tuple[int, ...], list[int]] = {}
        for k in np.flatnonzero(samples.known):
            choices.setdefault(samples.blocks(k), []).append(k)
        for blocks, lags in choices.items():
            jackknife, found = self._without_each(blocks, lags)
            for field in dataclasses.fields(self.curves):
                error = samples.errors(jackknife, getattr(found, field.name), lags)
                getattr(self.errors, field.name)[..., lags] = error

    @abc.abstractmethod
    def _curves(self, sums: np.ndarray, counts: np.ndarray) -> Rows:
        """Return curves of sums, shape (R, rows, L), over so many origins, shape (R, L)."""

    def read(self, get, lag: int):
        """Return the standard error of what is read off the curves up to a lag, of that index.

        Parameters
        ----------
        get : callable
            Of `curves`: a number or an array, NaN where there is none.
        lag : int
            The last that is looked at.
        """
        blocks = self.samples.blocks(lag)
        if not self.samples.known[lag]:
            return np.full(np.shape(get(self.curves)), np.nan)
        if blocks not in self._of:
            self._of[blocks] = self._without_each(blocks, np.arange(len(self.samples.counts)))[1]
        curves = self._of[blocks]
        rows = np.array([get(curves.row(k)) for k in range(sum(blocks) + 1)])
        return self.samples.errors(pelplug.Jackknife(sum(blocks)), rows, lag)

    def _without_each(self, blocks, lags) -> tuple[pelplug.Jackknife, Rows]:
        jackknife = pelplug.Jackknife(sum(blocks))
        sums, counts = (
            jackknife.sums(self.samples.merged(one, blocks, lags)) for one in (self._sums, self.samples.counts[None])
        )
        return jackknife, self._curves(sums, counts[:, 0])


class Estimates(Averages):
    """The curves of one species.

    Parameters
    ----------
    samples : Samples
    sums : ndarray, shape (4 + Q, L, U)
        Of `sums_by_kind`.
    particles : int
        Number in the sums.
    dimension : int
        d.
    """

    curves: Curves
    errors: Curves

    def __init__(self, samples: Samples, sums: np.ndarray, particles: int, dimension: int):
        self.dimension, self.particles = dimension, particles
        mean = sums / particles
        mean[3] /= particles
        super().__init__(samples, mean)
        self._correct()

    def _curves(self, sums, counts) -> Curves:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / counts[:, None]
            msd, fourth, overlap, squares = np.moveaxis(means[:, :4], 1, 0)
            alpha_2 = self.dimension * fourth / ((self.dimension + 2.0) * msd**2) - 1.0
        chi_4 = np.where(counts > 1, self.particles * np.maximum(squares - overlap**2, 0.0), np.nan)
        return Curves(msd=msd, alpha_2=alpha_2, fs=means[:, 4:], overlap=overlap, chi_4=chi_4)

    def _correct(self) -> None:
        """Add to chi_4 what the mean overlap of few independent origins takes off, and widen its error.

        ``<Q>**2`` has on average the variance of the mean too much. The error of a variance is small where the variance
        happens to be; what holds as often on both sides is wider by ``1/(1 - r**2)``, r the relative error. Where the
        overlap is nearly gone few samples have much of it, and of fewer than twenty none says how many others would.
        """
        student = pelplug.student_factor(np.maximum(self.samples.number, 2))
        of_mean = np.where(np.isfinite(self.errors.overlap), self.errors.overlap / student, 0.0)
        self.curves.chi_4[:] += self.particles * of_mean**2
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.minimum(self.errors.chi_4 / self.curves.chi_4, _WIDEST)
        self.errors.chi_4[:] /= 1.0 - np.nan_to_num(relative) ** 2
        self.errors.chi_4[self.in_tail] = np.nan

    @property
    def in_tail(self) -> np.ndarray:
        """Lags, shape (L,), at which too few samples have any overlap left to tell the error of chi_4."""
        return self.samples.known & (self.curves.overlap < _TAIL) & (self.samples.number < _MANY)


def _memory(lags: np.ndarray, msd: np.ndarray, length: float) -> float:
    """Return when the MSD is a quarter of the square of a length, in ticks; infinite if it does not reach that."""
    target = 0.25 * length**2
    there = np.flatnonzero(msd >= target)
    if there.size == 0:
        return np.inf
    last = there[0] + 1
    return float(np.interp(target, np.append(0.0, msd[:last]), np.append(0.0, lags[:last])))


def _widening(lags: np.ndarray, spans: np.ndarray, origins: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return the standard error of a mean over what independent blocks with the same scatter would have.

    Parameters
    ----------
    lags : ndarray, shape (L,)
        Up to which displacements from two origins are correlated, in ticks.
    spans : ndarray, shape (L, R)
        Ticks over which the origins of each run extend.
    origins : ndarray, shape (L, R)
        How many there are, taken to be at equal intervals.
    blocks : ndarray of int, shape (L, R)
        Into how many they are cut.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        lag = lags[:, None] * origins / spans
        total, share = blocks.sum(axis=1), origins / origins.sum(axis=1, keepdims=True)
        of_mean = np.nansum(share**2 * _variance(origins, lag), axis=1)
        between = np.nansum(blocks * _variance(origins / blocks, lag), axis=1) / total - of_mean
        found = np.sqrt(np.maximum(of_mean * (total - 1) / between, 1.0))
    return np.where((total > 1) & (between > 0), found, 1.0)


def _variance(origins: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """Return the variance of a mean over origins at equal intervals over that of one, the lag in intervals too.

    The sum of ``2 (1 - s/m) (1 - s/t)**2`` over s from 1 to the lesser of m, the number of origins, and the lag t.
    """
    n = np.floor(np.minimum(origins, lag))
    first, second, third = n * (n + 1) / 2, n * (n + 1) * (2 * n + 1) / 6, (n * (n + 1) / 2) ** 2
    shared = n - first * (1 / origins + 2 / lag) + second * (1 / lag + 2 / origins) / lag - third / (origins * lag**2)
    return (1.0 + 2.0 * shared) / origins
