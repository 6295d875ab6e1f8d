"""Periodic cells in the conventions of other programs: turned, or described by other vectors of the same lattice."""

from __future__ import annotations

import itertools

import numpy as np

__all__ = ["compact", "heights_of", "upper_triangular"]


def upper_triangular(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotate a cell into the convention of GSD, HOOMD, freud and LAMMPS: a along x, b in the xy plane, c above it.

    Parameters
    ----------
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].

    Returns
    -------
    cell : ndarray, shape (d, d)
        The rotated cell, ``cell @ rotation``: zero above the diagonal, positive on it.
    rotation : ndarray, shape (d, d)
        Orthogonal matrix that turns row vectors; the identity for a cell that is right already.
        A left-handed cell is mirrored as well.
    """
    cell = np.asarray(cell, dtype=float)
    if np.all(np.triu(cell, 1) == 0.0) and np.all(np.diag(cell) > 0.0):
        return cell.copy(), np.eye(len(cell))
    q, r = np.linalg.qr(cell.T)  # cell.T = q r, so cell @ q = r.T is lower triangular
    signs = np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return np.tril((r * signs[:, None]).T), q * signs


def heights_of(cell: np.ndarray) -> np.ndarray:
    """Return the distance between opposite faces along each cell vector, shape (d,) [length]."""
    return 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def compact(cell: np.ndarray) -> np.ndarray:
    """Return right-handed vectors of the same lattice whose least height is as large as that of a reduced cell.

    A program that looks for a neighbour at its nearest image sees distances up to half the least height only.

    Parameters
    ----------
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length], d = 2 or 3.

    Returns
    -------
    ndarray, shape (d, d)
        The vectors that were given, where no others are better; the last one reversed if they were left-handed.
    """
    cell = np.array(cell, dtype=float)
    reduced = _minkowski_reduced(cell)
    if heights_of(reduced).min() > (1 + 1e-9) * heights_of(cell).min():
        cell = reduced
    if np.linalg.det(cell) < 0:
        cell[-1] *= -1
    return cell


def _minkowski_reduced(cell: np.ndarray) -> np.ndarray:
    """Shorten each vector by whole numbers of the others until none gets shorter: enough for d = 2 and 3."""
    cell, d = cell.copy(), len(cell)
    steps = np.array([step for step in itertools.product((-1, 0, 1), repeat=d - 1) if any(step)])
    shorter = True
    while shorter:
        shorter = False
        for k in range(d):
            others = np.delete(cell, k, axis=0)
            far = -np.rint(others @ cell[k] / (others**2).sum(axis=1))  # a cell may be tilted by many lengths
            tried = cell[k] + np.concatenate([steps, np.diag(far)]) @ others
            lengths = (tried**2).sum(axis=1)
            if lengths.min() < (1 - 1e-9) * (cell[k] ** 2).sum():
                cell[k], shorter = tried[lengths.argmin()], True
    return cell
