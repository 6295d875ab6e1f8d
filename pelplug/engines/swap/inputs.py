"""What swap Monte Carlo is asked for, checked: each problem in one sentence."""

from __future__ import annotations

import math

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.potentials.pair import PairPotential

__all__ = ["edges_of", "pair_potential", "swap_range_of", "swap_share"]


def pair_potential(start: Configuration, model) -> PairPotential:
    """Return the pair potential of a model for a configuration, or say why Monte Carlo cannot use it."""
    if start.dimension not in (2, 3):
        raise InputError(
            f"Swap Monte Carlo works in two and three dimensions; the configuration has d = {start.dimension}."
        )
    if isinstance(model, Model):
        potential, name = model.potential(start), model.name
    elif isinstance(model, PairPotential):
        potential, name = model, repr(model)
        potential.energy(start)  # says what of the configuration does not fit
    else:
        potential, name = model, repr(model)
    if not isinstance(potential, PairPotential):
        raise InputError(
            f"Swap Monte Carlo needs a pair potential, and {name} is none; pass pelplug.model(name) of a model with "
            "pair interactions, or a PairPotential."
        )
    return potential


def edges_of(start: Configuration) -> np.ndarray:
    """Return the edges of an orthorhombic box, shape (d,) [length]."""
    edges = np.array(np.diag(start.cell))
    if np.any(start.cell != np.diag(edges)) or not np.all(edges > 0):
        raise InputError("Swap Monte Carlo needs an orthorhombic box along the axes; the configuration's is tilted.")
    return edges


def swap_range_of(value: float | None, per_particle: bool) -> float:
    """Return the largest difference of diameters to swap [length]."""
    if not per_particle:
        if value is not None:
            raise InputError("swap_range compares diameters, and the particles of this model have none; leave it out.")
        return math.inf
    return 0.2 if value is None else value


def swap_share(value: float | None, payload: np.ndarray, swap_range: float) -> float:
    """Return the share of swaps, by default 0.2 where there is something to swap."""
    kinds = np.unique(payload)
    possible = len(kinds) > 1 and float(np.diff(kinds).min()) < swap_range
    if value is None:
        return 0.2 if possible else 0.0
    if value > 0.0 and not possible:
        why = "differ by less than swap_range" if len(kinds) > 1 else "differ"
        raise InputError(f"There is nothing to swap: no two particles {why}; use p_swap=0.")
    return value
