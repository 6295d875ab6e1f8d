"""The states in which some distances are what they have to be: rigid molecules move along them."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Potential, potential_name
from pelplug.potentials.constraints import Constraints, constraints_of

__all__ = ["Surface", "surface_of"]

_EXACT = 1e-14  # relative: of a distance squared
_ITERATIONS = 60
_OTHER = 0.05  # relative: a file is rounded, and of other molecules beyond that
_DEPENDENT = 1e-10  # relative: of constraints that say the same thing twice


class Surface:
    """Where distances are constant.

    A state is moved to it along the gradients of the distances, by Newton's method for each molecule; of forces that
    part is taken out. A minimiser that does so at each step goes down along the surface, in the metric of the
    positions, where particles weigh the same.

    Parameters
    ----------
    constraints : Constraints
        Which distances, and how long they are.
    configuration : Configuration
        A state whose pairs are at nearest images; from there on positions are followed continuously.

    Raises
    ------
    InputError
        If constraints depend on each other.
    """

    def __init__(self, constraints: Constraints, configuration: Configuration):
        i, j = np.asarray(constraints.i), np.asarray(constraints.j)
        apart = configuration.positions[j] - configuration.positions[i]
        shifts = -np.rint(apart @ np.linalg.inv(configuration.cell)) @ configuration.cell
        graph = scipy.sparse.coo_matrix((np.ones(len(i)), (i, j)), shape=(configuration.n,) * 2)
        molecule = connected_components(graph, directed=False)[1][i]
        self.groups = []
        order = np.argsort(molecule, kind="stable")
        _, first, count = np.unique(molecule[order], return_index=True, return_counts=True)
        for size in np.unique(count):
            rows = order[first[count == size][:, None] + np.arange(size)]
            self.groups.append(_Group(i[rows], j[rows], np.asarray(constraints.lengths)[rows], shifts[rows]))
        self.off = np.linalg.norm(apart + shifts, axis=1) / constraints.lengths - 1.0

    def move_to(self, positions: np.ndarray) -> bool:
        """Move positions, shape (N, d), onto the surface; return whether they could be."""
        return all(group.move_to(positions) for group in self.groups)

    def keep_along(self, positions: np.ndarray, forces: np.ndarray) -> None:
        """Take out of ``forces``, shape (N, d), what points off the surface."""
        for group in self.groups:
            group.keep_along(positions, forces)


class _Group:
    """Molecules with the same number K of constraints, M of them; arrays of shape (M, K)."""

    def __init__(self, i: np.ndarray, j: np.ndarray, lengths: np.ndarray, shifts: np.ndarray):
        self.i, self.j, self.squared, self.shifts = i, j, lengths**2, shifts
        same = [a[:, :, None] == b[:, None, :] for a, b in ((i, i), (j, j), (i, j), (j, i))]
        self.signs = same[0].astype(float) + same[1] - same[2] - same[3]

    def apart(self, positions: np.ndarray) -> np.ndarray:
        return positions[self.j] - positions[self.i] + self.shifts

    def gram(self, apart: np.ndarray) -> np.ndarray:
        """Products of the gradients of half the squared distances, shape (M, K, K)."""
        return self.signs * (apart @ apart.transpose(0, 2, 1))

    def add(self, target: np.ndarray, apart: np.ndarray, factors: np.ndarray) -> None:
        """Add the sum of gradients times factors, shape (M, K)."""
        moved = factors[..., None] * apart
        np.add.at(target, self.j, moved)
        np.subtract.at(target, self.i, moved)

    def move_to(self, positions: np.ndarray) -> bool:
        for _ in range(_ITERATIONS):
            apart = self.apart(positions)
            off = 0.5 * (np.sum(apart**2, axis=2) - self.squared)
            if not np.all(np.isfinite(off)):
                return False
            if np.all(np.abs(off) <= _EXACT * self.squared):
                return True
            self.add(positions, apart, -_solved(self.gram(apart), off))
        return bool(np.all(np.abs(off) <= 1e3 * _EXACT * self.squared))

    def keep_along(self, positions: np.ndarray, forces: np.ndarray) -> None:
        apart = self.apart(positions)
        for _ in range(2):  # the second pass takes out the rounding of the first
            across = np.sum(apart * (forces[self.j] - forces[self.i]), axis=2)
            self.add(forces, apart, -_solved(self.gram(apart), across))


def _solved(gram: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(gram, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)


def surface_of(potential: Potential, configuration: Configuration) -> Surface | None:
    """Return the surface that a potential holds states on; None where particles move freely.

    Raises
    ------
    InputError
        If distances of the state are others than those, or some depend on each other.
    """
    constraints = constraints_of(potential, configuration)
    if constraints is None:
        return None
    surface, name = Surface(constraints, configuration), potential_name(potential)
    k = int(np.abs(surface.off).argmax())
    if abs(surface.off[k]) > _OTHER:
        raise InputError(
            f"Particles {constraints.i[k]} and {constraints.j[k]} are {100.0 * surface.off[k]:+.2g} % off the distance "
            f"that the potential {name} holds constant: the file is not of these rigid molecules; take flexible ones"
            f"{potential.flexible}, or the potential that made the file."
        )
    for group in surface.groups:
        eigenvalues = np.linalg.eigvalsh(group.gram(group.apart(configuration.positions)))
        if np.any(eigenvalues[:, 0] <= _DEPENDENT * eigenvalues[:, -1]):
            raise InputError(
                f"Constraints of the potential {name} depend on each other (a molecule of {group.i.shape[1]} of them "
                "that is straight or flat), so that nothing can be moved along them; leave out those too many."
            )
    return surface
