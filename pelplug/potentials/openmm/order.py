"""Whether the particles of a configuration are those of a System, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.openmm.contents import NM

if TYPE_CHECKING:
    from pelplug.potentials.openmm.potential import OpenmmPotential

__all__ = ["check_particles"]

_TORN = 2.0  # times its length at rest: no bond is so long, and particles of another order are farther apart
_SAME = 1e-3  # relative: of masses in two tables

_ORDER = "the particles of the file must be those of the topology, in its order"


def check_particles(potential: OpenmmPotential, configuration: Configuration) -> None:
    """Refuse a configuration of another number of particles, or in another order, as far as that can be seen.

    Names are compared where the file has those of the topology; masses where both have the same in another order; and
    bonds must not be torn.

    Raises
    ------
    InputError
        With the first particle that is another one.
    """
    contents, n = potential.contents, len(potential.contents.masses)
    if configuration.dimension != 3:
        raise InputError(f"OpenMM computes in three dimensions, not {configuration.dimension}.")
    if configuration.n != n:
        raise InputError(f"The file has {configuration.n} particles and the topology {n}; {_ORDER}.")
    names, species = potential.names, configuration.species
    if names is not None and set(configuration.species_names) <= set(names.tolist()):
        _refuse(np.flatnonzero(names != species), species, names)
    if configuration.masses is not None:
        theirs = configuration.masses
        if np.allclose(np.sort(theirs), np.sort(contents.masses), rtol=_SAME):
            other = np.flatnonzero(~np.isclose(theirs, contents.masses, rtol=_SAME))
            _refuse(other, theirs, contents.masses, "the mass ")
    i, j = contents.bonds.T
    apart = configuration.positions[j] - configuration.positions[i]
    apart -= np.rint(apart @ np.linalg.inv(configuration.cell)) @ configuration.cell
    distances = np.linalg.norm(apart, axis=1)
    torn = np.flatnonzero(distances > _TORN * contents.lengths)
    if len(torn) and np.all(contents.lengths[torn] > 0.0):
        k = int(torn[0])
        raise InputError(
            f"Particles {i[k]} and {j[k]} are bonded in the topology, at {contents.lengths[k] / NM:.4g} nm, and "
            f"{distances[k] / NM:.4g} nm apart in the file; {_ORDER}."
        )


def _refuse(other: np.ndarray, theirs: np.ndarray, ours: np.ndarray, what: str = "") -> None:
    if len(other):
        k = int(other[0])
        raise InputError(
            f"Particle {k} has {what or 'the name '}{theirs[k]} in the file and {ours[k]} in the topology; {_ORDER}."
        )
