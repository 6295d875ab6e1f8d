"""Second derivatives by strain of a potential that knows only its stress and forces."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from pelplug.configuration import Configuration
from pelplug.potentials.base import Potential, StrainDerivatives

__all__ = ["strain_by_differences"]

# Relative changes of length, and the disagreement at which the two results no longer tell a derivative.
STEPS = (1e-5, 2e-5)
TOLERANCE = 1e-3


def strain_by_differences(
    potential: Potential, configuration: Configuration, known: StrainDerivatives
) -> tuple[StrainDerivatives, str]:
    """Add ``curvature`` and ``coupling`` by central differences of stress and forces.

    Parameters
    ----------
    potential : Potential
        The interactions.
    configuration : Configuration
        The state.
    known : StrainDerivatives
        What the potential says about it.

    Returns
    -------
    strain : StrainDerivatives
        With both, or without where two step sizes disagree: the derivative jumps there (a contact opens or closes).
    origin : str
        ``"differences"``, or why there are none.
    """
    d = configuration.dimension
    found = []
    for h in STEPS:
        # The mean of d/dF_cd and d/dF_dc is the derivative along the symmetric strain.
        curvature, coupling = np.empty((d, d, d, d)), []
        for c, e in itertools.combinations_with_replacement(range(d), 2):
            slopes, pulls = [], []
            for sign in (1.0, -1.0):
                deformation = np.eye(d)
                deformation[c, e] += sign * h / 2
                deformation[e, c] += sign * h / 2
                state = configuration.replace(
                    positions=configuration.positions @ deformation, cell=configuration.cell @ deformation
                )
                # dU/dF at F, from dU/dF' of a further deformation F' F.
                slopes.append(potential.strain_derivatives(state).first @ np.linalg.inv(deformation).T)
                pulls.append(-potential.forces(state).ravel())
            curvature[:, :, c, e] = curvature[:, :, e, c] = (slopes[0] - slopes[1]) / (2 * h)
            coupling.append((pulls[0] - pulls[1]) / (2 * h))
        found.append((curvature, np.array(coupling)))
    size = [np.abs(one).max() for one in found[0]]
    rounding = 1e-6 * np.abs(known.first).max()
    changes = [np.abs(one - other).max() for one, other in zip(*found, strict=True)]
    disagreement = max(change / max(largest, rounding) for change, largest in zip(changes, size, strict=True))
    if not disagreement < TOLERANCE:
        return known, (
            f"none: the potential gives no second derivatives by strain, and differences at {STEPS[0]:g} and "
            f"{STEPS[1]:g} disagree by {disagreement:.1g}"
        )
    # Theirs are of errors h^2 and 4 h^2.
    curvature, coupling = ((4 * one - other) / 3 for one, other in zip(*found, strict=True))
    return dataclasses.replace(known, curvature=curvature, coupling=coupling), "differences"
