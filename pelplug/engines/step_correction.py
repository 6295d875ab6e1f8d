"""Which temperature a thermostat holds when the time step is finite."""

from __future__ import annotations

import numpy as np

from pelplug.configuration import Configuration
from pelplug.models.base import Model
from pelplug.potentials.base import Evaluator

__all__ = ["step_correction"]

_PROBES = 16
_LARGEST = 0.5  # beyond it velocity Verlet is about to be unstable, and no number means anything


def step_correction(configuration: Configuration, model: Model, evaluator: Evaluator, time_step: float) -> float:
    """Return by which share velocities at full steps are colder than positions and than velocities at half steps.

    Velocity Verlet gives, in a stationary state, ``<v**2>`` at half steps what ``<v**2>`` at full steps and
    ``(dt / 2)**2 <F**2 / m**2>`` are together, and positions have the temperature of half steps. With
    ``<F**2> = T <tr H>`` the share is ``dt**2 / 4`` times the mean diagonal element of the Hessian over the mass.

    Parameters
    ----------
    configuration : Configuration
        A state of the liquid.
    model : Model
        For its unit of mass.
    evaluator : Evaluator
        Forces of `configuration`'s potential.
    time_step : float
        [time].

    Returns
    -------
    float
        From 0 to 0.5; an estimate, for the trace is probed along sixteen random directions.
    """
    scale = 1.0 / np.sqrt(model.mass_unit * model.masses_of(configuration))[:, None]
    positions = configuration.unwrapped_positions()
    n, d = positions.shape
    width = 1e-4 * abs(np.linalg.det(configuration.cell) / n) ** (1.0 / d)
    rng = np.random.default_rng(20)
    forward, backward, total = np.empty_like(positions), np.empty_like(positions), 0.0
    for _ in range(_PROBES):
        signs = rng.integers(0, 2, positions.shape) * 2.0 - 1.0
        step = width * signs * scale / scale.max()
        evaluator(positions + step, forward)
        evaluator(positions - step, backward)
        total += float(np.sum((backward - forward) * step)) / (2.0 * (width / scale.max()) ** 2)
    share = 0.25 * time_step**2 * total / (_PROBES * n * d)
    return float(np.clip(share, 0.0, _LARGEST)) if np.isfinite(share) else 0.0
