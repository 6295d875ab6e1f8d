"""Whether a potential has minima that a minimiser can find."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Potential
from pelplug.potentials.from_forces.potential import completed

__all__ = ["check_minimisable", "smooth_instead"]


def check_minimisable(potential: Potential, configuration: Configuration, force_tolerance: float) -> None:
    """Refuse a potential whose minima lie where a force is not zero, before anything is minimised.

    Where a repulsive force ends at the cutoff, the energy has a kink that opens upwards: pairs come to rest on the
    cutoff itself, and no minimiser converges. An attractive force that ends there does no harm. A system so dilute that
    pairs leave each other's range has minima all the same.

    Parameters
    ----------
    potential : Potential
    configuration : Configuration
        A state that is going to be minimised.
    force_tolerance : float
        Of the minimiser [energy / length].

    Raises
    ------
    InputError
        With the remedy.
    """
    if potential.force_jumps[0] <= 10.0 * force_tolerance:
        return
    neighbours = 2.0 * len(completed(potential).pairs(configuration)) / configuration.n
    if neighbours > 2 * configuration.dimension:  # more contacts than there are directions to leave in
        raise InputError(
            f"This model cannot be minimised to forces of {force_tolerance:g}: {smooth_instead(potential)}."
        )


def smooth_instead(potential: Potential) -> str:
    """Return what is amiss with forces that jump, and the remedy."""
    jump = max(potential.force_jumps)
    kind = "repulsive" if potential.force_jumps[0] == jump else "attractive"
    size = np.format_float_positional(jump, 3, fractional=False)
    remedy = potential.smoother or "choose truncation=smooth (--model-param truncation=smooth, or in the model file)"
    return f"its {kind} force jumps from {size} to 0 at a cutoff; {remedy}"
