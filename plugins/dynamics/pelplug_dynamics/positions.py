"""Unwrapped positions of all frames in double precision: in memory up to a limit, beyond it in a temporary file."""

from __future__ import annotations

import os
import tempfile

import numpy as np

import pelplug

__all__ = ["Positions"]


class Positions:
    """Positions of the selected frames of one trajectory.

    Parameters
    ----------
    trajectory : Trajectory
        With times.
    frames : sequence of int
        Increasing frame numbers.
    remove_drift : bool
        Measure from the centre of mass of each frame.
    limit : float
        Memory for positions [bytes]; what needs more goes to a file in the folder for temporary files, which has no
        name and so vanishes with the process.

    Attributes
    ----------
    array : ndarray or memmap, shape (F, d, N)
        float64 [length].
    times, steps : list
        Of the frames.

    Raises
    ------
    InputError
        If the number of particles or a species changes, or a frame has no time.
    """

    def __init__(self, trajectory, frames, remove_drift: bool, limit: float):
        frames = [int(number) for number in frames]
        shape = (len(frames), trajectory.dimension, trajectory.n)
        if 8.0 * np.prod(shape, dtype=float) <= limit:
            self.array = np.empty(shape)
        else:
            with tempfile.TemporaryFile(prefix="pelplug-dynamics-") as file:
                os.posix_fallocate(file.fileno(), 0, 8 * int(np.prod(shape, dtype=np.int64)))
                self.array = np.memmap(file, dtype=np.float64, shape=shape)
        self.times: list[float] = []
        self.steps: list[int | None] = []
        wanted, k = set(frames), 0
        for state in trajectory.unwrapped(frames[0], frames[-1] + 1):
            if state.frame not in wanted:
                continue
            if state.time is None:
                raise pelplug.InputError(f"Frame {state.frame} of {trajectory.path} has no time; pass --dt.")
            if state.n != trajectory.n or not np.array_equal(state.species, trajectory.species):
                raise pelplug.InputError(
                    f"Species change at frame {state.frame} of {trajectory.path}, so displacements have no meaning; "
                    "give a trajectory in which each particle stays what it is and where it is in the list."
                )
            moved = state.unwrapped_positions()
            if remove_drift:
                moved = moved - np.average(moved, axis=0, weights=state.masses)
            self.array[k] = moved.T
            self.times.append(float(state.time))
            self.steps.append(state.step)
            k += 1
