"""LAMMPS's NetCDF dumps (dump styles netcdf and netcdf/mpiio), in every classic NetCDF format."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.core.units import REDUCED, SYSTEMS, Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.boxes import cell_of
from pelplug.trajectories.readers.classic_netcdf import ClassicNetCDF
from pelplug.trajectories.readers.identity import order_by_id

__all__ = ["LammpsNetCDFReader"]

_POSITIONS = ("unwrapped_coordinates", "coordinates", "scaled_coordinates")
_FLAGS = ("ix", "iy", "iz")


class LammpsNetCDFReader(FrameReader):
    """Reader of the NetCDF files that LAMMPS writes: the convention of AMBER, with the dump's columns beside.

    Positions, cells and times are single precision unless the dump has ``dump_modify double yes``.
    """

    handles = ("_file",)
    label = "LAMMPS NetCDF dump"
    unordered = "it has no ids, and LAMMPS sorts atoms in space every now and then; write ids too (dump netcdf ... id)"

    def _open(self) -> None:
        self._connect()
        program = self._file.attributes.get("program")
        if program != "LAMMPS":
            raise InputError(f"{self.filename} is a NetCDF file of {program or 'another program'}; pass --format NCDF.")
        self._count = self._file.n_records
        self.stated_units = self._units()

    def _connect(self) -> None:
        self._file = ClassicNetCDF(self.filename)

    def _units(self) -> Units:
        """Return the units of LAMMPS that lengths and times together are of."""
        words = [self._attribute(name, "units") for name in ("cell_lengths", "time")]
        length, time = (str(word or "").lower() for word in words)
        if "lj" in (length, time):
            return REDUCED
        for name in ("metal", "real"):
            if (length, time) == ("angstrom", "picosecond" if name == "metal" else "femtosecond"):
                return SYSTEMS[name]
        return Units.known(length=length, time=time)

    def _attribute(self, variable: str, name: str) -> Any:
        one = self._file.variables.get(variable)
        return None if one is None else one.attributes.get(name)

    def _load(self, frame: int) -> RawFrame:
        file, there = self._file, self._file.variables
        style = next((name for name in _POSITIONS if name in there), None)
        if style == "unwrapped_coordinates" and "coordinates" in there and set(there) >= set(_FLAGS):
            style = "coordinates"
        if style is None:
            raise InputError("there are no coordinates; dump x y z, xs ys zs or xu yu zu.")
        read = {name: file.read(name, frame) for name in there if there[name].is_record and name in _COLUMNS}
        lengths = np.asarray(read["cell_lengths"], dtype=np.float64)
        positions = np.asarray(read[style], dtype=np.float64)
        # A direction that is not periodic has the length 0; such frames are refused, for that and nothing else.
        span = 10.0 * (np.ptp(positions, axis=0) + 1.0)
        cell = cell_of([*np.where(lengths > 0, lengths, span), *read["cell_angles"]])
        if cell is None:
            raise InputError("its box has no volume; the frame is damaged, use the frames before it.")
        positions = positions @ cell if style.startswith("scaled") else positions - read["cell_origin"]
        images = None
        if set(_FLAGS) <= set(read) and not style.startswith("unwrapped"):
            images = np.column_stack([read[name] for name in _FLAGS])
        found = RawFrame(
            positions=positions,
            cell=cell,
            images=images,
            unwrapped=style.startswith("unwrapped"),
            velocities=None if "velocities" not in read else np.asarray(read["velocities"], dtype=np.float64),
            masses=None if "mass" not in read else np.asarray(read["mass"], dtype=np.float64),
            charges=None if "q" not in read else np.asarray(read["q"], dtype=np.float64),
            labels={"types": read["type"].astype(str)} if "type" in read else {},
            step=int(np.rint(read["time"])),
            time=self._time_of(float(read["time"])),
            periodic=tuple(bool(length > 0) for length in lengths),
            ids=None if "id" not in read else read["id"].astype(np.int64),
        )
        return found if found.ids is None else _sorted(found, order_by_id(found.ids))

    def _time_of(self, step: float) -> float | None:
        """Return the time of a step by the time step of the run, which stands as a scale beside them."""
        scale = self._attribute("time", "scale_factor")
        return None if scale is None else float(f"{float(scale[0]):.7g}") * step


_COLUMNS = {
    "cell_lengths",
    "cell_angles",
    "cell_origin",
    "time",
    *_POSITIONS,
    *_FLAGS,
    "velocities",
    "mass",
    "type",
    "q",
}
_COLUMNS |= {"id"}


def _sorted(frame: RawFrame, order: np.ndarray) -> RawFrame:
    for name in ("positions", "images", "velocities", "masses", "charges", "ids"):
        if (value := getattr(frame, name)) is not None:
            setattr(frame, name, value[order])
    frame.labels = {kind: names[order] for kind, names in frame.labels.items()}
    return frame
