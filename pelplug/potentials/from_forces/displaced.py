"""A potential asked near one state: displaced particles, deformed cells, each answer looked at before it is used."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.answers import asked, energy_and_forces
from pelplug.potentials.base import Potential, potential_name

__all__ = ["DisplacedState", "cutoff_of", "deformed", "spacing"]


def spacing(configuration: Configuration) -> float:
    """Return the typical distance of two particles, ``(V / N)**(1 / d)`` [length]."""
    return float((configuration.volume / configuration.n) ** (1.0 / configuration.dimension))


def cutoff_of(potential: Potential, configuration: Configuration) -> float | None:
    """Return the distance beyond which no two particles of a state interact [length]; None where nobody knows.

    Parameters
    ----------
    potential : Potential
    configuration : Configuration
    """
    found = asked(potential, "reach", configuration)
    return None if found is None or potential.shifted or not 0.0 < found < np.inf else float(found)


def deformed(configuration: Configuration, f: np.ndarray) -> Configuration:
    """Return the state after x -> F x of positions and cell.

    Parameters
    ----------
    configuration : Configuration
    f : ndarray, shape (d, d)
        F.
    """
    return configuration.replace(
        positions=configuration.positions @ f.T, cell=configuration.cell @ f.T, images=None, velocities=None
    )


class DisplacedState:
    """Energy and forces around one state.

    Parameters
    ----------
    potential : Potential
        Asked for energy and forces alone.
    configuration : Configuration
        The state.

    Attributes
    ----------
    energy : float
        Of the state [energy].
    forces : ndarray, shape (N, d)
        Of the state [energy / length].
    evaluations : int
        How often the potential has been asked.

    Raises
    ------
    InputError
        If an answer is not finite, of another shape, or fails.
    """

    def __init__(self, potential: Potential, configuration: Configuration):
        self.potential, self.configuration = potential, configuration
        self.evaluations = 0
        self.energy, self.forces = self.deformed(None)
        self._evaluate = asked(potential, "evaluator", configuration)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, d)."""
        return self.configuration.positions.shape

    def __call__(self, displacement: np.ndarray) -> tuple[float, np.ndarray]:
        """Return energy and forces after a displacement, shape (N, d) [length]."""
        forces = np.empty(self.shape)
        positions = np.ascontiguousarray(self.configuration.positions + displacement)
        energy = float(asked(self._evaluate, "__call__", positions, forces, owner=self.potential))
        return self._looked_at(energy, forces, "where particles are displaced a little")

    def deformed(self, f: np.ndarray | None) -> tuple[float, np.ndarray]:
        """Return energy and forces after x -> F x; of the state itself for None."""
        state = self.configuration if f is None else deformed(self.configuration, f)
        where = "of this state" if f is None else "in a cell that is strained a little"
        return self._looked_at(*energy_and_forces(self.potential, state), where)

    @property
    def name(self) -> str:
        """What the potential is called."""
        return potential_name(self.potential)

    def _looked_at(self, energy: float, forces: np.ndarray, where: str) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        if np.isfinite(energy) and np.all(np.isfinite(forces)):
            return energy, forces
        bad = np.argwhere(~np.isfinite(forces))
        what = "energy" if not np.isfinite(energy) else f"force on particle {bad[0][0]}"
        raise InputError(
            f"The potential {self.name} gives no finite {what} {where}; look for overlapping particles, or correct "
            "energy_forces()."
        )
