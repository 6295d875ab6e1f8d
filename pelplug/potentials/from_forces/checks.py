"""What a Hessian by differences must pass before it is handed on."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from pelplug.errors import InputError
from pelplug.potentials.from_forces.displaced import DisplacedState, spacing
from pelplug.potentials.from_forces.hessian import acoustic_sum, asymmetry
from pelplug.potentials.from_forces.products import HessianProducts
from pelplug.potentials.from_forces.steps import Noise, Step

__all__ = ["SECOND_STEP", "check_energy", "require_checks", "second_step"]

SECOND_STEP = 2.0
"""Times the displacement of the columns: that of the check."""

_VECTORS = 3
_FEW = 0.05  # of the particles
_CLEAR = 1e5  # standard deviations of the energy's noise that a change should be
_WRONG = 1e-2  # relative: forces are another function's
_STEADY = 0.1  # relative: two lengths that disagree the same way


def second_step(state: DisplacedState, matrix: scipy.sparse.bsr_matrix, step: Step, rng: np.random.Generator) -> float:
    """Return how far products with random vectors are from those by differences at another step: a relative norm.

    All particles move at once, so that what acts beyond the reach is seen too.
    """
    products = HessianProducts(state, step, SECOND_STEP)
    off = size = 0.0
    for _ in range(_VECTORS):
        vector = rng.normal(size=matrix.shape[0])
        given = (matrix @ vector).reshape(state.shape)
        found, bent = products.with_bend(vector)
        # A force that jumps within the displacement (a pair at its cutoff) has no second displacement to agree with.
        if np.mean(bent) > _FEW * max(1.0, 40.0 / state.shape[0]):
            bent[:] = False
        off += np.sum((found.reshape(state.shape) - given)[~bent] ** 2)
        size += np.sum(given[~bent] ** 2)
    return float(np.sqrt(off / max(size, 1e-300)))


def check_energy(
    state: DisplacedState, matrix: scipy.sparse.bsr_matrix, noise: Noise, rng: np.random.Generator
) -> float | None:
    """Compare how the energy changes with the work of the forces.

    Returns
    -------
    float or None
        The relative difference; None where two lengths do not agree on it: the energy jumps.

    Raises
    ------
    InputError
        If forces are not the derivative of the energy.
    """
    direction = rng.normal(size=state.shape)
    curve = abs(float(direction.ravel() @ (matrix @ direction.ravel())))
    if curve == 0.0:
        return None
    most = 0.01 * spacing(state.configuration)
    length = min(most, max(1e-4 * spacing(state.configuration), np.sqrt(2.0 * _CLEAR * noise.energy / curve)))
    found = []
    for t in (length, length / 2.0):
        middle, end = state(0.5 * t * direction), state(t * direction)
        pull = state.forces + 4.0 * middle[1] + end[1]
        work = t / 6.0 * float(np.sum(pull * direction))
        change = end[0] - state.energy
        scale = max(abs(change), abs(work), 10.0 * noise.energy / _WRONG)
        found.append(((change + work) / scale, change, -work))
    one, other = (value for value, _, _ in found)
    if max(abs(one), abs(other)) < _WRONG:
        return float(max(abs(one), abs(other)))
    if abs(one - other) <= _STEADY * abs(one):
        raise InputError(
            f"The forces of the potential {state.name} are not the derivative of its energy: along a random "
            f"displacement the energy changes by {found[0][1]:.6g}, and by the forces it should change by "
            f"{found[0][2]:.6g}; correct energy_forces()."
        )
    return None


def require_checks(
    state: DisplacedState, matrix: scipy.sparse.bsr_matrix, second: float, noise: Noise, step: Step, tolerance: float
) -> dict[str, Any]:
    """Return what the checks found, or refuse.

    Raises
    ------
    InputError
        If one is above the tolerance.
    """
    found = {"asymmetry": asymmetry(matrix), "acoustic_sum": acoustic_sum(matrix), "second_step": second}
    worst = max(found, key=found.get)
    if found[worst] <= tolerance:
        return found
    what = {
        "asymmetry": "it is not symmetric, |H - H^T| / |H| = {:.2g}",
        "acoustic_sum": "by it a translation of all particles takes forces, {:.2g} of |H|",
        "second_step": "another displacement gives another one, by {:.2g} of it",
    }[worst].format(found[worst])
    loud = step.error > 0.1 * tolerance
    if loud:
        cause = (
            f"the forces are known to {noise.force:.2g} only (displacements of {step.size:.2g}, expected error "
            f"{step.error:.2g}); compute them in double precision, or allow more with pelplug.FromForces(potential, "
            "tolerance=...)"
        )
    elif worst == "acoustic_sum":
        cause = "leave out what acts from outside (walls, fields)"
    else:
        cause = (
            "forces must be continuous, the derivative of the energy, and the same whenever they are asked for; "
            "correct energy_forces(), or give pelplug.FromForces(potential, reach='all') if they act at long range"
        )
    raise InputError(f"The Hessian of the potential {state.name} from its forces fails its check: {what}; {cause}.")
