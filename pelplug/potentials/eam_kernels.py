"""Splines of an embedded-atom potential and the kernels that evaluate them.

Energy and forces visit each pair once. Rows are cut into chunks, a number that depends on N alone; each chunk adds to
sums of its own and these are added in order, so results do not depend on the number of threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from pelplug.execution.compile import kernel

__all__ = [
    "add_shares",
    "densities",
    "embeddings",
    "entry_values",
    "halve",
    "pair_forces",
    "spline_coefficients",
]

# Sums may be reordered (that is what lets the compiler use vector registers); NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}


def spline_coefficients(values: np.ndarray) -> np.ndarray:
    """Interpolate a table by piecewise cubics with a continuous first derivative, as LAMMPS does.

    A piece takes its values and slopes from its two ends. The slope at a point is the five-point difference
    ``(v[-2] - 8 v[-1] + 8 v[1] - v[2]) / 12``, the central one at the second point from either end, and the one-sided
    one at the ends.

    Parameters
    ----------
    values : ndarray, shape (..., n)
        Equally spaced values, n >= 5.

    Returns
    -------
    ndarray, shape (..., n - 1, 4)
        ``c`` of each piece: ``c[0] + c[1] t + c[2] t**2 + c[3] t**3`` with t from 0 to 1.
    """
    v = np.asarray(values, dtype=np.float64)
    slope = np.empty_like(v)
    slope[..., 2:-2] = (v[..., :-4] - v[..., 4:] + 8.0 * (v[..., 3:-1] - v[..., 1:-3])) / 12.0
    slope[..., 1] = 0.5 * (v[..., 2] - v[..., 0])
    slope[..., -2] = 0.5 * (v[..., -1] - v[..., -3])
    slope[..., 0] = v[..., 1] - v[..., 0]
    slope[..., -1] = v[..., -1] - v[..., -2]
    rise = np.diff(v)
    left, right = slope[..., :-1], slope[..., 1:]
    return np.stack([v[..., :-1], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise], axis=-1)


@numba.njit(inline="always")
def _embed(rho, table, inverse_drho):
    # Below the table the first piece goes on; above it F is continued by a straight line.
    x = rho * inverse_drho
    m = min(max(int(x), 0), table.shape[0] - 1)
    t = x - m
    over = max(t - 1.0, 0.0)
    t = min(t, 1.0)
    first = (3.0 * table[m, 3] * t + 2.0 * table[m, 2]) * t + table[m, 1]
    value = ((table[m, 3] * t + table[m, 2]) * t + table[m, 1]) * t + table[m, 0] + over * first
    second = 0.0 if over > 0.0 else 6.0 * table[m, 3] * t + 2.0 * table[m, 2]
    return value, first * inverse_drho, second * inverse_drho * inverse_drho


@kernel(error_model="numpy")
def halve(rows, row_site, start, neighbours, owner, shift, half_start, half):
    """Fill ``half_start`` and ``half``, of the shapes of ``start`` and ``neighbours``, with each pair in one direction.

    Which direction alternates with the particles' numbers, so that rows keep about half of their neighbours each.
    """
    kept = np.uint64(0)
    for row in range(len(rows)):
        i = rows[row]
        me = row_site[row]
        for g in range(start.shape[1] - 1):
            half_start[row, g] = kept
            for k in range(np.uint64(start[row, g]), np.uint64(start[row, g + 1])):
                j = neighbours[k]
                o = owner[j]
                here = i < o
                if i == o:  # an atom and its own images: those in the lexicographically positive directions
                    for a in range(shift.shape[1]):
                        step = shift[j, a] - shift[me, a]
                        if step != 0:
                            here = step > 0
                            break
                elif (i + o) & 1:
                    here = not here
                if here:
                    half[kept] = j
                    kept += np.uint64(1)
        half_start[row, start.shape[1] - 1] = kept


@kernel(fastmath=_FASTMATH, error_model="numpy")
def densities(begin, end, chunks, sites, rows, row_site, start, neighbours, owner, groups, radial, inverse_dr,
              cutoff_squared, energies, shares, inside, ends, pulls):  # fmt: skip
    """First of three passes: pair energies, and what each chunk of rows adds to the densities, ``shares[chunk]``.

    ``inside[start[row, 0]:ends[row]]`` are the row's neighbours within the cutoff, and ``pulls`` what a pair exerts
    over its distance: the slope of phi, and those of the densities that the neighbour makes here and the row there.
    """
    last = radial.shape[2] - 1
    n = len(rows)
    for chunk in range(begin, end):
        share = shares[chunk]
        share[:] = 0.0
        for row in range(n * chunk // chunks, n * (chunk + 1) // chunks):
            me = row_site[row]
            i = rows[row]
            x0 = sites[me, 0]
            x1 = sites[me, 1]
            x2 = sites[me, 2]
            energy = rho = 0.0
            gi = groups[i]
            to = np.uint64(start[row, 0])
            for gj in range(start.shape[1] - 1):
                table = radial[gi, gj]
                back = radial[gj, gi]
                # Unsigned counters spare numba's test for negative indices.
                for k in range(np.uint64(start[row, gj]), np.uint64(start[row, gj + 1])):
                    j = neighbours[k]
                    d0 = sites[j, 0] - x0
                    d1 = sites[j, 1] - x1
                    d2 = sites[j, 2] - x2
                    square = d0 * d0 + d1 * d1 + d2 * d2
                    if not square < cutoff_squared:
                        continue
                    r = math.sqrt(square)
                    inverse = 1.0 / r
                    x = r * inverse_dr
                    m = min(np.int64(x), last)
                    t = min(x - m, 1.0)
                    scale = inverse_dr * inverse
                    c = table[np.uint64(m)]
                    phi = (((c[3] * t + c[2]) * t + c[1]) * t + c[0]) * inverse
                    energy += phi
                    slope = ((3.0 * c[3] * t + 2.0 * c[2]) * t + c[1]) * inverse_dr
                    pulls[to, 0] = (slope - phi) * inverse * inverse
                    made = ((c[7] * t + c[6]) * t + c[5]) * t + c[4]
                    pull = ((3.0 * c[7] * t + 2.0 * c[6]) * t + c[5]) * scale
                    rho += made
                    pulls[to, 1] = pull
                    if gi != gj:
                        c = back[np.uint64(m)]
                        made = ((c[7] * t + c[6]) * t + c[5]) * t + c[4]
                        pull = ((3.0 * c[7] * t + 2.0 * c[6]) * t + c[5]) * scale
                    pulls[to, 2] = pull
                    share[np.uint64(owner[j])] += made
                    inside[to] = j
                    to += np.uint64(1)
            ends[row] = to
            share[i] += rho
            energies[i] = energy


@kernel(fastmath=_FASTMATH, error_model="numpy")
def embeddings(begin, end, shares, groups, embedding, inverse_drho, energies, slopes, curvatures):
    """Second pass: add up the densities, and embed."""
    for i in range(begin, end):
        rho = 0.0
        for chunk in range(shares.shape[0]):
            rho += shares[chunk, i]
        value, slope, curvature = _embed(rho, embedding[groups[i]], inverse_drho)
        energies[i] += value
        slopes[i] = slope
        curvatures[i] = curvature


@kernel(fastmath=_FASTMATH, error_model="numpy")
def pair_forces(begin, end, chunks, sites, rows, row_site, start, owner, inside, ends, pulls, slopes, shares):
    """Third pass: what each chunk of rows adds to the forces, ``shares[chunk]``, shape (N, 3)."""
    n = len(rows)
    for chunk in range(begin, end):
        share = shares[chunk]
        share[:] = 0.0
        for row in range(n * chunk // chunks, n * (chunk + 1) // chunks):
            me = row_site[row]
            i = rows[row]
            x0 = sites[me, 0]
            x1 = sites[me, 1]
            x2 = sites[me, 2]
            f0 = f1 = f2 = 0.0
            slope = slopes[i]
            for k in range(np.uint64(start[row, 0]), np.uint64(ends[row])):
                j = inside[k]
                o = np.uint64(owner[j])
                w = pulls[k, 0] + slope * pulls[k, 1] + slopes[o] * pulls[k, 2]
                w0 = w * (sites[j, 0] - x0)
                w1 = w * (sites[j, 1] - x1)
                w2 = w * (sites[j, 2] - x2)
                f0 += w0
                f1 += w1
                f2 += w2
                share[o, 0] -= w0
                share[o, 1] -= w1
                share[o, 2] -= w2
            share[i, 0] += f0
            share[i, 1] += f1
            share[i, 2] += f2


@kernel(error_model="numpy")
def virials(begin, end, sites, rows, row_site, start, owner, inside, ends, pulls, slopes, sums):
    """After the third pass: r times the effective slope of every pair, by the row that has it."""
    for row in range(begin, end):
        me = row_site[row]
        i = rows[row]
        total = 0.0
        for k in range(np.uint64(start[row, 0]), np.uint64(ends[row])):
            j = inside[k]
            w = pulls[k, 0] + slopes[i] * pulls[k, 1] + slopes[np.uint64(owner[j])] * pulls[k, 2]
            square = 0.0
            for a in range(3):
                step = sites[j, a] - sites[me, a]
                square += step * step
            total += w * square
        sums[i] = total


@kernel(error_model="numpy")
def add_shares(begin, end, shares, forces):
    """Add up the chunks in their order, whatever the threads were."""
    for i in range(begin, end):
        f0 = f1 = f2 = 0.0
        for chunk in range(shares.shape[0]):
            f0 += shares[chunk, i, 0]
            f1 += shares[chunk, i, 1]
            f2 += shares[chunk, i, 2]
        forces[i, 0] = f0
        forces[i, 1] = f1
        forces[i, 2] = f2


@kernel(error_model="numpy")
def entry_values(begin, end, sites, rows, row_site, start, neighbours, owner, groups, radial, inverse_dr,
                 cutoff_squared, slopes, shift, inside, pair_i, pair_j, image, vectors, scalars):  # fmt: skip
    """List every neighbour: who, where, distance, effective U' and U'', slopes of the densities made here and there."""
    last = radial.shape[2] - 1
    vector = np.empty(3)
    for row in range(begin, end):
        me = row_site[row]
        i = rows[row]
        gi = groups[i]
        for gj in range(start.shape[1] - 1):
            for k in range(start[row, gj], start[row, gj + 1]):
                j = neighbours[k]
                square = 0.0
                for a in range(3):
                    vector[a] = sites[j, a] - sites[me, a]
                    square += vector[a] * vector[a]
                inside[k] = square < cutoff_squared
                if not inside[k]:
                    continue
                o = owner[j]
                pair_i[k] = i
                pair_j[k] = o
                for a in range(3):
                    vectors[k, a] = vector[a]
                    image[k, a] = shift[j, a] - shift[me, a]
                r = math.sqrt(square)
                x = r * inverse_dr
                m = min(int(x), last)
                t = x - m
                # Beyond the last value of the table slopes are constant.
                bend = inverse_dr * inverse_dr if t <= 1.0 else 0.0
                t = min(t, 1.0)
                c = radial[gi, gj, m]
                z = ((c[3] * t + c[2]) * t + c[1]) * t + c[0]
                dz = ((3.0 * c[3] * t + 2.0 * c[2]) * t + c[1]) * inverse_dr
                ddz = (6.0 * c[3] * t + 2.0 * c[2]) * bend
                here = ((3.0 * c[7] * t + 2.0 * c[6]) * t + c[5]) * inverse_dr
                bend_here = (6.0 * c[7] * t + 2.0 * c[6]) * bend
                c = radial[gj, gi, m]
                there = ((3.0 * c[7] * t + 2.0 * c[6]) * t + c[5]) * inverse_dr
                bend_there = (6.0 * c[7] * t + 2.0 * c[6]) * bend
                dphi = (dz - z / r) / r
                scalars[k, 0] = r
                scalars[k, 1] = dphi + slopes[i] * here + slopes[o] * there
                scalars[k, 2] = (ddz - 2.0 * dphi) / r + slopes[i] * bend_here + slopes[o] * bend_there
                scalars[k, 3] = here
                scalars[k, 4] = there
