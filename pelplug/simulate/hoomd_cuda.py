"""The pair kernel on a GPU: the form's own Python function, compiled by numba.cuda, on HOOMD's neighbour list.

Checked under numba's CUDA simulator against the kernels of the CPU; not run on a GPU.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import cuda

from pelplug.errors import InputError
from pelplug.potentials.kernels import TRUNCATIONS
from pelplug.potentials.pair import PairPotential, group_numbers
from pelplug.simulate.hoomd_frame import Frame

__all__ = ["cuda_force", "cuda_pair_kernel", "pair_body", "pair_constants"]

_BLOCK = 128


def cuda_force(potential: PairPotential, simulation, frame: Frame, buffer: float):
    """Return a ``hoomd.md.force.Custom`` that computes a pair potential on a GPU.

    Parameters
    ----------
    potential : PairPotential
        Between species, or with a diameter for each particle.
    simulation : hoomd.Simulation
        Which the neighbour list is added to.
    frame : Frame
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
        cuda_pair_kernel(potential.form.function, potential.truncation, frame.dimension, potential.mixing),
        [cuda.to_device(array) for array in constants],
        neighbours,
        frame.n,
    )


def pair_constants(potential: PairPotential, frame: Frame) -> tuple[tuple[np.ndarray, ...], float]:
    """Return what the kernel is given that never changes, and the longest cutoff [length]."""
    n = frame.n
    if potential.per_particle:
        diameters, groups = np.array(frame.start.diameters), np.zeros(n, dtype=np.int64)
        reach = potential.cutoff * float(diameters.max())
    else:
        diameters, groups = np.ones(n), group_numbers(frame.start, potential.species)
        reach = potential.cutoff
    tables = (potential._inverse_sigma, potential._stack, potential._tail, potential._cutoff_squared)
    return (np.ascontiguousarray(frame.lower), groups, diameters, *tables), reach


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
    order = TRUNCATIONS.index(truncation)
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
