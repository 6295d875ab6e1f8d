"""Where the particles of a swap Monte Carlo run are, sorted and listed for its kernels."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pelplug.engines.swap.kernels import SwapKernels

__all__ = ["Slots"]

_SPARE = 8  # places in a row beyond the longest


@dataclasses.dataclass
class Slots:
    """Places in an orthorhombic box, who is there, and neighbour lists of the places.

    A swap exchanges who is where, so places and lists stay. Each place was *listed at* a position from which it may
    depart by half the margin of the lists; where it departs further, its list alone is made anew, at a constant cost.

    Attributes
    ----------
    edges : ndarray, shape (d,)
        Edges of the box [length].
    shape : ndarray of int, shape (d,)
        Number of cells along each edge, at least as wide as the range of the lists.
    sites : ndarray, shape (N, 4)
        ``[:, :d]`` the positions, ``[:, d]`` the diameter (or the number of the species) of who is there.
    listed : ndarray, shape (N, d)
        Where each place was listed [length].
    first, following : ndarray of int, shapes (cells,), (N,)
        Chains of the places listed in each cell; -1 ends one.
    rows, length : ndarray of int, shapes (N, capacity), (N,)
        The others listed within range.
    label : ndarray of int, shape (N,)
        Which particle is there.
    scratch : ndarray of int, shape (N,)
        Room for one list of any length.
    limits : ndarray, shape (3,)
        Squared range of the lists; squares of the departure from where it was listed that a trial move may make, and
        of that after which a place is listed anew [length**2].
    """

    edges: np.ndarray
    shape: np.ndarray
    sites: np.ndarray
    listed: np.ndarray
    first: np.ndarray
    following: np.ndarray
    rows: np.ndarray
    length: np.ndarray
    label: np.ndarray
    scratch: np.ndarray
    limits: np.ndarray

    @classmethod
    def build(cls, positions, payload, edges, reach: float, delta: float, kernels: SwapKernels) -> Slots:
        """List particles at ``positions`` (inside the box); the margin suits displacements by ``delta``."""
        n, d = positions.shape
        step = math.sqrt(d) * delta
        # Found by trying: a wider margin makes lists longer, a narrower one makes them anew too often. Where one step
        # would use up a wide margin, new places are searched one by one.
        margin = 2.0 * step + 0.2 * reach if step < 0.25 * reach else 0.4 * reach
        depart = 0.5 * margin - step if step < 0.25 * reach else 0.5 * margin
        span = (reach + margin) * (1.0 + 1e-9)  # rounding
        shape = np.maximum(1, np.floor(edges / span).astype(np.int64))
        while np.prod(shape) > 8 * n + 64:  # a dilute box would have many more cells than particles
            shape = np.maximum(1, shape // 2)
        # Neighbours near in memory: half cells one after another.
        inside = np.minimum((positions * (2 * shape / edges)).astype(np.int64), 2 * shape - 1)
        order = np.lexsort(inside.T[::-1])
        sites = np.zeros((n, 4))
        sites[:, :d] = positions[order]
        sites[:, d] = payload[order]
        limits = np.array([span * span, 0.25 * margin * margin, depart * depart])
        integers = functools.partial(np.zeros, dtype=np.int32)
        slots = cls(
            edges, shape, sites, np.zeros((n, d)), integers(np.prod(shape)), integers(n), integers((n, 0)),
            integers(n), order.astype(np.int32), integers(n), limits,
        )  # fmt: skip
        longest = kernels.build(*slots.lists())
        slots.rows = integers((n, 8 * ((longest + _SPARE) // 8 + 1)))
        kernels.build(*slots.lists())
        return slots

    def grow(self) -> None:
        """Double the room in every row."""
        self.rows = np.concatenate((self.rows, np.zeros_like(self.rows)), axis=1)

    def positions(self) -> np.ndarray:
        """Positions of the particles, shape (N, d) [length]."""
        positions = np.empty_like(self.listed)
        positions[self.label] = self.sites[:, : positions.shape[1]]
        return positions

    def lists(self) -> tuple:
        """Return what the kernels take."""
        return (
            self.edges, self.shape, self.sites, self.listed, self.first, self.following, self.rows, self.length,
            self.scratch, self.limits,
        )  # fmt: skip
