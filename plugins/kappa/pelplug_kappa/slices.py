"""Which particles a picture of an inherent structure shows, and where."""

from __future__ import annotations

import numpy as np

__all__ = ["in_plane", "layer"]


def layer(state, centre: int, thickness: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which particles to draw around one of them, and where.

    Parameters
    ----------
    state : Dataset
        One frame of the result.
    centre : int
        The particle in the middle of the picture.
    thickness : float
        Of the layer in three dimensions, in mean particle distances.

    Returns
    -------
    fractional : ndarray, shape (N, d)
        Positions in units of the cell vectors, the particle at one half.
    shown : ndarray of int
        Particles in the layer; in two dimensions all.
    plane : ndarray, shape (2, 2)
        The first two cell vectors in the coordinates of their plane [length].
    """
    cell = state["cell"].values
    fractional = state["positions"].values @ np.linalg.inv(cell)
    # The cell is periodic.
    fractional = (fractional - fractional[centre] + 0.5) % 1.0
    shown = np.ones(len(fractional), dtype=bool)
    if len(cell) == 3:
        spacing = (abs(np.linalg.det(cell)) / len(fractional)) ** (1.0 / 3.0)
        height = abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[0], cell[1]))
        shown = np.abs(fractional[:, 2] - 0.5) * height <= thickness * spacing / 2
    return fractional, np.flatnonzero(shown), in_plane(cell[:2])


def in_plane(vectors: np.ndarray) -> np.ndarray:
    """Return two cell vectors in the coordinates of their own plane, the first along x."""
    first = vectors[0] / np.linalg.norm(vectors[0])
    rest = vectors[1] - (vectors[1] @ first) * first
    return np.array([[np.linalg.norm(vectors[0]), 0.0], [vectors[1] @ first, np.linalg.norm(rest)]])
