"""OpenmmPotential: energy and forces of a System of OpenMM, in a Context that is kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.execution.openmm import (
    Ewald,
    ewald_edges,
    load_openmm,
    openmm_errors,
    openmm_version,
    reduced_box,
    start_context,
    system_of,
)
from pelplug.potentials.base import Capability, Evaluator, Potential
from pelplug.potentials.constraints import Constraints
from pelplug.potentials.openmm.contents import NM, UNITS, particles_of_system
from pelplug.potentials.openmm.order import check_particles

__all__ = ["OpenmmPotential", "tell_jumps"]


class OpenmmPotential(Potential):
    """What OpenMM computes for a System, in Angstrom, kJ/mol, g/mol and ps.

    Minimisers have steps that suit numbers of atoms near one, so OpenMM's nm are converted, as those of any model are.
    Charges and masses are those of the System; particles are in its order.

    Parameters
    ----------
    xml : str
        The System, as OpenMM serialises it.
    source : mapping
        What it is made of, which is recorded.
    platform : str
        What computes: ``Reference`` is in double precision throughout, ``CPU`` in single for pairs.
    names : sequence of str, optional
        Name of each particle in a topology.
    ewald : Ewald, optional
        How fine sums over images are, where the System does not say so itself.
    smoother, flexible : str
        How to have forces that end smoothly, and flexible molecules.

    Raises
    ------
    InputError
        If it is no System, or one of something that is not computed here.
    """

    capabilities = Capability.EVALUATOR
    units = UNITS
    foreign = True
    knows = ("bonds", "angles", "dihedrals", "impropers", "charged atoms")

    def __init__(
        self,
        xml: str,
        source: Mapping[str, Any],
        platform: str = "Reference",
        *,
        names: Sequence[str] | None = None,
        ewald: Ewald | None = None,
        smoother: str = "",
        flexible: str = "",
    ):
        self.xml, self.platform, self.ewald = xml, platform, ewald
        self.smoother, self.flexible = smoother, flexible
        self.names = None if names is None else np.array(names, dtype=str)
        self._source = dict(source)
        self.contents = particles_of_system(system_of(xml))
        self.cutoff, self.force_jumps = self.contents.cutoff, self.contents.force_jumps
        if platform == "CPU":
            self.rough = "on OpenMM's platform CPU they are in single precision; state platform=Reference"
        if len(self.contents.constraints):
            self.capabilities |= Capability.CONSTRAINTS
        self.label = str(self._source.get("provider", "openmm"))
        self._contexts: dict[tuple[float, ...], Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_contexts": {}}

    def record(self) -> dict[str, Any]:
        """Return what it is made of, and the version and the platform of OpenMM."""
        return {"potential": self.label, **self._source, "openmm": openmm_version(), "platform": self.platform}

    def native(self, engine: str) -> Mapping[str, Any] | None:
        """Return the System for OpenMM, and how fine its sums over images are; nothing for others."""
        if engine != "openmm":
            return None
        fine = {} if self.ewald is None else {"ewald": vars(self.ewald)}
        return {"system": self.xml, "platform": self.platform, **fine}

    def masses(self, configuration: Configuration) -> np.ndarray:
        """Return the masses of the System, shape (N,) [g/mol]."""
        check_particles(self, configuration)
        return self.contents.masses

    def bonds(self, configuration: Configuration) -> np.ndarray | None:
        """Return the bonds and constant distances of the System, shape (B, 2)."""
        check_particles(self, configuration)
        return self.contents.bonds if len(self.contents.bonds) else None

    def constraints(self, configuration: Configuration) -> Constraints:
        """Return the distances that the System holds constant, none where molecules are flexible."""
        check_particles(self, configuration)
        i, j = self.contents.constraints.T
        return Constraints(i, j, self.contents.constrained)

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [kJ/mol] and the forces, shape (N, 3) [kJ/mol / Angstrom].

        Raises
        ------
        InputError
            If particles are not those of the System, or the cell is too small for its cutoff.
        """
        forces = np.empty(configuration.positions.shape)
        return self.evaluator(configuration)(configuration.positions, forces), forces

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return energy and forces in the cell of ``configuration``, by a Context that is kept."""
        check_particles(self, configuration)
        box, rotation = reduced_box(configuration.cell / NM)
        width, cutoff = float(np.diag(box).min()), self.contents.largest_cutoff / NM
        if 2.0 * cutoff > width:
            raise InputError(
                f"The cutoff {cutoff:g} nm is beyond half the box, which is {width:g} nm wide, and OpenMM knows the "
                "nearest image only; use a larger system, or a shorter cutoff."
            )
        return _ContextEvaluator(self._context(box), box, rotation)

    def _context(self, box: np.ndarray) -> Any:
        key = () if self.ewald is None else ewald_edges(box)
        if key not in self._contexts:
            openmm = load_openmm()
            system = system_of(self.xml, self.ewald, box)
            self._contexts[key] = start_context(system, openmm.VerletIntegrator(1e-3), self.platform)
        return self._contexts[key]


class _ContextEvaluator(Evaluator):
    """Energy and forces in one cell; others may have used the Context for theirs in between."""

    def __init__(self, context: Any, box: np.ndarray, rotation: np.ndarray):
        self.evaluations = 0
        self._context, self._vectors = context, box.tolist()
        self._rotation = None if np.array_equal(rotation, np.eye(3)) else rotation

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` [kJ/mol / Angstrom] and return the energy [kJ/mol]; see `Evaluator`."""
        self.evaluations += 1
        turned = positions / NM if self._rotation is None else positions @ self._rotation / NM
        with openmm_errors("OpenMM cannot compute the energy"):
            self._context.setPeriodicBoxVectors(*self._vectors)
            self._context.setPositions(turned)
            state = self._context.getState(getEnergy=True, getForces=True)
            found = state.getForces(asNumpy=True)._value
            energy = state.getPotentialEnergy()._value
        forces[...] = (found if self._rotation is None else found @ self._rotation.T) / NM
        return float(energy)


def tell_jumps(potential: OpenmmPotential) -> None:
    """Warn where forces end at a cutoff without going to zero: they have no Hessian there, and quenches may stall."""
    jump = max(potential.force_jumps)
    if jump > 0.0:
        warnings.warn(
            f"pair forces of {potential.label} jump by {jump:.3g} kJ/mol/Angstrom at the cutoff: a quench may not "
            f"reach its tolerance, and moduli miss what crosses it; {potential.smoother} for smooth ones, if the data "
            "were made so",
            stacklevel=3,
        )
