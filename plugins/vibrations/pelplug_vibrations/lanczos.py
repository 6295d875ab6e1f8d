"""Block Lanczos with thick restarts: the largest eigenvalues of a symmetric operator that is cheap for many vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import blas, eigh, qr

import pelplug

__all__ = ["largest_eigenpairs"]

# Restarts before giving up; a few are usual.
RESTARTS = 100
# A direction of a new block this much shorter than the operator makes vectors is spanned already.
SPANNED = 1e-13


def largest_eigenpairs(
    apply: Callable[[np.ndarray], np.ndarray],
    off: np.ndarray,
    count: int,
    *,
    block: int,
    tolerance: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the largest eigenvalues of a positive operator in the space orthogonal to some vectors.

    Every basis vector is kept orthogonal to all others, twice over, so the projected matrix is the operator's to
    rounding and no eigenvalue comes twice. A basis that is full is replaced by its best Ritz vectors and goes on.

    Parameters
    ----------
    apply : callable
        Takes a matrix of columns, shape (n, block), and returns the operator times it.
    off : ndarray, shape (n, m)
        Orthonormal vectors to stay off.
    count : int
        How many, at most n - m.
    block : int
        Vectors that are multiplied together.
    tolerance : float
        Largest residual |A v - a v| of a pair, as a fraction of a.
    rng : numpy.random.Generator
        Draws the start.

    Returns
    -------
    values : ndarray, shape (count,)
        Descending.
    vectors : ndarray, shape (n, count)
        Orthonormal columns.

    Raises
    ------
    NotConvergedError
        If the residuals do not fall below the tolerance.

    References
    ----------
    K. Wu and H. Simon, SIAM J. Matrix Anal. Appl. 22, 602 (2000), here with blocks.
    """
    n, reserved = off.shape
    space = n - reserved
    block = min(block, space)
    limit = min(space, 3 * count + 12 * block)
    basis = np.empty((n, reserved + limit), order="F")
    basis[:, :reserved] = off
    projected = np.zeros((limit, limit))
    size, look = 0, count
    new, _ = _orthonormal(rng.standard_normal((n, block)), basis[:, :reserved], rng)
    for _ in range(RESTARTS):
        while True:
            width = min(new.shape[1], limit - size)
            new = new[:, :width]
            basis[:, reserved + size : reserved + size + width] = new
            held = basis[:, : reserved + size + width]
            image = apply(new)
            overlaps = blas.dgemm(1.0, held, image, trans_a=1)[reserved:]
            projected[: size + width, size : size + width] = overlaps
            projected[size : size + width, :size] = overlaps[:size].T
            size += width
            if size == space:
                values, rotation = _descending(projected)
                return values[:count], blas.dgemm(1.0, held[:, reserved:], rotation[:, :count])
            new, coupling = _orthonormal(image, held, rng)
            full = limit < space and size + block > limit
            # Diagonalising costs as much as several blocks.
            if size < look and not full:
                continue
            look = size + max(block, size // 8)
            values, rotation = _descending(projected[:size, :size])
            rest = np.linalg.norm(coupling @ rotation[size - width :], axis=0)
            if size >= count and np.all(rest[:count] <= tolerance * np.abs(values[:count])):
                return values[:count], blas.dgemm(1.0, held[:, reserved:], rotation[:, :count])
            if full:
                break
        # Some more than are wanted stay: the gap to what is thrown away decides how fast the rest converges.
        keep = min(size - block, count + (limit - count) // 3)
        basis[:, reserved : reserved + keep] = blas.dgemm(1.0, held[:, reserved:], rotation[:, :keep])
        projected[:] = 0.0
        projected[np.arange(keep), np.arange(keep)] = values[:keep]
        size = look = keep
    raise pelplug.NotConvergedError(
        f"Lanczos did not converge to the {count} lowest modes; ask for fewer (--modes), or for all."
    )


def _descending(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = eigh(matrix, driver="evd", check_finite=False)
    return values[::-1], np.asfortranarray(vectors[:, ::-1])


def _orthonormal(vectors: np.ndarray, held: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthonormal basis Q off the columns of ``held``, and R with ``vectors`` = held (...) + Q R.

    Directions that others span are replaced by random ones, and have zeros in R; Q has no more columns than there is
    room for.
    """
    room = held.shape[0] - held.shape[1]
    size = np.linalg.norm(vectors, axis=0).max()
    for _ in range(2):
        vectors = blas.dgemm(-1.0, held, blas.dgemm(1.0, held, vectors, trans_a=1), beta=1.0, c=vectors)
    q, r, order = qr(vectors, mode="economic", pivoting=True, overwrite_a=True, check_finite=False)
    spanned = np.abs(np.diagonal(r)) <= SPANNED * size
    r = r[:, np.argsort(order)]
    r[spanned] = 0.0
    q, r, spanned = q[:, :room], r[:room], spanned[:room]
    if spanned.any():
        q[:, spanned] = rng.standard_normal((q.shape[0], int(spanned.sum())))
    # Taking off the larger part of a vector leaves rounding along ``held``: again, now of unit vectors.
    for _ in range(2 if spanned.any() else 1):
        q = blas.dgemm(-1.0, held, blas.dgemm(1.0, held, q, trans_a=1), beta=1.0, c=q)
        q, again = qr(q, mode="economic", overwrite_a=True, check_finite=False)
        r = again @ r
    return np.asfortranarray(q), r
