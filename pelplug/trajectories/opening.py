"""Opening a trajectory: which reader, which topology, and what the user says of the file."""

from __future__ import annotations

import warnings

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.conversion import check_box, check_masses
from pelplug.trajectories.readers.detect import (
    detect_format,
    explain_missing,
    load_topology,
    open_with_mdanalysis,
    reader_class,
)
from pelplug.trajectories.readers.labels import check_mapping
from pelplug.trajectories.readers.unwrap import CONVENTIONS
from pelplug.trajectories.trajectory import Trajectory

__all__ = ["open_trajectory", "read_configuration"]


def open_trajectory(
    path,
    topology=None,
    species=None,
    dt=None,
    format=None,
    frame_interval=None,
    units=None,
    masses=None,
    positions="auto",
    order_is_kept=False,
) -> Trajectory:
    """Open a trajectory file.

    Parameters
    ----------
    path : path_like
        GSD, LAMMPS dump, XYZ or extxyz, H5MD, pelplug NetCDF (any dimension), or anything else MDAnalysis reads.
    topology : path_like, optional
        A second file where the first lacks species (XTC, DCD, ...), masses or the box: GRO, PDB, LAMMPS data, PSF, ...
    species : mapping of str to str, optional
        New names for what the file calls types, elements or names, e.g. ``{"1": "A", "2": "B"}``. Labels that are not
        in it keep their name.
    dt : float, optional
        Time of one simulation step [time]; then ``time = dt * step``. Without it the time is what the file records,
        or None.
    format : str, optional
        Format, where the ending of the name does not tell: "GSD", "LAMMPSDUMP", "EXTXYZ", "H5MD", "PELPLUG", or an
        MDAnalysis name such as "XTC".
    frame_interval : float, optional
        Time from one frame of the file to the next [time], for files without steps: the frame with number n is at n
        times this, whatever times the file records.
    units : Units, str or mapping, optional
        What the numbers are in, where the file does not say: "metal", "real", "lj", "gromacs", ... (see
        `pelplug.Units`). What says so itself (XTC in nm, a dump with its units) is converted to them; "lj" takes the
        numbers as they stand in the file.
    masses : mapping of str to float, optional
        Mass of each species, in place of what the file says [mass].
    positions : {"auto", "wrapped", "unwrapped"}, optional
        Whether particles are put back into the cell ("wrapped": image flags, if any, are left out, and crossings are
        counted from frame to frame) or their coordinates go on ("unwrapped"). By default what the file says, or what
        its frames show.
    order_is_kept : bool, optional
        Take the rows of a file without ids for the same particles in every frame, although its writer (LAMMPS) does
        not keep their order by itself.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError
        If a file is missing, damaged, of another format or empty; if species are not told; if a key of `species` is
        not in the file; if the topology has another number of particles.

    Examples
    --------
    >>> traj = pelplug.open_trajectory("traj.dump", species={"1": "A", "2": "B"}, dt=0.005)  # doctest: +SKIP
    """
    opening = {key: value for key, value in locals().items() if key != "path"}
    path = explain_missing(path)
    if topology is not None:
        topology = explain_missing(topology, what="topology")
    mapping = check_mapping(species)
    masses = check_masses(masses)
    units = None if units is None else Units.of(units)
    convert = units is None or not units.is_reduced
    dt = _positive(dt, "dt is the time of one step")
    frame_interval = _positive(frame_interval, "frame_interval is the time between two frames")
    if dt is not None and frame_interval is not None:
        raise InputError(
            "Give either dt (--dt) or frame_interval (--frame-interval), not both: each says what time is."
        )
    if positions not in CONVENTIONS:
        raise InputError(f"positions is one of {', '.join(CONVENTIONS)}, not {positions!r}.")
    name = detect_format(path, format)
    with warnings.catch_warnings():
        # Guessed masses, units that are not Angstrom, missing elements: none of it concerns us.
        warnings.simplefilter("ignore")
        cls = reader_class(name)
        if cls is not None:
            reader = cls(path, time_step=dt)
            universe, extra = load_topology(topology, reader, convert)
            universe.trajectory = reader
        else:
            universe, extra = open_with_mdanalysis(path, topology, name, convert)
        trajectory = Trajectory(
            path,
            universe,
            topology=topology,
            format=name,
            species=mapping,
            dt=dt,
            extra=extra,
            frame_interval=frame_interval,
            units=units,
            masses=masses,
            positions=positions,
            order_is_kept=order_is_kept,
        )
    trajectory._opening = opening
    check_box(trajectory, extra)
    return trajectory


def _positive(value, what: str) -> float | None:
    """Read a positive number; None stays None."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise InputError(f"{what}, a positive number, not {value!r}.")
    return number


def read_configuration(
    path, frame=-1, topology=None, species=None, dt=None, format=None, units=None, masses=None
) -> Configuration:
    """Read one frame of a file, by default the last.

    Parameters
    ----------
    path, topology, species, dt, format, units, masses
        As in `open_trajectory`.
    frame : int, optional
        Frame number; negative numbers count from the end.

    Returns
    -------
    Configuration

    Raises
    ------
    InputError
        As in `open_trajectory`, or if there is no such frame.
    """
    given = {"topology": topology, "species": species, "dt": dt, "format": format, "units": units, "masses": masses}
    with open_trajectory(path, **given) as trajectory:
        return trajectory.configuration(frame)
