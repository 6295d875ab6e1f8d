"""Frames of MDAnalysis's own readers in the shape pelplug's readers give them."""

from __future__ import annotations

import warnings

import numpy as np
from MDAnalysis.lib.mdamath import triclinic_vectors

from pelplug.errors import InputError
from pelplug.readers.base import Frame, is_flat, reduce_to_plane

__all__ = ["GenericFrames", "cell_of"]


def cell_of(dimensions) -> np.ndarray | None:
    """Cell vectors (rows) of MDAnalysis's lengths and angles, or None where there is no box.

    Parameters
    ----------
    dimensions : array_like, shape (6,), or None
        Three lengths and three angles in degrees.

    Returns
    -------
    ndarray, shape (3, 3), or None
    """
    if dimensions is None:
        return None
    dimensions = np.asarray(dimensions, dtype=np.float64)
    if not np.all(np.isfinite(dimensions)) or not np.all(dimensions[:2] > 0) or dimensions[2] < 0:
        return None
    # triclinic_vectors answers zeros for a flat cell, which a two-dimensional file may have.
    flat = dimensions[2] == 0
    cell = triclinic_vectors(np.where([False, False, flat, False, False, False], 1.0, dimensions), dtype=np.float64)
    if not cell.any():
        return None
    # Cosines of 90 degrees leave rounding errors that would make a tilted cell of a straight one.
    cell[np.abs(cell) < 1e-14 * dimensions[:3].max()] = 0.0
    if flat:
        cell[2] = 0.0
    return cell


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
        positions = np.asarray(reader.ts.positions, dtype=np.float64)
        self._flat = is_flat(positions, cell_of(reader.ts.dimensions))
        self.dimension = 2 if self._flat else 3

    def data(self, ts) -> dict:
        """Return positions, cell, velocities, step and time of a timestep under pelplug's keys."""
        frame = Frame(
            positions=np.asarray(ts.positions, dtype=np.float64),
            cell=cell_of(ts.dimensions),
            velocities=np.asarray(ts.velocities, dtype=np.float64) if ts.has_velocities else None,
        )
        if self._flat:
            try:
                frame = reduce_to_plane(frame)
            except InputError as error:
                raise InputError(f"Frame {ts.frame}: {error}.") from None
        result = {"pelplug_positions": frame.positions}
        if frame.cell is not None:
            result["pelplug_cell"] = frame.cell
        if frame.velocities is not None:
            result["pelplug_velocities"] = frame.velocities
        step = ts.data.get("step") if self._first is None else self._first + ts.frame * self._stride
        if step is not None:
            result["step"] = int(step)
        if self.dt is not None and step is not None:
            result["pelplug_time"] = self.dt * int(step)
        elif self._has_time:
            result["pelplug_time"] = float(ts.time)
        return result

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
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise InputError(
                f"Frame {number} of {path} cannot be read ({reason}); the file is truncated or damaged, use the "
                "frames before it or write it again."
            ) from None
