"""Nonlinear conjugate gradients."""

from __future__ import annotations

from typing import Annotated

from pelplug.core.parameters import Param
from pelplug.execution.compile import kernel
from pelplug.landscape.descent.minimiser import Minimiser
from pelplug.landscape.descent.trace import Descent, Stopped
from pelplug.landscape.minimise.linesearch import Decrease, SlopeRatio, project, search, trial_step

__all__ = ["ConjugateGradients"]


class ConjugateGradients(Minimiser):
    """Conjugate gradients after Polak and Ribière, with beta >= 0 and a restart where directions lose conjugacy.

    References
    ----------
    Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), Sec. 5.2; line search: Hager and Zhang, SIAM J. Optim.
    16, 170 (2005).
    """

    name = "cg"
    summary = "conjugate gradients"

    def __init__(
        self,
        *,
        max_step: Annotated[
            float, Param("largest displacement along one axis in one step", exclusive_minimum=0.0, unit="length")
        ] = 0.1,
        decrease: Decrease = 0.01,
        slope_ratio: SlopeRatio = 0.2,
        restart: Annotated[
            float,
            Param(
                "start again from the forces when |F_new.F_old| is above this times F_new.F_new (Powell)",
                exclusive_minimum=0.0,
            ),
        ] = 0.3,
    ):
        super().__init__()

    def minimise(self, descent: Descent) -> None:
        """Move ``descent.current`` until it is converged.

        Raises
        ------
        Stopped
            With the reason.
        """
        point, spare = descent.current, descent.spare_point()
        direction = point.f.copy()
        max_force, slope, longest = project(point.f, direction)
        if descent.accept(point, max_force):
            return
        step = trial_step(descent, point, spare, direction, slope, self.max_step / longest)
        steepest = True
        while True:
            found = search(
                descent, point, spare, direction, slope, step, self.max_step / longest, self.decrease, self.slope_ratio
            )
            if found is None:
                if steepest:
                    raise Stopped(
                        "no step along the forces lowers the energy: a force that jumps at the cutoff, or a tolerance "
                        "below what rounding allows"
                    )
                direction[:] = point.f
                max_force, slope, longest = project(point.f, direction)
                step = trial_step(descent, point, spare, direction, slope, self.max_step / longest)
                steepest = True
                continue
            step, max_force = found
            point, spare = spare, point
            if descent.accept(point, max_force):
                return
            old_slope = slope
            slope, longest, steepest = _turn(point.f, spare.f, direction, self.restart)
            # The decrease to first order is taken to be that of the step before.
            step = min(step * old_slope / slope, 100.0 * step)


@kernel(fastmath={"reassoc", "contract", "nsz"})
def _turn(new, old, direction, restart):
    """Make ``direction`` conjugate; return the slope along it, its largest component, and whether it is the force."""
    new_new = 0.0
    new_old = 0.0
    old_old = 0.0
    new_direction = 0.0
    for k in range(new.size):
        new_new += new[k] * new[k]
        new_old += new[k] * old[k]
        old_old += old[k] * old[k]
        new_direction += new[k] * direction[k]
    beta = max(0.0, (new_new - new_old) / old_old)
    if abs(new_old) > restart * new_new or new_new + beta * new_direction < 0.1 * new_new:
        beta = 0.0
    longest = 0.0
    for k in range(new.size):
        direction[k] = new[k] + beta * direction[k]
        longest = max(longest, abs(direction[k]))
    return -(new_new + beta * new_direction), longest, beta == 0.0
