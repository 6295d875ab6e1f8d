"""lammps: a force field in the words of LAMMPS's input, computed by LAMMPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param, closest
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.execution.lammps import INSTALL, lammps_version
from pelplug.potentials.base import Capability, Evaluator, Potential
from pelplug.potentials.lammps_fragment import Command, Fragment, read_fragment
from pelplug.potentials.lammps_native import pair_style_of
from pelplug.potentials.lammps_system import COLUMNS, LammpsEvaluator, LammpsSystem
from pelplug.potentials.provider import Provider

__all__ = ["LammpsPotential", "LammpsProvider"]

_KNOWN = {"bond": "bonds", "angle": "angles", "dihedral": "dihedrals", "improper": "impropers"}


class LammpsProvider(Provider):
    """Makes potentials of fragments of LAMMPS's input."""

    name = "lammps"
    summary = "lines of LAMMPS's input that say a force field: pair_style, pair_coeff, kspace_style, bonds, ..."
    takes = "FILE"

    def __init__(
        self,
        *,
        types: Annotated[
            str,
            Param("species of LAMMPS's types 1, 2, ..., joined by commas; by default as labels, elements or numbers"),
        ] = "",
    ):
        super().__init__()
        self.types = types

    @classmethod
    def missing(cls) -> str:
        """Return how to install LAMMPS, where it is not."""
        return INSTALL if lammps_version() is None else ""

    def potential(self, file: str) -> LammpsPotential:
        """Return the potential of a fragment; see `pelplug.Provider`."""
        names = tuple(name.strip() for name in self.types.split(",")) if self.types else ()
        if not all(names):
            raise InputError(f"types={self.types!r} names no species for a type; give them as types=Cu,Zr.")
        return LammpsPotential(read_fragment(file), names)


class LammpsPotential(Potential):
    """A force field that LAMMPS computes.

    Parameters
    ----------
    fragment : Fragment
        What LAMMPS is told.
    types : tuple of str, optional
        Species of each type; several types may be one species where a data file tells them apart.
    """

    capabilities = Capability.EVALUATOR
    foreign = True

    def __init__(self, fragment: Fragment, types: tuple[str, ...] = ()):
        self.fragment, self._names = fragment, types or fragment.type_names
        units = fragment.setting("units", "lj")
        self.units = Units.of(units)
        self.knows = tuple(
            known for kind, known in _KNOWN.items() if fragment.setting(f"{kind}_style", "none") != "none"
        ) + (("charged atoms",) if fragment.charged else ())
        self.rough = _rough(fragment)
        styles = [" ".join(word for word in one.words[1:] if word[0].isalpha()) for one in fragment.all("pair_style")]
        self.label = f"lammps {styles[-1]}" if styles else "lammps"
        self._system: tuple[tuple, LammpsSystem] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_system": None}

    def record(self) -> dict[str, Any]:
        """Return the commands, the SHA-256 of all files that they read, the types, and LAMMPS's version."""
        return {
            "potential": self.label,
            "commands": [" ".join(one.words) for one in self.fragment.commands],
            "sha256": self.fragment.checksums(),
            "types": list(self._names),
            "lammps": lammps_version(),
        }

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length]."""
        system = self._held(configuration)
        system.set_cell(configuration.cell)
        forces = np.empty(configuration.positions.shape)
        try:
            return system(np.ascontiguousarray(configuration.positions), forces), forces
        except InputError:
            self._system = None
            raise

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return one that has a LAMMPS of its own, in which the particles move."""
        return LammpsEvaluator(self._new(configuration))

    def reach(self, configuration: Configuration) -> float | None:
        """Return the cutoff of the pairs [length]; None where bonds or long-range forces reach farther."""
        if self.fragment.bonded or self.fragment.setting("kspace_style", "none") != "none":
            return None
        return self._held(configuration).cutoff or None

    def bonds(self, configuration: Configuration) -> np.ndarray | None:
        """Return the bonds of the data file, shape (B, 2); None where there are none."""
        if self.fragment.data is None:
            return None
        self._types_of_data(configuration)
        found = self.fragment.data.bonds()
        return found if len(found) else None

    def masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the masses that the fragment states, shape (N,) [mass]; None where it does not for every type."""
        known: dict[int, float] = {}
        types = self.types_of(configuration)
        for one in self.fragment.all("mass"):
            every = one.words[1] == "*"
            for number in set(types.tolist()) if every else (self._number(one, 1),):
                known[number] = float(one.words[2])
        if not set(types.tolist()) <= set(known):
            return None
        return np.array([known[number] for number in types.tolist()])

    def native(self, engine: str) -> Mapping[str, Any] | None:
        """Return the pair style for LAMMPS's engine, where it is all there is and knows no unit; None elsewhere."""
        return pair_style_of(self.fragment, self._names) if engine == "lammps" else None

    # --- who is what --------------------------------------------------------------------------------------------

    def types_of(self, configuration: Configuration) -> np.ndarray:
        """Return the type of each particle, from 1, shape (N,).

        Raises
        ------
        InputError
            If a species is not among them, or a data file is of other particles.
        """
        names = self._names
        if self.fragment.data is not None:
            return self._types_of_data(configuration)
        species = configuration.species_names
        if names:
            if unknown := [name for name in species if name not in names]:
                hint = closest(unknown[0], names) or ""
                raise InputError(
                    f"{self.fragment.name} has no species {unknown[0]}{hint}; its types are {', '.join(names)}: name "
                    f"them as the file does (--potential-param types={','.join(species)}), or the file's (--species)."
                )
            return np.array([names.index(name) + 1 for name in configuration.species.tolist()])
        if all(name.isdecimal() and int(name) > 0 for name in species):
            return configuration.species.astype(np.int64)
        if len(species) == 1 and self.fragment.number_of_types <= 1:
            return np.ones(configuration.n, dtype=np.int64)
        raise InputError(
            f"{self.fragment.name} does not say which of LAMMPS's types {' and '.join(species)} are; name the species "
            f"in the order of the types, as in --potential-param types={','.join(species)}."
        )

    def _types_of_data(self, configuration: Configuration) -> np.ndarray:
        data = self.fragment.data
        assert data is not None
        if data.n != configuration.n:
            raise InputError(
                f"{data.name} has {data.n} particles and the configuration {configuration.n}; give its own."
            )
        words = data.column(COLUMNS[self.style][0])
        data.check_width(COLUMNS[self.style][2] + 3)
        labels = {name: k + 1 for k, name in enumerate(data.labels)}
        types = np.array([labels.get(word) or int(word) for word in words])
        told = [self._names[number - 1] if self._names else str(number) for number in types.tolist()]
        pairs = set(zip(told, configuration.species.tolist(), strict=True))
        if len(pairs) > len({one for one, _ in pairs}):
            raise InputError(
                f"Particles of one type in {data.name} have several species in the configuration: their order is not "
                "the same; write the trajectory with ids (dump ... id type x y z), or in the order of the data file."
            )
        return types

    @property
    def style(self) -> str:
        """LAMMPS's atom style: stated, or as the data file or the forces need."""
        data = self.fragment.data
        found = self.fragment.setting("atom_style") or (data.style if data is not None else "")
        if data is not None and data.style not in ("", found):
            raise InputError(
                f"{self.fragment.name} says atom_style {found} and {data.name} has {data.style}; write that one."
            )
        found = found or ("charge" if self.fragment.charged else "atomic")
        if found not in COLUMNS:
            raise InputError(f"The atom style {found} is not one of {', '.join(COLUMNS)}, for which forces are asked.")
        return found

    def _number(self, command: Command, place: int) -> int:
        """Return the type that a word of a command names by its number or label."""
        word = command.words[place]
        if word.isdecimal():
            return int(word)
        if word in self._names:
            return self._names.index(word) + 1
        raise InputError(
            f"Line {command.line} of {self.fragment.name}: {word} is no type; write a line of {command.name} for each "
            "type, by its number."
        )

    def charges_of(self, configuration: Configuration, types: np.ndarray) -> np.ndarray | None:
        """Return the charges: of the fragment by types, of its data file, or of the configuration, shape (N,).

        Raises
        ------
        InputError
            If a style needs some and nobody has them.
        """
        fragment, place = self.fragment, COLUMNS[self.style][1]
        if place is None:
            if fragment.charged:
                raise InputError(
                    f"{fragment.name} has a Coulomb style and atom_style {self.style} no charges; use full."
                )
            return None
        charges: np.ndarray | None = None
        if fragment.data is not None:
            charges = np.array([float(word) for word in fragment.data.column(place)])
        if charges is None or not np.any(charges):
            charges = configuration.charges if configuration.charges is not None else charges
        by_type = {self._number(one, 2): float(one.words[4]) for one in fragment.all("set")}
        if by_type:
            charges = np.zeros(configuration.n) if charges is None else np.array(charges)
            for number, value in by_type.items():
                charges[types == number] = value
        if fragment.charged and (charges is None or not np.any(charges)):
            raise InputError(
                f"{fragment.name} has a Coulomb style, and neither it nor the trajectory has charges; write a line "
                "`set type 1 charge 2.4` for each type, or give a topology or dump that has them (q)."
            )
        return np.zeros(configuration.n) if charges is None else np.array(charges)

    # --- systems ------------------------------------------------------------------------------------------------

    def _held(self, configuration: Configuration) -> LammpsSystem:
        """Return a LAMMPS that is kept for configurations with the same particles."""
        charges = None if configuration.charges is None else configuration.charges.tobytes()
        key = (configuration.positions.shape, configuration.species.tobytes(), charges)
        if self._system is None or self._system[0] != key:
            self._system = None
            self._system = key, self._new(configuration)
        return self._system[1]

    def _new(self, configuration: Configuration) -> LammpsSystem:
        if configuration.dimension not in (2, 3):
            raise InputError(f"LAMMPS lives in two or three dimensions, not {configuration.dimension}.")
        types = self.types_of(configuration)
        return LammpsSystem(self.fragment, configuration, types, self.charges_of(configuration, types), self.style)


def _rough(fragment: Fragment) -> str:
    """Return why forces are too rough for second derivatives and what to change; empty where they are not."""
    kspace = fragment.setting("kspace_style", "none")
    if kspace.startswith(("pppm", "msm")):
        return (
            f"{fragment.name} uses {kspace}, whose forces from a grid are no derivatives of its energy; write "
            "kspace_style ewald 1.0e-6 in its place"
        )
    table = [
        one.words[k + 1]
        for one in fragment.all("pair_modify")
        for k in range(len(one.words) - 1)
        if one.words[k] == "table"
    ]
    long = any(word.endswith(("coul/long", "/msm")) for one in fragment.all("pair_style") for word in one.words)
    if long and table[-1:] != ["0"]:
        return f"{fragment.name} tabulates its long-range forces; write pair_modify table 0"
    return ""
