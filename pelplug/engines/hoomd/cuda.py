"""The pair kernel of a GPU on HOOMD's neighbour list.

Checked under numba's CUDA simulator against the kernels of the CPU; not run on a GPU.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import cuda

from pelplug.engines.hoomd.cuda_pair import cuda_pair_kernel
from pelplug.engines.hoomd.view import HoomdView
from pelplug.errors import InputError
from pelplug.potentials.base import PairTerms

__all__ = ["cuda_force", "pair_constants"]

_BLOCK = 128


def cuda_force(terms: PairTerms, simulation, frame: HoomdView, buffer: float):
    """Return a ``hoomd.md.force.Custom`` that computes a pair potential on a GPU.

    Parameters
    ----------
    terms : PairTerms
        From `Potential.pair_terms`.
    simulation : hoomd.Simulation
        Which the neighbour list is added to.
    frame : HoomdView
        Axes of the simulation.
    buffer : float
        Margin of HOOMD's neighbour list [length].

    Returns
    -------
    hoomd.md.force.Custom
        Energy and force of each particle, no virial.

    Raises
    ------
    InputError
        If numba finds no CUDA.
    """
    import hoomd

    if not cuda.is_available():
        raise InputError(
            "HOOMD-blue has a GPU here but numba finds no CUDA: install numba-cuda for it, or use device cpu."
        )
    # A neighbour list that only a custom force uses has to be told its cutoff, and be attached, by hand.
    neighbours = hoomd.md.nlist.Cell(buffer=buffer, default_r_cut=terms.reach)
    simulation.operations.computes.append(neighbours)
    return _force_class()(
        cuda_pair_kernel(terms.form, frame.dimension, terms.mixing),
        [cuda.to_device(array) for array in pair_constants(terms, frame)],
        neighbours,
        frame.n,
    )


def pair_constants(terms: PairTerms, frame: HoomdView) -> tuple[np.ndarray, ...]:
    """Return what the kernel is given that never changes."""
    lower = np.ascontiguousarray(frame.lower)
    return lower, terms.groups, terms.diameters, terms.inverse_sigma, terms.numbers, terms.cutoff_squared


@functools.cache
def _force_class():
    import hoomd

    class CudaPairForce(hoomd.md.force.Custom):
        def __init__(self, kernel, constants, neighbours, n):
            super().__init__(aniso=False)
            self._kernel, self._constants, self._neighbours, self._n = kernel, constants, neighbours, n

        def set_forces(self, timestep):
            # The list first: while the particles' arrays are open HOOMD cannot bring it up to date.
            with (
                self._neighbours.gpu_local_nlist_arrays as near,
                self._state.gpu_local_snapshot as data,
                self.gpu_local_force_arrays as mine,
            ):
                if near.half_nlist:
                    raise RuntimeError("HOOMD's neighbour list holds each pair once, and the kernel needs both")
                arrays = (data.particles.position, data.particles.tag, near.head_list, near.n_neigh, near.nlist)
                self._kernel[(self._n + _BLOCK - 1) // _BLOCK, _BLOCK](
                    *map(cuda.as_cuda_array, arrays),
                    *self._constants,
                    cuda.as_cuda_array(mine.force),
                    cuda.as_cuda_array(mine.potential_energy),
                )
                cuda.synchronize()

    return CudaPairForce
