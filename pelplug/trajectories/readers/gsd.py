"""GSD: the box with its tilt factors, steps, images, velocities, diameters, masses and logs, in double precision."""

from __future__ import annotations

import functools
import os

import gsd.fl
import numpy as np

from pelplug.core.outputs import close_at_exit
from pelplug.core.outside import parse_record
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.text import text_of

__all__ = [
    "CELL_LOG",
    "CHARGE_LOG",
    "CONDITIONS_LOG",
    "DIAMETER_LOG",
    "MASS_LOG",
    "MODEL_LOG",
    "POSITION_LOG",
    "TIME_LOG",
    "VELOCITY_LOG",
    "GSDReader",
]

# Names (as gsd.hoomd.Frame.log has them, without "log/") under which pelplug writes what the schema holds in
# float32 only. Positions here are the float64 values of `particles/position`, wrapped in the same way.
POSITION_LOG = "particles/pelplug/position"
VELOCITY_LOG = "particles/pelplug/velocity"
DIAMETER_LOG = "particles/pelplug/diameter"
MASS_LOG = "particles/pelplug/mass"
CHARGE_LOG = "particles/pelplug/charge"
CELL_LOG = "pelplug/cell"
TIME_LOG = "pelplug/time"
MODEL_LOG = "pelplug/model"
SIMULATION_LOG = "pelplug/simulation"
CONDITIONS_LOG = "pelplug/conditions"
UNFOLLOWED_LOG = "pelplug/unfollowed"
DRAWN_LOG = "pelplug/drawn"


class GSDReader(FrameReader):
    """Reader of GSD files of the hoomd schema.

    MDAnalysis's own reader takes the tilt factors for cosines of angles, gives the frame number for the time, and
    drops images, velocities, diameters and logs.

    Notes
    -----
    A chunk that a frame lacks has the value of frame 0, else the schema's default. HOOMD-blue, unless told to write
    momenta, stores velocities and images in frame 0 only, and a copy of such a file says no more: those of later
    frames are then unknown, not constant, and are left out.
    """

    label = "GSD file"

    def _open(self) -> None:
        path = self.filename
        try:
            self._file = gsd.fl.open(path, "r")
        except (RuntimeError, OSError) as error:
            raise InputError(_why_not_gsd(path, error)) from None
        close_at_exit(self, self._file.close)
        if self._file.schema != "hoomd":
            raise InputError(f"{path} is a GSD file of schema {self._file.schema!r}; give one of schema 'hoomd'.")
        self._count = self._file.nframes
        self._first: dict = {}
        self._has_steps = bool(self._file.find_matching_chunk_names("configuration/step"))

    def _connect(self) -> None:
        self._file = gsd.fl.open(self.filename, "r")
        close_at_exit(self, self._file.close)

    def close(self) -> None:
        """Close the file."""
        if (file := self.__dict__.get("_file")) is not None:
            file.close()

    @property
    def application(self) -> str:
        """The program that wrote the file."""
        return self._file.application

    @functools.cached_property
    def unordered(self) -> str:
        """Why rows are not the same particles in every frame, if the file was made from one whose rows are not."""
        found = self._json(UNFOLLOWED_LOG)
        return str(found.get("reason", "")) if found else ""

    @functools.cached_property
    def _drawn(self) -> dict:
        """What an export has for drawing alone: "diameters" that nobody interacts by, "bonds" that are no bonds."""
        return self._json(DRAWN_LOG) or {}

    def _read(self, frame: int, name: str):
        try:
            return self._file.read_chunk(frame=frame, name=name)
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            raise InputError(
                f"the chunk {name} cannot be read ({reason_of(error)}); the file is truncated or damaged, "
                "use the frames before it or write it again."
            ) from None

    @functools.cached_property
    def ignored(self):
        """Bonds, angles, dihedrals and charges of the first frame, which act beside what a model knows."""
        numbers = {name: int(np.ravel(self._chunk(0, f"{name}/N", 0))[0]) for name in ("bonds", "angles", "dihedrals")}
        if "bonds" in self._drawn:
            numbers["bonds"] = 0
        numbers["charged atoms"] = int(np.count_nonzero(self._chunk(0, "particles/charge", 0)))
        return {name: number for name, number in numbers.items() if number}

    def _chunk(self, frame: int, name: str, default=None):
        """Value of a chunk in a frame: the frame's own, else frame 0's, else the default."""
        if self._file.chunk_exists(frame=frame, name=name):
            return self._read(frame, name)
        if name not in self._first:
            exists = self._file.chunk_exists(frame=0, name=name)
            self._first[name] = self._read(0, name) if exists else None
        value = self._first[name]
        return default if value is None else value

    @functools.cached_property
    def _recorded(self) -> dict[str, bool]:
        """Whether velocities and images are recorded along the trajectory, and not only in the first frame."""
        recorded = {}
        for name in ("velocity", "image"):
            chunk = f"particles/{name}"
            frames = range(self._count - 1, 0, -1)
            later = bool(self._file.find_matching_chunk_names(chunk)) and any(
                self._file.chunk_exists(frame=frame, name=chunk) for frame in frames
            )
            # pelplug leaves out what did not change; of others nobody knows whether it did not, or was not followed.
            static = self._count == 1 or self._file.chunk_exists(frame=self._count - 1, name=f"log/{POSITION_LOG}")
            recorded[name] = later or (static and self._file.chunk_exists(frame=0, name=chunk))
        return recorded

    def rows(self, frame):
        """Return no ids, as the schema has none, and the types of a frame."""
        n = int(np.ravel(self._chunk(frame, "particles/N", 0))[0])
        return None, {"types": self._types(frame, n)}

    def _load(self, frame):
        n = int(np.ravel(self._chunk(frame, "particles/N", 0))[0])
        box = self._chunk(frame, "configuration/box")
        if n == 0:
            raise InputError("there are no particles; give a frame that has some.")
        if box is None and self.application.startswith("gsd.hoomd"):
            box = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)  # gsd leaves out what is the schema's default
        if box is None:
            raise InputError("there is no periodic box (configuration/box); write one into the file.")
        cell = _cell_of_box(np.asarray(box, dtype=np.float64))
        positions = self._array(frame, "position", (n, 3), np.float64)
        if positions is None:
            raise InputError("there are no positions (particles/position); write them into the file.")
        positions = self._precise(frame, POSITION_LOG, "particles/position", positions, cell)
        velocities = images = None
        if self._recorded["velocity"]:
            velocities = self._array(frame, "velocity", (n, 3), np.float64)
            if velocities is None:
                velocities = np.zeros((n, 3))
            velocities = self._precise(frame, VELOCITY_LOG, "particles/velocity", velocities)
        if self._recorded["image"]:
            images = self._array(frame, "image", (n, 3), np.int64)
            if images is None:
                images = np.zeros((n, 3), dtype=np.int64)
        diameters = self._optional(frame, "diameter", n, DIAMETER_LOG)
        if "diameters" in self._drawn and not self._file.chunk_exists(frame=0, name=f"log/{DIAMETER_LOG}"):
            diameters = None
        masses = self._optional(frame, "mass", n, MASS_LOG)
        charges = self._optional(frame, "charge", n, CHARGE_LOG, 0.0)
        step = self._chunk(frame, "configuration/step", 0)
        time = self._chunk(frame, f"log/{TIME_LOG}")
        dimension = int(np.ravel(self._chunk(frame, "configuration/dimensions", 3))[0])
        return RawFrame(
            positions=positions,
            cell=self._precise(frame, CELL_LOG, "configuration/box", cell),
            images=images,
            velocities=velocities,
            diameters=diameters,
            masses=masses,
            charges=charges,
            labels={"types": self._types(frame, n)},
            step=int(np.ravel(step)[0]) if self._has_steps or self._count == 1 else None,
            time=None if time is None else float(np.ravel(time)[0]),
            dimension=2 if dimension == 2 else None,
        )

    def _array(self, frame, name, shape, dtype):
        value = self._chunk(frame, f"particles/{name}")
        if value is None:
            return None
        if value.shape != shape:
            raise InputError(
                f"particles/{name} has shape {value.shape} instead of {shape}; the number of particles changed without "
                "it, write the file again."
            )
        return value.astype(dtype)

    def _optional(self, frame, name, n, log, default=1.0):
        """Diameters, masses or charges: None where the file says nothing, although the schema has a default."""
        value = self._array(frame, name, (n,), np.float64)
        if value is None:
            if not self._file.chunk_exists(frame=0, name=f"log/{log}"):
                return None
            value = np.full(n, default)
        return self._precise(frame, log, f"particles/{name}", value)

    def _types(self, frame, n):
        ids = self._chunk(frame, "particles/typeid")
        ids = np.zeros(n, dtype=np.int64) if ids is None else ids.astype(np.int64)
        stored = self._chunk(frame, "particles/types")
        names = ["A"]
        if stored is not None:
            names = [text_of(bytes(row).split(b"\0")[0]) for row in stored.view(np.uint8)]
        if ids.shape != (n,) or ids.max() >= len(names):
            raise InputError("a particle has a type without a name (particles/types); write the file again.")
        return np.array(names)[ids]

    def _precise(self, frame, log, chunk, single, cell=None):
        """Float64 value that pelplug logged beside a float32 one, if it is of the same frame and agrees."""
        name = f"log/{log}"
        source = frame
        if not self._file.chunk_exists(frame=frame, name=name):
            if self._file.chunk_exists(frame=frame, name=chunk) or not self._file.chunk_exists(frame=0, name=name):
                return single
            source = 0
        value = self._read(source, name).astype(np.float64)
        if value.shape != single.shape:
            return single
        moved = log == POSITION_LOG
        # Another program may have wrapped the particles anew; the float64 values follow.
        shift = np.rint((single - value) @ np.linalg.inv(cell)) @ cell if moved and np.isfinite(single).all() else 0.0
        scale = np.abs(single[np.isfinite(single)]).max(initial=0)
        alike = np.isclose(value + shift, single, rtol=1e-6, atol=1e-6 * scale)
        if alike.all():
            return value + shift
        if source != frame:
            return single
        # One is damaged, or a program changed the one without knowing of the other: nobody can tell which is true.
        places = np.argwhere(~alike)
        who = "" if chunk == "configuration/box" else f" at particle {places[0][0]}"
        raise InputError(
            f"{chunk} and {name} disagree{who}, {len(np.unique(places[:, 0]))} of {len(single)} do, so the file is "
            f"damaged or was changed; use the frames before it, or write it again without {name}."
        )

    def log(self, frame):
        """Return the frame's logged quantities by name, without the leading "log/"."""
        names = self._file.find_matching_chunk_names("log/")
        return {
            name.removeprefix("log/"): self._read(frame, name)
            for name in names
            if self._file.chunk_exists(frame=frame, name=name)
        }

    def model_record(self):
        """Return the model that pelplug recorded in the file, or None."""
        return self._json(MODEL_LOG)

    def condition_records(self) -> dict[int, dict[str, dict]]:
        """Return what pelplug recorded of the run and its conditions, by the frame that carries it.

        That is the first, and in a file that was joined of several, the first of each.
        """
        found: dict[int, dict[str, dict]] = {}
        for log in (SIMULATION_LOG, CONDITIONS_LOG):
            if not self._file.find_matching_chunk_names(f"log/{log}"):
                continue
            for frame in range(self._count):
                if (record := self._json(log, frame)) is not None:
                    found.setdefault(frame, {})[log.rpartition("/")[2]] = record
        return found

    def _json(self, log: str, frame: int = 0) -> dict | None:
        """Return what pelplug recorded in a frame under a name, or None."""
        name = f"log/{log}"
        if not self._file.chunk_exists(frame=frame, name=name):
            return None
        return parse_record(self._read(frame, name).astype(np.uint8).tobytes())


def _cell_of_box(box: np.ndarray) -> np.ndarray:
    """Cell vectors (rows) of a HOOMD-blue box: Lx, Ly, Lz and the dimensionless tilt factors xy, xz, yz."""
    lx, ly, lz, xy, xz, yz = box
    if min(lx, ly, lz) < 0:
        raise InputError("a length of the box is negative; the frame is damaged, use the frames before it.")
    return np.array([[lx, 0.0, 0.0], [xy * ly, ly, 0.0], [xz * lz, yz * lz, lz]])


def _why_not_gsd(path: str, error: Exception) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(256)
    except OSError as problem:
        return f"{path} cannot be read ({problem.strerror}); check its name and permissions."
    if not head:
        return f"{path} is empty; check that the run which wrote it got that far."
    if head[:8] != b"\xb3\xa8\xe2\xf0\x5b\xc0\xa4\xd3" and "Not a GSD" in str(error):
        kind = "a text file" if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head) else "another format"
        return f"{os.path.basename(path)} is not a GSD file but {kind}; pass its true format (--format) or rename it."
    return f"{path} is truncated or damaged ({reason_of(error)}); copy it again or write it anew."
