"""Which reader a file needs, and the topology that goes with it."""

from __future__ import annotations

import difflib
import errno
import importlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path

import numpy as np

from pelplug.core.offers import offered
from pelplug.core.outputs import near_name
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.formats import ALIASES, COMPRESSED, ENDINGS, NAMES, OWN, holder
from pelplug.trajectories.readers.generic import cell_in
from pelplug.trajectories.readers.labels import LABELS
from pelplug.trajectories.readers.offered import recognised, with_name, with_suffix
from pelplug.trajectories.readers.text import DAMAGED, open_binary
from pelplug.trajectories.readers.vectors import READERS

__all__ = [
    "PACKAGES",
    "detect_format",
    "explain_missing",
    "load_topology",
    "open_with_mdanalysis",
    "reader_for",
]

# What MDAnalysis reads with a package that it does not bring: module, and name to install it by.
PACKAGES = {
    "TNG": ("pytng", "pytng"),
    "CHEMFILES": ("chemfiles", "chemfiles"),
    "CIF": ("gemmi", "gemmi"),
    "CIF.GZ": ("gemmi", "gemmi"),
    "MMCIF": ("gemmi", "gemmi"),
    "MMCIF.GZ": ("gemmi", "gemmi"),
    "MMTF": ("mmtf", "mmtf-python"),
}
_NO_FILES = {"IMD", "MEMORY", "OPENMMAPP", "OPENMMSIMULATION", "OPENMMTOPOLOGY", "PARMED", "RDKIT"}  # objects, sockets
_OF_ASE = ("OUTCAR", "VASPRUN.XML", "XSF", "CUBE", "CASTEP")  # which pelplug does not read through it
_ULM = b"- of UlmASE-Trajectory"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def explain_missing(path, what: str = "trajectory") -> str:
    """Return the path as text after checking that the file can be read.

    Raises
    ------
    InputError
        If it is missing (names that are close are suggested), a folder, empty or not readable.
    """
    try:
        path = os.fspath(path)
    except TypeError:
        raise InputError(f"The {what} is the name of a file, not {path!r}.") from None
    if not path:
        raise InputError(f"The name of the {what} file is empty; give one.")
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; give the {what} file in it.")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"There is no {what} file {path}; {near_name(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        many = getattr(error, "errno", None) == errno.EMFILE
        remedy = "allow more (ulimit -n), or give fewer" if many else "check its permissions"
        raise InputError(f"{path} cannot be read ({reason}); {remedy}.") from None
    if empty:
        raise InputError(f"{path} is empty, it has no frames; check that the run which wrote it got that far.")
    return path


def detect_format(path: str, format: str | None = None) -> str:
    """Return the format of a file, in capitals, from what was said, its beginning, or the ending of its name."""
    head = _head(path)
    if format is not None:
        name = str(format).upper().removeprefix(".")
        if name == "NC" and not head.startswith(_HDF5):
            return "LAMMPSNC" if _of_lammps(path, head) else "NCDF"  # MDAnalysis calls Amber's so
        if name == "LAMMPS" and head[4:8] == b"CORD":
            return "DCD"  # and so a DCD of LAMMPS
        return ALIASES.get(name, name)
    stem = path
    ending = Path(path).suffix.lower()
    if ending in COMPRESSED:
        stem = path[: -len(ending)]
        ending = Path(stem).suffix.lower()
    if ending == ".gsd":  # before looking inside: a text file of this name is a mistake worth a sentence
        return "GSD"
    if head.startswith(b"ITEM:"):
        return "LAMMPSDUMP"
    if _of_lammps(path, head):
        return "LAMMPSNC"
    if head.startswith(_ULM):
        return "ASETRAJ"
    if head.startswith(b"---\ncreator: LAMMPS"):
        return "LAMMPSYAML"
    if head.startswith(_HDF5):
        return "H5MD" if ending in (".h5md", ".h5", ".hdf5") else "PELPLUG"
    if ending in ENDINGS:
        return ENDINGS[ending]
    if os.path.basename(stem).startswith("data."):
        return "DATA"
    if not ending and (name := NAMES.get(os.path.basename(stem).partition("_")[0])):
        return name
    if ending == ".top" and not head.startswith(b"%VERSION"):  # GROMACS's; Amber's have the ending too
        return "ITP"
    return ending.removeprefix(".").upper()


def reader_for(path: str, format: str | None = None):
    """Return the format of a file, and pelplug's or a plugin's reader for it, None where MDAnalysis's own is used.

    Parameters
    ----------
    path : str
        The file.
    format : str, optional
        What was said of its format; else it is looked for, with pelplug, with MDAnalysis, and with plugins.
    """
    name, offer = detect_format(path, format), None
    ending = Path(path).suffix.lower()
    if holder(name) is None:
        offer = _offer_for(path, ending) if format is None else with_name(name)
    elif format is None and name == "PELPLUG" and ending != ".nc":  # an HDF5 file with an ending of its own
        offer = with_suffix(ending)
    if offer is not None:
        return offer.reader.name, offer.frames()
    if name not in OWN:
        return name, None
    module, _, attribute = OWN[name].partition(":")
    return name, getattr(importlib.import_module(module), attribute)


def _offer_for(path: str, ending: str):
    """Return the reader of a plugin for a file of a format that nobody else reads, or None."""
    if ending not in COMPRESSED:
        return with_suffix(ending) or recognised(path, _head(path))
    if (offer := with_suffix(Path(path[: -len(ending)]).suffix)) is not None:
        raise InputError(f"{path} is compressed, and {offer.who} reads plain files; unpack it first.")
    return None


def load_topology(topology: str | None, reader, convert: bool = True):
    """Make the universe of a pelplug reader, from a topology file or from the reader's own labels.

    Returns
    -------
    universe : MDAnalysis.Universe
    extra : dict
        What the topology supplies: "labels", "masses", "charges", "cell".
    """
    if topology is not None:
        universe = _topology_universe(topology, convert)
        _check_number(universe, topology, reader.n_atoms, reader.filename)
        extra = _extra_of(universe, with_cell=True)
        reader.of_box(extra.get("cell"))
        return universe, extra
    return _universe_of(reader), {}


def open_with_mdanalysis(path: str, topology: str | None, name: str, convert: bool = True):
    """Open a file with one of MDAnalysis's readers, which turn lengths into Angstrom unless `convert` is False.

    Returns
    -------
    universe : MDAnalysis.Universe
    extra : dict
        What the topology (or the file itself) supplies: "labels", "masses", "charges", "cell".
    """
    import MDAnalysis

    known = MDAnalysis._READERS
    if name in MDAnalysis._PARSERS and name not in known:
        raise InputError(
            f"{path} is a topology ({name}), of which no positions are read; give the file with the positions as the "
            f"trajectory, and this one behind it: --topology {path}."
        )
    if name not in known or name in _NO_FILES:
        if _is_ase_s(path):
            raise InputError(
                f"{path} is of a format that neither pelplug nor MDAnalysis reads, but ASE does; convert it: "
                f"pip install ase, then: ase convert -o extxyz '{path}' '{path}.extxyz'"
            )
        offers = {offer.upper() for offer in offered("readers") if not offer.startswith(".")}
        near = difflib.get_close_matches(name, sorted({*known, *OWN, *ALIASES, *offers} - _NO_FILES), n=1)
        if Path(path).suffix.lower() == f".{name.lower()}":
            near = []  # nobody said so: it is the ending of the file
        what = f"The format {name} of {path} is not one that pelplug reads" if name else f"{path} has no ending"
        hint = f"did you mean --format {near[0]}?" if near else "for example GSD, LAMMPSDUMP, EXTXYZ, XTC or DCD."
        raise InputError(f"{what}; pass the format (--format), {hint}")
    if name in PACKAGES:
        _require(name, path)
    if topology is None and name not in MDAnalysis._PARSERS:
        raise InputError(
            f"{path} ({name}) does not tell the species of its particles; pass a topology (--topology) that does, "
            "such as GRO, PDB, PSF or a LAMMPS data file."
        )
    try:
        if topology is None:
            universe = MDAnalysis.Universe(
                path, topology_format=name, format=READERS.get(name, name), to_guess=(), convert_units=convert
            )
            extra = _extra_of(universe, with_cell=False)
        else:
            universe = _topology_universe(topology, convert)
            extra = _extra_of(universe, with_cell=True)
            cls = READERS.get(name, known[name])
            reader = cls(path, n_atoms=universe.atoms.n_atoms, convert_units=convert)
            _check_number(universe, topology, reader.n_atoms, path)
            if hasattr(reader, "of_topology"):
                reader.of_topology(topology)
            universe.trajectory = reader
        frames = len(universe.trajectory)
    except InputError:
        raise
    except Exception as error:
        reason = reason_of(error)
        _let_go(error)
        clash = "atoms" in reason.lower() and topology is not None
        remedy = (
            f"check that {topology} belongs to it" if clash else "check the file or pass its true format (--format)"
        )
        raise InputError(f"{path} cannot be read as {name} ({reason}); {remedy}.") from None
    if frames == 0:
        raise InputError(f"{path} has no frames; check that the run which wrote it got that far.")
    return universe, extra


def _is_ase_s(path: str) -> bool:
    """Tell whether a file that MDAnalysis does not know is one of those that ASE reads by its name."""
    name = os.path.basename(path).upper()
    return any(name.startswith(one) or name.endswith(f".{one}") for one in _OF_ASE)


def _of_lammps(path: str, head: bytes) -> bool:
    """Tell whether a classic NetCDF file is one that LAMMPS wrote, which its attributes say."""
    if not head.startswith(b"CDF"):
        return False
    try:
        with open(path, "rb") as file:
            return b"LAMMPS" in file.read(4096)
    except OSError:
        return False


def _head(path: str) -> bytes:
    try:
        with open_binary(path) as file:
            return file.read(64)
    except DAMAGED:
        return b""


def _topology_universe(topology: str, convert: bool = True):
    import MDAnalysis

    name, cls = reader_for(topology)
    if cls is not None:
        reader = cls(topology)
        universe = _universe_of(reader)
        universe.trajectory = reader
        return universe
    if name in PACKAGES:
        _require(name, topology)
    if name not in MDAnalysis._PARSERS:
        raise InputError(f"{topology} is not a topology MDAnalysis reads; give GRO, PDB, PSF or a LAMMPS data file.")
    try:
        # The topology's own coordinates, where it has some, are read for the box.
        options = {}
        if name in MDAnalysis._READERS:
            options = {"format": READERS.get(name, name), "convert_units": convert}
        return MDAnalysis.Universe(topology, topology_format=name, to_guess=(), **options)
    except InputError:
        raise
    except Exception as error:
        reason = reason_of(error)
        _let_go(error)
        raise InputError(
            f"The topology {topology} cannot be read as {name} ({reason}); check the file, or give GRO, PDB, PSF or a "
            "LAMMPS data file."
        ) from None


def _require(name: str, path: str) -> None:
    """Say what to install where MDAnalysis's reader of a format needs a package that is not there."""
    module, package = PACKAGES[name]
    if importlib.util.find_spec(module) is None:
        raise InputError(
            f"{path} ({name}) is read with the package {package}, which is not installed; run: pip install {package}"
        )


def _let_go(error: BaseException) -> None:
    """Finalise readers whose making failed: MDAnalysis's complain in `__del__`, of which nobody is to hear."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
    finally:
        sys.unraisablehook = hook


def _universe_of(reader):
    """Make a universe without trajectory from the labels and masses of a reader's frame."""
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(reader.n_atoms)
    data = reader.ts.data
    kinds = [kind for kind in LABELS if kind in data]
    if kinds:
        universe.add_TopologyAttr("types", data[kinds[0]].astype(object))
        universe.add_TopologyAttr("names", data[kinds[-1]].astype(object))
    if "pelplug_masses" in data:
        universe.add_TopologyAttr("masses", data["pelplug_masses"])
    if "pelplug_charges" in data:
        universe.add_TopologyAttr("charges", data["pelplug_charges"])
    return universe


def _check_number(universe, topology, n: int, path) -> None:
    if universe.atoms.n_atoms != n:
        raise InputError(
            f"The topology {topology} has {universe.atoms.n_atoms} atoms, but {path} has {n}; give the topology that "
            "belongs to it."
        )


def _ignored(universe) -> dict[str, int]:
    """Return what a topology has that a model of pair forces does not know: bonds, angles, dihedrals, charges."""
    found = dict(getattr(getattr(universe, "_trajectory", None), "ignored", {}))
    for name in ("bonds", "angles", "dihedrals"):
        if hasattr(universe.atoms, name) and (number := len(getattr(universe, name))):
            found[name] = number
    if hasattr(universe.atoms, "charges") and (number := np.count_nonzero(np.nan_to_num(universe.atoms.charges))):
        found["charged atoms"] = int(number)
    return found


def _extra_of(universe, with_cell: bool) -> dict:
    extra: dict = {"labels": {}, "ignored": _ignored(universe)}
    atoms = universe.atoms
    for kind in ("types", "names", "elements"):
        if hasattr(atoms, kind):
            labels = getattr(atoms, kind).astype(str)
            if np.all(labels != ""):
                extra["labels"][kind] = labels
    labels = extra["labels"]
    if "elements" in labels and len(set(labels["elements"])) == len(set(labels.get("types", labels["elements"]))):
        # "Si" reads better than the "SI" of a PDB file's types; but elements must not merge types.
        extra["labels"] = {"elements": labels.pop("elements"), **labels}
    masses = np.asarray(getattr(atoms, "masses", [np.nan]), dtype=np.float64)
    if np.all(np.isfinite(masses)) and np.all(masses >= 0) and np.any(masses > 0):
        extra["masses"] = masses
    charges = np.asarray(getattr(atoms, "charges", [np.nan]), dtype=np.float64)
    if np.all(np.isfinite(charges)):
        extra["charges"] = charges
    if with_cell and getattr(universe, "_trajectory", None) is not None:
        ts = universe.trajectory.ts
        cell = cell_in(ts)
        if cell is not None:
            extra["cell"] = cell
        if "pelplug_diameters" in ts.data:
            extra["diameters"] = ts.data["pelplug_diameters"]
        extra["units"] = getattr(universe.trajectory, "stated_units", None)
        extra["converted"] = extra["units"] is None and universe.trajectory.convert_units
    return extra
