"""Unwrapped positions of all frames in double precision: in memory up to a limit, beyond it in a temporary file."""

from __future__ import annotations

import os
import tempfile
import warnings

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
    centres : ndarray, shape (F, d)
        Centres of mass [length].
    times, steps : list
        Of the frames.
    frames : list of int
        Their numbers.
    cells : ndarray, shape (F, d, d)
        Their cell vectors [length].

    Raises
    ------
    InputError
        If the number of particles or a species changes, or a frame has no time.
    """

    def __init__(self, trajectory, frames, remove_drift: bool, limit: float):
        frames = [int(number) for number in frames]
        if np.any(np.diff(frames) <= 0):
            raise pelplug.InputError(
                f"Frames of {trajectory.path} are taken backwards in time; give a positive --step (step= in Python)."
            )
        shape = (len(frames), trajectory.dimension, trajectory.n)
        if 8.0 * np.prod(shape, dtype=float) <= limit:
            self.array = np.empty(shape)
        else:
            with tempfile.TemporaryFile(prefix="pelplug-dynamics-") as file:
                os.posix_fallocate(file.fileno(), 0, 8 * int(np.prod(shape, dtype=np.int64)))
                self.array = np.memmap(file, dtype=np.float64, shape=shape)
        self.times: list[float] = []
        self.steps: list[int | None] = []
        wanted, k, last = set(frames), 0, None
        kept: list[int] = []
        centres: list[np.ndarray] = []
        cells: list[np.ndarray] = []
        repeated: list[int] = []
        for state in trajectory.unwrapped(frames[0], frames[-1] + 1):
            if state.frame not in wanted:
                continue
            moved = state.unwrapped_positions()
            centre = np.average(moved, axis=0, weights=state.masses)
            if remove_drift:
                moved = moved - centre
            if k and (state.time, state.step) == last and np.allclose(self.array[k - 1], moved.T, rtol=1e-6, atol=1e-9):
                repeated.append(state.frame)
                continue
            last = state.time, state.step
            self.array[k] = moved.T
            self.times.append(state.time)
            self.steps.append(state.step)
            kept.append(state.frame)
            centres.append(centre)
            cells.append(state.cell)
            k += 1
        if repeated and k > 1:
            # What a run that went on from its last state wrote once more.
            warnings.warn(
                f"{trajectory.path} has frames that repeat the one before, at the same time and place; they are left "
                f"out: {', '.join(map(str, repeated[:5]))}{', ...' if len(repeated) > 5 else ''}.",
                stacklevel=2,
            )
        if k == 1:  # nothing but the same state again and again
            trajectory.check_times(frames, self.times * len(frames))
        self.array, self.centres, self.frames, self.cells = self.array[:k], np.array(centres), kept, np.array(cells)
        trajectory.check_times(kept, self.times, self.steps)
