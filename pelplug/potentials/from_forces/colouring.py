"""Which particles can be displaced together: those that share no neighbour."""

from __future__ import annotations

import numpy as np
import scipy.sparse

__all__ = ["colours_of"]


def colours_of(pattern: scipy.sparse.csr_matrix, atoms: np.ndarray | None = None) -> list[np.ndarray]:
    """Return groups of particles no two of which act on one particle.

    Each force then changes by the displacement of one particle alone, and a group's columns of the Hessian cost what
    one particle's cost.

    Parameters
    ----------
    pattern : csr_matrix, shape (N, N)
        Which blocks may be other than zero: symmetric, the diagonal among them.
    atoms : ndarray of int, optional
        Only these.

    Returns
    -------
    list of ndarray of int

    References
    ----------
    A. R. Curtis, M. J. D. Powell and J. K. Reid, J. Inst. Maths Applics 13, 117 (1974).
    """
    n = pattern.shape[0]
    atoms = np.arange(n) if atoms is None else atoms
    if pattern.nnz == n * n:
        return [np.array([atom]) for atom in atoms]
    ones = scipy.sparse.csr_matrix((np.ones(pattern.nnz, dtype=np.int32), pattern.indices, pattern.indptr), (n, n))
    sharing = ones @ ones
    start, others = sharing.indptr, sharing.indices
    # Those with most neighbours first: they are hardest to place.
    atoms = atoms[np.argsort(-np.diff(pattern.indptr)[atoms], kind="stable")]
    colour = np.full(n, -1)
    for atom in atoms:
        taken = colour[others[start[atom] : start[atom + 1]]]
        used = np.zeros(len(taken) + 1, dtype=bool)
        taken = taken[(taken >= 0) & (taken < len(used))]
        used[taken] = True
        colour[atom] = int(np.argmin(used))
    return [np.flatnonzero(colour == k) for k in range(colour.max() + 1)]
