"""What pelplug's own readers share: an MDAnalysis reader whose timestep carries the frame in double precision."""

from __future__ import annotations

import abc
import dataclasses
import os
from typing import Any, ClassVar

import numpy as np
from MDAnalysis.coordinates.base import ReaderBase
from MDAnalysis.lib.mdamath import triclinic_box, triclinic_vectors
from MDAnalysis.lib.util import store_init_arguments

from pelplug.configuration import whole_numbers
from pelplug.core.units import Units
from pelplug.errors import InputError, reason_of

__all__ = [
    "ROUNDING",
    "FrameReader",
    "RawFrame",
    "about_frame",
    "is_flat",
    "mdanalysis_cell",
    "reduce_to_plane",
    "unevenness",
]

# Of the distance of particles: z that differ by less, in the first frame and the last, are rounding errors; in a file
# that says or shows that it is two-dimensional, more is no third dimension either.
ROUNDING, _OUT_OF_PLANE = 1e-4, 1e-3

# What reading raises where a file does not hold what its other parts promise.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RuntimeError, EOFError)


@dataclasses.dataclass
class RawFrame:
    """One frame as the file holds it, before a plane is recognised.

    Parameters
    ----------
    positions : ndarray, shape (N, d)
        Positions [length].
    cell : ndarray, shape (d, d), or None
        Cell vectors as rows [length]; None if the file has no box.
    images : ndarray of int, shape (N, d), optional
        Image flags that belong to `positions`.
    unwrapped : bool
        Whether `positions` are unwrapped already (so that images follow from them).
    velocities, diameters, masses, charges : ndarray, optional
        Shapes (N, d), (N,), (N,), (N,).
    labels : dict of ndarray of str, shape (N,)
        What may name the species, by kind ("elements", "types", "names"), the preferred kind first.
    step : int, optional
        Simulation step.
    time : float, optional
        Time the file itself records.
    periodic : tuple of bool, optional
        Whether each cell direction is periodic; None means all are.
    dimension : int, optional
        Dimension of space, where the file states it.
    ids : ndarray of int, shape (N,), optional
        Ids of the particles, in ascending order, where the file tells them.
    """

    positions: np.ndarray
    cell: np.ndarray | None
    images: np.ndarray | None = None
    unwrapped: bool = False
    velocities: np.ndarray | None = None
    diameters: np.ndarray | None = None
    masses: np.ndarray | None = None
    charges: np.ndarray | None = None
    labels: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    step: int | None = None
    time: float | None = None
    periodic: tuple[bool, ...] | None = None
    dimension: int | None = None
    ids: np.ndarray | None = None


def is_flat(positions: np.ndarray, cell: np.ndarray | None, dimension: int | None = None) -> bool:
    """Tell whether a frame written with three coordinates is two-dimensional.

    Parameters
    ----------
    positions : ndarray, shape (N, d)
    cell : ndarray, shape (d, d), or None
    dimension : int, optional
        What the file states; 2 settles the matter.

    Returns
    -------
    bool
        True if the file says so, if a and b lie in the xy plane and c has no z, or if all z are equal, to 1e-4 of the
        distance of particles, in an upright cell at most half as high as it is wide (LAMMPS: -0.5 to 0.5; HOOMD: any).
    """
    if positions.shape[1] != 3:
        return False
    if dimension == 2:
        return True
    if cell is None:
        return False
    level = not cell[:2, 2].any()  # |c_z| is the height only where a and b lie in the xy plane
    if not level or cell[2, 2] == 0:
        return level
    height = abs(cell[2, 2])
    upright = not cell[2, :2].any()
    thin = height <= 0.5 * min(np.linalg.norm(cell[0]), np.linalg.norm(cell[1]))
    return bool(len(positions) > 1 and upright and thin and unevenness(positions, cell) <= ROUNDING)


def unevenness(positions: np.ndarray, cell: np.ndarray | None) -> float:
    """Return the range of z, the short way round the cell, over the distance of particles in the plane."""
    z = positions[:, 2] - positions[0, 2]
    area = np.prod(np.ptp(positions[:, :2], axis=0))
    if cell is not None:
        area = np.linalg.norm(np.cross(cell[0], cell[1]))
        if cell[2, 2] != 0:  # zero and minus rounding stand at both ends of the cell
            z = z - cell[2, 2] * np.rint(z / cell[2, 2])
    spread = float(np.ptp(z))
    return spread / np.sqrt(area / len(positions)) if spread and area else spread


def reduce_to_plane(frame: RawFrame) -> RawFrame:
    """Return the frame with two coordinates instead of three.

    Raises
    ------
    InputError
        If particles leave the plane, or the cell is tilted out of it.
    """
    if unevenness(frame.positions, frame.cell) > _OUT_OF_PLANE:
        raise InputError("particles leave the plane of a two-dimensional trajectory; write it with equal z")
    cell = frame.cell
    if cell is not None:
        if cell[:2, 2].any():
            raise InputError("the cell of a two-dimensional trajectory leaves the xy plane; write it in the xy plane")
        cell = np.ascontiguousarray(cell[:2, :2])

    def cut(array):
        return None if array is None else np.ascontiguousarray(array[:, :2])

    return dataclasses.replace(
        frame,
        positions=cut(frame.positions),
        cell=cell,
        images=cut(frame.images),
        velocities=cut(frame.velocities),
        periodic=None if frame.periodic is None else frame.periodic[:2],
        dimension=2,
    )


class FrameReader(ReaderBase):
    """MDAnalysis reader over a file that gives whole frames in double precision.

    A subclass opens its file in `_open`, reads one frame in `_load`, and lets go of the file in `close`. What
    MDAnalysis has no place for rides in ``ts.data``: "step", and behind "pelplug_": "positions", "cell", "images",
    "velocities", "diameters", "masses", "charges", "unwrapped", "periodic", "ids", "elements", "types" or "names".
    ``ts.positions`` is the float32 copy that MDAnalysis works on: z = 0 in two dimensions, the first three coordinates
    in more than three.

    Parameters
    ----------
    filename : path_like
        File to read.
    time_step : float, optional
        Time of one simulation step [time]; then ``ts.time`` is the step times this.

    Notes
    -----
    No subclass has `format` in its body: MDAnalysis would register it in place of its own reader for everybody.
    Pickling keeps what `_open` found (frame offsets), so that a worker opens the file without scanning it again.
    """

    units = {"time": None, "length": None}  # noqa: RUF012 (the attribute MDAnalysis looks up)
    handles = ("_file",)  # attributes that are not pickled
    label = "trajectory"  # the format in a sentence
    missing_ids = 0  # how many fewer particles there are than the largest id says
    ignored: ClassVar[dict[str, int]] = {}  # what else acts between the particles, by name and number
    stated_units = Units()  # what the file itself says that its numbers are in
    unordered = ""  # why a row without an id is not the same particle in every frame, where it is not

    @store_init_arguments
    def __init__(self, filename, time_step=None, **kwargs):
        kwargs.pop("n_atoms", None)
        super().__init__(os.path.abspath(filename), **kwargs)
        self.time_step = time_step
        self._count = 0
        try:
            self._open()
        except InputError:
            raise
        except _DAMAGE as error:
            raise InputError(f"{self.filename} is damaged ({reason_of(error)}); copy it again.") from None
        if self._count == 0:
            raise InputError(f"{self.filename} has no frames; check that the run which wrote it got that far.")
        self._flat = False
        first = self._guarded_load(0)
        self._flat = is_flat(first.positions, first.cell, first.dimension) and self._ends_flat()
        self.n_atoms = len(first.positions)
        self.dimension = 2 if self._flat else first.positions.shape[1]
        self.ts = self._Timestep(self.n_atoms, reader=self, **self._ts_kwargs)
        self._show(0, first)

    def _ends_flat(self) -> bool:
        """Tell whether the last frame is two-dimensional too: a slab may start from particles in a plane."""
        try:
            last = self._guarded_load(self._count - 1)
        except InputError:  # a matter of that frame alone
            return True
        return is_flat(last.positions, last.cell, last.dimension)

    def of_box(self, cell: np.ndarray | None) -> None:
        """Take frames without a box for two-dimensional if the box that a topology supplies is."""
        first = self._guarded_load(0)
        if cell is None or first.cell is not None or self.dimension != 3:
            return
        if len(cell) == 2 or is_flat(first.positions, cell, first.dimension):
            self._flat, self.dimension = True, 2
            self._show(0, first)

    @abc.abstractmethod
    def _open(self) -> None:
        """Open the file and set `_count`, the number of frames."""

    def _connect(self) -> None:
        """Open the file again after unpickling; what `_open` found is still there."""
        self._open()

    @abc.abstractmethod
    def _load(self, frame: int) -> RawFrame:
        """Read one frame."""

    def rows(self, frame: int) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """Return ids and labels of a frame, sorted by id; a subclass may read less than all of the frame for it."""
        found = self._guarded_load(frame)
        return found.ids, found.labels

    def log(self, frame: int) -> dict:
        """Return what else the file records for a frame, by name."""
        return {}

    def model_record(self) -> dict | None:
        """Return the record of the model that made the trajectory, if the file carries one."""
        return None

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self._count

    def provides(self, quantity: str) -> bool:
        """Tell whether frames carry "velocities", "images", "diameters", "masses", "charges" or "positions"."""
        if quantity == "images" and self.ts.data.get("pelplug_unwrapped"):
            return True
        return f"pelplug_{quantity}" in self.ts.data

    def _guarded_load(self, frame: int) -> RawFrame:
        try:
            with np.errstate(all="ignore"):  # numbers that cannot be are refused when all have been read
                loaded = self._load(frame)
            if loaded.images is not None:
                loaded.images = whole_numbers(loaded.images, "image flag")
            return loaded
        except InputError as error:
            raise InputError(about_frame(frame, self.filename, error)) from None
        except (MemoryError, OverflowError):
            raise InputError(
                f"Frame {frame} of {self.filename} states a size that does not fit in memory: the file is damaged, or "
                "this machine is too small for it."
            ) from None
        except _DAMAGE as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise InputError(
                f"Frame {frame} of {self.filename} cannot be read ({reason}): it is damaged, use other frames or write "
                "the file again."
            ) from None

    def _show(self, number: int, frame: RawFrame) -> None:
        """Put a frame into the timestep."""
        if len(frame.positions) != self.n_atoms:
            raise InputError(
                f"Frame {number} of {self.filename} has {len(frame.positions)} particles, but frame 0 has "
                f"{self.n_atoms}; split the file where the number changes."
            )
        height = 1.0
        if self._flat and frame.positions.shape[1] == 3:
            height = 1.0 if frame.cell is None else abs(float(frame.cell[2, 2])) or 1.0
            try:
                frame = reduce_to_plane(frame)
            except InputError as error:
                raise InputError(f"Frame {number} of {self.filename}: {error}.") from None
        ts = self.ts
        kept = {key: ts.data[key] for key in ("dt", "time_offset") if key in ts.data}
        ts.data.clear()
        ts.data.update(kept)
        ts.frame = number
        with np.errstate(all="ignore"):
            cell, turn = mdanalysis_cell(frame.cell, height)
            ts.dimensions = None if cell is None else triclinic_box(*cell)
        with np.errstate(all="ignore"):  # refused with the float64 values
            self._show_single(frame, turn)
        for name in ("positions", "cell", "images", "velocities", "diameters", "masses", "charges", "periodic", "ids"):
            if (value := getattr(frame, name)) is not None:
                ts.data[f"pelplug_{name}"] = value
        for kind, names in frame.labels.items():
            ts.data[f"pelplug_{kind}"] = names
        if frame.unwrapped:
            ts.data["pelplug_unwrapped"] = True
        if frame.step is not None:
            ts.data["step"] = frame.step
        if self.time_step is not None and frame.step is not None:
            ts.data["pelplug_time"] = self.time_step * frame.step
        elif frame.time is not None:
            ts.data["pelplug_time"] = frame.time
        # MDAnalysis must have some time: where there is none, the step, else the frame number, counts.
        ts.data["time"] = ts.data.get("pelplug_time", float(number if frame.step is None else frame.step))

    def _show_single(self, frame: RawFrame, turn: np.ndarray) -> None:
        """Give MDAnalysis its float32 positions and velocities."""
        self.ts.positions = _three_columns(frame.positions) @ turn
        self.ts.has_velocities = frame.velocities is not None
        if frame.velocities is not None:
            self.ts.velocities = _three_columns(frame.velocities) @ turn

    def _read_frame(self, frame):
        self._show(int(frame), self._guarded_load(int(frame)))
        return self.ts

    def _read_next_timestep(self):
        frame = self.ts.frame + 1
        if frame >= self._count:
            raise EOFError
        return self._read_frame(frame)

    def _reopen(self) -> None:
        self.ts.frame = -1

    def _get_dt(self):
        """Time between the first two frames."""
        if self._count < 2:
            return 1.0
        times = []
        for number in (0, 1):
            frame = self._guarded_load(number)
            step = number if frame.step is None else frame.step
            if self.time_step is not None and frame.step is not None:
                times.append(self.time_step * step)
            else:
                times.append(step if frame.time is None else frame.time)
        return float(times[1] - times[0])

    def __getstate__(self):
        return {key: value for key, value in self.__dict__.items() if key not in self.handles}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._connect()


def about_frame(number: int, path: Any, error: Exception | str) -> str:
    """Say what is wrong with a frame, and which frames are left."""
    left = f"use the frames before it (--stop {number})"
    if number == 0:
        left = "no frame comes before it: write the file again, or pass its true format (--format)"
    text = str(error).replace("use the frames before it", left)
    return f"Frame {number} of {path}: {text}"


def _three_columns(array: np.ndarray) -> np.ndarray:
    d = array.shape[1]
    if d == 3:
        return array
    result = np.zeros((len(array), 3))
    result[:, : min(d, 3)] = array[:, :3]
    return result


def mdanalysis_cell(cell: np.ndarray | None, height: float):
    """Cell (3, 3) as MDAnalysis orients it (a along x, b in the xy plane), and the rotation that takes us there."""
    if cell is None:
        return None, np.eye(3)
    d = len(cell)
    if d == 3:
        full = cell
    else:
        full = np.diag([1.0, 1.0, height])
        full[: min(d, 3), : min(d, 3)] = cell[:3, :3]
    if not np.triu(full, 1).any() or abs(np.linalg.det(full)) == 0:
        return full, np.eye(3)
    box = triclinic_box(*full)
    standard = triclinic_vectors(box, dtype=np.float64)
    if not standard.any():
        return full, np.eye(3)
    return standard, np.linalg.inv(full) @ standard
