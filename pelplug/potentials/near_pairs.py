"""Pairs of particles closer than a distance, over explicit periodic images."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["NearPairs", "near_pairs"]


@dataclasses.dataclass(frozen=True)
class NearPairs:
    """Pairs of different particles closer than a distance.

    Attributes
    ----------
    i, j : ndarray of int, shape (P,)
        Particles, i < j; a pair is there once for each image of j that is near.
    images : ndarray of int, shape (P, d)
        Cell vectors to add to ``r_j - r_i`` of the positions as given.
    vectors : ndarray, shape (P, d)
        ``r_j - r_i`` with them added [length].
    distances : ndarray, shape (P,)
        Their lengths [length].
    """

    i: np.ndarray
    j: np.ndarray
    images: np.ndarray
    vectors: np.ndarray
    distances: np.ndarray

    def take(self, chosen: np.ndarray) -> NearPairs:
        """Return some of the pairs."""
        return NearPairs(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


def near_pairs(positions: np.ndarray, cell: np.ndarray, reach: float) -> NearPairs:
    """Find all pairs closer than ``reach``, whatever the cell's shape, size or dimension.

    Every image within ``reach`` of the cell becomes a point of its own in a k-d tree, so nothing is assumed about half
    the box.

    Parameters
    ----------
    positions : ndarray, shape (N, d)
        Wrapped or not [length].
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].
    reach : float
        Largest distance [length].

    Returns
    -------
    NearPairs
    """
    d = positions.shape[1]
    inverse = np.linalg.inv(cell)
    fractional = positions @ inverse
    home = np.floor(fractional).astype(np.int64)
    fractional = fractional - home
    margin = reach * np.linalg.norm(inverse, axis=0)
    layers = [range(-int(np.ceil(m)), int(np.ceil(m)) + 1) for m in margin]
    owners, shifts = [], []
    for image in itertools.product(*layers):
        moved = fractional + np.array(image)
        inside = np.flatnonzero(np.all((moved >= -margin) & (moved <= 1.0 + margin), axis=1))
        owners.append(inside)
        shifts.append(np.broadcast_to(image, (inside.size, d)))
    owner, shift = np.concatenate(owners), np.concatenate(shifts)
    wrapped = fractional @ cell
    sites = wrapped[owner] + shift @ cell
    found = cKDTree(wrapped).sparse_distance_matrix(cKDTree(sites), reach, output_type="ndarray")
    i, site = found["i"].astype(np.int64), found["j"].astype(np.int64)
    once = i < owner[site]
    i, site = i[once], site[once]
    j = owner[site]
    vectors = sites[site] - wrapped[i]
    # Back to the positions as they were given.
    images = shift[site] - home[j] + home[i]
    return NearPairs(i, j, images, vectors, np.linalg.norm(vectors, axis=1))
