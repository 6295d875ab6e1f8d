"""Whether any two particles of a state see each other: an energy of zero is rarely what was meant."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.spatial import cKDTree

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Potential

__all__ = ["nearest_distances", "require_interaction"]

_LOOSE = 2.0  # ranges between the nearest two of particles that only repel: beyond that no liquid is so dilute


def require_interaction(
    configuration: Configuration,
    potential: Potential,
    energy: float | None = None,
    forces: np.ndarray | None = None,
) -> None:
    """Refuse a start in which no pair of particles is in range, with the distance of the nearest two.

    Spheres that only repel may be out of each other's reach: there zero is the right energy, unless they are so far
    apart that the unit of length must be wrong.

    Parameters
    ----------
    configuration : Configuration
        The start.
    potential : Potential
        Its interactions.
    energy, forces : float and ndarray, optional
        U and -dU/dx there, where they are known.

    Raises
    ------
    InputError
        If nothing interacts.
    """
    if energy is None:
        energy, forces = potential.energy_forces(configuration)
    if energy != 0.0 or np.any(forces) or configuration.n < 2 or potential.shifted:
        return
    reach = potential.reach(configuration)
    nearest = float(nearest_distances(configuration).min())
    if reach is not None and nearest <= (_LOOSE * reach if potential.repulsive else reach):
        return
    out_of = (
        "No two particles act on each other"
        if reach is None
        else f"No pair of particles is within the range {reach:.4g} of the model"
    )
    raise InputError(
        f"{out_of}, the nearest are {nearest:.4g} apart: are "
        "the units of length the model's? Say those of the file with --units, or give the model its length "
        "(--model-param sigma=..., or sigma in a model file)."
    )


def nearest_distances(
    configuration: Configuration, of: np.ndarray | None = None, to: np.ndarray | None = None
) -> np.ndarray:
    """Return the distance of each particle to the nearest other one, or image of one, shape (N,) [length].

    Parameters
    ----------
    configuration : Configuration
        The state.
    of, to : ndarray of bool, shape (N,), optional
        Whose distances, and to whom; all if None.
    """
    state, d = configuration.wrapped(), configuration.dimension
    own, other = (slice(None) if one is None else one for one in (of, to))
    images = np.array(list(itertools.product((-1, 0, 1), repeat=d)) if 3**d * state.n < 2_000_000 else [(0,) * d])
    everything = (state.positions[other][None] + (images @ state.cell)[:, None]).reshape(-1, d)
    here = state.positions[own]
    if not len(everything) or not len(here):
        return np.full(len(here), np.inf)
    # A particle is its own nearest one where it is among the others.
    found = cKDTree(everything).query(here, k=[1, 2])[0]
    itself = np.ones(state.n, dtype=bool) if to is None else to
    return np.where(itself[own], found[:, 1], found[:, 0])
