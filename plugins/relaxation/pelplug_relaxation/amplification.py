"""How far a small displacement of the start has grown along the descent: the chaoticity of the map to the minimum."""

from __future__ import annotations

from typing import Any

import numpy as np

import pelplug

__all__ = ["LARGER", "Copies", "amplification", "rms_distance"]

LARGER = 10.0
"""Size of the second displacement over that of the first."""

AGREE = 0.1
"""Relative difference of the two factors up to which both are in the linear regime."""

SAME_ENERGY = 1e-8  # of the energy
SAME_PLACE = 0.01  # of the mean distance between particles


class Copies(pelplug.Potential):
    """Several copies of one system that do not see each other, particles one copy after another.

    A descent of all of them takes the same steps for each, so that the integrator's error is the same smooth function
    of the start in all, and what is between two copies is what became of the difference of their starts.

    Parameters
    ----------
    potential : Potential
        Of one copy.
    one : Configuration
        One copy.
    """

    capabilities = pelplug.Capability.EVALUATOR

    def __init__(self, potential: pelplug.Potential, one: pelplug.Configuration):
        self.potential, self.one = potential, one
        self.units, self.force_jumps = potential.units, potential.force_jumps
        self.made_of = (potential,)

    def record(self) -> dict[str, Any]:
        """Return what identifies it."""
        return {"copies of": self.potential.record()}

    def energy_forces(self, configuration):
        """Return U of all copies together [energy], and the forces [energy / length]."""
        forces = np.zeros_like(configuration.positions)
        return self.evaluator(configuration)(np.array(configuration.positions), forces), forces

    def evaluator(self, configuration):
        """Return what evaluates all copies."""
        parts = np.split(np.asarray(configuration.positions), configuration.n // self.one.n)
        return _Together(
            [self.potential.evaluator(self.one.replace(positions=part, images=None).wrapped()) for part in parts]
        )


class _Together(pelplug.Evaluator):
    def __init__(self, evaluators):
        self.evaluators = evaluators

    def __call__(self, positions, forces):
        self.evaluations += 1
        size, energy = len(positions) // len(self.evaluators), 0.0
        for k, evaluate in enumerate(self.evaluators):
            own = slice(k * size, (k + 1) * size)
            energy += evaluate(positions[own], forces[own])
        return energy


def rms_distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the root mean square distance a particle between states, shapes (..., N, d), without drift [length]."""
    apart = one - other
    apart = apart - apart.mean(axis=-2, keepdims=True)
    return np.sqrt(np.mean(np.sum(apart**2, axis=-1), axis=-1))


def amplification(start, potential, times: np.ndarray, size: float, seed: int, **options) -> dict[str, Any]:
    """Follow a start and two displaced ones by the same steps, and compare them.

    Parameters
    ----------
    start : Configuration
        Inside its cell.
    potential : Potential
        Its interactions.
    times : ndarray, shape (K,)
        Output times [time].
    size : float
        Root mean square displacement of a particle [length]; the second start is displaced ten times as far.
    seed : int
        Of the direction, which has no drift; the number of the frame goes into it too.
    **options
        Of `pelplug.steepest_descent`.

    Returns
    -------
    dict
        ``amplification`` and ``amplification_larger``: distance over that of the starts, shape (K,), ``end_...`` at the
        end; ``linear_amplification``; ``end_distance`` [length]; ``same_minimum``.

    Raises
    ------
    NotConvergedError
        If they do not all reach a minimum.
    """
    rng = np.random.default_rng([seed, int(start.frame or 0)])
    direction = rng.standard_normal(start.positions.shape)
    direction -= direction.mean(axis=0)
    direction *= size / np.sqrt(np.mean(np.sum(direction**2, axis=1)))
    copies, n = 3, start.n
    together = pelplug.Configuration(
        np.concatenate([start.positions + factor * direction for factor in (0.0, 1.0, LARGER)]),
        start.cell,
        np.tile(start.species, copies),
    )
    descent = pelplug.steepest_descent(
        together, Copies(potential, start), times, keep_positions=True, **options
    ).require_converged()
    path = np.concatenate([descent.positions, descent.configuration.positions[None]])
    path = path.reshape(-1, copies, n, start.dimension)
    near, far = (rms_distance(path[:, k], path[:, 0]) / factor for k, factor in ((1, size), (2, LARGER * size)))
    ends = path[-1]
    at = len(descent.positions)
    grown = {"amplification": near, "amplification_larger": far}
    # What has arrived stays where it is.
    values: dict[str, Any] = {
        name: np.concatenate([factor[:-1], np.full(len(times) - at, factor[-1])]) for name, factor in grown.items()
    }
    same = _same(start, potential, ends[1], ends[0])
    linear = same and abs(near[-1] - far[-1]) <= AGREE * max(near[-1], far[-1])
    return values | {
        "end_amplification": near[-1],
        "end_amplification_larger": far[-1],
        "linear_amplification": near[-1] if linear else np.nan,
        "end_distance": size * near[-1],
        "same_minimum": float(same),
    }


def _same(start, potential, one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two ends are one minimum: of one energy, with every particle at one place."""
    states = [start.replace(positions=positions, images=None).wrapped() for positions in (one, other)]
    first, second = (potential.energy_forces(state)[0] for state in states)
    moved = one - other
    moved = moved - moved.mean(axis=0)
    spacing = abs(np.linalg.det(start.cell) / start.n) ** (1.0 / start.dimension)
    near = np.sqrt(np.sum(moved**2, axis=1)).max() < SAME_PLACE * spacing
    return bool(near and abs(first - second) <= SAME_ENERGY * max(abs(first), abs(second)))
