"""States that are in memory already, as a trajectory: configurations, or atoms of ASE."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import SYSTEMS, Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.ase_files import frame_of_atoms
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.detect import load_topology
from pelplug.trajectories.source import Source
from pelplug.trajectories.trajectory import Trajectory

__all__ = ["MemoryReader", "in_memory"]

_FIELDS = ("positions", "cell", "images", "velocities", "diameters", "masses", "charges")


def in_memory(given: Any, source: Source) -> Trajectory | None:
    """Return the trajectory that states are, or None where they are something else.

    Parameters
    ----------
    given : Configuration, ase.Atoms, or a list or tuple of the one or the other
    source : Source
        How they are read; there is no ``format`` and no ``topology``.

    Raises
    ------
    InputError
        If they are of both kinds, or of different numbers of particles.
    """
    states = list(given) if isinstance(given, list | tuple) else [given]
    atoms = [_are_atoms(one) for one in states]
    known = [of_ase or isinstance(one, Configuration) for one, of_ase in zip(states, atoms, strict=True)]
    if not (states and any(known)):
        return None
    if not all(known) or any(atoms) != all(atoms):
        raise InputError("A list of states has either configurations, or atoms of ASE, and nothing else.")
    if source.format is not None or source.topology is not None:
        raise InputError("States in memory have no format and no topology; give these for files only.")
    name = "atoms in memory" if all(atoms) else "configurations in memory"
    frames = [frame_of_atoms(one) if all(atoms) else _frame_of(one) for one in states]
    counts = [len(frame.positions) for frame in frames]
    if other := [k for k, count in enumerate(counts) if count != counts[0]]:
        raise InputError(
            f"State {other[0]} of the {name} has {counts[other[0]]} particles, but frame 0 has {counts[0]}; analyse "
            "states of one system together."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # guesses of MDAnalysis, as for files
        reader = MemoryReader(frames, name, SYSTEMS["metal"] if all(atoms) else Units(), source.dt)
        universe, extra = load_topology(None, reader)
        universe.trajectory = reader
        return Trajectory(name, universe, source, format="MEMORY", extra=extra)


def _are_atoms(given: Any) -> bool:
    return hasattr(given, "positions") and callable(getattr(given, "get_atomic_numbers", None))


def _frame_of(state: Configuration) -> RawFrame:
    """Return a configuration as a frame."""
    arrays = {name: getattr(state, name) for name in _FIELDS}
    return RawFrame(
        **arrays, labels={"names": state.species}, step=state.step, time=state.time, dimension=state.dimension
    )


class MemoryReader(FrameReader):
    """Reader of frames that are there.

    Parameters
    ----------
    frames : sequence of RawFrame
    name : str
        What sentences call them.
    units : Units
        What their numbers are in.
    time_step : float, optional
        As of `FrameReader`.
    """

    label = "states in memory"

    def __init__(self, frames: Sequence[RawFrame], name: str, units: Units, time_step: float | None = None):
        self._frames, self.stated_units = list(frames), units
        super().__init__(name, time_step)
        self.filename = name

    def _open(self) -> None:
        self._count = len(self._frames)

    def _load(self, frame: int) -> RawFrame:
        return self._frames[frame]

    def checksum(self) -> str:
        """Return the SHA-256 of all frames, "sha256:..."."""
        digest = hashlib.sha256()
        for frame in self._frames:
            for name, value in sorted(vars(frame).items()):
                for array in value.values() if isinstance(value, dict) else [value]:
                    digest.update(f"{name} {np.shape(array)} ".encode())
                    digest.update(b"" if array is None else np.asarray(array).tobytes())
        return f"sha256:{digest.hexdigest()}"
