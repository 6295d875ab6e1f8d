"""A potential asked near one state: displaced particles, deformed cells, each answer looked at before it is used."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, PelplugError
from pelplug.potentials.answers import energy_and_forces
from pelplug.potentials.base import Potential, potential_name

__all__ = ["DisplacedState", "deformed", "spacing"]


def spacing(configuration: Configuration) -> float:
    """Return the typical distance of two particles, ``(V / N)**(1 / d)`` [length]."""
    return float((configuration.volume / configuration.n) ** (1.0 / configuration.dimension))


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
        try:
            self._evaluate = potential.evaluator(configuration)
        except PelplugError:
            raise
        except Exception as error:
            raise self._failed("evaluator", error) from error

    @property
    def shape(self) -> tuple[int, int]:
        """(N, d)."""
        return self.configuration.positions.shape

    def __call__(self, displacement: np.ndarray) -> tuple[float, np.ndarray]:
        """Return energy and forces after a displacement, shape (N, d) [length]."""
        forces = np.empty(self.shape)
        try:
            energy = float(self._evaluate(np.ascontiguousarray(self.configuration.positions + displacement), forces))
        except PelplugError:
            raise
        except Exception as error:
            raise self._failed("energy_forces", error) from error
        return self._looked_at(energy, forces, "where particles are displaced a little")

    def deformed(self, f: np.ndarray | None) -> tuple[float, np.ndarray]:
        """Return energy and forces after x -> F x; of the state itself for None."""
        state = self.configuration if f is None else deformed(self.configuration, f)
        energy, forces = energy_and_forces(self.potential, state)
        return self._looked_at(energy, forces, "of this state" if f is None else "in a cell that is strained a little")

    @property
    def name(self) -> str:
        """What the potential is called."""
        return potential_name(self.potential)

    def _looked_at(self, energy: float, forces: np.ndarray, where: str) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        if np.isfinite(energy) and np.all(np.isfinite(forces)):
            return energy, forces
        what = (
            "energy" if not np.isfinite(energy) else f"force on particle {int(np.argwhere(~np.isfinite(forces))[0][0])}"
        )
        raise InputError(
            f"The potential {self.name} gives no finite {what} {where}; look for overlapping particles, or correct "
            "energy_forces()."
        )

    def _failed(self, method: str, error: Exception) -> InputError:
        said = " ".join(str(error).split()) or type(error).__name__
        return InputError(f"The potential {self.name} failed in {method}(): {said} ({type(error).__name__}).")
