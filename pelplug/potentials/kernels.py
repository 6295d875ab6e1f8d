"""Kernels for pair potentials: one functional form, compiled into energy and forces, Hessian and pair lists.

Each kernel walks a range of rows of a `NeighbourList` and writes only to the particles of these rows. What is
constant for a family (dimension, truncation, species or diameters) is a constant of the compiled code.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from pelplug.execution.compile import Family, inlined

__all__ = ["TRUNCATIONS", "PairKernels", "pair_kernels"]

TRUNCATIONS = ("cut", "shift", "shifted-force", "smooth")

# Sums may be reordered (that is what lets the compiler use vector registers); NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}


@dataclasses.dataclass(frozen=True)
class PairKernels:
    """Compiled kernels of one functional form; they take ``(begin, end, ...)`` ranges of rows."""

    energy_forces: object
    hessian_rows: object
    list_pairs: object
    terms: object


@functools.cache
def pair_kernels(form, truncation: str, d: int, mixing, squared=None) -> PairKernels:
    """Compile the kernels.

    Parameters
    ----------
    form : callable
        Plain function ``form(x, p) -> (u, du, ddu)`` with x = r / sigma.
    truncation : {"cut", "shift", "shifted-force", "smooth"}
        What is added to the form below the cutoff.
    d : int
        Dimension of space.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters, else None: a table by species.
    squared : callable, optional
        The form by ``x**2``: see `Form`.
    """
    function = inlined(form)
    by_square = inlined(squared or form)
    has_square = squared is not None
    per_particle = mixing is not None
    mix = inlined(mixing) if per_particle else _no_mixing
    order = TRUNCATIONS.index(truncation)
    family = Family(form, mixing, squared, constants=(truncation, d))

    @family.inline
    def terms(x, p, t):
        # Energy and derivatives by x, with the truncation's polynomial t0 + t1 x + t2 x**2 + t4 x**4.
        u, du, ddu = function(x, p)
        if order == 1:
            u += t[0]
        elif order == 2:
            u += t[0] + t[1] * x
            du += t[1]
        elif order == 3:
            square = x * x
            u += t[0] + square * (t[2] + t[3] * square)
            du += x * (2.0 * t[2] + 4.0 * t[3] * square)
            ddu += 2.0 * t[2] + 12.0 * t[3] * square
        return u, du, ddu

    @family.inline
    def energy_and_pull(square, scale, p, t):
        # Energy of a pair, and dU/dr over r. Square roots and divisions are what most time goes into.
        if has_square:
            s = square * scale * scale
            u, w = by_square(s, p)
            if order == 1:
                u += t[0]
            elif order == 2:
                inverse = math.sqrt(1.0 / s)
                u += t[0] + t[1] * (s * inverse)
                w += t[1] * inverse
            elif order == 3:
                u += t[0] + s * (t[2] + t[3] * s)
                w += 2.0 * t[2] + 4.0 * t[3] * s
            return u, w * scale * scale
        r = math.sqrt(square)
        u, du, _ = terms(r * scale, p, t)
        return u, du * scale / r

    @family.kernel(fastmath=_FASTMATH, error_model="numpy")
    def energy_forces(begin, end, limit, positions, built_at, offset, sites, rows, row_site, start, neighbours,
                      owner, groups, diameters, inverse_sigma, parameters, tail, cutoff_squared, energies,
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
        # Components are written out, not looped over: sums in registers are what makes the inner loop a vector
        # loop. Lines for components beyond d vanish at compile time.
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            x0 = sites[me, 0]
            x1 = sites[me, 1] if d > 1 else 0.0
            x2 = sites[me, 2] if d > 2 else 0.0
            x3 = sites[me, 3] if d > 3 else 0.0
            x4 = sites[me, 4] if d > 4 else 0.0
            x5 = sites[me, 5] if d > 5 else 0.0
            x6 = sites[me, 6] if d > 6 else 0.0
            x7 = sites[me, 7] if d > 7 else 0.0
            f0 = f1 = f2 = f3 = f4 = f5 = f6 = f7 = 0.0
            energy = 0.0
            diameter = diameters[i]
            gi = groups[i]
            for gj in range(start.shape[1] - 1):
                p = parameters[gi, gj]
                t = tail[gi, gj]
                scale = inverse_sigma[gi, gj]
                limit = cutoff_squared[gi, gj]
                for k in range(start[row, gj], start[row, gj + 1]):
                    j = neighbours[k]
                    d0 = sites[j, 0] - x0
                    square = d0 * d0
                    if d > 1:
                        d1 = sites[j, 1] - x1
                        square += d1 * d1
                    if d > 2:
                        d2 = sites[j, 2] - x2
                        square += d2 * d2
                    if d > 3:
                        d3 = sites[j, 3] - x3
                        square += d3 * d3
                    if d > 4:
                        d4 = sites[j, 4] - x4
                        square += d4 * d4
                    if d > 5:
                        d5 = sites[j, 5] - x5
                        square += d5 * d5
                    if d > 6:
                        d6 = sites[j, 6] - x6
                        square += d6 * d6
                    if d > 7:
                        d7 = sites[j, 7] - x7
                        square += d7 * d7
                    if per_particle:
                        scale = 1.0 / mix(diameter, diameters[owner[j]])
                        inside = square * scale * scale < limit
                    else:
                        inside = square < limit
                    u, w = energy_and_pull(square, scale, p, t)
                    # A blend, not a branch: a branch would keep the loop scalar.
                    u = u if inside else 0.0
                    w = w if inside else 0.0
                    energy += u
                    f0 += w * d0
                    if d > 1:
                        f1 += w * d1
                    if d > 2:
                        f2 += w * d2
                    if d > 3:
                        f3 += w * d3
                    if d > 4:
                        f4 += w * d4
                    if d > 5:
                        f5 += w * d5
                    if d > 6:
                        f6 += w * d6
                    if d > 7:
                        f7 += w * d7
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
    def hessian_rows(begin, end, sites, rows, row_site, start, neighbours, owner, groups, diameters, inverse_sigma,
                     parameters, tail, cutoff_squared, first, columns, blocks, length):  # fmt: skip
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
                    _, du, ddu = terms(r * scale, parameters[gi, gj], tail[gi, gj])
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
                   parameters, tail, cutoff_squared, shift, first, pair_i, pair_j, vectors, scalars,
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
                        _, du, ddu = terms(r * scale, parameters[gi, gj], tail[gi, gj])
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

    return PairKernels(energy_forces, hessian_rows, list_pairs, terms)


@inlined
def _no_mixing(d_i, d_j):
    return 1.0
