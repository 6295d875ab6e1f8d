"""The sum of the logarithms of all vibrational frequencies of a minimum: its harmonic vibrational entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.core.arguments import takes
from pelplug.errors import InputError
from pelplug.landscape.hessian.response import SAFETY, LinearResponse, require_response

__all__ = ["log_frequency_sum"]

# Random vectors by which the change of the determinant with another Hessian is looked at.
_LOOKED_AT = 12


@takes()
def log_frequency_sum(response: LinearResponse, masses: Any) -> float:
    """Return the sum of ln omega over the modes of a minimum, from the pivots of its factorised Hessian.

    With ``D = m^-1/2 M m^-1/2`` the dynamical matrix and ``det'`` the product of the eigenvalues besides the d
    translations, ``sum ln omega = (1/2) ln det' D = (1/2) [ln det' M - d sum_i ln m_i + d ln(mean m)]``. No eigenvalue
    is computed. Rattlers have no frequency: they are taken out, and the modes are the ``response.n_modes`` of the rest.

    Parameters
    ----------
    response : LinearResponse
        The minimum and its factorised Hessian, by the solver dense or sparse (``determinant=True`` sees to that).
    masses : array_like, shape (N,)
        Masses of all particles, in units in which energy / (length**2 mass) is the square of a frequency.

    Returns
    -------
    float
        Sum of ln(omega t), t the unit of time and omega in rad / time [1].

    Raises
    ------
    InputError
        If the solver has no pivots, or a mass is not positive.
    """
    require_response(response)
    mass = np.asarray(masses, dtype=np.float64)
    if mass.shape != (response.configuration.n,) or not (mass > 0).all():
        raise InputError(
            f"Frequencies need {response.configuration.n} positive masses, one a particle; give them as an array."
        )
    mass, d = mass[response.members], response.configuration.dimension
    _state_error(response)
    inertia = np.log(mass).sum() - np.log(mass.mean())
    return float(0.5 * (response.factor.log_determinant - d * inertia))


def _state_error(response: LinearResponse) -> None:
    """Record how much another Hessian changes the sum, where it is found by differences: half tr M^-1 (M' - M)."""
    size = response.hessian.shape[0]
    vectors = np.random.default_rng(0).choice([-1.0, 1.0], size=(size, _LOOKED_AT))
    change = response.correction(vectors, response.hessian @ vectors)
    if change is not None:  # it is M^-1 (M - M') z
        traces = 0.5 * np.einsum("xp,xp->p", vectors, change)
        spread = traces.std(ddof=1) / np.sqrt(_LOOKED_AT)
        of_the_mean = SAFETY * np.hypot(traces.mean(), spread) / response.n_modes
        response.state_errors(geometric_mean_frequency=float(of_the_mean))
