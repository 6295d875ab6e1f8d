"""Writing trajectories, one configuration at a time in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.conditions import Conditions
from pelplug.core.outputs import atomic_output
from pelplug.core.outside import parse_record
from pelplug.errors import InputError

__all__ = ["check_ending", "read_record", "write_trajectory"]

_FIELDS = ("velocities", "images", "diameters", "masses", "charges", "time")


@takes()
def write_trajectory(
    path: str | os.PathLike[str],
    configurations: Iterable[Configuration] | Configuration,
    *,
    model_record: Mapping | None = None,
    conditions: Conditions | None = None,
    overwrite: bool = False,
    records: Mapping[str, Mapping | bytes] | None = None,
) -> int:
    """Write configurations as they come, one at a time in memory; the file appears when it is complete.

    Parameters
    ----------
    path : path_like
        Ending in .gsd (d = 2 or 3) or .nc (any d; pelplug's own NetCDF layout). Both keep float64 values.
    configurations : iterable of Configuration, or one
        All with the same N, d and fields.
    model_record : dict, optional
        The model they were made with; stored in the file.
    conditions : Conditions, optional
        Temperature and the like at which they were sampled; stored in the file too.
    overwrite : bool, optional
        Whether an existing file may be replaced.
    records : mapping of str to mapping or bytes, optional
        What else to keep in the file for `read_record`.

    Returns
    -------
    int
        How many were written.

    Raises
    ------
    InputError
        If there are none, they differ in N, d or fields, the ending is another, or the file exists.
    RunError
        If the disk is full.

    Notes
    -----
    GSD holds positions wrapped into a cell centred at the origin, whose first vector lies along x and whose second
    lies in the xy plane; a cell with another orientation is rotated together with positions and velocities.
    """
    suffix = check_ending(path)
    if isinstance(configurations, Configuration):
        configurations = [configurations]
    with atomic_output(path, overwrite) as temporary:
        alike = _all_alike(configurations)
        write = _write_gsd if suffix == ".gsd" else _write_nc
        records = dict(records or {}) | ({} if model_record is None else {"model": model_record})
        if conditions is not None:
            records["conditions"] = conditions.to_record(model=False)
        # Frames of a file in which nobody knows which particle is which are no better in another file.
        if reason := getattr(configurations, "why_not_followed", str)():
            records["unfollowed"] = {"reason": f"it was made from other frames: {reason}"}
        count = write(temporary, alike, records)
        if count == 0:
            raise InputError(f"There are no configurations to write to {path}; give at least one.")
    return count


def check_ending(path: str | os.PathLike[str]) -> str:
    """Return the ending of a trajectory that can be written, in lower case; InputError for any other."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".gsd", ".nc"):
        raise InputError(
            f"A trajectory is written as .gsd (d = 2 or 3) or .nc (any d), not as {suffix or 'no ending'}."
        )
    return suffix


def _all_alike(configurations: Iterable[Configuration]) -> Iterator[Configuration]:
    """Pass configurations on after comparing their shape and fields with the first one's."""
    shape = fields = None
    for count, configuration in enumerate(configurations):
        present = [name for name in _FIELDS if getattr(configuration, name) is not None]
        if count == 0:
            shape, fields = configuration.positions.shape, present
        elif configuration.positions.shape != shape:
            raise InputError(
                f"Configuration {count} has shape {configuration.positions.shape}, but the first {shape}; write them "
                "to separate files."
            )
        elif present != fields:
            raise InputError(
                f"Configuration {count} does not carry the same fields as the first ({', '.join(present) or 'none'} "
                f"instead of {', '.join(fields) or 'none'}); give all configurations the same ones."
            )
        yield configuration


def _write_gsd(path: Path, configurations: Iterable[Configuration], records: dict) -> int:
    from pelplug.files.gsd import GSDWriter

    count = 0
    with GSDWriter(path, records) as writer:
        for configuration in configurations:
            writer.write(configuration, log={"time": configuration.time})
            count += 1
    return count


def _write_nc(path: Path, configurations: Iterable[Configuration], records: dict) -> int:
    from pelplug.trajectories.readers.netcdf import write_netcdf_frames

    unfollowed = records.pop("unfollowed", {}).get("reason", "")
    return write_netcdf_frames(path, configurations, records, unfollowed)


def read_record(path: str | os.PathLike[str], name: str) -> dict | bytes | None:
    """Return what `write_trajectory` has recorded in a file under a name; None if there is none, or no such file."""
    try:
        if Path(path).suffix.lower() == ".gsd":
            import gsd.fl

            with gsd.fl.open(str(path), "r") as file:
                content = bytes(file.read_chunk(0, f"log/pelplug/{name}"))
        else:
            import h5py

            with h5py.File(path, "r") as file:
                content = file.attrs[name].encode() if name in file.attrs else bytes(file[name][()])
    except (OSError, RuntimeError, KeyError, ValueError):
        return None
    return content if content.startswith(b"PK") else parse_record(content)
