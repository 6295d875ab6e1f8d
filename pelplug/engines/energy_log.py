"""The energies that a simulation logs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from pelplug.errors import RunError

__all__ = ["EnergyLog"]


@dataclasses.dataclass(frozen=True)
class EnergyLog:
    """Energies at a series of steps.

    Attributes
    ----------
    step : ndarray of int, shape (K,)
        Absolute steps, ascending.
    potential_energy : ndarray, shape (K,)
        Total potential energy U [energy].
    kinetic_temperature : ndarray, shape (K,)
        Of the velocities, ``sum m v**2 / (d (N - 1) k_B)`` [temperature].
    volume, pressure : ndarray, shape (K,), or None
        At constant pressure: volume [length**d], and pressure at that moment [energy / length**d].
    enthalpy : ndarray, shape (K,), or None
        At constant pressure, potential and kinetic energy and P V with the P of the barostat [energy]. Engines leave
        it to the simulation.
    """

    step: np.ndarray
    potential_energy: np.ndarray
    kinetic_temperature: np.ndarray
    volume: np.ndarray | None = None
    pressure: np.ndarray | None = None
    enthalpy: np.ndarray | None = None

    @classmethod
    def empty(cls) -> EnergyLog:
        """Return a log without entries."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0))

    @classmethod
    def of(cls, rows: Iterable[tuple[float, ...]]) -> EnergyLog:
        """Return the log of some steps.

        Parameters
        ----------
        rows : iterable of tuple
            Step, potential energy and kinetic temperature; at constant pressure volume and pressure as well.

        Raises
        ------
        RunError
            If an energy or a temperature is no longer finite.
        """
        rows = list(rows)
        values = np.array(rows, dtype=float).reshape(len(rows), -1 if rows else 3)
        bad = ~np.all(np.isfinite(values), axis=1)
        if np.any(bad):
            raise RunError(f"The energy is not finite at step {int(values[bad][0, 0])}; use a smaller time step.")
        return cls(values[:, 0].astype(np.int64), *np.ascontiguousarray(values[:, 1:].T))

    @classmethod
    def joined(cls, logs: Iterable[EnergyLog]) -> EnergyLog:
        """Join logs end to end; what one of them lacks is left out."""
        logs = [log for log in logs if len(log)] or [cls.empty()]
        columns = [[getattr(log, field.name) for log in logs] for field in dataclasses.fields(cls)]
        joined: list[Any] = [None if any(one is None for one in parts) else np.concatenate(parts) for parts in columns]
        return cls(*joined)

    def __len__(self) -> int:
        return len(self.step)
