"""Isoconfigurational runs: one configuration, many sets of velocities."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from pelplug.configuration import Configuration
from pelplug.engines.engine import Engine, EquationsOfMotion
from pelplug.engines.replicas import ReplicatedModel, replicated, split
from pelplug.engines.request import Isoconfigurational, time_step_of
from pelplug.engines.velocities import thermalised
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["IsoconfigurationalRuns", "run_isoconfigurational"]

# Only in these does nothing tie replicas in one simulation together: a Nosé–Hoover thermostat would.
_SEPARATE = ("nve", "langevin")


@dataclasses.dataclass(frozen=True)
class IsoconfigurationalRuns:
    """Displacements from one configuration in many runs.

    Attributes
    ----------
    times : ndarray, shape (S,)
        When they were measured [time].
    displacements : ndarray, shape (replicas, S, N, d)
        From the common start, less that of the centre of mass [length].
    velocities : ndarray, shape (replicas, N, d)
        With which each run began [length / time].
    engine, route : str
        What simulated, and whose forces it used.
    """

    times: np.ndarray
    displacements: np.ndarray
    velocities: np.ndarray
    engine: str
    route: str


def run_isoconfigurational(
    configuration: Configuration,
    model: Model,
    engine: Engine,
    temperature: float,
    times: npt.ArrayLike,
    asked: Isoconfigurational,
) -> IsoconfigurationalRuns:
    """Run many simulations from one configuration; see `pelplug.isoconfigurational` for the parameters."""
    time_step, replicas = time_step_of(model, asked.time_step), asked.replicas
    steps = _whole_steps(times, time_step)
    dynamics = EquationsOfMotion(
        asked.ensemble,
        time_step,
        temperature=temperature if asked.ensemble != "nve" else None,
        thermostat_time=asked.thermostat_time,
        friction=asked.friction,
    )
    start = configuration.replace(step=0, frame=None, time=None)
    keys = np.random.SeedSequence(asked.seed).spawn(replicas)
    begun = [thermalised(start, model, temperature, np.random.default_rng(key)) for key in keys]
    if asked.together and engine.any_potential and asked.ensemble in _SEPARATE and replicas > 1:
        groups = [(replicated(begun), ReplicatedModel(model, replicas), replicas)]
    else:
        groups = [(one, model, 1) for one in begun]
    moved, route = [], ""
    for number, (state, liquid, copies) in enumerate(groups):
        noise = int(np.random.default_rng(keys[number]).integers(1, 2**15))
        with engine.session(state, liquid, dynamics, seed=noise) as session:
            route, done, parts = session.route, 0, []
            for step in steps.tolist():
                session.run(step - done)
                done = step
                parts.append([one.unwrapped_positions() for one in split(session.configuration(), copies)])
        moved.append(np.array(parts).swapaxes(0, 1))
    displacements = np.concatenate(moved) - start.unwrapped_positions()
    masses = model.masses_of(start)
    displacements -= (np.tensordot(displacements, masses, axes=([2], [0])) / masses.sum())[:, :, None, :]
    velocities = np.array([one.velocities for one in begun])
    return IsoconfigurationalRuns(steps * time_step, displacements, velocities, engine.name, route)


def _whole_steps(times: npt.ArrayLike, time_step: float) -> np.ndarray:
    times = np.atleast_1d(np.asarray(times, dtype=float))
    if times.ndim != 1 or times.size == 0 or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
        raise InputError("Give the times of isoconfigurational runs in ascending order.")
    steps = np.rint(times / time_step).astype(np.int64)
    if steps[0] < 1 or np.any(np.diff(steps) < 1):
        raise InputError(f"Times of isoconfigurational runs must be at least one time step ({time_step:g}) apart.")
    return steps
