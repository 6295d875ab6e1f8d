"""Opening a trajectory: which reader, which topology, and what the user says of the file."""

from __future__ import annotations

import os
import warnings

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.conditions import Conditions
from pelplug.core.given import Given
from pelplug.trajectories.readers.conversion import check_box
from pelplug.trajectories.readers.detect import (
    explain_missing,
    load_topology,
    open_with_mdanalysis,
    reader_for,
)
from pelplug.trajectories.source import Source
from pelplug.trajectories.trajectory import Trajectory

__all__ = ["open_trajectory", "read_configuration"]


@takes(source=Source, given=Given)
def open_trajectory(path: str | os.PathLike[str], source: Source, given: Given) -> Trajectory:
    """Open a trajectory file.

    Parameters
    ----------
    path : path_like
        GSD, LAMMPS dump, XYZ or extxyz, H5MD, pelplug NetCDF (any dimension), or anything else MDAnalysis reads.
    source : Source
        How it is read.
    given : Given
        At what conditions its states were sampled.

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
    path = explain_missing(path)
    topology = None if source.topology is None else explain_missing(source.topology, what="topology")
    convert = source.units is None or not source.units.is_reduced
    name, cls = reader_for(path, source.format)
    with warnings.catch_warnings():
        # Guessed masses, units that are not Angstrom, missing elements: none of it concerns us.
        warnings.simplefilter("ignore")
        if cls is not None:
            reader = cls(path, time_step=source.dt)
            universe, extra = load_topology(topology, reader, convert)
            universe.trajectory = reader
        else:
            universe, extra = open_with_mdanalysis(path, topology, name, convert)
        trajectory = Trajectory(path, universe, source, format=name, extra=extra)
    check_box(trajectory, extra)
    return trajectory.under(Conditions(**given.given()))


@takes(source=Source)
def read_configuration(path: str | os.PathLike[str], frame: int = -1, *, source: Source) -> Configuration:
    """Read one frame of a file, by default the last.

    Parameters
    ----------
    path : path_like
        The file, as in `open_trajectory`.
    frame : int, optional
        Frame number; negative numbers count from the end.
    source : Source
        How it is read.

    Returns
    -------
    Configuration

    Raises
    ------
    InputError
        As in `open_trajectory`, or if there is no such frame.
    """
    with open_trajectory(path, source=source) as trajectory:
        return trajectory.configuration(frame)
