"""Potential: what every interaction can be asked; Capability: what not every one can; Evaluator: asked many times."""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.core.units import Units
from pelplug.errors import InputError

if TYPE_CHECKING:
    import scipy.sparse

    from pelplug.configuration import Configuration
    from pelplug.potentials.constraints import Constraints
    from pelplug.potentials.form import Form

__all__ = [
    "ALL",
    "Capability",
    "Evaluator",
    "ForcesEvaluator",
    "PairTerms",
    "Pairs",
    "Potential",
    "StrainDerivatives",
    "potential_name",
]


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The interacting pairs of a configuration, each once; a pair through another image is an entry of its own.

    Attributes
    ----------
    i, j : ndarray of int, shape (P,)
        Particle numbers, ``i <= j``.
    vectors : ndarray, shape (P, d)
        ``r_j - r_i`` to the image that interacts [length].
    distances : ndarray, shape (P,)
        Their lengths [length].
    first, second : ndarray, shape (P,)
        U'(r) [energy / length] and U''(r) [energy / length**2].
    gap : ndarray, shape (P,)
        Cutoff minus distance, positive [length]; NaN where nobody knows the cutoff.
    uncertain : int, optional
        Pairs that may be too many or missing, where they were found by differences.
    central : bool
        Whether all forces are sums over these pairs, along their axes: where they are not, the number of a particle's
        contacts does not say whether it is held.
    """

    i: np.ndarray
    j: np.ndarray
    vectors: np.ndarray
    distances: np.ndarray
    first: np.ndarray
    second: np.ndarray
    gap: np.ndarray
    uncertain: int = 0
    central: bool = True

    def __len__(self) -> int:
        return len(self.i)


@dataclasses.dataclass(frozen=True)
class StrainDerivatives:
    """Derivatives of U with respect to the deformation F of x -> F x, at F = 1 and fixed residual displacement.

    A simple shear is F = I + g e_a e_b.

    Attributes
    ----------
    planes : tuple of (int, int)
        (a, b), flow and gradient direction, a < b: xy, xz, yz in three dimensions.
    first : ndarray, shape (d, d)
        dU/dF_ab, symmetric [energy].
    second : ndarray, shape (n_planes,)
        d2U/dg2 of the affine deformation: the Born part times the volume [energy].
    mixed : ndarray, shape (n_planes, N * d)
        d2U/(dg dx) [energy / length].
    curvature : ndarray, shape (d, d, d, d), optional
        d2U/(dF_ab dF_cd) of the affine deformation [energy]; None if it is not known.
    coupling : ndarray, shape (d * (d + 1) / 2, N * d), optional
        d2U/(dF dx), mean of dF_ab and dF_ba, of each (a, b), a <= b, in the order of
        ``itertools.combinations_with_replacement`` [energy / length]; None if it is not known.
    errors : dict of str to float, optional
        Largest error of an entry of ``first`` and of ``second`` (and ``curvature``), and the norm of that of one row of
        ``mixed`` (and ``coupling``), where they were found by differences.

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eq. A1.
    """

    planes: tuple[tuple[int, int], ...]
    first: np.ndarray
    second: np.ndarray
    mixed: np.ndarray
    curvature: np.ndarray | None = None
    coupling: np.ndarray | None = None
    errors: dict[str, float] | None = None


@dataclasses.dataclass(frozen=True)
class PairTerms:
    """Pair terms as kernels of another device take them.

    Attributes
    ----------
    form : Form
        The functional form, truncated.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters.
    groups : ndarray of int, shape (N,)
        Place of each particle in the tables.
    diameters : ndarray, shape (N,)
        Of each particle [length]; 1 without ``mixing``.
    inverse_sigma, cutoff_squared : ndarray, shape (S, S)
        1 / sigma_ij [1 / length], and the cutoff squared [length**2]; with ``mixing`` in units of d_ij.
    numbers : ndarray, shape (S, S, P)
        What the form's functions take as ``p``.
    reach : float
        Largest distance at which two particles interact [length].
    """

    form: Form
    mixing: Callable | None
    groups: np.ndarray
    diameters: np.ndarray
    inverse_sigma: np.ndarray
    numbers: np.ndarray
    cutoff_squared: np.ndarray
    reach: float


class Evaluator(abc.ABC):
    """Energy and forces of one system, again and again: what a minimiser calls.

    Attributes
    ----------
    evaluations : int
        Force evaluations so far.
    rebuilds : int
        How often the neighbour list was built.
    gives_virial : bool
        Whether it has `in_cell`.
    """

    evaluations: int = 0
    rebuilds: int = 0
    gives_virial: bool = False

    @abc.abstractmethod
    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` [energy / length] at ``positions`` (both C-contiguous float64, shape (N, d)).

        Returns
        -------
        float
            The total potential energy [energy]. Not finite if two particles are at one point.
        """

    def in_cell(self, positions: np.ndarray, cell: np.ndarray, forces: np.ndarray) -> tuple[float, float]:
        """Do the same in a cell of the same shape and another size; where `gives_virial`, what a barostat asks.

        Parameters
        ----------
        positions, forces : ndarray, shape (N, d)
            As in a call; positions grow and shrink with the cell.
        cell : ndarray, shape (d, d)
            Cell vectors as rows [length].

        Returns
        -------
        energy, virial : float
            U, and dU/d(ln s) of a scaling of everything by s: the trace of V times `Potential.stress` [energy].
        """
        raise NotImplementedError(f"{type(self).__name__} gives no virial")


class Capability(enum.Flag):
    """What a potential can do besides energy and forces; it declares what it can in ``capabilities``."""

    HESSIAN = enum.auto()
    PAIRS = enum.auto()
    STRAIN = enum.auto()
    EVALUATOR = enum.auto()
    CONSTRAINTS = enum.auto()


ALL = Capability.HESSIAN | Capability.PAIRS | Capability.STRAIN | Capability.EVALUATOR


class Potential(abc.ABC):
    """The total potential energy U of a configuration and its derivatives.

    A subclass writes `energy_forces` and `record`. What else it writes it declares in ``capabilities``: `hessian`,
    `pairs`, `strain_derivatives`, `evaluator`, `constraints`. Derivatives that it does not declare are made from its
    forces where an analysis needs them, with an error that is measured and recorded.

    Attributes
    ----------
    capabilities : Capability
        What it can besides energy and forces; none by default.
    units : Units
        What its numbers are in; not stated by default. A subclass may give a name, as ``"metal"``.
    cutoff : float or None
        Largest range of any interaction [length]; None where nobody knows.
    shifted : bool
        Whether pairs see each other at quenched shifts, so that distances in space say nothing about who interacts.
    repulsive : bool
        Whether particles only repel each other, so that a dilute state may have no energy at all.
    force_jumps : tuple of float
        Largest repulsive and attractive force that ends at a cutoff [energy / length]; 0 where none does, or is known.
    smoother, flexible : str
        How to have forces that end smoothly, and molecules that are not rigid: remedies of sentences.
    rough : str
        Why its forces do not do for second derivatives, and what to change; empty where they do.
    knows : tuple of str
        Which of a topology's "bonds", "angles", "dihedrals", "impropers", "charged atoms" are in it, beyond a warning.
    foreign : bool
        Whether another program computes it: its answers are looked at before they are used.
    made_of : tuple
        Other potentials, or functions, that it asks: their code decides its numbers too.
    """

    capabilities: Capability = Capability(0)
    units: Units = Units()
    cutoff: float | None = None
    shifted: bool = False
    repulsive: bool = False
    force_jumps: tuple[float, float] = (0.0, 0.0)
    smoother: str = ""
    flexible: str = ""
    knows: tuple[str, ...] = ()
    foreign: bool = False
    rough: str = ""
    made_of: tuple[Any, ...] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if isinstance(units := cls.__dict__.get("units"), str | Mapping):
            cls.units = Units.of(units)

    @abc.abstractmethod
    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length]."""

    @abc.abstractmethod
    def record(self) -> dict[str, Any]:
        """Return plain data that JSON can hold and that is different for every potential that is different."""

    def sizes(self, configuration: Configuration) -> np.ndarray | None:
        """Return the diameter of each particle, shape (N,) [length]; None where the potential knows none."""
        return None

    def bonds(self, configuration: Configuration) -> np.ndarray | None:
        """Return who is bonded to whom, particle numbers of shape (B, 2); None where the force field has no bonds."""
        return None

    def masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the mass of each particle, shape (N,) [mass]; None where the potential knows none."""
        return None

    def ranges(self, configuration: Configuration) -> np.ndarray | None:
        """Return how far each particle sees others of its own kind, shape (N,) [length]; None where nobody knows.

        By default the cutoff.
        """
        return None if self.cutoff is None else np.full(configuration.n, float(self.cutoff))

    def native(self, engine: str) -> Mapping[str, Any] | None:
        """Return what a simulation program computes these very forces with, in its own terms; None where it cannot.

        Parameters
        ----------
        engine : str
            Name of the engine, as ``pelplug engines`` lists it; or ``table``, pair energies and forces between species
            at many distances, for engines that interpolate.

        Returns
        -------
        mapping or None
            Plain data: names, numbers, tables. What is in it each engine documents (`pelplug_engines`). An engine that
            uses it compares its energy and forces with `energy_forces` before the first step.
        """
        return None

    def pair_terms(self, configuration: Configuration) -> PairTerms | None:
        """Return pair terms for kernels on a GPU; None, the default, where there is more to the forces than these."""
        return None

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return an `Evaluator` for many evaluations that start at ``configuration``.

        By default one that asks `energy_forces` each time.
        """
        return ForcesEvaluator(self, configuration)

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return d2U/dxdx [energy / length**2], shape (N * d, N * d), symmetric, in blocks of (d, d).

        Raises
        ------
        InputError
            If it is not among the ``capabilities``.
        """
        raise self._lacks("Hessian")

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the interacting pairs.

        Raises
        ------
        InputError
            If it is not among the ``capabilities``.
        """
        raise self._lacks("list of pairs")

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to strain: simple shears, and all strains where they are known.

        Raises
        ------
        InputError
            If it is not among the ``capabilities``.
        """
        raise self._lacks("derivatives by strain")

    def constraints(self, configuration: Configuration) -> Constraints:
        """Return the distances that are constant: a quench goes along states that have them.

        Raises
        ------
        InputError
            If it is not among the ``capabilities``.
        """
        raise self._lacks("constraints")

    def reach(self, configuration: Configuration) -> float | None:
        """Return the largest distance at which two particles of a state interact [length]; None where nobody knows."""
        found = self.ranges(configuration)
        return None if found is None or not len(found) else float(found.max())

    def can(self, capability: Capability) -> bool:
        """Return whether all of some capabilities are declared."""
        return capability in self.capabilities

    def energy(self, configuration: Configuration) -> float:
        """Return U [energy]."""
        return self.energy_forces(configuration)[0]

    def forces(self, configuration: Configuration) -> np.ndarray:
        """Return -dU/dx, shape (N, d) [energy / length]."""
        return self.energy_forces(configuration)[1]

    def stress(self, configuration: Configuration) -> np.ndarray:
        """Return the virial stress (1/V) dU/d(strain), shape (d, d) [energy / length**d]; tension is positive."""
        return self.strain_derivatives(configuration).first / configuration.volume

    def _lacks(self, what: str) -> InputError:
        return InputError(
            f"The potential {potential_name(self)} has no {what}: it declares {self.capabilities!r} besides energy and "
            "forces; pelplug.FromForces(potential) makes one from its forces."
        )


def potential_name(potential: Any) -> str:
    """Return what sentences call a potential: its ``label``, where it stands for something else, or its class."""
    return getattr(potential, "label", None) or type(potential).__name__


class ForcesEvaluator(Evaluator):
    """The `Evaluator` of a potential that has none of its own: `Potential.energy_forces` at every call."""

    def __init__(self, potential: Potential, configuration: Configuration):
        self.evaluations = 0
        self._potential, self._configuration = potential, configuration

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy; see `Evaluator`."""
        energy, found = self._potential.energy_forces(self._configuration.replace(positions=np.array(positions)))
        forces[...] = found
        self.evaluations += 1
        return energy
