"""Kernels of swap Monte Carlo: local energies over neighbour lists that follow every move."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from pelplug.execution.compile import Family
from pelplug.potentials.form import Form
from pelplug.potentials.kernels import FASTMATH
from pelplug.potentials.pair_row import unmixed

__all__ = ["SwapKernels", "swap_kernels"]


@dataclasses.dataclass(frozen=True)
class SwapKernels:
    """Kernels on the arrays of `Slots`: ``run`` makes moves until their number is reached or a row is full.

    ``build`` makes all lists, ``relist`` that of one place, after `Slots.grow` where a row was full.
    """

    build: Callable
    run: Callable
    relist: Callable


@functools.cache
def swap_kernels(form: Form, d: int, mixing: Callable | None) -> SwapKernels:
    """Compile the kernels for one functional form in two or three dimensions; see `pair_kernels`."""
    family = Family(form.function, mixing, form.squared, constants=("swap", d))
    function, by_square = family.use(form.function), family.use(form.squared or form.function)
    # A form by the square is plain arithmetic: to find it for all that are listed, in vector registers, is faster than
    # to ask of each whether it is near enough. Others may take a power or a branch.
    blend = form.squared is not None
    per_particle = mixing is not None
    mix = family.use(mixing or unmixed)

    @family.inline
    def pair_range(mine, other, tables):
        # Of two particles, given by diameters or species: 1 / sigma**2, and the squared cutoff in units of sigma.
        inverse_sigma, _, cutoff_squared = tables
        if per_particle:
            inverse = 1.0 / mix(mine, other)
            return inverse * inverse, cutoff_squared[0, 0]
        a, b = np.uint64(mine), np.uint64(other)
        scale = inverse_sigma[a, b] * inverse_sigma[a, b]
        return scale, cutoff_squared[a, b] * scale

    @family.inline
    def pair_energy(s, mine, other, tables):
        # At the squared distance ``s`` in units of sigma.
        _, parameters, _ = tables
        p = parameters[0, 0] if per_particle else parameters[np.uint64(mine), np.uint64(other)]
        return by_square(s, p)[0] if blend else function(math.sqrt(s), p)[0]

    @family.inline
    def difference(new, new_limit, new_kind, old, limit, kind, other, tables):
        # Energy of a pair as it would be less what it is; squared distances and cutoffs in units of sigma.
        if blend:
            u = pair_energy(new, new_kind, other, tables)
            v = pair_energy(old, kind, other, tables)
            return (u if new < new_limit else 0.0) - (v if old < limit else 0.0)
        change = 0.0
        if new < new_limit:
            change += pair_energy(new, new_kind, other, tables)
        if old < limit:
            change -= pair_energy(old, kind, other, tables)
        return change

    @family.inline
    def square_distance(k, x, y, z, places, edges):
        # To the nearest image; all positions are inside the box.
        dx = abs(places[k, 0] - x)
        dx = min(dx, edges[0] - dx)
        dy = abs(places[k, 1] - y)
        dy = min(dy, edges[1] - dy)
        square = dx * dx + dy * dy
        if d == 3:
            dz = abs(places[k, 2] - z)
            dz = min(dz, edges[2] - dz)
            square += dz * dz
        return square

    @family.inline
    def move_difference(row, length, kind, x, y, z, new_x, new_y, new_z, edges, sites, tables):
        change = 0.0
        for m in range(length):
            k = np.uint64(row[m])
            other = sites[k, d]
            scale, limit = pair_range(kind, other, tables)
            old = scale * square_distance(k, x, y, z, sites, edges)
            new = scale * square_distance(k, new_x, new_y, new_z, sites, edges)
            change += difference(new, limit, kind, old, limit, kind, other, tables)
        return change

    @family.inline
    def energy_at(row, length, kind, x, y, z, edges, sites, tables):
        energy = 0.0
        for m in range(length):
            k = np.uint64(row[m])
            other = sites[k, d]
            scale, limit = pair_range(kind, other, tables)
            s = scale * square_distance(k, x, y, z, sites, edges)
            if s < limit:
                energy += pair_energy(s, kind, other, tables)
        return energy

    @family.inline
    def kind_difference(row, length, i, j, kind, new_kind, edges, sites, tables):
        # Of a place where another particle comes; the pair of the two stays what it is and is left out.
        x = sites[i, 0]
        y = sites[i, 1]
        z = sites[i, 2] if d == 3 else 0.0
        change = 0.0
        for m in range(length):
            k = np.uint64(row[m])
            other = sites[k, d]
            square = square_distance(k, x, y, z, sites, edges)
            scale, limit = pair_range(kind, other, tables)
            new_scale, new_limit = pair_range(new_kind, other, tables)
            one = difference(new_scale * square, new_limit, new_kind, scale * square, limit, kind, other, tables)
            change += one if k != j else 0.0
        return change

    @family.inline
    def accepted(change, beta, rng):
        # False for NaN: two particles at one point.
        return change <= 0.0 or rng.random() < math.exp(-beta * change)

    @family.inline
    def displaced(x, edge, delta, rng):
        x += delta * (2.0 * rng.random() - 1.0)
        x -= edge * math.floor(x / edge)
        return x if x < edge else 0.0  # rounding may give the edge itself

    @family.inline
    def place(x, a, edges, shape):
        return min(int(x * (shape[a] / edges[a])), shape[a] - 1)

    @family.inline
    def cell_of(places, i, edges, shape):
        cell = place(places[i, 0], 0, edges, shape) * shape[1] + place(places[i, 1], 1, edges, shape)
        if d == 3:
            cell = cell * shape[2] + place(places[i, 2], 2, edges, shape)
        return cell

    @family.inline
    def gather(i, x, y, z, edges, shape, listed, first, following, found, limit):
        # All but i that are listed near enough to a point; each cell once even where there are only one or two.
        from_x = place(x, 0, edges, shape) - (1 if shape[0] > 2 else 0)
        from_y = place(y, 1, edges, shape) - (1 if shape[1] > 2 else 0)
        from_z, layers = 0, 1
        if d == 3:
            from_z = place(z, 2, edges, shape) - (1 if shape[2] > 2 else 0)
            layers = min(shape[2], 3)
        count = 0
        for a in range(min(shape[0], 3)):
            for b in range(min(shape[1], 3)):
                for c in range(layers):
                    cell = (from_x + a) % shape[0] * shape[1] + (from_y + b) % shape[1]
                    if d == 3:
                        cell = cell * shape[2] + (from_z + c) % shape[2]
                    k = first[cell]
                    while k >= 0:
                        if k != i and square_distance(k, x, y, z, listed, edges) < limit:
                            found[count] = k
                            count += 1
                        k = following[k]
        return count

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def build(edges, shape, sites, listed, first, following, rows, length, scratch, limits):
        # Returns the longest list; those longer than a row are left out.
        first[:] = -1
        for i in range(sites.shape[0] - 1, -1, -1):
            for a in range(d):
                listed[i, a] = sites[i, a]
            cell = cell_of(listed, i, edges, shape)
            following[i] = first[cell]
            first[cell] = i
        longest = 0
        for i in range(sites.shape[0]):
            z = sites[i, 2] if d == 3 else 0.0
            count = gather(i, sites[i, 0], sites[i, 1], z, edges, shape, listed, first, following, scratch, limits[0])
            longest = max(longest, count)
            if count <= rows.shape[1]:
                length[i] = count
                rows[i, :count] = scratch[:count]
        return longest

    @family.inline
    def list_again(i, edges, shape, sites, listed, first, following, rows, length, scratch, limits):
        # List a place where it is now; False, and nothing done, if that does not fit into the rows.
        z = sites[i, 2] if d == 3 else 0.0
        count = gather(i, sites[i, 0], sites[i, 1], z, edges, shape, listed, first, following, scratch, limits[0])
        capacity = rows.shape[1]
        if count > capacity:
            return False
        for m in range(count):
            if length[scratch[m]] >= capacity:
                return False
        for m in range(length[i]):
            k = rows[i, m]
            at = 0
            while rows[k, at] != i:
                at += 1
            length[k] -= 1
            rows[k, at] = rows[k, length[k]]
        old = cell_of(listed, i, edges, shape)
        for a in range(d):
            listed[i, a] = sites[i, a]
        cell = cell_of(listed, i, edges, shape)
        if cell != old:
            if first[old] == i:
                first[old] = following[i]
            else:
                k = first[old]
                while following[k] != i:
                    k = following[k]
                following[k] = following[i]
            following[i] = first[cell]
            first[cell] = i
        for m in range(count):
            k = scratch[m]
            rows[i, m] = k
            rows[k, length[k]] = i
            length[k] += 1
        length[i] = count
        return True

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def run(begin, end, series, rng, beta, delta, p_swap, swap_range, edges, shape, sites, listed, first, following,
            rows, length, scratch, limits, label, inverse_sigma, parameters, cutoff_squared, counters, sums,
            pending):  # fmt: skip
        # Moves begin..end; the energy after every n-th goes into ``series``. counters: moves tried and accepted, swaps
        # tried and accepted. sums: running energy, largest |energy| seen. Returns where it stopped: before the end
        # where ``pending`` holds a place whose new list found no room.
        n = sites.shape[0]
        tables = (inverse_sigma, parameters, cutoff_squared)
        # Where steps are long a trial may leave what its list covers; else a place is listed anew before it can.
        long_steps = limits[2] >= limits[1]
        for move in range(begin, end):
            if rng.random() < p_swap:
                while True:  # uniform over the pairs that may swap; their number never changes
                    i = np.uint64(rng.random() * n)
                    j = np.uint64(rng.random() * n)
                    mine = sites[i, d]
                    other = sites[j, d]
                    if mine != other and abs(mine - other) < swap_range:
                        break
                change = kind_difference(rows[i], length[i], i, j, mine, other, edges, sites, tables)
                change += kind_difference(rows[j], length[j], j, i, other, mine, edges, sites, tables)
                counters[2] += 1
                if accepted(change, beta, rng):
                    counters[3] += 1
                    sums[0] += change
                    sites[i, d] = other
                    sites[j, d] = mine
                    label[i], label[j] = label[j], label[i]
            else:
                i = np.uint64(rng.random() * n)
                x = sites[i, 0]
                y = sites[i, 1]
                z = sites[i, 2] if d == 3 else 0.0
                new_x = displaced(x, edges[0], delta, rng)
                new_y = displaced(y, edges[1], delta, rng)
                new_z = displaced(z, edges[2], delta, rng) if d == 3 else 0.0
                kind = sites[i, d]
                if long_steps and not square_distance(i, new_x, new_y, new_z, listed, edges) < limits[1]:
                    count = gather(np.int64(i), new_x, new_y, new_z, edges, shape, listed, first, following, scratch,
                                   limits[0])  # fmt: skip
                    change = energy_at(scratch, count, kind, new_x, new_y, new_z, edges, sites, tables)
                    change -= energy_at(rows[i], length[i], kind, x, y, z, edges, sites, tables)
                else:
                    change = move_difference(rows[i], length[i], kind, x, y, z, new_x, new_y, new_z, edges, sites,
                                             tables)  # fmt: skip
                counters[0] += 1
                if accepted(change, beta, rng):
                    counters[1] += 1
                    sums[0] += change
                    sites[i, 0] = new_x
                    sites[i, 1] = new_y
                    if d == 3:
                        sites[i, 2] = new_z
                    departed = square_distance(i, new_x, new_y, new_z, listed, edges) >= limits[2]
                    if departed and not list_again(np.int64(i), edges, shape, sites, listed, first, following, rows,
                                                   length, scratch, limits):  # fmt: skip
                        pending[0] = i
            sums[1] = max(sums[1], abs(sums[0]))
            if (move + 1) % n == 0:
                series[move // n] = sums[0]
            if pending[0] >= 0:
                return move + 1
        return end

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def relist(i, edges, shape, sites, listed, first, following, rows, length, scratch, limits):
        return list_again(i, edges, shape, sites, listed, first, following, rows, length, scratch, limits)

    return SwapKernels(build, run, relist)
