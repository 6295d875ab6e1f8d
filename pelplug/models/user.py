"""A pair model of the user's own, written as a TOML file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.toml_files import read_toml
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.models.definition import Definition
from pelplug.models.harmonic_spheres import additive
from pelplug.models.polydisperse_soft_spheres import non_additive
from pelplug.potentials.base import Potential
from pelplug.potentials.form import Form
from pelplug.potentials.forms import FORMS

__all__ = ["UserModel", "from_file"]

_MANY = 64
_MIXING = {"additive": additive, "non-additive": non_additive}


def from_file(path: str | os.PathLike, forms: Mapping[str, Form] | None = None) -> UserModel:
    """Read a pair model from a TOML file.

    Parameters
    ----------
    path : path-like
        The file; its keys are those of `UserModel`.
    forms : mapping of str to Form, optional
        Functional forms to choose from; those of pelplug when left out.

    Returns
    -------
    UserModel

    Raises
    ------
    InputError
        If the file is missing, is not TOML, or does not define a model.
    """
    definition = read_toml(path, "model file")
    definition.setdefault("name", os.path.splitext(os.path.basename(path))[0])
    try:
        return UserModel(definition, forms)
    except InputError as error:
        raise InputError(f"In the model file {path}: {error}") from None


class UserModel(Model):
    """A pair potential chosen by its form, with parameters for each pair of species or for given diameters.

    Parameters
    ----------
    definition : mapping
        The keys are the parameters of `pelplug.models.definition.Definition`.
    forms : mapping of str to Form, optional
        Functional forms to choose from.

    Raises
    ------
    InputError
        If something is missing, unknown, or of the wrong kind.
    """

    name = "user"
    summary = "pair model from a file"
    formula = ""
    composition: ClassVar = {}

    def __init__(self, definition: Mapping, forms: Mapping[str, Form] | None = None, /):
        super().__init__()
        forms = FORMS if forms is None else forms
        self.definition = dict(definition)
        given = self._given = Definition(**definition).parameters
        if given["form"] not in forms:
            raise InputError(f"there is no form {given['form']!r}; the forms are {', '.join(forms)}.")
        self.form = forms[given["form"]]
        self.truncation = given["truncation"] or ("cut" if self.form.ends else "shift")
        self._read_description()
        self.formula = f"{self.form.formula}, truncation {self.truncation}"
        self.needs_diameters = given["sigma"] == "diameters"
        if self.needs_diameters:
            self._read_diameters()
        else:
            self._read_pairs()

    def _read_description(self) -> None:
        given = self._given
        self.name = given["name"]
        self.summary = given["summary"] or f"{self.form.name} pair model from a file"
        self.units, self._length = Units.of(given["units"]).for_atoms()
        masses = {key: _number(value, f"mass of {key}") for key, value in (given["masses"] or {}).items()}
        if unknown := [name for name in masses if name not in (given["species"] or masses)]:
            raise InputError(f"masses has {unknown[0]!r}, which is not among the species.")
        self.masses = masses
        self.cites = tuple(given["cites"] or ())
        self.dimension, self.density, self.time_step = given["dimension"], given["density"], given["time_step"]
        if self.density is not None and self.dimension is not None:
            self.density /= self._length**self.dimension

    def _read_diameters(self) -> None:
        self._rule = _MIXING[self._given["mixing"]]
        self.species = ()
        self.composition = {"A": 1.0}
        self.cutoff = self._cutoff_of({}, "")
        self.table = self._values_of(self._given["parameters"] or {}, "the table [parameters]")

    def _read_pairs(self) -> None:
        names = self._given["species"]
        if not names:
            raise InputError("the key 'species' is missing.")
        if len(set(names)) != len(names):
            raise InputError("species is a list of different names.")
        if not isinstance(self._given["pair"], list | tuple):
            raise InputError(f"the pair is a list of tables, each headed [[pair]], not {self._given['pair']!r}.")
        self.species = tuple(names)
        index = {name: k for k, name in enumerate(self.species)}
        n = len(names)
        if n > _MANY:  # before tables of as many rows and columns are made
            self._check_all_pairs(names)
        self.sigma, self.cutoff = np.full((n, n), np.nan), np.full((n, n), np.nan)
        self.table = {key: np.full((n, n), np.nan) for key in self.form.parameters}
        for pair in self._given["pair"]:
            couple = pair.get("species", []) if isinstance(pair, Mapping) else []
            if not isinstance(couple, list) or len(couple) != 2 or any(name not in names for name in couple):
                raise InputError(f"a [[pair]] names two of the species {', '.join(self.species)}, not {couple!r}.")
            a, b = (index[name] for name in couple)
            where = f"the pair {couple[0]}-{couple[1]}"
            if not np.isnan(self.sigma[a, b]):
                raise InputError(f"{where} is given twice.")
            sigma = self._length * _number(pair.get("sigma", 1.0), f"sigma of {where}")
            self.sigma[a, b] = self.sigma[b, a] = sigma
            self.cutoff[a, b] = self.cutoff[b, a] = sigma * self._cutoff_of(pair, f" of {where}")
            rest = {key: value for key, value in pair.items() if key not in ("species", "sigma", "cutoff")}
            for key, value in self._values_of(rest, where).items():
                self.table[key][a, b] = self.table[key][b, a] = value
        self._check_all_pairs(names)
        self._read_composition()

    def _check_all_pairs(self, names: list) -> None:
        pairs = self._given["pair"]
        given = {tuple(map(str, one.get("species", ()))) for one in pairs if isinstance(one, Mapping)}
        for a, b in itertools.combinations_with_replacement(names, 2):
            if (a, b) not in given and (b, a) not in given:
                raise InputError(f"the pair {a}-{b} has no [[pair]] table.")

    def _read_composition(self) -> None:
        given = self._given["composition"]
        if not given and len(self.species) == 1:
            given = {self.species[0]: 1.0}
        fractions = {key: _number(value, f"fraction of {key}") for key, value in (given or {}).items()}
        if fractions and (set(fractions) != set(self.species) or abs(sum(fractions.values()) - 1.0) > 1e-9):
            raise InputError("the composition gives each species a fraction, with sum 1.")
        self.composition = fractions

    def _cutoff_of(self, table: Mapping, where: str) -> float:
        cutoff = table.get("cutoff", self._given["cutoff"])
        if cutoff is None:
            cutoff = self.form.cutoff
        if cutoff is None:
            raise InputError(f"the cutoff{where} is missing; give it in units of sigma_ij.")
        return _number(cutoff, f"cutoff{where}")

    def _values_of(self, table: Mapping, where: str) -> dict[str, float]:
        for key in table:
            if key not in self.form.parameters:
                names = ", ".join(self.form.parameters)
                raise InputError(f"{where} has {key!r}, but the form {self.form.name} has the parameters {names}.")
        for key in self.form.parameters:
            if key not in table:
                raise InputError(f"{where} lacks {key!r}, a parameter of the form {self.form.name}.")
        return {key: _number(table[key], f"{key} of {where}", positive=False) for key in self.form.parameters}

    @property
    def constants(self) -> dict:
        """Every number of the potential; tables by pair."""
        if self.needs_diameters:
            return {"cutoff": self.cutoff, **self.table}
        pairs = [(a, b) for a in range(len(self.species)) for b in range(a, len(self.species))]
        tables = {"sigma": self.sigma, "cutoff": self.cutoff, **self.table}
        return {
            name: {f"{self.species[a]}-{self.species[b]}": float(table[a, b]) for a, b in pairs}
            for name, table in tables.items()
        }

    @property
    def largest_size(self) -> float:
        """The largest sigma; 0 where the configuration's diameters decide."""
        return 0.0 if self.needs_diameters else float(self.sigma.max())

    def _mixing(self, d_i, d_j):
        return self._rule(d_i, d_j)

    def species_counts(self, n: int) -> dict[str, int]:
        """Return how many of ``n`` particles are of each species; needs the key ``composition``."""
        if not self.composition:
            raise InputError(f"The model {self.name} states no composition; add it to the model file.")
        return super().species_counts(n)

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the pair potential that the file defines."""
        from pelplug.potentials.pair import PairPotential

        if self.needs_diameters:
            return PairPotential(
                self.form,
                sigma="diameters",
                mixing=self._rule,
                cutoff=self.cutoff,
                parameters=self.table,
                truncation=self.truncation,
            )
        return PairPotential(
            self.form,
            species=self.species,
            sigma=self.sigma,
            cutoff=self.cutoff,
            parameters=self.table,
            truncation=self.truncation,
        )

    def to_dict(self) -> dict:
        """Return name and definition: what `pelplug.models.from_record` rebuilds the model from."""
        units = {} if self.units.is_reduced else {"units": self.units.to_dict()}
        return {"name": self.name, "parameters": {}, "definition": self.definition, **units}


def _number(value, what: str, positive: bool = True) -> float:
    try:
        sound = not isinstance(value, bool) and isinstance(value, int | float) and np.isfinite(float(value))
    except OverflowError:
        raise InputError(f"the {what} is too large a number.") from None
    if not sound:
        raise InputError(f"the {what} is a number, not {value!r}.")
    if positive and value <= 0:
        raise InputError(f"the {what} must be positive, not {value!r}.")
    return float(value)
