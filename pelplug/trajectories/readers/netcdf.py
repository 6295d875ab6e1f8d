"""pelplug's own NetCDF trajectory, for any dimension: float64, one chunk a frame."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import h5netcdf
import h5py
import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.outputs import open_for_library
from pelplug.core.outside import parse_record, refuse_links
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.hdf5 import check_heaps

__all__ = ["LAYOUT", "NetCDFReader", "write_netcdf_frames"]

LAYOUT = "pelplug-trajectory-1"
_NO_STEP = np.iinfo(np.int64).min
_OPTIONAL = {
    "velocities": (("frame", "particle", "spatial"), np.float64, "length / time"),
    "images": (("frame", "particle", "spatial"), np.int32, "1"),
    "diameters": (("frame", "particle"), np.float64, "length"),
    "masses": (("frame", "particle"), np.float64, "mass"),
    "charges": (("frame", "particle"), np.float64, "charge"),
}


class NetCDFReader(FrameReader):
    """Reader of the NetCDF trajectories that `write_netcdf_frames` makes.

    Above three dimensions, ``ts.positions`` holds three coordinates, and ``ts.data["pelplug_positions"]`` all.
    """

    label = "pelplug NetCDF trajectory"

    def _open(self) -> None:
        self._connect()
        layout = self._file.attrs.get("layout")
        if layout != LAYOUT:
            raise InputError(
                f"{self.filename} is NetCDF or HDF5 but not a trajectory that pelplug wrote; pass the trajectory an "
                "analysis started from, or its true format (--format)."
            )
        self._count = len(self._file["positions"])
        self.unordered = str(self._file.attrs.get("unfollowed", ""))
        self._names = np.array(json.loads(self._file.attrs["species_names"]), dtype=str)

    def _connect(self) -> None:
        check_heaps(self.filename)
        try:
            # h5py instead of h5netcdf, which looks up the length of "frame" at every access: 25 ms a frame.
            self._file = h5py.File(self.filename, "r")
            refuse_links(self._file, self.filename)
        except InputError:
            raise
        except (OSError, ValueError, KeyError) as error:
            reason = reason_of(error)
            raise InputError(
                f"{self.filename} is not a pelplug NetCDF trajectory, or truncated ({reason}); check the file or pass "
                "its true format (--format)."
            ) from None

    def close(self) -> None:
        """Close the file."""
        if (file := self.__dict__.get("_file")) is not None:
            file.close()

    def _load(self, frame):
        variables = self._file
        try:
            values = {name: variables[name][frame] for name in _OPTIONAL if name in variables}
            positions, cell = variables["positions"][frame], variables["cell"][frame]
            step, time = int(variables["step"][frame]), float(variables["time"][frame])
            species = variables["species"][frame]
        except (OSError, KeyError, RuntimeError) as error:
            reason = reason_of(error)
            raise InputError(f"it cannot be read ({reason}); the file is damaged, write it again.") from None
        if "images" in values:
            values["images"] = values["images"].astype(np.int64)
        return RawFrame(
            positions=positions,
            cell=cell,
            labels={"types": self._names[species]},
            step=None if step == _NO_STEP else step,
            time=None if np.isnan(time) else time,
            dimension=2 if positions.shape[1] == 2 else positions.shape[1],
            **values,
        )

    def rows(self, frame):
        """Return no ids, as the layout has none, and the species of a frame."""
        return None, {"types": self._names[self._file["species"][frame]]}

    def model_record(self):
        """Return the model that was recorded in the file, or None."""
        text = self._file.attrs.get("model")
        return None if text is None else parse_record(text)

    def condition_records(self) -> dict[int, dict[str, dict]]:
        """Return what was recorded of the conditions, of frame 0 and all that follow."""
        text = self._file.attrs.get("conditions")
        record = None if text is None else parse_record(text)
        return {} if record is None else {0: {"conditions": record}}


def write_netcdf_frames(path, configurations: Iterable[Configuration], records: Mapping, unfollowed: str = "") -> int:
    """Write configurations of any dimension to a NetCDF file, one at a time in memory.

    Parameters
    ----------
    path : path_like
        File to write; use a temporary one from `pelplug.core.outputs.atomic_output`.
    configurations : iterable of Configuration
        All with the same N, d and fields.
    records : mapping of str to mapping or bytes
        Stored as attributes (JSON), as the model is under ``model``; bytes as variables.
    unfollowed : str, optional
        Why a row is not the same particle in every frame; stored as the attribute ``unfollowed``.

    Returns
    -------
    int
        Number of frames written.
    """
    count, room, fields, names = 0, 0, [], []
    with open_for_library(path) as raw, h5netcdf.File(raw, "w") as file:
        for configuration in configurations:
            if count == 0:
                fields = [name for name in _OPTIONAL if getattr(configuration, name) is not None]
                _create(file, configuration.positions.shape, fields, records)
                variables = dict(file.variables)
            if count == room:
                room += 64
                file.resize_dimension("frame", room)
            names += [name for name in configuration.species_names if name not in names]
            index = {name: k for k, name in enumerate(names)}
            present, inverse = np.unique(configuration.species, return_inverse=True)
            variables["species"][count] = np.array([index[str(name)] for name in present], dtype=np.int16)[inverse]
            variables["positions"][count] = configuration.positions
            variables["cell"][count] = configuration.cell
            variables["step"][count] = _NO_STEP if configuration.step is None else configuration.step
            variables["time"][count] = np.nan if configuration.time is None else configuration.time
            for name in fields:
                variables[name][count] = getattr(configuration, name)
            count += 1
        if count:
            file.resize_dimension("frame", count)
            file.attrs["species_names"] = json.dumps(names)
            if unfollowed:
                file.attrs["unfollowed"] = unfollowed
    return count


def _create(file, shape, fields, records):
    n, d = shape
    file.dimensions = {"frame": None, "particle": n, "spatial": d, "vector": d}
    file.attrs["layout"] = LAYOUT
    file.attrs["Conventions"] = LAYOUT
    for name, record in records.items():
        if isinstance(record, bytes):
            content = np.frombuffer(record, dtype=np.uint8)
            file.create_variable(name, (f"{name}_byte",), np.uint8, data=content)
        else:
            file.attrs[name] = json.dumps(record)
    plan = {
        "positions": (("frame", "particle", "spatial"), np.float64, "length"),
        "cell": (("frame", "vector", "spatial"), np.float64, "length"),
        "species": (("frame", "particle"), np.int16, "1"),
        "step": (("frame",), np.int64, "1"),
        "time": (("frame",), np.float64, "time"),
    }
    plan.update({name: _OPTIONAL[name] for name in fields})
    sizes = {"frame": 1, "particle": n, "spatial": d, "vector": d}
    for name, (dimensions, dtype, unit) in plan.items():
        chunks = tuple(sizes[dimension] for dimension in dimensions) if len(dimensions) > 1 else (1024,)
        options = {"compression": "gzip", "compression_opts": 4} if name in ("species", "images") else {}
        variable = file.create_variable(name, dimensions, dtype, chunks=chunks, **options)
        variable.attrs["units"] = unit
