"""Steepest descent as physics: dr/dt = -grad U, integrated with error control."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import numpy.typing as npt

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.minimisation import ForceTolerance, MaxEvaluations
from pelplug.core.parameters import Param
from pelplug.errors import InputError, NotConvergedError
from pelplug.landscape.descent.chebyshev import Flow
from pelplug.landscape.descent.minimiser import Minimiser
from pelplug.landscape.descent.trace import Descent, Stopped
from pelplug.potentials.arguments import check_order
from pelplug.potentials.base import Potential
from pelplug.potentials.constraints import refuse_constraints
from pelplug.potentials.interaction import require_interaction

__all__ = ["SteepestDescent", "SteepestDescentResult", "steepest_descent"]


Rtol = Annotated[
    float,
    Param(
        "error allowed in a step, as a fraction of the step's displacement (both root mean square over the particles)",
        exclusive_minimum=0.0,
        exclusive_maximum=0.1,
    ),
]
Atol = Annotated[
    float, Param("error allowed in a step besides, root mean square over the particles", minimum=0.0, unit="length")
]
MaxStages = Annotated[int, Param("most evaluations in a step", minimum=2, maximum=2000)]


class SteepestDescent(Minimiser):
    """The overdamped motion ``zeta dr/dt = -grad U`` (zeta = 1), followed until it stops.

    Integrated by the Runge-Kutta-Chebyshev method: explicit, second order, with as many stages as the step needs to be
    stable, so that a step s times longer costs sqrt(s) as many evaluations. The spectral radius of the Hessian comes
    from a power iteration on differences of forces. The accumulated error is about the fraction `rtol` of the length of
    the path.

    References
    ----------
    B. P. Sommeijer, L. F. Shampine and J. G. Verwer, J. Comput. Appl. Math. 88, 315 (1998).
    """

    name = "sd"
    summary = "steepest descent (slow)"

    def __init__(self, *, rtol: Rtol = 1e-3, atol: Atol = 0.0, max_stages: MaxStages = 200):
        super().__init__()

    def minimise(self, descent: Descent) -> None:
        """Move ``descent.current`` until it is converged.

        Raises
        ------
        Stopped
            With the reason.
        """
        flow = Flow(descent, self.rtol, self.atol, self.max_stages)
        while not flow.converged:
            flow.advance(math.inf)


@dataclasses.dataclass(frozen=True, eq=False)
class SteepestDescentResult:
    """A steepest descent as a function of time; zeta = 1, so that time is in zeta length**2 / energy.

    Attributes
    ----------
    times : ndarray, shape (K,)
        Output times that were reached before the end [time].
    energy : ndarray, shape (K,)
        Total potential energy at those times [energy].
    rms_velocity : ndarray, shape (K,)
        Root mean square velocity of a particle, ``sqrt(sum f**2 / N)`` [length / time].
    max_force : ndarray, shape (K,)
        Largest force component [energy / length].
    energy_defect : ndarray, shape (K,)
        Balance of ``dE/dt = -N v^2`` since the start: ``(E(0) - E(t) - int N v^2 dt) / (E(0) - E(t))``.
    positions : ndarray, shape (K, N, d), or None
        Positions at those times, continuous with the start [length]; None unless they were asked for.
    configuration : Configuration
        The state at the end: positions continuous with the start, without velocities.
    end_time : float
        When that was [time].
    initial_energy, final_energy : float
        Total potential energy at the start and the end [energy].
    final_max_force : float
        Largest force component at the end [energy / length].
    final_energy_defect : float
        `energy_defect` of the whole descent.
    converged : bool
        Whether the end is an inherent structure: ``final_max_force`` below the tolerance.
    reason : str
        Why the descent ended.
    evaluations, steps, rejected : int
        Force evaluations, accepted steps and steps that were repeated with a shorter length.
    parameters : dict
        Every parameter used.
    """

    times: np.ndarray
    energy: np.ndarray
    rms_velocity: np.ndarray
    max_force: np.ndarray
    energy_defect: np.ndarray
    positions: np.ndarray | None
    configuration: Configuration
    end_time: float
    initial_energy: float
    final_energy: float
    final_max_force: float
    final_energy_defect: float
    converged: bool
    reason: str
    evaluations: int
    steps: int
    rejected: int
    parameters: dict

    def require_converged(self) -> SteepestDescentResult:
        """Return the result itself if it is converged.

        Raises
        ------
        NotConvergedError
            Otherwise, with the reason.
        """
        if self.converged:
            return self
        raise NotConvergedError(
            f"The steepest descent did not reach a minimum: {self.reason} (maximum force {self.final_max_force:.3g} at "
            f"time {self.end_time:.4g} after {self.evaluations} evaluations, tolerance "
            f"{self.parameters['force_tolerance']:.3g}); raise max_evaluations or force_tolerance."
        )


@takes("the steepest descent", renamed={"conf": "configuration", "pot": "potential"})
def steepest_descent(
    configuration: Configuration,
    potential: Potential,
    times: npt.ArrayLike | None = None,
    *,
    rtol: Rtol = 1e-3,
    atol: Atol = 0.0,
    max_stages: MaxStages = 200,
    force_tolerance: ForceTolerance = 1e-10,
    max_evaluations: MaxEvaluations = 1_000_000,
    to_minimum: bool = True,
    keep_positions: bool = False,
) -> SteepestDescentResult:
    """Follow ``zeta dr/dt = -grad U`` from ``configuration`` and report energy and velocity as functions of time.

    Parameters
    ----------
    configuration : Configuration
        Start, at time 0.
    potential : Potential
        The interactions.
    times : array_like, optional
        Increasing output times, not negative [time]; without them 10 a decade from 0.01 until the end.
    rtol, atol, max_stages
        Of `SteepestDescent`.
    force_tolerance : float
        The descent ends where every force component is smaller [energy / length].
    max_evaluations : int
        Force evaluations allowed.
    to_minimum : bool
        Go on to the minimum after the last output time.
    keep_positions : bool
        Keep the positions at the output times too.

    Returns
    -------
    SteepestDescentResult
        Look at `converged`, or call `require_converged`.

    Raises
    ------
    InputError
        If a parameter is out of range, the times do not increase, or the energy of the start is not finite.

    References
    ----------
    Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Eqs. 1 and 2.
    """
    check_order("steepest_descent", configuration, potential)
    refuse_constraints(potential, "steepest descent")
    schedule = _schedule(times)
    descent = Descent(potential.evaluator(configuration), configuration.positions, force_tolerance, max_evaluations)
    if not (math.isfinite(descent.initial_energy) and np.all(np.isfinite(descent.current.f))):
        potential.energy_forces(configuration)  # raises where the potential knows what is wrong
        raise InputError("The energy or a force of the start is not finite; look for overlapping particles.")
    require_interaction(configuration, potential, descent.initial_energy, descent.current.forces)
    rows: list[tuple[float, ...]] = []
    path: list[np.ndarray] = []
    flow = Flow(descent, rtol, atol, max_stages)
    reason = "the maximum force is below the tolerance"
    try:
        for until in schedule:
            while flow.time < until and not flow.converged:
                flow.advance(until)
            if flow.time < until:
                break
            rows.append((flow.time, descent.current.energy, flow.rms_velocity, flow.max_force, flow.energy_defect()))
            if keep_positions:
                path.append(descent.current.positions.copy())
        while to_minimum and not flow.converged:
            flow.advance(math.inf)
        if not flow.converged:
            reason = "the last output time was reached"
    except Stopped as stop:
        reason = str(stop)
        if 10 * flow.jumps > flow.steps:
            reason += (
                f"; forces jumped in {flow.jumps} of {flow.steps} steps, as where a potential is cut or only "
                "shifted at its cutoff: a truncation without jumps is followed at far less cost"
            )
    times_reached, energy, velocity, force, defect = np.ascontiguousarray(np.array(rows, dtype=float).reshape(-1, 5).T)
    return SteepestDescentResult(
        times_reached,
        energy,
        velocity,
        force,
        defect,
        positions=np.array(path).reshape(len(path), *configuration.positions.shape) if keep_positions else None,
        configuration=configuration.replace(positions=descent.current.positions, velocities=None),
        end_time=flow.time,
        initial_energy=float(descent.initial_energy),
        final_energy=float(descent.current.energy),
        final_max_force=flow.max_force,
        final_energy_defect=flow.energy_defect(),
        converged=flow.converged,
        reason=reason,
        evaluations=descent.evaluations,
        steps=flow.steps,
        rejected=flow.rejected,
        parameters={
            "rtol": rtol,
            "atol": atol,
            "max_stages": max_stages,
            "force_tolerance": force_tolerance,
            "max_evaluations": max_evaluations,
        },
    )


def _schedule(times: npt.ArrayLike | None) -> Iterator[float]:
    if times is None:
        return (10.0 ** (k / 10) for k in itertools.count(-20))
    try:
        array = np.array(times, dtype=float).reshape(-1)
    except (TypeError, ValueError):
        array = np.array([np.nan])
    if not (np.all(np.isfinite(array)) and np.all(array >= 0) and np.all(np.diff(array) > 0)):
        raise InputError("The output times must be finite, not negative and increasing.")
    return iter(array.tolist())
