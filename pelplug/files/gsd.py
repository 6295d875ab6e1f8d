"""Writing GSD files that keep float64 beside what their schema holds in float32."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.cells import upper_triangular
from pelplug.core.outputs import close_at_exit
from pelplug.errors import InputError

__all__ = ["Drawn", "GSDWriter", "in_centred_box", "pad", "type_names"]


@dataclasses.dataclass(frozen=True)
class Drawn:
    """How programs shall draw the particles of a frame.

    Attributes
    ----------
    diameters : ndarray, shape (N,), or None
        Of spheres, where the particles have none of their own [length].
    bonds : ndarray of int, shape (B, 2), or None
        Particles that sticks join.
    bond_type : str
        Name of the type of all these bonds.
    """

    diameters: np.ndarray | None = None
    bonds: np.ndarray | None = None
    bond_type: str = "bond"


class GSDWriter:
    """Frames of a GSD file that keep float64 positions and cell besides the float32 ones of the schema.

    Parameters
    ----------
    path : path_like
        File to write; use a temporary one from `pelplug.core.outputs.atomic_output`.
    records : mapping of str to mapping or bytes, optional
        What else to keep in the first frame: ``log/pelplug/<name>``, mappings as JSON in uint8. A record "model" is the
        model's, and `pelplug.open_trajectory` finds it there.
    append : bool, optional
        Go on with a file that this class wrote, whose records stay as they are.

    Notes
    -----
    The box of a GSD file is centred at the origin and its cell matrix is triangular: a general cell is rotated
    together with positions and velocities. ``log/particles/pelplug/position`` (N, 3) and ``log/pelplug/cell``
    (3, 3) hold the same state in float64; so do ``velocity``, ``mass``, ``charge`` and ``diameter`` beside the former.
    """

    def __init__(self, path, records: Mapping[str, Mapping] | None = None, append: bool = False):
        import gsd.hoomd

        self._gsd, self._first, self._names = gsd.hoomd, {}, set()
        self._records = {
            name: np.frombuffer(
                record if isinstance(record, bytes) else json.dumps(record, sort_keys=True).encode(), np.uint8
            )
            for name, record in (records or {}).items()
        }
        self._file = gsd.hoomd.open(str(path), "r+" if append else "w")
        close_at_exit(self, self._file.file.close)
        self._count = len(self._file)
        if append and self._count > 0:
            log = self._file[0].log
            self._names = set(log)
            kept = ("position",)  # the only per-particle state that every frame has anew
            self._first = {
                name: np.array(values)
                for name, values in log.items()
                if name.startswith("particles/pelplug/") and name.rpartition("/")[2] not in kept
            }

    def __enter__(self) -> GSDWriter:
        return self

    def __len__(self) -> int:
        """Frames written so far; gsd itself counts those only that it has handed to the operating system."""
        return self._count

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __exit__(self, *exception: Any) -> None:
        self._file.close()

    def write(
        self,
        conf: Configuration,
        fields: Mapping | None = None,
        log: Mapping | None = None,
        vectors: Iterable[str] = (),
        drawn: Drawn | None = None,
    ) -> None:
        """Append a frame.

        Parameters
        ----------
        conf : Configuration
            Two- or three-dimensional state, wrapped or not.
        fields : mapping of str to ndarray, shape (N,) or (N, m)
            Per-particle fields, written as ``log/particles/<name>``.
        log : mapping of str to number
            Quantities of the whole frame, written as ``log/pelplug/<name>``.
        vectors : iterable of str
            Which fields are vectors, to be rotated with the cell.
        drawn : Drawn, optional
            How programs shall draw the particles. The record "drawn" says what of it is not of the particles
            themselves, and readers leave that out.

        Raises
        ------
        InputError
            If the state has another dimension.
        """
        if conf.dimension not in (2, 3):
            raise InputError(f"GSD holds two or three dimensions, not {conf.dimension}; keep the NetCDF file instead.")
        conf, rotation = in_centred_box(conf)
        cell, n, d = conf.cell, conf.n, conf.dimension
        frame = self._gsd.Frame()
        frame.configuration.step = conf.step
        frame.configuration.dimensions = d
        lengths = np.ones(3)
        lengths[:d] = np.diag(cell)
        tilt = [0.0, 0.0, 0.0]
        tilt[0] = cell[1, 0] / cell[1, 1]
        if d == 3:
            tilt[1:] = cell[2, 0] / cell[2, 2], cell[2, 1] / cell[2, 2]
        frame.configuration.box = np.array([*lengths, *tilt], dtype=np.float32)
        particles = frame.particles
        particles.N = n
        particles.types = type_names(conf.species_names)
        particles.typeid = np.searchsorted(conf.species_names, conf.species)
        particles.position = frame.log["particles/pelplug/position"] = pad(conf.positions)
        frame.log["pelplug/cell"] = np.diag([*np.zeros(d), *np.ones(3 - d)])
        frame.log["pelplug/cell"][:d, :d] = cell
        if conf.images is not None:
            particles.image = pad(conf.images).astype(np.int32)
        if conf.velocities is not None:
            particles.velocity = self._keep(frame, "velocity", pad(conf.velocities))
        if conf.masses is not None:
            particles.mass = self._keep(frame, "mass", conf.masses)
        if conf.charges is not None:
            particles.charge = self._keep(frame, "charge", conf.charges)
        if conf.diameters is not None:
            particles.diameter = self._keep(frame, "diameter", conf.diameters)
        elif drawn is not None and drawn.diameters is not None:
            particles.diameter = np.array(drawn.diameters, dtype=np.float32)
        if drawn is not None and drawn.bonds is not None:
            frame.bonds.N, frame.bonds.types = len(drawn.bonds), type_names([drawn.bond_type])
            frame.bonds.typeid = np.zeros(len(drawn.bonds), dtype=np.uint32)
            frame.bonds.group = np.asarray(drawn.bonds, dtype=np.int32).reshape(-1, 2)
        if self._count == 0:
            frame.log.update({f"pelplug/{name}": record for name, record in self._records.items()})
        for name, values in (fields or {}).items():
            values = np.ascontiguousarray(values, dtype=np.float64)
            frame.log[f"particles/{name}"] = values @ rotation if name in vectors else values
        for name, value in {"frame": conf.frame, **(log or {})}.items():
            if value is None:
                continue
            frame.log[f"pelplug/{name}"] = np.atleast_1d(np.asarray(value))
        # gsd takes what a frame lacks from frame 0, and cannot read a file where that one lacks it too.
        self._names = self._names or set(frame.log)
        if new := set(frame.log) - self._names:
            raise ValueError(f"the first frame of a GSD file must log {', '.join(sorted(new))} too")
        self._file.append(frame)
        self._count += 1

    def _keep(self, frame, name: str, values: np.ndarray) -> np.ndarray:
        """Log float64 values, unless they are those of the first frame, and return them in float32."""
        name, values = f"particles/pelplug/{name}", np.array(values)
        if self._count == 0:
            self._first[name] = values
            frame.log[name] = values
        elif name in self._first and not np.array_equal(values, self._first[name]):
            frame.log[name] = values
        return values.astype(np.float32)  # what gsd compares with the first frame to leave out what is the same


def in_centred_box(conf: Configuration) -> tuple[Configuration, np.ndarray]:
    """Rotate to a triangular cell if need be and wrap to fractional coordinates [-1/2, 1/2)."""
    cell, rotation = upper_triangular(conf.cell)
    positions, velocities = conf.positions, conf.velocities
    if not np.array_equal(rotation, np.eye(len(rotation))):
        positions = positions @ rotation
        velocities = None if velocities is None else velocities @ rotation
    shift = np.floor(positions @ np.linalg.inv(cell) + 0.5)
    # Without images nobody knows how often a particle went round, and we must not pretend to.
    images = None if conf.images is None else conf.images + shift.astype(np.int64)
    return conf.replace(positions=positions - shift @ cell, velocities=velocities, cell=cell, images=images), rotation


def type_names(names: Iterable[str]) -> list:
    """Return names of types as gsd writes them: text if it is ASCII, which is all that gsd encodes, else UTF-8.

    Raises
    ------
    InputError
        If a name is empty or holds a NUL, with which the format ends a name.
    """
    names = [str(name) for name in names]
    if any(not name or "\0" in name for name in names):
        raise InputError(f"A species of {', '.join(map(repr, names))} cannot be named in a GSD file; rename it.")
    return [name if name.isascii() else name.encode() for name in names]


def pad(array: np.ndarray) -> np.ndarray:
    """Append zero coordinates up to three: shape (N, d) to (N, 3)."""
    return np.pad(array, ((0, 0), (0, 3 - array.shape[1])))
