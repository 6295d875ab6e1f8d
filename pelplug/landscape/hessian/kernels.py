"""Compiled loops of the Hessian solvers: moving blocks between fronts, and the dipoles' elements."""

from __future__ import annotations

import numpy as np

from pelplug.execution.compile import kernel

__all__ = [
    "dense_products",
    "diagonal_blocks",
    "extend_add",
    "fill_dense",
    "gather",
    "mirror",
    "pair_elements",
    "scatter_own",
]

TILE = 64
# Dipoles and columns treated together: a few hundred particles' rows of one tile stay in the second-level cache.
PAIRS = 2048
COLUMNS = 256


@kernel
def scatter_own(indptr, indices, data, own, local, f11, f21):
    """Put M's lower blocks of the particles eliminated here into F11 and F21."""
    d = data.shape[1]
    k = own.size
    for column in range(k):
        i = own[column]
        for entry in range(indptr[i], indptr[i + 1]):
            row = local[indices[entry]]
            if row < column:
                continue
            for a in range(d):
                for b in range(d):
                    # M is symmetric: its block (i, j) transposed is the block (j, i) wanted here.
                    value = data[entry, a, b]
                    if row < k:
                        f11[row * d + b, column * d + a] = value
                    else:
                        f21[(row - k) * d + b, column * d + a] = value


@kernel
def extend_add(begin, end, rows, d, update, f11, f21, f22):
    """Add the lower triangle of a child's update into its parent's front; threads own rows of the child."""
    k = f11.shape[0]
    for p in range(begin, end):
        for a in range(d):
            source = p * d + a
            target = rows[p] * d + a
            for q in range(p + 1):
                column = rows[q] * d
                width = d if q < p else a + 1
                if target < k:
                    for b in range(width):
                        f11[target, column + b] += update[source, q * d + b]
                elif column < k:
                    for b in range(width):
                        f21[target - k, column + b] += update[source, q * d + b]
                else:
                    for b in range(width):
                        f22[target - k, column - k + b] += update[source, q * d + b]


@kernel
def gather(begin, end, rows, d, corner, side, rest, out):
    """Copy the lower triangle of the rows and columns ``rows`` (ascending, blocks of d) of [corner, .; side, rest]."""
    k = corner.shape[0]
    for p in range(begin, end):
        for a in range(d):
            target = p * d + a
            source = rows[p] * d + a
            for q in range(p + 1):
                column = rows[q] * d
                if source < k:
                    for b in range(d):
                        out[target, q * d + b] = corner[source, column + b]
                elif column < k:
                    for b in range(d):
                        out[target, q * d + b] = side[source - k, column + b]
                else:
                    for b in range(d):
                        out[target, q * d + b] = rest[source - k, column - k + b]


@kernel
def mirror(begin, end, matrix):
    """Copy the lower triangle of rows ``begin..end`` into the upper one, tile by tile."""
    for low in range(begin, end, TILE):
        high = min(low + TILE, end)
        for left in range(0, high, TILE):
            for i in range(low, high):
                for j in range(left, min(left + TILE, i)):
                    matrix[j, i] = matrix[i, j]


@kernel
def pair_elements(pairs, earlier, later, unit, local, z_own, z_far, out):
    """Write n.Z_ij.n of the pairs whose first particle is eliminated in this front."""
    d = unit.shape[1]
    k = z_own.shape[0] // d
    for p in pairs:
        column = local[earlier[p]]
        row = local[later[p]]
        total = 0.0
        for a in range(d):
            for b in range(d):
                if row < k:
                    total += unit[p, a] * z_own[row * d + a, column * d + b] * unit[p, b]
                else:
                    total += unit[p, a] * z_far[(row - k) * d + a, column * d + b] * unit[p, b]
        out[p] = total


@kernel
def diagonal_blocks(own, z_own, out):
    """Copy the diagonal blocks of the particles eliminated in this front."""
    d = out.shape[1]
    for row in range(own.size):
        for a in range(d):
            for b in range(d):
                out[own[row], a, b] = z_own[row * d + a, row * d + b]


@kernel
def fill_dense(begin, end, indptr, indices, data, shift, out):
    """Write the lower triangle of M + shift * (ones on the diagonal of every (d, d) block)."""
    d = data.shape[1]
    for i in range(begin, end):
        for a in range(d):
            for j in range(i + 1):
                out[i * d + a, j * d + a] = shift
        for entry in range(indptr[i], indptr[i + 1]):
            j = indices[entry]
            if j <= i:
                for a in range(d):
                    for b in range(d):
                        out[i * d + a, j * d + b] += data[entry, a, b]


@kernel(fastmath={"reassoc", "contract"})
def dense_products(begin, end, order, i, j, unit, inverse, first, second):
    """d.A.d and |A.d|**2 of each dipole, A the symmetric inverse, over tiles of columns that fit in cache."""
    d = unit.shape[1]
    size = inverse.shape[0]
    response = np.empty(COLUMNS)
    for low in range(begin, end, PAIRS):
        high = min(low + PAIRS, end)
        for p in order[low:high]:
            total = 0.0
            for a in range(d):
                for b in range(d):
                    near = inverse[i[p] * d + a, i[p] * d + b] + inverse[j[p] * d + a, j[p] * d + b]
                    total += unit[p, a] * unit[p, b] * (near - 2.0 * inverse[i[p] * d + a, j[p] * d + b])
            first[p] = 0.5 * total
            second[p] = 0.0
        for left in range(0, size, COLUMNS):
            width = min(COLUMNS, size - left)
            for p in order[low:high]:
                response[:] = 0.0
                for a in range(d):
                    factor = unit[p, a]
                    plus = inverse[j[p] * d + a, left : left + width]
                    minus = inverse[i[p] * d + a, left : left + width]
                    for c in range(width):
                        response[c] += factor * (plus[c] - minus[c])
                total = 0.0
                for c in range(width):
                    total += response[c] * response[c]
                second[p] += 0.5 * total
