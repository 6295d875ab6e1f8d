"""Neighbour lists that are right for any periodic cell, d = 2 to 8, and cutoffs beyond half the box.

Every particle is listed with all its neighbours (a full list), and a neighbour is a *site*: a particle or one
of its periodic images at an explicit place. A cutoff larger than half the box, or than the box, then needs no
special case, nor does a tilted cell; and a kernel that walks the list writes to one particle only, so it runs
in threads and in vector registers.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from pelplug.errors import InputError
from pelplug.execution.compile import kernel
from pelplug.execution.threads import run_ranges
from pelplug.potentials.neighbours.search import search_kernels

__all__ = ["NeighbourList", "build_neighbour_list"]


@dataclasses.dataclass
class NeighbourList:
    """Neighbours within a reach, by row; rows follow the cells, so that what is near in space is near in memory.

    Attributes
    ----------
    owner : ndarray of int, shape (M,)
        The particle each site is an image of.
    shift : ndarray of int, shape (M, d)
        Cell vectors to add to the owner's position, as it was when the list was built or is now.
    site_positions : ndarray, shape (M, d)
        Where the sites are now; `move` brings them up to date [length].
    rows : ndarray of int, shape (N,)
        Particle of each row.
    row_site : ndarray of int, shape (N,)
        Site of each row's particle itself.
    start : ndarray of int, shape (N, groups + 1)
        Neighbours of a row that belong to group g are ``neighbours[start[row, g]:start[row, g + 1]]``.
    neighbours : ndarray of uint32
        Sites.
    fillings : int
        How often `prune` has changed ``start`` and ``neighbours``.
    """

    owner: np.ndarray
    shift: np.ndarray
    offset: np.ndarray
    site_positions: np.ndarray
    rows: np.ndarray
    row_site: np.ndarray
    start: np.ndarray
    neighbours: np.ndarray
    built_at: np.ndarray
    skin: float
    search: tuple
    fillings: int = 0

    @property
    def longest(self) -> float:
        """Largest distance at which two particles interact [length]."""
        _, _, diameters, reach = self.search
        return float(reach.max() * diameters.max())

    def holds(self, positions: np.ndarray, spare: float = 0.0) -> bool:
        """Tell whether no neighbour within reach plus ``spare`` [length] can be missing at ``positions``."""
        margin = 0.5 * (self.skin - spare)
        return margin > 0.0 and _moved_less_than(positions, self.built_at, margin * margin)

    def place(self, positions: np.ndarray) -> None:
        """Move the sites with their owners."""
        _place_sites(positions, self.owner, self.offset, self.site_positions)

    def tighter(self) -> NeighbourList:
        """Return a list over the same sites for `prune` to fill."""
        return dataclasses.replace(
            self,
            start=self.start.copy(),
            neighbours=self.neighbours.copy(),
            built_at=self.built_at.copy(),
        )

    def prune(self, wider: NeighbourList, positions: np.ndarray, skin: float) -> None:
        """Keep those neighbours of ``wider`` that are now within reach plus ``skin`` [length]."""
        kernels, *common = self.search
        run_ranges(kernels.prune, len(self.rows), self.site_positions, self.owner, self.row_site, wider.start,
                   wider.neighbours, *common, skin, self.start, self.neighbours)  # fmt: skip
        self.built_at[:] = positions
        self.skin = skin
        self.fillings += 1


_MOST_PAIRS, _MOST_SITES = 4e9, 4e8
_FARTHEST = 1e7  # cells from the origin: beyond, what is left of a position's digits is too little for a list


def build_neighbour_list(positions, cell, groups, n_groups, reach, skin, diameters=None, mixing=None) -> NeighbourList:
    """List, for every particle, all sites within reach plus ``skin``.

    Parameters
    ----------
    positions : ndarray, shape (N, d)
        Anywhere, not necessarily inside the cell [length].
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].
    groups : ndarray of int, shape (N,)
        Species number of each particle.
    n_groups : int
        Number of species.
    reach : ndarray, shape (n_groups, n_groups)
        Interaction range between two species [length], or with ``mixing`` in units of the mixed diameter.
    skin : float
        Added to every range, positive [length].
    diameters : ndarray, shape (N,), optional
        Diameters [length].
    mixing : callable, optional
        ``(d_i, d_j) -> d_ij``.

    Raises
    ------
    InputError
        If a position is not finite, or so far out that its place in the cell is lost to rounding.
    """
    n, d = positions.shape
    if diameters is None:
        diameters = np.ones(n)
        longest = float(reach.max()) + skin
    else:
        largest = float(diameters.max())
        longest = float(reach.max()) * largest + skin
    kernels = search_kernels(d, mixing)
    inverse = np.linalg.inv(cell)
    if not np.abs(positions @ inverse).max() < _FARTHEST:
        raise InputError("Positions became NaN, infinite or millions of cells away; the configuration has blown up.")
    width = longest * np.linalg.norm(inverse, axis=0)  # reach in units of the distance between faces
    density = n / abs(np.linalg.det(cell))
    with np.errstate(over="ignore"):
        _check_size(n, density * np.float64(longest) ** d, width, longest)
    reach = np.ascontiguousarray(reach, dtype=np.float64)
    common = (groups, diameters, reach, skin)
    if 3**d * density * longest**d < n or d <= 3:
        return _by_cells(positions, cell, inverse, width, n_groups, common, kernels)
    return _by_pairs(positions, cell, inverse, width, n_groups, common, kernels)


def _check_size(n: int, volume: float, width, longest: float) -> None:
    """Refuse a cutoff that nobody means: a list of it would not fit into any memory."""
    d = len(width)
    with np.errstate(over="ignore", invalid="ignore"):
        each = volume * math.pi ** (d / 2) / math.gamma(d / 2 + 1)
        sites = n * np.prod(1.0 + 2.0 * width) if d <= 3 else 0.0
    if not (n * each < _MOST_PAIRS and sites < _MOST_SITES):
        raise InputError(
            f"A cutoff of {longest:.4g} reaches over {np.max(width):.3g} boxes: {each:.2g} neighbours for each of {n} "
            "particles, more than fit into memory; check the cutoff, and the units of the model and of the box."
        )


def _by_cells(positions, cell, inverse, width, n_groups, common, kernels):
    n, d = positions.shape
    groups = common[0]
    positions = positions.copy()  # a configuration's are read-only, another type to numba: it would compile twice
    # Bins half a reach wide: fewer candidates than whole ones.
    fine = 2 if d <= 3 else 1
    extent = 1.0 + 2.0 * width
    bins = np.maximum(1, np.floor(fine * extent / width).astype(np.int64))
    while np.prod(bins) > max(64, 8 * n * np.prod(extent)):  # a dilute box would have more bins than particles
        bins = np.maximum(1, bins // 2)
    owner, shift, offset, sites, place, bin_start, row_site = kernels.place_in_cells(
        positions, cell, inverse, width, extent, bins
    )
    tally = np.empty((n, n_groups), dtype=np.int64)
    site_group = groups[owner].astype(np.int32)
    where = (np.ascontiguousarray(sites.T), site_group, owner, row_site, place, bins, bin_start, fine, *common)
    found = run_ranges(kernels.search_cells, n, *where, tally)
    neighbours = found[0] if len(found) == 1 else np.concatenate(found)
    return NeighbourList(
        owner, shift, offset, sites, owner[row_site], row_site, _row_starts(tally), neighbours, positions,
        common[-1], (kernels, *common[:-1]),
    )  # fmt: skip


def _by_pairs(positions, cell, inverse, width, n_groups, common, kernels):
    # In many dimensions a cell has more neighbouring cells than there are particles: try every pair.
    n, d = positions.shape
    skin = common[-1]
    fractional = positions @ inverse
    home = np.floor(fractional)
    fractional -= home
    home = home.astype(np.int32)
    where = (fractional, cell, width, *common)
    tally = np.zeros((n, n_groups), dtype=np.int64)
    run_ranges(kernels.count_in_pairs, n, *where, tally, serial_below=200)
    start = _row_starts(tally) + n
    total = start[-1, -1]
    owner = np.concatenate((np.arange(n), np.empty(total - n, dtype=np.int64)))
    image = np.zeros((total, d), dtype=np.int32)
    run_ranges(kernels.list_in_pairs, n, *where, start, owner, image, serial_below=200)
    shift = image - home[owner]
    offset = shift @ cell
    rows = np.arange(n)
    neighbours = np.arange(total, dtype=np.uint32)
    sites = positions[owner] + offset
    return NeighbourList(
        owner,
        shift,
        offset,
        sites,
        rows,
        rows.copy(),
        start,
        neighbours,
        positions.copy(),
        skin,
        (kernels, *common[:-1]),
    )


def _row_starts(tally: np.ndarray) -> np.ndarray:
    ends = np.cumsum(tally.ravel()).reshape(tally.shape)
    begins = np.concatenate(([0], ends[:-1, -1]))
    return np.ascontiguousarray(np.column_stack((begins, ends)))


@kernel
def _moved_less_than(positions, reference, limit):
    for i in range(positions.shape[0]):
        moved = 0.0
        for a in range(positions.shape[1]):
            step = positions[i, a] - reference[i, a]
            moved += step * step
        # Written so that a NaN asks for a rebuild.
        if not moved <= limit:
            return False
    return True


@kernel
def _place_sites(positions, owner, offset, sites):
    for k in range(sites.shape[0]):
        for a in range(sites.shape[1]):
            sites[k, a] = positions[owner[k], a] + offset[k, a]
