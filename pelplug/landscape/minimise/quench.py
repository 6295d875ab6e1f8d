"""Quenching: from a configuration to the inherent structure an algorithm leads to."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.arguments import keywords_of, takes
from pelplug.core.minimisation import ForceTolerance, MaxEvaluations, Method, Quenching
from pelplug.core.parameters import present_name, unknown_parameter
from pelplug.errors import InputError, NotConvergedError
from pelplug.execution.placement import computed_on_the_cpu
from pelplug.landscape.descent.minimiser import Minimiser
from pelplug.landscape.descent.steepest_descent import SteepestDescent
from pelplug.landscape.descent.surface import surface_of
from pelplug.landscape.descent.trace import Descent, Stopped
from pelplug.landscape.minimise.conjugate_gradients import ConjugateGradients
from pelplug.landscape.minimise.fire import Fire
from pelplug.landscape.minimise.lbfgs import LimitedMemoryBFGS
from pelplug.landscape.minimise.minimisable import smooth_instead
from pelplug.potentials.arguments import check_order
from pelplug.potentials.base import Potential
from pelplug.potentials.constraints import refuse_constraints
from pelplug.potentials.interaction import require_interaction

__all__ = ["MINIMISERS", "QuenchResult", "quench", "quench_parameters"]

MINIMISERS: dict[str, type[Minimiser]] = {
    cls.name: cls for cls in (Fire, ConjugateGradients, LimitedMemoryBFGS, SteepestDescent)
}
"""The minimisers by name."""

_ROUNDS = 3
_FORMER = {"conf": "configuration", "pot": "potential"}
_CONVERGED = "the maximum force is below the tolerance"


@dataclasses.dataclass(frozen=True, eq=False)
class QuenchResult:
    """Where a quench ended and how it got there.

    Attributes
    ----------
    configuration : Configuration
        The final state: positions in float64, continuous with the start (not wrapped anew), without drift (the mean
        displacement is zero), without velocities.
    energy, initial_energy : float
        Total potential energy at the end and at the start [energy].
    max_force : float
        Largest force component at the end, from an evaluation of its own; where distances are constant, of the forces
        without what holds them [energy / length].
    evaluations : int
        Force evaluations used.
    converged : bool
        Whether ``max_force`` is below the tolerance. Anything else is not an inherent structure.
    reason : str
        Why the quench ended.
    method : str
        Name of the algorithm.
    parameters : dict
        Every parameter used, defaults included. An inherent structure is defined by its algorithm: the same start leads
        to another minimum with another method or other parameters.
    displacement : float
        Root mean square displacement of a particle [length].
    """

    configuration: Configuration
    energy: float
    initial_energy: float
    max_force: float
    evaluations: int
    converged: bool
    reason: str
    method: str
    parameters: dict[str, Any]
    displacement: float

    def require_converged(self) -> QuenchResult:
        """Return the result itself if it is converged.

        Raises
        ------
        NotConvergedError
            Otherwise, with the reason.
        """
        if self.converged:
            return self
        raise NotConvergedError(
            f"The quench ({self.method}) did not converge: {self.reason} (maximum force {self.max_force:.3g} after "
            f"{self.evaluations} evaluations, tolerance {self.parameters['force_tolerance']:.3g}); raise "
            "max_evaluations or force_tolerance, or choose another method."
        )


@computed_on_the_cpu("A quench", renamed=_FORMER)
@takes("the quench", renamed=_FORMER)
def quench(
    configuration: Configuration,
    potential: Potential,
    method: Method = Quenching.method,
    force_tolerance: ForceTolerance = Quenching.force_tolerance,
    max_evaluations: MaxEvaluations = Quenching.max_evaluations,
    **parameters: Any,
) -> QuenchResult:
    """Minimise the potential energy from ``configuration``.

    Parameters
    ----------
    configuration : Configuration
        Start.
    potential : Potential
        The interactions.
    method : {"fire", "cg", "lbfgs", "sd"}
        Algorithm: `Fire`, `ConjugateGradients`, `LimitedMemoryBFGS` or `SteepestDescent`, the slow reference.
    force_tolerance : float
        A state is converged if every force component is smaller [energy / length].
    max_evaluations : int
        Force evaluations allowed.
    computing : Computing
        What computes.
    **parameters
        Of the method: see the class.

    Returns
    -------
    QuenchResult
        Look at `converged`, or call `require_converged`.

    Raises
    ------
    InputError
        If the method or a parameter is unknown or out of range, or the energy of the start is not finite.
    """
    check_order("quench", configuration, potential)
    minimiser = _minimiser(method, parameters)
    surface = surface_of(potential, configuration)
    if surface is not None and method == SteepestDescent.name:
        refuse_constraints(potential, "steepest descent")
    evaluator = potential.evaluator(configuration)
    descent = Descent(evaluator, configuration.positions, force_tolerance, max_evaluations, surface)
    if not (math.isfinite(descent.initial_energy) and np.all(np.isfinite(descent.current.f))):
        potential.energy_forces(configuration)  # raises where the potential knows what is wrong
        raise InputError("The energy or a force of the start is not finite; look for overlapping particles.")
    require_interaction(configuration, potential, descent.initial_energy, descent.current.forces)
    for _ in range(_ROUNDS):
        reason = _CONVERGED
        try:
            minimiser.minimise(descent)
        except Stopped as stop:
            reason = str(stop)
        # Taking the drift out changes forces by rounding only: enough, though, to end just above a tolerance.
        max_force = descent.remove_drift(configuration.positions)
        if max_force < force_tolerance or reason != _CONVERGED or descent.evaluations >= max_evaluations:
            break
        reason = "the tolerance is below what rounding allows at positions of this size; wrap them into the cell"
    converged = bool(max_force < force_tolerance)
    if not converged and max(potential.force_jumps) > force_tolerance:
        reason += f"; {smooth_instead(potential)}"
    displacement = descent.current.positions - configuration.positions
    return QuenchResult(
        configuration=configuration.replace(positions=descent.current.positions, velocities=None),
        energy=float(descent.current.energy),
        initial_energy=float(descent.initial_energy),
        max_force=max_force,
        evaluations=descent.evaluations,
        converged=converged,
        reason=_CONVERGED if converged else reason,
        method=method,
        parameters=minimiser.parameters | {"force_tolerance": force_tolerance, "max_evaluations": max_evaluations},
        displacement=float(np.sqrt(np.mean(np.sum(displacement**2, axis=1)))),
    )


@takes("the quench")
def quench_parameters(method: Method = Quenching.method, **parameters: Any) -> dict[str, Any]:
    """Return every parameter of a method: the values given, and the defaults of the others.

    Raises
    ------
    InputError
        If the method or a parameter is unknown or out of range.
    """
    return _minimiser(method, parameters).parameters


def _minimiser(method: str, parameters: dict[str, Any]) -> Any:
    cls = MINIMISERS[method]
    specs = cls.parameter_specs()
    for name in parameters:
        if present_name(name, specs) not in specs:
            raise InputError(unknown_parameter(name, specs, f"the minimiser {method}", keywords_of(quench)))
    return cls(**parameters)
