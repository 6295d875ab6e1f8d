"""The pair kernel of a GPU: the form's own Python function, compiled by numba.cuda.

It imports numba and nothing of pelplug, so that ``benchmarks/gpu.py`` can load it by its path where nothing else is
installed.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import cuda

__all__ = ["ORDERS", "cuda_pair_kernel", "pair_body"]

ORDERS = {"cut": 0, "shift": 1, "shifted-force": 2, "smooth": 3}
"""The truncations, as `pelplug.potentials.kernels.TRUNCATIONS` numbers them."""


@functools.cache
def cuda_pair_kernel(form, truncation: str, d: int, mixing):
    """Compile the kernel: one thread for each particle, a full neighbour list, no atomic additions.

    Parameters
    ----------
    form, truncation, d, mixing
        As for `pair_body`.

    Returns
    -------
    callable
        ``kernel[blocks, threads](positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma,
        parameters, tail, cutoff_squared, forces, energies)``.
    """
    body = pair_body(form, truncation, d, mixing, cuda.jit(device=True))

    @cuda.jit
    def kernel(positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters, tail,
               cutoff_squared, forces, energies):  # fmt: skip
        i = cuda.grid(1)
        if i < count.shape[0]:
            body(i, positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters, tail,
                 cutoff_squared, forces, energies)  # fmt: skip

    return kernel


def pair_body(form, truncation: str, d: int, mixing, jit):
    """Return what one thread does: energy and force of the particle at place ``i`` of HOOMD's arrays.

    Parameters
    ----------
    form : callable
        ``form(x, p) -> (u, du, ddu)``, as for `pelplug.potentials.kernels.pair_kernels`.
    truncation : {"cut", "shift", "shifted-force", "smooth"}
        What is added below the cutoff.
    d : int
        2 or 3.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters.
    jit : callable
        The compiler: ``cuda.jit(device=True)``, or ``numba.njit`` to try the body on a CPU.
    """
    order = ORDERS[truncation]
    per_particle = mixing is not None
    function, mix = jit(form), jit(mixing or _no_mixing)

    @jit
    def body(i, positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters, tail,
             cutoff_squared, forces, energies):  # fmt: skip
        me = tags[i]
        gi = groups[me]
        first = np.int64(head[i])  # with an unsigned number numba would add in floating point
        fx = fy = fz = energy = 0.0
        for k in range(first, first + np.int64(count[i])):
            j = neighbours[k]
            other = tags[j]
            gj = groups[other]
            dx = positions[j, 0] - positions[i, 0]
            dy = positions[j, 1] - positions[i, 1]
            dz = 0.0
            # The nearest image, from the last box vector to the first, as the box is lower triangular.
            if d == 3:
                dz = positions[j, 2] - positions[i, 2]
                turns = math.floor(dz / cell[2, 2] + 0.5)
                dz -= turns * cell[2, 2]
                dy -= turns * cell[2, 1]
                dx -= turns * cell[2, 0]
            turns = math.floor(dy / cell[1, 1] + 0.5)
            dy -= turns * cell[1, 1]
            dx -= turns * cell[1, 0]
            dx -= math.floor(dx / cell[0, 0] + 0.5) * cell[0, 0]
            square = dx * dx + dy * dy + dz * dz
            if per_particle:
                scale = 1.0 / mix(diameters[me], diameters[other])
                inside = square * scale * scale < cutoff_squared[gi, gj]
            else:
                scale = inverse_sigma[gi, gj]
                inside = square < cutoff_squared[gi, gj]
            if inside:
                r = math.sqrt(square)
                x = r * scale
                u, du, _ = function(x, parameters[gi, gj])
                if order == 1:
                    u += tail[gi, gj, 0]
                elif order == 2:
                    u += tail[gi, gj, 0] + tail[gi, gj, 1] * x
                    du += tail[gi, gj, 1]
                elif order == 3:
                    u += tail[gi, gj, 0] + x * x * (tail[gi, gj, 2] + tail[gi, gj, 3] * x * x)
                    du += x * (2.0 * tail[gi, gj, 2] + 4.0 * tail[gi, gj, 3] * x * x)
                w = du * scale / r
                fx += w * dx
                fy += w * dy
                fz += w * dz
                energy += u
        forces[i, 0] = fx
        forces[i, 1] = fy
        forces[i, 2] = fz
        energies[i] = 0.5 * energy

    return body


def _no_mixing(d_i, d_j):
    return 1.0
