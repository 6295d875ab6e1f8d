"""Nested dissection: the order in which the sparse solver eliminates particles, and the tree of its fronts."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import maximum_bipartite_matching

__all__ = ["EliminationTree", "Front", "dissect"]

# Below this many particles a part is eliminated as one dense front: fronts are then large enough for BLAS 3.
LEAF_SIZE = 80


@dataclasses.dataclass
class Front:
    """One node of the elimination tree: particles eliminated together and the later ones they couple to.

    Attributes
    ----------
    own : ndarray of int, shape (k,)
        Particles eliminated here, in elimination order.
    boundary : ndarray of int, shape (m,)
        Particles eliminated later that are coupled to this front's subtree, in elimination order.
    children : list of int
        Fronts whose update is added into this one.
    """

    own: np.ndarray
    boundary: np.ndarray
    children: list[int]


@dataclasses.dataclass
class EliminationTree:
    """Fronts in an order in which children come before their parent.

    Attributes
    ----------
    fronts : list of Front
        The fronts; the last one is the root.
    position : ndarray of int, shape (N,)
        Place of each particle in the elimination order; -1 for the grounded one.
    front_of : ndarray of int, shape (N,)
        Front that eliminates each particle; -1 for the grounded one.
    """

    fronts: list[Front]
    position: np.ndarray
    front_of: np.ndarray

    def factor_entries(self, dimension: int) -> int:
        """Numbers kept by the factorisation (inverse pivot blocks and couplings)."""
        return sum(f.own.size * (f.own.size + f.boundary.size) for f in self.fronts) * dimension**2

    def peak_entries(self, dimension: int) -> int:
        """Numbers held at the worst moment of a sweep, the factor aside: the fronts on one path of the tree."""
        held = [0] * len(self.fronts)
        for index, front in enumerate(self.fronts):
            size = (front.own.size + front.boundary.size) ** 2
            held[index] = size + max((held[c] for c in front.children), default=0)
        return held[-1] * dimension**2

    def flops(self, dimension: int, tangent: bool = True) -> float:
        """Floating-point operations of the factorisation, with or without selected inversion and tangents."""
        total = 0.0
        for front in self.fronts:
            k, m = float(front.own.size * dimension), float(front.boundary.size * dimension)
            total += (4 * k**3 + 10 * k**2 * m + 9 * k * m**2) if tangent else (k**3 + 2 * k**2 * m + k * m**2)
        return total


def dissect(adjacency: sp.csr_array, fractional: np.ndarray, heights: np.ndarray, grounded: int) -> EliminationTree:
    """Order the particles by recursive bisection in space.

    A part is cut in two at the median coordinate of one axis; the separator is a minimum vertex cover of the
    edges that cross the cut, found from a maximum matching (Koenig's theorem). Edges are the Hessian's own
    pattern, so both interfaces of a cut through a periodic cell are found without any geometry.

    Parameters
    ----------
    adjacency : csr_array, shape (N, N)
        Pattern of the Hessian, one entry a pair of coupled particles, symmetric.
    fractional : ndarray, shape (N, d)
        Positions in units of the cell vectors.
    heights : ndarray, shape (d,)
        Distance between opposite faces of the cell [length].
    grounded : int
        Particle left out.

    Returns
    -------
    EliminationTree
        The order and its fronts.
    """
    n = adjacency.shape[0]
    graph = sp.csr_array((np.ones(adjacency.nnz, dtype=np.int8), adjacency.indices, adjacency.indptr), shape=(n, n))
    coordinates = (fractional - np.floor(fractional)) * heights
    everything = np.delete(np.arange(n), grounded)
    blocks: list[tuple[np.ndarray, list[int]]] = []
    _bisect(graph, coordinates, everything, blocks)

    position = np.full(n, -1)
    front_of = np.full(n, -1)
    start = 0
    for index, (own, _) in enumerate(blocks):
        position[own] = np.arange(start, start + own.size)
        front_of[own] = index
        start += own.size
    fronts: list[Front] = []
    for own, children in blocks:
        reached = [graph[own].indices, *(fronts[c].boundary for c in children)]
        candidates = np.unique(np.concatenate(reached))
        candidates = candidates[position[candidates] > position[own[-1]]]
        fronts.append(Front(own, candidates[np.argsort(position[candidates])], children))
    return EliminationTree(fronts, position, front_of)


def _bisect(graph, coordinates, part, blocks) -> int:
    """Append the blocks of ``part`` to ``blocks``, children first, and return the index of its own block."""
    if part.size > LEAF_SIZE:
        cut = _best_cut(graph, coordinates, part)
        if cut is not None:
            separator, left, right = cut
            children = [_bisect(graph, coordinates, side, blocks) for side in (left, right)]
            blocks.append((separator, children))
            return len(blocks) - 1
    blocks.append((part, []))
    return len(blocks) - 1


def _best_cut(graph, coordinates, part):
    """Return (separator, left, right) of the cheapest cut over the axes, or None if no cut helps."""
    best, best_cost = None, np.inf
    inner = graph[part][:, part]
    for axis in range(coordinates.shape[1]):
        order = np.argsort(coordinates[part, axis], kind="stable")
        is_left = np.zeros(part.size, dtype=bool)
        is_left[order[: part.size // 2]] = True
        in_separator = _vertex_cover(inner, np.flatnonzero(is_left), np.flatnonzero(~is_left))
        left, right = is_left & ~in_separator, ~is_left & ~in_separator
        sizes = np.count_nonzero(in_separator), np.count_nonzero(left), np.count_nonzero(right)
        # An empty separator (a cut between clusters) has nothing to own: the front would be empty.
        if min(sizes) == 0:
            continue
        # Cubes are what a dense elimination of each piece costs; a cut has to beat eliminating the part whole.
        cost = float(sizes[0]) ** 3 + sum(float(s + sizes[0]) ** 3 - float(sizes[0]) ** 3 for s in sizes[1:])
        if cost < min(best_cost, 0.95 * float(part.size) ** 3):
            best_cost = cost
            best = part[in_separator], part[left], part[right]
    return best


def _vertex_cover(graph, left, right) -> np.ndarray:
    """Smallest set of vertices touching every edge between ``left`` and ``right``, as a mask."""
    crossing = graph[left][:, right].tocsr()
    column_of_row = maximum_bipartite_matching(crossing, perm_type="column")
    row_of_column = maximum_bipartite_matching(crossing, perm_type="row")
    reached_rows = (column_of_row < 0) & (np.diff(crossing.indptr) > 0)
    reached_columns = np.zeros(right.size, dtype=bool)
    frontier = np.flatnonzero(reached_rows)
    while frontier.size:
        columns = np.unique(crossing[frontier].indices)
        columns = columns[~reached_columns[columns]]
        reached_columns[columns] = True
        frontier = row_of_column[columns]
        frontier = np.unique(frontier[(frontier >= 0) & ~reached_rows[np.maximum(frontier, 0)]])
        reached_rows[frontier] = True
    cover = np.zeros(graph.shape[0], dtype=bool)
    cover[left[(np.diff(crossing.indptr) > 0) & ~reached_rows]] = True
    cover[right[reached_columns]] = True
    return cover
