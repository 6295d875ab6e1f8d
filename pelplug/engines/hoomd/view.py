"""Between a `Configuration` and the arrays of HOOMD-blue: axes of the box, units of mass, particle types."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.cells import upper_triangular
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["HoomdView", "Raw"]

_MOST_TYPES = 256


@dataclasses.dataclass(frozen=True)
class Raw:
    """The state exactly as HOOMD-blue holds it: what makes a continuation equal to an uninterrupted run.

    Attributes
    ----------
    step : int
        Absolute step.
    position : ndarray, shape (N, 3)
        Positions in HOOMD's box, whose centre is the origin [length].
    image : ndarray of int, shape (N, 3)
        Box vectors to add.
    velocity : ndarray, shape (N, 3)
        Velocities [length / time].
    acceleration : ndarray of shape (N, 3) or None
        Accelerations, the noise of a Langevin step included [length / time**2]; None before the first step.
    thermostat : ndarray of shape (2,) or None
        Momentum and position of a Nosé–Hoover thermostat.
    lower : ndarray of shape (d, d) or None
        Box vectors as rows at constant pressure; None where they are those of the start [length].
    barostat : ndarray of shape (6,) or None
        Velocities of the box of a barostat [1 / time].
    """

    step: int
    position: np.ndarray
    image: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray | None = None
    thermostat: np.ndarray | None = None
    lower: np.ndarray | None = None
    barostat: np.ndarray | None = None

    _PREFIX = "hoomd_"

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, as `pelplug.engines.engine.Session.internal` promises."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {self._PREFIX + name: np.asarray(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Raw:
        """Rebuild the state from `to_arrays`."""
        names = {field.name for field in dataclasses.fields(cls)}
        values = {name: arrays.get(cls._PREFIX + name) for name in names}
        missing = sorted(name for name in ("step", "position", "image", "velocity") if values[name] is None)
        if missing:
            raise InputError(
                f"The checkpoint was not written by the engine hoomd (it lacks {', '.join(missing)}); "
                "go on with the engine that wrote it."
            )
        values["step"] = int(values["step"])
        return cls(**values)


class HoomdView:
    """Axes, masses and types in which HOOMD-blue sees a configuration.

    HOOMD-blue wants the first box vector along x and the second in the xy plane. Any other cell is turned, and the
    answers are turned back.

    Parameters
    ----------
    configuration : Configuration
        Two- or three-dimensional.
    model : Model
        For its unit of mass.
    by_mass : bool
        Whether particles of different mass must be of different types (Langevin friction goes by type).

    Attributes
    ----------
    lower : ndarray, shape (d, d)
        Box vectors as rows, lower triangular [length].
    turn : ndarray, shape (d, d)
        ``cell = lower @ turn``.
    masses : ndarray, shape (N,)
        Such that ``m v**2`` is an energy in the model's units.
    types : ndarray of int, shape (N,)
        Type of each particle.
    """

    def __init__(self, configuration: Configuration, model: Model, by_mass: bool = False):
        d = configuration.dimension
        if d not in (2, 3):
            raise InputError(f"HOOMD-blue works in two and three dimensions; the configuration has {d}.")
        self.start = configuration
        self.dimension = d
        self.cell = np.array(configuration.cell)
        self.lower, rotation = upper_triangular(self.cell)
        self.turn = rotation.T
        configuration.require_masses("A simulation needs")
        masses = model.masses_of(configuration)
        self.masses = model.mass_unit * masses
        species = np.unique(configuration.species, return_inverse=True)[1]
        if by_mass:
            keys = np.stack([species, np.unique(masses, return_inverse=True)[1]], axis=1)
            self.types = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
        else:
            self.types = species
        self.n_types = int(self.types.max()) + 1
        if self.n_types > _MOST_TYPES:
            raise InputError(
                f"The configuration has {self.n_types} different masses and species; the engine hoomd takes up to "
                f"{_MOST_TYPES} for the ensemble langevin, so use nvt."
            )
        self.names = [str(k) for k in range(self.n_types)]
        self._first = np.unique(self.types, return_index=True)[1]

    @property
    def n(self) -> int:
        """Number of particles."""
        return len(self.masses)

    def box(self, lower: np.ndarray | None = None) -> list[float]:
        """Return ``Lx, Ly, Lz, xy, xz, yz`` of the start, or of other box vectors; Lz is 0 in two dimensions."""
        h = self.lower if lower is None else lower
        if self.dimension == 2:
            return [h[0, 0], h[1, 1], 0.0, h[1, 0] / h[1, 1], 0.0, 0.0]
        return [h[0, 0], h[1, 1], h[2, 2], h[1, 0] / h[1, 1], h[2, 0] / h[2, 2], h[2, 1] / h[2, 2]]

    def lower_of(self, box: Any) -> np.ndarray:
        """Undo `box`: return box vectors as rows, shape (d, d), of a ``hoomd.Box``."""
        rows = [[box.Lx, 0, 0], [box.xy * box.Ly, box.Ly, 0], [box.xz * box.Lz, box.yz * box.Lz, box.Lz]]
        return np.array(rows, dtype=np.float64)[: self.dimension, : self.dimension]

    @property
    def species(self) -> list[str]:
        """Species of each type."""
        return self.start.species[self._first].tolist()

    def type_masses(self) -> np.ndarray:
        """Return the mass of each type, of use if there is only one."""
        return self.masses[self._first]

    def raw(self, configuration: Configuration) -> Raw:
        """Return a state as HOOMD-blue holds it; its velocities are zero where it has none."""
        d, n = self.dimension, self.n
        fractional = configuration.fractional()
        shift = np.floor(fractional)
        position, velocity, image = np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3), dtype=np.int32)
        if np.array_equal(self.turn, np.eye(d)):
            position[:, :d] = configuration.positions - (shift + 0.5) @ self.lower
        else:
            position[:, :d] = (fractional - shift - 0.5) @ self.lower
        image[:, :d] = shift + (0 if configuration.images is None else configuration.images)
        if configuration.velocities is not None:
            velocity[:, :d] = configuration.velocities @ self.turn.T
        return Raw(configuration.step or 0, position, image, velocity)

    def configuration(self, raw: Raw, time: float | None, velocities: bool) -> Configuration:
        """Return a state in the model's own axes, wrapped into the cell."""
        d = self.dimension
        lower = self.lower if raw.lower is None else raw.lower
        turned = (raw.position[:, :d] + 0.5 * lower.sum(axis=0)) @ self.turn
        state = self.start.replace(
            positions=turned,
            cell=self.cell if raw.lower is None else lower @ self.turn,
            images=raw.image[:, :d],
            velocities=raw.velocity[:, :d] @ self.turn if velocities else None,
            step=raw.step,
            time=time,
            frame=None,
        )
        return state.wrapped()

    def agrees(self, raw: Raw, configuration: Configuration) -> bool:
        """Return whether a raw state is the one that the configuration describes."""
        if raw.position.shape != (self.n, 3) or raw.step != (configuration.step or 0):
            return False
        mine = self.configuration(raw, None, velocities=False)
        if not np.allclose(mine.cell, configuration.cell, rtol=1e-9, atol=1e-9 * np.abs(self.cell).max()):
            return False
        apart = mine.fractional() - configuration.fractional()
        return bool(np.all(np.abs(apart - np.round(apart)) < 1e-5))
