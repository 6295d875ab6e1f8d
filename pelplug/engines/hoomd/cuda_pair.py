"""The pair kernel of a GPU: the body of the processor's, compiled by numba.cuda for HOOMD-blue's arrays.

With what it imports it needs numba and numpy only, so that ``benchmarks/gpu.py`` can load it by its path where nothing
else is installed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numba import cuda

from pelplug.execution.compile import Family
from pelplug.potentials.form import Form
from pelplug.potentials.pair_row import pair_row

__all__ = ["cuda_pair_kernel", "pair_body"]


@functools.cache
def cuda_pair_kernel(form: Form, d: int, mixing: Callable | None):
    """Compile the kernel: one thread for each particle, a full neighbour list, no atomic additions.

    Parameters
    ----------
    form, d, mixing
        As for `pair_body`.

    Returns
    -------
    callable
        ``kernel[blocks, threads](positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma,
        parameters, cutoff_squared, forces, energies)``.
    """
    body = pair_body(form, d, mixing, "cuda")

    @cuda.jit
    def kernel(positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters,
               cutoff_squared, forces, energies):  # fmt: skip
        i = cuda.grid(1)
        if i < count.shape[0]:
            body(i, positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters,
                 cutoff_squared, forces, energies)  # fmt: skip

    return kernel


def pair_body(form: Form, d: int, mixing: Callable | None, device: str):
    """Return what one thread does: energy and force of the particle at place ``me`` of HOOMD's arrays.

    Parameters
    ----------
    form : Form
        The functional form, truncated.
    d : int
        2 or 3.
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` if sigma comes from the particles' diameters.
    device : {"cuda", "cpu"}
        For what it is compiled: the CPU to try it with HOOMD's arrays where there is no GPU.
    """
    family = Family(form.function, mixing, form.squared, constants=("hoomd", d), device=device)
    row = pair_row(family, form, d, mixing, listed_by_species=False, nearest_image=True)

    @family.inline
    def body(me, positions, tags, head, count, neighbours, cell, groups, diameters, inverse_sigma, parameters,
             cutoff_squared, forces, energies):  # fmt: skip
        i = tags[me]
        first = np.int64(head[me])  # with an unsigned number numba would add in floating point
        energy, f0, f1, f2, _, _, _, _, _ = row(
            i, groups[i], 0, me, first, first + np.int64(count[me]), positions, cell, neighbours, tags, groups,
            diameters, inverse_sigma, parameters, cutoff_squared,
        )  # fmt: skip
        forces[me, 0] = f0
        forces[me, 1] = f1
        forces[me, 2] = f2
        energies[me] = 0.5 * energy

    return body
