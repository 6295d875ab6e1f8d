"""Writing configurations as GSD: what HOOMD-blue and OVITO read, with pelplug's float64 values beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import gsd.fl
import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, RunError
from pelplug.files import atomic_output
from pelplug.readers import gsd as names

__all__ = ["box_of", "frame_chunks", "write_gsd"]


def write_gsd(path, configurations: Iterable[Configuration], *, model_record=None, overwrite=False) -> int:
    """Write configurations to a GSD file, one at a time in memory.

    Parameters
    ----------
    path : path_like
    configurations : iterable of Configuration
        All with the same N and d (2 or 3); cells with the first vector along x and the second in the xy plane.
    model_record : dict, optional
        Stored as ``log/pelplug/model``.
    overwrite : bool, optional
        Whether an existing file may be replaced.

    Returns
    -------
    int
        Number of frames written.

    Raises
    ------
    InputError
        If there are no configurations, or one does not fit.
    RunError
        If the disk is full.

    Notes
    -----
    Positions are wrapped into the cell centred on the origin, as HOOMD-blue wants them; images follow, where the
    configuration has them.
    """
    count = 0
    with atomic_output(path, overwrite) as temporary:
        first: dict[str, np.ndarray] = {}
        with gsd.fl.open(str(temporary), "w", application="pelplug", schema="hoomd", schema_version=[1, 4]) as file:
            try:
                for configuration in configurations:
                    chunks = frame_chunks(configuration)
                    if count == 0:
                        first = chunks
                        if model_record is not None:
                            text = json.dumps(model_record).encode()
                            chunks[f"log/{names.MODEL_LOG}"] = np.frombuffer(text, dtype=np.uint8)
                    elif (n := len(chunks["particles/position"])) != len(first["particles/position"]):
                        raise InputError(
                            f"Configuration {count} has {n} particles, but the first has "
                            f"{len(first['particles/position'])}; write them to separate files."
                        )
                    elif set(chunks) != set(first) - {f"log/{names.MODEL_LOG}"}:
                        raise InputError(
                            f"Configuration {count} does not carry the same fields as the first; give all of them "
                            "images, velocities, diameters and masses, or none."
                        )
                    elif chunks["configuration/dimensions"] != first["configuration/dimensions"]:
                        raise InputError(f"Configuration {count} has another dimension than the first; separate them.")
                    for name, value in chunks.items():
                        # A chunk that a frame lacks has the value of frame 0.
                        if count == 0 or not _same(value, first[name]):
                            file.write_chunk(name, value)
                    file.end_frame()
                    count += 1
            except OSError as error:
                raise RunError(
                    f"{path} could not be written ({error.strerror or error}); free some space and write it again."
                ) from error
        if count == 0:
            raise InputError(f"There are no configurations to write to {path}; give at least one.")
    return count


def frame_chunks(configuration: Configuration) -> dict[str, np.ndarray]:
    """Return the GSD chunks of one frame, by name.

    Parameters
    ----------
    configuration : Configuration
        In two or three dimensions.

    Returns
    -------
    dict of ndarray

    Raises
    ------
    InputError
        If the schema cannot hold it.
    """
    n, d = configuration.n, configuration.dimension
    box = box_of(configuration.cell)
    shift = np.floor(configuration.fractional() + 0.5).astype(np.int64)
    positions = configuration.positions - shift @ configuration.cell
    types = list(configuration.species_names)
    width = max(len(name.encode()) for name in types) + 1
    chunks = {
        "configuration/step": np.array([configuration.step or 0], dtype=np.uint64),
        "configuration/dimensions": np.array([d], dtype=np.uint8),
        "configuration/box": box.astype(np.float32),
        "particles/N": np.array([n], dtype=np.uint32),
        "particles/types": np.array([list(name.encode().ljust(width, b"\0")) for name in types], dtype=np.int8),
        "particles/typeid": np.searchsorted(types, configuration.species).astype(np.uint32),
        "particles/position": _single(positions),
        f"log/{names.POSITION_LOG}": _padded(positions),
        f"log/{names.CELL_LOG}": _padded_cell(configuration.cell),
    }
    if configuration.images is not None:
        chunks["particles/image"] = _padded(configuration.images + shift).astype(np.int32)
    if configuration.velocities is not None:
        chunks["particles/velocity"] = _single(configuration.velocities)
        chunks[f"log/{names.VELOCITY_LOG}"] = _padded(configuration.velocities)
    if configuration.time is not None:
        chunks[f"log/{names.TIME_LOG}"] = np.array([configuration.time])
    for name, value, log in (
        ("diameter", configuration.diameters, names.DIAMETER_LOG),
        ("mass", configuration.masses, names.MASS_LOG),
    ):
        if value is not None:
            chunks[f"particles/{name}"] = value.astype(np.float32)
            chunks[f"log/{log}"] = np.array(value)
    return chunks


def box_of(cell: np.ndarray) -> np.ndarray:
    """Return Lx, Ly, Lz, xy, xz, yz of a cell (Lz = 0 in two dimensions).

    Raises
    ------
    InputError
        If d is not 2 or 3, or the cell is not oriented as HOOMD-blue wants it.
    """
    d = len(cell)
    if d not in (2, 3):
        raise InputError(f"GSD holds 2 or 3 dimensions, not {d}; write a .nc file.")
    if np.triu(cell, 1).any() or not np.all(np.diag(cell) > 0):
        raise InputError(
            "GSD wants a cell with its first vector along x and its second in the xy plane; write a .nc file, or "
            "rotate the system."
        )
    if d == 2:
        return np.array([cell[0, 0], cell[1, 1], 0.0, cell[1, 0] / cell[1, 1], 0.0, 0.0])
    ly, lz = cell[1, 1], cell[2, 2]
    return np.array([cell[0, 0], ly, lz, cell[1, 0] / ly, cell[2, 0] / lz, cell[2, 1] / lz])


def _padded(array):
    return np.ascontiguousarray(np.pad(array, ((0, 0), (0, 3 - array.shape[1]))))


def _padded_cell(cell):
    result = np.zeros((3, 3))
    result[: len(cell), : len(cell)] = cell
    return result


def _single(array):
    return _padded(array).astype(np.float32)


def _same(a, b) -> bool:
    return a.shape == b.shape and np.array_equal(a, b)
