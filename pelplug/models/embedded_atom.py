"""Metals: embedded-atom potentials from eam/fs and eam/alloy files, and Cu50Zr50."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.outside import read_outside
from pelplug.core.parameters import Param
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.execution.lammps import shipped_potential
from pelplug.models.base import Model
from pelplug.potentials.base import Potential

__all__ = ["Cu50Zr50", "EmbeddedAtom"]


class EmbeddedAtom(Model):
    """Embedded-atom potential from a file; the species are its elements."""

    name = "eam"
    summary = "embedded-atom potential from any eam/fs or eam/alloy (setfl) file"
    formula = "sum_i F_i(rho_i) + 1/2 sum_ij phi_ij(r_ij), rho_i = sum_j f_ji(r_ij), splines as in LAMMPS"
    units = Units.of("metal")
    cites: ClassVar[tuple[str, ...]] = ("M. S. Daw and M. I. Baskes, Phys. Rev. B 29, 6443 (1984)",)

    def __init__(
        self,
        *,
        file: Annotated[Path | None, Param("the eam/fs or eam/alloy file")] = None,
        kind: Annotated[
            Literal["auto", "fs", "alloy"],
            Param("what the file is: eam/fs or eam/alloy; auto: by its ending, else by its length"),
        ] = "auto",
        sha256: Annotated[
            str | None, Param("refuse the file unless this is its SHA-256; recorded with results", file=False)
        ] = None,
    ):
        super().__init__()
        if self.parameters["file"] is not None:
            self.parameters["file"] = os.path.abspath(os.path.expanduser(self.parameters["file"]))
            _ = self._tables

    def _accept(self, tables) -> None:
        self.species = tables.elements
        self.units = Units.of(tables.units)
        if len(tables.elements) == 1:
            self.composition = {tables.elements[0]: 1.0}

    def _path(self) -> str:
        if self.parameters["file"] is None:
            raise InputError(f"The model {self.name} needs an eam/fs or eam/alloy file; pass file=PATH.")
        return self.parameters["file"]

    @functools.cached_property
    def _tables(self):
        from pelplug.potentials.eam_file import read_eam

        tables = read_eam(self._path(), self.parameters["kind"], self.parameters["sha256"])
        self._accept(tables)
        self.parameters["sha256"] = tables.checksum
        return tables

    @functools.cached_property
    def _potential(self):
        from pelplug.potentials.eam import EAMPotential

        return EAMPotential(self._tables)

    @property
    def masses(self) -> dict[str, float]:
        """Atomic mass of each element in the file [g/mol in metal units]."""
        return dict(zip(self._tables.elements, map(float, self._tables.masses), strict=True))

    @property
    def constants(self) -> dict:
        """What the file says; only what is amiss if it cannot be read."""
        try:
            tables = self._tables
        except InputError as error:
            return {"file": str(error)}
        return {
            "file": tables.path,
            "kind": f"eam/{tables.kind}",
            "mass": self.masses,
            "cutoff": tables.cutoff,
            "table": f"{tables.pair.shape[-1]} values in r every {tables.dr:.6g}, {tables.embedding.shape[-1]} in rho "
            f"every {tables.drho:.6g}",
        }

    @property
    def largest_size(self) -> float:
        """0: a primitive cell of a crystal is lower than its atoms are apart; all images are summed."""
        return 0.0

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the potential that the file tabulates."""
        return self._potential

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if there is no usable file, or the configuration has an element that is not in it."""
        _ = self._tables
        super().check(configuration)

    def fits(self, species: Iterable[str], dimension: int, has_diameters: bool = False) -> bool:
        """Return whether the file has these species; without a file none fit."""
        return bool(self.species) and super().fits(species, dimension, has_diameters)

    def species_counts(self, n: int) -> dict[str, int]:
        """Return how many of ``n`` atoms are of each element; `InputError` where no composition is stated."""
        if not self.composition:
            self._path()
            raise InputError(f"The model {self.name} states no composition for {', '.join(self.species)}.")
        return super().species_counts(n)

    def random_configuration(
        self, n: int, rng: np.random.Generator | int, density: float | None = None, arrangement: str = "lattice"
    ) -> Configuration:
        """Make a disordered start like `Model.random_configuration`, with the file's masses."""
        start = super().random_configuration(n, rng, density, arrangement)
        return start.replace(masses=np.array([self.masses[name] for name in start.species]))

    def to_dict(self) -> dict:
        """Return name and parameters, the file's checksum among them where it can be read."""
        with contextlib.suppress(InputError):
            _ = self._tables
        return super().to_dict()


class Cu50Zr50(EmbeddedAtom):
    """Equimolar copper-zirconium, a metallic glass."""

    name = "cu50zr50"
    aliases = ("cuzr",)
    summary = "Cu50Zr50 metallic glass, Finnis-Sinclair potential from LAMMPS's file CuZr_mm.eam.fs"
    cites = (
        "M. I. Mendelev, file CuZr_mm.eam.fs distributed with LAMMPS, 2007-06-11 (it says CITATION: Unknown)",
        *EmbeddedAtom.cites,
    )
    species = ("Cu", "Zr")
    composition: ClassVar = {"Cu": 0.5, "Zr": 0.5}
    density = 0.0558
    time_step = 0.002
    _FILE = "CuZr_mm.eam.fs"
    # What pelplug.testing cannot see of it.
    trial: ClassVar = {
        "expected_failures": dict.fromkeys(
            ("check_potential_hessian_is_derivative", "check_potential_strain_curvature"),
            "U'' of a table jumps at each of its knots by about 1e-5 of itself, and differences see it",
        )
    }

    def __init__(
        self,
        *,
        file: Annotated[
            Path | None, Param("an eam/fs or eam/alloy file with Cu and Zr; LAMMPS's own by default")
        ] = None,
        **base: Any,
    ) -> None:
        super().__init__(file=file, **base)

    def _accept(self, tables) -> None:
        missing = [name for name in self.species if name not in tables.elements]
        if missing:
            raise InputError(
                f"The EAM file {tables.path} has the elements {', '.join(tables.elements)} but not "
                f"{', '.join(missing)}, which {self.name} needs; pass another as file=PATH."
            )
        if tables.units != "metal":
            raise InputError(
                f"The EAM file {tables.path} is in {tables.units} units and {self.name} in metal units; pass another "
                "as file=PATH, or use the model eam."
            )

    def _path(self) -> str:
        if self.parameters["file"] is not None:
            return self.parameters["file"]
        path = shipped_potential(self._FILE)
        if path is None:
            raise InputError(
                f"The file {self._FILE}, which comes with LAMMPS, was not found: install pelplug[lammps], or pass "
                "file=PATH."
            )
        return path

    @classmethod
    def shipped_file(cls, parameters: Mapping) -> str | None:
        """Return LAMMPS's own file if the record is of one with the same content, wherever that was."""
        path, wanted = shipped_potential(cls._FILE), parameters.get("sha256")
        if path is None or not isinstance(wanted, str):
            return None
        with contextlib.suppress(InputError):
            read_outside(path, "EAM file", sha256=wanted)
            return path
        return None
