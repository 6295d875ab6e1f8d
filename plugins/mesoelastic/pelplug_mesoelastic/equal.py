"""States of equal relaxation time, between the temperatures that were measured."""

from __future__ import annotations

import numpy as np

from pelplug_mesoelastic.fits import at_level, propagated

__all__ = ["interpolated"]


def interpolated(values: dict[str, np.ndarray], row: int, name: str, level: float) -> tuple[float, float]:
    """Return a quantity where tau_alpha/t0 has a value, linear in its logarithm, and the standard error.

    Parameters
    ----------
    values : dict of str to ndarray
        Variables of the study.
    row : int
        Which density.
    name : str
        The quantity, or ``temperature``, of which the inverse is interpolated.
    level : float
        tau_alpha/t0.

    Returns
    -------
    value, error : float
        NaN outside the measured range, between temperatures of which one does not have the quantity, and where
        tau_alpha has the value more than once.
    """
    tau, tau_error = values["reduced_tau_alpha"][row], values["reduced_tau_alpha_error"][row]
    known = np.isfinite(tau)
    of_temperature = name == "temperature"
    quantity = 1.0 / values[name] if of_temperature else values[name][row]
    error = np.zeros(quantity.size) if of_temperature else values[f"{name}_error"][row]
    curves = np.stack([np.log(tau[known]), quantity[known]])
    value = at_level(np.log(level), *curves)
    if not np.isfinite(value):
        return np.nan, np.nan
    spread = np.stack([tau_error[known] / tau[known], error[known]])
    spread[1] = np.where(np.isfinite(curves[1]), spread[1], 0.0)
    covariance = propagated(lambda both: np.array(at_level(np.log(level), *both)), curves, spread)
    deviation = float(np.sqrt(covariance[0, 0]))
    return (1.0 / value, deviation / value**2) if of_temperature else (value, deviation)
