"""Kernels for pair potentials: one functional form, compiled into energy and forces, Hessian and pair lists.

Each kernel walks a range of rows of a `NeighbourList` and writes only to the particles of these rows. What is
constant for a family (form with its truncation, dimension, species or diameters) is a constant of the compiled code.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from pelplug.execution.compile import Family
from pelplug.potentials.form import Form
from pelplug.potentials.pair_row import pair_row, unmixed

__all__ = ["FASTMATH", "PairKernels", "pair_kernels"]

FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered (that is what lets the compiler use vector registers); NaN and infinity keep their meaning."""


@dataclasses.dataclass(frozen=True)
class PairKernels:
    """Compiled kernels of one functional form; they take ``(begin, end, ...)`` ranges of rows."""

    energy_forces: Callable
    virials: Callable
    hessian_rows: Callable
    list_pairs: Callable


@functools.cache
def pair_kernels(form: Form, d: int, mixing: Callable | None) -> PairKernels:
    """Compile the kernels.

    Parameters
    ----------
    form : Form
        The functional form, truncated.
    d : int
        Dimension of space.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters, else None: a table by species.
    """
    per_particle = mixing is not None
    family = Family(form.function, mixing, form.squared, constants=("pairs", d))
    function, mix = family.use(form.function), family.use(mixing or unmixed)
    pair_sums = pair_row(family, form, d, mixing, listed_by_species=True, nearest_image=False)

    @family.kernel(fastmath=FASTMATH, error_model="numpy")
    def energy_forces(begin, end, limit, positions, built_at, offset, sites, rows, row_site, start, neighbours,
                      owner, groups, diameters, inverse_sigma, parameters, cutoff_squared, energies,
                      forces):  # fmt: skip
        # The energy of the rows, and True. With ``limit`` > 0 the sites follow the positions first, unless a particle
        # moved farther than its square root: then False, since the list does not hold any more. All of an evaluation in
        # one call is what small systems feel.
        if limit > 0.0:
            for i in range(positions.shape[0]):
                moved = 0.0
                for a in range(d):
                    step = positions[i, a] - built_at[i, a]
                    moved += step * step
                if not moved <= limit:  # written so that a NaN asks for a new list
                    return 0.0, False
            for k in range(sites.shape[0]):
                o = np.uint64(owner[k])
                for a in range(d):
                    sites[k, a] = positions[o, a] + offset[k, a]
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            gi = groups[i]
            f0 = f1 = f2 = f3 = f4 = f5 = f6 = f7 = 0.0
            energy = 0.0
            for gj in range(start.shape[1] - 1):
                e, g0, g1, g2, g3, g4, g5, g6, g7 = pair_sums(
                    i, gi, gj, me, start[row, gj], start[row, gj + 1], sites, sites, neighbours, owner, groups,
                    diameters, inverse_sigma, parameters, cutoff_squared,
                )  # fmt: skip
                energy += e
                f0 += g0
                f1 += g1
                f2 += g2
                f3 += g3
                f4 += g4
                f5 += g5
                f6 += g6
                f7 += g7
            energies[i] = 0.5 * energy
            forces[i, 0] = f0
            if d > 1:
                forces[i, 1] = f1
            if d > 2:
                forces[i, 2] = f2
            if d > 3:
                forces[i, 3] = f3
            if d > 4:
                forces[i, 4] = f4
            if d > 5:
                forces[i, 5] = f5
            if d > 6:
                forces[i, 6] = f6
            if d > 7:
                forces[i, 7] = f7
        total = 0.0
        if limit > 0.0:
            for i in range(energies.shape[0]):
                total += energies[i]
        return total, True

    @family.inline
    def separation(me, j, gi, gj, i, o, sites, diameters, inverse_sigma, cutoff_squared, vector):
        # Distance, 1/sigma and 1 if the pair interacts; the vector to the neighbour goes into ``vector``.
        square = 0.0
        for a in range(d):
            vector[a] = sites[j, a] - sites[me, a]
            square += vector[a] * vector[a]
        scale = 1.0 / mix(diameters[i], diameters[o]) if per_particle else inverse_sigma[gi, gj]
        reduced = square * scale * scale if per_particle else square
        return math.sqrt(square), scale, reduced < cutoff_squared[gi, gj]

    @family.kernel(error_model="numpy")
    def virials(begin, end, sites, rows, row_site, start, neighbours, owner, groups, diameters, inverse_sigma,
                parameters, cutoff_squared, sums):  # fmt: skip
        # Half of r U'(r) over the neighbours of each row.
        vector = np.empty(d)
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            gi = groups[i]
            total = 0.0
            for gj in range(start.shape[1] - 1):
                for k in range(start[row, gj], start[row, gj + 1]):
                    j = neighbours[k]
                    r, scale, inside = separation(
                        me, j, gi, gj, i, owner[j], sites, diameters, inverse_sigma, cutoff_squared, vector
                    )
                    if inside:
                        _, du, _ = function(r * scale, parameters[gi, gj])
                        total += du * scale * r
            sums[i] = 0.5 * total

    @family.kernel(error_model="numpy")
    def hessian_rows(begin, end, sites, rows, row_site, start, neighbours, owner, groups, diameters, inverse_sigma,
                     parameters, cutoff_squared, first, columns, blocks, length):  # fmt: skip
        # Row i of the Hessian: blocks -K_ij sorted by column, images of one particle merged, sum K_ij on the diagonal.
        most = 0
        for row in range(begin, end):
            most = max(most, start[row, -1] - start[row, 0])
        found = np.empty((most + 1, d, d))
        column = np.empty(most + 1, dtype=np.int64)
        order = np.empty(most + 1, dtype=np.int64)
        turn = np.empty(most + 1, dtype=np.int64)
        vector = np.empty(d)
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            gi = groups[i]
            for a in range(d):
                for b in range(d):
                    found[0, a, b] = 0.0
            column[0] = i
            n = 1
            for gj in range(start.shape[1] - 1):
                for k in range(start[row, gj], start[row, gj + 1]):
                    j = neighbours[k]
                    o = owner[j]
                    if o == i:
                        continue  # an image moves with its particle
                    r, scale, inside = separation(
                        me, j, gi, gj, i, o, sites, diameters, inverse_sigma, cutoff_squared, vector
                    )
                    if not inside:
                        continue
                    _, du, ddu = function(r * scale, parameters[gi, gj])
                    across = du * scale / r
                    along = (ddu * scale * scale - across) / (r * r)
                    for a in range(d):
                        for b in range(d):
                            value = along * vector[a] * vector[b]
                            if a == b:
                                value += across
                            found[n, a, b] = -value
                            found[0, a, b] += value
                    column[n] = o
                    n += 1
            # Sorted by column, a merge from short runs to longer ones: order and turn change places.
            for k in range(n):
                order[k] = k
            run = 1
            while run < n:
                for low in range(0, n, 2 * run):
                    p = low
                    middle = min(low + run, n)
                    q = middle
                    high = min(low + 2 * run, n)
                    for k in range(low, high):
                        if q >= high or (p < middle and column[order[p]] <= column[order[q]]):
                            turn[k] = order[p]
                            p += 1
                        else:
                            turn[k] = order[q]
                            q += 1
                order, turn = turn, order
                run *= 2
            at = first[i] - 1
            last = -1
            for k in range(n):
                o = column[order[k]]
                if o != last:
                    at += 1
                    last = o
                    columns[at] = o
                    for a in range(d):
                        for b in range(d):
                            blocks[at, a, b] = 0.0
                for a in range(d):
                    for b in range(d):
                        blocks[at, a, b] += found[order[k], a, b]
            length[i] = at + 1 - first[i]

    @family.kernel(error_model="numpy")
    def list_pairs(begin, end, sites, rows, row_site, start, neighbours, owner, groups, diameters, inverse_sigma,
                   parameters, cutoff_squared, shift, first, pair_i, pair_j, vectors, scalars,
                   count):  # fmt: skip
        # Counted where ``first`` is empty, else written to where it says.
        fill = len(first) > 0
        vector = np.empty(d)
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            gi = groups[i]
            at = first[i] if fill else 0
            for gj in range(start.shape[1] - 1):
                for k in range(start[row, gj], start[row, gj + 1]):
                    j = neighbours[k]
                    o = owner[j]
                    # Of the two directions of a pair take i < o; of a particle and its own images those that are
                    # lexicographically positive.
                    once = o > i
                    if o == i:
                        for a in range(d):
                            step = shift[j, a] - shift[me, a]
                            if step != 0:
                                once = step > 0
                                break
                    if not once:
                        continue
                    r, scale, inside = separation(
                        me, j, gi, gj, i, o, sites, diameters, inverse_sigma, cutoff_squared, vector
                    )
                    if not inside:
                        continue
                    if fill:
                        _, du, ddu = function(r * scale, parameters[gi, gj])
                        pair_i[at] = i
                        pair_j[at] = o
                        for a in range(d):
                            vectors[at, a] = vector[a]
                        limit = math.sqrt(cutoff_squared[gi, gj])
                        scalars[at, 0] = r
                        scalars[at, 1] = du * scale
                        scalars[at, 2] = ddu * scale * scale
                        scalars[at, 3] = (limit / scale if per_particle else limit) - r
                    at += 1
            if not fill:
                count[i] = at

    return PairKernels(energy_forces, virials, hessian_rows, list_pairs)
