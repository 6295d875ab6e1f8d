"""FIRE: the fast inertial relaxation engine."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.execution.compile import kernel
from pelplug.landscape.descent.minimiser import Minimiser
from pelplug.landscape.descent.trace import Descent, Stopped

__all__ = ["Fire"]

_TIME = "length / energy**(1/2)"  # that of particles of mass 1


class Fire(Minimiser):
    """Molecular dynamics with unit masses whose velocities turn towards the force, and stop when they go uphill.

    Integrated by semi-implicit Euler. Before each step, with power P = F.v: ``v -> (1 - alpha) v + alpha |v| F/|F|``;
    after more than ``n_min`` steps with P > 0 in a row, ``dt -> min(f_inc dt, dt_max)`` and ``alpha -> f_alpha alpha``;
    if P <= 0, ``v -> 0``, ``dt -> f_dec dt``, ``alpha -> alpha_start``. With `stability` one `dt_max` serves stiff and
    soft potentials (the integrator's limit is 2); ``stability=0`` and ``half_step_back=False`` give the original
    algorithm, whose `dt_max` must suit the potential.

    References
    ----------
    Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); half step back: Guénolé et al., Comput. Mater. Sci. 175,
    109584 (2020).
    """

    name = "fire"
    summary = "fast inertial relaxation"

    def __init__(
        self,
        *,
        dt_start: Annotated[float, Param("first time step", exclusive_minimum=0.0, unit=_TIME)] = 0.01,
        dt_max: Annotated[float, Param("largest time step", exclusive_minimum=0.0, unit=_TIME)] = 1.0,
        n_min: Annotated[int, Param("steps downhill before the time step may grow", minimum=0)] = 5,
        f_inc: Annotated[float, Param("factor by which the time step grows", exclusive_minimum=1.0)] = 1.1,
        f_dec: Annotated[
            float, Param("factor by which the time step shrinks", exclusive_minimum=0.0, exclusive_maximum=1.0)
        ] = 0.5,
        alpha_start: Annotated[
            float,
            Param("mixing of the force direction into the velocity", exclusive_minimum=0.0, exclusive_maximum=1.0),
        ] = 0.1,
        f_alpha: Annotated[
            float, Param("factor by which the mixing shrinks", exclusive_minimum=0.0, exclusive_maximum=1.0)
        ] = 0.99,
        max_step: Annotated[
            float,
            Param(
                "largest displacement along one axis in one step; a longer one is scaled down, with the velocities",
                exclusive_minimum=0.0,
                unit="length",
            ),
        ] = 0.1,
        half_step_back: Annotated[
            bool, Param("also go back half a step where P <= 0: from a liquid it saves a tenth of the evaluations")
        ] = True,
        stability: Annotated[
            float,
            Param(
                "longest time step in units of one over the frequency of the fastest mode, once that mode has shown "
                "itself by going unstable; 0 turns it off",
                minimum=0.0,
                exclusive_maximum=2.0,
            ),
        ] = 1.3,
    ):
        super().__init__()
        if dt_start > dt_max:
            raise InputError(f"The first time step, {dt_start:g}, is larger than dt_max = {dt_max:g}; lower it.")

    def minimise(self, descent: Descent) -> None:
        """Move ``descent.current`` until it is converged.

        Raises
        ------
        Stopped
            With the reason.
        """
        point = descent.current
        x, f, velocities = point.x, point.f, np.zeros_like(point.x)
        # Time step, mixing, steps downhill; learnt limit of the time step, F.v of the last step, maximum force when
        # the limit was learnt.
        state = np.array([self.dt_start, self.alpha_start, 0.0, math.inf, 0.0, 0.0])
        constants = np.array(
            [
                descent.force_tolerance,
                self.dt_max,
                self.n_min,
                self.f_inc,
                self.f_dec,
                self.alpha_start,
                self.f_alpha,
                self.max_step,
                0.5 if self.half_step_back else 0.0,
                self.stability,
            ]
        )
        ceiling = descent.ceiling(self.max_step)
        evaluate, accept = descent.evaluate, descent.accept
        energy = point.energy
        while True:
            max_force = _step(x, velocities, f, state, constants)
            if not (max_force < math.inf and energy <= ceiling):
                raise Stopped(_divergence(energy, max_force, ceiling))
            if accept(point, max_force):
                return
            energy = evaluate(point)


def _divergence(energy: float, max_force: float, ceiling: float) -> str:
    if not (math.isfinite(energy) and math.isfinite(max_force)):
        return "it diverged: the energy or a force is not finite; take a smaller dt_max or max_step"
    return (
        f"it diverged: the energy rose to {energy:.6g}, beyond {ceiling:.6g}; take a smaller dt_start or max_step, or "
        "another method (--method lbfgs)"
    )


@kernel(fastmath={"reassoc", "contract", "nsz"})
def _step(x, v, f, state, constants):
    """Adapt the time step, turn the velocities and move; return the maximum force, NaN if one is not finite.

    Nothing moves once the maximum force is below the tolerance.
    """
    tolerance, dt_max, n_min, f_inc, f_dec = constants[0], constants[1], constants[2], constants[3], constants[4]
    alpha_start, f_alpha, max_step, back, stability = (
        constants[5],
        constants[6],
        constants[7],
        constants[8],
        constants[9],
    )
    power = 0.0
    v_squared = 0.0
    f_squared = 0.0
    max_force = 0.0
    for k in range(x.size):
        power += f[k] * v[k]
        v_squared += v[k] * v[k]
        f_squared += f[k] * f[k]
        max_force = max(max_force, abs(f[k]))
    if not f_squared < np.inf:
        return np.nan
    if max_force < tolerance:
        return max_force
    dt, alpha, downhill = state[0], state[1], state[2]
    if power > 0.0:
        keep = 1.0 - alpha
        turn = alpha * math.sqrt(v_squared / f_squared)
        downhill += 1.0
        if max_force < 1e-6 * state[5]:
            state[3] = np.inf  # another landscape than the one the limit was learnt in
        if downhill > n_min:
            dt = min(dt * f_inc, dt_max, state[3])
            alpha *= f_alpha
    else:
        if back > 0.0:
            for k in range(x.size):
                x[k] -= back * dt * v[k]
        keep = 0.0
        turn = 0.0
        downhill = 0.0
        if stability > 0.0 and v_squared > 0.0 and state[4] > 0.0:
            # Curvature along the last step, from the change of the force projected on it. Where dt is longer than the
            # period over 2 pi, this was no valley crossed but the integrator losing the fastest mode.
            curvature = (state[4] - power) / (v_squared * dt)
            if curvature * dt * dt > 1.0:
                state[3] = min(state[3], stability / math.sqrt(curvature))
                state[5] = max_force
        if v_squared > 0.0:  # not the very first step, which starts at rest
            dt *= f_dec
            alpha = alpha_start
    state[0] = dt
    state[1] = alpha
    state[2] = downhill
    turn += dt
    fastest = 0.0
    for k in range(x.size):
        v[k] = keep * v[k] + turn * f[k]
        fastest = max(fastest, abs(v[k]))
    scale = min(1.0, max_step / (dt * fastest))
    work = 0.0
    for k in range(x.size):
        v[k] *= scale
        work += f[k] * v[k]
        x[k] += dt * v[k]
    state[4] = work if scale == 1.0 else 0.0
    return max_force
