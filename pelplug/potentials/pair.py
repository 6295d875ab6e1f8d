"""PairPotential: any functional form between species of a mixture, or between particles with diameters."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration, natural_order
from pelplug.core.arguments import takes
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.execution.threads import SERIAL_BELOW, run_ranges
from pelplug.potentials.base import ALL, Pairs, PairTerms, Potential, StrainDerivatives
from pelplug.potentials.following import FollowingEvaluator, overlap_sentence
from pelplug.potentials.form import Form, code_record
from pelplug.potentials.form_check import check_form
from pelplug.potentials.kernels import pair_kernels
from pelplug.potentials.neighbours import NeighbourList, build_neighbour_list
from pelplug.potentials.pair_native import pair_native
from pelplug.potentials.strain import pair_strain_derivatives
from pelplug.potentials.truncations import TRUNCATIONS, name_of, truncated

__all__ = ["PairPotential", "group_numbers"]


class PairPotential(Potential):
    """The sum of ``u(r / sigma_ij)`` over all pairs and periodic images closer than the cutoff.

    Parameters
    ----------
    form : Form
        The functional form u and the names of its parameters.
    sigma : array_like, shape (S, S), or "diameters"
        Length scale of each pair of species [length]; or taken from the particles' diameters by ``mixing``.
    cutoff : array_like, shape (S, S), or float
        Cutoff of each pair of species [length]; with diameters one number, in units of d_ij.
    parameters : mapping of str to array_like
        For each name in ``form.parameters`` a table of shape (S, S) or one number for all.
    species : sequence of str, optional
        Names of the species, in the order of the tables.
    truncation : {"cut", "shift", "shifted-force", "smooth"} or callable
        ``shift`` makes U continuous at the cutoff, ``shifted-force`` U and U', ``smooth`` U, U' and U'' by adding
        ``c0 + c2 x**2 + c4 x**4``; ``cut`` adds nothing, for forms that end smoothly by themselves. Or a function from
        `Form` to `Form` that returns ``form.derived(...)``.
    mixing : callable, optional
        Plain function ``(d_i, d_j) -> d_ij``; needed with ``sigma="diameters"``. An attribute ``expression``, the same
        as a formula of ``d_i`` and ``d_j`` in Lepton's language, is for engines that compile one.

    Attributes
    ----------
    truncated : Form
        The form with its truncation: what every kernel and every engine is given.
    numbers : ndarray, shape (S, S, P)
        What its functions take as ``p`` for each pair.

    Raises
    ------
    InputError
        If tables have the wrong shape, a parameter is missing or unknown, or a length is not positive.
    """

    @takes("PairPotential")
    def __init__(
        self,
        form: Form,
        *,
        sigma: Any,
        cutoff: Any,
        parameters: Mapping[str, object],
        species: Sequence[str] = (),
        truncation: Annotated[Any, Param("what is done at the cutoff", metavar="|".join(TRUNCATIONS))] = "cut",
        mixing: Callable | None = None,
    ) -> None:
        self.form = form
        self.truncated = truncated(form, truncation)
        self.truncation = name_of(truncation)
        self.species = tuple(species)
        self.mixing = mixing
        self.per_particle = isinstance(sigma, str)
        if self.per_particle and (sigma != "diameters" or mixing is None):
            raise InputError("Give sigma as a table, or as 'diameters' together with a mixing function.")
        size = 1 if self.per_particle else max(1, len(self.species))
        self.sigma = np.ones((1, 1)) if self.per_particle else _table(sigma, size, "sigma")
        self.pair_cutoff = _table(cutoff, size, "cutoff")
        if not (np.all(self.sigma > 0) and np.all(self.pair_cutoff > 0)):
            raise InputError("Every sigma and every cutoff must be positive.")
        unknown = set(parameters) ^ set(form.parameters)
        if unknown:
            raise InputError(
                f"The form {form.name} has the parameters {', '.join(form.parameters) or 'none'}; "
                f"missing or unknown: {', '.join(sorted(unknown))}."
            )
        self.parameters = {name: _table(parameters[name], size, name) for name in form.parameters}
        ends = self.pair_cutoff / self.sigma
        check_form(form, self._numbers_of(form), ends)
        self.numbers = self._numbers_of(self.truncated)
        check_form(self.truncated, self.numbers, ends)
        self._inverse_sigma = 1.0 / self.sigma
        with np.errstate(over="ignore"):
            self._cutoff_squared = self.pair_cutoff**2

    capabilities = ALL

    def record(self) -> dict[str, Any]:
        """Return the form, the truncation and every table."""
        mixing = self.mixing
        by = None if mixing is None else {"name": mixing.__name__, **code_record(mixing)}
        return {
            "potential": "pair",
            "form": self.truncated.record(),
            "truncation": self.truncation,
            "species": list(self.species),
            "sigma": "diameters" if self.per_particle else self.sigma.tolist(),
            "cutoff": self.pair_cutoff.tolist(),
            "parameters": {name: table.tolist() for name, table in self.parameters.items()},
            "mixing": by,
        }

    def sizes(self, configuration: Configuration) -> np.ndarray:
        """Return the diameters, or sigma of each particle with its own kind, shape (N,) [length]."""
        if self.per_particle:
            if configuration.diameters is None:
                raise InputError("The potential needs a diameter for each particle; the configuration has none.")
            return np.array(configuration.diameters)
        return np.diag(self.sigma)[group_numbers(configuration, self.species)]

    def ranges(self, configuration: Configuration) -> np.ndarray:
        """Return the cutoff of each particle with its own kind, shape (N,) [length]."""
        if not self.per_particle:
            return np.diag(self.pair_cutoff)[group_numbers(configuration, self.species)]
        sizes = self.sizes(configuration)
        return self.cutoff * np.array([self.mixing(size, size) for size in sizes.tolist()])

    def reach(self, configuration: Configuration) -> float:
        """Return the largest distance at which two particles of a state interact [length]."""
        if not self.per_particle:
            return self.cutoff
        largest = float(self.sizes(configuration).max())
        return self.cutoff * float(self.mixing(largest, largest))

    def native(self, engine: str) -> dict[str, Any] | None:
        """Return what the form says of itself for an engine, its formula for LAMMPS, or a table.

        None for a subclass: its forces may be others.
        """
        return pair_native(self, engine) if type(self) is PairPotential else None

    def pair_terms(self, configuration: Configuration) -> PairTerms | None:
        """Return what kernels of another device take; None for a subclass."""
        if type(self) is not PairPotential:
            return None
        of, tables = self._system(configuration), (self._inverse_sigma, self.numbers, self._cutoff_squared)
        return PairTerms(self.truncated, self.mixing, of.groups, of.diameters, *tables, self.reach(configuration))

    @property
    def repulsive(self) -> bool:  # type: ignore[override]  # as the form is
        """Whether particles only repel each other."""
        return self.form.repulsive

    @property
    def cutoff(self) -> float:  # type: ignore[override]  # of the pairs
        """Largest cutoff [length]; with diameters in units of the mixed diameter."""
        return float(self.pair_cutoff.max())

    @functools.cached_property
    def force_jumps(self) -> tuple[float, float]:
        """Largest repulsive and largest attractive force just below a cutoff [energy / length]."""
        forces = []
        with np.errstate(all="ignore"):  # of numbers that make no sense, which are refused where they are used
            for a, b in np.ndindex(self.sigma.shape):
                x = self.pair_cutoff[a, b] / self.sigma[a, b] * (1.0 - 1e-12)
                slope = self.form.function(x, self.numbers[a, b])[1]
                left = self.truncated.function(x, self.numbers[a, b])[1]
                inside = abs(self.form.function(0.9 * x, self.numbers[a, b])[1])
                # What rounding leaves of a smooth end is no jump.
                forces.append(0.0 if abs(left) <= 1e-9 * max(abs(slope), inside) else -left / self.sigma[a, b])
        return max(0.0, *forces), max(0.0, *(-force for force in forces))

    def evaluator(self, configuration: Configuration, skin: float | None = None) -> PairEvaluator:
        """Return an evaluator; ``skin`` [length] is the first neighbour-list margin, adapted as it runs."""
        return PairEvaluator(self, configuration, skin)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length].

        Raises
        ------
        InputError
            If two particles are at one point, or a species or the diameters are missing.
        """
        system = self._system(configuration)
        neighbours = system.list(configuration.positions, self._small_skin())
        forces = np.empty_like(configuration.positions)
        energy = system.energy_forces(system.arguments(neighbours), forces)
        if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
            raise InputError(overlap_sentence(configuration))
        return energy, forces

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return d2U/dxdx [energy / length**2] as a BSR matrix, shape (N * d, N * d), blocks (d, d).

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        system = self._system(configuration)
        neighbours = system.list(configuration.positions, self._small_skin())
        n, d = configuration.positions.shape
        per_row = np.empty(n, dtype=np.int64)
        per_row[neighbours.rows] = 1 + neighbours.start[:, -1] - neighbours.start[:, 0]
        first = np.concatenate(([0], np.cumsum(per_row)))
        columns = np.empty(first[-1], dtype=np.int32)
        blocks = np.empty((first[-1], d, d))
        length = np.empty(n, dtype=np.int64)
        run_ranges(system.kernels.hessian_rows, n, *system.arguments(neighbours), first, columns, blocks, length,
                   serial_below=400)  # fmt: skip
        kept = np.arange(first[-1]) - np.repeat(first[:-1], per_row) < np.repeat(length, per_row)
        pointer = np.concatenate(([0], np.cumsum(length))).astype(np.int32)
        blocks = blocks[kept]
        if not np.all(np.isfinite(blocks)):
            raise InputError(overlap_sentence(configuration))
        return scipy.sparse.bsr_matrix((blocks, columns[kept], pointer), shape=(n * d, n * d))

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the interacting pairs, each once.

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        system = self._system(configuration)
        neighbours = system.list(configuration.positions, self._small_skin())
        arguments = (*system.arguments(neighbours), neighbours.shift)
        n, d = configuration.positions.shape
        count = np.empty(n, dtype=np.int64)
        first, total = np.empty(0, dtype=np.int64), 0
        for _ in range(2):  # counted, then listed
            i, j = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
            vectors, scalars = np.empty((total, d)), np.empty((total, 4))
            run_ranges(system.kernels.list_pairs, n, *arguments, first, i, j, vectors, scalars, count)
            first = np.concatenate(([0], np.cumsum(count)))
            total = int(first[-1])
        if not np.all(np.isfinite(scalars)):
            raise InputError(overlap_sentence(configuration))
        distances, slope, curvature, gap = np.ascontiguousarray(scalars.T)
        return Pairs(i, j, vectors, distances, slope, curvature, gap)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to every strain."""
        return pair_strain_derivatives(self.pairs(configuration), configuration.n, configuration.dimension)

    def _system(self, configuration: Configuration) -> _PairSystem:
        return _PairSystem(self, configuration)

    def _numbers_of(self, form: Form) -> np.ndarray:
        """Return what the form's functions take as ``p`` for each pair, shape (S, S, P)."""
        size = len(self.sigma)
        numbers = np.zeros((size, size, max(1, form.size)))
        for a, b in np.ndindex(size, size):
            values = [self.parameters[name][a, b] for name in form.parameters]
            numbers[a, b, : form.size] = form.numbers(values, self.pair_cutoff[a, b] / self.sigma[a, b])
        return numbers

    def _small_skin(self) -> float:
        # For a list that is used once: only has to cover rounding.
        return 1e-9 * float(self.pair_cutoff.max())

    def __repr__(self) -> str:
        kind = "diameters" if self.per_particle else "/".join(self.species)
        return f"<PairPotential: {self.form.name}, {kind}, {self.truncation}, cutoff {self.cutoff:.6g}>"


class _PairSystem:
    """What of a configuration does not change while its particles move."""

    def __init__(self, potential: PairPotential, configuration: Configuration):
        self.potential = potential
        self.cell = np.array(configuration.cell)
        n, d = configuration.positions.shape
        if not 2 <= d <= 8:
            raise InputError(f"Potentials work in 2 to 8 dimensions; the configuration has {d}.")
        if potential.per_particle:
            if configuration.diameters is None:
                raise InputError("The potential needs a diameter for each particle; the configuration has none.")
            self.diameters = np.array(configuration.diameters)
            self.groups = np.zeros(n, dtype=np.int64)
        else:
            self.diameters = np.ones(n)
            self.groups = group_numbers(configuration, potential.species)
        self.kernels = pair_kernels(potential.truncated, d, potential.mixing)
        self._energies = np.empty(n)

    def energy_forces(self, arguments: tuple, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy where the neighbour list's sites are."""
        positions = arguments[0]  # they are looked at only where sites have to follow them
        run_ranges(self.kernels.energy_forces, len(forces), 0.0, positions, positions, positions, *arguments,
                   self._energies, forces)  # fmt: skip
        # Summed in one order whatever the threads did.
        return float(self._energies.sum())

    def virial(self, arguments: tuple) -> float:
        """Return the sum of r U'(r) over the pairs where the neighbour list's sites are."""
        sums = np.empty(len(self.groups))
        run_ranges(self.kernels.virials, len(sums), *arguments, sums)
        return float(sums.sum())

    def list(self, positions: np.ndarray, skin: float) -> NeighbourList:
        """Build a neighbour list."""
        if not np.all(np.isfinite(positions)):
            raise InputError("Positions became NaN or infinite; the configuration cannot be evaluated.")
        mixing = self.potential.mixing
        return build_neighbour_list(
            positions,
            self.cell,
            self.groups,
            len(self.potential.pair_cutoff),
            self.potential.pair_cutoff,
            skin,
            self.diameters if mixing is not None else None,
            mixing,
        )

    def arguments(self, neighbours: NeighbourList) -> tuple:
        """Return what every kernel takes."""
        p = self.potential
        return (
            neighbours.site_positions,
            neighbours.rows,
            neighbours.row_site,
            neighbours.start,
            neighbours.neighbours,
            neighbours.owner,
            self.groups,
            self.diameters,
            p._inverse_sigma,
            p.numbers,
            p._cutoff_squared,
        )


class PairEvaluator(FollowingEvaluator):
    """Energy and forces with a neighbour list that follows the particles."""

    def __init__(self, potential: PairPotential, configuration: Configuration, skin: float | None = None):
        system = potential._system(configuration)
        scale = float(system.diameters.mean()) if potential.per_particle else float(potential.sigma.max())
        reach = potential.cutoff * (scale if potential.per_particle else 1.0)
        # A list grows as (1 + margin)**d: in many dimensions the margin must be small.
        margin = 0.5 * scale * min(1.0, 3.0 / configuration.dimension)
        super().__init__(system, configuration.positions, reach, margin if skin is None else skin)
        self._small = len(configuration.positions) < SERIAL_BELOW

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy; see `Evaluator`."""
        if not self._small:
            return super().__call__(positions, forces)
        system, neighbours = self._system, self._list.neighbours
        limit = 0.25 * neighbours.skin * neighbours.skin
        energy, complete = system.kernels.energy_forces(
            0, len(forces), limit, positions, neighbours.built_at, neighbours.offset, *self._arguments,
            system._energies, forces,
        )  # fmt: skip
        if not complete:
            return super().__call__(positions, forces)
        self.evaluations += 1
        if self._list.held(positions):
            self._arguments = system.arguments(self._list.neighbours)
        return energy


def _table(value: Any, size: int, name: str) -> np.ndarray:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The table {name} is not numeric.") from None
    if array.ndim == 0:
        array = np.full((size, size), float(array))
    if array.shape != (size, size) or not np.all(np.isfinite(array)):
        raise InputError(f"The table {name} must be finite with shape ({size}, {size}), not {array.shape}.")
    if not np.array_equal(array, array.T):
        raise InputError(f"The table {name} must be symmetric: the pair AB is the pair BA.")
    return np.ascontiguousarray(array)


def group_numbers(configuration: Configuration, species: tuple[str, ...]) -> np.ndarray:
    """Return the place of each particle's species in ``species``, shape (N,); InputError if one is not there."""
    if not species:
        return np.zeros(configuration.n, dtype=np.int64)
    names, inverse = np.unique(configuration.species, return_inverse=True)
    missing = natural_order(str(name) for name in names if name not in species)
    if missing:
        raise InputError(
            f"The potential knows the species {', '.join(species)}, not {', '.join(missing)}; "
            f"map names with --species, for example {missing[0]}={species[0]}."
        )
    return np.array([species.index(name) for name in names], dtype=np.int64)[inverse]
