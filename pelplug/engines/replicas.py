"""Many copies of one system in one simulation, without any force between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.configuration import PER_PARTICLE, Configuration
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.potentials.base import Capability, Evaluator, Potential

__all__ = ["ReplicatedModel", "replicated", "split"]


def replicated(configurations) -> Configuration:
    """Put configurations of the same particles into one, one after the other, in the same cell.

    Raises
    ------
    InputError
        If they have different cells or species.
    """
    first = configurations[0]
    for other in configurations[1:]:
        if not np.array_equal(other.cell, first.cell) or not np.array_equal(other.species, first.species):
            raise InputError("Replicas must have the same cell and the same particles.")

    def joined(name):
        values = [getattr(one, name) for one in configurations]
        return None if any(value is None for value in values) else np.concatenate(values)

    return first.replace(**{name: joined(name) for name in PER_PARTICLE})


def split(configuration: Configuration, copies: int) -> list[Configuration]:
    """Return the replicas that `replicated` has put together."""
    n = configuration.n // copies
    found = []
    for k in range(copies):
        part = slice(k * n, (k + 1) * n)
        changed = {
            name: getattr(configuration, name)[part]
            for name in PER_PARTICLE
            if getattr(configuration, name) is not None
        }
        found.append(configuration.replace(**changed))
    return found


class ReplicatedModel:
    """A model whose particles are several copies of a system that do not interact: engines run it by its kernel.

    Parameters
    ----------
    model : Model
        The interactions within a copy.
    copies : int
        How many.
    """

    def __init__(self, model: Model, copies: int):
        self.model, self.copies = model, copies
        self.name, self.units = f"{copies} times {model.name}", model.units
        self.boltzmann, self.mass_unit, self.time_step = model.boltzmann, model.mass_unit, model.time_step
        self.masses_of = model.masses_of
        self.dimension, self.needs_diameters = model.dimension, model.needs_diameters

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if a copy does not fit the model."""
        self.model.check(split(configuration, self.copies)[0])

    def potential(self, configuration: Configuration) -> ReplicatedPotential:
        """Return the sum of the copies' energies."""
        return ReplicatedPotential(self.model.potential(split(configuration, self.copies)[0]), self.copies)


class ReplicatedPotential(Potential):
    """The sum of the potential energies of copies of a system, each by itself; derivatives are asked of the copies."""

    capabilities = Capability.EVALUATOR

    def __init__(self, potential: Potential, copies: int):
        self.one, self.copies, self.cutoff = potential, copies, potential.cutoff
        self.units, self.force_jumps = potential.units, potential.force_jumps

    def record(self) -> dict[str, Any]:
        """Return the record of one copy and how many there are."""
        return {"copies": self.copies, "of": self.one.record()}

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return an evaluator of all copies."""
        return _ReplicatedEvaluator([self.one.evaluator(part) for part in split(configuration, self.copies)])

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return the sum of the energies [energy] and all forces, shape (copies * N, d) [energy / length]."""
        parts = [self.one.energy_forces(part) for part in split(configuration, self.copies)]
        return sum(energy for energy, _ in parts), np.concatenate([forces for _, forces in parts])


class _ReplicatedEvaluator(Evaluator):
    def __init__(self, parts: list[Evaluator]):
        self._parts = parts

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        n = len(positions) // len(self._parts)
        total = 0.0
        for k, part in enumerate(self._parts):
            total += part(positions[k * n : (k + 1) * n], forces[k * n : (k + 1) * n])
        self.evaluations += 1
        return total
