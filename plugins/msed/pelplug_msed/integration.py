"""Integrals of heat capacities over the logarithm of temperature."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

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
        Over k; 0 at the reference. Between the temperatures the capacities are cubic in ln T without new extremes; from
        only two, a straight line.
    """
    x = np.log(temperatures)
    if x.size < 3:
        means = 0.5 * (capacities[..., 1:] + capacities[..., :-1])
        whole = np.concatenate([np.zeros_like(means[..., :1]), np.cumsum(means * np.diff(x), axis=-1)], axis=-1)
    else:
        whole = np.moveaxis(PchipInterpolator(x, np.moveaxis(capacities, -1, 0)).antiderivative()(x), 0, -1)
    return whole - whole[..., [reference]]
