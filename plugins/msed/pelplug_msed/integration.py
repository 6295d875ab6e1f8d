"""Integrals of heat capacities over the logarithm of temperature."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

__all__ = ["entropy"]


def entropy(temperatures, capacities, reference: int) -> np.ndarray:
    """Return ``int c dT / T`` from a reference temperature to each other one.

    Parameters
    ----------
    temperatures : ndarray, shape (K,)
        Ascending, at least two.
    capacities : ndarray, shape (..., K)
        Heat capacities over k.
    reference : int
        Which temperature is the reference.

    Returns
    -------
    ndarray, shape (..., K)
        Over k; 0 at the reference. Between the temperatures the capacities are a cubic spline in ln T, from only two a
        straight line: linear in the capacities, so that values drawn within their errors scatter as the integral does.
    """
    x = np.log(temperatures)
    if x.size < 3:
        means = 0.5 * (capacities[..., 1:] + capacities[..., :-1])
        whole = np.concatenate([np.zeros_like(means[..., :1]), np.cumsum(means * np.diff(x), axis=-1)], axis=-1)
    else:
        whole = CubicSpline(x, capacities, axis=-1).antiderivative()(x)
    return whole - whole[..., [reference]]
