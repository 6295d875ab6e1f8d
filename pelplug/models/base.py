"""Model: which particles, which potential, which density; physics only."""

from __future__ import annotations

import abc
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from pelplug.configuration import Configuration, natural_order
from pelplug.core.outside import read_outside
from pelplug.core.parametrised import Parametrised
from pelplug.core.units import REDUCED, Units
from pelplug.errors import InputError
from pelplug.models.description import describe
from pelplug.models.starts import Startable
from pelplug.potentials.base import Potential

__all__ = ["Model", "stated_masses"]


class Model(Parametrised, Startable, abc.ABC):
    """A model liquid: its particles and the potential between them.

    A subclass sets the class attributes and writes `potential_of`; its parameters are keyword-only arguments annotated
    with `pelplug.Param`, their values are in `parameters`. Users build one with ``pelplug.model(name, ...)``::

        class Soft(pelplug.Model):
            name = "soft"
            summary = "one kind of soft sphere"

            def __init__(
                self, *, cutoff: Annotated[float, pelplug.Param("cutoff", exclusive_minimum=0, unit="sigma")] = 1.5
            ):
                super().__init__()

    Attributes
    ----------
    name : str
        Name on the command line.
    aliases : tuple of str
        Other names.
    summary : str
        One line.
    dimension : int or None
        Dimension of space; None where any will do.
    species : tuple of str
        Names of the species; empty where names do not matter.
    composition : dict
        Fraction of each species.
    density : float or None
        Number density that the model is used at [length**-d].
    time_step : float or None
        Molecular dynamics time step: the papers' where they state one, else one that conserves energy [time].
    units : Units
        What the numbers are in units of; a subclass may give a name, as ``"metal"``.
    scales : str
        What lengths, energies and masses are measured in where units are reduced.
    masses : dict of str to float
        Mass of each species, for states that have none; empty where the model knows none. In reduced units that is 1.
    formula : str
        The pair energy as text.
    cites : tuple of str
        Where the model comes from.
    needs_diameters : bool
        Whether each particle has its own diameter.
    plantable : bool
        Whether `planted` gives an equilibrium configuration.
    parameters : dict
        The value of every parameter; `name` and these rebuild the model.

    Raises
    ------
    InputError
        If a parameter is unknown or out of range.
    """

    noun = "model"
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    formula: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    dimension: int | None = 3
    species: tuple[str, ...] = ()
    composition: ClassVar[Mapping[str, float]] = {}
    density: float | None = None
    time_step: float | None = None
    units: Units = REDUCED
    scales: ClassVar[str] = "length sigma_AA, energy epsilon_AA, mass m = 1, k_B = 1"
    masses: ClassVar[Mapping[str, float]] = {}
    needs_diameters: bool = False
    plantable: ClassVar[bool] = False
    other_dimensions: ClassVar[dict[int, str]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if isinstance(units := cls.__dict__.get("units"), str | Mapping):
            cls.units = Units.of(units)

    def __init__(self) -> None:
        super().__init__()

    @property
    def boltzmann(self) -> float:
        """k_B: a temperature times this is an energy [energy / temperature]."""
        return self.units.thermal(1.0)

    @property
    def mass_unit(self) -> float:
        """``m v**2`` of mass 1 and velocity 1 [energy]."""
        return self.units.mass_unit

    @property
    @abc.abstractmethod
    def constants(self) -> dict:
        """Every number of the potential: energy scales, sizes, cutoffs, coefficients."""

    @property
    @abc.abstractmethod
    def largest_size(self) -> float:
        """The largest sigma_ij of the model [length]; 0 where it depends on the configuration's diameters."""

    @abc.abstractmethod
    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the potential for a configuration that has passed `check`."""

    def potential(self, configuration: Configuration) -> Potential:
        """Return the potential energy function of this model for a configuration.

        Raises
        ------
        InputError
            If the configuration does not fit the model; see `check`.
        """
        self.check(configuration)
        return self.potential_of(configuration)

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if the configuration has another dimension or species, no diameters, or too small a box.

        A cutoff beyond half the box is fine, images are summed; but where a cell height is below the largest
        sigma_ij, a particle overlaps its own image and the numbers would mean nothing.
        """
        self._check_dimension(configuration)
        self._check_species(configuration)
        size = self.largest_size
        if self._uses_diameters(configuration):
            if configuration.diameters is None:
                raise InputError(
                    f"The model {self.name} needs the diameter of each particle, and the configuration has none; "
                    "read them from a GSD file or pass diameters= to Configuration."
                )
            size = self._largest_mixed_diameter(configuration)
        if np.min(configuration.heights) < size:
            remedy = "use a larger system"
            if configuration.n * size**configuration.dimension > 20 * configuration.volume:
                remedy = (
                    "are the units of length the model's? MDAnalysis and ASE divide lengths by 10 when they write XTC, "
                    "TRR or GRO; then leave --units out and take a model in Angstrom (units, sigma and epsilon of "
                    "stillinger-weber and kob-andersen: --model-param units=metal --model-param sigma=1 "
                    '--model-param epsilon=1; or units = "metal" in a model file)'
                )
            raise InputError(
                f"The box is only {np.min(configuration.heights):.6g} high, less than the largest particle distance "
                f"{size:.6g} of {self.name}: a particle would overlap its own image; {remedy}."
            )

    def known_masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the model's own masses of the particles, shape (N,) [mass]; None where it knows none."""
        if not all(name in self.masses for name in configuration.species_names):
            return None
        return np.array([self.masses[name] for name in configuration.species.tolist()], dtype=float)

    def masses_of(self, configuration: Configuration) -> np.ndarray:
        """Return the masses of a configuration, else the model's, shape (N,) [mass]; 1 in reduced units.

        Raises
        ------
        InputError
            If neither knows them and the units are not reduced.
        """
        masses = self.known_masses(configuration) if configuration.masses is None else configuration.masses
        return stated_masses(configuration, masses, self.units)

    def fits(self, species: Iterable[str], dimension: int, has_diameters: bool = False) -> bool:
        """Return whether particles of these species, dimension and diameters can be of this model."""
        if self.dimension not in (None, dimension):
            return False
        if self.species:
            return set(species) <= set(self.species)
        return has_diameters or (not self.needs_diameters and len(set(species)) == 1)

    def _check_dimension(self, configuration: Configuration) -> None:
        d = configuration.dimension
        if self.dimension is not None and d != self.dimension:
            other = self.other_dimensions.get(d)
            remedy = f"use {other}" if other else "choose another with `pelplug models`"
            raise InputError(
                f"The model {self.name} is {self.dimension}-dimensional but the configuration has d = {d}; {remedy}."
            )

    def _check_species(self, configuration: Configuration) -> None:
        if not self.species:
            return
        present = natural_order(configuration.species_names)
        unknown = [name for name in present if name not in self.species]
        if unknown:
            new = [*self.species, *[self.species[-1]] * len(present)]  # every name of the file gets one
            example = ",".join(f"{old}={name}" for old, name in zip(present, new, strict=False))
            raise InputError(
                f"The model {self.name} has the species {', '.join(self.species)}, but the configuration has "
                f"{', '.join(present)}; say which is which, for example --species {example}."
            )

    def _uses_diameters(self, configuration: Configuration) -> bool:
        return self.needs_diameters

    def _largest_mixed_diameter(self, configuration: Configuration) -> float:
        """Largest d_ij that `_mixing` makes of the diameters; InputError where one is not positive."""
        smallest, largest = float(configuration.diameters.min()), float(configuration.diameters.max())
        # d_ij is lowest either for two small ones or for the most unequal pair.
        if min(self._mixing(smallest, largest), self._mixing(smallest, smallest)) <= 0.0:
            raise InputError(
                f"Diameters from {smallest:.6g} to {largest:.6g} are too unequal for {self.name}: the non-additive "
                "rule makes a pair distance negative; the unit of length is the mean diameter."
            )
        return max(self._mixing(largest, largest), self._mixing(smallest, largest))

    @staticmethod
    def _mixing(d_i: float, d_j: float) -> float:
        return 0.5 * (d_i + d_j)

    # --- for people and files ---------------------------------------------------------------------------------

    def to_dict(self) -> dict:
        """Return name and parameters, of which `pelplug.models.from_record` rebuilds the model; units unless reduced.

        ``files`` has the SHA-256 of every file that a parameter names, unless a parameter ``sha256`` has it.
        """
        values = {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in self.parameters.items()}
        record = {"name": self.name, "parameters": values}
        if not self.units.is_reduced:
            record["units"] = self.units.to_dict()
        paths = {name: self.parameters[name] for name, spec in self.parameter_specs().items() if spec.is_file}
        if "sha256" not in self.parameters and any(paths.values()):
            record["files"] = {
                name: hashlib.sha256(read_outside(path, f"{name} of {self.name}")).hexdigest()
                for name, path in paths.items()
                if path
            }
        return record

    @classmethod
    def shipped_file(cls, parameters: Mapping) -> str | None:
        """Return the file that comes with an installed package and is the very one recorded parameters tell of."""
        return None

    def to_log(self) -> np.ndarray:
        """Return `to_dict` as JSON in an array of uint8, as stored in GSD files under ``log/pelplug/model``."""
        return np.frombuffer(json.dumps(self.to_dict(), sort_keys=True).encode(), dtype=np.uint8)

    def describe(self) -> str:
        """Return the model in some lines of text: formula, numbers, parameters, sources."""
        return describe(self)

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self.parameters.items())
        return f"<Model {self.name}({values})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))


def stated_masses(configuration: Configuration, masses: np.ndarray | None, units: Units) -> np.ndarray:
    """Return masses that are known, shape (N,), 1 in reduced units where they are not; see `Model.masses_of`.

    Raises
    ------
    InputError
        If they are not known and the units are those of a real system.
    """
    if masses is not None:
        return masses
    if units.is_reduced or not units.is_stated:
        return np.ones(configuration.n)
    example = ",".join(f"{name}=..." for name in configuration.species_names)
    raise InputError(
        f"The masses are known neither to the file nor to the model, and no mass is 1 {units.mass or ''} by itself; "
        f"give them with --mass {example} (masses= in Python), or with a topology that has them."
    )
