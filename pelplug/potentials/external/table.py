"""table: pair energies and forces from a file as LAMMPS's ``pair_style table`` reads it."""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Literal

import numpy as np

from pelplug.configuration import natural_order
from pelplug.core.parameters import Param
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.potentials.base import Potential
from pelplug.potentials.pair_table import TablePotential, splined
from pelplug.potentials.pair_table_file import TableFile, read_pair_tables
from pelplug.potentials.provider import Provider

__all__ = ["TableProvider"]


class TableProvider(Provider):
    """Makes a pair potential of tables of LAMMPS, one section for each pair of species."""

    name = "table"
    summary = "pair tables of LAMMPS, splined for second derivatives"
    takes = "FILE"

    def __init__(
        self,
        *,
        sections: Annotated[
            str | None,
            Param(
                "section of each pair of species, where it is not named A-B or A_B",
                metavar="A-A:NAME/A-B:NAME",
                file=False,
            ),
        ] = None,
        cutoff: Annotated[
            float | None, Param("of all pairs; by default where each table ends", exclusive_minimum=0.0, unit="length")
        ] = None,
        truncation: Annotated[
            Literal["cut", "shift", "shifted-force", "smooth"],
            Param("what is done at the cutoff; cut: nothing, as LAMMPS does"),
        ] = "cut",
        units: Annotated[
            str | None, Param("what the numbers are in; by default as a comment says (UNITS: metal)", file=False)
        ] = None,
    ):
        super().__init__()

    def potential(self, file: str) -> Potential:
        """Return the potential of a file of tables.

        Parameters
        ----------
        file : str
            Sections of a name, a line with ``N`` and perhaps ``R`` or ``RSQ``, and rows of number, distance, energy
            and force.

        Raises
        ------
        InputError
            If the file is missing or damaged, does not tell the pair of a section or lacks a pair, or if forces are not
            those of the energies, or not smooth.
        """
        tables = read_pair_tables(file)
        named = self._named(tables)
        species = natural_order({name for pair in named for name in pair} - {""})
        missing = [pair for pair in itertools.combinations_with_replacement(species, 2) if _of(named, pair) is None]
        if missing:
            raise InputError(
                f"{file} has no section of the pair {'-'.join(missing[0])}; it has {', '.join(tables.sections)}: add "
                "one, or say which it is with --potential-param sections=A-B:NAME/..."
            )
        pairs = list(itertools.combinations_with_replacement(species or [""], 2))
        words = {pair: _of(named, pair) or "" for pair in pairs}
        size = len(species or [""])
        cutoff = np.empty((size, size))
        splines = {}
        for (a, b), pair in zip(itertools.combinations_with_replacement(range(size), 2), pairs, strict=True):
            section = tables.sections[words[pair]]
            end = self.parameters["cutoff"] or float(section.distances[-1])
            cutoff[a, b] = cutoff[b, a] = end
            splines[pair] = splined(section, file, end)
        units = self._units(tables)
        made_from = {
            "provider": self.name,
            "sha256": tables.sha256,
            "sections": {"-".join(pair): word for pair, word in words.items()},
            **({"units": units.to_dict()} if units.is_stated else {}),
        }
        truncation = self.parameters["truncation"]
        found = TablePotential(splines, species=species, cutoff=cutoff, truncation=truncation, made_from=made_from)
        found.units = units
        return found

    def _units(self, tables: TableFile) -> Units:
        try:
            return Units.of(self.parameters["units"] or tables.units or Units())
        except InputError as error:
            raise InputError(f"The units of {tables.path}: {error}") from None

    def _named(self, tables: TableFile) -> dict[tuple[str, str], str]:
        """Return the section of each pair of species that has one; of ("", "") where one is for all."""
        known = tables.sections
        if self.parameters["sections"] is None:
            words = {word: re.fullmatch(r"([^-_]+)[-_]([^-_]+)", word) for word in known}
            if len(known) == 1 and not all(words.values()):
                return {("", ""): next(iter(known))}
            if unclear := [word for word, found in words.items() if found is None]:
                raise InputError(
                    f"The section {unclear[0]} of {tables.path} does not say its pair of species, as A-B does; say "
                    f"which is which with --potential-param sections=A-A:{unclear[0]}/..."
                )
            return {(found[1], found[2]): word for word, found in words.items() if found is not None}
        named = {}
        for text in self.parameters["sections"].split("/"):
            pair, _, word = text.strip().partition(":")
            names = pair.split("-")
            if len(names) != 2 or not (all(names) and word):
                raise InputError(f"{text!r} in sections is no section of a pair of species; write A-B:NAME.")
            if word not in known:
                raise InputError(f"{tables.path} has no section {word}; it has {', '.join(known)}.")
            named[names[0], names[1]] = word
        return named


def _of(named: dict[tuple[str, str], str], pair: tuple[str, str]) -> str | None:
    return named.get(pair, named.get(pair[::-1]))
