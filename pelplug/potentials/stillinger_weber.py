"""StillingerWeberPotential: a short pair attraction and three-body terms that favour one bond angle."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Annotated, Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.errors import InputError
from pelplug.execution.threads import run_ranges
from pelplug.potentials.base import ALL, Pairs, Potential, StrainDerivatives
from pelplug.potentials.following import FollowingEvaluator, overlap_sentence
from pelplug.potentials.neighbours import NeighbourList, build_neighbour_list
from pelplug.potentials.stillinger_weber_kernels import MOMENTS, stillinger_weber_kernels

__all__ = ["StillingerWeberPotential"]


class StillingerWeberPotential(Parametrised, Potential):
    """The Stillinger-Weber potential of one kind of particle.

    With x = r / sigma, the sums over pairs and over each particle i with two of its neighbours j and k, images
    included, everything zero from x = a on::

        U = sum_ij  A epsilon (B x**-p - x**-q) exp(1 / (x - a))
          + sum_ijk lambda epsilon (cos(theta_jik) - cos_theta0)**2 exp(gamma / (x_ij - a)) exp(gamma / (x_ik - a))

    Raises
    ------
    InputError
        If a number is not finite, a length or energy scale is not positive, or the cosine is not within -1..1.

    References
    ----------
    F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985).
    """

    noun, name = "potential", "stillinger-weber"
    capabilities = ALL
    cutoff: float

    def __init__(
        self,
        *,
        epsilon: Annotated[float, Param("energy scale", exclusive_minimum=0.0, unit="energy")] = 1.0,
        sigma: Annotated[float, Param("length scale", exclusive_minimum=0.0, unit="length")] = 1.0,
        A: Annotated[float, Param("strength of the two-body part", unit="epsilon")] = 7.049556277,
        B: Annotated[float, Param("weight of its repulsion")] = 0.6022245584,
        p: Annotated[float, Param("exponent of its repulsion")] = 4,
        q: Annotated[float, Param("exponent of its attraction")] = 0,
        a: Annotated[float, Param("range", exclusive_minimum=0.0, unit="sigma")] = 1.80,
        three_body: Annotated[float, Param("lambda, strength of the three-body part", unit="epsilon")] = 21.0,
        gamma: Annotated[float, Param("decay of the three-body part", exclusive_minimum=0.0, unit="sigma")] = 1.20,
        cos_theta0: Annotated[float, Param("cosine of the favoured angle", minimum=-1.0, maximum=1.0)] = -1.0 / 3.0,
    ):
        self.cutoff = float(a * sigma)
        self._numbers = tuple(
            float(value) for value in (self.cutoff, sigma, A * epsilon, B, gamma, three_body * epsilon, cos_theta0)
        )
        # What the products of moments carry in the energy: see the kernels.
        self._weights = (
            three_body * epsilon * np.array([cos_theta0**2, *[-2.0 * cos_theta0] * 3, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
        )

    def record(self) -> dict[str, Any]:
        """Return every parameter."""
        return {"potential": self.name, "parameters": self.parameters}

    def sizes(self, configuration: Configuration) -> np.ndarray:
        """Return sigma of each particle, shape (N,) [length]."""
        return np.full(configuration.n, self.parameters["sigma"])

    def native(self, engine: str) -> dict[str, Any] | None:
        """Return the numbers as a line of LAMMPS's file for its style sw."""
        if engine != "lammps" or type(self) is not StillingerWeberPotential:
            return None
        names = ("epsilon", "sigma", "a", "three_body", "gamma", "cos_theta0", "A", "B", "p", "q")
        row = ["Si", "Si", "Si", *(float(self.parameters[name]) for name in names), 0.0]  # a tolerance last
        return {"style": ["sw"], "file": {"rows": [row], "elements": "Si"}}

    def evaluator(self, configuration: Configuration, skin: float | None = None) -> FollowingEvaluator:
        """Return an evaluator; ``skin`` [length] is the margin of its neighbour list."""
        system = _TripletSystem(self, configuration)
        skin = 0.5 * self.parameters["sigma"] if skin is None else skin
        return FollowingEvaluator(system, configuration.positions, self.cutoff, skin)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length].

        Raises
        ------
        InputError
            If two particles are at one point.
        """
        system = _TripletSystem(self, configuration)
        arguments = system.arguments(system.list(configuration.positions, self._small_skin()))
        forces = np.empty_like(configuration.positions)
        energy = system.energy_forces(arguments, forces)
        if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
            raise InputError(overlap_sentence(configuration))
        return energy, forces

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return d2U/dxdx [energy / length**2] as a BSR matrix, shape (N * d, N * d), blocks (d, d).

        Two neighbours of one particle have a block too, however far apart they are.

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        n, d = configuration.positions.shape
        e = self._entries(configuration)
        length = np.empty(n, dtype=np.int64)
        run_ranges(e.kernels.count_columns, n, e.first, e.partner, length, serial_below=400)
        pointer = np.concatenate(([0], np.cumsum(length)))
        columns = np.empty(pointer[-1], dtype=np.int32)
        blocks = np.empty((pointer[-1], d, d))
        run_ranges(
            e.kernels.hessian_rows, n, e.first, e.partner, e.local, e.jacobian, e.total, self._weights, pointer,
            columns, blocks, serial_below=400,
        )  # fmt: skip
        return scipy.sparse.bsr_matrix((blocks, columns, pointer.astype(np.int32)), shape=(n * d, n * d))

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the pairs closer than ``a sigma``, each once.

        ``first`` and ``second`` are the derivatives of the two-body part alone: the three-body part is no function
        of a distance.

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        e = self._entries(configuration)
        i, j = e.particle, e.partner
        # Of the two directions of a pair i < j; of a particle and its images the lexicographically positive.
        upward = np.zeros(len(i), dtype=bool)
        undecided = np.ones(len(i), dtype=bool)
        for shift in e.shift.T:
            upward |= undecided & (shift > 0)
            undecided &= shift == 0
        once = (j > i) | ((j == i) & upward)
        r, first, second = np.ascontiguousarray(e.scalars[once].T)
        return Pairs(i[once], j[once], e.vectors[once], r, first, second, self.cutoff - r, central=False)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to every strain.

        Raises
        ------
        InputError
            As `energy_forces`.
        """
        n, d = configuration.positions.shape
        e = self._entries(configuration)
        planes = tuple(itertools.combinations(range(d), 2))
        sum_of_shell = scipy.sparse.csr_array(
            (np.ones(len(e.partner)), np.arange(len(e.partner)), e.first), shape=(n, len(e.partner))
        )
        first = 0.5 * np.einsum("ka,kb->ab", e.gradient, e.vectors)
        parity = np.array([-1.0, 1.0, 1.0, 1.0, *[-1.0] * 6])  # of the derivatives in the opposite vector
        rates, pulls = {}, {}
        for a, b in itertools.product(range(d), repeat=2):
            height = e.vectors[:, b]
            rates[a, b] = sum_of_shell @ (e.jacobian[:, a] * height[:, None])
            weighted = rates[a, b] * self._weights
            both = weighted[e.particle] - parity * weighted[e.partner]
            pull = e.local[:, :, a] * height[:, None] + np.einsum("kam,km->ka", e.jacobian, both)
            pulls[a, b] = -(sum_of_shell @ pull).ravel()
        change = np.stack(list(rates.values()))
        curvature = np.einsum("xim,m,yim->xy", change, self._weights, change).reshape(d, d, d, d)
        curvature += 0.5 * np.einsum("kac,kb,kd->abcd", e.local, e.vectors, e.vectors, optimize=True)
        second = np.array([curvature[a, b, a, b] for a, b in planes])
        mixed = np.array([pulls[plane] for plane in planes])
        strains = itertools.combinations_with_replacement(range(d), 2)
        coupling = np.array([(pulls[a, b] + pulls[b, a]) / 2 for a, b in strains])
        return StrainDerivatives(planes, first, second, mixed, curvature, coupling)

    def _entries(self, configuration: Configuration) -> _TripletEntries:
        system = _TripletSystem(self, configuration)
        neighbours = system.list(configuration.positions, self._small_skin())
        entries = system.entries(neighbours)
        if not (np.all(np.isfinite(entries.local)) and np.all(np.isfinite(entries.jacobian))):
            raise InputError(overlap_sentence(configuration))
        return entries

    def _small_skin(self) -> float:
        # For a list that is used once: only has to cover rounding.
        return 1e-9 * self.cutoff

    def __repr__(self) -> str:
        return f"<StillingerWeberPotential: lambda {self.parameters['three_body']:.6g}, cutoff {self.cutoff:.6g}>"


@dataclasses.dataclass(frozen=True)
class _TripletEntries:
    """Every neighbour within range of every particle, by particle; arrays are described in the kernel of that name."""

    kernels: Any
    first: np.ndarray
    particle: np.ndarray
    partner: np.ndarray
    shift: np.ndarray
    vectors: np.ndarray
    scalars: np.ndarray
    gradient: np.ndarray
    local: np.ndarray
    jacobian: np.ndarray
    total: np.ndarray


class _TripletSystem:
    """What of a configuration does not change while its particles move."""

    def __init__(self, potential: StillingerWeberPotential, configuration: Configuration):
        self.potential = potential
        self.cell = np.array(configuration.cell)
        n, d = configuration.positions.shape
        if d not in (2, 3):
            raise InputError(f"The Stillinger-Weber potential works in 2 or 3 dimensions; the configuration has {d}.")
        self.kernels = stillinger_weber_kernels(d, potential.parameters["p"], potential.parameters["q"])
        self._groups = np.zeros(n, dtype=np.int64)
        self._reach = np.array([[potential.cutoff]])
        self._count = np.empty(n, dtype=np.int64)
        self._moments = np.empty((n, MOMENTS))
        self._energies = np.empty(n)

    def list(self, positions: np.ndarray, skin: float) -> NeighbourList:
        """Build a neighbour list."""
        if not np.all(np.isfinite(positions)):
            raise InputError("Positions became NaN or infinite; the configuration cannot be evaluated.")
        return build_neighbour_list(positions, self.cell, self._groups, 1, self._reach, skin)

    def arguments(self, neighbours: NeighbourList) -> tuple:
        """Return what both passes take: the list and room for its shells."""
        room = len(neighbours.neighbours) + 1
        return neighbours, np.empty(room, dtype=np.uint32), np.empty((6, room))

    def energy_forces(self, arguments: tuple, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy where the neighbour list's sites are."""
        neighbours, near, found = arguments
        numbers = self.potential._numbers
        n = len(forces)
        run_ranges(
            self.kernels.shells, n, neighbours.site_positions, neighbours.rows, neighbours.row_site, neighbours.start,
            neighbours.neighbours, numbers, near, found, self._count, self._moments, self._energies, forces,
        )  # fmt: skip
        run_ranges(
            self.kernels.angular_forces, n, neighbours.rows, neighbours.start, neighbours.owner, numbers, near, found,
            self._count, self._moments, forces,
        )  # fmt: skip
        # Summed in one order whatever the threads did.
        return float(self._energies.sum())

    def entries(self, neighbours: NeighbourList) -> _TripletEntries:
        """Return the derivatives that belong to each neighbour."""
        arguments = self.arguments(neighbours)
        n, d = len(self._count), neighbours.site_positions.shape[1]
        self.energy_forces(arguments, np.empty((n, d)))
        _, near, found = arguments
        first = np.concatenate(([0], np.cumsum(self._count)))
        size = first[-1]
        partner, site = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
        vectors, gradient, scalars = np.empty((size, d)), np.empty((size, d)), np.empty((size, 3))
        local, jacobian = np.empty((size, d, d)), np.zeros((size, d, MOMENTS))
        total = np.zeros((n, d, MOMENTS))
        run_ranges(
            self.kernels.entries, n, neighbours.rows, neighbours.start, neighbours.owner, self.potential._numbers,
            near, found, self._count, self._moments, first, partner, site, vectors, scalars, gradient, local,
            jacobian, total, serial_below=400,
        )  # fmt: skip
        particle = np.repeat(np.arange(n), self._count)
        home = np.empty(n, dtype=np.int64)
        home[neighbours.rows] = neighbours.row_site
        shift = neighbours.shift[site] - neighbours.shift[home[particle]]
        return _TripletEntries(
            self.kernels, first, particle, partner, shift, vectors, scalars, gradient, local, jacobian, total
        )
