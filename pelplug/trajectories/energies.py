"""Where energies come from: the log of a trajectory, or a file without particles."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pelplug.core.arguments import takes
from pelplug.errors import InputError
from pelplug.trajectories.energy_file import EnergyFile, EnergyRun
from pelplug.trajectories.energy_series import EnergyChunk, EnergyOrigin
from pelplug.trajectories.readers.lammps_log import is_lammps_log, read_lammps_log
from pelplug.trajectories.readers.tables import read_cp2k, read_energy_table, read_xvg

__all__ = ["energies_of_trajectory", "read_energies"]

_HEAD = 100_000
_ENERGIES = "pelplug/energies"


def energies_of_trajectory(
    trajectory: Any, labels: np.ndarray, column: str
) -> tuple[EnergyOrigin, Iterator[EnergyChunk]] | None:
    """Return the energies that a trajectory has logged, None if it has none.

    Parameters
    ----------
    trajectory : Trajectory
        A file of `pelplug simulate`, or one that logs an energy with each frame, as HOOMD-blue does.
    labels : ndarray of int
        Frames. The series that pelplug logs between frames is taken from the first to the last of them; of others,
        these frames alone.
    column : str
        Name of the logged quantity; ``auto`` for what is called a potential energy.
    """
    record = trajectory.simulation_record or {}
    origin = EnergyOrigin(str(trajectory.path), time_step=trajectory.dt or record.get("time_step"), n=trajectory.n)
    origin.extensive = True
    origin.take_units(trajectory.units)
    origin.temperature = trajectory.conditions_of(labels).temperature
    first: dict[str, Any] = {}
    known: list[str] = []
    for label in (labels[0], labels[-1], *labels):  # a log may begin after the first frame, or be of every n-th
        first = trajectory.log(int(label)) | first
        if f"{_ENERGIES}/step" in first and column == "auto":
            return origin, _pelplug_log(trajectory, labels)
        if known := [name for name, value in first.items() if _is_number(name, value)]:
            break
    if column != "auto":
        if column not in known:
            raise InputError(f"{trajectory.path} logs no number {column!r}; it logs {', '.join(known) or 'none'}.")
        return origin, _frame_log(trajectory, labels, column)
    found = [name for name in known if name.rpartition("/")[2] == "potential_energy"]
    if len(found) > 1:
        raise InputError(
            f"{trajectory.path} logs several potential energies, {', '.join(found)}; choose one with --column."
        )
    return (origin, _frame_log(trajectory, labels, found[0])) if found else None


def _is_number(name: str, value: Any) -> bool:
    own = name.startswith(("pelplug/", "particles/"))
    return not own and np.size(value) == 1 and np.asarray(value).dtype.kind in "fiu"


def _pelplug_log(trajectory: Any, labels: np.ndarray) -> Iterator[EnergyChunk]:
    start, stop = int(labels[0]), int(labels[-1]) + 1
    least = None if start == 0 else trajectory.configuration(start).step
    for label in range(start, stop):
        log = trajectory.log(label)
        step, energy = np.asarray(log[f"{_ENERGIES}/step"]), np.asarray(log[f"{_ENERGIES}/potential_energy"])
        kept = slice(None) if least is None else step >= least
        warm = log.get(f"{_ENERGIES}/kinetic_temperature")
        yield EnergyChunk(
            step[kept], energy[kept], kinetic_temperature=None if warm is None else np.asarray(warm, dtype=float)[kept]
        )


def _frame_log(trajectory: Any, labels: np.ndarray, name: str) -> Iterator[EnergyChunk]:
    for label in labels:
        value = trajectory.log(int(label)).get(name)
        if value is None:  # logged later on, or with every n-th frame: the series tells whether it is even
            continue
        step = trajectory.configuration(int(label)).step
        if step is None:
            raise InputError(f"Frame {label} of {trajectory.path} has no step; leave it out.")
        yield EnergyChunk(np.array([step]), np.asarray(value, dtype=float).reshape(1))


@takes()
def read_energies(path: str | os.PathLike[str], column: str = "auto", instantaneous: bool = False) -> EnergyFile:
    """Read a file of energies: the one function through which every format passes.

    Parameters
    ----------
    path : Path
        LAMMPS log, GROMACS EDR or XVG, CP2K ``.ener``, or a table of numbers with a header.
    column : str
        Name of the column; ``auto`` for the potential energy.
    instantaneous : bool
        Whether the entries of a file of LAMMPS's fix ave/time are of single steps.

    Raises
    ------
    InputError
        If the file cannot be read, or has no such column.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}; check its name.")
    if path.suffix.lower() == ".edr":
        return _edr(path, column)
    try:
        with open(path, "rb") as file:
            begin = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    if b"\0" in begin:
        raise InputError(
            f"{path} is not a text file; energies are read from LAMMPS logs, EDR, XVG and .ener files, and tables with "
            "a header."
        )
    head = begin.decode("utf-8-sig", errors="replace")
    if path.suffix.lower() == ".xvg" or re.search(r"^@\s*(TYPE|[xy]axis)", head, re.MULTILINE):
        return read_xvg(path, column)
    if re.match(r"#\s*Step Nr\.", head):
        return read_cp2k(path, column)
    if is_lammps_log(head):
        return read_lammps_log(path, column)
    return read_energy_table(path, head, column, instantaneous)


# --- GROMACS ----------------------------------------------------------------------------------------------------------


def _edr(path: Path, column: str) -> EnergyFile:
    try:
        import pyedr
    except ImportError:
        raise InputError(
            f"Energies of GROMACS ({path}) are read by the package pyedr, which is not installed; "
            "run: pip install pyedr"
        ) from None
    try:
        terms = pyedr.edr_to_dict(str(path))
    except Exception as error:
        raise InputError(f"{path} cannot be read as an EDR file ({error}); check that it is complete.") from None
    name = "Potential" if column == "auto" else column
    if name not in terms:
        raise InputError(f"{path} has no term {name!r}; it has {', '.join(terms)}.")
    unit = pyedr.get_unit_dictionary(str(path)).get(name, "kJ/mol")
    if unit != "kJ/mol":
        raise InputError(f"{name} of {path} is in {unit or 'no unit'}, so it is no energy; choose another term.")
    times, energies = np.asarray(terms["Time"], dtype=float), np.asarray(terms[name], dtype=float)
    run = EnergyRun(times, energies, time_step=1.0, extensive=True, units="kJ/mol, times in ps")
    run.energy_unit, run.time_unit = "kJ/mol", "ps"
    return EnergyFile(str(path), [run])
