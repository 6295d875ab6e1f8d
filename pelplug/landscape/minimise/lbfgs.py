"""Limited-memory BFGS."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from pelplug.core.parameters import Param
from pelplug.execution.compile import kernel
from pelplug.landscape.descent.minimiser import Minimiser
from pelplug.landscape.descent.trace import Descent, Stopped
from pelplug.landscape.minimise.linesearch import Decrease, SlopeRatio, project, search, trial_step

__all__ = ["LimitedMemoryBFGS"]

_FAST = {"reassoc", "contract", "nsz"}


class LimitedMemoryBFGS(Minimiser):
    """Quasi-Newton steps from the last few changes of position and force.

    References
    ----------
    Nocedal, Math. Comput. 35, 773 (1980); Liu and Nocedal, Math. Program. 45, 503 (1989); line search: Hager and Zhang,
    SIAM J. Optim. 16, 170 (2005).
    """

    name = "lbfgs"
    summary = "limited-memory BFGS"

    def __init__(
        self,
        *,
        memory: Annotated[int, Param("number of changes kept", minimum=1, maximum=1000)] = 10,
        max_step: Annotated[
            float,
            Param(
                "largest displacement along one axis in one step; a longer one is scaled down",
                exclusive_minimum=0.0,
                unit="length",
            ),
        ] = 0.1,
        decrease: Decrease = 1e-4,
        slope_ratio: SlopeRatio = 0.9,
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
        moves = np.zeros((self.memory, point.x.size))
        changes = np.zeros_like(moves)
        inverse = np.zeros(len(moves))
        weights = np.zeros(len(moves))
        kept, newest = 0, -1
        step = trial_step(descent, point, spare, direction, slope, self.max_step / longest)
        while True:
            found = search(
                descent, point, spare, direction, slope, step, self.max_step / longest, self.decrease, self.slope_ratio
            )
            if found is None:
                if kept == 0:
                    raise Stopped(
                        "no step along the forces lowers the energy: a force that jumps at the cutoff, or a tolerance "
                        "below what rounding allows"
                    )
                kept = 0  # what was learnt misleads (a force jumped): begin again along the forces
                direction[:] = point.f
                max_force, slope, longest = project(point.f, direction)
                step = trial_step(descent, point, spare, direction, slope, self.max_step / longest)
                continue
            _, max_force = found
            point, spare = spare, point
            if descent.accept(point, max_force):
                return
            slot = (newest + 1) % len(moves)
            if _remember(point.x, spare.x, point.f, spare.f, moves[slot], changes[slot], inverse, slot):
                newest, kept = slot, min(kept + 1, len(moves))
            elif kept == len(moves):
                kept -= 1  # the oldest entry was overwritten by one of no use
            slope, longest = _direction(point.f, moves, changes, inverse, weights, kept, newest, direction)
            step = 1.0
            if kept == 0 or not slope < 0.0:
                kept = 0
                direction[:] = point.f
                max_force, slope, longest = project(point.f, direction)
                step = trial_step(descent, point, spare, direction, slope, self.max_step / longest)


@kernel(fastmath=_FAST)
def _remember(x_new, x_old, f_new, f_old, move, change, inverse, slot):
    """Store the last step and the change of gradient; return whether its curvature is positive, hence of use."""
    curvature = 0.0
    squared_move = 0.0
    squared_change = 0.0
    for k in range(x_new.size):
        move[k] = x_new[k] - x_old[k]
        change[k] = f_old[k] - f_new[k]
        curvature += move[k] * change[k]
        squared_move += move[k] * move[k]
        squared_change += change[k] * change[k]
    inverse[slot] = 1.0 / curvature if curvature != 0.0 else 0.0
    return curvature > 1e-8 * np.sqrt(squared_move * squared_change)


@kernel(fastmath=_FAST)
def _direction(f, moves, changes, inverse, weights, kept, newest, direction):
    """Two-loop recursion; return the slope along ``direction`` and its largest component."""
    n = f.size
    for k in range(n):
        direction[k] = f[k]
    memory = len(moves)
    for age in range(kept):
        slot = (newest - age) % memory
        weight = 0.0
        for k in range(n):
            weight += moves[slot, k] * direction[k]
        weight *= inverse[slot]
        weights[slot] = weight
        for k in range(n):
            direction[k] -= weight * changes[slot, k]
    if kept > 0:
        squared = 0.0
        for k in range(n):
            squared += changes[newest, k] * changes[newest, k]
        scale = 1.0 / (inverse[newest] * squared)
        for k in range(n):
            direction[k] *= scale
    for age in range(kept - 1, -1, -1):
        slot = (newest - age) % memory
        weight = 0.0
        for k in range(n):
            weight += changes[slot, k] * direction[k]
        weight = weights[slot] - weight * inverse[slot]
        for k in range(n):
            direction[k] += weight * moves[slot, k]
    slope = 0.0
    longest = 0.0
    for k in range(n):
        slope -= f[k] * direction[k]
        longest = max(longest, abs(direction[k]))
    return slope, longest
