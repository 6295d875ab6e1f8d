"""Pairs of particles closer than a distance, over explicit periodic images, and the length d_ij that scales them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from scipy.spatial import cKDTree

import pelplug

__all__ = ["LengthScale", "NearPairs", "length_scale", "near_pairs", "nearest_images"]

# Diameters looked at for the largest d_ij and for the mean of d_ij**d: quantiles of them, where there are more.
QUANTILES = 1500


@dataclasses.dataclass(frozen=True)
class LengthScale:
    """The length d_ij of each pair, from species (a table) or from particle diameters (a rule).

    Attributes
    ----------
    groups : ndarray of int, shape (N,)
        Row of each particle in ``table``; zeros with diameters.
    table : ndarray, shape (S, S), or None
        d_ij by species [length].
    diameters : ndarray, shape (N,)
        Own diameter of each particle [length].
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` where there is no table.
    """

    groups: np.ndarray
    table: np.ndarray | None
    diameters: np.ndarray
    mixing: object = None

    def of(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return d_ij of pairs of particles [length]."""
        if self.table is not None:
            return self.table[self.groups[i], self.groups[j]]
        return _mixed(self.mixing, self.diameters[i], self.diameters[j])

    def _grid(self) -> np.ndarray:
        if self.table is not None:
            present = np.unique(self.groups)
            return self.table[np.ix_(present, present)]
        own = np.sort(self.diameters)
        if own.size > QUANTILES:
            own = own[np.round(np.linspace(0, own.size - 1, QUANTILES)).astype(int)]
        return _mixed(self.mixing, own[:, None], own[None, :])

    @property
    def largest(self) -> float:
        """Largest d_ij [length]."""
        return float(self._grid().max())

    def mean_power(self, power: int) -> float:
        """Mean of d_ij**power over pairs of different particles [length**power]."""
        n = self.diameters.size
        if self.table is not None:
            counts = np.bincount(self.groups, minlength=len(self.table)).astype(float)
            total = counts @ self.table**power @ counts - counts @ np.diag(self.table) ** power
            return float(total / (n * (n - 1)))
        grid = self._grid() ** power
        if n > QUANTILES:
            return float(grid.mean())
        return float((grid.sum() - np.trace(grid)) / (n * (n - 1)))


def length_scale(configuration, potential, sigma) -> LengthScale:
    """Find d_ij: the number given, or the potential's table or rule for diameters.

    Parameters
    ----------
    configuration : Configuration
        Species and diameters.
    potential : Potential or None
        Asked for ``sigma``, ``species`` and ``mixing``, as a `pelplug.PairPotential` has them, and for one
        ``parameters["sigma"]``.
    sigma : "auto" or float
        One length for all pairs [length], or what the potential says.

    Raises
    ------
    InputError
        If neither gives a length.
    """
    if getattr(potential, "shifted", False):
        raise pelplug.InputError(
            "Bonds are told by distances in space, and the pairs of this model see each other at random shifts; "
            "defects are not defined for it."
        )
    n = configuration.n
    if sigma != "auto":
        return LengthScale(np.zeros(n, dtype=int), np.full((1, 1), float(sigma)), np.full(n, float(sigma)))
    mixing = getattr(potential, "mixing", None)
    if mixing is not None and configuration.diameters is not None:
        return LengthScale(np.zeros(n, dtype=int), None, configuration.diameters, mixing)
    stated = getattr(potential, "sigma", None)
    if stated is None:  # one length among the parameters, as Stillinger-Weber has it
        stated = dict(getattr(potential, "parameters", None) or {}).get("sigma")
    try:
        table = np.array(stated, dtype=float)
    except (TypeError, ValueError):
        table = np.array(np.nan)
    table = table.reshape(1, 1) if table.ndim == 0 else table
    names = [str(name) for name in getattr(potential, "species", ())]
    square = table.ndim == 2 and table.shape[0] == table.shape[1] and np.all(table > 0)
    if (
        square
        and table.shape[0] == max(1, len(names))
        and (len(table) == 1 or set(configuration.species) <= set(names))
    ):
        groups = np.zeros(n, dtype=int)
        if len(names) > 1:
            groups = np.array([names.index(name) for name in configuration.species])
        return LengthScale(groups, table, np.diag(table)[groups])
    raise pelplug.InputError(
        "The interactions give no length that scales the distance of a pair; pass --sigma LENGTH (sigma= in Python), "
        "the distance of touching particles, or a model that has one."
    )


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
    for shift in itertools.product(*layers):
        moved = fractional + np.array(shift)
        inside = np.flatnonzero(np.all((moved >= -margin) & (moved <= 1.0 + margin), axis=1))
        owners.append(inside)
        shifts.append(np.broadcast_to(shift, (inside.size, d)))
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


def nearest_images(pairs: NearPairs) -> NearPairs:
    """Return each pair of particles once, at its nearest image, sorted by i and then j."""
    order = np.lexsort((pairs.distances, pairs.j, pairs.i))
    i, j = pairs.i[order], pairs.j[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (i[1:] != i[:-1]) | (j[1:] != j[:-1])
    return pairs.take(order[first])


def _mixed(mixing, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    try:
        value = np.asarray(mixing(first, second), dtype=float)
        if value.shape == np.broadcast_shapes(first.shape, second.shape):
            return value
    except (TypeError, ValueError):
        pass  # written for two numbers, with an if perhaps
    return np.vectorize(mixing, otypes=[float])(first, second)
