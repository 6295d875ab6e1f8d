"""The body of every pair kernel: energy and force of one particle from a run of its neighbours.

Written once, as plain Python; `Family` compiles it into the kernels of the processor and of CUDA.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pelplug.execution.compile import Family

__all__ = ["pair_row", "unmixed"]


def pair_row(family: Family, form, d: int, mixing: Callable | None, listed_by_species: bool, nearest_image: bool):
    """Return the compiled body.

    Parameters
    ----------
    family : Family
        Of the kernels that call it; says for which device.
    form : Form
        The functional form, truncated.
    d : int
        Dimension of space.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters, else None: a table by species.
    listed_by_species : bool
        Whether all neighbours of a run are of one species: what is constant for the pair is then looked up once.
    nearest_image : bool
        Whether neighbours are seen at their nearest image in a lower triangular cell, d <= 3; else where they are.

    Returns
    -------
    callable
        ``row(i, gi, gj, me, low, high, places, cell, neighbours, owner, groups, diameters, inverse_sigma, parameters,
        cutoff_squared) -> (energy, f0, ..., f7)`` of particle ``i`` of species ``gi`` at place ``me`` and its
        neighbours at the places ``neighbours[low:high]``: twice their share of the energy, and the force. ``owner``
        has the particle at each place, ``gj`` the neighbours' species where they are listed by it.
    """
    function, squared = family.use(form.function), family.use(form.squared or form.function)
    has_square = form.squared is not None
    per_particle = mixing is not None
    mix = family.use(mixing or unmixed)

    @family.inline
    def energy_and_pull(square, scale, p):
        # Energy of a pair, and dU/dr over r. Square roots and divisions are what most time goes into.
        if has_square:
            u, w = squared(square * scale * scale, p)
            return u, w * scale * scale
        r = math.sqrt(square)
        u, du, _ = function(r * scale, p)
        return u, du * scale / r

    @family.inline
    def row(i, gi, gj, me, low, high, places, cell, neighbours, owner, groups, diameters, inverse_sigma, parameters,
            cutoff_squared):  # fmt: skip
        # Components are written out, not looped over: sums in registers are what makes the loop a vector loop. Lines
        # for components beyond d vanish at compile time.
        x0 = places[me, 0]
        x1 = places[me, 1] if d > 1 else 0.0
        x2 = places[me, 2] if d > 2 else 0.0
        x3 = places[me, 3] if d > 3 else 0.0
        x4 = places[me, 4] if d > 4 else 0.0
        x5 = places[me, 5] if d > 5 else 0.0
        x6 = places[me, 6] if d > 6 else 0.0
        x7 = places[me, 7] if d > 7 else 0.0
        f0 = f1 = f2 = f3 = f4 = f5 = f6 = f7 = 0.0
        energy = 0.0
        diameter = diameters[i]
        p = parameters[gi, gj]
        scale = inverse_sigma[gi, gj]
        limit = cutoff_squared[gi, gj]
        for k in range(low, high):
            j = neighbours[k]
            d0 = places[j, 0] - x0
            d1 = places[j, 1] - x1 if d > 1 else 0.0
            d2 = places[j, 2] - x2 if d > 2 else 0.0
            if nearest_image:  # from the last cell vector to the first
                if d > 2:
                    turns = math.floor(d2 / cell[2, 2] + 0.5)
                    d2 -= turns * cell[2, 2]
                    d1 -= turns * cell[2, 1]
                    d0 -= turns * cell[2, 0]
                if d > 1:
                    turns = math.floor(d1 / cell[1, 1] + 0.5)
                    d1 -= turns * cell[1, 1]
                    d0 -= turns * cell[1, 0]
                d0 -= math.floor(d0 / cell[0, 0] + 0.5) * cell[0, 0]
            square = d0 * d0
            if d > 1:
                square += d1 * d1
            if d > 2:
                square += d2 * d2
            if d > 3:
                d3 = places[j, 3] - x3
                square += d3 * d3
            if d > 4:
                d4 = places[j, 4] - x4
                square += d4 * d4
            if d > 5:
                d5 = places[j, 5] - x5
                square += d5 * d5
            if d > 6:
                d6 = places[j, 6] - x6
                square += d6 * d6
            if d > 7:
                d7 = places[j, 7] - x7
                square += d7 * d7
            if not listed_by_species:
                g = groups[owner[j]]
                p = parameters[gi, g]
                scale = inverse_sigma[gi, g]
                limit = cutoff_squared[gi, g]
            if per_particle:
                scale = 1.0 / mix(diameter, diameters[owner[j]])
                inside = square * scale * scale < limit
            else:
                inside = square < limit
            u, w = energy_and_pull(square, scale, p)
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
        return energy, f0, f1, f2, f3, f4, f5, f6, f7

    return row


def unmixed(d_i, d_j):
    """Stand in for a rule of mixing where there are no diameters."""
    return 1.0
