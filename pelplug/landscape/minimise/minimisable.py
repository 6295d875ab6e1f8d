"""Whether a potential has minima that a minimiser can find."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError, PelplugError
from pelplug.potentials.base import Potential, potential_name
from pelplug.potentials.from_forces.displaced import DisplacedState
from pelplug.potentials.from_forces.potential import completed
from pelplug.potentials.from_forces.steps import measure_noise

__all__ = ["check_minimisable", "smooth_instead"]

_LOUD = 20.0  # times the noise: what a quench reaches, whose largest component is that of many


def check_minimisable(potential: Potential, configuration: Configuration, force_tolerance: float) -> None:
    """Refuse a potential whose minima cannot be reached to a tolerance, before anything is minimised.

    Where a repulsive force ends at the cutoff, the energy has a kink that opens upwards: pairs come to rest on the
    cutoff itself, and no minimiser converges. An attractive force that ends there does no harm. A system so dilute that
    pairs leave each other's range has minima all the same. Where another program computes the forces, they must be
    known to better than the tolerance: their noise is measured.

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
    own = getattr(potential, "potential", potential)
    if getattr(own, "foreign", False):
        _refuse_noise(own, configuration, force_tolerance)
    if potential.force_jumps[0] <= 10.0 * force_tolerance:
        return
    neighbours = 2.0 * len(completed(potential).pairs(configuration)) / configuration.n
    if neighbours > 2 * configuration.dimension:  # more contacts than there are directions to leave in
        raise InputError(
            f"This model cannot be minimised to forces of {force_tolerance:g}: {smooth_instead(potential)}."
        )


def _refuse_noise(potential: Potential, configuration: Configuration, force_tolerance: float) -> None:
    try:
        noise = measure_noise(DisplacedState(potential, configuration), np.random.default_rng(0)).force
    except PelplugError:  # a calculator may fail in this frame and not in others
        return
    if force_tolerance < noise:
        more = f", or have smoother forces ({potential.rough})" if potential.rough else ""
        raise InputError(
            f"Forces of the potential {potential_name(potential)} have a noise of {noise:.2g}, so that no quench gets "
            f"below {force_tolerance:g}; raise --force-tolerance to {_LOUD * noise:.1g} (force_tolerance= in "
            f"Python){more}."
        )


def smooth_instead(potential: Potential) -> str:
    """Return what is amiss with forces that jump, and the remedy."""
    jump = max(potential.force_jumps)
    kind = "repulsive" if potential.force_jumps[0] == jump else "attractive"
    size = np.format_float_positional(jump, 3, fractional=False)
    remedy = potential.smoother or "choose truncation=smooth (--model-param truncation=smooth, or in the model file)"
    return f"its {kind} force jumps from {size} to 0 at a cutoff; {remedy}"
