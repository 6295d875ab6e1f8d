"""Frames of MDAnalysis's own readers in the shape pelplug's readers give them."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np

from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.base import RawFrame, about_frame, is_flat, reduce_to_plane
from pelplug.trajectories.readers.boxes import cell_of
from pelplug.trajectories.readers.conversion import program_of_dcd
from pelplug.trajectories.readers.identity import order_by_id

__all__ = ["GenericFrames", "cell_in"]


def cell_in(ts) -> np.ndarray | None:
    """Cell vectors (rows) of a timestep: those of the file, else the ones its lengths and angles mean, or None."""
    for key in ("pelplug_cell", "pelplug_vectors"):
        if key in ts.data:
            return ts.data[key]
    return cell_of(ts.dimensions)


class GenericFrames:
    """Gives the data of a timestep of an MDAnalysis reader as `FrameReader` has them in ``ts.data``.

    Parameters
    ----------
    reader : MDAnalysis.coordinates.base.ReaderBase
        The reader, which is at its first frame.
    name : str
        Format.
    dt : float or None
        Time of one simulation step [time].
    """

    def __init__(self, reader, name: str, dt: float | None):
        self.dt = dt
        # DCD gives the number of the frame for the step; the header tells the true one.
        header = reader._file.header if name == "DCD" else None
        self._first = None if header is None else int(header["istart"])
        self._stride = None if header is None else int(header["nsavc"])
        self._has_time = "time" in reader.ts.data
        # LAMMPS and HOOMD-blue write the time step in units of their own, which MDAnalysis takes for CHARMM's.
        own = name == "DCD" and program_of_dcd(reader) is not None
        self._step_time = float(f"{header['delta']:.7g}") if own else None
        if len(reader) == 1:
            reader.ts.frame = 0  # some readers of files with one frame leave -1
        # LAMMPS's NetCDF has the AMBER convention's variables and ids, which MDAnalysis does not look at.
        self._reader, self.has_ids = reader, name in ("NCDF", "NC") and "id" in reader.trjfile.variables
        self._flat = is_flat(_array(reader.ts, "positions"), cell_in(reader.ts))
        if self._flat and len(reader) > 1:  # a slab may start from particles in a plane
            with contextlib.suppress(InputError):  # that frame alone is damaged
                last = self.seek(reader, len(reader) - 1, reader.filename)
                self._flat = is_flat(_array(last, "positions"), cell_in(last))
            reader[0]
        self.dimension = 2 if self._flat else 3

    def data(self, ts) -> dict:
        """Return positions, cell, velocities, step and time of a timestep under pelplug's keys."""
        frame = RawFrame(
            positions=_array(ts, "positions"),
            cell=cell_in(ts),
            velocities=_array(ts, "velocities") if ts.has_velocities else None,
        )
        if self.has_ids:
            order = order_by_id(self._reader.trjfile.variables["id"][ts.frame])
            frame.positions = frame.positions[order]
            frame.velocities = None if frame.velocities is None else frame.velocities[order]
        if self._flat:
            try:
                frame = reduce_to_plane(frame)
            except InputError as error:
                raise InputError(f"Frame {ts.frame}: {error}.") from None
        result: dict[str, Any] = {"pelplug_positions": frame.positions}
        if frame.cell is not None:
            result["pelplug_cell"] = frame.cell
        if frame.velocities is not None:
            result["pelplug_velocities"] = frame.velocities
        step = ts.data.get("step") if self._first is None else self._first + ts.frame * self._stride
        if step is not None:
            result["step"] = int(step)
        if self.dt is not None and step is not None:
            result["pelplug_time"] = self.dt * int(step)
        elif self._step_time is not None and step is not None:
            result["pelplug_time"] = self._step_time * int(step)
        elif self._has_time:
            result["pelplug_time"] = float(ts.time)
        return result

    def ids(self, number: int) -> np.ndarray | None:
        """Return the ids of a frame, ascending, or None."""
        if not self.has_ids:
            return None
        return np.sort(np.array(self._reader.trjfile.variables["id"][number], dtype=np.int64))

    @staticmethod
    def seek(reader, number: int, path):
        """Go to a frame; what a damaged file makes MDAnalysis raise becomes one sentence."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return reader[number]
        except InputError:
            raise
        except Exception as error:
            reason = reason_of(error)
            why = f"it cannot be read ({reason}); the file is truncated or damaged, use the frames before it."
            raise InputError(about_frame(number, path, why)) from None


def _array(ts, name: str) -> np.ndarray:
    """Positions or velocities as they lie in the file, where MDAnalysis's are turned too (`vectors.keep_vectors`)."""
    if not getattr(ts, f"has_{name}"):
        raise InputError(
            f"Frame {ts.frame} has no {name}, only velocities or forces; write a trajectory of the frames that have "
            "them (gmx trjconv does)."
        )
    unturned = ts.data.get("pelplug_unturned", {})
    return np.asarray(unturned[name] if name in unturned else getattr(ts, name), dtype=np.float64)
