"""FromForces: a potential of energy and forces, with all that analyses ask of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.core.python_files import is_pelplugs
from pelplug.errors import InputError
from pelplug.potentials.answers import asked, is_foreign
from pelplug.potentials.base import ALL, Capability, Evaluator, Pairs, PairTerms, Potential, StrainDerivatives
from pelplug.potentials.constraints import Constraints, refuse_constraints
from pelplug.potentials.from_forces.measured import MeasuredState
from pelplug.potentials.from_forces.products import HessianProducts

__all__ = ["FromForces", "completed"]

_DERIVATIVES = Capability.HESSIAN | Capability.PAIRS | Capability.STRAIN
_KEPT = 2  # states: a glass, and what is left of it without rattlers


class FromForces(Parametrised, Potential):
    """A potential whose missing derivatives are made from its forces, by differences.

    What the potential declares itself is taken from it: a Hessian in any sparse format, say. The rest comes from
    energies and forces: the Hessian by columns of particles displaced together where they share no neighbour, pairs
    from its blocks, derivatives by strain from cells strained a little. Displacements follow from the noise of the
    forces, which is measured. Each result is checked (symmetry, translations, a second displacement) and refused where
    it fails; `found` says what was seen.

    Attributes
    ----------
    potential : Potential
        As given.

    Raises
    ------
    InputError
        If a parameter does not fit, and later where a derivative cannot be had.
    """

    noun = "potential"
    name = "FromForces"
    not_parameters = ("potential",)
    entries_before = ("potential : Potential\n    What is asked for energy and forces.",)

    def __init__(
        self,
        potential: Potential,
        *,
        reach: Annotated[
            Literal["auto", "all"] | float,
            Param(
                "how far a particle changes forces on others; auto: by a look at the forces; all: no limit",
                exclusive_minimum=0.0,
                unit="length",
            ),
        ] = "auto",
        hessian: Annotated[
            Literal["auto", "matrix", "products"],
            Param("as a matrix, or only its products with vectors; auto: products where solver cg then asks less"),
        ] = "auto",
        tolerance: Annotated[
            float, Param("largest relative error that its checks let pass", exclusive_minimum=0.0, maximum=0.1)
        ] = 1e-3,
        workers: Annotated[
            Literal["auto"] | int,
            Param("processes for the columns of the Hessian; auto: the cores, where it takes long", minimum=1),
        ] = "auto",
        seed: Annotated[int, Param("of the particles and directions that are looked at", minimum=0)] = 0,
    ):
        if not hasattr(potential, "energy_forces"):
            raise InputError(f"{potential!r} is no potential; give one with energy_forces(configuration).")
        self.potential = potential.potential if isinstance(potential, FromForces) else potential
        self.made_of = (self.potential,)
        self.capabilities = self.potential.capabilities | _DERIVATIVES
        self.units, self.cutoff = self.potential.units, self.potential.cutoff
        self.shifted, self.repulsive = self.potential.shifted, self.potential.repulsive
        self.force_jumps, self.smoother = self.potential.force_jumps, self.potential.smoother
        self.flexible = self.potential.flexible
        self._measured: list[MeasuredState] = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_measured": []}

    @property
    def hessian_as(self) -> str:
        """How the Hessian is asked for: the parameter ``hessian``."""
        return self.parameters["hessian"]

    @property
    def can_be_products(self) -> bool:
        """Whether the Hessian is found by differences at all."""
        return not self.potential.can(Capability.HESSIAN)

    def with_products(self) -> FromForces:
        """Return the same with products of the Hessian alone."""
        return FromForces(self.potential, **self.parameters | {"hessian": "products"})

    def record(self) -> dict[str, Any]:
        """Return the record of the potential, and how its derivatives are found."""
        return {**self.potential.record(), "derivatives": self.method}

    @property
    def method(self) -> dict[str, Any]:
        """How derivatives are found: plain data."""
        settings = {name: value for name, value in self.parameters.items() if name != "workers"}
        return {"method": "differences of forces", **settings}

    def fresh(self) -> FromForces:
        """Return the same with nothing measured yet."""
        return FromForces(self.potential, **self.parameters)

    def sizes(self, configuration: Configuration) -> np.ndarray | None:
        """Return the diameters that the potential knows."""
        return self.potential.sizes(configuration)

    def bonds(self, configuration: Configuration) -> np.ndarray | None:
        """Return the bonds that the potential knows."""
        return self.potential.bonds(configuration)

    def ranges(self, configuration: Configuration) -> np.ndarray | None:
        """Return the ranges that the potential knows."""
        return self.potential.ranges(configuration)

    def reach(self, configuration: Configuration) -> float | None:
        """Return the largest distance at which two particles interact, where the potential knows it."""
        return self.potential.reach(configuration)

    def pair_terms(self, configuration: Configuration) -> PairTerms | None:
        """Return the potential's own."""
        return self.potential.pair_terms(configuration)

    def native(self, engine: str) -> Mapping[str, Any] | None:
        """Return what the potential says to an engine."""
        return self.potential.native(engine)

    def constraints(self, configuration: Configuration) -> Constraints:
        """Return what the potential holds constant."""
        return self.potential.constraints(configuration)

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return the potential's own."""
        return self.potential.evaluator(configuration)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return the potential's energy and forces."""
        return self.potential.energy_forces(configuration)

    def hessian(self, configuration: Configuration) -> scipy.sparse.bsr_matrix:
        """Return the Hessian, symmetric, in blocks: the potential's own, or by differences.

        Raises
        ------
        InputError
            If a check fails.
        """
        return self.measured(configuration).hessian

    def hessian_noise(self, configuration: Configuration) -> float:
        """Return the norm below which a block of the Hessian is noise [energy / length**2]; 0 of its own."""
        return self.measured(configuration).blocks.floor if self.can_be_products else 0.0

    def products(self, configuration: Configuration, second: bool = False) -> HessianProducts | None:
        """Return the Hessian as an operator by differences; None where the potential has its own.

        Parameters
        ----------
        configuration : Configuration
        second : bool
            At the displacement of the check, not that of the columns.
        """
        return self.measured(configuration).products(second) if self.can_be_products else None

    def columns_cost(self, configuration: Configuration) -> int:
        """Return how many force evaluations the columns of the Hessian take."""
        return self.measured(configuration).columns_cost() if self.can_be_products else 0

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the interacting pairs: the potential's own, or those that the Hessian shows.

        Where forces are sums over pairs along their axes, those count whose block is not zero, and ``first`` and
        ``second`` are U' and U''. Where they are not, all count that are nearer than the potential's cutoff, or, where
        nobody knows it, that have a block; ``first`` and ``second`` are then what the block says along and across.
        """
        if self.potential.can(Capability.PAIRS):
            return asked(self.potential, "pairs", configuration)
        measured = self.measured(configuration)
        return measured.pairs_by_cutoff() if self.can_be_products and self.hessian_as == "products" else measured.pairs

    def pairs_near_cutoff(self, configuration: Configuration, tolerance: float) -> int | None:
        """Return how many pairs are within a fraction of their cutoff, on either side; None where none is known."""
        if self.potential.can(Capability.PAIRS) or (self.can_be_products and self.hessian_as == "products"):
            return None
        return self.measured(configuration).pairs_near_cutoff(tolerance)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives by strain: the potential's own, or by differences of energies and forces."""
        if self.potential.can(Capability.STRAIN):
            return asked(self.potential, "strain_derivatives", configuration)
        return self.measured(configuration).strain

    def found(self) -> dict[str, Any]:
        """Return what was measured of the last state: settings, checks and errors, as plain data."""
        return {"method": self.method, **self._measured[-1].report} if self._measured else {}

    def state_errors(self, **errors: float) -> None:
        """Add errors of what was computed with the derivatives of the last state."""
        if self._measured:
            self._measured[-1].report.setdefault("errors", {}).update(errors)

    def measured(self, configuration: Configuration) -> MeasuredState:
        """Return what is known of a state, which is looked at once."""
        refuse_constraints(self.potential)
        for one in self._measured:
            if one.configuration is configuration:
                return one
        self._measured = [*self._measured[1 - _KEPT :], MeasuredState(self.potential, configuration, self.parameters)]
        return self._measured[-1]


def completed(potential: Potential) -> Potential:
    """Return a potential that has all derivatives: itself, or a `FromForces` of it where one is missing.

    A third party's Hessian is looked at, and turned into blocks, even if nothing is missing.

    Parameters
    ----------
    potential : Potential
    """
    if isinstance(potential, FromForces):
        return potential
    ours = is_pelplugs(getattr(type(potential), "hessian", None))
    trusted = ours and not any(map(is_foreign, getattr(potential, "made_of", ())))
    return potential if trusted and potential.can(ALL & _DERIVATIVES) else FromForces(potential)
