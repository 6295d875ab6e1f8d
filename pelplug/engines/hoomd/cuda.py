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
from pelplug.potentials.pair import PairPotential, group_numbers

__all__ = ["cuda_force", "pair_constants"]

_BLOCK = 128


def cuda_force(potential: PairPotential, simulation, frame: HoomdView, buffer: float):
    """Return a ``hoomd.md.force.Custom`` that computes a pair potential on a GPU.

    Parameters
    ----------
    potential : PairPotential
        Between species, or with a diameter for each particle.
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
    constants, reach = pair_constants(potential, frame)
    # A neighbour list that only a custom force uses has to be told its cutoff, and be attached, by hand.
    neighbours = hoomd.md.nlist.Cell(buffer=buffer, default_r_cut=reach)
    simulation.operations.computes.append(neighbours)
    return _force_class()(
        cuda_pair_kernel(potential.truncated, frame.dimension, potential.mixing),
        [cuda.to_device(array) for array in constants],
        neighbours,
        frame.n,
    )


def pair_constants(potential: PairPotential, frame: HoomdView) -> tuple[tuple[np.ndarray, ...], float]:
    """Return what the kernel is given that never changes, and the longest cutoff [length]."""
    n = frame.n
    if potential.per_particle:
        diameters, groups = np.array(frame.start.diameters), np.zeros(n, dtype=np.int64)
        reach = potential.cutoff * float(diameters.max())
    else:
        diameters, groups = np.ones(n), group_numbers(frame.start, potential.species)
        reach = potential.cutoff
    tables = (potential._inverse_sigma, potential.numbers, potential._cutoff_squared)
    return (np.ascontiguousarray(frame.lower), groups, diameters, *tables), reach


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
