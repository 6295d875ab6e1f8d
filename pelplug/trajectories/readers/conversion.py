"""From what a file's numbers are in to what a model's are, and the masses that a file leaves out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from pelplug.configuration import PER_PARTICLE, Configuration
from pelplug.core.units import REDUCED, Units
from pelplug.errors import InputError
from pelplug.trajectories.readers.base import FrameReader

__all__ = ["Conversion", "check_box", "conversion_of", "program_of_dcd", "units_of_record"]

# What MDAnalysis turns every length and time into that its readers know the unit of; masses are topologies' amu.
_MDANALYSIS = Units(length="Angstrom", mass="g/mol", time="ps")
# Formats whose own length is the Angstrom: nothing is converted, and people store reduced units in them as well.
_ANY_LENGTH = ("DCD", "PDB", "XPDB", "PDBQT", "ENT", "CRD", "MOL2", "XYZ", "INPCRD", "RESTRT", "MDCRD", "TRJ", "PQR")


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What is done to every frame of a file.

    Parameters
    ----------
    file : Units
        What the file's numbers are in, as far as that is known.
    units : Units
        What they become.
    model : Model, optional
        Gives the masses that the file leaves out.
    masses : mapping of str to float, optional
        Masses by species that come before the file's, already in `units`.
    own_time : bool
        Whether times are the file's own; those of ``dt`` are as they were given.
    loose : bool
        Whether nothing but the custom of the format says that lengths are Angstrom (DCD, PDB, ...).
    order : ndarray of int, shape (N,), optional
        Rows of the file in the order in which its particles are put; as they stand by default.
    """

    file: Units = Units()  # noqa: RUF009 (frozen)
    units: Units = Units()  # noqa: RUF009
    model: Any = None
    masses: Mapping[str, float] | None = None
    own_time: bool = True
    loose: bool = False
    order: np.ndarray | None = dataclasses.field(default=None, compare=False)

    def __call__(self, configuration: Configuration) -> Configuration:
        """Return a frame in the new units, with masses where anybody knows them."""
        length, time, mass = (self.file.factor(self.units, key) for key in ("length", "time", "mass"))
        changes: dict[str, Any] = {}
        if length != 1.0:
            for name in ("positions", "cell", "diameters"):
                if (value := getattr(configuration, name)) is not None:
                    changes[name] = length * value
        if length != time and configuration.velocities is not None:
            changes["velocities"] = length / time * configuration.velocities
        if time != 1.0 and self.own_time and configuration.time is not None:
            changes["time"] = time * configuration.time
        if self.masses:
            changes["masses"] = self._given_masses(configuration, mass)
        elif configuration.masses is not None:
            if mass != 1.0:
                changes["masses"] = mass * configuration.masses
        elif self.model is not None and (known := self.model.known_masses(configuration)) is not None:
            changes["masses"] = known
        if self.order is not None:
            for name in PER_PARTICLE:
                if (value := changes.get(name, getattr(configuration, name))) is not None:
                    changes[name] = value[self.order]
        return configuration.replace(**changes) if changes else configuration

    def _given_masses(self, configuration: Configuration, factor: float) -> np.ndarray:
        masses, known = self.masses or {}, configuration.masses
        if known is None and self.model is not None:
            known, factor = self.model.known_masses(configuration), 1.0
        missing = [name for name in configuration.species_names if name not in masses]
        if unknown := [name for name in masses if name not in configuration.species_names]:
            raise InputError(
                f"The mass of {unknown[0]!r} is given, but the species are {', '.join(configuration.species_names)}; "
                f"give those, as in --mass {configuration.species_names[0]}={next(iter(masses.values())):g}."
            )
        if missing and known is None:
            raise InputError(f"The mass of {', '.join(missing)} is missing; add {missing[0]}=... to --mass.")
        result = np.zeros(configuration.n) if known is None else factor * known
        for name, value in masses.items():
            result[configuration.species == name] = value
        return result


def units_of_record(record: Mapping | None) -> Units:
    """Return the units of a model that pelplug recorded in a file; nothing is opened for it."""
    if not record:
        return Units()
    try:
        if "units" in record:
            return Units.of(record["units"])
        definition = record.get("definition")
        if isinstance(definition, Mapping):
            return Units.of(definition.get("units", "reduced"))
    except InputError:
        return Units()
    if record.get("name") not in ("eam", "cu50zr50"):
        return REDUCED
    # What pelplug writes of these models has the checksum of their file; a record without it says nothing to believe.
    parameters = record.get("parameters")
    signed = isinstance(parameters, Mapping) and isinstance(parameters.get("sha256"), str)
    return Units.of("metal") if signed else Units()


def conversion_of(trajectory) -> Conversion:
    """Return what turns the frames of a trajectory into configurations.

    Parameters
    ----------
    trajectory : Trajectory
        Of which reader, format, topology, recorded model and what the user says (`source`) are looked at.
    """
    said = trajectory.source.units
    reader, loose = trajectory.reader, False
    if isinstance(reader, FrameReader):
        found = reader.stated_units
        if not found.is_stated:
            found = units_of_record(trajectory.model_record)
    elif reader.units.get("length") is None or (trajectory.format == "DCD" and program_of_dcd(reader)):
        found = Units()
    else:
        found, loose = _MDANALYSIS, trajectory.format in _ANY_LENGTH
    beside = trajectory._extra.get("units") or Units()  # a LAMMPS data file says in its first line
    if beside.is_stated and (loose or not found.is_stated or (found == _MDANALYSIS and _agree(found, beside))):
        found, loose = beside, False
    target = found
    if said is not None:
        target = said
        if said.is_reduced or loose or found.size("length") is None:
            found, loose = said, False
    return Conversion(found, target, masses=trajectory.source.masses, own_time=trajectory.dt is None, loose=loose)


def _agree(one: Units, other: Units) -> bool:
    return all(one.size(key) == other.size(key) for key in ("length", "time"))


def check_box(trajectory, extra: Mapping) -> None:
    """Refuse a topology whose box is another one than that of the first frame; tell where it is somewhat different.

    Raises
    ------
    InputError
        If a length of the one is more than twice that of the other.
    """
    cell, converted = extra.get("cell"), extra.get("converted", False)
    own = trajectory.cell_of_file(0)
    if cell is None or own is None or (converted and not trajectory.file_units.size("length")):
        return
    d = len(own)
    ours, theirs = np.linalg.norm(own, axis=1), np.linalg.norm(np.asarray(cell)[:d, :d], axis=1)
    if not np.all(theirs > 0):
        return
    k = int(np.argmax(np.abs(np.log(ours / theirs))))
    ratio = ours[k] / theirs[k]
    if 0.5 < ratio < 2.0:
        return
    words = f"{ratio:.3g} times longer" if ratio > 1 else f"{1 / ratio:.3g} times shorter"
    hint = "give the topology that belongs to it"
    native = "length" if isinstance(trajectory.reader, FrameReader) else trajectory.reader.units["length"]
    if native == "nm" and abs(ratio - 10.0) < 0.5:
        hint = (
            f"MDAnalysis takes the lengths of {trajectory.format} for nm and makes Angstrom of them; if they are in "
            "reduced units, pass --units lj (units= in Python)"
        )
    raise InputError(
        f"The box of {trajectory.path} is {ours[k]:.6g} long, {words} than the {theirs[k]:.6g} of the topology "
        f"{trajectory.topology}; {hint}."
    )


def program_of_dcd(trajectory) -> str | None:
    """Return the program that wrote a DCD file in units of its own, None for CHARMM's, which are Angstrom and AKMA."""
    header = getattr(getattr(trajectory, "_file", None), "header", None) or {}
    remarks = header.get("remarks", "")
    remarks = remarks.decode(errors="replace") if isinstance(remarks, bytes) else str(remarks)
    return next((program for program in ("LAMMPS", "HOOMD") if program in remarks.upper()), None)
