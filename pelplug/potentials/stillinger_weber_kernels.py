"""Kernels for the Stillinger-Weber potential: angles by moments, so that nothing loops over triplets.

Let u be the unit vector from a particle to a neighbour and h(r) the three-body decay. The moments s = sum h,
p = sum h u and Q = sum h u u of a shell give the sum over pairs of neighbours in closed form, because
(u.v - c)**2 = (u.v)**2 - 2 c u.v + c**2::

    sum_{j<k} h_j h_k (u_j.u_k - c)**2 = (Q:Q - 2 c p.p + c**2 s**2 - (1 - c)**2 sum h**2) / 2

The last term takes off the neighbours paired with themselves. A second derivative is then a part of each
neighbour, in which the moments are held, and a product of the derivatives of the moments.

Moments of one shell are ten numbers: s, p_x, p_y, p_z, Q_xx, Q_yy, Q_zz, Q_xy, Q_xz, Q_yz.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from pelplug.execution.compile import Family

__all__ = ["MOMENTS", "StillingerWeberKernels", "stillinger_weber_kernels"]

MOMENTS = 10

# Sums may be reordered (that is what lets the compiler use vector registers); NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}


@dataclasses.dataclass(frozen=True)
class StillingerWeberKernels:
    """Compiled kernels for one dimension and one pair of exponents."""

    shells: Callable
    angular_forces: Callable
    entries: Callable
    count_columns: Callable
    hessian_rows: Callable


@functools.cache
def stillinger_weber_kernels(d: int, p: float, q: float) -> StillingerWeberKernels:
    """Compile the kernels for dimension ``d`` (2 or 3) and the exponents of the two-body part.

    Their argument ``numbers`` is (range, sigma, A epsilon, B, gamma, lambda epsilon, cos_theta0).
    """
    # Whole exponents become products.
    p = int(p) if float(p).is_integer() else float(p)
    q = int(q) if float(q).is_integer() else float(q)
    family = Family(constants=("stillinger-weber", d, p, q))

    @family.kernel(fastmath=_FASTMATH, error_model="numpy")
    def shells(begin, end, sites, rows, row_site, start, neighbours, numbers, near, found, count, moments, energies,
               forces):  # fmt: skip
        # Neighbours within range, packed at the start of their row: unit vector, 1/r, h, h' in the six lines of
        # ``found``; the moments of the shell, the energy, the two-body forces.
        reach, sigma, depth, b, gamma, strength, c = numbers
        limit = reach * reach * (1.0 - 1e-14)  # h and the two-body part are zero so close below the range
        for row in range(begin, end):
            me = row_site[row]
            i = rows[row]
            x0 = sites[me, 0]
            x1 = sites[me, 1]
            x2 = sites[me, 2] if d > 2 else 0.0
            first = np.uint64(start[row, 0])
            at = first
            for k in range(first, np.uint64(start[row, 1])):
                j = neighbours[k]
                d0 = sites[j, 0] - x0
                d1 = sites[j, 1] - x1
                d2 = sites[j, 2] - x2 if d > 2 else 0.0
                square = d0 * d0 + d1 * d1 + d2 * d2
                # Written always and kept if near: a branch would be mispredicted often.
                near[at] = j
                found[0, at] = d0
                found[1, at] = d1
                found[2, at] = d2
                found[3, at] = square
                at += np.uint64(square < limit)
            count[i] = at - first
            energy = s = selves = 0.0
            p0 = p1 = p2 = 0.0
            q00 = q11 = q22 = q01 = q02 = q12 = 0.0
            f0 = f1 = f2 = 0.0
            for k in range(first, at):
                r = math.sqrt(found[3, k])
                inverse = 1.0 / r
                u0 = found[0, k] * inverse
                u1 = found[1, k] * inverse
                u2 = found[2, k] * inverse
                y = sigma * inverse
                z = sigma / (r - reach)
                steep = z * z / sigma
                h = math.exp(gamma * z)
                decay = depth * math.exp(z)
                repulsion = b * y**p * decay
                attraction = y**q * decay
                pair = repulsion - attraction
                slope = (q * attraction - p * repulsion) * inverse - pair * steep
                energy += pair
                f0 += slope * u0
                f1 += slope * u1
                f2 += slope * u2
                s += h
                selves += h * h
                h0 = h * u0
                h1 = h * u1
                h2 = h * u2
                p0 += h0
                p1 += h1
                p2 += h2
                q00 += h0 * u0
                q11 += h1 * u1
                q22 += h2 * u2
                q01 += h0 * u1
                q02 += h0 * u2
                q12 += h1 * u2
                found[0, k] = u0
                found[1, k] = u1
                found[2, k] = u2
                found[3, k] = inverse
                found[4, k] = h
                found[5, k] = -gamma * steep * h
            moments[i, 0] = s
            moments[i, 1] = p0
            moments[i, 2] = p1
            moments[i, 3] = p2
            moments[i, 4] = q00
            moments[i, 5] = q11
            moments[i, 6] = q22
            moments[i, 7] = q01
            moments[i, 8] = q02
            moments[i, 9] = q12
            angles = q00 * q00 + q11 * q11 + q22 * q22 + 2.0 * (q01 * q01 + q02 * q02 + q12 * q12)
            angles += c * (c * s * s - 2.0 * (p0 * p0 + p1 * p1 + p2 * p2)) - (1.0 - c) ** 2 * selves
            energies[i] = 0.5 * (energy + strength * angles)
            forces[i, 0] = f0
            forces[i, 1] = f1
            if d > 2:
                forces[i, 2] = f2

    @family.kernel(fastmath=_FASTMATH, error_model="numpy")
    def angular_forces(begin, end, rows, start, owner, numbers, near, found, count, moments, forces):
        # Each neighbour pulls as member of the particle's shell, and as the centre of a shell the particle is in: its
        # vector is then the opposite one, which changes the sign of p.
        strength, c = numbers[5], numbers[6]
        for row in range(begin, end):
            i = rows[row]
            s = moments[i, 0]
            p0 = moments[i, 1]
            p1 = moments[i, 2]
            p2 = moments[i, 3]
            q00 = moments[i, 4]
            q11 = moments[i, 5]
            q22 = moments[i, 6]
            q01 = moments[i, 7]
            q02 = moments[i, 8]
            q12 = moments[i, 9]
            f0 = f1 = f2 = 0.0
            first = np.uint64(start[row, 0])
            for k in range(first, first + np.uint64(count[i])):
                o = np.uint64(owner[near[k]])
                u0 = found[0, k]
                u1 = found[1, k]
                u2 = found[2, k]
                h = found[4, k]
                m01 = q01 + moments[o, 7]
                m02 = q02 + moments[o, 8]
                m12 = q12 + moments[o, 9]
                c0 = c * (p0 - moments[o, 1])
                c1 = c * (p1 - moments[o, 2])
                c2 = c * (p2 - moments[o, 3])
                v0 = (q00 + moments[o, 4]) * u0 + m01 * u1 + m02 * u2 - c0
                v1 = m01 * u0 + (q11 + moments[o, 5]) * u1 + m12 * u2 - c1
                v2 = m02 * u0 + m12 * u1 + (q22 + moments[o, 6]) * u2 - c2
                along = u0 * v0 + u1 * v1 + u2 * v2
                shared = u0 * c0 + u1 * c1 + u2 * c2
                others = along - shared + c * c * (s + moments[o, 0]) - 2.0 * (1.0 - c) ** 2 * h
                turn = 2.0 * h * found[3, k]
                pull = found[5, k] * others - turn * along
                f0 += pull * u0 + turn * v0
                f1 += pull * u1 + turn * v1
                f2 += pull * u2 + turn * v2
            forces[i, 0] += strength * f0
            forces[i, 1] += strength * f1
            if d > 2:
                forces[i, 2] += strength * f2

    @family.inline
    def derivatives_of_moments(u, across, h1, jacobian):
        # d(s, p, Q)/d(vector) of one neighbour, h1 = h' and across = h / r; shape (d, MOMENTS).
        for a in range(d):
            jacobian[a, 0] = h1 * u[a]
            for b in range(d):
                uab = u[a] * u[b]
                pab = (1.0 if a == b else 0.0) - uab
                jacobian[a, 1 + b] = h1 * uab + across * pab
                jacobian[a, 4 + b] = h1 * uab * u[b] + 2.0 * across * pab * u[b]
                for e in range(b):
                    pae = (1.0 if a == e else 0.0) - u[a] * u[e]
                    jacobian[a, 6 + b + e] = h1 * uab * u[e] + across * (pab * u[e] + u[b] * pae)

    @family.kernel(error_model="numpy")
    def entries(begin, end, rows, start, owner, numbers, near, found, count, moments, first, partner, site, vectors,
                scalars, gradient, local, jacobian, total):  # fmt: skip
        # Of every neighbour in every shell: vector; r, U', U'' of the two-body part; dU/d(vector) of the pair, its
        # second derivative with the moments of both shells held, and the derivatives of the moments (also summed).
        reach, sigma, depth, b, gamma, strength, c = numbers
        own = 2.0 * (1.0 - c) ** 2
        held = np.zeros((3, 3))
        u = np.empty(3)
        unit = np.empty(d)
        qu = np.empty(d)
        across_u = np.empty(d)
        for row in range(begin, end):
            i = rows[row]
            for n in range(count[i]):
                k = start[row, 0] + n
                at = first[i] + n
                o = owner[near[k]]
                partner[at] = o
                site[at] = near[k]
                inverse = found[3, k]
                r = 1.0 / inverse
                h = found[4, k]
                h1 = found[5, k]
                y = sigma * inverse
                z = sigma / (r - reach)
                steep = z * z / sigma
                bend = steep * (steep + 2.0 * z / sigma)  # of exp(z): its second derivative over itself
                h2 = h * gamma * steep * (gamma * steep + 2.0 * z / sigma)
                decay = depth * math.exp(z)
                repulsion = b * y**p * decay
                attraction = y**q * decay
                pair = repulsion - attraction
                core = (q * attraction - p * repulsion) * inverse
                slope = core - pair * steep
                curvature = (p * (p + 1) * repulsion - q * (q + 1) * attraction) * inverse * inverse
                curvature += pair * bend - 2.0 * core * steep
                scalars[at, 0] = r
                scalars[at, 1] = slope
                scalars[at, 2] = curvature
                for a in range(d):
                    u[a] = found[a, k]
                    unit[a] = u[a]
                    vectors[at, a] = r * u[a]
                    held[a, a] = moments[i, 4 + a] + moments[o, 4 + a]
                    for e in range(a):
                        held[a, e] = moments[i, 6 + a + e] + moments[o, 6 + a + e]
                        held[e, a] = held[a, e]
                uqu = up = 0.0
                for a in range(d):
                    qu[a] = 0.0
                    for e in range(d):
                        qu[a] += held[a, e] * u[e]
                    uqu += u[a] * qu[a]
                    up += u[a] * (moments[i, 1 + a] - moments[o, 1 + a])
                others = uqu - 2.0 * c * up + c * c * (moments[i, 0] + moments[o, 0])
                along = 2.0 * (uqu - c * up)
                for a in range(d):
                    across_u[a] = 2.0 * (qu[a] - c * (moments[i, 1 + a] - moments[o, 1 + a])) - along * u[a]
                stretch = others * h2 - own * (h1 * h1 + h * h2)
                tension = (others - own * h) * h1
                for a in range(d):
                    gradient[at, a] = (slope + strength * tension) * u[a] + strength * h * inverse * across_u[a]
                    for e in range(d):
                        uu = u[a] * u[e]
                        off = (1.0 if a == e else 0.0) - uu
                        mixed = u[a] * across_u[e] + across_u[a] * u[e]
                        turned = held[a, e] - u[a] * qu[e] - qu[a] * u[e] + uqu * uu
                        angular = stretch * uu + tension * inverse * off + h1 * inverse * mixed
                        angular += h * inverse * inverse * (2.0 * turned - along * off - mixed)
                        local[at, a, e] = curvature * uu + slope * inverse * off + strength * angular
                derivatives_of_moments(unit, h * inverse, h1, jacobian[at])
                for a in range(d):
                    for m in range(MOMENTS):
                        total[i, a, m] += jacobian[at, a, m]

    @family.kernel(error_model="numpy")
    def count_columns(begin, end, first, partner, length):
        # Row i of the Hessian has its particle, its neighbours and theirs.
        seen = np.full(len(length), -1)
        for i in range(begin, end):
            seen[i] = i
            n = 1
            for at in range(first[i], first[i + 1]):
                o = partner[at]
                if seen[o] != i:
                    seen[o] = i
                    n += 1
                for other in range(first[o], first[o + 1]):
                    if seen[partner[other]] != i:
                        seen[partner[other]] = i
                        n += 1
            length[i] = n

    @family.inline
    def add_product(left, right, factor, block):
        # block += factor * left . right^T over the moments.
        for a in range(d):
            for b in range(d):
                value = 0.0
                for m in range(MOMENTS):
                    value += left[a, m] * right[b, m]
                block[a, b] += factor * value

    @family.kernel(error_model="numpy")
    def hessian_rows(begin, end, first, partner, local, jacobian, total, weights, pointer, columns, blocks):
        place = np.full(len(total), -1)
        mine = np.empty((d, MOMENTS))
        reverse = np.empty((d, MOMENTS))
        for i in range(begin, end):
            low = pointer[i]
            high = low
            place[i] = high
            columns[high] = i
            high += 1
            for at in range(first[i], first[i + 1]):
                o = partner[at]
                if place[o] < low:
                    place[o] = high
                    columns[high] = o
                    high += 1
                for other in range(first[o], first[o + 1]):
                    k = partner[other]
                    if place[k] < low:
                        place[k] = high
                        columns[high] = k
                        high += 1
            ordered = np.sort(columns[low:high])
            for n in range(high - low):
                columns[low + n] = ordered[n]
                place[ordered[n]] = low + n
                for a in range(d):
                    for b in range(d):
                        blocks[low + n, a, b] = 0.0
            for a in range(d):
                for m in range(MOMENTS):
                    mine[a, m] = total[i, a, m] * weights[m]
            diagonal = blocks[place[i]]
            add_product(mine, total[i], 1.0, diagonal)
            for at in range(first[i], first[i + 1]):
                o = partner[at]
                block = blocks[place[o]]
                for a in range(d):
                    for b in range(d):
                        diagonal[a, b] += local[at, a, b]
                        block[a, b] -= local[at, a, b]
                    for m in range(MOMENTS):
                        # The particle in the neighbour's shell: its vector is the opposite one, p is odd in it.
                        sign = 1.0 if 1 <= m <= 3 else -1.0
                        reverse[a, m] = sign * jacobian[at, a, m] * weights[m]
                add_product(mine, jacobian[at], -1.0, block)
                add_product(reverse, total[o], -1.0, block)
                for other in range(first[o], first[o + 1]):
                    add_product(reverse, jacobian[other], 1.0, blocks[place[partner[other]]])

    return StillingerWeberKernels(shells, angular_forces, entries, count_columns, hessian_rows)
