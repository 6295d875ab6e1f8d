"""Compiled searches for neighbours: by cells, by pairs, and by pruning a list that is wider than needed."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from pelplug.execution.compile import Family, inlined

__all__ = ["SearchKernels", "search_kernels"]


@dataclasses.dataclass(frozen=True)
class SearchKernels:
    """Kernels for one dimension and way of mixing diameters; ranges are over rows or particles."""

    place_in_cells: object
    search_cells: object
    prune: object
    count_in_pairs: object
    list_in_pairs: object


@functools.cache
def search_kernels(d: int, mixing) -> SearchKernels:
    """Compile the searches for dimension ``d``: small loops over a constant number of components unroll."""
    per_particle = mixing is not None
    family = Family(mixing, constants=(d,))
    mix = inlined(mixing) if per_particle else _unmixed

    @family.inline
    def range_of_images(f, width):
        return math.ceil(-width - f), math.floor(1.0 + width - f)

    @family.kernel(error_model="numpy")
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
        bin_start = np.empty(count + 1, dtype=np.int64)
        for b in range(count + 1):
            bin_start[b] = 0
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
        cursor = np.empty(count, dtype=np.int64)
        for b in range(count):
            cursor[b] = bin_start[b]
        owner = np.empty(total, dtype=np.int64)
        shift = np.empty((total, d), dtype=np.int32)
        offset = np.empty((total, d))
        sites = np.empty((total, d))
        place = np.empty((total, d), dtype=np.int32)
        is_home = np.empty(total, dtype=np.bool_)
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
        row_site = np.empty(n, dtype=np.int64)
        row = 0
        for at in range(total):
            if is_home[at]:
                row_site[row] = at
                row += 1
        return owner, shift, offset, sites, place, bin_start, row_site

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
            farthest = 0.0
            for g in range(n_groups):
                limits[g] = (reach[groups[i], g] + skin) ** 2
                farthest = max(farthest, limits[g])
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
        found = np.empty(total, dtype=np.uint32)
        for h in range(total):
            found[h] = listed[h]
        return found

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
    def upright(cell):
        for a in range(d):
            for b in range(d):
                if a != b and cell[a, b] != 0.0:
                    return False
        return True

    @family.inline
    def walk_pairs(i, fractional, cell, box, width, groups, diameters, reach, skin, fill, cursor, owner, image):
        low = np.empty(d, dtype=np.int64)
        count = np.empty(d, dtype=np.int64)
        shift = np.empty(d)
        for j in range(fractional.shape[0]):
            if box:
                # The nearest image of a box is nearest along each edge: most pairs end here, after a few of them.
                farthest = range_squared(i, j, groups, diameters, reach, skin) * (1.0 + 1e-12)
                least = 0.0
                for a in range(d):
                    step = fractional[j, a] - fractional[i, a]
                    step = (step - np.rint(step)) * cell[a, a]
                    least += step * step
                    if least >= farthest:
                        break
                if least >= farthest:
                    continue
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
                    if box:
                        step = shift[b] * cell[b, b]
                    else:
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
        box = upright(cell)
        for i in range(begin, end):
            walk_pairs(i, fractional, cell, box, width, groups, diameters, reach, skin, False, tally[i], no_owner,
                       no_image)  # fmt: skip

    @family.kernel()
    def list_in_pairs(begin, end, fractional, cell, width, groups, diameters, reach, skin, start, owner, image):
        box = upright(cell)
        for i in range(begin, end):
            walk_pairs(i, fractional, cell, box, width, groups, diameters, reach, skin, True, start[i].copy(), owner,
                       image)  # fmt: skip

    return SearchKernels(place_in_cells, search_cells, prune, count_in_pairs, list_in_pairs)


@inlined
def _unmixed(d_i, d_j):
    return 1.0
