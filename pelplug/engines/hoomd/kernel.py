"""pelplug's own evaluator as a force of HOOMD-blue, on HOOMD's arrays without a copy of the state."""

from __future__ import annotations

import functools

import numpy as np

from pelplug.engines.hoomd.view import HoomdView
from pelplug.errors import RunError
from pelplug.execution.compile import kernel
from pelplug.potentials.base import Evaluator

__all__ = ["evaluator_force"]


def evaluator_force(evaluator: Evaluator, frame: HoomdView, images: np.ndarray, virial: bool = False):
    """Return a ``hoomd.md.force.Custom`` that asks an `Evaluator`.

    Parameters
    ----------
    evaluator : Evaluator
        Made where the simulation starts; it follows its own neighbours.
    frame : HoomdView
        Axes of the simulation.
    images : ndarray of int, shape (N, 3)
        Images at the start: the evaluator sees positions that are continuous from there, so that a particle that
        leaves the box is no reason to search for neighbours.
    virial : bool
        Whether the box may change its size, and its trace of the virial is asked for.

    Returns
    -------
    hoomd.md.force.Custom
        Total energy, forces; every particle is given U / N as its energy, and the same share of the virial, if any.
    """
    return _force_class()(evaluator, frame, images, virial)


@functools.cache
def _force_class():
    import hoomd

    class EvaluatorForce(hoomd.md.force.Custom):
        def __init__(self, evaluator, frame, images, virial):
            super().__init__(aniso=False)
            n, d = frame.n, frame.dimension
            self._evaluator, self._frame, self._virial = evaluator, frame, virial
            self._images = np.ascontiguousarray(images[:, :d], dtype=np.int64)
            self._half = 0.5 * frame.lower.sum(axis=0)
            self._turn = np.ascontiguousarray(frame.turn)
            self._cell = np.ascontiguousarray(frame.cell)
            self._positions = np.empty((n, d))
            self._forces = np.empty((n, d))
            # Opening HOOMD's arrays takes longer than the forces of a thousand particles. Without sorting, domains or
            # a change of N they stay where they are, so that they are opened once a run.
            self._views = None

        def set_forces(self, timestep):
            if self._views is None:
                self._views = self._open()
            position, image, places, out, energies, virials = self._views
            if self._virial:
                lower = self._frame.lower_of(self._state.box)
                if not np.isfinite(lower).all():
                    raise RunError(
                        f"The cell is not finite any more at step {timestep}: a cell that collapses ends like this; "
                        "begin nearer the density of this pressure."
                    )
                self._half, self._cell = 0.5 * lower.sum(axis=0), lower @ self._turn
            near = _gather(position, image, places, self._images, self._half, self._turn, self._cell, self._positions)
            if not near:
                raise RunError(f"Particles flew apart at step {timestep}; use a smaller time step or a melted start.")
            if self._virial:
                energy, virial = self._evaluator.in_cell(self._positions, self._cell, self._forces)
                # xx, xy, xz, yy, yz, zz
                d = self._positions.shape[1]
                virials[:, [0, 3, 5][:d]] = -virial / (d * len(self._forces))
            else:
                energy = self._evaluator(self._positions, self._forces)
            _scatter(self._forces, energy / len(self._forces), places, self._turn, out, energies)

        def _open(self):
            # HOOMD documents this method for handing its buffers to compiled code.
            with self._state.cpu_local_snapshot as data, self.cpu_local_force_arrays as mine:
                particles = data.particles
                arrays = (particles.position, particles.image, particles.rtag, mine.force, mine.potential_energy)
                return tuple(array._coerce_to_ndarray() for array in (*arrays, mine.virial))

        def begin(self) -> None:
            """Look up the arrays again at the next step; call it before each run."""
            self._views = None

        def end(self) -> None:
            """Raise `RunError` if HOOMD moved its arrays during a run; call it after each run."""
            if self._views is not None and [view.ctypes.data for view in self._views] != [
                view.ctypes.data for view in self._open()
            ]:
                raise RunError("HOOMD-blue moved its arrays during a run; use the route native or table.")

    return EvaluatorForce


@kernel
def _gather(position, image, places, reference, half, turn, cell, out):
    # Unwrapped positions in the model's own axes, in order of particle number; False if one is lost in space.
    d = out.shape[1]
    limit = 1e6 * np.abs(cell).sum()
    near = True
    for tag in range(out.shape[0]):
        at = places[tag]
        for b in range(d):
            value = 0.0
            for a in range(d):
                value += (position[at, a] + half[a]) * turn[a, b] + (image[at, a] - reference[tag, a]) * cell[a, b]
            out[tag, b] = value
            if not abs(value) < limit:
                near = False
    return near


@kernel
def _scatter(forces, energy, places, turn, out, energies):
    d = forces.shape[1]
    for tag in range(forces.shape[0]):
        at = places[tag]
        for a in range(d):
            value = 0.0
            for b in range(d):
                value += forces[tag, b] * turn[a, b]
            out[at, a] = value
        energies[at] = energy
