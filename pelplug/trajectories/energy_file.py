"""What a file of energies says: one record a run, through which every reader passes."""

from __future__ import annotations

import array
import dataclasses
from collections.abc import Iterator

import numpy as np

from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.trajectories.energy_series import EnergyChunk, EnergyOrigin

__all__ = ["EnergyFile", "EnergyRows", "EnergyRun"]

_CHUNK = 65_536
_LAMMPS = "LAMMPS units "


class EnergyRows:
    """Steps or times with their energies, appended one by one at 16 bytes each."""

    def __init__(self) -> None:
        self._values = array.array("d")

    def add(self, at: float, energy: float) -> None:
        """Append one entry."""
        self._values.append(at)
        self._values.append(energy)

    @property
    def last(self) -> float:
        """The last step or time."""
        return self._values[-2]

    def __len__(self) -> int:
        return len(self._values) // 2

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return steps or times, and energies, each of shape (K,)."""
        values = np.array(self._values).reshape(-1, 2)
        return np.ascontiguousarray(values[:, 0]), np.ascontiguousarray(values[:, 1])


@dataclasses.dataclass
class EnergyRun:
    """One run: what its energies are, and the entries.

    Attributes
    ----------
    at, energy : ndarray, shape (K,)
        Steps or times, and potential energies.
    time_step : float or None
        Time of one step; 1 where entries are told by their times.
    n : int or None
        Number of particles.
    extensive : bool or None
        Whether energies are of the whole system; None if nobody said.
    units : str
        In words.
    energy_unit, time_unit : str or None
        Names of units, where they are known.
    minimisation : bool
        Whether entries are iterations of a minimiser, which have no time.
    problem : str or None
        Why this run is no series, as a sentence.
    open : bool
        Whether its end has not been seen yet.
    """

    at: np.ndarray
    energy: np.ndarray
    time_step: float | None = None
    n: int | None = None
    extensive: bool | None = None
    units: str = "that of the file"
    energy_unit: str | None = None
    time_unit: str | None = None
    minimisation: bool = False
    problem: str | None = None
    open: bool = False


@dataclasses.dataclass
class EnergyFile:
    """All runs of a file, in its order.

    Attributes
    ----------
    source : str
        The file.
    runs : list of EnergyRun
    """

    source: str
    runs: list[EnergyRun]

    def series(self, block: str | int) -> tuple[EnergyOrigin, Iterator[EnergyChunk]]:
        """Return the energies of all runs, or of one, and what is known of them.

        Which run is wanted is looked at first; what is amiss with another one is nobody's business.

        Parameters
        ----------
        block : "all" or int
            Every run of molecular dynamics, or one: 0 the first, -1 the last.

        Raises
        ------
        InputError
            If there is no such run, it is a minimisation, or runs do not belong together.
        """
        chosen = self._chosen(block)
        for run in chosen:
            if run.problem is not None:
                raise InputError(f"{self.source}: {run.problem}")
        n = self._same([run.n for run in chosen], "particles")
        time_step = self._same([run.time_step for run in chosen], "a time step")
        units = self._same([run.units for run in chosen], "units")
        extensive = {run.extensive for run in chosen}
        if len(extensive) == 2 and None not in extensive and n is not None:  # both per particle and total: made total
            scales = [1.0 if run.extensive else float(n) for run in chosen]
            extensive = {True}
        else:
            scales = [1.0] * len(chosen)
        origin = EnergyOrigin(self.source, time_step=time_step, n=n, unit=units or "that of the file")
        origin.extensive = extensive.pop() if len(extensive) == 1 else None
        origin.system = _system(chosen[0])
        left = [number for number, run in enumerate(self.runs) if run.minimisation]
        if left and block == "all":
            origin.note = f"run {', '.join(map(str, left))} left out, a minimisation"
        return origin, _chunks(chosen, scales)

    def _chosen(self, block) -> list[EnergyRun]:
        runs, dynamic = self.runs, [run for run in self.runs if not run.minimisation]
        which = ", ".join(str(number) for number, run in enumerate(runs) if not run.minimisation)
        if not runs:
            raise InputError(f"{self.source} has no energies; check that the run got so far.")
        if not dynamic:
            raise InputError(
                f"{self.source} holds minimisations only, whose iterations have no time; give the log of a simulation."
            )
        if block == "all":
            return dynamic
        if not -len(runs) <= block < len(runs):
            many = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}"
            raise InputError(
                f"{self.source} has {many}; --block is from 0 to {len(runs) - 1}, or negative from the end."
            )
        if runs[block].minimisation:
            raise InputError(
                f"Run {block} of {self.source} is a minimisation, whose iterations have no time; pass --block with one "
                f"of {which}."
            )
        return [runs[block]]

    def _same(self, values: list, what: str):
        """Return what all runs have in common; None where one does not say."""
        told = {value for value in values if value is not None}
        if len(told) > 1:
            words = " and of ".join(
                f"{value:.10g}" if isinstance(value, float) else str(value) for value in sorted(told)
            )
            which = [number for number, run in enumerate(self.runs) if not run.minimisation]
            raise InputError(
                f"{self.source} has runs of {words} ({what.removeprefix('a ')}); choose one with --block (one of "
                f"{', '.join(map(str, which))}; -1 is the last)."
            )
        return told.pop() if told and None not in values else None


def _system(run: EnergyRun) -> Units:
    """Return the units of a run as far as names of them are known."""
    for given in (
        {"energy": run.energy_unit, "time": run.time_unit},
        {"energy": run.energy_unit},
        {"time": run.time_unit},
    ):
        try:
            if run.units.startswith(_LAMMPS):
                return Units.of(run.units.removeprefix(_LAMMPS))
            return Units(**given)
        except InputError:  # a word in brackets that is no unit
            continue
    return Units()


def _chunks(runs: list[EnergyRun], scales: list[float]) -> Iterator[EnergyChunk]:
    for run, scale in zip(runs, scales, strict=True):
        for start in range(0, len(run.at), _CHUNK):
            stop = start + _CHUNK
            yield EnergyChunk(run.at[start:stop], scale * run.energy[start:stop], begins=start == 0)
