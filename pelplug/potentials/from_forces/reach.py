"""Who acts on whom: which forces change when a particle moves, and so which blocks of the Hessian are not zero."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.from_forces.displaced import DisplacedState, cutoff_of, spacing
from pelplug.potentials.neighbours import build_neighbour_list

__all__ = [
    "MARGIN",
    "PROBE",
    "Neighbours",
    "Pattern",
    "Probe",
    "farthest_changed",
    "find_pattern",
    "neighbours_within",
    "one_direction",
    "pattern_within",
]

SEEN = 8.0  # standard deviations from which a change is no noise
MARGIN = 1.05
PROBE = 1e-3  # of the spacing
_MOST = 5000  # particles of which every block is held
_NEAR_ALL = 0.6  # of all blocks: from there on every particle is displaced by itself


@dataclasses.dataclass(frozen=True)
class Probe:
    """How a look is taken: a displacement [length] and the noise of a component of the forces [energy / length]."""

    size: float
    noise: float


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """All particles within a reach of each other, in both directions, each image by itself.

    ``i, j`` (P,) are particle numbers, ``vectors`` (P, d) go from i to the image of j [length], ``distances`` (P,) are
    their lengths.
    """

    i: np.ndarray
    j: np.ndarray
    vectors: np.ndarray
    distances: np.ndarray

    @property
    def repeated(self) -> bool:
        """Whether a particle sees another one, or itself, at several images."""
        return bool(np.any(self.i == self.j)) or np.unique(self.i * (self.i.max() + 1) + self.j).size < self.i.size

    def once(self) -> Neighbours:
        """Return one direction of each."""
        kept = one_direction(self.i, self.j, self.vectors)
        return Neighbours(self.i[kept], self.j[kept], self.vectors[kept], self.distances[kept])


def one_direction(i: np.ndarray, j: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Tell which of two directions to keep: i < j, and of a particle's images those to the positive side.

    Parameters
    ----------
    i, j : ndarray of int, shape (P,)
    vectors : ndarray, shape (P, d)
    """
    size = np.abs(vectors).max(axis=1, keepdims=True)
    clear = np.where(np.abs(vectors) > 1e-9 * size, vectors, 0.0)
    leading = np.argmax(clear != 0.0, axis=1)
    return (j > i) | ((j == i) & (clear[np.arange(len(clear)), leading] > 0.0))


@dataclasses.dataclass(frozen=True)
class Pattern:
    """Blocks of the Hessian that may be other than zero.

    Attributes
    ----------
    matrix : csr_matrix, shape (N, N)
        True where, the diagonal among them.
    reach : float
        Distance beyond which there are none [length]; infinite if every particle is displaced by itself.
    origin : str
        How that is known.
    """

    matrix: scipy.sparse.csr_matrix
    reach: float
    origin: str


def neighbours_within(configuration: Configuration, reach: float) -> Neighbours:
    """Return all neighbours nearer than ``reach`` [length], images by themselves.

    Parameters
    ----------
    configuration : Configuration
    reach : float
    """
    n = configuration.n
    listed = build_neighbour_list(
        configuration.positions, configuration.cell, np.zeros(n, dtype=np.int64), 1, np.array([[reach]]), 1e-9 * reach
    )
    counts = listed.start[:, -1] - listed.start[:, 0]
    of_row = np.repeat(np.arange(n), counts)
    sites = np.concatenate([listed.neighbours[listed.start[k, 0] : listed.start[k, -1]] for k in range(n)])
    sites = sites.astype(np.int64)
    vectors = listed.site_positions[sites] - listed.site_positions[listed.row_site[of_row]]
    distances = np.linalg.norm(vectors, axis=1)
    near = distances < reach
    return Neighbours(listed.rows[of_row][near].astype(np.int64), listed.owner[sites][near].astype(np.int64),
                      vectors[near], distances[near])  # fmt: skip


def pattern_within(configuration: Configuration, reach: float, origin: str) -> Pattern:
    """Return the pattern of all neighbours nearer than ``reach`` [length]."""
    near = neighbours_within(configuration, reach)
    return Pattern(_matrix(near, configuration.n), reach, origin)


def _matrix(near: Neighbours, n: int) -> scipy.sparse.csr_matrix:
    diagonal = np.arange(n)
    rows, columns = np.concatenate([near.i, diagonal]), np.concatenate([near.j, diagonal])
    matrix = scipy.sparse.csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(n, n))
    matrix.data[:] = 1
    return matrix


def find_pattern(
    state: DisplacedState, reach: str | float, atoms: np.ndarray, probe: Probe, rng: np.random.Generator
) -> Pattern:
    """Return which blocks may be other than zero, after a look at the forces that some displaced particles change.

    Parameters
    ----------
    state : DisplacedState
    reach : "auto", "all" or float
        As of `FromForces`.
    atoms : ndarray of int
        Particles to displace.
    probe : Probe
    rng : Generator

    Raises
    ------
    InputError
        If a force changes beyond the reach that was given.
    """
    configuration = state.configuration
    n, cutoff = configuration.n, cutoff_of(state.potential, configuration)
    if reach == "all":
        if n > _MOST:
            raise InputError(f"reach='all' means {n}**2 blocks; give a length, or 'auto'.")
        return _full(n, np.inf)
    changed = [_changed(state, int(atom), probe, rng) for atom in atoms]
    farthest = max((_distances(configuration, int(a), who).max() for a, who in zip(atoms, changed, strict=True)))
    if farthest == 0.0:  # nobody acts, or nothing is seen in the noise, which the checks then say
        farthest = 2.0 * spacing(configuration)
    if reach != "auto":
        reach = float(reach)
        if farthest > reach * (1.0 + 1e-9) + 2.0 * probe.size:
            raise InputError(
                f"The reach {reach:g} is too small: a displaced particle changes forces at a distance of "
                f"{farthest:.6g}; give reach={MARGIN * farthest:.4g} or more, or reach='auto'."
            )
        return _unless_full(configuration, pattern_within(configuration, reach, "given"))
    slack = 2.0 * probe.size
    if cutoff is not None:
        near = _matrix(neighbours_within(configuration, cutoff), n)
        if farthest <= cutoff + slack:
            return _unless_full(configuration, Pattern(near, cutoff, "the cutoff"))
        twice = (near @ near).tocsr()
        twice.data[:] = 1
        if farthest <= 2.0 * cutoff + slack and all(
            np.all(np.isin(who, twice.indices[twice.indptr[a] : twice.indptr[a + 1]]))
            for a, who in zip(atoms, changed, strict=True)
        ):
            return _unless_full(
                configuration, Pattern(twice, 2.0 * cutoff, "neighbours of neighbours within the cutoff")
            )
    return _unless_full(configuration, pattern_within(configuration, MARGIN * farthest, "measured"))


def farthest_changed(state: DisplacedState, atoms: np.ndarray, probe: Probe, rng: np.random.Generator) -> float:
    """Return how far the farthest particle is whose force changes when one of some moves, by nearest images [length].

    Parameters
    ----------
    state : DisplacedState
    atoms : ndarray of int
    probe : Probe
    rng : Generator
    """
    return float(max(_distances(state.configuration, int(a), _changed(state, int(a), probe, rng)).max() for a in atoms))


def _full(n: int, reach: float) -> Pattern:
    return Pattern(scipy.sparse.csr_matrix(np.ones((n, n), dtype=np.int32)), reach, "every coordinate by itself")


def _unless_full(configuration: Configuration, pattern: Pattern) -> Pattern:
    # Where nearly everybody is a neighbour nothing is saved, and nothing need be believed.
    if configuration.n <= _MOST and pattern.matrix.nnz > _NEAR_ALL * configuration.n**2:
        return _full(configuration.n, pattern.reach)
    return pattern


def _changed(state: DisplacedState, atom: int, probe: Probe, rng: np.random.Generator) -> np.ndarray:
    """Return the particles whose force changes when one moves."""
    direction = rng.normal(size=state.shape[1])
    shift = np.zeros(state.shape)
    shift[atom] = probe.size * direction / np.linalg.norm(direction)
    change = np.zeros(state.shape[0])
    for sign in (1.0, -1.0):
        change = np.maximum(change, np.abs(state(sign * shift)[1] - state.forces).max(axis=1))
    change[atom] = np.inf
    return np.flatnonzero(change > SEEN * probe.noise)


def _distances(configuration: Configuration, atom: int, others: np.ndarray) -> np.ndarray:
    """Distances of the nearest images, near enough for a cell that is not very oblique."""
    step = configuration.fractional()[others] - configuration.fractional()[atom]
    step -= np.rint(step)
    corners = np.array(np.meshgrid(*[(-1, 0, 1)] * configuration.dimension)).reshape(configuration.dimension, -1).T
    if configuration.dimension > 4:
        corners = corners[:1] * 0
    found = [np.linalg.norm((step + corner) @ configuration.cell, axis=1) for corner in corners]
    return np.min(found, axis=0)
