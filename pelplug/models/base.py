"""Model: which particles, which potential, which density; physics only."""

from __future__ import annotations

import abc
import dataclasses
import difflib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from pelplug.configuration import Configuration, natural_order
from pelplug.core.outside import read_outside
from pelplug.core.units import REDUCED, Units
from pelplug.errors import InputError
from pelplug.potentials.base import Potential

__all__ = ["Model", "Option", "diameters_of", "stated_masses"]


@dataclasses.dataclass(frozen=True)
class Option:
    """A parameter that the user of a model may set.

    Parameters
    ----------
    name : str
        Keyword.
    default : Any
        Value when it is not given.
    help : str
        What it is, with its unit.
    choices : tuple, optional
        The only values allowed.
    above, below : float, optional
        Open bounds of a number.
    text : bool
        Whether the value is text, a file's name for example; else it is one of ``choices``, or a number.
    whole : bool
        Whether the number is a whole one, kept exactly.
    file : bool, optional
        Whether the text is the path of a file. A record's paths are opened only at the user's word, and so is a text
        of which this is not said.
    """

    name: str
    default: Any
    help: str
    choices: tuple | None = None
    above: float | None = None
    below: float | None = None
    text: bool = False
    whole: bool = False
    file: bool | None = None

    @property
    def may_be_file(self) -> bool:
        """Whether a value could name a file."""
        return self.text and self.file is not False

    def convert(self, value: Any, model: str) -> Any:
        """Return ``value`` in the option's own type, or raise `InputError` saying what is allowed."""
        if value is None and self.default is None:
            return None
        if self.choices is not None:
            for choice in self.choices:
                if value == choice or str(value) == str(choice):
                    return choice
            allowed = ", ".join(str(choice) for choice in self.choices)
            raise InputError(f"The parameter {self.name} of {model} is one of {allowed}, not {value!r}.")
        if self.text:
            if isinstance(value, str | os.PathLike) and os.fspath(value):
                return str(os.fspath(value))
            raise InputError(f"The parameter {self.name} of {model} is text, not {value!r}.")
        try:
            number = int(str(value)) if self.whole else float(value)
        except (TypeError, ValueError):
            kind = "a whole number" if self.whole else "a number"
            raise InputError(f"The parameter {self.name} of {model} is {kind}, not {value!r}.") from None
        low = "" if self.above is None else f" above {self.above:g}"
        high = "" if self.below is None else f" below {self.below:g}"
        out = (self.above is not None and number <= self.above) or (self.below is not None and number >= self.below)
        if out or not np.isfinite(number):
            raise InputError(f"The parameter {self.name} of {model} must be a number{low}{high}, not {value!r}.")
        return number


class Model(abc.ABC):
    """A model liquid: its particles and the potential between them.

    A subclass sets the class attributes and `potential_of`; users build one with ``pelplug.model(name, ...)``.

    Parameters
    ----------
    **parameters
        Values for some of `options`.

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
    options : tuple of Option
        What can be set.
    parameters : dict
        The value of every option; `name` and these rebuild the model.

    Raises
    ------
    InputError
        If a parameter is unknown or out of range.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    formula: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    dimension: int | None = 3
    species: tuple[str, ...] = ()
    composition: dict[str, float] = {}  # noqa: RUF012 (replaced, never changed)
    density: float | None = None
    time_step: float | None = None
    units: Units = REDUCED
    scales: ClassVar[str] = "length sigma_AA, energy epsilon_AA, mass m = 1, k_B = 1"
    masses: Mapping[str, float] = {}
    needs_diameters: bool = False
    plantable: ClassVar[bool] = False
    other_dimensions: ClassVar[dict[int, str]] = {}

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        if isinstance(units := cls.__dict__.get("units"), str | Mapping):
            cls.units = Units.of(units)

    def __init__(self, **parameters):
        known = {option.name: option for option in self.options}
        for key in parameters:
            if key not in known:
                names = ", ".join(known) or "none"
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else "."
                raise InputError(f"The model {self.name} has no parameter {key!r} (its parameters: {names}){hint}")
        self.parameters = {
            option.name: option.convert(parameters[option.name], self.name)
            if option.name in parameters
            else option.default
            for option in self.options
        }

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
    def _mixing(d_i, d_j):
        return 0.5 * (d_i + d_j)

    # --- starting configurations ------------------------------------------------------------------------------

    def species_counts(self, n: int) -> dict[str, int]:
        """Return how many of ``n`` particles are of each species, as near to `composition` as whole numbers allow."""
        composition = self.composition or {"A": 1.0}
        exact = {name: n * fraction for name, fraction in composition.items()}
        counts = {name: int(np.floor(value + 1e-9)) for name, value in exact.items()}
        by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
        for name in by_remainder[: n - sum(counts.values())]:
            counts[name] += 1
        return counts

    def sample_diameters(self, n: int, rng: np.random.Generator | int) -> np.ndarray:
        """Draw ``n`` diameters [length], shape (n,)."""
        raise InputError(f"The model {self.name} has no distribution of diameters.")

    def random_configuration(
        self, n: int, rng: np.random.Generator | int, density: float | None = None, arrangement: str = "lattice"
    ) -> Configuration:
        """Make a disordered start of exact composition in a cubic box.

        Parameters
        ----------
        n : int
            Number of particles.
        rng : numpy.random.Generator or int
            Source of randomness, or its seed.
        density : float, optional
            Number density [length**-d]; the model's own when left out.
        arrangement : {"lattice", "random"}
            Shuffled sites of a simple cubic lattice, each displaced by up to a tenth of the lattice constant
            (no overlaps: good to start molecular dynamics), or positions without any correlation (T = infinity).

        Returns
        -------
        Configuration

        Raises
        ------
        InputError
            If n < 1, or dimension or density is neither given nor known.
        """
        rng = np.random.default_rng(rng)
        if n < 1:
            raise InputError(f"A configuration needs at least one particle, not {n}.")
        if arrangement not in ("lattice", "random"):
            raise InputError(f"The arrangement is lattice or random, not {arrangement!r}.")
        d = self._dimension_to_build()
        density = self.density if density is None else density
        if density is None:
            raise InputError(f"The model {self.name} has no density of its own in {d} dimensions; give density=.")
        if not density > 0:
            raise InputError(f"The density must be positive, not {density}.")
        length = (n / density) ** (1.0 / d)
        if arrangement == "lattice":
            side = int(np.ceil(n ** (1.0 / d) - 1e-9))
            sites = rng.choice(side**d, size=n, replace=False)
            grid = np.stack(np.unravel_index(sites, (side,) * d), axis=1)
            positions = (grid + 0.5 + rng.uniform(-0.1, 0.1, size=(n, d))) * (length / side)
        else:
            positions = rng.uniform(0.0, length, size=(n, d))
        species = np.concatenate([np.full(count, name) for name, count in self.species_counts(n).items()])
        diameters = self.sample_diameters(n, rng) if self.needs_diameters else None
        start = Configuration(positions, np.full(d, length), rng.permutation(species), diameters=diameters)
        masses = None if self.units.is_reduced else self.known_masses(start)
        return start if masses is None else start.replace(masses=masses)

    def _dimension_to_build(self) -> int:
        if self.dimension is None:
            raise InputError(f"The model {self.name} works in any dimension; say which with dimension=.")
        return self.dimension

    def planted(self, n: int, temperature: float, seed: int) -> tuple[Model, Configuration]:
        """Return a model of this kind together with an equilibrium configuration of it, made without any dynamics.

        Only for models with quenched disorder that can be drawn around a configuration; see `MariKurchan.planted`.

        Parameters
        ----------
        n : int
            Number of particles.
        temperature : float
            T [energy].
        seed : int
            Of configuration and disorder.

        Raises
        ------
        InputError
            If this model has no disorder to draw, or a number is out of range.
        """
        raise InputError(f"The model {self.name} has no disorder to plant a configuration in; start from a lattice.")

    # --- for people and files ---------------------------------------------------------------------------------

    def to_dict(self) -> dict:
        """Return name and parameters, of which `pelplug.models.from_record` rebuilds the model; units unless reduced.

        ``files`` has the SHA-256 of every file that a parameter names, unless a parameter ``sha256`` has it.
        """
        record = {"name": self.name, "parameters": dict(self.parameters)}
        if not self.units.is_reduced:
            record["units"] = self.units.to_dict()
        paths = {one.name: self.parameters[one.name] for one in self.options if one.file}
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
        lines = [f"{self.name}: {self.summary}", ""]
        facts = {
            "aliases": ", ".join(self.aliases),
            "formula": self.formula,
            "dimension": "any" if self.dimension is None else str(self.dimension),
            "density": _text(self.density),
            "composition": ", ".join(f"{name} {fraction:g}" for name, fraction in self.composition.items()),
            "time step": _text(self.time_step),
            "units": f"reduced: {self.scales}" if self.units.is_reduced else str(self.units),
            **{name: _text(value) for name, value in self.constants.items()},
        }
        width = max(map(len, facts))
        lines += [f"  {key:<{width}}  {value}" for key, value in facts.items() if value]
        if self.options:
            lines += ["", "Parameters:"]
            for option in self.options:
                allowed = f" ({', '.join(map(str, option.choices))})" if option.choices else ""
                value = _text(self.parameters[option.name]) or "unset"
                lines.append(f"  {option.name} = {value}{allowed}: {option.help}")
        if self.cites:
            lines += ["", "From:", *(f"  {cite}" for cite in self.cites)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self.parameters.items())
        return f"<Model {self.name}({values})>"

    def __eq__(self, other) -> bool:
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


def diameters_of(n: int, rng: np.random.Generator | int, smallest: float, largest: float) -> np.ndarray:
    """Draw ``n`` diameters from f(d) ~ d**-3 between two limits by inverting the distribution function."""
    if n < 1:
        raise InputError(f"The number of diameters must be positive, not {n}.")
    uniform = np.random.default_rng(rng).uniform(size=n)
    low, high = smallest**-2, largest**-2
    return 1.0 / np.sqrt(low + uniform * (high - low))


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return "(" + ", ".join(_text(item) for item in value) + ")"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
