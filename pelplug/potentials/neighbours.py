"""Neighbour lists that are right for any periodic cell, d = 2 to 8, and cutoffs beyond half the box.

Every particle is listed with all its neighbours (a full list), and a neighbour is a *site*: a particle or one
of its periodic images at an explicit place. A cutoff larger than half the box, or than the box, then needs no
special case, nor does a tilted cell; and a kernel that walks the list writes to one particle only, so it runs
in threads and in vector registers.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numba
import numpy as np
from numba.extending import register_jitable

from pelplug.potentials.compilation import Family
from pelplug.potentials.threads import run_ranges

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
    """
    n, d = positions.shape
    if diameters is None:
        diameters = np.ones(n)
        longest = float(reach.max()) + skin
    else:
        largest = float(diameters.max())
        longest = float(reach.max()) * largest + skin
    kernels = _search_kernels(d, mixing)
    inverse = np.linalg.inv(cell)
    width = longest * np.linalg.norm(inverse, axis=0)  # reach in units of the distance between faces
    reach = np.ascontiguousarray(reach, dtype=np.float64)
    common = (groups, diameters, reach, skin)
    density = n / abs(np.linalg.det(cell))
    if 3**d * density * longest**d < n or d <= 3:
        return _by_cells(positions, cell, inverse, width, n_groups, common, kernels)
    return _by_pairs(positions, cell, inverse, width, n_groups, common, kernels)


def _by_cells(positions, cell, inverse, width, n_groups, common, kernels):
    n, d = positions.shape
    groups = common[0]
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
        owner, shift, offset, sites, owner[row_site], row_site, _row_starts(tally), neighbours, positions.copy(),
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


@numba.njit(nogil=True, cache=True)
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


@numba.njit(nogil=True, cache=True)
def _place_sites(positions, owner, offset, sites):
    for k in range(sites.shape[0]):
        for a in range(sites.shape[1]):
            sites[k, a] = positions[owner[k], a] + offset[k, a]


@dataclasses.dataclass(frozen=True)
class _SearchKernels:
    place_in_cells: object
    search_cells: object
    prune: object
    count_in_pairs: object
    list_in_pairs: object


@functools.cache
def _search_kernels(d: int, mixing) -> _SearchKernels:
    """Compile the searches for dimension ``d``: small loops over a constant number of components unroll."""
    per_particle = mixing is not None
    family = Family(mixing, constants=(d,))
    mix = register_jitable(mixing) if per_particle else _unmixed

    @family.inline
    def range_of_images(f, width):
        return math.ceil(-width - f), math.floor(1.0 + width - f)

    @family.kernel()
    def place_in_cells(positions, cell, inverse, width, extent, bins):
        # Particles and their images within reach of the cell, sorted by bin.
        n = positions.shape[0]
        fractional = np.empty((n, d))
        home = np.empty((n, d), dtype=np.int32)
        images = np.empty(n, dtype=np.int64)
        total = 0
        for i in range(n):
            images[i] = 1
            for a in range(d):
                f = 0.0
                for b in range(d):
                    f += positions[i, b] * inverse[b, a]
                home[i, a] = math.floor(f)
                fractional[i, a] = f - home[i, a]
                low, high = range_of_images(fractional[i, a], width[a])
                images[i] *= high - low + 1
            total += images[i]
        bin_of = np.empty(total, dtype=np.int64)
        count = 1
        for a in range(d):
            count *= bins[a]
        bin_start = np.zeros(count + 1, dtype=np.int64)
        s = 0
        for i in range(n):
            for code in range(images[i]):
                rest = code
                target = 0
                for a in range(d):
                    low, high = range_of_images(fractional[i, a], width[a])
                    image = low + rest % (high - low + 1)
                    rest //= high - low + 1
                    b = int((fractional[i, a] + image + width[a]) / extent[a] * bins[a])
                    target = target * bins[a] + min(max(b, 0), bins[a] - 1)
                bin_of[s] = target
                bin_start[target + 1] += 1
                s += 1
        for b in range(count):
            bin_start[b + 1] += bin_start[b]
        cursor = bin_start[:-1].copy()
        owner = np.empty(total, dtype=np.int64)
        shift = np.empty((total, d), dtype=np.int32)
        offset = np.empty((total, d))
        sites = np.empty((total, d))
        place = np.empty((total, d), dtype=np.int32)
        is_home = np.zeros(total, dtype=np.bool_)
        s = 0
        for i in range(n):
            for code in range(images[i]):
                at = cursor[bin_of[s]]
                cursor[bin_of[s]] += 1
                owner[at] = i
                rest = code
                left = bin_of[s]
                itself = True
                for a in range(d):
                    low, high = range_of_images(fractional[i, a], width[a])
                    image = low + rest % (high - low + 1)
                    rest //= high - low + 1
                    itself = itself and image == 0
                    shift[at, a] = image - home[i, a]
                    place[at, d - 1 - a] = left % bins[d - 1 - a]
                    left //= bins[d - 1 - a]
                for b in range(d):
                    offset[at, b] = 0.0
                    for a in range(d):
                        offset[at, b] += shift[at, a] * cell[a, b]
                    sites[at, b] = positions[i, b] + offset[at, b]
                is_home[at] = itself
                s += 1
        return owner, shift, offset, sites, place, bin_start, np.flatnonzero(is_home)

    @family.inline
    def range_squared(i, j, groups, diameters, reach, skin):
        distance = reach[groups[i], groups[j]]
        if per_particle:
            distance *= mix(diameters[i], diameters[j])
        return (distance + skin) ** 2

    @family.kernel(error_model="numpy")
    def search_cells(begin, end, columns, site_group, owner, row_site, place, bins, bin_start, fine,
                     groups, diameters, reach, skin, tally):  # fmt: skip
        # Returns the neighbours of these rows end to end, those of a row grouped by species. Unsigned counters spare
        # numba's test for negative indices; results are written always and kept if near: a branch would be
        # mispredicted often.
        n_groups = tally.shape[1]
        listed = np.empty(64 * (end - begin) + 64, dtype=np.uint32)
        near = np.empty(1024, dtype=np.uint32)
        squares = np.empty(1024)
        limits = np.empty(n_groups)
        total = np.uint64(0)
        lines = (2 * fine + 1) ** (d - 1)
        for row in range(begin, end):
            me = np.uint64(row_site[row])
            i = owner[me]
            for g in range(n_groups):
                limits[g] = (reach[groups[i], g] + skin) ** 2
            farthest = limits.max()
            low = max(0, place[me, d - 1] - fine)
            high = min(bins[d - 1] - 1, place[me, d - 1] + fine)
            x0 = columns[0, me]
            x1 = columns[1, me]
            x2 = columns[2, me] if d > 2 else 0.0
            n = np.uint64(0)
            for code in range(lines):
                # Bins next to each other in the last direction hold sites next to each other in memory.
                rest = code
                line = 0
                inside = True
                for a in range(d - 1):
                    b = place[me, a] + rest % (2 * fine + 1) - fine
                    rest //= 2 * fine + 1
                    inside = inside and 0 <= b < bins[a]
                    line = line * bins[a] + b
                if not inside:
                    continue
                line *= bins[d - 1]
                first, last = np.uint64(bin_start[line + low]), np.uint64(bin_start[line + high + 1])
                if n + (last - first) > np.uint64(len(near)):
                    size = 2 * (n + (last - first))
                    longer = np.empty(size, dtype=np.uint32)
                    larger = np.empty(size)
                    for h in range(n):
                        longer[h] = near[h]
                        larger[h] = squares[h]
                    near, squares = longer, larger
                for k in range(first, last):
                    square = (columns[0, k] - x0) ** 2 + (columns[1, k] - x1) ** 2
                    if d > 2:
                        square += (columns[2, k] - x2) ** 2
                    for a in range(3, d):
                        square += (columns[a, k] - columns[a, me]) ** 2
                    if per_particle:
                        farthest = (reach[0, 0] * mix(diameters[i], diameters[owner[k]]) + skin) ** 2
                    near[n] = k
                    squares[n] = square
                    n += np.uint64(square < farthest)
            if total + n >= np.uint64(len(listed)):
                longer = np.empty(2 * (total + n) + np.uint64(1), dtype=np.uint32)
                for h in range(total):
                    longer[h] = listed[h]
                listed = longer
            for g in range(n_groups):
                before = total
                limit = np.inf if per_particle else limits[g]
                for h in range(n):
                    k = np.uint64(near[h])
                    listed[total] = k
                    total += np.uint64((site_group[k] == g) & (squares[h] < limit) & (k != me))
                tally[row, g] = total - before
        return listed[:total].copy()

    @family.kernel(error_model="numpy")
    def prune(begin, end, sites, owner, row_site, start, neighbours, groups, diameters, reach, skin,
              kept_start, kept):  # fmt: skip
        # Rows stay where they are in memory and get shorter.
        for row in range(begin, end):
            me = row_site[row]
            i = owner[me]
            n = np.uint64(start[row, 0])
            kept_start[row, 0] = n
            for g in range(reach.shape[0]):
                limit = (reach[groups[i], g] + skin) ** 2
                for k in range(np.uint64(start[row, g]), np.uint64(start[row, g + 1])):
                    j = neighbours[k]
                    square = 0.0
                    for a in range(d):
                        step = sites[j, a] - sites[me, a]
                        square += step * step
                    if per_particle:
                        limit = (reach[0, 0] * mix(diameters[i], diameters[owner[j]]) + skin) ** 2
                    kept[n] = j
                    n += np.uint64(square < limit)
                kept_start[row, g + 1] = n

    @family.inline
    def walk_pairs(i, fractional, cell, width, groups, diameters, reach, skin, fill, cursor, owner, image):
        low = np.empty(d, dtype=np.int64)
        count = np.empty(d, dtype=np.int64)
        shift = np.empty(d)
        for j in range(fractional.shape[0]):
            total = 1
            for a in range(d):
                f = fractional[i, a] - fractional[j, a]
                low[a] = math.ceil(f - width[a])
                count[a] = math.floor(f + width[a]) - low[a] + 1
                if count[a] <= 0:
                    total = 0
                    break
                total *= count[a]
            limit = range_squared(i, j, groups, diameters, reach, skin) if total > 0 else 0.0
            for code in range(total):
                rest = code
                home = i == j
                for a in range(d):
                    s = low[a] + rest % count[a]
                    rest //= count[a]
                    home = home and s == 0
                    shift[a] = fractional[j, a] + s - fractional[i, a]
                if home:
                    continue
                square = 0.0
                for b in range(d):
                    step = 0.0
                    for a in range(d):
                        step += shift[a] * cell[a, b]
                    square += step * step
                if square < limit:
                    g = groups[j]
                    if fill:
                        owner[cursor[g]] = j
                        rest = code
                        for a in range(d):
                            image[cursor[g], a] = low[a] + rest % count[a]
                            rest //= count[a]
                    cursor[g] += 1

    @family.kernel()
    def count_in_pairs(begin, end, fractional, cell, width, groups, diameters, reach, skin, tally):
        no_owner = np.empty(0, dtype=np.int64)
        no_image = np.empty((0, d), dtype=np.int32)
        for i in range(begin, end):
            walk_pairs(i, fractional, cell, width, groups, diameters, reach, skin, False, tally[i], no_owner, no_image)

    @family.kernel()
    def list_in_pairs(begin, end, fractional, cell, width, groups, diameters, reach, skin, start, owner, image):
        for i in range(begin, end):
            walk_pairs(i, fractional, cell, width, groups, diameters, reach, skin, True, start[i].copy(), owner, image)

    return _SearchKernels(place_in_cells, search_cells, prune, count_in_pairs, list_in_pairs)


@register_jitable
def _unmixed(d_i, d_j):
    return 1.0
