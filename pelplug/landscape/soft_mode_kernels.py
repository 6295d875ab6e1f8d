"""Compiled loops over pairs for pseudoharmonic modes, for many fields at once."""

from __future__ import annotations

from pelplug.execution.compile import kernel

__all__ = ["pair_cubic"]


@kernel
def pair_cubic(begin, end, i, j, fields, cubic, quartic):
    """Write q = sum over pairs |z_ij|**4 and its gradient over four, for the fields ``begin..end``.

    ``fields`` and ``cubic`` have shape (K, N, d), ``quartic`` (K,); z_ij = z_j - z_i.
    """
    d = fields.shape[2]
    for k in range(begin, end):
        z, out = fields[k], cubic[k]
        out[:] = 0.0
        total = 0.0
        for p in range(i.size):
            a, b = i[p], j[p]
            square = 0.0
            for c in range(d):
                square += (z[b, c] - z[a, c]) ** 2
            total += square * square
            for c in range(d):
                push = square * (z[b, c] - z[a, c])
                out[b, c] += push
                out[a, c] -= push
        quartic[k] = total
