"""Rattlers: particles that nothing holds, told by their contacts or by blocks of the Hessian, and a Hessian without."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import scipy.sparse as sp

from pelplug.potentials.base import Pairs, StrainDerivatives

__all__ = [
    "SOFT",
    "Condensed",
    "blocks_of_particles",
    "condense",
    "find_rattlers",
    "pairs_among",
    "soft_particles",
    "without_soft",
]

# Stiffness of a particle in its softest direction, all others held, below which it is free: a fraction of the mean.
SOFT = 1e-5
# Numbers of the inverse below that fraction of the largest are rounding between rattlers that are far apart.
_ROUNDING = 1e-12


def find_rattlers(i: np.ndarray, j: np.ndarray, n: int, dimension: int) -> np.ndarray:
    """Return which particles have fewer than d + 1 contacts, not counting contacts with such particles.

    Parameters
    ----------
    i, j : ndarray of int, shape (P,)
        Interacting pairs.
    n, dimension : int
        N and d.

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    rattler = np.zeros(n, dtype=bool)
    holding = i != j
    while True:
        contacts = np.bincount(i[holding], minlength=n) + np.bincount(j[holding], minlength=n)
        loose = ~rattler & (contacts < dimension + 1)
        if not loose.any():
            return rattler
        rattler |= loose
        holding &= ~(loose[i] | loose[j])


def blocks_of_particles(hessian: sp.bsr_matrix) -> np.ndarray:
    """Return the blocks on the diagonal, shape (N, d, d): the stiffness of each particle, all others held."""
    d = hessian.blocksize[0]
    n = hessian.shape[0] // d
    found = np.zeros((n, d, d))
    rows = np.repeat(np.arange(n), np.diff(hessian.indptr))
    on_diagonal = rows == hessian.indices
    found[rows[on_diagonal]] = hessian.data[on_diagonal]
    return found


def soft_particles(hessian: sp.bsr_matrix, limit: float) -> np.ndarray:
    """Return which particles can move in some direction as if nothing held them, all others held.

    Their block on the diagonal has an eigenvalue within ``limit`` of zero. In a minimum such a direction is coupled to
    nothing else, for the Hessian has no negative eigenvalue. A clearly negative one is no freedom: it is unstable.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        [energy / length**2]
    limit : float
        [energy / length**2]

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    return np.abs(np.linalg.eigvalsh(blocks_of_particles(hessian))[:, 0]) <= limit


@dataclasses.dataclass(frozen=True)
class Condensed:
    """The Hessian of a backbone whose rattlers follow it to where no force is left on them.

    Attributes
    ----------
    hessian : bsr_matrix
        Of the backbone, the rattlers' coordinates eliminated [energy / length**2].
    backbone, others : ndarray of int
        Coordinates of the members and of the rattlers, among all N * d.
    follow : csr_matrix
        How rattlers move for a displacement of the backbone.
    inverse : ndarray
        Inverse of the rattlers' own Hessian off their free directions [length**2 / energy].
    """

    hessian: sp.bsr_matrix
    backbone: np.ndarray
    others: np.ndarray
    follow: sp.csr_matrix
    inverse: np.ndarray

    def applied(self, matrix: Any, fields: np.ndarray) -> np.ndarray:
        """Return a matrix of all particles times fields of the backbone that rattlers follow, on the backbone."""
        everywhere = np.zeros((self.backbone.size + self.others.size, *fields.shape[1:]))
        everywhere[self.backbone] = fields
        everywhere[self.others] = self.follow @ fields
        return (matrix @ everywhere)[self.backbone]

    def strain(self, whole: StrainDerivatives) -> StrainDerivatives:
        """Return derivatives by strain for coordinates of the backbone, rattlers relaxed at every strain."""
        mixed, second = self._relaxed(whole.mixed)
        changes: dict[str, Any] = {"mixed": mixed, "second": whole.second - np.diag(second)}
        if whole.curvature is not None and whole.coupling is not None:
            coupling, products = self._relaxed(whole.coupling)
            d = len(whole.first)
            number = np.zeros((d, d), dtype=int)
            number[np.triu_indices(d)] = np.arange(len(products))
            number = np.maximum(number, number.T)
            taken = products[number[:, :, None, None], number[None, None, :, :]]
            changes |= {"coupling": coupling, "curvature": whole.curvature - taken}
        return dataclasses.replace(whole, **changes)

    def _relaxed(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = rows[:, self.others]
        return rows[:, self.backbone] + (self.follow.T @ own.T).T, own @ self.inverse @ own.T


def condense(hessian: sp.bsr_matrix, rattlers: np.ndarray, limit: float) -> Condensed:
    """Take particles out of a Hessian: they go where the backbone leads them, and their free directions count nothing.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        [energy / length**2]
    rattlers : ndarray of bool, shape (N,)
    limit : float
        Stiffness up to which a direction is free [energy / length**2].

    Returns
    -------
    Condensed
    """
    d = hessian.blocksize[0]
    free = np.repeat(rattlers, d)
    backbone, others = np.flatnonzero(~free), np.flatnonzero(free)
    matrix = hessian.tocsr()
    across = matrix[others][:, backbone]
    values, vectors = np.linalg.eigh(matrix[others][:, others].toarray())
    held = np.abs(values) > limit
    inverse = (vectors[:, held] / values[held]) @ vectors[:, held].T
    inverse[np.abs(inverse) <= _ROUNDING * np.abs(inverse).max(initial=0.0)] = 0.0
    follow = (-sp.csr_matrix(inverse) @ across).tocsr()
    kept = (matrix[backbone][:, backbone] + across.T @ follow).tocsr()
    # What the free directions still pulled at, less than `limit`, would hold translations: it is left out with them.
    left = (kept @ np.tile(np.eye(d), (len(backbone) // d, 1))).reshape(-1, d, d)
    left = 0.5 * (left + left.transpose(0, 2, 1))
    corrected = 0.5 * (kept + kept.T) - sp.block_diag(list(left), format="csr") if len(backbone) else kept
    blocks = corrected.tobsr((d, d))
    blocks.sort_indices()
    return Condensed(blocks, backbone, others, follow, inverse)


def without_soft(hessian: sp.bsr_matrix, noise: float = 0.0) -> tuple[np.ndarray, Condensed | None]:
    """Find rattlers by `soft_particles` until none is left, and take them out.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        [energy / length**2]
    noise : float
        Norm below which a block is noise [energy / length**2].

    Returns
    -------
    rattlers : ndarray of bool, shape (N,)
    condensed : Condensed or None
        None where there is none, or nothing else.
    """
    limit = max(SOFT * float(np.mean(hessian.diagonal())), noise)
    rattlers = np.zeros(hessian.shape[0] // hessian.blocksize[0], dtype=bool)
    condensed, matrix = None, hessian
    while (soft := soft_particles(matrix, limit)).any():
        rattlers[np.flatnonzero(~rattlers)[soft]] = True
        if rattlers.all():
            return rattlers, None
        condensed = condense(hessian, rattlers, limit)
        matrix = condensed.hessian
    return rattlers, condensed


def pairs_among(pairs: Pairs, kept: np.ndarray) -> Pairs:
    """Return the pairs of some particles, with the numbers that these have among themselves.

    Parameters
    ----------
    pairs : Pairs
    kept : ndarray of bool, shape (N,)
    """
    number = np.cumsum(kept) - 1
    chosen = kept[pairs.i] & kept[pairs.j]
    arrays = ("i", "j", "vectors", "distances", "first", "second", "gap")
    taken = {name: getattr(pairs, name)[chosen] for name in arrays}
    return dataclasses.replace(pairs, **taken | {"i": number[taken["i"]], "j": number[taken["j"]]})
