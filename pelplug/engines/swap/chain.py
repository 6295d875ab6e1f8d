"""The state of one Markov chain of displacements and swaps, and how it goes on."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.swap.inputs import edges_of, pair_potential, swap_range_of, swap_share
from pelplug.errors import InputError, RunError

__all__ = ["Chain"]

_TARGET = 0.4  # share of displacements to accept


class Chain:
    """The state of one Markov chain."""

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
        from pelplug.engines.swap.kernels import swap_kernels

        self.potential: Any = pair_potential(start, model)
        edges = edges_of(start)
        wrapped = start.wrapped().positions
        # Rounding may leave a position on the upper face, which is the lower one.
        wrapped = np.where(wrapped < edges, np.maximum(wrapped, 0.0), 0.0)
        self._begin(start.replace(positions=wrapped, images=None), model, temperature, rng)
        p = self.potential
        if p.per_particle:
            self.payload = np.array(start.diameters)
            size = float(self.payload.mean())
            reach = p.cutoff * float(self.payload.max())
        else:
            names = p.species or start.species_names
            self.payload = np.array([names.index(name) for name in start.species], dtype=np.float64)
            size, reach = float(p.sigma.min()), p.cutoff
            if not p.species:  # one table for all
                self.payload[:] = 0.0
        self.edges, self.reach = edges, reach
        if np.min(edges) < 2.0 * reach:
            raise InputError(
                f"The box is only {np.min(edges):.6g} wide, less than two cutoffs ({2 * reach:.6g}), and Monte Carlo "
                "moves see one image of each neighbour; use a larger system."
            )
        self.swap_range = swap_range_of(swap_range, p.per_particle)
        self.p_swap = swap_share(p_swap, self.payload, self.swap_range)
        self.delta = 0.06 * size if delta is None else delta
        self.largest_delta = 0.5 * float(np.min(edges))
        self.kernels = swap_kernels(p.truncated, start.dimension, p.mixing)

    def _begin(self, start: Configuration, model: Any, temperature: float, rng: np.random.Generator) -> None:
        self.rng = rng
        self.beta = 1.0 / (getattr(model, "boltzmann", 1.0) * temperature)
        self.n = start.n
        self.start = start.replace(velocities=None, time=None, frame=None, step=None)
        self.positions = self.start.positions
        self.counters = np.zeros(4, dtype=np.int64)
        self.drift = 0.0
        self.energy = self.potential.energy(self.start)
        self.energies: list[np.ndarray] = []
        self.done = self.tuned = 0  # sweeps, and after how many of them delta was last adjusted

    def configuration(self, step: int) -> Configuration:
        """Return the present state."""
        return self.start.replace(positions=self.positions, step=step)

    def tune(self) -> None:
        """Adjust delta to the acceptance since the last time."""
        if self.counters[0] > 0:
            ratio = self.counters[1] / self.counters[0] / _TARGET
            self.delta = min(self.delta * min(max(ratio, 0.5), 1.5), self.largest_delta)
        self.counters[:] = 0
        self.tuned = self.done

    def advance(self, sweeps: int) -> None:
        """Make sweeps and compare the energy with a fresh evaluation; what comes next depends on `state` alone."""
        sums = np.array([self.energy, abs(self.energy)])
        series = self._sweep(sweeps, sums)
        fresh = self._fresh_energy(sweeps)
        difference = abs(fresh - sums[0])
        scale = max(sums[1], self.n / self.beta if self.beta > 0 else 0.0)
        if not difference <= 1e-8 * scale:
            raise RunError(
                f"The energy added up from {sweeps} sweeps is {sums[0]:.12g}, but the configuration has "
                f"{fresh:.12g}; report it with the seed."
            )
        self.drift = max(self.drift, difference / self.n)
        self.energy = series[-1] = fresh
        self.energies.append(series)
        self.done += sweeps

    def _fresh_energy(self, sweeps: int) -> float:
        """Return the energy of the present state [energy], after ``sweeps`` that are not counted in `done` yet."""
        return self.potential.energy(self.configuration(0))

    def _sweep(self, sweeps: int, sums: np.ndarray) -> np.ndarray:
        from pelplug.engines.swap.slots import Slots

        p, done, moves = self.potential, 0, sweeps * self.n
        series, pending = np.empty(sweeps), np.full(1, -1)
        slots = Slots.build(self.positions, self.payload, self.edges, self.reach, self.delta, self.kernels)
        while done < moves:
            done = self.kernels.run(
                done, moves, series, self.rng, self.beta, self.delta, self.p_swap, self.swap_range,
                *slots.lists(), slots.label, p._inverse_sigma, p.numbers, p._cutoff_squared,
                self.counters, sums, pending,
            )  # fmt: skip
            while pending[0] >= 0:
                slots.grow()
                if self.kernels.relist(int(pending[0]), *slots.lists()):
                    pending[0] = -1
        self.positions = slots.positions()
        return series

    def identity(self) -> dict:
        """Return what the run depends on, in words and numbers."""
        p = self.potential
        arrays = (self.start.positions, self.edges, self.payload, p.sigma, p.pair_cutoff, p.numbers)
        return {"form": p.form.name, "truncation": p.truncation, **self._identity(*arrays)}

    def _identity(self, *arrays: np.ndarray) -> dict:
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return {
            "beta": self.beta, "delta": self.delta, "p_swap": self.p_swap, "swap_range": self.swap_range,
            "data": digest.hexdigest(),
            "rng": self.rng.bit_generator.state,
        }  # fmt: skip

    def state(self, frames: int) -> dict:
        """Return a checkpoint: all that decides how the run goes on, and what it has to report."""
        return {
            "positions": self.positions, "energies": np.concatenate(self.energies), "counters": self.counters,
            "numbers": np.array([self.energy, self.delta, self.drift]),
            "sweeps": np.array([self.done, self.tuned, frames]),
            "rng": json.dumps(self.rng.bit_generator.state, default=np.ndarray.tolist),
        }  # fmt: skip

    def restore(self, items: dict) -> int:
        """Go back to a checkpoint; return its number of frames."""
        self.positions, self.energies, self.counters = items["positions"], [items["energies"]], items["counters"]
        self.energy, self.delta, self.drift = (float(value) for value in items["numbers"])
        self.done, self.tuned, frames = (int(value) for value in items["sweeps"])
        self.rng.bit_generator.state = json.loads(str(items["rng"]))
        return frames
