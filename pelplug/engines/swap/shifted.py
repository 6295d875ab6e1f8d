"""Metropolis moves where pairs see each other at random shifts: neighbours are found among all pairs."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.swap.chain import Chain
from pelplug.errors import InputError
from pelplug.execution.compile import Family
from pelplug.potentials.form import Form
from pelplug.potentials.kernels import FASTMATH

__all__ = ["ShiftedChain", "shifted_kernels"]

_COMPLETE = 2048  # particles up to which all pairs are listed once and for all, rather than those near each other
_MARGIN = 0.5  # of the other lists, in units of the cutoff, beside what a step may use up
_CHECKED = 1_000_000  # moves after which the potential itself is asked for the energy


class ShiftedChain(Chain):
    """The Markov chain of single-particle moves of a model with random shifts, positions continuous with the start.

    Its lists are kept from one call to the next. What they are depends on where they were made, which a checkpoint
    holds: a sum over another list has another last digit.
    """

    potential: Any

    def __init__(
        self,
        start: Configuration,
        model: Any,
        temperature: float,
        p_swap: float | None,
        swap_range: float | None,
        delta: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.potential = model.potential(start) if hasattr(model, "potential") else model
        if p_swap or swap_range is not None:
            raise InputError("There is nothing to swap: all particles are alike; leave p_swap and swap_range out.")
        self._begin(start, model, temperature, rng)
        self.start = self.start.replace(positions=start.unwrapped_positions(), images=None)
        self.positions = self.start.positions
        self.p_swap, self.swap_range = 0.0, math.inf
        self.delta = 0.06 if delta is None else delta
        self.length = float(start.cell[0, 0])
        self.largest_delta = 0.5 * self.length
        self._lists: _Lists | None = None
        self._kernels = shifted_kernels(self.potential.pairwise.truncated, start.dimension)

    def _make_lists(self, positions: np.ndarray) -> _Lists:
        term = self.potential.pairwise
        if self.n <= _COMPLETE and term.cutoff <= 0.5 * self.length:
            # At most one image of each is near enough: the nearest.
            if self._lists is None:
                self._lists = _complete(self.potential, self.n, self.length, positions)
        else:
            margin = _MARGIN * term.cutoff
            step = math.sqrt(self.start.dimension) * self.delta
            near = self.potential.neighbours(positions, self.start.cell, 2.0 * step + margin)
            offset = np.ascontiguousarray(near.offset.T)
            self._lists = _Lists(near.start, near.owner, offset, near.built_at, (0.5 * margin) ** 2, 0.0)
        return self._lists

    def tune(self) -> None:
        """Adjust delta to the acceptance since the last time; lists depend on it."""
        super().tune()
        if self._lists is not None and not self._lists.period:
            self._lists = None

    def _sweep(self, sweeps: int, sums: np.ndarray) -> np.ndarray:
        term = self.potential.pairwise
        series, positions = np.empty(sweeps), np.array(self.positions)
        lists = self._lists or self._make_lists(positions)
        done, moves, departed = 0, sweeps * self.n, np.zeros(1, dtype=np.bool_)
        while done < moves:
            done = self._kernels.run(
                done, moves, series, self.rng, self.beta, self.delta, positions, *lists.arrays(), lists.built_at,
                lists.limit, term.cutoff, term.numbers[0, 0], self.counters, sums, departed,
            )  # fmt: skip
            if departed[0]:
                lists, departed[0] = self._make_lists(positions), False
        self.positions = positions
        return series

    def _fresh_energy(self, sweeps: int) -> float:
        """Return the energy by a sum over all lists, and now and then by the potential, which makes its own."""
        every = max(1, _CHECKED // self.n)
        lists, term = self._lists, self.potential.pairwise
        if lists is None or self.done // every < (self.done + sweeps) // every:
            return super()._fresh_energy(sweeps)
        return float(self._kernels.energy(self.positions, *lists.arrays(), term.cutoff, term.numbers[0, 0]))

    def identity(self) -> dict:
        """Return what the run depends on, in words and numbers."""
        return {**self._identity(self.start.positions, self.start.cell), "potential": self.potential.record()}

    def state(self, frames: int) -> dict:
        """Return a checkpoint, with where the lists were made."""
        listed = np.empty((0, self.start.dimension)) if self._lists is None else self._lists.built_at
        return {**super().state(frames), "listed_at": listed}

    def restore(self, items: dict) -> int:
        """Go back to a checkpoint; return its number of frames."""
        frames = super().restore(items)
        self._lists = None
        if len(listed := items.get("listed_at", ())):
            self._make_lists(listed)
        return frames


@dataclasses.dataclass(frozen=True)
class _Lists:
    """Whom each particle may have as a neighbour: entries ``start[i, 0]`` to ``start[i, 1]`` of `owner` and `offset`.

    What is added to a position so that it is where the particle sees it is an `offset`, shape (d, entries), and where
    `period` is not 0, the multiple of it that brings it nearest.
    """

    start: np.ndarray
    owner: np.ndarray
    offset: np.ndarray
    built_at: np.ndarray
    limit: float  # of the squared distance from there
    period: float

    def arrays(self) -> tuple:
        return self.start, self.owner, self.offset, self.period


def _complete(potential: Any, n: int, length: float, positions: np.ndarray) -> _Lists:
    """List all pairs, which serves however far the particles go."""
    i = np.repeat(np.arange(n), n - 1)
    j = np.tile(np.arange(n - 1), n)
    j += j >= i
    offset = length * potential.shifts(j, i, positions.shape[1]).T
    ends = (n - 1) * np.arange(1, n + 1)
    return _Lists(np.column_stack((ends - n + 1, ends)), j, np.ascontiguousarray(offset), positions, math.inf, length)


@dataclasses.dataclass(frozen=True)
class ShiftedKernels:
    """Kernels on the arrays of `_Lists`: ``run`` makes moves, ``energy`` adds up that of a state."""

    run: Callable
    energy: Callable


@functools.cache
def shifted_kernels(form: Form, d: int) -> ShiftedKernels:
    """Compile moves of single particles over a list of shifted neighbours, for one pair term and dimension."""
    family = Family(form.function, form.squared, constants=("metropolis", d))
    function, by_square = family.use(form.function), family.use(form.squared or form.function)
    # In vector registers to find it for all is faster than to ask of each whether it is near; see `swap_kernels`.
    blend = form.squared is not None

    third = min(2, d - 1)

    @family.inline
    def square_of(there: Any, shift: Any, here: Any, period: Any, inverse: Any) -> Any:
        x = there + shift - here
        x -= period * np.rint(x * inverse)
        return x * x

    @family.inline
    def energy_at(place: Any, first: Any, last: Any, positions: Any, owner: Any, offset: Any, period: Any, cutoff: Any,
                  parameters: Any) -> Any:  # fmt: skip
        energy = 0.0
        inverse = 1.0 / period if period > 0.0 else 0.0
        # The compiler uses the registers only along pieces without gaps, where no index may be negative and no other
        # loop is inside.
        row, x, y, z = owner[first:last], offset[0, first:last], offset[1, first:last], offset[third, first:last]
        for k in range(len(row)):
            other = np.uint64(row[k])
            square = square_of(positions[other, 0], x[k], place[0], period, inverse)
            square += square_of(positions[other, 1], y[k], place[1], period, inverse)
            if d > 2:
                square += square_of(positions[other, 2], z[k], place[2], period, inverse)
            if d > 3:
                for a in range(3, d):
                    square += square_of(positions[other, a], offset[a, first + k], place[a], period, inverse)
            if blend:
                u = by_square(square, parameters)[0]
                energy += u if square < cutoff * cutoff else 0.0
            elif square < cutoff * cutoff:
                energy += function(math.sqrt(square), parameters)[0]
        return energy

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def run(begin: Any, end: Any, series: Any, rng: Any, beta: Any, delta: Any, positions: Any, start: Any, owner: Any,
            offset: Any, period: Any, built_at: Any, limit: Any, cutoff: Any, parameters: Any, counters: Any,
            sums: Any, departed: Any) -> Any:  # fmt: skip
        # Moves begin..end, until one has gone so far that the lists must be made anew; returns where it stopped.
        n = positions.shape[0]
        new = np.empty(d)
        for move in range(begin, end):
            i = np.int64(rng.random() * n)
            for a in range(d):
                new[a] = positions[i, a] + delta * (2.0 * rng.random() - 1.0)
            first, last = start[i, 0], start[i, 1]
            change = energy_at(new, first, last, positions, owner, offset, period, cutoff, parameters)
            change -= energy_at(positions[i], first, last, positions, owner, offset, period, cutoff, parameters)
            counters[0] += 1
            gone = 0.0
            if change <= 0.0 or rng.random() < math.exp(-beta * change):
                counters[1] += 1
                sums[0] += change
                for a in range(d):
                    positions[i, a] = new[a]
                    gone += (new[a] - built_at[i, a]) ** 2
            sums[1] = max(sums[1], abs(sums[0]))
            if (move + 1) % n == 0:
                series[move // n] = sums[0]
            if gone >= limit:
                departed[0] = True
                return move + 1
        return end

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def energy(positions: Any, start: Any, owner: Any, offset: Any, period: Any, cutoff: Any,
               parameters: Any) -> Any:  # fmt: skip
        total = 0.0
        for i in range(positions.shape[0]):
            total += energy_at(
                positions[i], start[i, 0], start[i, 1], positions, owner, offset, period, cutoff, parameters
            )
        return 0.5 * total

    return ShiftedKernels(run, energy)
