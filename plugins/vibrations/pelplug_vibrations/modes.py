"""Eigenvalues and eigenvectors of the dynamical matrix: all of them, or the lowest by block Lanczos on its inverse."""

from __future__ import annotations

import numpy as np
import scipy.linalg

import pelplug
from pelplug_vibrations.lanczos import largest_eigenpairs

__all__ = ["all_modes", "lowest_modes", "participation_ratio"]

# A mode is good if |D e - omega**2 e| is below this fraction of omega**2.
RESIDUAL = 1e-6
# Lanczos ends where |A e - e / omega**2| is below this fraction of 1 / omega**2, A the inverse; D magnifies the rest.
TOLERANCE = 1e-11
LOOK = 1e-5
# Vectors solved for together: many make matrix products of a solve, too many make poor Krylov spaces.
SMALLEST_BLOCK, LARGEST_BLOCK = 8, 16
# Rounds of looking for copies of degenerate modes that Lanczos has missed.
ROUNDS = 30


def participation_ratio(vectors: np.ndarray, dimension: int) -> np.ndarray:
    """Return ``(sum |e_i|**2)**2 / (N sum |e_i|**4)`` of each column, shape (K,): 1/N on one particle, 1 on all alike.

    Parameters
    ----------
    vectors : ndarray, shape (N * d, K)
        Polarisation vectors.
    dimension : int
        d.
    """
    squared = (vectors**2).reshape(-1, dimension, vectors.shape[1]).sum(axis=1)
    return squared.sum(axis=0) ** 2 / (squared.shape[0] * (squared**2).sum(axis=0))


def all_modes(hessian, masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diagonalise the dynamical matrix as a dense matrix.

    Parameters
    ----------
    hessian : sparse matrix, shape (N * d, N * d)
        [energy / length**2].
    masses : ndarray, shape (N,)
        [mass].

    Returns
    -------
    omega : ndarray, shape (N * d - d,)
        Frequencies, ascending, translations left out [1 / time].
    vectors : ndarray, shape (N * d, N * d - d)
        Polarisation vectors e = sqrt(m) u, orthonormal.
    """
    d = hessian.shape[0] // masses.size
    root = np.repeat(np.sqrt(masses), d)
    matrix = hessian.toarray() / root
    matrix /= root[:, None]
    matrix = 0.5 * (matrix + matrix.T)
    # The translations, lifted above every other mode: then they are the last d.
    above = 2.0 * np.abs(matrix).sum(axis=1).max()
    for translation in _translations(masses, d).T:
        matrix += above * np.outer(translation, translation)
    values, vectors = scipy.linalg.eigh(matrix, overwrite_a=True, check_finite=False)
    return np.sqrt(np.maximum(values[:-d], 0.0)), vectors[:, :-d]


def lowest_modes(response, masses: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the lowest modes as the largest eigenvalues 1/omega**2 of the inverse dynamical matrix.

    Block Lanczos on ``P m^(1/2) M^-1 m^(1/2) P``, where M^-1 is the factorised Hessian off its translations and P
    projects off those of the dynamical matrix: shift-invert at zero, without a shift. Copies of a mode that is more
    degenerate than a block is wide can be missed, so the space off the modes found is searched until nothing lower
    turns up.

    Parameters
    ----------
    response : LinearResponse
        The factorised Hessian.
    masses : ndarray, shape (N,)
        Masses of its backbone [mass].
    count : int
        How many, at most N * d - d - 1.

    Returns
    -------
    omega : ndarray, shape (count,)
        Ascending [1 / time].
    vectors : ndarray, shape (N * d, count)
        Polarisation vectors e = sqrt(m) u, orthonormal.

    Raises
    ------
    NotConvergedError
        If Lanczos does not converge, or a mode is not good to six digits.
    """
    size = response.hessian.shape[0]
    d = size // masses.size
    root = np.repeat(np.sqrt(masses), d)
    translations = _translations(masses, d)
    rng = np.random.default_rng(0)

    def apply(vectors):
        vectors = _off(translations, vectors)
        return _off(translations, root[:, None] * response.factor.solve(root[:, None] * vectors))

    def search(known: np.ndarray, k: int, block: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        off = np.asfortranarray(np.concatenate([translations, known], axis=1))
        return largest_eigenpairs(apply, off, k, block=block, tolerance=tolerance, rng=rng)

    block = min(max(count // 6, SMALLEST_BLOCK), LARGEST_BLOCK)
    values, vectors = search(np.empty((size, 0)), count, block, TOLERANCE)
    for _ in range(ROUNDS):
        room = size - d - vectors.shape[1]
        # A Ritz value is good to the square of the residual: a coarse search tells whether anything was missed.
        if room == 0 or not search(vectors, 1, SMALLEST_BLOCK, LOOK)[0][0] > values[-1] * (1.0 + 1e-9):
            break
        more, found = search(vectors, min(SMALLEST_BLOCK, room), SMALLEST_BLOCK, TOLERANCE)
        missed = more > values[-1] * (1.0 + 1e-9)
        values, vectors = np.append(values, more[missed]), np.concatenate([vectors, found[:, missed]], axis=1)
        order = np.argsort(-values, kind="stable")[:count]
        values, vectors = values[order], vectors[:, order]
    squared = 1.0 / values
    applied = (response.hessian @ (vectors / root[:, None])) / root[:, None]
    rest = np.linalg.norm(applied - vectors * squared, axis=0) / squared
    if not np.max(rest) < RESIDUAL:
        raise pelplug.NotConvergedError(
            f"The modes are only good to {np.max(rest):.1g} of omega**2; use --solver sparse or dense."
        )
    return np.sqrt(squared), vectors


def _off(orthonormal: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return ``vectors`` without what lies along some orthonormal columns."""
    return vectors - orthonormal @ (orthonormal.T @ vectors)


def _translations(masses: np.ndarray, d: int) -> np.ndarray:
    """Return the normalised zero modes of the dynamical matrix as columns, shape (N * d, d)."""
    return np.kron(np.sqrt(masses / masses.sum())[:, None], np.eye(d))
