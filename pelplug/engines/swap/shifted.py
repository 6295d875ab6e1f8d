"""Metropolis moves where pairs see each other at random shifts: neighbours are found among all pairs."""

from __future__ import annotations

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

__all__ = ["ShiftedChain", "metropolis_kernel"]

_MARGIN = 0.5  # of the lists, in units of the diameter, beside what a step may use up


class ShiftedChain(Chain):
    """The Markov chain of single-particle moves of a model with random shifts, positions continuous with the start."""

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
        self.largest_delta = 0.5 * float(start.cell[0, 0])

    def _sweep(self, sweeps: int, sums: np.ndarray) -> np.ndarray:
        term, cell = self.potential.pairwise, self.start.cell
        run = metropolis_kernel(term.truncated, self.start.dimension)
        series, positions = np.empty(sweeps), np.array(self.positions)
        step = math.sqrt(self.start.dimension) * self.delta
        done, moves = 0, sweeps * self.n
        while done < moves:
            near = self.potential.neighbours(positions, cell, 2.0 * step + _MARGIN)
            done = run(
                done, moves, series, self.rng, self.beta, self.delta, positions, near.start, near.owner, near.offset,
                near.built_at, (0.5 * _MARGIN) ** 2, term.cutoff, term.numbers[0, 0], self.counters, sums,
            )  # fmt: skip
        self.positions = positions
        return series

    def identity(self) -> dict:
        """Return what the run depends on, in words and numbers."""
        return {**self._identity(self.start.positions, self.start.cell), "potential": self.potential.record()}


@functools.cache
def metropolis_kernel(form: Form, d: int) -> Callable:
    """Compile moves of single particles over a list of shifted neighbours, for one pair term and dimension."""
    family = Family(form.function, constants=("metropolis", d))
    function = family.use(form.function)

    @family.inline
    def energy_at(place: Any, first: Any, last: Any, positions: Any, owner: Any, offset: Any, cutoff: Any,
                  parameters: Any) -> Any:  # fmt: skip
        energy = 0.0
        for k in range(first, last):
            square = 0.0
            for a in range(d):
                x = positions[owner[k], a] + offset[k, a] - place[a]
                square += x * x
            if square < cutoff * cutoff:
                energy += function(math.sqrt(square), parameters)[0]
        return energy

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def run(begin: Any, end: Any, series: Any, rng: Any, beta: Any, delta: Any, positions: Any, start: Any, owner: Any,
            offset: Any, built_at: Any, limit: Any, cutoff: Any, parameters: Any, counters: Any,
            sums: Any) -> Any:  # fmt: skip
        # Moves begin..end, until one has gone so far that the lists must be made anew; returns where it stopped.
        n = positions.shape[0]
        new = np.empty(d)
        for move in range(begin, end):
            i = np.int64(rng.random() * n)
            for a in range(d):
                new[a] = positions[i, a] + delta * (2.0 * rng.random() - 1.0)
            first, last = start[i, 0], start[i, 1]
            change = energy_at(new, first, last, positions, owner, offset, cutoff, parameters)
            change -= energy_at(positions[i], first, last, positions, owner, offset, cutoff, parameters)
            counters[0] += 1
            departed = 0.0
            if change <= 0.0 or rng.random() < math.exp(-beta * change):
                counters[1] += 1
                sums[0] += change
                for a in range(d):
                    positions[i, a] = new[a]
                    departed += (new[a] - built_at[i, a]) ** 2
            sums[1] = max(sums[1], abs(sums[0]))
            if (move + 1) % n == 0:
                series[move // n] = sums[0]
            if departed >= limit:
                return move + 1
        return end

    return run
