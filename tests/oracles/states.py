"""Differences to compare derivatives with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Gradient of a scalar by central differences of fourth order, same shape as x."""
    gradient = np.empty(x.size)
    flat = x.ravel()
    for k in range(x.size):
        values = []
        for step in (-2, -1, 1, 2):
            moved = flat.copy()
            moved[k] += step * h
            values.append(function(moved.reshape(x.shape)))
        gradient[k] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    return gradient.reshape(x.shape)


def numerical_hessian(forces: Callable[[np.ndarray], np.ndarray], x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """Hessian by central differences of the forces, fourth order, shape (x.size, x.size)."""
    columns = []
    flat = x.ravel()
    for k in range(x.size):
        values = []
        for step in (-2, -1, 1, 2):
            moved = flat.copy()
            moved[k] += step * h
            values.append(forces(moved.reshape(x.shape)).ravel())
        columns.append(-(values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h))
    return np.array(columns).T
