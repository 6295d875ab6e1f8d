"""Source and Frames: how a trajectory file is read, and which of its frames."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param
from pelplug.errors import InputError

__all__ = ["Frames", "Source"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source(Arguments):
    """How a trajectory file is read."""

    topology: Annotated[
        pathlib.Path | None,
        Param("second file with species, masses or box (GRO, PDB, LAMMPS data, PSF, ...)", metavar="PATH"),
    ] = None
    species: Annotated[
        dict[str, Any] | None,
        Param(
            "new names for the types or elements of the file",
            metavar="1=A,2=B",
            details='As {"1": "A", "2": "B"}; labels that are not in it keep their name.',
        ),
    ] = None
    dt: Annotated[
        float | None,
        Param(
            "time of one simulation step; then time = dt * step",
            metavar="TIME",
            exclusive_minimum=0.0,
            unit="time",
            details="Without it the time is what the file records, or None.",
        ),
    ] = None
    format: Annotated[
        str | None,
        Param(
            "format, where the ending does not tell",
            metavar="NAME",
            details='"GSD", "LAMMPSDUMP", "EXTXYZ", "H5MD", "PELPLUG", or an MDAnalysis name such as "XTC".',
        ),
    ] = None
    frame_interval: Annotated[
        float | None,
        Param(
            "time from frame to frame, where the file has no steps",
            metavar="TIME",
            exclusive_minimum=0.0,
            unit="time",
            details="The frame with number n is at n times this, whatever times the file records.",
        ),
    ] = None
    units: Annotated[
        Any,
        Param(
            "what the numbers of the file are in: metal, real, lj, gromacs, ..., if unsaid",
            metavar="NAME",
            details="A name, a mapping or a `pelplug.Units`. What says so itself (XTC in nm, a dump with its units) is "
            'converted to them; "lj" takes the numbers as they stand in the file.',
        ),
    ] = None
    masses: Annotated[
        dict[str, Any] | None,
        Param("masses of the species, instead of the file's", metavar="A=1,B=2", unit="mass", option="mass"),
    ] = None
    positions: Annotated[
        Literal["auto", "wrapped", "unwrapped"],
        Param(
            "whether coordinates are put back into the cell or go on; auto: what the file says or shows",
            details='With "wrapped" image flags, if any, are left out, and crossings are counted from frame to frame.',
        ),
    ] = "auto"
    order_is_kept: Annotated[
        bool,
        Param(
            "rows of a file without ids are the same particles in all frames",
            details="Its writer (LAMMPS) does not keep their order by itself.",
        ),
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dt is not None and self.frame_interval is not None:
            raise InputError(
                "Give either dt (--dt) or frame_interval (--frame-interval), not both: each says what time is."
            )
        self._set("species", _names(self.species))
        self._set("masses", _masses(self.masses))
        if self.units is not None:
            from pelplug.core.units import Units

            self._set("units", Units.of(self.units))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frames(Arguments):
    """Which frames of a trajectory."""

    start: Annotated[int | None, Param("first frame; negative numbers count from the end", metavar="FRAME")] = None
    stop: Annotated[int | None, Param("frame to stop before", metavar="FRAME")] = None
    step: Annotated[int | None, Param("take every N-th frame", metavar="N")] = None
    frames: Annotated[
        Any,
        Param("frame numbers, or one truth value a frame", details="Instead of the three above.", option=""),
    ] = None


def _names(species: Mapping | None) -> dict[str, str] | None:
    if species is None:
        return None
    mapping = {str(key): str(value) for key, value in species.items()}
    if not mapping:
        raise InputError('species maps labels of the file to names, as {"1": "A", "2": "B"}; it is empty.')
    if not all(mapping.values()):
        raise InputError("A species name is empty; give every type a name (--species 1=A,2=B).")
    return mapping


def _masses(masses: Mapping | None) -> dict[str, float] | None:
    found = {}
    for name, value in (masses or {}).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (math.isfinite(number) and number > 0):
            raise InputError(f"The mass of {name} is a positive number, not {value!r}.")
        found[str(name)] = number
    return found or None
