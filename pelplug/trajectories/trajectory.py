"""Trajectories: anything MDAnalysis reads, frame by frame, as `Configuration` in double precision."""

from __future__ import annotations

import dataclasses
import functools
import operator
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, overload

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.checksum import kept_checksum
from pelplug.core.conditions import Conditions
from pelplug.core.outside import parse_record
from pelplug.errors import InputError
from pelplug.trajectories.converted import ConvertedFrames
from pelplug.trajectories.followed import FollowedParticles
from pelplug.trajectories.readers.base import FrameReader
from pelplug.trajectories.readers.conversion import conversion_of
from pelplug.trajectories.readers.generic import GenericFrames
from pelplug.trajectories.readers.labels import LABELS, choose_labels, rename
from pelplug.trajectories.readers.times import check_times
from pelplug.trajectories.recorded import RecordedConditions
from pelplug.trajectories.selection import SelectedFrames
from pelplug.trajectories.source import Source

__all__ = ["Trajectory"]

_OTHERS = "the frame is damaged, use the frames before or after it (--stop, --start) or repair it"


class Trajectory(ConvertedFrames, RecordedConditions, FollowedParticles, SelectedFrames):
    """Frames of a file, read when asked for; made by `open_trajectory`.

    Indexing and slicing give `Configuration` objects; iteration streams, so that memory does not grow with the
    number of frames. A trajectory pickles, and opens its file again in the other process.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    topology : pathlib.Path or None
        The topology file, if one was given.
    format : str
        The format it was read as.
    universe : MDAnalysis.Universe
        The same frames for MDAnalysis (float32; z = 0 in two dimensions).
    species : ndarray of str, shape (N,)
        Species of every particle in the first frame.
    dimension : int
        Dimension of space.
    source : Source
        How it is read, as it was said: species, dt, frame_interval, units, masses, positions, order_is_kept.
    units : Units
        What the configurations are in, as far as file, topology or the user say; see `in_units`.
    model_record : dict or None
        The model that pelplug recorded in the file.
    """

    def __init__(
        self, path: str | os.PathLike[str], universe: Any, source: Source, *, format: str, extra: dict
    ) -> None:
        self._followed: set[bytes] = set()  # selections of frames whose particles are known to be the same
        self.path = Path(path)
        self.source = source
        self.topology = source.topology
        self.format = format
        self.universe = universe
        self._given = Conditions()
        self._extra = extra  # what the topology supplies: cell, labels, masses
        own = isinstance(universe.trajectory, FrameReader)
        self._generic = None if own else GenericFrames(universe.trajectory, format, source.dt)
        self.dimension = (universe.trajectory if self._generic is None else self._generic).dimension
        self.model_record = universe.trajectory.model_record() if own else None
        self._conversion = conversion_of(self)
        ts = self.reader[0]
        self._handed = self._handedness(ts)
        self._kind = self._choose_labels(ts)
        self.species = self._species(ts)
        self.species.setflags(write=False)
        if source.dt is not None and self._step(ts) is None:
            raise InputError(
                f"{self.path} records no simulation steps, so dt (--dt) cannot be turned into times; say how far its "
                "frames are apart instead (--frame-interval TIME, frame_interval= in Python)."
            )

    @property
    def dt(self) -> float | None:
        """Time of one simulation step, where it was given [time]."""
        return self.source.dt

    @property
    def frame_interval(self) -> float | None:
        """Time from one frame to the next, where it was given [time]."""
        return self.source.frame_interval

    @property
    def positions(self) -> str:
        """What the positions were said to be."""
        return self.source.positions

    @property
    def order_is_kept(self) -> bool:
        """Whether rows without ids were said to be the same particles in every frame."""
        return self.source.order_is_kept

    @property
    def reader(self) -> Any:
        """The MDAnalysis reader; what an analysis hands to `AnalysisBase`."""
        return self.universe.trajectory

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.reader)

    @property
    def n(self) -> int:
        """Number of particles N."""
        return self.reader.n_atoms

    @property
    def species_names(self) -> tuple[str, ...]:
        """The names of the species in the first frame, sorted."""
        return tuple(str(name) for name in np.unique(self.species))

    def configuration(self, frame: int) -> Configuration:
        """Read one frame.

        Parameters
        ----------
        frame : int
            Frame number; negative numbers count from the end.

        Returns
        -------
        Configuration
            Its `frame` is the number counted from the start.

        Raises
        ------
        InputError
            If there is no such frame, or it is damaged or has no periodic box.
        """
        return self.configuration_of(self._seek(self._number(frame)))

    def configuration_of(self, timestep: Any) -> Configuration:
        """Turn the timestep that `reader` shows into a `Configuration`.

        Parameters
        ----------
        timestep : MDAnalysis.coordinates.timestep.Timestep
            A timestep of `reader`, as an analysis gets it.

        Returns
        -------
        Configuration

        Raises
        ------
        InputError
            If the frame has no periodic box, is not periodic in every direction, or has a NaN.
        """
        data = timestep.data if self._generic is None else self._generic.data(timestep)
        where = f"Frame {timestep.frame} of {self.path}"
        cell = data.get("pelplug_cell")
        if cell is None:
            if self._handed is not None:
                raise InputError(f"{where} has no periodic box, but frame 0 has: {_OTHERS}.")
            cell = self._extra.get("cell")
            if cell is None:
                raise InputError(
                    f"{where} has no periodic box; pass a topology with one (--topology, such as GRO or LAMMPS data), "
                    'or write extxyz with Lattice="...".'
                )
            cell = cell[: self.dimension, : self.dimension]
        images, unwrapped = data.get("pelplug_images"), data.get("pelplug_unwrapped")
        if self.positions != "auto":
            images, unwrapped = None, self.positions == "unwrapped"
        periodic = data.get("pelplug_periodic")
        if periodic is not None and not all(periodic):
            axis = "xyz"[list(periodic).index(False)]
            raise InputError(
                f"{where} is not periodic along {axis}; pelplug treats periodic systems, so give a trajectory of one."
            )
        masses = data.get("pelplug_masses", self._extra.get("masses"))
        try:
            configuration = Configuration(
                data["pelplug_positions"],
                cell,
                self._species(timestep),
                diameters=data.get("pelplug_diameters", self._extra.get("diameters")),
                masses=masses,
                charges=data.get("pelplug_charges", self._extra.get("charges")),
                velocities=data.get("pelplug_velocities"),
                images=images,
                frame=int(timestep.frame),
                step=self._step(timestep),
                time=self._time(timestep.frame, data),
            )
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if self._handed is not None and np.sign(np.linalg.det(configuration.cell)) != self._handed:
            raise InputError(f"{where} has a box of negative volume, as against frame 0: {_OTHERS}.")
        return self._conversion(configuration.wrapped() if unwrapped else configuration)

    def cell_of_file(self, frame: int) -> np.ndarray | None:
        """Return the cell vectors that the file itself records for a frame, None if it does not."""
        ts = self._seek(self._number(frame))
        return (ts.data if self._generic is None else self._generic.data(ts)).get("pelplug_cell")

    @property
    def ignored(self) -> dict[str, int]:
        """What acts between the particles by file and topology and is in no model: bonds, angles, charges."""
        return self._extra.get("ignored") or getattr(self.reader, "ignored", {})

    def check_times(self, frames: Any, times: Any, steps: Any = None) -> None:
        """Refuse times that do not grow from frame to frame; the sentence says what can be done.

        Parameters
        ----------
        frames : sequence of int
            Frame numbers.
        times : sequence of float or None
            Their times [time].
        steps : sequence of int or None, optional
            Their steps.

        Raises
        ------
        InputError
            If a frame has no time, or one is not later than that before it.
        """
        check_times(times, frames, self.path, steps)

    def log(self, frame: int) -> dict:
        """Return what else the file records for a frame.

        Parameters
        ----------
        frame : int
            Frame number; negative numbers count from the end.

        Returns
        -------
        dict
            GSD: logged quantities by name. LAMMPS dump: the remaining columns. Others: empty.
        """
        number = self._number(frame)
        return self.reader.log(number) if self._generic is None else {}

    @functools.cached_property
    def simulation_record(self) -> dict | None:
        """What `pelplug simulate` recorded in the file: temperature, time step, seed, engine, equilibration."""
        record = self.log(0).get("pelplug/simulation") if self.n_frames else None
        if record is None:
            return None
        return parse_record(np.asarray(record, dtype=np.uint8).tobytes())

    def has(self, quantity: str) -> bool:
        """Tell whether frames carry "positions", "velocities", "images", "diameters", "masses", "charges" or times."""
        quantity = quantity.lower()
        ts = self.reader.ts
        data = ts.data if self._generic is None else self._generic.data(ts)
        if quantity in ("step", "steps"):
            return self._step(ts) is not None
        if quantity in ("time", "times"):
            return self._time(ts.frame, data) is not None
        if quantity == "images" and self.positions != "auto":
            return self.positions == "unwrapped"
        if quantity == "images" and data.get("pelplug_unwrapped"):
            return True
        if quantity in ("masses", "diameters", "charges") and quantity in self._extra:
            return True
        return f"pelplug_{quantity}" in data

    def checksum(self) -> str:
        """Return the SHA-256 of the file, "sha256:...".

        Above 1 GiB it is taken of the size and the first and last 16 MiB, and begins with "sha256-sampled:".
        """
        own = getattr(self.reader, "checksum", None)  # of what is no file
        return kept_checksum(self.path) if own is None else own()

    def open_another(self, path: str | os.PathLike[str], timed: bool = True) -> Trajectory:
        """Open a further file of the same system as this one was opened: topology, species, dt and all the rest.

        Parameters
        ----------
        path : path_like
            The file; a `format` that was given counts where the name ends as this one's does.
        timed : bool, optional
            Whether its times matter; where they do not, `dt` and `frame_interval` are left out.

        Returns
        -------
        Trajectory

        Raises
        ------
        InputError
            As `open_trajectory`.
        """
        same_kind = Path(path).suffix.lower() == self.path.suffix.lower()
        changes: dict[str, Any] = {} if same_kind else {"format": None}
        if not timed:
            changes |= {"dt": None, "frame_interval": None}
        from pelplug.trajectories.opening import open_trajectory

        source = dataclasses.replace(self.source, **changes)
        return open_trajectory(path, source=source).under(self._given).in_units(self.units, self._conversion.model)

    def close(self) -> None:
        """Close the file."""
        self.reader.close()

    def __len__(self) -> int:
        return self.n_frames

    @overload
    def __getitem__(self, key: int) -> Configuration: ...

    @overload
    def __getitem__(self, key: slice) -> list[Configuration]: ...

    def __getitem__(self, key: int | slice) -> Configuration | list[Configuration]:
        if isinstance(key, slice):
            return [self.configuration(number) for number in range(*key.indices(self.n_frames))]
        return self.configuration(key)

    def __iter__(self) -> Iterator[Configuration]:
        return (self.configuration(number) for number in range(self.n_frames))

    def __enter__(self) -> Trajectory:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Trajectory {self.path.name}: {self.n_frames} frames, N = {self.n}, d = {self.dimension}, "
            f"species {', '.join(self.species_names)}>"
        )

    def _number(self, frame: Any) -> int:
        try:
            frame = operator.index(frame)
        except TypeError:
            raise InputError(f"A frame number is a whole number, not {frame!r}.") from None
        if not -self.n_frames <= frame < self.n_frames:
            raise InputError(
                f"There is no frame {frame} in {self.path}, which has {self.n_frames} "
                f"{'frame' if self.n_frames == 1 else 'frames'}; ask for 0 to {self.n_frames - 1} or a negative number "
                "from the end."
            )
        return frame % self.n_frames

    def _seek(self, number: int) -> Any:
        if self._generic is None:
            return self.reader[number]
        return self._generic.seek(self.reader, number, self.path)

    def _step(self, ts: Any) -> int | None:
        data = ts.data if self._generic is None else self._generic.data(ts)
        return data.get("step")

    def _time(self, number: int, data: Any) -> float | None:
        """Time of a frame: what was said about the frames, else what the file records."""
        return data.get("pelplug_time") if self.frame_interval is None else self.frame_interval * number

    def _handedness(self, ts: Any) -> float | None:
        """Sign of the volume that the cell vectors of a frame span, None where there is none."""
        data = ts.data if self._generic is None else self._generic.data(ts)
        cell = data.get("pelplug_cell")
        if cell is None or not np.all(np.isfinite(cell)):
            return None
        with np.errstate(all="ignore"):
            return float(np.sign(np.linalg.det(cell))) or None

    def _choose_labels(self, ts: Any) -> str:
        candidates = {kind: ts.data[kind] for kind in ts.data if kind in LABELS}
        candidates.update(self._extra.get("labels", {}))
        return choose_labels(candidates, self.source.species, self.path)

    def _species(self, ts: Any) -> np.ndarray:
        labels = ts.data.get(self._kind)
        if labels is None:
            labels = self._extra.get("labels", {}).get(self._kind)
        if labels is None:
            raise InputError(f"Frame {ts.frame} of {self.path} does not tell the species; write it as frame 0 is.")
        return rename(labels, self.source.species)
