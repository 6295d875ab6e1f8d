"""Configurations to ask about, and differences to compare derivatives with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration


def rotation(d: int, rng) -> np.ndarray:
    """A random rotation matrix, shape (d, d)."""
    q, r = np.linalg.qr(np.random.default_rng(rng).normal(size=(d, d)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] *= -1
    return q


def tilted(configuration: Configuration, rng=0, tilt: float = 0.3, rotate: bool = True) -> Configuration:
    """The same particles in a sheared, rotated cell of the same volume, some moved by whole cell vectors."""
    rng = np.random.default_rng(rng)
    d = configuration.dimension
    shear = np.eye(d) + np.tril(rng.uniform(-tilt, tilt, size=(d, d)), -1)
    turn = rotation(d, rng) if rotate else np.eye(d)
    cell = configuration.cell @ shear @ turn
    fractional = configuration.fractional() + rng.integers(-1, 2, size=configuration.positions.shape)
    return configuration.replace(positions=fractional @ cell, cell=cell)


def settle(configuration: Configuration, potential, steps: int = 60, largest: float = 0.03) -> Configuration:
    """Take the worst overlaps away: ``steps`` of capped steepest descent."""
    evaluate = potential.evaluator(configuration)
    x = np.array(configuration.positions)
    f = np.empty_like(x)
    for _ in range(steps):
        evaluate(x, f)
        length = np.linalg.norm(f, axis=1, keepdims=True)
        x += f * np.minimum(0.002, largest / np.maximum(length, 1e-300))
    return configuration.replace(positions=x)


def replicated(configuration: Configuration, times: int) -> Configuration:
    """``times`` copies of the cell along every cell vector."""
    d = configuration.dimension
    shifts = np.stack(np.meshgrid(*[np.arange(times)] * d, indexing="ij"), -1).reshape(-1, d) @ configuration.cell
    n = len(shifts)
    diameters = configuration.diameters
    return Configuration(
        (shifts[:, None, :] + configuration.positions[None]).reshape(-1, d),
        configuration.cell * times,
        np.tile(configuration.species, n),
        diameters=None if diameters is None else np.tile(diameters, n),
    )


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
